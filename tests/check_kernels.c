/* Every instruction set against a scalar model of eight lanes, bit by bit; and what the kernels mean, by
 * long double. */
#include "isa_here.h"
#include "numbers.h"
#include "src/simd/kernels.h"
#include "src/numeric/elementary.h"
#include "suite.h"
#include <anabranch/type.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 150, PAD = 8 };

static uint64_t seed;

static void fill(double *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = uniform_of(&seed) * (i % 7 == 3 ? 1e3 : 1);
}

static double lane_sum(const double *l)
{
    return ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]));
}

/* `ways` accumulators of eight lanes, taken in turn, summed in order. */
static double lane_dot(const double *a, const double *b, size_t n, size_t ways)
{
    double lanes[2][8] = {{0}}, sum[8];
    for (size_t i = 0; i < (n + 7) / 8 * 8; i++) {
        double product = i < n ? a[i] * b[i] : 0;
        size_t way = ways == 1 ? 0 : i / 8 % 2;
        if (ways == 2 && n % 8 != 0 && i / 8 == n / 8)
            way = 1; /* the tail goes with the odd blocks */
        lanes[way][i % 8] += product;
    }
    for (size_t l = 0; l < 8; l++)
        sum[l] = ways == 1 ? lanes[0][l] : lanes[0][l] + lanes[1][l];
    return lane_sum(sum);
}

static bool same(const void *a, const void *b, size_t bytes)
{
    return memcmp(a, b, bytes) == 0;
}

static const size_t lengths[] = {0, 1, 2, 3, 5, 7, 8, 9, 13, 16, 17, 23, 24, 31, 32, 33, 64, 65, 128, 129, 143};
enum { N_LENGTHS = sizeof lengths / sizeof *lengths };

static void start_again(void)
{
    seed = 7;
}

#define ON_EACH(name, body)                                                                                            \
    START_TEST(name)                                                                                                   \
    {                                                                                                                  \
        on_each_isa(start_again, body);                                                                                \
    }                                                                                                                  \
    END_TEST

static void dot_body(void)
{
    double a[MOST], b[MOST];
    for (size_t t = 0; t < N_LENGTHS; t++) {
        size_t n = lengths[t];
        long double exact = 0, size = 0;
        fill(a, n);
        fill(b, n);
        for (size_t i = 0; i < n; i++) {
            exact += (long double)a[i] * b[i];
            size += fabsl((long double)a[i] * b[i]);
        }
        double got = anb_dot(a, b, n), model = lane_dot(a, b, n, 2);
        ck_assert_msg(same(&got, &model, sizeof got), "n %zu: %a, not %a", n, got, model);
        double square, beside = anb_dot_and_square(a, b, n, &square), alone = anb_dot(b, b, n);
        ck_assert(same(&beside, &got, sizeof got) && same(&square, &alone, sizeof alone));
        ck_assert(fabsl(got - exact) <= 1e-15L * (size + 1e-300L) * 8);
    }
}

ON_EACH(dot_has_one_order, dot_body)

static void axpy_body(void)
{
    double x[MOST], w[MOST + PAD], model[MOST + PAD];
    for (size_t t = 0; t < N_LENGTHS; t++) {
        size_t n = lengths[t];
        fill(x, n);
        fill(w, MOST + PAD);
        memcpy(model, w, sizeof w);
        for (size_t i = 0; i < n; i++)
            model[i] = model[i] + 0.3 * x[i];
        ck_assert(anb_axpy(w, 0.3, x, n) == 0);
        ck_assert(same(w, model, sizeof w));
    }
}

ON_EACH(axpy_adds_and_writes_nothing_behind, axpy_body)

static void sick_body(void)
{
    double x[MOST], w[MOST], c[5] = {1, 1, 1, 1, 1}, z[5];
    for (size_t n = 1; n < 40; n++)
        for (size_t bad = 0; bad < n; bad++) {
            fill(x, n);
            x[bad] = bad % 2 ? INFINITY : NAN;
            ck_assert(!(anb_nonfinite(x, n) == 0));
            fill(w, MOST);
            ck_assert(!(anb_axpy(w, 1, x, n) == 0));
            x[bad] = -DBL_MAX;
            ck_assert(anb_nonfinite(x, n) == 0);
            w[bad] = -DBL_MAX;
            ck_assert(!(anb_axpy(w, 1, x, n) == 0));
            fill(w, n);
            ck_assert(anb_axpy(w, 0, x, n) == 0);
        }
    fill(x, 9);
    fill(w, MOST);
    x[8] = INFINITY;
    ck_assert(!(anb_rank1_gemv(w, 9, 5, c, x, 9, z) == 0));
}

ON_EACH(what_is_not_finite_is_told, sick_body)

static void gate_body(void)
{
    enum { K = 7, STRIDE = 40 };
    double w[K * STRIDE], model[K * STRIDE], x[STRIDE], c[K], z[K], again[K];
    for (size_t t = 0; t < N_LENGTHS && lengths[t] <= STRIDE; t++)
        for (size_t k = 1; k <= K; k++) {
            size_t d = lengths[t];
            fill(w, K * STRIDE);
            fill(x, d);
            fill(c, k);
            memcpy(model, w, sizeof w);
            anb_gemv(w, STRIDE, k, x, d, z);
            for (size_t i = 0; i < k; i++) {
                double score = lane_dot(w + i * STRIDE, x, d, 1);
                ck_assert(same(&score, &z[i], sizeof score));
                for (size_t j = 0; j < d; j++)
                    model[i * STRIDE + j] -= c[i] * x[j];
            }
            ck_assert(anb_rank1_gemv(w, STRIDE, k, c, x, d, c) == 0);
            ck_assert(same(w, model, sizeof w));
            anb_gemv(w, STRIDE, k, x, d, again);
            ck_assert(same(c, again, k * sizeof *c));
        }
}

ON_EACH(gate_scores_and_steps, gate_body)

/* Each exponential is anb_exp's; sums and what follows within rounding. */
static void softmax_body(void)
{
    double z[40], p[41], model[40];
    for (size_t k = 1; k <= 40; k++)
        for (int round = 0; round < 6; round++) {
            double top = -INFINITY, sum = 0, mean = 0, total = 0;
            for (size_t i = 0; i < k; i++) {
                z[i] = uniform_of(&seed) * (round % 3 == 2 ? 900 : 20);
                top = fmax(top, z[i]);
            }
            for (size_t i = 0; i < k; i++) {
                double t = fmax(-700, z[i] - top);
                model[i] = anb_exp(t);
                sum += model[i];
                mean += model[i] * t;
            }
            p[k] = 17;
            AnbSoftmax what = anb_gate_softmax(z, k, p);
            ck_assert(p[k] == 17 && what.top == top);
            ck_assert(fabs(what.sum - sum) <= 1e-14 * sum && fabs(what.mean - mean / sum) <= 1e-13 * (1 - mean / sum));
            double part = 1 / what.sum;
            for (size_t i = 0; i < k; i++) {
                ck_assert(p[i] == model[i] * part);
                total += p[i];
            }
            ck_assert(fabs(total - 1) <= 1e-14);
            anb_gate_softmax(z, k, z);
            ck_assert(same(z, p, k * sizeof *z));
        }
    z[2] = NAN;
    AnbSoftmax what = anb_gate_softmax(z, 9, p);
    ck_assert(what.sum == 9 && what.mean == 0 && p[0] == 1.0 / 9 && p[8] == 1.0 / 9);
}

static void log1p_body(void)
{
    static const double edges[] = {0,    0x1p-1074, 0x1p-1022, 0x1p-55, 0x1p-54, 0x1p-53, .40999999999999998,
                                   .41,  .42,       .4142,     .5,      1,       2,       3,
                                   1e10, 0x1p53,    1e300};
    double x[MOST + PAD], want[MOST];
    for (size_t t = 0; t < N_LENGTHS; t++) {
        size_t n = lengths[t];
        for (size_t i = 0; i < n; i++) {
            x[i] = i % 4 == 3 ? edges[(i + t) % (sizeof edges / sizeof *edges)]
                              : fabs(uniform_of(&seed)) * (i % 4 == 0   ? 1
                                                           : i % 4 == 1 ? 30
                                                                        : 1e6);
            want[i] = anb_log1p(x[i]);
        }
        x[n] = 17;
        anb_log1p_all(x, n);
        ck_assert(same(x, want, n * sizeof *x) && x[n] == 17);
    }
}

ON_EACH(logarithms_are_those_of_anb_log1p, log1p_body)

ON_EACH(softmax_is_of_anb_exp, softmax_body)

static void standardize_body(void)
{
    double x[MOST], mean[MOST], inv_sd[MOST], z[MOST + PAD];
    for (size_t t = 0; t < N_LENGTHS; t++) {
        size_t n = lengths[t];
        fill(x, n);
        fill(mean, n);
        fill(inv_sd, n);
        for (size_t i = 0; i < n; i += 3)
            x[i] = NAN;
        z[n] = 17;
        anb_standardize(x, mean, inv_sd, 0.5, n, z);
        for (size_t i = 0; i < n; i++) {
            double model = (x[i] - mean[i]) * inv_sd[i];
            model = isnan(x[i]) ? 0 : model > 0.5 ? 0.5 : model < -0.5 ? -0.5 : model;
            ck_assert(z[i] == model);
        }
        ck_assert(z[n] == 17);
        double again[MOST + PAD], norm;
        again[n] = 17;
        double product = anb_standardize_dot(x, mean, inv_sd, 0.5, inv_sd, n, again, &norm);
        ck_assert(same(again, z, (n + 1) * sizeof *z));
        ck_assert(fabs(product - anb_dot(inv_sd, z, n)) <= 1e-12 * (1 + fabs(product)));
        ck_assert(fabs(norm - anb_dot(z, z, n)) <= 1e-12 * norm);
        again[n] = 17;
        double offset = anb_raw_weights(x, mean, inv_sd, n, again);
        for (size_t i = 0; i < n; i++) {
            double model = x[i] * inv_sd[i];
            ck_assert(isnan(model) ? isnan(again[i]) : again[i] == model);
        }
        double sum = anb_dot(again, mean, n);
        ck_assert(again[n] == 17 && (isnan(sum) ? isnan(offset) : fabs(offset - sum) <= 1e-12 * (1 + fabs(sum))));
    }
}

ON_EACH(standardize_clips_and_fills, standardize_body)

static void sizes_body(void)
{
    double z[MOST], common[MOST + PAD], model[MOST];
    for (size_t t = 0; t < N_LENGTHS; t++) {
        size_t n = lengths[t];
        fill(z, n);
        for (size_t i = 0; i < n; i++) {
            z[i] = i % 5 == 2 && t % 2 ? 0 : z[i] != 0 ? z[i] : 1;
            common[i] = model[i] = i % 2 ? 1e-6 : .5;
            model[i] = model[i] * (fabs(z[i]) > model[i] ? 1.5 : .5);
            model[i] = model[i] > 1e-5 ? model[i] : 1e-5;
        }
        common[n] = 17;
        anb_follow_size(common, z, 1.5, .5, 1e-5, n);
        ck_assert(same(common, model, n * sizeof *model) && common[n] == 17);
    }
}

ON_EACH(sizes_that_are_common, sizes_body)

/* What is beyond its limit is 0: `far` reaches, more where the bound is above `clip`, or `clip` where the reach is
 * negative. Rows of all lengths: whose cells are all within, some of which are missing, or anywhere. */
static void within_body(void)
{
    double x[MOST], mean[MOST], inverse[MOST], bound[MOST], reach[MOST], z[MOST + PAD];
    for (size_t t = 0; t < 3 * N_LENGTHS; t++) {
        const size_t n = lengths[t / 3], kind = t % 3;
        double most = 0;
        fill(x, n);
        for (size_t i = 0; i < n; i++) {
            x[i] = kind < 2 ? .25 + (i % 2 ? .1 : -.2) : x[i] * (double)(i % 4 + 1);
            x[i] = i % 7 == 3 && kind > 0 ? ANB_NAN : x[i];
            mean[i] = .25;
            inverse[i] = 2;
            bound[i] = i % 5 || kind < 2 ? 3 : 1e-3;
            reach[i] = i % 2 ? -1 : .25;
        }
        z[n] = 17;
        double place = anb_standardize_within(x, mean, inverse, bound, reach, 2, 8, .75, n, z);
        for (size_t i = 0; i < n; i++) {
            double whole = (x[i] - .25) * 2, limit = i % 2 ? .75 : bound[i] > .75 ? 2 : .5;
            double cut = whole > bound[i] ? bound[i] : whole < -bound[i] ? -bound[i] : whole;
            ck_assert(z[i] == (fabs(whole) <= limit ? cut : 0));
            double own = fabs(z[i]) >= bound[i] || fabs(z[i]) >= .75 ? 2 : z[i] == 0 ? 1 : 0;
            most = own > most ? own : most;
        }
        ck_assert(place == most && z[n] == 17);
        ck_assert(kind > 0 || place == 0);
    }
}

ON_EACH(within_limits, within_body)

/* 500 rows with missing cells and weights 1 or 2, against two passes in long double. */
static void moments_body(void)
{
    enum { N = 21, ROWS = 500 };
    static double rows[ROWS][N];
    double count[N] = {0}, mean[N] = {0}, m2[N] = {0}, inv_sd[N] = {0}, same_as[3][N] = {{0}};
    for (size_t r = 0; r < ROWS; r++) {
        fill(rows[r], N);
        rows[r][r % N] = NAN;
        rows[r][4] = 0.1;
        ck_assert(anb_moments_update(count, mean, m2, inv_sd, rows[r], 1 + (double)(r % 2), N) == 0);
        anb_moments_update(same_as[0], same_as[1], same_as[2], NULL, rows[r], 1 + (double)(r % 2), N);
    }
    ck_assert(same(count, same_as[0], sizeof count) && same(mean, same_as[1], sizeof mean) &&
              same(m2, same_as[2], sizeof m2));
    for (size_t i = 0; i < N; i++) {
        long double n = 0, sum = 0, squares = 0;
        for (size_t r = 0; r < ROWS; r++)
            if (!isnan(rows[r][i])) {
                n += 1 + r % 2;
                sum += (1 + r % 2) * (long double)rows[r][i];
            }
        for (size_t r = 0; r < ROWS; r++)
            if (!isnan(rows[r][i]))
                squares += (1 + r % 2) * (rows[r][i] - sum / n) * (rows[r][i] - sum / n);
        ck_assert(count[i] == (double)n);
        ck_assert(fabsl(mean[i] - sum / n) <= 1e-13L * 1e3L);
        if (i == 4) {
            ck_assert(m2[i] == 0 && inv_sd[i] == 0 && mean[i] == 0.1);
        } else {
            ck_assert(fabsl(m2[i] - squares) <= 1e-12L * squares);
            ck_assert(fabsl(inv_sd[i] - sqrtl(n / squares)) <= 1e-12L * inv_sd[i]);
        }
    }
}

ON_EACH(moments_follow_two_passes, moments_body)

START_TEST(moments_of_extremes)
{
    double count[1] = {0}, mean[1] = {0}, m2[1] = {0}, inv_sd[1] = {0};
    static const double tiny[] = {1e-170, 0}, large[] = {1e150, -1e150}, over[] = {1e308, -1e308};
    for (size_t i = 0; i < 2; i++)
        ck_assert(anb_moments_update(count, mean, m2, inv_sd, tiny + i, 1, 1) == 0);
    ck_assert(inv_sd[0] == 0);
    count[0] = mean[0] = m2[0] = inv_sd[0] = 0;
    for (size_t i = 0; i < 2; i++)
        ck_assert(anb_moments_update(count, mean, m2, inv_sd, large + i, 1, 1) == 0);
    ck_assert(fabs(inv_sd[0] - 1e-150) < 1e-160);
    count[0] = mean[0] = m2[0] = inv_sd[0] = 0;
    ck_assert(anb_moments_update(count, mean, m2, inv_sd, over, 1, 1) == 0);
    ck_assert(!(anb_moments_update(count, mean, m2, inv_sd, over + 1, 1, 1) == 0));
}
END_TEST

static void follow_body(void)
{
    double mean[MOST + PAD], now[MOST + PAD], before[MOST];
    for (size_t t = 1; t < N_LENGTHS; t++) {
        size_t k = lengths[t];
        double least = HUGE_VAL;
        fill(mean, MOST + PAD);
        fill(now, MOST + PAD);
        mean[k] = now[k] = -1e9; /* behind the last: nobody's */
        memcpy(before, mean, sizeof before);
        double told = anb_ewma_all(mean, now, .125, k);
        for (size_t i = 0; i < k; i++) {
            ck_assert(mean[i] == before[i] + .125 * (now[i] - before[i]));
            least = mean[i] < least ? mean[i] : least;
        }
        ck_assert(told == least);
    }
}

ON_EACH(running_means_follow_and_the_least_is_told, follow_body)

/* What the tests above did not see on this CPU. */
static void positions_body(void)
{
    for (size_t l = 0; l < N_LENGTHS; l++)
        for (size_t most = 0; most <= 20; most += 4) {
            size_t n = lengths[l], wanted = 0;
            double x[MOST] = {0};
            uint32_t at[MOST + 17], where[MOST];
            for (size_t i = 0; i < n; i++) {
                uint64_t kind = bits_of(&seed) % (most == 8 ? 400 : 40);
                x[i] = kind == 0 ? -0. : kind == 1 ? ANB_NAN : kind == 2 ? 0x1p-1074 : kind < 3 + most ? 1 : 0;
                if (kind < 3 + most)
                    where[wanted++] = (uint32_t)i;
            }
            size_t found = anb_positions(x, n, at, most);
            ck_assert_uint_eq(found, wanted <= most ? wanted : most + 1);
            ck_assert(found > most || same(at, where, found * sizeof *at));
        }
}

ON_EACH(positions_of_what_is_not_zero, positions_body)

static Suite *suite(void)
{
    Suite *suite = suite_create("kernels");
    TCase *tests = case_of(suite, 20);
    tcase_add_test(tests, dot_has_one_order);
    tcase_add_test(tests, axpy_adds_and_writes_nothing_behind);
    tcase_add_test(tests, what_is_not_finite_is_told);
    tcase_add_test(tests, gate_scores_and_steps);
    tcase_add_test(tests, logarithms_are_those_of_anb_log1p);
    tcase_add_test(tests, softmax_is_of_anb_exp);
    tcase_add_test(tests, standardize_clips_and_fills);
    tcase_add_test(tests, sizes_that_are_common);
    tcase_add_test(tests, within_limits);
    tcase_add_test(tests, moments_follow_two_passes);
    tcase_add_test(tests, moments_of_extremes);
    tcase_add_test(tests, running_means_follow_and_the_least_is_told);
    tcase_add_test(tests, positions_of_what_is_not_zero);
    add_isa_skips(tests);
    return suite;
}

CHECK_MAIN(suite)
