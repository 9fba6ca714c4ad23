#include "numbers.h"
#include "src/numeric/stack.h"
#include "suite.h"
#include <gsl/gsl_linalg.h>
#include <math.h>

enum { K = 4, N = 400 };

/* Experts that all miss a part of the target: no mean of theirs gets it, their differences tell. */
static double sample(uint64_t *seed, double *f, double *base)
{
    double a = noise(seed), b = noise(seed), y = 10 + 6 * a + 4 * b + 0.1 * noise(seed);
    f[0] = 10 + 3 * a + 0.5 * noise(seed);
    f[1] = 10 + 2 * b + 0.5 * noise(seed);
    f[2] = 10 + a + b;
    f[3] = 9 + noise(seed);
    *base = (f[0] + f[1] + f[2] + f[3]) / 4;
    return y;
}

typedef struct Work {
    AnbStack form;
    double *state, *scratch;
} Work;

static Work work_of(AnbStack form)
{
    Work work = {form, calloc(anb_stack_size(&form), sizeof(double)), calloc(anb_stack_scratch(&form), sizeof(double))};
    anb_stack_start(&form, work.state);
    return work;
}

static void done(Work *work)
{
    free(work->state);
    free(work->scratch);
}

static double step(Work *work, const double *f, const unsigned char *asleep, double base, double y)
{
    anb_stack_features(&work->form, work->state, f, K, asleep, base, work->scratch);
    double out = anb_stack_predict(&work->form, work->state, base, anb_span(f, K, asleep), work->scratch);
    anb_stack_learn(&work->form, NULL, work->state, base, y, 1, work->scratch);
    return out;
}

/* Ridge regression by GSL on the standardised rows so far: A = I / delta + sum z z', b = sum z t; w = A^-1 b. */
typedef struct Ridge {
    gsl_matrix *a, *chol;
    gsl_vector *b, *w;
    double squares, count;
} Ridge;

static double bounded(double v, double by)
{
    return fmax(-by, fmin(by, v));
}

static void features_of(const Ridge *ridge, const double *f, double base, double *z)
{
    double s = ridge->count > 0 ? sqrt(ridge->squares / ridge->count) : 0;
    z[0] = 1;
    for (size_t i = 0; i < K; i++)
        z[i + 1] = bounded((f[i] - base) / s, 5);
}

static double ridge_predict(Ridge *ridge, const double *f, double base)
{
    double z[K + 1], sum = 0, s = sqrt(ridge->squares / ridge->count);
    features_of(ridge, f, base, z);
    gsl_matrix_memcpy(ridge->chol, ridge->a);
    gsl_linalg_cholesky_decomp1(ridge->chol);
    gsl_linalg_cholesky_solve(ridge->chol, ridge->b, ridge->w);
    for (size_t i = 0; i <= K; i++)
        sum += gsl_vector_get(ridge->w, i) * z[i];
    return base + s * sum;
}

static void ridge_learn(Ridge *ridge, const double *f, double base, double y)
{
    double z[K + 1];
    if (ridge->squares > 0) {
        double t = bounded((y - base) / sqrt(ridge->squares / ridge->count), 6);
        features_of(ridge, f, base, z);
        for (size_t i = 0; i <= K; i++) {
            gsl_vector_set(ridge->b, i, gsl_vector_get(ridge->b, i) + z[i] * t);
            for (size_t j = 0; j <= K; j++)
                gsl_matrix_set(ridge->a, i, j, gsl_matrix_get(ridge->a, i, j) + z[i] * z[j]);
        }
    }
    ridge->squares += (y - base) * (y - base);
    ridge->count += 1;
}

START_TEST(it_is_ridge_regression)
{
    AnbStack form = {.n = K, .lambda = 1, .delta = 0.03};
    Work work = work_of(form);
    Ridge ridge = {gsl_matrix_calloc(K + 1, K + 1),
                   gsl_matrix_alloc(K + 1, K + 1),
                   gsl_vector_calloc(K + 1),
                   gsl_vector_alloc(K + 1),
                   0,
                   0};
    for (size_t i = 0; i <= K; i++)
        gsl_matrix_set(ridge.a, i, i, 1 / form.delta);
    uint64_t seed = 1;
    for (int n = 0; n < N; n++) {
        double f[K], base, y = sample(&seed, f, &base);
        double expected = n < 10 ? base : ridge_predict(&ridge, f, base);
        ck_assert_double_eq_tol(step(&work, f, NULL, base, y), expected, 1e-9);
        ridge_learn(&ridge, f, base, y);
    }
    gsl_matrix_free(ridge.a);
    gsl_matrix_free(ridge.chol);
    gsl_vector_free(ridge.b);
    gsl_vector_free(ridge.w);
    done(&work);
}
END_TEST

START_TEST(it_leaves_the_experts_range)
{
    Work work = work_of((AnbStack){.n = K, .lambda = 0.998, .delta = 0.03, .walk = 0.1});
    uint64_t seed = 2;
    double stacked = 0, best = 0;
    for (int n = 0; n < 2000; n++) {
        double f[K], base, y = sample(&seed, f, &base), out = step(&work, f, NULL, base, y);
        stacked += n < 200 ? 0 : (out - y) * (out - y);
        best += n < 200 ? 0 : (f[0] - y) * (f[0] - y);
    }
    ck_assert_double_lt(stacked, best / 2);
    done(&work);
}
END_TEST

START_TEST(a_sleeper_is_not_read)
{
    AnbStack form = {.n = K, .lambda = 0.998, .delta = 0.03, .walk = 0.1};
    Work a = work_of(form), b = work_of(form);
    unsigned char asleep[K] = {0, 0, 0, 1};
    uint64_t seed = 3;
    for (int n = 0; n < N; n++) {
        double f[K], base, y = sample(&seed, f, &base), first = step(&a, f, asleep, base, y);
        f[3] = n % 2 ? 1e300 : -7;
        ck_assert_double_eq(step(&b, f, asleep, base, y), first);
    }
    ck_assert_mem_eq(a.state, b.state, anb_stack_size(&form) * sizeof(double));
    done(&a);
    done(&b);
}
END_TEST

START_TEST(targets_times_a_power_of_two)
{
    AnbStack form = {.n = K, .lambda = 0.998, .delta = 0.03, .walk = 0.1};
    static const double powers[] = {0x1p400, 0x1p-400, 0x1p-3};
    for (size_t p = 0; p < 3; p++) {
        Work a = work_of(form), b = work_of(form);
        uint64_t seed = 4;
        for (int n = 0; n < N; n++) {
            double f[K], scaled[K], base, y = sample(&seed, f, &base), out = step(&a, f, NULL, base, y);
            for (size_t i = 0; i < K; i++)
                scaled[i] = f[i] * powers[p];
            ck_assert_double_eq(step(&b, scaled, NULL, base * powers[p], y * powers[p]), out * powers[p]);
        }
        done(&a);
        done(&b);
    }
}
END_TEST

/* After a refresh one sample moves the weights further. */
START_TEST(refreshed_it_follows_faster)
{
    AnbStack form = {.n = K, .lambda = 1, .delta = 0.03};
    Work a = work_of(form), b = work_of(form);
    uint64_t seed = 6;
    double f[K], base, moved[2], y;
    for (int n = 0; n < N; n++) {
        y = sample(&seed, f, &base);
        step(&a, f, NULL, base, y);
    }
    memcpy(b.state, a.state, anb_stack_size(&form) * sizeof(double));
    anb_stack_refresh(&form, b.state, 10);
    sample(&seed, f, &base);
    double before = step(&a, f, NULL, base, base + 1);
    moved[0] = step(&a, f, NULL, base, base + 1) - before;
    ck_assert_double_eq(step(&b, f, NULL, base, base + 1), before);
    moved[1] = step(&b, f, NULL, base, base + 1) - before;
    ck_assert_double_gt(fabs(moved[1]), 1.3 * fabs(moved[0]));
    done(&a);
    done(&b);
}
END_TEST

START_TEST(nothing_to_correct)
{
    Work work = work_of((AnbStack){.n = K, .lambda = 0.998, .delta = 0.03, .walk = 0.1});
    double f[K] = {4, 4, 4, 4};
    for (int n = 0; n < 50; n++)
        ck_assert_double_eq(step(&work, f, NULL, 4, 4), 4);
    done(&work);
}
END_TEST

START_TEST(jumps_leave_it_finite_and_bounded)
{
    AnbStack form = {.n = K, .lambda = 0.99, .delta = 0.01};
    Work work = work_of(form);
    uint64_t seed = 5;
    AnbError error;
    static const double jumps[] = {1e9, 1e150, 1e-150, 1e300, 0, 1e12};
    for (int n = 0; n < 3000; n++) {
        double f[K], base, y = sample(&seed, f, &base), jump = n % 50 == 49 ? jumps[n / 50 % 6] : 1;
        double out = step(&work, f, NULL, base, y * jump);
        ck_assert(isfinite(out));
        ck_assert_int_eq(anb_stack_validate(&form, work.state, &error), 0);
    }
    work.state[2] = NAN;
    ck_assert_int_eq(anb_stack_validate(&form, work.state, &error), ANB_E_STATE);
    done(&work);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("stack");
    TCase *tests = case_of(suite, 20);
    tcase_add_test(tests, it_is_ridge_regression);
    tcase_add_test(tests, it_leaves_the_experts_range);
    tcase_add_test(tests, a_sleeper_is_not_read);
    tcase_add_test(tests, targets_times_a_power_of_two);
    tcase_add_test(tests, refreshed_it_follows_faster);
    tcase_add_test(tests, nothing_to_correct);
    tcase_add_test(tests, jumps_leave_it_finite_and_bounded);
    return suite;
}

CHECK_MAIN(suite)
