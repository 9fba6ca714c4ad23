/* sift: which features it tells its child to leave out, when it takes them in again, and what the error gains. */
#include "made.h"
#include "numbers.h"
#include "suite.h"
#include "witness.h"
#include <anabranch/anabranch.h>
#include <anabranch/type.h>
#include <math.h>

enum { REAL = 4, NOISE = 30, D = REAL + NOISE, N = 6000 };

/* ---- a child whose evidence the test sets ------------------------------------------------------------------------ */

static double set_evidence[D];

static int no_shares(const AnbNode *self, const void *state, double *share)
{
    (void)self, (void)state, (void)share;
    return ANB_E_UNSUPPORTED;
}

static int evidence_set(const AnbNode *self, const void *state, double *z)
{
    (void)self, (void)state;
    for (size_t j = 0; j < D; j++)
        z[j] = set_evidence[j];
    return 0;
}

static const AnbImportanceTable knows = {no_shares, evidence_set};
static const StreamingLearnerType witness = {
    .name = "witness",
    .flags = ANB_WEIGHT_SCALED | ANB_READS_X | ANB_GIVES_EVIDENCE,
    .version = 1,
    .predict = witness_predict,
    .update = witness_update,
    .importance = &knows,
};

/* The child with evidence for feature 0 alone; the target is noise and `factor` times `product`, or x_1 where that is
 * false. */
static void shares_after(int rows, double factor, bool product)
{
    StreamingLearner *model = made_with(D, "sift(witness)", &witness);
    uint64_t seed = 7;
    for (size_t j = 0; j < D; j++)
        set_evidence[j] = j == 0 ? 5 : 0;
    for (int n = 0; n < rows; n++) {
        double x[D];
        for (size_t j = 0; j < D; j++)
            x[j] = noise(&seed);
        anb_train_one(model, x, noise(&seed) + factor * (product ? x[2] * x[3] : x[1]), 1);
    }
    double x[D] = {0};
    anb_predict(model, x);
    anb_free(model);
}

static size_t left_in(void)
{
    size_t n = 0;
    for (size_t j = 0; j < D; j++)
        n += !witness_has_shares || witness_share[j] > 0;
    return n;
}

START_TEST(features_without_evidence_are_left_out)
{
    shares_after(799, 0, false);
    ck_assert(!witness_has_shares);
    shares_after(1000, 0, false);
    ck_assert(witness_has_shares);
    ck_assert_uint_eq(left_in(), 1);
    ck_assert_double_eq_tol(witness_share[0], 1, 1e-12);
}
END_TEST

/* The child has no evidence of it, but its error depends on the feature, or on the product of two. */
START_TEST(what_the_error_depends_on_stays)
{
    shares_after(1000, 0.5, false);
    ck_assert_uint_eq(left_in(), 2);
    ck_assert_double_gt(witness_share[1], 0);
    shares_after(1000, 2, true);
    ck_assert_uint_eq(left_in(), 3);
    ck_assert(witness_share[2] > 0 && witness_share[3] > 0);
    ck_assert_double_eq_tol(witness_share[0] + witness_share[2] + witness_share[3], 1, 1e-12);
}
END_TEST

/* ---- with the library's learners --------------------------------------------------------------------------------- */

/* A smooth function of the first features; from row `from` on the fourth is one of them. */
static double target(const double *x, int n, int from)
{
    return x[0] * x[1] + fabs(x[2]) + (n >= from ? 2 * x[3] : 0);
}

/* RMSE on rows from `first` on. */
static double error_from(const char *expression, int first, int from)
{
    StreamingLearner *model = made(D, expression);
    uint64_t seed = 3;
    double sum = 0;
    for (int n = 0; n < N; n++) {
        double x[D];
        for (size_t j = 0; j < D; j++)
            x[j] = noise(&seed);
        double y = target(x, n, from) + 0.1 * noise(&seed), e = y - anb_train_one(model, x, y, 1);
        sum += n >= first ? e * e : 0;
    }
    anb_free(model);
    return sqrt(sum / (N - first));
}

START_TEST(a_network_leaves_noise_out)
{
    double bare = error_from("scale(mlp(hidden=32, replay=4))", N / 2, 0),
           sifted = error_from("scale(sift(mlp(hidden=32, replay=4)))", N / 2, 0);
    ck_assert_double_lt(sifted, 0.85 * bare);
}
END_TEST

START_TEST(a_feature_that_matters_late_is_taken_in)
{
    double always = error_from("scale(sift(mlp(hidden=32, replay=4)))", 5000, 0),
           late = error_from("scale(sift(mlp(hidden=32, replay=4)))", 5000, 3000);
    ck_assert_double_lt(late, 1.3 * always);
}
END_TEST

/* Where features are left out, many rows at once have the predictions of one row after the other. */
START_TEST(many_rows_at_once)
{
    enum { ROWS = 40 };
    StreamingLearner *model =
        made(D, "scale(sift(refine(moe(rls, mlp(hidden=8, replay=2), past(mlp(hidden=8, replay=2)), "
                "router=stack), mlp(hidden=4))))");
    uint64_t seed = 9;
    double x[ROWS * D], f[ROWS];
    for (int n = 0; n < 2000; n++) {
        for (size_t j = 0; j < D; j++)
            x[j] = noise(&seed);
        anb_train_one(model, x, target(x, n, 0), 1);
    }
    for (size_t i = 0; i < ROWS * D; i++)
        x[i] = noise(&seed);
    anb_predict_many(model, x, ROWS, f);
    for (size_t i = 0; i < ROWS; i++)
        ck_assert_double_eq(f[i], anb_predict(model, x + i * D));
    anb_free(model);
}
END_TEST

START_TEST(what_is_refused)
{
    AnbError error = {0};
    ck_assert_ptr_null(anb_parse(513, "sift(rls)", NULL, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "sift: 513 features, at most 512"));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("sift");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, features_without_evidence_are_left_out);
    tcase_add_test(tests, what_the_error_depends_on_stays);
    tcase_add_test(tests, a_network_leaves_noise_out);
    tcase_add_test(tests, a_feature_that_matters_late_is_taken_in);
    tcase_add_test(tests, many_rows_at_once);
    tcase_add_test(tests, what_is_refused);
    return suite;
}

CHECK_MAIN(suite)
