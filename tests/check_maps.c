#include "made.h"
#include "src/numeric/random.h"
#include "suite.h"
#include <anabranch/learner.h>
#include <anabranch/learners.h>
#include <anabranch/reach.h>
#include <math.h>
#include "src/host/model.h"
#include <string.h>

enum { D = 5, WAVES = 13, N = 400 };

static void sample(AnbRandom *random, size_t d, double *x, double *y)
{
    for (size_t j = 0; j < d; j++)
        x[j] = anb_random_normal(random);
    *y = 3 + x[0] * x[1] - 2 * x[2] + 0.1 * anb_random_normal(random);
}

START_TEST(poly_is_linear_on_explicit_features)
{
    enum { ALL = D * (D + 3) / 2 };
    StreamingLearner *poly = made(D, "poly(linear(normalized=true))"), *plain = made(ALL, "linear(normalized=true)");
    AnbRandom random;
    anb_random_seed(&random, 7);
    for (int t = 0; t < N; t++) {
        double x[ALL], y;
        sample(&random, D, x, &y);
        for (size_t i = 0, at = D; i < D; i++)
            for (size_t j = i; j < D; j++)
                x[at++] = x[i] * x[j] / 2;
        ck_assert_double_eq(anb_predict(poly, x), anb_predict(plain, x));
        ck_assert_double_eq(anb_train_one(poly, x, y, 1), anb_train_one(plain, x, y, 1));
    }
    anb_free(poly);
    anb_free(plain);
}
END_TEST

START_TEST(poly_refuses_more_than_24_features)
{
    AnbError error = {0};
    anb_free(made(24, "poly(linear)"));
    ck_assert_ptr_null(anb_parse(25, "poly(linear)", NULL, &error));
    ck_assert_int_eq(error.code, ANB_E_LIMIT);
    ck_assert_ptr_nonnull(strstr(error.message, "at most 24"));
    ck_assert_ptr_null(anb_parse(1 << 20, "poly(linear)", NULL, &error));
}
END_TEST

/* w and b as they are drawn from seed 9 at a bandwidth of 1/2. */
static void draw_waves(double w[WAVES][D], double *b)
{
    AnbRandom random;
    anb_random_seed(&random, 9);
    for (size_t i = 0; i < WAVES; i++) {
        for (size_t j = 0; j < D; j++)
            w[i][j] = anb_random_normal(&random) / (0.5 * sqrt(D));
        b[i] = 2 * acos(-1) * anb_random_uniform(&random);
    }
}

/* One sample with what a mixture above knows of the features, or NULL. */
static double learn_with(StreamingLearner *model, const double *x, const double *importance, double y)
{
    const AnbNode *root = &model->plan->nodes[0];
    AnbRow row = {x, x, importance, &model->counters, NULL};
    return anb_node_step(root, anb_block(model), &row, y, 1, anb_scratch_kept(model));
}

static const double shares[D] = {.5, .3, .2, 0, 0};

/* Without importances, with them but not asked to use them, and stretched by them. */
START_TEST(rff_is_linear_on_explicit_cosines)
{
    bool known = _i > 0, used = _i > 1;
    StreamingLearner *rff =
        made(D, used ? "rff(linear(normalized=true), features=13, bandwidth=0.5, seed=9, importance=true)"
                     : "rff(linear(normalized=true), features=13, bandwidth=0.5, seed=9, importance=false)");
    StreamingLearner *plain = made(D + WAVES, "linear(normalized=true)");
    double w[WAVES][D], b[WAVES];
    AnbRandom random;
    draw_waves(w, b);
    anb_random_seed(&random, 10);
    for (int t = 0; t < N; t++) {
        double x[D + WAVES], y;
        sample(&random, D, x, &y);
        for (size_t i = 0; i < WAVES; i++) {
            double angle = b[i];
            for (size_t j = 0; j < D; j++)
                angle += w[i][j] * x[j] * (used ? sqrt(.9 * D * shares[j] + .02) : 1);
            x[D + i] = sqrt(2) / 3 * cos(angle);
        }
        double expected = anb_train_one(plain, x, y, 1);
        ck_assert_double_eq_tol(learn_with(rff, x, known ? shares : NULL, y), expected, 1e-9);
    }
    anb_free(rff);
    anb_free(plain);
}
END_TEST

/* What a mixture asks of an expert that sees products: half of a product's share goes to each factor. */
START_TEST(poly_splits_the_share_of_a_product)
{
    enum { FEW = 3, ALL = 9 };
    StreamingLearner *model = made(FEW, "poly(tree)");
    const AnbNode *root = &model->plan->nodes[0];
    static const size_t left[] = {0, 0, 0, 1, 1, 2}, right[] = {0, 1, 2, 1, 2, 2};
    double inner[ALL], outer[FEW], expected[FEW], x[FEW], y, sum = 0;
    AnbRandom random;
    anb_random_seed(&random, 3);
    for (int t = 0; t < 6000; t++) {
        sample(&random, FEW, x, &y);
        anb_train_one(model, x, 10 * x[0] * x[1], 1);
    }
    ck_assert_int_eq(root->type->importance->shares(root, anb_block(model), outer), 0);
    ck_assert_int_eq(anb_child_importance(root, 0, anb_block(model), inner), 0);
    memcpy(expected, inner, sizeof expected);
    for (size_t i = 0; i < ALL - FEW; i++) {
        expected[left[i]] += inner[FEW + i] / 2;
        expected[right[i]] += inner[FEW + i] / 2;
    }
    for (size_t j = 0; j < FEW; j++) {
        ck_assert_double_eq_tol(outer[j], expected[j], 1e-14);
        sum += outer[j];
    }
    ck_assert_double_eq_tol(sum, 1, 1e-12);
    ck_assert(outer[0] > .3 && outer[1] > .3 && outer[2] < .1);
    anb_free(model);
}
END_TEST

START_TEST(rff_seeds_decide_the_directions)
{
    StreamingLearner *same[] = {made(D, "rff(linear, seed=1)"), made(D, "rff(linear, seed=1)"),
                                made(D, "rff(linear, seed=2)")};
    double x[D] = {1, -1, .5, 2, 0}, f[3];
    for (int i = 0; i < 3; i++) {
        anb_train_one(same[i], x, 1, 1);
        x[1] = .3;
        f[i] = anb_predict(same[i], x);
        x[1] = -1;
        anb_free(same[i]);
    }
    ck_assert_double_eq(f[0], f[1]);
    ck_assert_double_ne(f[0], f[2]);
}
END_TEST

START_TEST(chain_is_b_on_what_a_left)
{
    StreamingLearner *sum = made(D, "residual(linear, linear(normalized=true))");
    StreamingLearner *a = made(D, "linear"), *b = made(D, "linear(normalized=true)");
    AnbRandom random;
    anb_random_seed(&random, 5);
    for (int t = 0; t < N; t++) {
        double x[D], y;
        sample(&random, D, x, &y);
        ck_assert_double_eq(anb_predict(sum, x), anb_predict(a, x) + anb_predict(b, x));
        double first = anb_train_one(a, x, y, 1), second = anb_train_one(b, x, y - first, 1);
        ck_assert_double_eq(anb_train_one(sum, x, y, 1), first + second);
    }
    anb_free(sum);
    anb_free(a);
    anb_free(b);
}
END_TEST

START_TEST(odd_rows_stay_finite)
{
    static const char *const expressions[] = {"poly(linear)", "rff(linear)", "residual(linear, linear)",
                                              "residual(linear(normalized=true), poly(linear(normalized=true)))"};
    static const double odd[] = {1e150, -1e150, 1e-150, 1e300, -1e300, 0, 1};
    for (size_t e = 0; e < sizeof expressions / sizeof *expressions; e++) {
        StreamingLearner *model = made(2, expressions[e]);
        for (int t = 0; t < 300; t++) {
            double x[2] = {odd[t % 7], odd[(t / 7) % 7]}, y = t % 5 ? odd[t % 3] : 1e12;
            ck_assert(isfinite(anb_train_one(model, x, y, 1)));
        }
        anb_free(model);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("maps");
    TCase *tests = case_of(suite, 20);
    tcase_add_test(tests, poly_is_linear_on_explicit_features);
    tcase_add_test(tests, poly_refuses_more_than_24_features);
    tcase_add_loop_test(tests, rff_is_linear_on_explicit_cosines, 0, 3);
    tcase_add_test(tests, poly_splits_the_share_of_a_product);
    tcase_add_test(tests, rff_seeds_decide_the_directions);
    tcase_add_test(tests, chain_is_b_on_what_a_left);
    tcase_add_test(tests, odd_rows_stay_finite);
    return suite;
}

CHECK_MAIN(suite)
