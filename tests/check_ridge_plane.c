#include "learners/knn/ridge_plane.h"
#include "src/numeric/random.h"
#include "suite.h"
#include <gsl/gsl_multifit.h>
#include <math.h>

enum { ROWS = 30, MOST = 40 };

typedef struct Problem {
    size_t d;
    double x[ROWS * MOST], y[ROWS], weight[ROWS], metric[MOST], query[MOST];
} Problem;

static void draw(Problem *p, size_t d, uint64_t seed)
{
    AnbRandom random;
    anb_random_seed(&random, seed);
    p->d = d;
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < d; j++)
            p->x[i * d + j] = anb_random_normal(&random) + (double)j;
        p->y[i] = 5 + p->x[i * d] - 2 * p->x[i * d + d - 1] + anb_random_normal(&random);
        p->weight[i] = 0.1 + anb_random_uniform(&random);
    }
    for (size_t j = 0; j < d; j++) {
        p->metric[j] = 0.02 + anb_random_uniform(&random);
        p->query[j] = anb_random_normal(&random);
    }
}

/* The same by least squares on rows of their own for the penalties. */
static double oracle(const Problem *p, double ridge, double *slope)
{
    size_t d = p->d;
    double centre[MOST] = {0}, total = 0, trace = 0, value, chi;
    for (size_t i = 0; i < ROWS; i++) {
        total += p->weight[i];
        for (size_t j = 0; j < d; j++)
            centre[j] += p->weight[i] * p->x[i * d + j];
    }
    for (size_t j = 0; j < d; j++)
        centre[j] /= total;
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < d; j++)
            trace += p->metric[j] * p->weight[i] * pow(p->x[i * d + j] - centre[j], 2);
    gsl_matrix *x = gsl_matrix_calloc(ROWS + d, d + 1), *covariance = gsl_matrix_alloc(d + 1, d + 1);
    gsl_vector *y = gsl_vector_calloc(ROWS + d), *c = gsl_vector_alloc(d + 1);
    for (size_t i = 0; i < ROWS; i++) {
        double root = sqrt(p->weight[i]);
        gsl_matrix_set(x, i, d, root);
        gsl_vector_set(y, i, root * p->y[i]);
        for (size_t j = 0; j < d; j++)
            gsl_matrix_set(x, i, j, root * (p->x[i * d + j] - centre[j]));
    }
    for (size_t j = 0; j < d; j++)
        gsl_matrix_set(x, ROWS + j, j, sqrt(ridge * trace / (double)d / p->metric[j]));
    gsl_multifit_linear_workspace *space = gsl_multifit_linear_alloc(ROWS + d, d + 1);
    gsl_multifit_linear(x, y, c, covariance, &chi, space);
    value = gsl_vector_get(c, d);
    for (size_t j = 0; j < d; j++) {
        slope[j] = gsl_vector_get(c, j);
        value += slope[j] * (p->query[j] - centre[j]);
    }
    gsl_multifit_linear_free(space);
    gsl_matrix_free(x);
    gsl_matrix_free(covariance);
    gsl_vector_free(y);
    gsl_vector_free(c);
    return value;
}

START_TEST(is_least_squares_with_penalty_rows)
{
    static const size_t sizes[] = {1, 2, 7, 8, 12, 19, 40};
    size_t d = sizes[_i];
    Problem p;
    double slope[MOST], expected[MOST], mean, sum = 0, total = 0;
    draw(&p, d, 31 + (uint64_t)_i);
    size_t stride = anb_ridge_plane_stride(d);
    double *work = malloc((anb_ridge_plane_work(ROWS, d) + ROWS * stride) * sizeof *work);
    double *u = work + anb_ridge_plane_work(ROWS, d);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < d; j++)
            u[i * stride + j] = p.x[i * d + j] - p.query[j];
    double value = anb_ridge_plane_fit(u, p.y, p.weight, ROWS, d, p.metric, 0.05, slope, &mean, work);
    ck_assert_double_eq_tol(value, oracle(&p, 0.05, expected), 1e-8);
    for (size_t j = 0; j < d; j++)
        ck_assert_double_eq_tol(slope[j], expected[j], 1e-9);
    for (size_t i = 0; i < ROWS; i++) {
        sum += p.weight[i] * p.y[i];
        total += p.weight[i];
    }
    ck_assert_double_eq_tol(mean, sum / total, 1e-12);
    free(work);
}
END_TEST

START_TEST(rows_that_do_not_vary_give_the_mean)
{
    double u[24] = {2.1, 3.7, 0, 0, 0, 0, 0, 0, 2.1, 3.7, 0, 0, 0, 0, 0, 0, 2.1, 3.7}, y[3] = {1, 2, 6};
    double weight[3] = {.1, .3, .4}, metric[2] = {1, 1}, slope[2], mean;
    double *work = malloc(anb_ridge_plane_work(3, 2) * sizeof *work);
    ck_assert_double_eq_tol(anb_ridge_plane_fit(u, y, weight, 3, 2, metric, 0.1, slope, &mean, work), 3.875, 1e-12);
    ck_assert_double_eq(slope[0], 0);
    ck_assert_double_eq(slope[1], 0);
    free(work);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("local");
    TCase *tests = case_of(suite, 10);
    tcase_add_loop_test(tests, is_least_squares_with_penalty_rows, 0, 7);
    tcase_add_test(tests, rows_that_do_not_vary_give_the_mean);
    return suite;
}

CHECK_MAIN(suite)
