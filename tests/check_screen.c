/* poly(child, least=z): which products get a share, when the target's relation to the features changes, and in other
 * units. */
#include "made.h"
#include "numbers.h"
#include "suite.h"
#include "witness.h"
#include "src/host/model.h"
#include <anabranch/learners.h>
#include <anabranch/type.h>
#include <math.h>

enum { D = 6, ALL = D * (D + 3) / 2 };

/* ---- a child that takes part in changes of unit ------------------------------------------------------------------ */

static void ignore_unit(const AnbNode *self, void *state, const double *alpha, const double *beta)
{
    (void)self, (void)state, (void)alpha, (void)beta;
}

static const StreamingLearnerType witness = {
    .name = "witness",
    .flags = ANB_WEIGHT_SCALED | ANB_READS_X,
    .version = 1,
    .predict = witness_predict,
    .update = witness_update,
    .reframe = ignore_unit,
};

/* Two features count by their product, a third by itself; with `late` they are the last three. Cells of a weight come
 * in the unit x = 3 x' + 1/2 where `moved`. */
static void learn(StreamingLearner *model, uint64_t *seed, int rows, bool late, bool moved)
{
    for (int n = 0; n < rows; n++) {
        double x[D], row[D];
        for (size_t j = 0; j < D; j++) {
            x[j] = nearly_normal(seed);
            row[j] = moved ? (x[j] - 0.5) / 3 : x[j];
        }
        const double *first = late ? x + 3 : x;
        anb_train_one(model, row, first[0] * first[1] + 2 * first[2] + 0.3 * nearly_normal(seed), 1 + n % 3);
    }
}

static void look(StreamingLearner *model)
{
    const double x[D] = {0};
    anb_predict(model, x);
}

/* The features themselves are shown, and products of features `from` to `to` - 1 alone, all by the same share. */
static void check_shown(size_t from, size_t to)
{
    size_t n = to - from, k = D;
    const double share = 1 / (double)(D + n * (n + 1) / 2);
    ck_assert(witness_has_shares);
    for (size_t j = 0; j < D; j++)
        ck_assert_double_eq(witness_share[j], share);
    for (size_t i = 0; i < D; i++)
        for (size_t j = i; j < D; j++, k++)
            ck_assert_msg(witness_share[k] == (i >= from && j < to ? share : 0), "product of %zu and %zu: %g", i, j,
                          witness_share[k]);
}

START_TEST(products_of_features_that_count_are_shown)
{
    StreamingLearner *model = made_with(D, "poly(witness, least=4)", &witness);
    uint64_t seed = 3;
    look(model);
    check_shown(0, 0);
    learn(model, &seed, 3000, false, false);
    look(model);
    check_shown(0, 3);
    anb_free(model);
}
END_TEST

START_TEST(features_that_count_no_more_are_left_out)
{
    StreamingLearner *model = made_with(D, "poly(witness, least=4)", &witness);
    uint64_t seed = 5;
    learn(model, &seed, 3000, false, false);
    learn(model, &seed, 60000, true, false);
    look(model);
    check_shown(3, 6);
    anb_free(model);
}
END_TEST

START_TEST(without_least_there_are_no_shares)
{
    StreamingLearner *model = made_with(D, "poly(witness)", &witness);
    uint64_t seed = 3;
    learn(model, &seed, 1000, false, false);
    look(model);
    ck_assert(!witness_has_shares);
    anb_free(model);
}
END_TEST

/* Evidence of before counts on: the rows behind the change of the unit are too few for any of their own. */
START_TEST(evidence_is_kept_in_another_unit)
{
    StreamingLearner *model = made_with(D, "poly(witness, least=4)", &witness);
    uint64_t seed = 7;
    double alpha[D], beta[D];
    for (size_t j = 0; j < D; j++)
        alpha[j] = 3, beta[j] = 0.5;
    learn(model, &seed, 1990, false, false);
    anb_node_reframe(model->plan->nodes, anb_state_of(model, model->plan->nodes), alpha, beta);
    learn(model, &seed, 10, false, true);
    look(model);
    check_shown(0, 3);
    anb_free(model);
}
END_TEST

/* RMSE over the second half of 1,500 rows of 15 features, of which five count. */
static double error_of(const char *expression)
{
    enum { WIDE = 15, N = 1500 };
    StreamingLearner *model = made(WIDE, expression);
    uint64_t seed = 11;
    double sum = 0;
    for (int n = 0; n < N; n++) {
        double x[WIDE];
        for (size_t j = 0; j < WIDE; j++)
            x[j] = 3.4 * noise(&seed);
        double y = 3 * x[0] * x[1] + 2 * x[2] * x[2] + x[3] * x[4] + x[4] + 0.1 * nearly_normal(&seed);
        double e = y - anb_train_one(model, x, y, 1);
        sum += n >= N / 2 ? e * e : 0;
    }
    anb_free(model);
    return sqrt(sum / (N - N / 2));
}

START_TEST(networks_gain_where_most_products_are_irrelevant)
{
#define NETWORK "mlp(replay=16, activation=swiglu, rate=0.03, momentum=0.5, precision=single)"
    double all = error_of("poly(" NETWORK ")"), shown = error_of("poly(" NETWORK ", least=3.5)");
    ck_assert_msg(shown < 0.5 * all, "%g, without the screen %g", shown, all);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("screen");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, products_of_features_that_count_are_shown);
    tcase_add_test(tests, features_that_count_no_more_are_left_out);
    tcase_add_test(tests, without_least_there_are_no_shares);
    tcase_add_test(tests, evidence_is_kept_in_another_unit);
    tcase_add_test(tests, networks_gain_where_most_products_are_irrelevant);
    return suite;
}

CHECK_MAIN(suite)
