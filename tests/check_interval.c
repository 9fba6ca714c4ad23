/* Conformal intervals: the part against its definition, the type by its coverage on streams that shift. */
#include "bench/drifting.h"
#include "blob.h"
#include "src/numeric/conformal.h"
#include "src/numeric/sizes.h"
#include "stream.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- scores against a plain sort --------------------------------------------------------------------------------- */

static double kth_smallest(const double *v, size_t n, size_t k)
{
    for (size_t i = 0; i < n; i++) {
        size_t below = 0, equal = 0;
        for (size_t j = 0; j < n; j++) {
            below += v[j] < v[i];
            equal += v[j] == v[i];
        }
        if (k >= below && k < below + equal)
            return v[i];
    }
    return NAN;
}

/* As scores are kept: rounded up to 11 bits. */
static double coded(double score)
{
    if (score == 0)
        return 0;
    double unit = ldexp(1, ilogb(score) - 10);
    return ceil(score / unit) * unit;
}

/* The first thousand, then every second one in place of the oldest. */
START_TEST(quantiles_are_those_of_the_last_thousand_kept)
{
    enum { WINDOW = 1000 };
    static double memory[WINDOW + 2], all[2500];
    AnbSizes sizes = anb_sizes_at(memory, WINDOW);
    Stream s = {9, 1};
    size_t kept = 0;
    ck_assert_double_eq(anb_sizes_beta(&sizes, 1), 1);
    ck_assert(isinf(anb_sizes_quantile(&sizes, .9)));
    for (size_t i = 0; i < 3500; i++) {
        double score = floor(fabs(stream_uniform(&s)) * 300) / 100, code = coded(score); /* many equal ones */
        ck_assert(code >= score && code <= score * 1.001);
        anb_sizes_add(&sizes, score);
        if (i < WINDOW || i % 2 == 0)
            all[kept++] = code;
        if (i % 257 != 3)
            continue;
        size_t n = kept < WINDOW ? kept : WINDOW, least = 0;
        const double *last = all + kept - n;
        for (size_t j = 0; j < n; j++)
            least += last[j] >= 1.5;
        ck_assert_double_eq(anb_sizes_beta(&sizes, 1.5), (double)least / (double)n);
        size_t rank = (size_t)ceil(.7 * (double)(n + 1));
        ck_assert_double_eq(anb_sizes_quantile(&sizes, .7), kth_smallest(last, n, rank - 1));
        ck_assert(anb_sizes_valid(&sizes));
    }
    ck_assert_double_eq(anb_sizes_quantile(&sizes, 1), kth_smallest(all + kept - WINDOW, WINDOW, WINDOW - 1));
    ck_assert_double_eq(anb_sizes_quantile(&sizes, -1), 0);
}
END_TEST

/* What is beyond the codes is as large or as small as they go; a score that exceeds a quantile is not at least as
 * large. */
START_TEST(the_ends_of_the_codes)
{
    static const double score[] = {0, 1e-300, 0x1p-32, 1, 1.0001, 1e9, 0x1.ffcp31, 1e20, 1e300};
    static double memory[8];
    AnbSizes sizes = anb_sizes_at(memory, 2);
    for (size_t i = 0; i < sizeof score / sizeof *score; i++) {
        for (int times = 0; times < 4; times++)
            anb_sizes_add(&sizes, score[i]);
        double limit = anb_sizes_quantile(&sizes, .9);
        ck_assert(score[i] >= 0x1p32 ? limit >= 0x1.ffp31 : limit >= score[i]);
        for (size_t j = 0; j < i; j++)
            ck_assert(anb_sizes_beta(&sizes, score[j]) == 1);
        for (size_t j = i; j < sizeof score / sizeof *score; j++)
            ck_assert_int_eq(anb_sizes_beta(&sizes, score[j]) == 1, score[j] <= limit || limit >= 0x1.ffp31);
    }
}
END_TEST

/* The formulas of the paper, written out again in the plainest way. */
START_TEST(the_level_follows_the_published_update)
{
    AnbAdaptive a;
    double alpha[8], w[8], wanted = .1, eta, sigma = .001;
    anb_adaptive_init(&a, wanted);
    for (int k = 0; k < 8; k++) {
        alpha[k] = wanted;
        w[k] = 1;
    }
    eta = sqrt(3.0 / 500) * sqrt((log(500 * 8) + log(2) + 1) / (pow(.9, 2) * pow(.1, 3) + pow(.1, 2) * pow(.9, 3)));
    Stream s = {4, 1};
    for (int i = 0; i < 500; i++) {
        double beta = fabs(stream_uniform(&s)), sum = 0, mix = 0;
        for (int k = 0; k < 8; k++) {
            double u = beta - alpha[k], loss = wanted * u - fmin(0, u);
            w[k] *= exp(-eta * loss);
            sum += w[k];
            alpha[k] += .001 * pow(2, k) * (wanted - (alpha[k] > beta));
        }
        for (int k = 0; k < 8; k++)
            w[k] = (1 - sigma) * w[k] / sum + sigma / 8;
        anb_adaptive_add(&a, wanted, beta, 0);
        for (int k = 0; k < 8; k++)
            mix += w[k] * alpha[k];
        ck_assert_double_eq_tol(anb_adaptive_alpha(&a), mix, 1e-12);
    }
    ck_assert(anb_adaptive_valid(&a));
}
END_TEST

/* What is owed: the misses of the answers that were labelled, and what was asked since the one labelled last. A level
 * without experts' steps (beta equal to what they ask) follows it by hand. */
START_TEST(what_was_answered_is_paid_back)
{
    AnbAdaptive a = {0};
    double alpha = .1, debt = 0, asked[41] = {0};
    anb_adaptive_init(&a, alpha);
    for (int i = 0; i < 40; i++) {
        double used = alpha + ANB_REPAY * a.owed, then = i < 5 ? 0 : asked[i - 5];
        bool missed = i % 4 == 1;
        ck_assert_double_eq_tol(anb_adaptive_alpha(&a), used, 1e-12);
        anb_adaptive_answered(&a, alpha, missed, then);
        debt += alpha - missed;
        asked[i + 1] = asked[i] + alpha - fmax(used, 0);
        ck_assert_double_eq_tol(a.owed, debt + asked[i + 1] - then, 1e-12);
    }
    ck_assert_double_lt(anb_adaptive_alpha(&a), alpha); /* a quarter missed where a tenth was allowed */
    ck_assert(anb_adaptive_valid(&a));
}
END_TEST

/* ---- the type ---------------------------------------------------------------------------------------------------- */

/* Windows of 2,000 after the first stay within two points, through a jump of the noise and a swap of the concept. */
START_TEST(coverage_holds_through_shifts)
{
    static const double levels[] = {.8, .9, .95};
    StreamingLearner *model =
        anb_parse(4, "interval(scale(moe(rls(lambda=0.99), linear, mean, router=boa)))", NULL, NULL);
    ck_assert_ptr_nonnull(model);
    Stream s = {11, 4};
    double x[4];
    int held[3] = {0};
    for (int i = 0; i < 14000; i++) {
        double y = stream_next(&s, x);
        y = i > 9000 ? -y : y;
        y += (i > 5000 ? 3 : .3) * stream_uniform(&s);
        for (int l = 0; l < 3; l++) {
            double low, high;
            ck_assert_int_eq(anb_predict_interval(model, x, levels[l], &low, &high), 0);
            ck_assert(low <= high);
            held[l] += y >= low && y <= high;
        }
        anb_train_one(model, x, y, 1);
        if (i % 2000 != 1999)
            continue;
        for (int l = 0; l < 3; l++) {
            ck_assert_msg(i < 2000 || fabs(held[l] / 2000.0 - levels[l]) <= .02, "to %d: %g, not %g", i,
                          held[l] / 2000.0, levels[l]);
            held[l] = 0;
        }
    }
    anb_free(model);
}
END_TEST

START_TEST(wider_levels_hold_narrower_ones)
{
    StreamingLearner *model = anb_parse(2, "interval(scale(linear), coverage=[0.5, 0.9])", NULL, NULL);
    Stream s = {2, 2};
    double x[2], low[2], high[2];
    for (int i = 0; i < 3000; i++) {
        double y = stream_next(&s, x);
        anb_predict_interval(model, x, .5, &low[0], &high[0]);
        anb_predict_interval(model, x, .9, &low[1], &high[1]);
        ck_assert(low[1] <= low[0] && high[0] <= high[1]);
        ck_assert(i < 3 ? isinf(high[0]) : isfinite(high[1]));
        anb_train_one(model, x, y, 1);
    }
    anb_free(model);
}
END_TEST

START_TEST(a_reader_sees_the_same_interval)
{
    StreamingLearner *model = anb_parse(2, "interval(scale(linear))", NULL, NULL);
    AnbReader *reader = anb_reader_new(model, NULL);
    Stream s = {2, 2};
    double x[2], a[2], b[2];
    for (int i = 0; i < 500; i++) {
        double y = stream_next(&s, x);
        anb_predict_interval(model, x, .9, &a[0], &a[1]);
        ck_assert_int_eq(anb_predict_interval_with(model, reader, x, .9, &b[0], &b[1]), 0);
        ck_assert(a[0] == b[0] && a[1] == b[1]);
        anb_train_one(model, x, y, 1);
    }
    anb_reader_free(reader);
    anb_free(model);
}
END_TEST

START_TEST(what_is_refused)
{
    AnbError error = {0};
    const double *levels;
    double x[2] = {1, 2}, low, high, bad[2] = {INFINITY, 0};
    StreamingLearner *model = anb_parse(2, "interval(linear, coverage=[0.9])", NULL, NULL);
    ck_assert_int_eq(anb_predict_interval(model, x, .8, &low, &high), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_predict_interval(model, bad, .9, &low, &high), ANB_E_INPUT);
    ck_assert_uint_eq(anb_interval_levels(model, &levels), 1);
    ck_assert_double_eq(levels[0], .9);
    anb_free(model);
    model = anb_parse(2, "scale(linear)", NULL, NULL);
    ck_assert_int_eq(anb_predict_interval(model, x, .9, &low, &high), ANB_E_UNSUPPORTED);
    ck_assert_uint_eq(anb_interval_levels(model, &levels), 0);
    anb_free(model);
    ck_assert_ptr_null(anb_parse(2, "scale(interval(linear))", NULL, &error));
    ck_assert_ptr_null(anb_parse(2, "interval(interval(linear))", NULL, &error));
    ck_assert_ptr_null(anb_parse(2, "interval(pending(linear))", NULL, &error));
    ck_assert_ptr_null(anb_parse(2, "interval(linear, coverage=[0.9, 1])", NULL, &error));
}
END_TEST

/* A number that stands twice is refused in text, in a struct and where only bytes are asked for; text of a log is
 * taken, and saved models load and take more columns. */
START_TEST(coverages_differ)
{
    AnbError error = {0};
    AnbIntervalOptions options = anb_interval_defaults();
    const AnbExpert child = {.type = &anb_mean},
                    root = {.type = &anb_interval, .options = &options, .children = &child, .n_children = 1};
    const double *levels;
    size_t bytes;
    ck_assert_ptr_null(anb_parse(2, "pending(interval(mean, coverage=[0.9, 0.8, 0.9]))", NULL, &error));
    ck_assert_str_eq(error.message, "interval: coverage holds 0.9 twice");
    ck_assert_uint_eq(anb_parse_bytes(2, "interval(mean, coverage=[0.9, 0.9])", NULL, &bytes, &error), 0);
    StreamingLearner *logged = anb_parse_saved(2, "interval(mean, coverage=[0.9, 0.9])", NULL, NULL);
    ck_assert_uint_eq(anb_interval_levels(logged, &levels), 2);
    anb_free(logged);
    options.coverage = (AnbLevels){2, {.5, .5}};
    ck_assert_ptr_null(anb_new(2, &root, NULL, &error));
    ck_assert_str_eq(error.message, "interval: coverage holds 0.5 twice");
    StreamingLearner *model = anb_parse(2, "interval(mean, coverage=[0.8, 0.9])", NULL, NULL);
    Blob blob = save(model, NULL);
    anb_free(model);
    size_t at = 0;
    while (memcmp(blob.bytes + at, "[0.8", 4) != 0)
        at++;
    memcpy(blob.bytes + at, "[0.9", 4);
    repair(&blob);
    model = anb_load_memory(blob.bytes, blob.size, NULL, &error);
    ck_assert_msg(model && anb_interval_levels(model, &levels) == 2 && levels[0] == .9, "%s", error.message);
    static const AnbColumn columns[] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
    AnbSchema *narrow = anb_schema_new(columns, 2, NULL, NULL), *wider = anb_schema_new(columns, 3, NULL, NULL);
    ck_assert_int_eq(anb_set_schema(model, narrow, NULL), 0);
    StreamingLearner *wide = anb_widen(model, wider, NULL, &error);
    ck_assert_msg(wide != NULL, "%s", error.message);
    anb_schema_drop(narrow);
    anb_schema_drop(wider);
    anb_free(wide);
    anb_free(model);
    free(blob.bytes);
}
END_TEST

/* ---- late labels on streams that change -------------------------------------------------------------------------- */

enum { BLOCK = 5000, LATEST = 800 };

/* Adds up, of `blocks` blocks, how far the share of targets held was from .9: the worst and the mean. */
static void follow(const char *child, Drifting stream, size_t delay, int blocks, double *worst, double *mean)
{
    char text[200];
    static double later[LATEST + 1];
    snprintf(text, sizeof text, "pending(interval(%s, coverage=[0.9]), capacity=1024)", child);
    StreamingLearner *model = anb_parse(DRIFTING_FEATURES, text, NULL, NULL);
    size_t held = 0, rows = (size_t)blocks * BLOCK;
    *worst = *mean = 0;
    for (size_t i = 0; i < rows; i++) {
        double low, high;
        drifting_next(&stream);
        ck_assert_int_eq(anb_predict_interval(model, stream.x, .9, &low, &high), 0);
        ck_assert_msg(isfinite(low) == (i > delay + 2), "row %zu: [%g, %g]", i, low, high);
        held += stream.y >= low && stream.y <= high;
        anb_predict_pending(model, i, stream.x);
        later[i % (delay + 1)] = stream.y;
        if (i >= delay)
            anb_learn_label(model, i - delay, later[(i - delay) % (delay + 1)], 1);
        if (i % BLOCK == BLOCK - 1) {
            double off = (double)held / BLOCK - .9;
            *worst = fmax(*worst, fabs(off));
            *mean += off / blocks;
            held = 0;
        }
    }
    anb_free(model);
}

/* Where labels are up to 50 rows late every block holds what it should on every stream; where they are later, on the
 * streams that do not change faster than the labels come. On the others the whole run does, but for jumps that 800
 * labels miss: there the worst of 20 seeds is off by .059 (docs/reliability.md says why). */
START_TEST(coverage_holds_with_late_labels)
{
    static const size_t delays[] = {0, 50, 200, LATEST};
    DriftingKind kind = (DriftingKind)(_i / 4);
    size_t delay = delays[_i % 4];
    bool every_block = delay <= 50 || (delay == 200 && kind != DRIFTING_JUMPING && kind != DRIFTING_AUTOCORRELATED) ||
                       kind == DRIFTING_STEADY;
    uint64_t seeds = getenv("ANB_LONG") ? 20 : 2;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        double worst, mean;
        follow("scale(rls)", drifting_start(kind, seed), delay, seeds > 2 ? 6 : 4, &worst, &mean);
        ck_assert_msg(!every_block || worst <= .03, "%s, %zu late, seed %d: %g", drifting_names[kind], delay, (int)seed,
                      worst);
        ck_assert_msg(fabs(mean) <= (kind == DRIFTING_JUMPING && delay == LATEST ? .06 : .03),
                      "%s, %zu late, seed %d: %g", drifting_names[kind], delay, (int)seed, mean);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("interval");
    TCase *tests = case_of(suite, 30);
    tcase_add_test(tests, quantiles_are_those_of_the_last_thousand_kept);
    tcase_add_test(tests, the_ends_of_the_codes);
    tcase_add_test(tests, the_level_follows_the_published_update);
    tcase_add_test(tests, coverage_holds_through_shifts);
    tcase_add_test(tests, coverages_differ);
    tcase_add_test(tests, wider_levels_hold_narrower_ones);
    tcase_add_test(tests, what_was_answered_is_paid_back);
    tcase_add_loop_test(tests, coverage_holds_with_late_labels, 0, 4 * DRIFTING_KINDS);
    tcase_add_test(tests, a_reader_sees_the_same_interval);
    tcase_add_test(tests, what_is_refused);
    return suite;
}

CHECK_MAIN(suite)
