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

/* ---- a child that keeps the row it was shown -------------------------------------------------------------------- */

enum { WIDE = 64 };
static double shown[WIDE];

static double spy_predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    (void)state, (void)scratch;
    ck_assert(self->n_features <= WIDE && row->x == row->raw);
    memcpy(shown, row->x, self->n_features * sizeof *shown);
    return 0;
}

static void spy_update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    (void)self, (void)state, (void)row, (void)y, (void)weight, (void)scratch;
}

static const StreamingLearnerType spy = {.name = "spy",
                                         .brief = "keeps the row",
                                         .example = "spy",
                                         .flags = ANB_READS_X | ANB_TAKES_MISSING | ANB_WEIGHT_EXACT,
                                         .version = 1,
                                         .predict = spy_predict,
                                         .update = spy_update};

static StreamingLearner *made(const char *expression, size_t columns)
{
    static const StreamingLearnerType *const types[] = {&spy, NULL};
    AnbModelOptions options = anb_model_defaults();
    AnbError error;
    options.types = types;
    StreamingLearner *model = anb_parse(columns, expression, &options, &error);
    ck_assert_msg(model != NULL, "%s: %s", expression, error.message);
    return model;
}

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
    double x_sum[PLAIN], x_square[PLAIN], a[PLAIN];
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
    double mean = o->n > 0 ? o->x_sum[j] / o->n : 0;
    double variance = o->n > 0 ? o->x_square[j] / o->n - mean * mean : 0;
    double z = variance > 1e-12 ? (x - mean) / sqrt(variance) : 0;
    return z > 4 ? 4 : z < -4 ? -4 : z;
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
    double z[PLAIN], said = mean_of(o), norm = 1, gains = 0;
    oracle_judge(o, keys, y, memory, prior);
    for (int j = 0; j < PLAIN; j++) {
        z[j] = z_of(o, j, x[j]);
        said += o->a[j] * z[j];
        norm += z[j] * z[j];
        o->x_sum[j] += x[j];
        o->x_square[j] += x[j] * x[j];
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
    for (int j = 0; j < PLAIN; j++)
        o->a[j] += .05 * (y - said) / (1 + gains) * z[j] / norm;
    o->sum += y;
    o->n++;
}

static double random_unit(uint64_t *bits)
{
    *bits = *bits * 6364136223846793005u + 1442695040888963407u;
    return (double)(*bits >> 11) / 9007199254740992.0;
}

static void assert_near(double a, double b, int row, int cell)
{
    ck_assert_msg(fabs(a - b) <= 1e-9 * (1 + fabs(b)), "row %d, cell %d: %.17g, the oracle has %.17g", row, cell, a, b);
}

/* What a category is worth in the columns of the stream below. */
static double worth(int which)
{
    return (double)(which * 37 % 17) - 8;
}

START_TEST(statistics_are_those_of_a_plain_list)
{
    StreamingLearner *model = made("columns(spy, kinds=\"n c n x c\", memory=5, prior=3)", 5);
    Oracle *o = calloc(1, sizeof *o);
    uint64_t bits = 11;
    for (int c = 0; c < CATEGORIES; c++)
        o->list[c] = malloc(200 * sizeof(Known));
    for (int row = 0; row < 3000; row++) {
        char text[16];
        int first = (int)(random_unit(&bits) * random_unit(&bits) * 150), second = (int)(random_unit(&bits) * 7);
        int size = snprintf(text, sizeof text, "city %d", first);
        double keys[] = {anb_category(text, (size_t)size), second == 6 ? anb_category("", 0) : second};
        double plain[] = {random_unit(&bits), 100 * random_unit(&bits) - 30}, want[10];
        double x[] = {plain[0], keys[0], plain[1], 1e9, second == 6 ? NAN : keys[1]};
        double y = worth(first) + 3 * worth(second) + 5 * plain[0] + random_unit(&bits);
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
    StreamingLearner *model = made("columns(spy, kinds=\"t\")", 1);
    double first = 0, last = 0, seen[168] = {0};
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
        assert_near(shown[7], row && seconds > last ? log(1 + seconds - last) : 0, row, 7);
        assert_near(shown[10], log(1 + seen[hour]), row, 10);
        ck_assert(seen[hour] == 0 || fabs(shown[9] - hour) <= fabs(shown[8] - hour));
        ck_assert(row < 1000 || fabs(shown[9] - hour) < .01);
        seen[hour]++;
        first = row ? first : seconds;
        last = seconds;
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

START_TEST(a_code_keeps_its_value)
{
    StreamingLearner *model = made("columns(spy, kinds=\"k\")", 1);
    for (int i = 0; i < 50; i++)
        anb_train_one(model, (double[]){i % 2}, i % 2 ? 7 : -7, 1);
    anb_predict(model, (double[]){1});
    ck_assert(shown[0] == 1 && shown[2] == 7 && shown[4] > 3);
    anb_predict(model, (double[]){-0.0});
    ck_assert(shown[0] == 0 && shown[2] == -7 && shown[4] < -3);
    anb_predict(model, (double[]){anb_category("x", 1)});
    ck_assert(isnan(shown[0]) && fabs(shown[2]) < 1e-9 && shown[4] == 0);
    anb_free(model);
}
END_TEST

/* A weight of n is n samples, in the means. */
START_TEST(weights_are_exact_in_the_means)
{
    StreamingLearner *heavy = made("columns(spy, kinds=\"c\")", 1), *many = made("columns(spy, kinds=\"c\")", 1);
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

/* What the column that was shown last says of its next target, after 3,000 rows of 20 categories: each has a level, moved
 * by `walk` a row, under noise. */
static double recent_error(double walk, double noise, double *smoothed)
{
    StreamingLearner *model = made("columns(spy, kinds=\"c\")", 1);
    uint64_t bits = 8;
    double level[20] = {0}, square[2] = {0};
    for (int row = 0; row < 3000; row++) {
        double x = floor(20 * random_unit(&bits)), *at = &level[(int)x];
        *at += walk * (random_unit(&bits) - .5);
        double y = *at + noise * (random_unit(&bits) - .5);
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

/* ---- eviction ---------------------------------------------------------------------------------------------------- */

/* Every count fades with every sample, as in the description; ties and free places go by index. */
START_TEST(the_rarest_lately_gives_way)
{
    enum { SETS = 4, SAMPLES = 20000 };
    AnbSet *sets = calloc(SETS, sizeof *sets);
    AnbDictionary head = {0};
    uint8_t used[SETS] = {0};
    uint64_t oracle_key[SETS][ANB_SET] = {{0}}, bits = 5;
    long double count[SETS][ANB_SET] = {{0}};
    for (int n = 0; n < SAMPLES; n++) {
        double cell = floor(90 * random_unit(&bits) * random_unit(&bits)) + (n > SAMPLES / 2 ? 50 : 0);
        uint64_t key = anb_dictionary_key(cell);
        size_t s = anb_dictionary_set(key, 77, SETS), i = anb_set_find(&sets[s], key), want = 0;
        while (want < ANB_SET && oracle_key[s][want] != key)
            want++;
        ck_assert_uint_eq(i, want);
        if (want == ANB_SET) {
            want = 0;
            for (size_t j = 1; j < ANB_SET; j++)
                want = count[s][j] < count[s][want] ? j : want;
            oracle_key[s][want] = key;
            count[s][want] = 0;
            i = anb_set_insert(&sets[s], &used[s], key);
            ck_assert_uint_eq(i, want);
        }
        anb_dictionary_count(&head, anb_dictionary_growth(SETS), &sets[s].entry[i], 1);
        anb_dictionary_bound(&head, sets, SETS);
        for (size_t t = 0; t < SETS; t++)
            for (size_t j = 0; j < ANB_SET; j++)
                count[t][j] /= 1 + 1.0L / (8 * ANB_SET * SETS);
        count[s][want] += 1;
    }
    ck_assert(anb_dictionary_valid(&head, sets, SETS, 77));
    free(sets);
}
END_TEST

START_TEST(hostile_ids_change_nothing_but_themselves)
{
    long many = getenv("ANB_LONG") ? 10000000 : 200000;
    StreamingLearner *model = made("columns(spy, kinds=\"c\", slots=64)", 1);
    size_t bytes = anb_total_bytes(model);
    double known = anb_category("known", 5), mean = 0;
    for (long i = 0; i < many; i++) {
        double id = anb_category(&i, sizeof i);
        anb_train_one(model, i % 50 == 0 ? &known : &id, i % 50 == 0 ? 5 : -1, 1);
    }
    anb_predict(model, &known);
    mean = shown[0];
    ck_assert(mean > 4.9 && shown[1] == 5 && shown[2] > log(many / 60.));
    ck_assert_uint_eq(anb_total_bytes(model), bytes);
    anb_free(model);
}
END_TEST

/* Ids that all fall into one set push each other out, and nobody else. */
START_TEST(colliding_ids_stay_in_their_set)
{
    StreamingLearner *model = made("columns(spy, kinds=\"c\", slots=1024)", 1);
    uint64_t seed = model->plan->nodes[0].seed;
    double other = 7;
    size_t apart = anb_dictionary_set(anb_dictionary_key(other), seed, 128), found = 0;
    anb_train_one(model, &other, 3, 1);
    for (double id = 8; found < 5000; id++) {
        if (anb_dictionary_set(anb_dictionary_key(id), seed, 128) != (apart + 1) % 128)
            continue;
        anb_train_one(model, &id, -3, 1);
        found++;
    }
    anb_predict(model, &other);
    ck_assert(shown[1] >= shown[0] && shown[2] == log(2));
    anb_free(model);
}
END_TEST

START_TEST(a_megabyte_and_nothing_are_categories)
{
    enum { MEGABYTE = 1 << 20 };
    char *text = malloc(MEGABYTE);
    memset(text, 'a', MEGABYTE);
    double large = anb_category(text, MEGABYTE), less = anb_category(text, MEGABYTE - 1), nothing = anb_category("", 0);
    ck_assert(large != less && large != nothing && nothing == anb_category(NULL, 0));
    StreamingLearner *model = made("columns(spy, kinds=\"c\")", 1);
    anb_train_one(model, &large, 1, 1);
    anb_train_one(model, &nothing, 2, 1);
    anb_predict(model, (double[]){NAN});
    ck_assert(shown[0] > 1.5 && shown[1] == shown[0] && shown[2] == log(2));
    anb_predict(model, &less);
    ck_assert(shown[1] == 1.5 && shown[2] == 0);
    anb_free(model);
    free(text);
}
END_TEST

/* ---- as a model ---------------------------------------------------------------------------------------------------- */

static void typed_row(uint64_t *bits, double *x, double *y)
{
    int city = (int)(random_unit(bits) * 300);
    x[0] = random_unit(bits);
    x[1] = anb_category(&city, sizeof city);
    x[2] = 1.5e9 + 1e7 * random_unit(bits);
    *y = worth(city) + x[0];
}

START_TEST(saved_loaded_cloned_and_pending)
{
    AnbError error;
    const char *texts[] = {"columns(scale(rls), kinds=\"n c t\", slots=64)",
                           "pending(columns(scale(moe(rls, sgbt)), kinds=\"n c t\", slots=64))"};
    for (size_t t = 0; t < 2; t++) {
        StreamingLearner *model = anb_parse(3, texts[t], NULL, &error);
        ck_assert_msg(model != NULL, "%s", error.message);
        uint64_t bits = 3;
        double x[3], y;
        for (int i = 0; i < 2000; i++) {
            typed_row(&bits, x, &y);
            anb_train_one(model, x, y, 1);
        }
        StreamingLearner *clone = anb_clone(model, NULL), *again = reloaded(model, NULL);
        ck_assert(anb_equal(model, clone) && anb_equal(model, again));
        for (int i = 0; i < 1000; i++) {
            typed_row(&bits, x, &y);
            double f = anb_train_one(model, x, y, 1);
            ck_assert(anb_train_one(clone, x, y, 1) == f && anb_train_one(again, x, y, 1) == f);
        }
        ck_assert(anb_equal(model, clone) && anb_equal(model, again));
        anb_free(model);
        anb_free(clone);
        anb_free(again);
    }
}
END_TEST

/* A snapshot holds the entries in use: ten ids of 65,536 slots. */
START_TEST(snapshots_hold_what_is_used)
{
    AnbError error;
    StreamingLearner *model = anb_parse(1, "columns(mean, kinds=\"c\", slots=65536)", NULL, &error);
    for (int i = 0; i < 100; i++)
        anb_train_one(model, (double[]){i % 10}, i, 1);
    ck_assert_uint_gt(anb_total_bytes(model), 3000000);
    ck_assert_uint_lt(anb_snapshot_size(model, NULL), 65536 / 8 + 2000);
    StreamingLearner *again = reloaded(model, NULL);
    ck_assert(anb_equal(model, again));
    for (int i = 0; i < 100; i++)
        ck_assert(anb_train_one(model, (double[]){i}, i, 1) == anb_train_one(again, (double[]){i}, i, 1));
    ck_assert(anb_equal(model, again));
    anb_free(model);
    anb_free(again);
}
END_TEST

START_TEST(importances_are_of_the_columns)
{
    AnbError error;
    StreamingLearner *model = anb_parse(4, "columns(sgbt, kinds=\"t n c n\")", NULL, &error);
    ck_assert_msg(model != NULL, "%s", error.message);
    uint64_t bits = 3;
    double shares[4], sum = 0;
    for (int i = 0; i < 3000; i++) {
        int city = (int)(random_unit(&bits) * 50);
        double x[] = {1.5e9 + 1e7 * random_unit(&bits), random_unit(&bits), city, random_unit(&bits)};
        anb_train_one(model, x, worth(city) + x[1], 1);
    }
    const AnbNode *root = &model->plan->nodes[0];
    ck_assert_int_eq(root->type->importance->shares(root, model->block, shares), 0);
    for (int j = 0; j < 4; j++)
        sum += shares[j];
    ck_assert_msg(fabs(sum - 1) < 1e-9 && shares[2] > .8 && shares[2] > shares[1] && shares[0] < .2, "%g %g %g %g",
                  shares[0], shares[1], shares[2], shares[3]);
    anb_free(model);
}
END_TEST

START_TEST(kinds_are_checked_and_canonical)
{
    static const struct {
        const char *given, *printed; /* NULL: refused */
    } texts[] = {
        {"columns(mean, kinds=\"nn n 2c tx\")", "columns(mean, kinds=\"3n 2c t x\")"},
        {"columns(mean, kinds=\"c*n\")", "columns(mean, kinds=\"c *n\")"},
        {"columns(mean)", "columns(mean)"},
        {"columns(mean, kinds=\"\")", "columns(mean)"},
        {"columns(mean, kinds=\"7n\", slots=8)", "columns(mean, kinds=\"7n\", slots=8)"},
        {"columns(mean, kinds=\"6n\")", NULL},
        {"columns(mean, kinds=\"8n\")", NULL},
        {"columns(mean, kinds=\"7x\")", NULL},
        {"columns(mean, kinds=\"*n *c\")", NULL},
        {"columns(mean, kinds=\"7y\")", NULL},
        {"columns(mean, kinds=\"0n\")", NULL},
        {"columns(mean, kinds=7n)", NULL},
        {"columns(mean, kinds=\"7n)", NULL},
        {"columns(mean, kinds=\"99999999999n\")", NULL},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        AnbError error = {0};
        StreamingLearner *model = anb_parse(7, texts[i].given, NULL, &error);
        ck_assert_msg(!model == !texts[i].printed, "%s: %s", texts[i].given, error.message);
        if (model)
            ck_assert_str_eq(anb_expression(model), texts[i].printed);
        else
            ck_assert_msg(strstr(error.message, "kinds") || strstr(error.message, "columns"), "%s", error.message);
        anb_free(model);
    }
}
END_TEST

/* Missing numbers reach the child: a scale completes them, a linear alone takes none. */
START_TEST(missing_numbers_are_the_childs)
{
    StreamingLearner *scaled = anb_parse(2, "columns(scale(linear), kinds=\"n c\")", NULL, NULL);
    StreamingLearner *plain = anb_parse(2, "columns(linear, kinds=\"n c\")", NULL, NULL);
    ck_assert(anb_takes_missing(scaled) && !anb_takes_missing(plain));
    for (int i = 0; i < 10; i++) {
        double f = anb_train_one(scaled, (double[]){NAN, NAN}, 1, 1);
        ck_assert(f == f);
    }
    anb_free(scaled);
    anb_free(plain);
}
END_TEST

static Suite *suite_of(void)
{
    Suite *suite = suite_create("columns");
    TCase *tests = case_of(suite, 600);
    tcase_add_test(tests, statistics_are_those_of_a_plain_list);
    tcase_add_test(tests, times_are_those_of_the_calendar);
    tcase_add_test(tests, a_code_keeps_its_value);
    tcase_add_test(tests, weights_are_exact_in_the_means);
    tcase_add_test(tests, each_column_finds_its_memory);
    tcase_add_test(tests, the_rarest_lately_gives_way);
    tcase_add_test(tests, hostile_ids_change_nothing_but_themselves);
    tcase_add_test(tests, colliding_ids_stay_in_their_set);
    tcase_add_test(tests, a_megabyte_and_nothing_are_categories);
    tcase_add_test(tests, saved_loaded_cloned_and_pending);
    tcase_add_test(tests, snapshots_hold_what_is_used);
    tcase_add_test(tests, importances_are_of_the_columns);
    tcase_add_test(tests, kinds_are_checked_and_canonical);
    tcase_add_test(tests, missing_numbers_are_the_childs);
    return suite;
}
CHECK_MAIN(suite_of)
