#include "suite.h"
#include <math.h>
#include "src/numeric/elementary.h"
#include "src/simd/kernels.h"

/* The C library in long double is the oracle; the error is in units of the last place of its value as a double. */
static double ulps(double value, long double exact)
{
    double near = (double)exact;
    if (isinf(near) || isinf(value))
        return value == near ? 0 : HUGE_VAL;
    double step = fmax(nextafter(fabs(near), HUGE_VAL) - fabs(near), 0x1p-1074);
    return (double)(fabsl((long double)value - exact) / step);
}

/* A fixed sequence of points, evenly spread with a stride that visits no pattern twice. */
static double point(unsigned i, double low, double high)
{
    double golden = i * 0.61803398874989484820;
    return low + (high - low) * (golden - floor(golden));
}

static double worst(double (*own)(double), long double (*oracle)(long double), double low, double high)
{
    double most = 0;
    for (unsigned i = 0; i < 40000; i++) {
        double x = point(i, low, high);
        most = fmax(most, ulps(own(x), oracle(x)));
    }
    return most;
}

static double exp_out_of_line(double x)
{
    return anb_exp(x);
}

#define ck_within(own, oracle, low, high, bound)                                                                       \
    do {                                                                                                               \
        double most = worst(own, oracle, low, high);                                                                   \
        ck_assert_msg(most <= bound, #own " is %.3f units off between %g and %g", most, (double)(low),                 \
                      (double)(high));                                                                                 \
    } while (0)

START_TEST(exponentials)
{
    ck_within(exp_out_of_line, expl, -1, 1, 1);
    ck_within(exp_out_of_line, expl, -708, 709.7, 1);
    ck_within(exp_out_of_line, expl, -745, -708, 1);
    ck_within(anb_expm1, expm1l, -1e-5, 1e-5, 1);
    ck_within(anb_expm1, expm1l, -2, 2, 2);
    ck_within(anb_expm1, expm1l, -50, 709, 2);
    ck_assert(anb_exp(0) == 1 && anb_exp(-0.0) == 1);
    ck_assert(anb_exp(709.79) == HUGE_VAL && anb_exp(HUGE_VAL) == HUGE_VAL && anb_exp(1e308) == HUGE_VAL);
    ck_assert(anb_exp(-745.2) == 0 && anb_exp(-HUGE_VAL) == 0);
    ck_assert(isnan(anb_exp(ANB_NAN)) && isnan(anb_expm1(ANB_NAN)));
    ck_assert(anb_expm1(-HUGE_VAL) == -1 && anb_expm1(HUGE_VAL) == HUGE_VAL && anb_expm1(1e-300) == 1e-300);
}
END_TEST

START_TEST(logarithms)
{
    ck_within(anb_log, logl, 0.5, 2, 1);
    ck_within(anb_log, logl, 0.999, 1.001, 1);
    ck_within(anb_log, logl, 1, 1e308, 1);
    ck_within(anb_log, logl, 5e-324, 1e-307, 1);
    ck_within(anb_log1p, log1pl, -1e-4, 1e-4, 1);
    ck_within(anb_log1p, log1pl, -0.999999, 3, 1.5);
    ck_within(anb_log1p, log1pl, 3, 1e18, 1);
    ck_assert(anb_log(1) == 0 && anb_log(0) == -HUGE_VAL && anb_log(HUGE_VAL) == HUGE_VAL && isnan(anb_log(-1)));
    ck_assert(anb_log1p(-1) == -HUGE_VAL && anb_log1p(1e-300) == 1e-300 && isnan(anb_log1p(-2)));
    ck_assert(isnan(anb_log(ANB_NAN)) && isnan(anb_log1p(ANB_NAN)));
}
END_TEST

START_TEST(cosine)
{
    ck_within(anb_cos, cosl, -0.8, 0.8, 1);
    for (double size = 10; size < 1e300; size *= 1e5)
        ck_within(anb_cos, cosl, -size, size, 1);
    ck_within(anb_cos, cosl, 1e300, 1.7e308, 1);
    ck_assert(isnan(anb_cos(HUGE_VAL)) && isnan(anb_cos(-HUGE_VAL)) && isnan(anb_cos(ANB_NAN)));
}
END_TEST

/* The doubles nearest to multiples of pi/2, where all but a few bits cancel. */
START_TEST(near_the_zeros_of_cosine)
{
    static const double hard[] = {
        0x1.6ac5b262ca1ffp+849, 0x1.921fb54442d18p+0, 0x1.921fb54442d18p+1, 0x1.f6a7a2955385ep+1, 22, 355, 103993,
        6381956970095103.0};
    for (size_t i = 0; i < sizeof hard / sizeof *hard; i++) {
        ck_assert(ulps(anb_cos(hard[i]), cosl(hard[i])) <= 1);
        ck_assert(anb_cos(-hard[i]) == anb_cos(hard[i]));
    }
    for (int k = 1; k < 100000; k++) {
        double x = k * 0x1.921fb54442d18p+0;
        ck_assert_msg(ulps(anb_cos(x), cosl(x)) <= 1, "%d quarter turns", k);
    }
}
END_TEST

static long double sigmoidl(long double x)
{
    return 1 / (1 + expl(-x));
}

START_TEST(the_sigmoid)
{
    ck_within(anb_sigmoid, sigmoidl, -700, 0, 2.5);
    ck_within(anb_sigmoid, sigmoidl, -5, 40, 2.5);
    ck_assert(anb_sigmoid(-HUGE_VAL) == 0 && anb_sigmoid(HUGE_VAL) == 1 && anb_sigmoid(0) == 0.5);
    ck_assert(isnan(anb_sigmoid(ANB_NAN)));
}
END_TEST

START_TEST(softmax_and_entropy)
{
    double p[4];
    double sum = anb_softmax((double[]){1, 2, 3, 4}, 4, p);
    ck_assert_double_eq_tol(sum, 4.440189698561196, 1e-15);
    ck_assert_double_eq_tol(p[0], 0.03205860328008499, 1e-16);
    ck_assert_double_eq_tol(p[3], 0.6439142598879722, 2e-16);
    ck_assert_double_eq_tol(anb_entropy(p, 4), 0.9475369, 1e-6);
    anb_softmax((double[]){1e300, -1e300, 1e300, 0}, 4, p);
    ck_assert(p[0] == 0.5 && p[1] < 1e-300 && p[2] == 0.5 && p[3] < 1e-300);
    ck_assert_double_eq_tol(anb_entropy(p, 4), log(2), 1e-16);
    anb_softmax((double[]){HUGE_VAL, 0, 0, 0}, 4, p);
    for (int i = 0; i < 4; i++)
        ck_assert(p[i] == 0.25);
    ck_assert(anb_entropy((double[]){1, 0, 1e-16}, 3) == 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("math");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, exponentials);
    tcase_add_test(tests, logarithms);
    tcase_add_test(tests, cosine);
    tcase_add_test(tests, near_the_zeros_of_cosine);
    tcase_add_test(tests, the_sigmoid);
    tcase_add_test(tests, softmax_and_entropy);
    return suite;
}

CHECK_MAIN(suite)
