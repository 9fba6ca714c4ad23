#include "numbers.h"
#include "learners/trees/cart.h"
#include "learners/trees/whiten.h"
#include "suite.h"
#include <gsl/gsl_linalg.h>

/* One tree of two features with its bins, fed by hand. */
typedef struct Plant {
    AnbCartPlan plan;
    AnbCart *tree;
    AnbBins *bins;
    AnbRandom random;
    double work[ANB_BINS_SAMPLE];
} Plant;

static Plant *plant(AnbLeaves leaf, uint32_t nodes, uint32_t slots)
{
    Plant *p = calloc(1, sizeof *p);
    p->plan = (AnbCartPlan){
        .features = 2, .share = 1, .nodes = nodes, .slots = slots, .look = 1, .leaf = leaf, .bag = 1, .memory = 100};
    anb_cart_layout(&p->plan);
    p->tree = malloc(p->plan.bytes);
    memset(p->tree, 0xa5, p->plan.bytes); /* init must not count on zeros */
    p->bins = calloc(1, anb_bins_bytes(2));
    anb_bins_init(p->bins, 2);
    anb_random_seed(&p->random, 1);
    anb_cart_init(&p->plan, p->tree);
    return p;
}

static void uproot(Plant *p)
{
    free(p->tree);
    free(p->bins);
    free(p);
}

static AnbReached ask(Plant *p, const double *x)
{
    double scratch[64];
    return anb_cart_reach(&p->plan, p->tree, x, x, scratch);
}

static void teach(Plant *p, const double *x, double y)
{
    double scratch[64], white[2] = {x[0], x[1]};
    unsigned char codes[2];
    AnbReached at = anb_cart_reach(&p->plan, p->tree, x, x, scratch);
    anb_bins_codes(p->bins, 2, x, codes);
    AnbCartSample sample = {.x = x,
                            .raw = x,
                            .codes = codes,
                            .bins = p->bins,
                            .white = white,
                            .white0 = 1,
                            .energy = 1 + x[0] * x[0] + x[1] * x[1],
                            .y = y,
                            .weight = 1,
                            .limit = 1e9,
                            .min_f = 12,
                            .random = &p->random,
                            .scratch = scratch};
    anb_cart_learn(&p->plan, p->tree, &at, &sample);
    if (anb_bins_see(p->bins, x, anb_random_bits(&p->random))) {
        for (size_t j = 0; j < 2; j++)
            while (!anb_bins_step(p->bins, j))
                ;
        anb_bins_finish(p->bins);
    }
}

/* A step at 0.5 on a grid of twentieths: every quantity is known. */
START_TEST(a_step_is_one_split_halfway)
{
    Plant *p = plant(ANB_LEAVES_MEAN, 99, 8);
    uint64_t seed = 9;
    for (int i = 0; i < 4000; i++) {
        double x[2] = {(i * 7 % 20) / 20.0, uniform_of(&seed)};
        teach(p, x, x[0] < .5 ? 2 : 7);
    }
    AnbCartNode *nodes = anb_cart_nodes(&p->plan, p->tree);
    ck_assert_uint_eq(p->tree->nodes_used, 3); /* both sides are pure: nothing more to gain */
    ck_assert_uint_eq(nodes[0].feature, 0);
    ck_assert_double_eq_tol(nodes[0].threshold, .475, 1e-12);
    /* n of 2,000 on each side, shrunk by 10 toward the root's mean at the split, which was between 2 and 7 */
    ck_assert_double_eq_tol(ask(p, (double[]){.2, 0}).mean, 2, 5 * 10 / 2000.0);
    ck_assert_double_eq_tol(ask(p, (double[]){.9, 0}).mean, 7, 5 * 10 / 2000.0);
    ck_assert_double_gt(anb_cart_importance(&p->plan, p->tree)[0], 0);
    ck_assert_double_eq(anb_cart_importance(&p->plan, p->tree)[1], 0);
    ck_assert(anb_cart_valid(&p->plan, p->tree));
    uproot(p);
}
END_TEST

START_TEST(a_leaf_is_the_shrunk_mean)
{
    Plant *p = plant(ANB_LEAVES_MEAN, 99, 8);
    double sum = 0;
    for (int i = 0; i < 40; i++) {
        double y = i % 7;
        teach(p, (double[]){0, 0}, y);
        sum += y;
    }
    /* the root's prior is its first target: 0 */
    ck_assert_double_eq_tol(ask(p, (double[]){0, 0}).value, sum / 50, 1e-12);
    uproot(p);
}
END_TEST

START_TEST(missing_cells_take_the_better_side)
{
    Plant *p = plant(ANB_LEAVES_MEAN, 99, 8);
    uint64_t seed = 4;
    for (int i = 0; i < 3000; i++) {
        double u = uniform_of(&seed), x[2] = {i % 5 == 0 ? ANB_NAN : u, uniform_of(&seed)};
        teach(p, x, x[0] == x[0] ? (u > 0 ? 4 : -4) : (_i == 0 ? 4 : -4));
    }
    ck_assert_double_eq_tol(ask(p, (double[]){ANB_NAN, 0}).value, _i == 0 ? 4 : -4, .3);
    ck_assert_double_eq_tol(ask(p, (double[]){-.8, 0}).value, -4, .3);
    ck_assert_double_eq_tol(ask(p, (double[]){.8, 0}).value, 4, .3);
    uproot(p);
}
END_TEST

START_TEST(linear_leaves_learn_a_line_and_stay_in_range)
{
    Plant *p = plant((AnbLeaves)_i, 99, 64);
    uint64_t seed = 4;
    for (int i = 0; i < 5000; i++) {
        double x[2] = {uniform_of(&seed), uniform_of(&seed)};
        teach(p, x, 1 + 3 * x[0] - 2 * x[1]);
    }
    for (int i = 0; i < 100; i++) {
        double x[2] = {.5 * uniform_of(&seed), .5 * uniform_of(&seed)};
        ck_assert_double_eq_tol(ask(p, x).model, 1 + 3 * x[0] - 2 * x[1], .25);
    }
    ck_assert_double_le(ask(p, (double[]){1e6, 0}).value, 6);
    ck_assert_double_ge(ask(p, (double[]){-1e6, 1e9}).value, -4);
    ck_assert(anb_cart_valid(&p->plan, p->tree));
    uproot(p);
}
END_TEST

START_TEST(nodes_and_slots_are_bounded)
{
    Plant *p = plant(ANB_LEAVES_ADAPTIVE, 31, 3);
    uint64_t seed = 8;
    for (int i = 0; i < 30000; i++) {
        double x[2] = {uniform_of(&seed), uniform_of(&seed)};
        teach(p, x, x[0] * x[0] * x[0] + (x[1] > 0 ? x[0] : -x[1]));
        ck_assert(i % 1000 || anb_cart_valid(&p->plan, p->tree));
    }
    ck_assert_uint_eq(p->tree->nodes_used, 31);
    ck_assert_uint_eq(p->tree->pool.used, 3);
    ck_assert_uint_eq(p->tree->pool.live, 0); /* no node is left: no histogram is needed */
    uproot(p);
}
END_TEST

/* k is the row times the inverse of the discounted second moment, the identity its prior. */
START_TEST(a_gain_is_the_inverse_moment_times_the_row)
{
    enum { D = 5, N = D + 1, ROWS = 300 };
    const double lambda = .9998;
    AnbWhitener *gain = malloc(anb_whiten_bytes(D));
    double scratch[256], x[D], moment[N * N] = {0}, row[N], count = 0;
    uint64_t seed = 77;
    anb_whiten_init(gain, D);
    for (int i = 0; i < N; i++)
        moment[i * N + i] = 1;
    for (int t = 0; t < ROWS; t++) {
        double common = uniform_of(&seed);
        for (int j = 0; j < D; j++)
            row[j] = x[j] = uniform_of(&seed) + common + .2 * j;
        row[D] = 1;
        count = lambda * count + 1;
        for (int i = 0; i < N * N; i++)
            moment[i] = lambda * moment[i] + row[i / N] * row[i % N];
        anb_whiten_see(gain, D, x, scratch);
    }
    double solved[N], energy = 0;
    gsl_matrix_view m = gsl_matrix_view_array(moment, N, N);
    gsl_vector_view b = gsl_vector_view_array(row, N), k = gsl_vector_view_array(solved, N);
    gsl_linalg_cholesky_decomp1(&m.matrix);
    gsl_linalg_cholesky_solve(&m.matrix, &b.vector, &k.vector);
    for (int i = 0; i < N; i++)
        energy += count * solved[i] * row[i];
    for (int j = 0; j < D; j++)
        ck_assert_double_eq_tol(anb_whiten_row(gain, D)[j], count * solved[j], 2e-2 * fabs(count * solved[j]) + 2e-3);
    ck_assert_double_eq_tol(gain->k0, count * solved[D], 2e-2 * fabs(gain->k0) + 2e-3);
    ck_assert_double_eq_tol(gain->energy, energy, 2e-2 * energy);
    ck_assert(anb_whiten_valid(gain, D));
    x[0] = 1e200;
    anb_whiten_see(gain, D, x, scratch);
    ck_assert(isfinite(gain->energy) && isfinite(gain->k0) && isfinite(anb_whiten_row(gain, D)[0]));
    free(gain);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("cart");
    TCase *tests = case_of(suite, 30);
    tcase_add_test(tests, a_step_is_one_split_halfway);
    tcase_add_test(tests, a_leaf_is_the_shrunk_mean);
    tcase_add_loop_test(tests, missing_cells_take_the_better_side, 0, 2);
    tcase_add_loop_test(tests, linear_leaves_learn_a_line_and_stay_in_range, ANB_LEAVES_LINEAR, ANB_LEAVES_RLS + 1);
    tcase_add_test(tests, nodes_and_slots_are_bounded);
    tcase_add_test(tests, a_gain_is_the_inverse_moment_times_the_row);
    return suite;
}

CHECK_MAIN(suite)
