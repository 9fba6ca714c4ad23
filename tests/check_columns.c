/* What the wrapper columns tells its child of categories and times, against a plain list that keeps everything. */
#include "columns_row.h"
#include "suite.h"
#include "reload.h"
#include "src/host/model.h"
#include "learners/columns/dictionary.h"
#include "src/numeric/error_scale.h"
#include <anabranch/learners.h>
#include <anabranch/schema.h>
#include <anabranch/snapshot.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

/* ---- the same statistics, kept for ever in a plain list ---------------------------------------------------------- */

enum { KEYS = 4096, PLAIN = 2, CATEGORIES = 2, MEMORIES = 3 };
typedef struct Known {
    double key, targets[KEYS], effect;
    int n;
} Known;

typedef struct Oracle {
    Known *list[CATEGORIES];
    int n_list[CATEGORIES];
    double sum, n;
    double x_n, x_sum[PLAIN], x_square[PLAIN], a[PLAIN], sd[PLAIN]; /* of the linear model */
    double loss[CATEGORIES][MEMORIES]; /* of the last target, the fading mean, the smoothed mean */
    AnbErrorScale scale;
} Oracle;

static Known *look(Oracle *o, int c, double key, bool add)
{
    for (int i = 0; i < o->n_list[c]; i++)
        if (o->list[c][i].key == key)
            return &o->list[c][i];
    if (!add)
        return NULL;
    o->list[c][o->n_list[c]] = (Known){.key = key};
    return &o->list[c][o->n_list[c]++];
}

/* The mean of the last `memory` targets in the sense of the wrapper: plain at first, then exponential. */
static double fading_of(const Known *k, double memory)
{
    double mean = 0;
    for (int i = 0; i < k->n; i++)
        mean += (k->targets[i] - mean) / (i + 1 < memory ? i + 1 : memory);
    return mean;
}

static double sum_of(const Known *k)
{
    double sum = 0;
    for (int i = 0; i < k->n; i++)
        sum += k->targets[i];
    return sum;
}

static double mean_of(const Oracle *o)
{
    return o->n > 0 ? o->sum / o->n : 0;
}

static double smoothed_of(const Oracle *o, const Known *k, double prior)
{
    return (sum_of(k) + prior * mean_of(o)) / (k->n + prior);
}

/* What each memory of a category says. */
static void memories_of(const Oracle *o, const Known *k, double memory, double prior, double *f)
{
    f[0] = k->targets[k->n - 1];
    f[1] = fading_of(k, memory);
    f[2] = smoothed_of(o, k, prior);
}

/* Their mean by 1 / loss^8; the smoothed mean alone before there was a loss. */
static double blend_of(const double *loss, const double *f)
{
    double w[MEMORIES], sum = 0, mean = 0;
    for (int i = 0; i < MEMORIES; i++)
        sum += w[i] = loss[i] > 0 ? pow(loss[i], -8) : 0;
    for (int i = 0; i < MEMORIES; i++)
        mean += sum > 0 ? w[i] / sum * f[i] : 0;
    return sum > 0 ? mean : f[2];
}

static void oracle_statistics(Oracle *o, int c, double key, double memory, double prior, double *out)
{
    const Known *k = look(o, c, key, false);
    double g = mean_of(o), f[MEMORIES];
    out[0] = k ? smoothed_of(o, k, prior) : g;
    if (k)
        memories_of(o, k, memory, prior, f);
    out[1] = k ? blend_of(o->loss[c], f) : g;
    out[2] = k ? log(1 + k->n) : 0;
    out[3] = k ? k->effect : 0;
}

static double z_of(const Oracle *o, int j, double x)
{
    double mean = o->x_n > 0 ? o->x_sum[j] / o->x_n : 0;
    double z = o->sd[j] > 1e-6 ? (x - mean) / o->sd[j] : 0;
    return z > 4 ? 4 : z < -4 ? -4 : z;
}

/* One row in 2 to the `bits`, by the fraction of its number times the golden ratio. */
static bool chosen(double row, int bits)
{
    return fmodl((long double)row * ((sqrtl(5) - 1) / 2), 1) < ldexpl(1, -bits);
}

static void oracle_moments(Oracle *o, const double *x, bool spreads)
{
    o->x_n++;
    for (int j = 0; j < PLAIN; j++) {
        o->x_sum[j] += x[j];
        o->x_square[j] += x[j] * x[j];
        double mean = o->x_sum[j] / o->x_n;
        if (spreads)
            o->sd[j] = sqrt(fmax(o->x_square[j] / o->x_n - mean * mean, 0));
    }
}

/* The linear model of two numbers learns from every row at first, then from one of two; o->n is the row's number. */
static void oracle_line(Oracle *o, const double *x, const double *z, double step)
{
    bool young = o->n < 4096;
    double rate = .25 / (1 + (o->n + 1) / (16 * (1 + PLAIN))), norm = 1;
    if (!young && !chosen(o->n, 1))
        return;
    rate = fmax(rate, o->n + 1 < 4096 ? .05 : .1);
    for (int j = 0; j < PLAIN; j++)
        norm += z[j] * z[j];
    for (int j = 0; j < PLAIN; j++)
        o->a[j] += rate * step * z[j] / norm;
    oracle_moments(o, x, o->n < 64 || chosen(o->n, 4));
}

/* Of categories that were known, before their targets follow. */
static void oracle_judge(Oracle *o, const double *keys, double y, double memory, double prior)
{
    double f[MEMORIES];
    for (int c = 0; c < CATEGORIES && o->scale.level > 0; c++) {
        const Known *k = look(o, c, keys[c], false);
        for (int i = 0; k && i < MEMORIES; i++) {
            memories_of(o, k, memory, prior, f);
            double u = fabs(y - f[i]) / o->scale.level;
            o->loss[c][i] = .999 * o->loss[c][i] + (u < 20 ? u * u : 400);
        }
    }
}

static void oracle_learn(Oracle *o, const double *x, const double *keys, double y, double memory, double prior)
{
    double z[PLAIN], said = mean_of(o), gains = 0;
    oracle_judge(o, keys, y, memory, prior);
    for (int j = 0; j < PLAIN; j++) {
        z[j] = z_of(o, j, x[j]);
        said += o->a[j] * z[j];
    }
    for (int c = 0; c < CATEGORIES; c++) {
        Known *k = look(o, c, keys[c], true);
        said += k->effect;
        gains += 1 / (k->n + prior);
    }
    anb_error_bounded(&o->scale, y - said);
    for (int c = 0; c < CATEGORIES; c++) {
        Known *k = look(o, c, keys[c], true);
        k->effect += (y - said) / (1 + gains) / (k->n + prior);
        k->targets[k->n++] = y;
    }
    oracle_line(o, x, z, (y - said) / (1 + gains));
    o->sum += y;
    o->n++;
}

static void assert_near(double a, double b, int row, int cell)
{
    ck_assert_msg(fabs(a - b) <= 1e-9 * (1 + fabs(b)), "row %d, cell %d: %.17g, the oracle has %.17g", row, cell, a, b);
}

START_TEST(statistics_are_those_of_a_plain_list)
{
    StreamingLearner *model = spied("columns(spy, kinds=\"n c n x c\", memory=5, prior=3)", 5);
    Oracle *o = calloc(1, sizeof *o);
    uint64_t bits = 11;
    for (int c = 0; c < CATEGORIES; c++)
        o->list[c] = malloc(200 * sizeof(Known));
    for (int row = 0; row < 9000; row++) {
        char text[16];
        int first = (int)(unit_of(&bits) * unit_of(&bits) * 150), second = (int)(unit_of(&bits) * 7);
        int size = snprintf(text, sizeof text, "city %d", first);
        double keys[] = {anb_category(text, (size_t)size), second == 6 ? anb_category("", 0) : second};
        double plain[] = {unit_of(&bits), 100 * unit_of(&bits) - 30}, want[10];
        double x[] = {plain[0], keys[0], plain[1], 1e9, second == 6 ? NAN : keys[1]};
        double y = worth(first) + 3 * worth(second) + 5 * plain[0] + unit_of(&bits);
        memcpy(want, plain, sizeof plain);
        oracle_statistics(o, 0, keys[0], 5, 3, want + 2);
        oracle_statistics(o, 1, keys[1], 5, 3, want + 6);
        anb_train_one(model, x, y, 1);
        for (int i = 0; i < 10; i++)
            assert_near(shown[i], want[i], row, i);
        oracle_learn(o, plain, keys, y, 5, 3);
    }
    for (int c = 0; c < CATEGORIES; c++)
        free(o->list[c]);
    free(o);
    anb_free(model);
}
END_TEST

START_TEST(times_are_those_of_the_calendar)
{
    StreamingLearner *model = spied("columns(spy, kinds=\"t\")", 1);
    double first = 0, seen[168] = {0};
    for (int row = 0; row < 5000; row++) {
        double seconds = 1e9 + row * 12345.0 * (row % 3 - .5);
        time_t at = (time_t)floor(seconds);
        struct tm when;
        gmtime_r(&at, &when);
        double day =
            when.tm_hour / 24. + when.tm_min / 1440. + when.tm_sec / 86400. + (seconds - floor(seconds)) / 86400;
        double week = (when.tm_wday + 6) % 7, year = when.tm_yday / 365.2425, turn = 2 * 3.14159265358979323846;
        int hour = (int)week * 24 + when.tm_hour;
        anb_train_one(model, &seconds, hour, 1);
        assert_near(shown[0], sin(turn * day), row, 0);
        assert_near(shown[1], cos(turn * day), row, 1);
        assert_near(shown[2], sin(turn * week / 7), row, 2);
        assert_near(shown[3], cos(turn * week / 7), row, 3);
        ck_assert(fabs(shown[4] - sin(turn * year)) < .02 && fabs(shown[5] - cos(turn * year)) < .02);
        assert_near(shown[6], row ? (seconds - first) / 86400 : 0, row, 6);
        assert_near(shown[10], log(1 + seen[hour]), row, 10);
        ck_assert(seen[hour] == 0 || fabs(shown[9] - hour) <= fabs(shown[8] - hour));
        ck_assert(row < 1000 || fabs(shown[9] - hour) < .01);
        seen[hour]++;
        first = row ? first : seconds;
    }
    double missing[] = {NAN};
    anb_predict(model, missing);
    for (int i = 0; i < 8; i++)
        ck_assert(isnan(shown[i]));
    double far[] = {1e300};
    anb_predict(model, far);
    ck_assert(isnan(shown[0]));
    anb_free(model);
}
END_TEST

static double gap_at(const StreamingLearner *model, double seconds)
{
    anb_predict((StreamingLearner *)model, &seconds);
    return shown[7];
}

/* In order a row has the gap to the one before; elsewhere what such rows had. */
START_TEST(gaps_are_those_of_rows_in_order)
{
    StreamingLearner *model = spied("columns(spy, kinds=\"t\")", 1);
    double at = 1e9, sum = 0, most = 0, least = 1e9;
    int n = 0;
    ck_assert(gap_at(model, at) == 0);
    for (int row = 0; row < 60; row++) {
        double step = row % 7 == 6 ? -500 : row % 5 == 4 ? 0 : 3600 * (1 + row % 3), gap = log(1 + fmax(step, 0));
        at += step;
        anb_train_one(model, &at, 1, 1);
        if (row > 0 && step >= 0) { /* the third row of such a kind is known */
            ck_assert(row < 10 || fabs(shown[7] - gap) < 1e-12);
            most = fmax(most, gap);
            least = fmin(least, gap);
            sum += gap;
            n++;
        } else if (row > 0)
            assert_near(shown[7], n ? sum / n : 0, row, 7);
    }
    double usual = sum / n, limit = most + (most - least) / 10;
    for (double before = 1; before < 1e10; before *= 10)
        assert_near(gap_at(model, at - before), usual, 0, 7);
    for (double after = 1e5; after < 1e10; after *= 10)
        assert_near(gap_at(model, at + after), fmin(log(1 + after), limit), 0, 7);
    assert_near(gap_at(model, at + 1800), log(1801), 0, 7);
    assert_near(gap_at(model, at), 0, 0, 7);
    anb_free(model);
}
END_TEST

/* One time of a far year is followed by as many usual gaps as before. */
START_TEST(one_wrong_time_is_forgotten)
{
    StreamingLearner *model = spied("columns(spy, kinds=\"t\")", 1);
    for (int row = 0; row < 500; row++) {
        double at = row == 300 ? 3e10 : 1e9 + 60 * (row + row % 2);
        anb_train_one(model, &at, 1, 1);
        ck_assert(row < 400 || fabs(shown[7] - log(1 + 60 * (row % 2 ? 2 : 0))) < 1e-12);
    }
    ck_assert(gap_at(model, 3e10) < 12);
    anb_free(model);
}
END_TEST

START_TEST(a_code_keeps_its_value)
{
    StreamingLearner *model = spied("columns(spy, kinds=\"k\")", 1);
    for (int i = 0; i < 50; i++)
        anb_train_one(model, (double[]){i % 2}, i % 2 ? 7 : -7, 1);
    anb_predict(model, (double[]){1});
    ck_assert(shown[0] == 1 && shown[2] == 7 && shown[4] > 1);
    anb_predict(model, (double[]){-0.0});
    ck_assert(shown[0] == 0 && shown[2] == -7 && shown[4] < -1);
    anb_predict(model, (double[]){anb_category("x", 1)});
    ck_assert(isnan(shown[0]) && fabs(shown[2]) < 1e-9 && shown[4] == 0);
    anb_free(model);
}
END_TEST

/* A weight of n is n samples, in the means. */
START_TEST(weights_are_exact_in_the_means)
{
    StreamingLearner *heavy = spied("columns(spy, kinds=\"c\")", 1), *many = spied("columns(spy, kinds=\"c\")", 1);
    AnbCategory once = {0}, often = {0};
    for (int i = 0; i < 40; i++) {
        double x = i % 3, y = i * i % 7, mean;
        int weight = 1 + i % 4;
        anb_train_one(heavy, &x, y, weight);
        anb_category_learn(&once, y, weight, 6);
        for (int j = 0; j < weight; j++) {
            anb_train_one(many, &x, y, 1);
            anb_category_learn(&often, y, 1, 6);
        }
        assert_near(once.mean, often.mean, i, 0);
        assert_near(once.fading, often.fading, i, 1);
        for (x = 0; x < 3; x++) {
            anb_predict(heavy, &x);
            mean = shown[0];
            anb_predict(many, &x);
            assert_near(mean, shown[0], i, (int)x);
        }
    }
    anb_free(heavy);
    anb_free(many);
}
END_TEST

/* What the column that was shown last says of its next target, after 3,000 rows of 20 categories: each has a level,
 * moved by `walk` a row, under noise. */
static double recent_error(double walk, double noise, double *smoothed)
{
    StreamingLearner *model = spied("columns(spy, kinds=\"c\")", 1);
    uint64_t bits = 8;
    double level[20] = {0}, square[2] = {0};
    for (int row = 0; row < 3000; row++) {
        double x = floor(20 * unit_of(&bits)), *at = &level[(int)x];
        *at += walk * (unit_of(&bits) - .5);
        double y = *at + noise * (unit_of(&bits) - .5);
        anb_train_one(model, &x, y, 1);
        for (int i = 0; i < 2 && row >= 2000; i++)
            square[i] += (shown[i] - *at) * (shown[i] - *at);
    }
    anb_free(model);
    *smoothed = sqrt(square[0] / 1000);
    return sqrt(square[1] / 1000);
}

/* A column finds which of its memories tells the most: the last target of wandering levels, the mean of still ones. */
START_TEST(each_column_finds_its_memory)
{
    double smoothed, recent = recent_error(1, .01, &smoothed);
    ck_assert_msg(recent < .4 && smoothed > 1, "wandering: %g, smoothed %g", recent, smoothed);
    recent = recent_error(0, 1, &smoothed);
    ck_assert_msg(recent < 1.3 * smoothed + .01 && smoothed < .05, "still: %g, smoothed %g", recent, smoothed);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("columns");
    TCase *tests = case_of(suite, 600);
    tcase_add_test(tests, statistics_are_those_of_a_plain_list);
    tcase_add_test(tests, times_are_those_of_the_calendar);
    tcase_add_test(tests, gaps_are_those_of_rows_in_order);
    tcase_add_test(tests, one_wrong_time_is_forgotten);
    tcase_add_test(tests, a_code_keeps_its_value);
    tcase_add_test(tests, weights_are_exact_in_the_means);
    tcase_add_test(tests, each_column_finds_its_memory);
    return suite;
}

CHECK_MAIN(suite)
