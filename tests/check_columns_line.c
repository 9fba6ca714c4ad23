/* The linear model of the numbers that the effects of categories are net of, once it learns from some rows alone. */
#include "columns_row.h"
#include "reload.h"
#include "src/host/model.h"
#include <anabranch/schema.h>
#include <math.h>
#include <stdio.h>

enum { NUMBERS = 6, COLUMNS = NUMBERS + 1, EFFECT = NUMBERS + 3, CITIES = 12 };
#define KINDS "kinds=\"6n c\", slots=64"

/* City c is worth worth(c), and the numbers of its rows are higher the more it is worth: its mean target says more than
 * it is worth. */
static double next_row(uint64_t *seed, double *x)
{
    int city = (int)(unit_of(seed) * CITIES);
    double y = worth(city) + noise(seed);
    for (int j = 0; j < NUMBERS; j++) {
        x[j] = 100 + uniform_of(seed) + (j == 0 ? .1 * worth(city) : 0);
        y += (x[j] - 100) * (j - 1);
    }
    x[NUMBERS] = city;
    return y;
}

/* The spread of what the effects are off by; a constant is the mean's. */
static double effects_are_off(StreamingLearner *model)
{
    double x[COLUMNS] = {100, 100, 100, 100, 100, 100, 0}, sum = 0, square = 0;
    for (int city = 0; city < CITIES; city++) {
        x[NUMBERS] = city;
        anb_predict(model, x);
        double off = shown[EFFECT] - worth(city);
        sum += off;
        square += off * off;
    }
    return sqrt(square / CITIES - sum / CITIES * (sum / CITIES));
}

static void learn_rows(StreamingLearner *model, int n, uint64_t *seed)
{
    double x[COLUMNS];
    for (int i = 0; i < n; i++) {
        double y = next_row(seed, x);
        anb_train_one(model, x, y, 1);
    }
}

START_TEST(effects_are_net_of_numbers_that_go_with_them)
{
    StreamingLearner *model = spied("columns(spy, " KINDS ")", COLUMNS);
    uint64_t seed = 5;
    learn_rows(model, 5000, &seed);
    double young = effects_are_off(model);
    learn_rows(model, 25000, &seed);
    double old = effects_are_off(model);
    ck_assert_msg(young < .8 && old < .3, "off by %g after 5,000 rows, %g after 30,000", young, old);
    anb_free(model);
}
END_TEST

/* The effect of city 3 once a copy of the model has learned its row with this last number. */
static double effect_after(const StreamingLearner *model, const double *row, double last)
{
    double x[COLUMNS];
    StreamingLearner *copy = anb_clone(model, NULL);
    memcpy(x, row, sizeof x);
    x[5] = last;
    anb_train_one(copy, x, 5, 1);
    anb_predict(copy, x);
    anb_free(copy);
    return shown[EFFECT];
}

/* Whether the row is one that the linear model learns from or not, a far cell is one four deviations off, and a missing
 * one says nothing. */
START_TEST(far_and_missing_cells_say_little)
{
    StreamingLearner *model = spied("columns(spy, " KINDS ")", COLUMNS);
    uint64_t seed = 6;
    double x[COLUMNS];
    learn_rows(model, 6000, &seed);
    for (int row = 0; row < 32; row++) {
        next_row(&seed, x);
        x[NUMBERS] = 3;
        double usual = effect_after(model, x, 100), far = effect_after(model, x, 150);
        ck_assert(usual != far && fabs(usual - far) < .5);
        ck_assert_double_eq(far, effect_after(model, x, 1e9));
        ck_assert_double_eq(far, effect_after(model, x, 1e300));
        ck_assert(fabs(usual - effect_after(model, x, NAN)) < .01);
        learn_rows(model, 1, &seed);
    }
    anb_free(model);
}
END_TEST

START_TEST(a_snapshot_goes_on_at_every_age)
{
    assert_reloads_go_on(COLUMNS, "columns(scale(linear), " KINDS ")", 8, 1000, next_row, 7);
}
END_TEST

/* Numbers of any size, and targets too, leave the state such that a snapshot of it can be read. */
START_TEST(numbers_of_any_size_leave_a_state)
{
    StreamingLearner *model = spied("columns(spy, " KINDS ")", COLUMNS);
    uint64_t seed = 8;
    double x[COLUMNS];
    for (int i = 0; i < 9000; i++) {
        double y = next_row(&seed, x), size = pow(10, floor(600 * unit_of(&seed)) - 300);
        x[i % NUMBERS] = i % 7 == 0 ? (x[i % NUMBERS] - 100) * size : x[i % NUMBERS];
        x[5] = 1e-305 * uniform_of(&seed);
        anb_train_one(model, x, i % 11 == 0 ? y * size : y, 1);
    }
    AnbModelOptions options = with_spy();
    AnbError error;
    StreamingLearner *again = reloaded_by(model, &options, &error);
    ck_assert_msg(again != NULL, "%s", error.message);
    ck_assert(anb_equal(model, again));
    anb_predict(model, x);
    ck_assert(isfinite(shown[EFFECT]));
    anb_free(again);
    anb_free(model);
}
END_TEST

/* The importances of the model's features; the code where it has none. */
static int shares_of(const StreamingLearner *model, double *shares)
{
    const AnbNode *root = &model->plan->nodes[0];
    const AnbImportanceTable *importance = root->type->importance;
    return importance ? importance->shares(root, anb_block(model), shares) : ANB_E_UNSUPPORTED;
}

/* Numbers alone: what the child finds important is known at once, since nothing is gathered. */
START_TEST(numbers_alone_are_the_childs_row)
{
    static const char *const children[] = {"scale(linear)", "sgbt(window=64, trees=3, depth=2, budget=1000, seed=5)"};
    char whole[80];
    snprintf(whole, sizeof whole, "columns(%s)", children[_i]);
    StreamingLearner *model = made(3, whole), *bare = made(3, children[_i]);
    double shares[3] = {0}, of_bare[3] = {0};
    uint64_t seed = 9;
    for (int i = 0; i < 200; i++) {
        double x[] = {noise(&seed), noise(&seed), noise(&seed)}, y = x[0] - 2 * x[2];
        ck_assert_double_eq(anb_train_one(model, x, y, 1), anb_train_one(bare, x, y, 1));
        ck_assert_double_eq(anb_predict(model, x), anb_predict(bare, x));
    }
    ck_assert_int_eq(shares_of(model, shares), _i == 0 ? ANB_E_UNSUPPORTED : 0);
    ck_assert_int_eq(shares_of(bare, of_bare), _i == 0 ? ANB_E_UNSUPPORTED : 0);
    ck_assert_mem_eq(shares, of_bare, sizeof shares);
    ck_assert(_i == 0 || shares[2] > shares[1]);
    anb_free(model);
    anb_free(bare);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("columns_line");
    TCase *tests = case_of(suite, 600);
    tcase_add_test(tests, effects_are_net_of_numbers_that_go_with_them);
    tcase_add_test(tests, far_and_missing_cells_say_little);
    tcase_add_test(tests, a_snapshot_goes_on_at_every_age);
    tcase_add_test(tests, numbers_of_any_size_leave_a_state);
    tcase_add_loop_test(tests, numbers_alone_are_the_childs_row, 0, 2);
    return suite;
}

CHECK_MAIN(suite)
