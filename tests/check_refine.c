#include "numbers.h"
#include "staying.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <string.h>

enum { D = 2, N = 6000 };

START_TEST(which_expert_is_right_depends_on_the_row)
{
    double best = staying_best();
    double alone = staying_error("scale(moe(mean, last, router=blend))", 1, 1, NO_ROW);
    double plain = staying_error("scale(moe(mean, last, mlp(hidden=32), router=blend))", 1, 1, NO_ROW);
    double with = staying_error("scale(refine(moe(mean, last, router=blend), mlp(hidden=32)))", 1, 1, NO_ROW);
    ck_assert_double_lt(with, 1.1 * best);
    ck_assert_double_gt(plain, 1.15 * best);
    ck_assert_double_gt(alone, 1.15 * best);
}
END_TEST

START_TEST(nothing_lost_where_there_is_nothing)
{
    double alone = staying_error("scale(moe(mean, last, router=blend))", 1, 2, NO_ROW);
    double with = staying_error("scale(refine(moe(mean, last, router=blend), mean))", 1, 2, NO_ROW);
    ck_assert_double_lt(with, 1.002 * alone);
}
END_TEST

START_TEST(any_gate_and_several_learners)
{
    static const char *const of[] = {"scale(refine(moe(mean, last, rls, top_k=1), mlp, rls))",
                                     "scale(refine(moe(mean, last, router=softmax), rls, mean, poly(rls), discount=1))",
                                     "scale(refine(moe(mean, last, router=blend), mlp, rls, last=true))"};
    for (size_t i = 0; i < 3; i++) {
        double one = staying_error(of[i], 1, 3, NO_ROW);
        ck_assert(isfinite(one));
        ck_assert_double_eq_tol(staying_error(of[i], 0x1p40, 3, NO_ROW), one, 1e-6 * one);
    }
}
END_TEST

/* RMSE where an error of the mixture comes again while x_0 > 0 and is drawn anew elsewhere. */
static double error_with_memory(const char *expression)
{
    StreamingLearner *model = made(D, expression);
    uint64_t seed = 7;
    double u = 0, sum = 0, x[D];
    for (int n = 0; n < N; n++) {
        for (size_t j = 0; j < D; j++)
            x[j] = noise(&seed);
        u = x[0] > 0 ? u : 2 * noise(&seed);
        double y = 3 * x[1] + u, said = anb_predict(model, x), f = anb_train_one(model, x, y, 1);
        ck_assert_double_eq(f, said);
        sum += n < N / 2 ? 0 : (f - y) * (f - y);
    }
    anb_free(model);
    return sqrt(sum / (N - N / 2));
}

/* The best there is: no error where it comes again, the deviation of the draw, 2 / sqrt(12), in the other half. */
START_TEST(an_error_that_comes_again_in_one_part_of_the_space)
{
    double best = sqrt(0.5 * 4 / 12.0);
    double without = error_with_memory("scale(refine(moe(rls, mean, router=blend), mlp(hidden=32)))");
    double around = error_with_memory("residual_ar(scale(refine(moe(rls, mean, router=blend), mlp(hidden=32))))");
    double with = error_with_memory("scale(refine(moe(rls, mean, router=blend), mlp(hidden=32), last=true))");
    ck_assert_double_lt(with, 1.1 * best);
    ck_assert_double_gt(around, 1.15 * best);
    ck_assert_double_gt(without, 1.35 * best);
}
END_TEST

enum { EARLY = 100, STREAMS = 20 };

/* RMSE over the first rows of streams that a linear model knows after some ten of them. */
static double early_error(const char *expression)
{
    uint64_t seed = 11;
    double sum = 0, x[8];
    for (int stream = 0; stream < STREAMS; stream++) {
        StreamingLearner *model = made(8, expression);
        for (int n = 0; n < EARLY; n++) {
            double y = 0.2 * noise(&seed);
            for (size_t j = 0; j < 8; j++)
                y += (double)j * (x[j] = noise(&seed));
            double f = anb_train_one(model, x, y, 1);
            sum += (f - y) * (f - y);
        }
        anb_free(model);
    }
    return sqrt(sum / (EARLY * STREAMS));
}

/* A stage that has learned nothing yet is not believed. */
START_TEST(the_first_rows_are_the_mixtures)
{
    double alone = early_error("scale(moe(rls, mean, router=stack))");
    ck_assert_double_lt(early_error("scale(refine(moe(rls, mean, router=stack), mlp, mlp(rate=0.3)))"), 1.01 * alone);
}
END_TEST

START_TEST(what_is_refused)
{
    AnbError error = {0};
    ck_assert_ptr_null(anb_parse(D, "scale(refine(rls, mlp))", NULL, &error));
    ck_assert_ptr_nonnull(strstr(error.message, "mixture"));
    ck_assert_ptr_null(anb_parse(D, "scale(refine(moe(rls, mean)))", NULL, &error));
    ck_assert_ptr_null(anb_parse(D, "scale(refine(moe(rls, mean), mlp, discount=0))", NULL, &error));
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("refine");
    TCase *tests = case_of(suite, 30);
    tcase_add_test(tests, which_expert_is_right_depends_on_the_row);
    tcase_add_test(tests, nothing_lost_where_there_is_nothing);
    tcase_add_test(tests, any_gate_and_several_learners);
    tcase_add_test(tests, an_error_that_comes_again_in_one_part_of_the_space);
    tcase_add_test(tests, the_first_rows_are_the_mixtures);
    tcase_add_test(tests, what_is_refused);
    return suite;
}

CHECK_MAIN(suite)
