/* Superposition where the answer is known by hand, and for the networks of a mixture. The formulas on random matrices
 * are checked by inside/superposition_oracle.py. */
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <string.h>

START_TEST(by_hand)
{
    /* Two features opposite in one direction, one alone in the other, one absent. */
    static const double w[4][2] = {{2, 0}, {-2, 0}, {0, 3}, {0, 0}};
    AnbMatrix m = {4, 2, 2, w[0]};
    AnbSuperposition *s = anb_superposition_new(1, &m, NULL);
    const double *d = anb_superposition_dimensionality(s, 0), *p = anb_superposition_polysemanticity(s, 0);
    double wanted[4] = {0.5, 0.5, 1, 0}, presence[4] = {0.5, 0.25, 1, 1}, net[4], global[4];
    for (int i = 0; i < 4; i++)
        ck_assert_double_eq_tol(d[i], wanted[i], 1e-15);
    ck_assert_double_eq_tol(p[0], 2, 1e-15);
    ck_assert_double_eq(p[2], 0);
    ck_assert_double_eq_tol(anb_superposition_interference(s, 0)[1], -2, 1e-15);
    ck_assert_double_eq_tol(anb_superposition_gram(s, 0)[0], 4, 1e-15);
    anb_superposition_net_interference(s, 0, presence, net);
    ck_assert_double_eq_tol(net[0], 0.25 * 4, 1e-15);
    anb_superposition_global(s, global);
    ck_assert_uint_eq(anb_superposition_represented(global, 4), 3);
    size_t feature[4];
    ck_assert_uint_eq(anb_superposition_monosemantic(s, 0, feature, 4), 3);
    ck_assert(feature[0] == 2 && feature[1] == 0 && feature[2] == 1);
    anb_superposition_free(s);
}
END_TEST

START_TEST(refused)
{
    static const double a[4] = {1, 2, 3, 4}, bad[4] = {1, INFINITY, 3, 4};
    AnbMatrix shapes[2] = {{2, 2, 2, a}, {1, 2, 2, a}}, infinite = {2, 2, 2, bad}, empty = {0, 2, 2, a};
    AnbError error;
    ck_assert_ptr_null(anb_superposition_new(2, shapes, &error));
    ck_assert_int_eq(error.code, ANB_E_ARGUMENT);
    ck_assert_ptr_null(anb_superposition_new(1, &infinite, &error));
    ck_assert_int_eq(error.code, ANB_E_INPUT);
    ck_assert_ptr_null(anb_superposition_new(1, &empty, &error));
    ck_assert_ptr_null(anb_superposition_new(0, NULL, &error));
    anb_superposition_free(NULL);
}
END_TEST

START_TEST(networks_of_a_mixture)
{
    StreamingLearner *model =
        anb_parse(3, "scale(moe(linear, mlp(hidden=8), mlp(hidden=8), mlp(hidden=4)))", NULL, NULL);
    StreamingLearner *alone = anb_parse(3, "scale(mlp(hidden=4))", NULL, NULL),
                     *none = anb_parse(3, "mean", NULL, NULL);
    AnbError error;
    double x[3] = {1, 2, 3};
    for (int t = 0; t < 50; t++) {
        x[t % 3] += 0.5 - t % 2;
        anb_train_one(model, x, x[0], 1);
        anb_train_one(alone, x, x[0], 1);
    }
    AnbSuperposition *s = anb_superposition_of_model(model, &error), *one = anb_superposition_of_model(alone, &error);
    ck_assert_ptr_nonnull(s);
    ck_assert_uint_eq(anb_superposition_experts(s), 2);
    ck_assert_uint_eq(anb_superposition_expert(s, 1), 2);
    ck_assert_uint_eq(anb_superposition_features(s), 3);
    ck_assert_uint_eq(anb_superposition_hidden(s), 8);
    double share = anb_superposition_specialization(s, 0)[1] + anb_superposition_specialization(s, 1)[1];
    ck_assert_double_eq_tol(share, 1, 1e-12);
    ck_assert_ptr_nonnull(one);
    ck_assert_uint_eq(anb_superposition_hidden(one), 4);
    ck_assert_ptr_null(anb_superposition_of_model(none, &error));
    ck_assert_int_eq(error.code, ANB_E_UNSUPPORTED);
    anb_superposition_free(s);
    anb_superposition_free(one);
    anb_free(model);
    anb_free(alone);
    anb_free(none);
}
END_TEST

/* The norms of expert e of a model that has learned some rows. */
static void norms_of(const char *expression, size_t e, double norm[3])
{
    StreamingLearner *model = anb_parse(3, expression, NULL, NULL);
    double x[3] = {1, 2, 3};
    for (int t = 0; t < 60; t++) {
        x[t % 3] += 0.5 - t % 2;
        anb_train_one(model, x, x[0], 1);
    }
    AnbSuperposition *s = anb_superposition_of_model(model, NULL);
    ck_assert_ptr_nonnull(s);
    ck_assert_uint_gt(anb_superposition_experts(s), e);
    memcpy(norm, anb_superposition_norms(s, e), 3 * sizeof *norm);
    anb_superposition_free(s);
    anb_free(model);
}

/* What is read of networks of floats is that of doubles but for the rounding; they stand beside each other. */
START_TEST(networks_of_floats)
{
    static const char *const mixed[] = {"scale(moe(mlp(seed=5), mlp(seed=6), mlp(seed=7), top_k=3))",
                                        "scale(moe(mlp(seed=5, precision=single), mlp(seed=6), "
                                        "mlp(seed=7, precision=single), top_k=3))"};
    for (size_t e = 0; e < 3; e++) {
        double one[3], two[3];
        norms_of(mixed[0], e, one);
        norms_of(mixed[1], e, two);
        for (int i = 0; i < 3; i++) {
            ck_assert_double_gt(one[i], 0);
            ck_assert_double_eq_tol(two[i] / one[i], 1, 1e-4);
        }
    }
}
END_TEST

static Suite *superposition_suite(void)
{
    Suite *suite = suite_create("superposition");
    TCase *tests = case_of(suite, 20);
    tcase_add_test(tests, by_hand);
    tcase_add_test(tests, refused);
    tcase_add_test(tests, networks_of_a_mixture);
    tcase_add_test(tests, networks_of_floats);
    return suite;
}

CHECK_MAIN(superposition_suite)
