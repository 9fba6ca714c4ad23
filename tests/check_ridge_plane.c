#include "isa_here.h"
#include "learners/knn/ridge_plane.h"
#include "src/numeric/random.h"
#include "suite.h"
#include <gsl/gsl_multifit.h>
#include <math.h>
#include <stdlib.h>

enum { ROWS = 30, MOST = 40 };

typedef struct Problem {
    size_t d;
    float u[ROWS * MOST], y[ROWS], weight[ROWS], metric[MOST], place[MOST];
} Problem;

/* Rows and a place within the ranges that ridge_plane.h asks for; the first row is the origin. */
static void draw(Problem *p, size_t d, uint64_t seed)
{
    AnbRandom random;
    anb_random_seed(&random, seed);
    p->d = d;
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < d; j++)
            p->u[i * d + j] = i > 0 ? (float)(2 * anb_random_uniform(&random) - 1) : 0;
        p->weight[i] = i % 7 == 0 ? 50 : 1 + (float)anb_random_uniform(&random);
    }
    for (size_t j = 0; j < d; j++) {
        p->metric[j] = 1 + 2 * (float)anb_random_uniform(&random);
        p->place[j] = (float)(2 * anb_random_uniform(&random) - 1);
    }
}

static void give_targets(Problem *p)
{
    AnbRandom random;
    anb_random_seed(&random, 8);
    for (size_t i = 0; i < ROWS; i++)
        p->y[i] =
            .3f * p->u[i * p->d] - .4f * p->u[i * p->d + p->d - 1] + .2f * (float)(anb_random_uniform(&random) - .5);
}

/* ---- what makes it hard ------------------------------------------------------------------------------------------ */

static void leave(Problem *p)
{
    (void)p;
}

/* The last feature is the sum of two, and some are copies of the first. */
static void make_collinear(Problem *p)
{
    for (size_t i = 0; i < ROWS; i++) {
        float *u = p->u + i * p->d;
        for (size_t j = 1; j < p->d; j += 2)
            u[j] = u[0];
        u[p->d - 1] = .5f * (u[0] + u[p->d / 2]);
    }
}

/* Rows that lie close together, seen from as far as a plane is told of them. */
static void move_away(Problem *p)
{
    for (size_t i = 0; i < ROWS * p->d; i++)
        p->u[i] *= 1e-4f;
}

/* Features of very different sizes. */
static void shrink_some(Problem *p)
{
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < p->d; j++)
            p->u[i * p->d + j] *= j % 3 == 1 ? 1e-4f : j % 3 == 2 ? 1e-9f : 1;
}

static void repeat_rows(Problem *p)
{
    for (size_t i = 3; i < ROWS; i++)
        for (size_t j = 0; j < p->d; j++)
            p->u[i * p->d + j] = p->u[i % 3 * p->d + j];
}

static void hold_some_still(Problem *p)
{
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < p->d; j += 3)
            p->u[i * p->d + j] = 0;
}

static void (*const hard[])(Problem *p) = {leave, make_collinear, move_away, shrink_some, repeat_rows, hold_some_still};

/* ---- beside least squares in doubles ----------------------------------------------------------------------------- */

/* Means, their mean moment by the metric, and the sum of the weights. */
static double centre_of(const Problem *p, double *centre, double *trace)
{
    double total = 0;
    for (size_t i = 0; i < ROWS; i++) {
        total += (double)p->weight[i];
        for (size_t j = 0; j < p->d; j++)
            centre[j] += (double)p->weight[i] * (double)p->u[i * p->d + j];
    }
    for (size_t j = 0; j < p->d; j++)
        centre[j] /= total;
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < p->d; j++)
            *trace += (double)p->metric[j] * (double)p->weight[i] * pow((double)p->u[i * p->d + j] - centre[j], 2);
    return total;
}

/* The same by least squares on rows of their own for the penalties. */
static double oracle(const Problem *p, double ridge)
{
    const size_t d = p->d;
    double centre[MOST] = {0}, trace = 0, value, chi;
    centre_of(p, centre, &trace);
    gsl_matrix *x = gsl_matrix_calloc(ROWS + d, d + 1), *covariance = gsl_matrix_alloc(d + 1, d + 1);
    gsl_vector *y = gsl_vector_calloc(ROWS + d), *c = gsl_vector_alloc(d + 1);
    for (size_t i = 0; i < ROWS; i++) {
        double root = sqrt((double)p->weight[i]);
        gsl_matrix_set(x, i, d, root);
        gsl_vector_set(y, i, root * (double)p->y[i]);
        for (size_t j = 0; j < d; j++)
            gsl_matrix_set(x, i, j, root * ((double)p->u[i * d + j] - centre[j]));
    }
    for (size_t j = 0; j < d; j++)
        gsl_matrix_set(x, ROWS + j, j, sqrt(ridge * trace / (double)d / (double)p->metric[j]));
    gsl_multifit_linear_workspace *space = gsl_multifit_linear_alloc(ROWS + d, d + 1);
    gsl_multifit_linear_tsvd(x, y, 1e-15, c, covariance, &chi, &(size_t){0}, space);
    value = gsl_vector_get(c, d);
    for (size_t j = 0; j < d; j++)
        value += gsl_vector_get(c, j) * ((double)p->place[j] - centre[j]);
    gsl_multifit_linear_free(space);
    gsl_matrix_free(x);
    gsl_matrix_free(covariance);
    gsl_vector_free(y);
    gsl_vector_free(c);
    return value;
}

typedef struct Fitted {
    float value, mean, slope[MOST], parts[MOST];
} Fitted;

static Fitted fitted(const Problem *p, float ridge)
{
    const size_t d = p->d, stride = anb_ridge_plane_stride(d);
    Fitted f;
    float *work = calloc(anb_ridge_plane_work(ROWS, d) + ROWS * stride, sizeof *work);
    float *u = work + anb_ridge_plane_work(ROWS, d);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < d; j++)
            u[i * stride + j] = p->u[i * d + j];
    const AnbRidgeRows rows = {u, p->y, p->weight, ROWS, d};
    const AnbRidgeRule rule = {p->metric, p->place, ridge};
    f.value = anb_ridge_plane_fit(&rows, &rule, f.slope, &f.mean, work);
    anb_ridge_plane_parts(ROWS, d, f.slope, p->place, work, f.parts);
    free(work);
    return f;
}

static size_t hardness;

static void check_fit(void)
{
    static const size_t sizes[] = {1, 2, 7, 8, 12, 14, 19, 24, 40};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        Problem p;
        double sum = 0, total = 0, added = 0;
        draw(&p, sizes[s], 31 + s);
        hard[hardness](&p);
        give_targets(&p);
        const Fitted f = fitted(&p, .1f);
        const double wanted = oracle(&p, (double).1f);
        ck_assert_msg(fabs((double)f.value - wanted) <= 2e-5 * (1 + fabs(wanted)), "%zu features on %s: %.9g, not %.9g",
                      p.d, anb_isa_name(anb_isa_in_use()), (double)f.value, wanted);
        for (size_t i = 0; i < ROWS; i++) {
            sum += (double)p.weight[i] * (double)p.y[i];
            total += (double)p.weight[i];
        }
        for (size_t j = 0; j < p.d; j++)
            added += (double)f.parts[j];
        ck_assert_double_eq_tol((double)f.mean, sum / total, 1e-6);
        ck_assert_double_eq_tol((double)f.mean + added, (double)f.value, 1e-5 * (1 + fabs(wanted)));
    }
}

static void nothing(void)
{
}

START_TEST(is_least_squares_with_penalty_rows)
{
    hardness = (size_t)_i;
    on_each_isa(nothing, check_fit);
}
END_TEST

START_TEST(rows_that_do_not_vary_give_the_mean)
{
    float u[48] = {0}, y[3] = {.1f, .2f, .6f}, weight[3] = {1, 3, 4}, metric[2] = {1, 1}, place[2] = {.5f, 1};
    float slope[2], mean, *work = malloc(anb_ridge_plane_work(3, 2) * sizeof *work);
    const AnbRidgeRows rows = {u, y, weight, 3, 2};
    const AnbRidgeRule rule = {metric, place, .1f};
    ck_assert_double_eq_tol((double)anb_ridge_plane_fit(&rows, &rule, slope, &mean, work), .3875, 1e-7);
    ck_assert(slope[0] == 0 && slope[1] == 0);
    free(work);
}
END_TEST

/* From so far that the floats of the rows and of the place no longer tell a plane. */
static void check_far(void)
{
    Problem p;
    double sum = 0, total = 0;
    draw(&p, 5, 5);
    for (size_t i = 0; i < ROWS * p.d; i++)
        p.u[i] *= 1e-5f;
    give_targets(&p);
    for (size_t i = 0; i < ROWS; i++) {
        sum += (double)p.weight[i] * (double)p.y[i];
        total += (double)p.weight[i];
    }
    const Fitted f = fitted(&p, .1f);
    ck_assert_double_eq_tol((double)f.value, sum / total, 1e-6);
    for (size_t j = 0; j < p.d; j++)
        ck_assert(f.slope[j] == 0);
}

START_TEST(rows_seen_from_too_far_give_the_mean)
{
    on_each_isa(nothing, check_far);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("local");
    TCase *tests = case_of(suite, 10);
    tcase_add_loop_test(tests, is_least_squares_with_penalty_rows, 0, (int)(sizeof hard / sizeof *hard));
    tcase_add_test(tests, rows_that_do_not_vary_give_the_mean);
    tcase_add_test(tests, rows_seen_from_too_far_give_the_mean);
    add_isa_skips(tests);
    return suite;
}

CHECK_MAIN(suite)
