/* The safe RLS against a dense one in long double, against GSL's least squares, and over long unkind streams. */
#include "aligned.h"
#include "dense_rls.h"
#include "isa_here.h"
#include "numbers.h"
#include "src/numeric/rls.h"
#include "spectrum.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <gsl/gsl_multifit.h>
#include <stdio.h>

enum { WIDEST = 130 };

static uint64_t seed;

static double uniform(void)
{
    return uniform_of(&seed);
}

/* ---- against the recurrence, dense and wide -------------------------------------------------------------------- */

static void compare(const Dense *m, const AnbRls *rls, const double *state)
{
    for (size_t i = 0; i < m->n; i++) {
        double w = i < rls->n ? anb_rls_weights(state, rls->n)[i] : anb_rls_head_const(state)->w0;
        ck_assert_double_eq_tol(w, (double)m->w[i], 1e-9);
        for (size_t j = 0; j < m->n; j++)
            ck_assert_double_eq_tol(anb_rls_p(rls, state, i, j), (double)m->p[i][j], 1e-9 * rls->delta);
    }
}

/* Other units, old x_j = alpha_j x_j + beta_j; one feature keeps its centre. */
static void draw_units(size_t n, double *alpha, double *beta)
{
    for (size_t j = 0; j < n; j++) {
        alpha[j] = 1 + .3 * uniform();
        beta[j] = j % 5 == 3 ? 0 : .3 * uniform();
    }
}

static void follow(size_t n, bool intercept, double lambda)
{
    AnbRls rls = {.n = n, .intercept = intercept, .delta = 10};
    double *state = aligned(anb_rls_state(n)), *scratch = aligned(anb_rls_scratch(n)), x[MOST];
    double alpha[MOST], beta[MOST];
    static Dense dense;
    dense_init(&dense, n + intercept, rls.delta);
    anb_rls_init(&rls, state);
    x[n] = 1;
    for (int t = 0; t < 300; t++) {
        double y = 3, weight = t % 5 ? 1 : 0.25;
        for (size_t i = 0; i < n; i++) {
            x[i] = uniform();
            y += x[i] * (double)i + 0.1 * uniform();
        }
        double f = anb_rls_predict(&rls, state, x, scratch);
        ck_assert(anb_rls_update(&rls, state, y - f, lambda, weight, scratch));
        dense_update(&dense, x, y, lambda, weight);
        if (t % 100 == 50) {
            draw_units(n, alpha, beta);
            anb_rls_reframe(&rls, state, alpha, beta);
            dense_reframe(&dense, n, alpha, beta);
        }
        if (t < 4 || t % 50 == 0)
            compare(&dense, &rls, state);
    }
    compare(&dense, &rls, state);
    free(state);
    free(scratch);
}

START_TEST(it_is_the_recurrence)
{
    static const size_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 17, 23, 24, 31, 33};
    AnbIsa before = anb_isa_in_use();
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++)
        if (anb_isa_use((AnbIsa)isa))
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
                for (int intercept = 0; intercept < 2; intercept++)
                    follow(sizes[i], intercept, i % 2 ? 0.99 : 1);
    anb_isa_use(before);
}
END_TEST

/* ---- against least squares --------------------------------------------------------------------------------------- */

/* With lambda 1 the weights solve (X'X + I/delta) w = X'y: rows of I/sqrt(delta) and targets 0 below the data; of the
 * intercept's with its own prior. */
START_TEST(lambda_1_is_ridge_regression)
{
    enum { N = 11, ROWS = 400, ALL = ROWS + N + 1 };
    AnbRls rls = {.n = N, .intercept = true, .delta = _i ? .5 : 50, .level = _i ? 300 : 0};
    double *state = aligned(anb_rls_state(N)), *scratch = aligned(anb_rls_scratch(N)), x[N], chi;
    gsl_matrix *design = gsl_matrix_calloc(ALL, N + 1), *cov = gsl_matrix_alloc(N + 1, N + 1);
    gsl_vector *target = gsl_vector_calloc(ALL), *solution = gsl_vector_alloc(N + 1);
    anb_rls_init(&rls, state);
    for (size_t t = 0; t < ROWS; t++) {
        double y = uniform();
        for (size_t i = 0; i < N; i++) {
            x[i] = uniform() * (double)(i + 1);
            y += x[i] / (double)(i + 2);
            gsl_matrix_set(design, t, i, x[i]);
        }
        gsl_matrix_set(design, t, N, 1);
        gsl_vector_set(target, t, y);
        ck_assert(anb_rls_update(&rls, state, y - anb_rls_predict(&rls, state, x, scratch), 1, 1, scratch));
    }
    for (size_t i = 0; i <= N; i++)
        gsl_matrix_set(design, ROWS + i, i, 1 / sqrt(i < N ? rls.delta : anb_rls_level(&rls)));
    gsl_multifit_linear_workspace *work = gsl_multifit_linear_alloc(ALL, N + 1);
    ck_assert_int_eq(gsl_multifit_linear(design, target, solution, cov, &chi, work), 0);
    for (size_t i = 0; i < N; i++)
        ck_assert_double_eq_tol(anb_rls_weights(state, rls.n)[i], gsl_vector_get(solution, i), 1e-10);
    ck_assert_double_eq_tol(anb_rls_head(state)->w0, gsl_vector_get(solution, N), 1e-10);
    /* P is the inverse of that matrix, which is the fit's covariance but for the noise. */
    for (size_t i = 0; i <= N; i++)
        for (size_t j = 0; j <= N; j++)
            ck_assert_double_eq_tol(anb_rls_p(&rls, state, i, j), gsl_matrix_get(cov, i, j) / (chi / ROWS), 1e-10);
    gsl_multifit_linear_free(work);
    gsl_matrix_free(design);
    gsl_matrix_free(cov);
    gsl_vector_free(target);
    gsl_vector_free(solution);
    free(state);
    free(scratch);
}
END_TEST

/* ---- long and unkind --------------------------------------------------------------------------------------------- */

/* Whether no eigenvalue of P is below -1e-12 of its largest diagonal entry. */
static bool is_positive(const AnbRls *rls, const double *state)
{
    double largest = 0;
    for (size_t i = 0; i < rls->n + rls->intercept; i++)
        largest = fmax(largest, anb_rls_p(rls, state, i, i));
    return spectrum_of(rls, state).least > -1e-12 * largest;
}

/* Features 4 to 8 are sums of 0 to 3, feature 9 is always 0: most directions are never excited. */
START_TEST(collinear_inputs_do_not_wind_up)
{
    enum { N = 10, ROWS = 200000 };
    AnbRls rls = {.n = N, .intercept = true, .delta = 100};
    double *state = aligned(anb_rls_state(N)), *scratch = aligned(anb_rls_scratch(N)), x[N] = {0};
    double worst = 0;
    anb_rls_init(&rls, state);
    for (int t = 0; t < ROWS; t++) {
        for (size_t i = 0; i < 4; i++)
            x[i] = uniform();
        for (size_t i = 4; i < 9; i++)
            x[i] = x[i % 4] + x[(i + 1) % 4];
        double y = 2 + x[0] - 3 * x[2], f = anb_rls_predict(&rls, state, x, scratch);
        ck_assert(anb_rls_update(&rls, state, y - f, 0.998, 1, scratch));
        if (t > ROWS / 2)
            worst = fmax(worst, fabs(y - f));
        if (t % 20000 == 0)
            ck_assert(is_positive(&rls, state));
    }
    ck_assert(is_positive(&rls, state));
    ck_assert(anb_rls_trace(&rls, state) <= ANB_RLS_ROOF * rls.delta * (N + 1) / 0.998 * 1.000001);
    ck_assert_double_le(worst, 1e-6);
    free(state);
    free(scratch);
}
END_TEST

/* ---- forgetting by direction ------------------------------------------------------------------------------------- */

enum { DIRECTIONS = 40, INFORMATIVE = 3 };

/* Columns beside the informative ones that carry nothing; each returns how many it wrote. */
static size_t no_columns(int t, double *x)
{
    (void)t;
    (void)x;
    return 0;
}

static size_t a_constant(int t, double *x)
{
    (void)t;
    x[INFORMATIVE] = 1;
    return 1;
}

static size_t a_zero(int t, double *x)
{
    (void)t;
    x[INFORMATIVE] = 0;
    return 1;
}

static size_t a_copy(int t, double *x)
{
    (void)t;
    x[INFORMATIVE] = x[0];
    return 1;
}

static size_t a_one_hot_set(int t, double *x)
{
    for (int i = 0; i < 5; i++)
        x[INFORMATIVE + i] = t * 7919 % 5 == i;
    return 5;
}

static size_t once_not_zero(int t, double *x)
{
    x[INFORMATIVE] = t == 100;
    return 1;
}

static size_t many_zeros(int t, double *x)
{
    (void)t;
    for (int i = INFORMATIVE; i < DIRECTIONS; i++)
        x[i] = 0;
    return DIRECTIONS - INFORMATIVE;
}

/* The slopes turn round half way. Root mean square error over the second half; the trace stays bounded and
 * P positive. */
static double error_after_turn(size_t (*columns)(int, double *))
{
    enum { ROWS = 8000 };
    double x[DIRECTIONS] = {0}, squares = 0;
    size_t n = INFORMATIVE + columns(0, x);
    AnbRls rls = {.n = n, .intercept = true, .delta = 100};
    double *state = aligned(anb_rls_state(n)), *scratch = aligned(anb_rls_scratch(n));
    anb_rls_init(&rls, state);
    seed = 11;
    for (int t = 0; t < ROWS; t++) {
        for (int i = 0; i < INFORMATIVE; i++)
            x[i] = uniform();
        columns(t, x);
        double y = (t < ROWS / 2 ? 1 : -1) * (x[0] + 2 * x[1] - x[2]) + 0.1 * uniform();
        double f = anb_rls_predict(&rls, state, x, scratch);
        ck_assert(anb_rls_update(&rls, state, y - f, 0.99, 1, scratch));
        ck_assert_double_le(anb_rls_trace(&rls, state), ANB_RLS_MOST * rls.delta * (double)(n + 1) / 0.99);
        squares += t < ROWS / 2 ? 0 : (y - f) * (y - f);
    }
    ck_assert(is_positive(&rls, state));
    ck_assert_int_eq(anb_rls_validate(&rls, state, NULL), 0);
    free(state);
    free(scratch);
    return sqrt(squares / (ROWS / 2));
}

START_TEST(columns_without_news_do_not_stop_forgetting)
{
    static size_t (*const others[])(int, double *) = {a_constant,    a_zero,        a_copy,
                                                      a_one_hot_set, once_not_zero, many_zeros};
    double alone = error_after_turn(no_columns);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_double_le(error_after_turn(others[i]), 1.1 * alone);
}
END_TEST

/* Jumps of 1e9, cells of 1e150 and of 1e-150: finite weights or a start again, and it learns again afterwards. */
START_TEST(extremes_leave_it_finite)
{
    enum { N = 9 };
    AnbRls rls = {.n = N, .intercept = true, .delta = 100};
    double *state = aligned(anb_rls_state(N)), *scratch = aligned(anb_rls_scratch(N)), x[N], last = 1;
    static const double sizes[] = {1, 1e150, 1e-150, 1e9, 1e-9, 1e200};
    anb_rls_init(&rls, state);
    for (int t = 0; t < 6000; t++) {
        double size = t < 3000 ? sizes[t / 100 % 6] : 1, y = 1;
        for (size_t i = 0; i < N; i++) {
            x[i] = uniform() * size;
            y += x[i] / size;
        }
        y *= t < 3000 && t % 50 == 7 ? 1e9 : 1;
        double f = anb_rls_predict(&rls, state, x, scratch);
        if (!anb_rls_update(&rls, state, y - f, 0.99, 1, scratch))
            anb_rls_init(&rls, state);
        ck_assert_int_eq(anb_rls_validate(&rls, state, NULL), 0);
        last = fabs(y - f);
    }
    ck_assert_double_le(last, 1e-3);
    free(state);
    free(scratch);
}
END_TEST

START_TEST(what_is_not_finite_is_told)
{
    AnbRls rls = {.n = 3, .intercept = true, .delta = 1};
    double *state = aligned(anb_rls_state(3)), *scratch = aligned(anb_rls_scratch(3)), x[] = {1, 2, 3};
    anb_rls_init(&rls, state);
    double f = anb_rls_predict(&rls, state, x, scratch);
    ck_assert(f == 0);
    ck_assert(!anb_rls_update(&rls, state, INFINITY, 1, 1, scratch));
    anb_rls_init(&rls, state);
    anb_rls_predict(&rls, state, x, scratch);
    ck_assert(anb_rls_update(&rls, state, 1, 1, 1, scratch));
    double w = anb_rls_weights(state, rls.n)[1];
    x[0] = INFINITY; /* z.k is not finite: P starts again, the weights stay */
    anb_rls_predict(&rls, state, x, scratch);
    ck_assert(anb_rls_update(&rls, state, 1, 1, 1, scratch));
    ck_assert(anb_rls_weights(state, rls.n)[1] == w && w != 0);
    ck_assert(anb_rls_trace(&rls, state) == 4 && anb_rls_p(&rls, state, 0, 1) == 0);
    free(state);
    free(scratch);
}
END_TEST

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

START_TEST(the_walk_and_refresh_stay_below_the_start)
{
    AnbRls rls = {.n = 2, .intercept = true, .delta = 1, .walk = 0.1};
    double *state = aligned(anb_rls_state(2)), *scratch = aligned(anb_rls_scratch(2)), x[] = {0, 0};
    anb_rls_init(&rls, state);
    double p = 1;
    for (int t = 0; t < 5; t++) {
        anb_rls_predict(&rls, state, x, scratch);
        anb_rls_update(&rls, state, 1, 1, 1, scratch);
        p = p - p * p / (1 + p);
        p += 0.1;
        ck_assert_double_eq_tol(anb_rls_head(state)->p00, p, 1e-15);
    }
    anb_rls_refresh(&rls, state, 1.25);
    ck_assert_double_eq_tol(anb_rls_head(state)->p00, p * 1.25, 1e-15);
    ck_assert_double_eq_tol(anb_rls_p(&rls, state, 1, 1), 1.25, 1e-15);
    anb_rls_refresh(&rls, state, 1e6);
    ck_assert_double_eq_tol(anb_rls_trace(&rls, state), 3, 1e-14);
    ck_assert_double_eq_tol(anb_rls_p(&rls, state, 0, 0) * 2 + anb_rls_head(state)->p00, 3, 1e-14);
    free(state);
    free(scratch);
}
END_TEST

/* The intercept's variance is set back to its own prior, and while it is below that it walks. */
START_TEST(the_intercept_has_a_prior_of_its_own)
{
    AnbRls rls = {.n = 2, .intercept = true, .delta = 0.5, .level = 40, .walk = 1};
    double *state = aligned(anb_rls_state(2)), *scratch = aligned(anb_rls_scratch(2)), x[] = {0, 0};
    anb_rls_init(&rls, state);
    ck_assert_double_eq(anb_rls_head(state)->p00, 40);
    ck_assert_double_eq(anb_rls_trace(&rls, state), 41);
    anb_rls_confine(&rls, state);
    ck_assert_double_eq(anb_rls_head(state)->p00, 40);
    ck_assert_double_eq(anb_rls_p(&rls, state, 0, 0), 0.5);
    anb_rls_head(state)->p00 = 60;
    anb_rls_confine(&rls, state);
    ck_assert_double_eq_tol(anb_rls_head(state)->p00, 40, 1e-12);
    anb_rls_predict(&rls, state, x, scratch);
    anb_rls_update(&rls, state, 1, 1, 1, scratch);
    ck_assert_double_eq_tol(anb_rls_head(state)->p00, 40 - 1600 / 41. + 1, 1e-12);
    free(state);
    free(scratch);
}
END_TEST

/* All of the state after 400 updates. */
static uint64_t hash_after(size_t n)
{
    AnbRls rls = {.n = n, .intercept = true, .delta = 7, .walk = 0.01};
    double *state = aligned(anb_rls_state(n)), *scratch = aligned(anb_rls_scratch(n)), *x = aligned(n);
    double alpha[WIDEST], beta[WIDEST];
    anb_rls_init(&rls, state);
    seed = n;
    for (int t = 0; t < 400; t++) {
        for (size_t i = 0; i < n; i++)
            x[i] = uniform();
        double f = anb_rls_predict(&rls, state, x, scratch);
        anb_rls_update(&rls, state, uniform() - f, 0.998, t % 3 ? 1 : 2, scratch);
        if (t % 100 == 50) {
            draw_units(n, alpha, beta);
            anb_rls_reframe(&rls, state, alpha, beta);
        }
    }
    uint64_t hash = hash_of(14695981039346656037u, state, anb_rls_state(n) * sizeof *state);
    free(state);
    free(scratch);
    free(x);
    return hash;
}

START_TEST(every_instruction_set_gives_the_same_bits)
{
    static const size_t sizes[] = {1, 3, 4, 5, 8, 11, 16, 20, 32, 33, 63, 128, 130};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_same_hash(hash_after, sizes[i]);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("rls");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, it_is_the_recurrence);
    tcase_add_loop_test(tests, lambda_1_is_ridge_regression, 0, 2);
    tcase_add_test(tests, collinear_inputs_do_not_wind_up);
    tcase_add_test(tests, columns_without_news_do_not_stop_forgetting);
    tcase_add_test(tests, extremes_leave_it_finite);
    tcase_add_test(tests, what_is_not_finite_is_told);
    tcase_add_test(tests, the_walk_and_refresh_stay_below_the_start);
    tcase_add_test(tests, the_intercept_has_a_prior_of_its_own);
    tcase_add_test(tests, every_instruction_set_gives_the_same_bits);
    return suite;
}

CHECK_MAIN(suite)
