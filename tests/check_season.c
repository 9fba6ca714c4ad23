#include "blob.h"
#include "isa_here.h"
#include "made.h"
#include "numbers.h"
#include "reload.h"
#include "src/numeric/lag_sums.h"
#include "state_field.h"
#include "suite.h"
#include <math.h>
#include <stdio.h>

enum { D = 2, ROWS = 4000, LONGEST_PERIOD = 700 };

typedef struct Stream {
    int period;     /* rows until the pattern is repeated; 0: no pattern */
    double origin;  /* of the targets */
    double factor;  /* on the targets */
    int wrong;      /* rows from one wrong target to the next, each 1,000 off; 0: none */
    int noise_seed; /* of the noise */
} Stream;

static const double pattern_variance = 25;

typedef struct Result {
    double square; /* mean squared error in the second half, wrong targets left out */
    int different; /* rows in which the model and the child differ */
} Result;

/* A pattern of variance 25 that repeats, and noise of variance 1. */
static Result run(const char *expression, const char *child, Stream stream)
{
    StreamingLearner *model = made(D, expression), *bare = made(D, child);
    double pattern[LONGEST_PERIOD] = {0};
    uint64_t seed = 11, noise_seed = (uint64_t)stream.noise_seed;
    Result result = {0, 0};
    int rows = 0;
    for (int i = 0; i < stream.period; i++)
        pattern[i] = sqrt(pattern_variance) * nearly_normal(&seed);
    for (int t = 0; t < ROWS; t++) {
        double x[D] = {nearly_normal(&noise_seed), nearly_normal(&noise_seed)};
        double y = stream.origin + (stream.period ? pattern[t % stream.period] : 0) + nearly_normal(&noise_seed);
        int wrong = stream.wrong && t % stream.wrong == stream.wrong - 1;
        double target = (wrong ? y + 1000 : y) * stream.factor, said = anb_predict(model, x);
        double f = anb_train_one(model, x, target, 1), g = anb_train_one(bare, x, target, 1);
        ck_assert_double_eq(said, f);
        result.different += f != g;
        if (t >= ROWS / 2 && !wrong) {
            rows++;
            result.square += (f / stream.factor - y) * (f / stream.factor - y);
        }
    }
    anb_free(model);
    anb_free(bare);
    result.square /= rows;
    return result;
}

/* The best coefficient on one target of a period ago is S / (S + 1) for a pattern of variance S about the mean and
 * noise of variance 1; it leaves S + 1 - S^2 / (S + 1). The pattern here has the variance of its own draws. */
static double best(int period)
{
    double sum = 0, square = 0;
    uint64_t seed = 11;
    for (int i = 0; i < period; i++) {
        double v = sqrt(pattern_variance) * nearly_normal(&seed);
        sum += v;
        square += v * v;
    }
    double s = square / period - sum / period * (sum / period);
    return s + 1 - s * s / (s + 1);
}

START_TEST(periods_are_found)
{
    static const int periods[] = {12, 24, 51, 168, 365, 700};
    for (size_t i = 0; i < sizeof periods / sizeof *periods; i++) {
        Result found = run("season(mean)", "mean", (Stream){periods[i], 0, 1, 0, 3});
        ck_assert_msg(found.square < (i < 4 ? 1.1 : 1.25) * best(periods[i]), "%d: %g for %g", periods[i], found.square,
                      best(periods[i]));
        ck_assert_double_gt(found.square, 0.9 * best(periods[i]));
    }
}
END_TEST

/* The last lags are learned one row at a time, the others eight. */
START_TEST(a_period_near_the_longest)
{
    for (int period = 45; period <= 64; period++) {
        double found = run("season(mean, longest=64)", "mean", (Stream){period, 0, 1, 0, 3}).square;
        ck_assert_msg(found < 1.25 * best(period), "%d: %g for %g", period, found, best(period));
    }
}
END_TEST

/* Floats have seven digits: an origin of a million, the scale of the noise 1. */
START_TEST(far_from_zero)
{
    double at_zero = run("season(mean)", "mean", (Stream){24, 0, 1, 0, 3}).square;
    ck_assert_double_lt(run("season(mean)", "mean", (Stream){24, 1e6, 1, 0, 3}).square, 1.02 * at_zero);
}
END_TEST

/* Without a period, and where it is longer than what is searched for, it is the child to the bit. */
START_TEST(nothing_without_a_period)
{
    for (int seed = 1; seed <= 20; seed++)
        ck_assert_int_eq(run("season(scale(rls))", "scale(rls)", (Stream){0, 5, 1, 0, seed}).different, 0);
    ck_assert_int_eq(run("season(mean, longest=100)", "mean", (Stream){365, 0, 1, 0, 3}).different, 0);
}
END_TEST

/* One target of 200 is 1,000 off, some 200 times the deviation. */
START_TEST(wrong_targets)
{
    double clean = run("season(mean)", "mean", (Stream){24, 0, 1, 0, 3}).square;
    double mean = run("mean", "mean", (Stream){24, 0, 1, 200, 3}).square;
    double dirty = run("season(mean)", "mean", (Stream){24, 0, 1, 200, 3}).square;
    ck_assert_double_lt(dirty, 4 * clean);
    ck_assert_double_lt(dirty, 0.3 * mean);
}
END_TEST

START_TEST(targets_times_a_power_of_two)
{
    double one = run("season(mean)", "mean", (Stream){24, 3, 1, 0, 3}).square;
    ck_assert_double_eq(run("season(mean)", "mean", (Stream){24, 3, 0x1p40, 0, 3}).square, one);
    ck_assert_double_eq(run("season(mean)", "mean", (Stream){24, 3, 0x1p-40, 0, 3}).square, one);
}
END_TEST

START_TEST(the_same_bits_on_every_instruction_set)
{
    const AnbIsa before = anb_isa_in_use();
    double first = run("season(mean)", "mean", (Stream){168, 3, 1, 200, 3}).square;
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++)
        if (anb_isa_use((AnbIsa)isa))
            ck_assert_double_eq(run("season(mean)", "mean", (Stream){168, 3, 1, 200, 3}).square, first);
    anb_isa_use(before);
}
END_TEST

/* Another period takes the place of the first within a thousand rows. */
START_TEST(the_period_changes)
{
    StreamingLearner *model = made(D, "season(mean, longest=64)");
    uint64_t seed = 17;
    double x[D] = {0, 0}, sum = 0;
    for (int t = 0; t < 6000; t++) {
        int period = t < 3000 ? 12 : 31;
        double y = (t % period < period / 3 ? 10 : -10) + nearly_normal(&seed), f = anb_train_one(model, x, y, 1);
        sum += t >= 5000 ? (f - y) * (f - y) / 1000 : 0;
    }
    ck_assert_double_lt(sum, 2.6);
    anb_free(model);
}
END_TEST

/* Rows that wait to be learned together are part of a snapshot. */
START_TEST(saved_between_any_two_rows)
{
    enum { SAVED = 500, PERIOD = 36, MORE = 200 };
    StreamingLearner *model[1 + ANB_LAGS_ROWS] = {made(D, "season(mean, longest=40)")};
    const double x[D] = {0, 0};
    uint64_t seed = 19;
    for (int t = 0; t < SAVED + MORE; t++) {
        double y = (t % PERIOD < PERIOD / 3 ? 3 : -3) + nearly_normal(&seed), f = anb_train_one(model[0], x, y, 1);
        int loaded = t < SAVED ? 0 : t < SAVED + ANB_LAGS_ROWS ? t - SAVED : ANB_LAGS_ROWS;
        for (int i = 1; i <= loaded; i++)
            ck_assert_double_eq(anb_train_one(model[i], x, y, 1), f);
        if (t >= SAVED && loaded < ANB_LAGS_ROWS) {
            Blob blob = save(model[0], NULL);
            ck_assert_ptr_nonnull(model[loaded + 1] = anb_load_memory(blob.bytes, blob.size, NULL, NULL));
            free(blob.bytes);
        }
    }
    for (int i = 1; i <= ANB_LAGS_ROWS; i++)
        ck_assert_msg(anb_equal(model[0], model[i]), "loaded %d rows late", i);
    for (int i = 0; i <= ANB_LAGS_ROWS; i++)
        anb_free(model[i]);
}
END_TEST

/* How a model is refused that has learned some rows, and then has another number of them waiting. */
static int refused(int rows, uint64_t waits, uint64_t instead)
{
    StreamingLearner *model = made(D, "season(mean, longest=40)");
    const double x[D] = {0, 0};
    for (int t = 0; t < rows; t++)
        anb_train_one(model, x, t % 5, 1);
    uint64_t *waiting = field_of(model, 0, "waiting", ANB_U64, 0);
    ck_assert_uint_eq(*waiting, waits);
    *waiting = instead;
    AnbError error = {0};
    StreamingLearner *again = reloaded(model, &error);
    anb_free(again);
    anb_free(model);
    return again ? 0 : error.code;
}

/* More than since the last eighth row, or any before the first row that is added, would leave their places. */
START_TEST(rows_that_no_samples_leave_waiting_are_refused)
{
    const uint64_t waits = (uint64_t)_i;
    ck_assert_int_eq(refused(200 + _i, waits, waits), 0);
    ck_assert_int_eq(refused(200 + _i, waits, 0), 0); /* as in a file of before 0.16 */
    ck_assert_int_eq(refused(200 + _i, waits, waits + 1), ANB_E_STATE);
    ck_assert_int_eq(refused(63, 0, waits), waits ? ANB_E_STATE : 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("season");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, periods_are_found);
    tcase_add_test(tests, a_period_near_the_longest);
    tcase_add_test(tests, far_from_zero);
    tcase_add_test(tests, nothing_without_a_period);
    tcase_add_test(tests, wrong_targets);
    tcase_add_test(tests, targets_times_a_power_of_two);
    tcase_add_test(tests, the_same_bits_on_every_instruction_set);
    tcase_add_test(tests, the_period_changes);
    tcase_add_test(tests, saved_between_any_two_rows);
    tcase_add_loop_test(tests, rows_that_no_samples_leave_waiting_are_refused, 0, ANB_LAGS_ROWS);
    add_isa_skips(tests);
    return suite;
}

CHECK_MAIN(suite)
