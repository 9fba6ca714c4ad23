#include "numbers.h"
#include "alone.h"
#include "reload.h"
#include "suite.h"
#include "src/simd/isa.h"
#include <anabranch/anabranch.h>

static const char *const models[] = {"tree",
                                     "tree(leaf=mean)",
                                     "tree(leaf=linear)",
                                     "tree(leaf=rls)",
                                     "forest(trees=3)",
                                     "forest(trees=3, leaf=rls)",
                                     "scale(forest(trees=2))"};
enum { MODELS = sizeof models / sizeof *models };

static StreamingLearner *seeded(const char *text, size_t d, uint64_t seed)
{
    AnbModelOptions options = anb_model_defaults();
    AnbError error = {0};
    options.seed = seed;
    StreamingLearner *model = anb_parse(d, text, &options, &error);
    ck_assert_msg(model != NULL, "%s: %s", text, error.message);
    return model;
}

/* Friedman's function of 1991 of the first five of ten features, with its noise; `swapped`: of the last five. */
static double friedman(uint64_t *seed, double *x, bool swapped)
{
    double noise = 0;
    for (int j = 0; j < 10; j++)
        x[j] = .5 + .5 * uniform_of(seed);
    for (int j = 0; j < 12; j++)
        noise += .5 * uniform_of(seed); /* variance 1 */
    const double *v = swapped ? x + 5 : x;
    double bump = v[0] * v[1] < .5 ? v[0] * v[1] : 1 - v[0] * v[1];
    return 20 * bump + 20 * (v[2] - .5) * (v[2] - .5) + 10 * v[3] + 5 * v[4] + noise;
}

/* Root mean square error over samples from..to of a stream that is learned from the start. */
static double error_over(StreamingLearner *model, uint64_t *seed, int n, int from, bool swapped)
{
    double x[10], sum = 0;
    for (int i = 0; i < n; i++) {
        double y = friedman(seed, x, swapped), e = y - anb_train_one(model, x, y, 1);
        sum += i >= from ? e * e : 0;
    }
    return sqrt(sum / (n - from));
}

START_TEST(a_tree_learns_a_step)
{
    StreamingLearner *model = seeded("tree", 2, 1);
    uint64_t seed = 3;
    for (int i = 0; i < 5000; i++) {
        double x[2] = {uniform_of(&seed), uniform_of(&seed)};
        anb_train_one(model, x, x[1] < .25 ? -1 : 5, 1);
    }
    ck_assert_double_eq_tol(anb_predict(model, (double[]){0, -.5}), -1, .02);
    ck_assert_double_eq_tol(anb_predict(model, (double[]){0, .5}), 5, .02);
    ck_assert_double_eq_tol(anb_predict(model, (double[]){.7, .15}), -1, .1);
    ck_assert_double_eq_tol(anb_predict(model, (double[]){-.7, .35}), 5, .1);
    anb_free(model);
}
END_TEST

START_TEST(a_forest_is_better_than_a_tree_and_both_than_the_mean)
{
    StreamingLearner *tree = seeded("tree", 10, 1), *forest = seeded("forest", 10, 1);
    uint64_t a = 5, b = 5;
    double of_tree = error_over(tree, &a, 6000, 3000, false), of_forest = error_over(forest, &b, 6000, 3000, false);
    ck_assert_double_lt(of_tree, 3); /* the target's deviation is 5, the noise's 1 */
    ck_assert_double_lt(of_forest, .85 * of_tree);
    anb_free(tree);
    anb_free(forest);
}
END_TEST

START_TEST(a_seed_decides_everything)
{
    StreamingLearner *a = seeded("forest(trees=4)", 10, 7), *b = seeded("forest(trees=4)", 10, 7);
    StreamingLearner *other = seeded("forest(trees=4)", 10, 8), *own = seeded("forest(trees=4, seed=99)", 10, 7);
    uint64_t seed = 12;
    double x[10];
    int apart = 0, far = 0;
    for (int i = 0; i < 3000; i++) {
        double y = friedman(&seed, x, false), said = anb_train_one(a, x, y, 1);
        ck_assert_double_eq(said, anb_train_one(b, x, y, 1));
        apart += said != anb_train_one(other, x, y, 1);
        far += said != anb_train_one(own, x, y, 1);
    }
    ck_assert(anb_equal(a, b));
    ck_assert_int_gt(apart, 2000);
    ck_assert_int_gt(far, 2000);
    anb_free(a);
    anb_free(b);
    anb_free(other);
    anb_free(own);
}
END_TEST

enum { STREAMS = 4 };

/* The errors before the features swap their roles and a while after it, by streams in the geometric mean; drifts of
 * all. */
typedef struct Swap {
    double before, after;
    uint64_t drifts;
} Swap;

static Swap swap_of(const char *expression, size_t skipped, size_t after)
{
    Swap swap = {1, 1, 0};
    for (uint64_t stream = 0; stream < STREAMS; stream++) {
        StreamingLearner *model = seeded(expression, 10, 1);
        uint64_t seed = 21 + stream;
        swap.before *= pow(error_over(model, &seed, 6000, 4000, false), 1. / STREAMS);
        swap.after *= pow(error_over(model, &seed, skipped + after, skipped, true), 1. / STREAMS);
        swap.drifts += anb_counters(model)->drifts;
        anb_free(model);
    }
    return swap;
}

START_TEST(after_an_abrupt_swap_the_error_returns)
{
    Swap swap = swap_of("scale(forest)", 3000, 1000);
    ck_assert_msg(swap.after < 1.25 * swap.before, "%g before, %g after", swap.before, swap.after);
    ck_assert_uint_gt(swap.drifts, 5 * STREAMS);
}
END_TEST

START_TEST(a_tree_is_replaced_after_a_swap)
{
    Swap swap = swap_of("tree", 4000, 2000);
    ck_assert_msg(swap.after < 1.05 * swap.before, "%g before, %g after", swap.before, swap.after);
    ck_assert_uint_eq(swap.drifts, STREAMS);
}
END_TEST

/* Without a scale above, a missing cell reaches the leaves' models as well: they sit out, thresholds route it. */
START_TEST(missing_cells_need_no_scale)
{
    StreamingLearner *model = seeded(_i == 0   ? "tree"
                                     : _i == 1 ? "forest(trees=3)"
                                               : "forest(trees=3, leaf=rls)",
                                     3, 1);
    uint64_t seed = 6;
    double sum = 0;
    for (int i = 0; i < 6000; i++) {
        double x[3] = {uniform_of(&seed), uniform_of(&seed), uniform_of(&seed)};
        bool gone = uniform_of(&seed) < -.6; /* one in five */
        double y = (x[0] > 0 ? 3 : 0) + (gone ? 2 : x[1]);
        x[1] = gone ? ANB_NAN : x[1];
        double e = y - anb_train_one(model, x, y, 1);
        sum += i >= 4000 ? e * e : 0;
    }
    ck_assert_double_lt(sqrt(sum / 2000), .3); /* the target's deviation is 1.8 */
    ck_assert_uint_eq(anb_counters(model)->restarts, 0);
    anb_free(model);
}
END_TEST

/* The same bits after the targets were multiplied by a power of two, but for the factor. */
START_TEST(the_scale_of_the_target_does_not_matter)
{
    const double factor = _i % 2 ? 0x1p-40 : 0x1p+40;
    StreamingLearner *a = seeded(models[_i / 2], 10, 1), *b = seeded(models[_i / 2], 10, 1);
    uint64_t seed = 2;
    double x[10];
    for (int i = 0; i < 2500; i++) {
        double y = friedman(&seed, x, false), said = anb_train_one(a, x, y, 1);
        ck_assert_double_eq(said * factor, anb_train_one(b, x, y * factor, 1));
    }
    anb_free(a);
    anb_free(b);
}
END_TEST

static double edge_row(int kind, int i, size_t d, uint64_t *seed, double *x)
{
    double sum = 0;
    for (size_t j = 0; j < d; j++) {
        x[j] = kind == 1 ? 3 : kind == 4 ? i % 2 : uniform_of(seed);
        sum += j < 3 ? x[j] : 0;
    }
    return kind == 0 ? 4.5 : kind == 4 ? 10 * (i % 2) : kind == 5 ? 1e12 + 1e9 * sum : sum;
}

/* 0 a constant target, 1 constant features, 2 one feature, 3 two hundred, 4 two rows in turn, 5 large targets. */
START_TEST(edge_streams)
{
    int kind = _i % 6;
    size_t d = kind == 2 ? 1 : kind == 3 ? 200 : 6;
    StreamingLearner *model = seeded(models[_i / 6], d, 1);
    uint64_t seed = 31;
    double x[200], last = 0, y = 0;
    for (int i = 0; i < 1500; i++) {
        y = edge_row(kind, i, d, &seed, x);
        last = anb_train_one(model, x, y, 1);
        ck_assert(isfinite(last));
    }
    if (kind == 0 || kind == 4)
        ck_assert_double_eq_tol(last, y, .1);
    if (kind == 5)
        ck_assert_double_eq_tol(last, 1e12, 1e10);
    ck_assert_uint_eq(anb_counters(model)->restarts, 0);
    anb_free(model);
}
END_TEST

START_TEST(importance_is_shares_of_what_splits_gained)
{
    uint64_t seed = 8;
    double x[10], share[10], sum = 0, noise = 0;
    const StreamingLearnerType *type = _i == 0 ? &anb_tree : &anb_forest;
    AnbTreeOptions tree = anb_tree_defaults();
    AnbForestOptions forest = anb_forest_defaults();
    const void *options = &forest;
    if (_i == 0)
        options = &tree;
    Alone a = {.node = {.type = type, .options = options, .n_features = 10, .seed = 5}};
    AnbCounters counters = {0};
    AnbRow row = {x, x, NULL, &counters, NULL};
    alone_start(&a);
    for (int i = 0; i < 5000; i++) {
        double y = friedman(&seed, x, false);
        alone_learn(&a, &row, y);
    }
    ck_assert_int_eq(type->importance->shares(&a.node, a.state, share), 0);
    for (int j = 0; j < 10; j++) {
        ck_assert_double_ge(share[j], 0);
        sum += share[j];
        noise += j >= 5 ? share[j] : 0;
    }
    ck_assert_double_eq_tol(sum, 1, 1e-12);
    ck_assert_double_lt(noise, .05);
    ck_assert_double_gt(share[3], .2); /* 10 x_4: a third of the variance */
    alone_end(&a);
}
END_TEST

static double friedman_row(uint64_t *seed, double *x)
{
    return friedman(seed, x, false);
}

/* Edges are under way from row 100 and from row 400 on, searches for splits at any time. */
START_TEST(snapshots_amid_new_edges)
{
    StreamingLearner *model = seeded(models[_i], 10, 1);
    uint64_t seed = 6;
    error_over(model, &seed, 95, 0, false);
    for (int round = 0; round < 70; round++)
        assert_reload_goes_on(model, 7, friedman_row, &seed);
    anb_free(model);
}
END_TEST

/* Whatever each of the two has kept of earlier edges: nothing that is not used is compared. */
START_TEST(a_loaded_tree_equals_the_saved_one_in_every_row)
{
    AnbError error;
    StreamingLearner *model = seeded(models[_i], 10, 1);
    uint64_t seed = 7, draws = 8;
    error_over(model, &seed, 1500, 0, false);
    StreamingLearner *twin = reloaded(model, &error);
    ck_assert_msg(twin != NULL, "%s", error.message);
    for (int t = 1500; t < 2100; t++) { /* edges are due in row 1,600 */
        double x[10], y = friedman(&draws, x, false);
        ck_assert_double_eq(anb_train_one(model, x, y, 1), anb_train_one(twin, x, y, 1));
        ck_assert_msg(anb_equal(model, twin), "row %d", t);
    }
    anb_free(twin);
    anb_free(model);
}
END_TEST

START_TEST(memory_is_as_promised)
{
    static const char *const kinds[] = {"forest", "forest(leaf=mean)", "forest(leaf=linear)", "forest(leaf=rls)"};
    StreamingLearner *small = seeded(kinds[_i], 12, 1), *large = seeded(kinds[_i], 128, 1);
    ck_assert_uint_le(anb_total_bytes(small), 10000000);
    ck_assert_uint_le(anb_total_bytes(large), 80000000);
    anb_free(small);
    anb_free(large);
}
END_TEST

/* One cell in seven is missing. */
static void spoil(uint64_t *seed, double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = uniform_of(seed) < -.7 ? ANB_NAN : x[i];
}

/* Asks for 37 rows at once and one by one; returns how many predictions differ from the first. */
static size_t ask_at_once(StreamingLearner *model, uint64_t *seed)
{
    enum { ASKED = 37 };
    double x[ASKED * 10], said[ASKED];
    size_t others = 0;
    for (size_t i = 0; i < ASKED; i++)
        friedman(seed, x + 10 * i, false);
    spoil(seed, x, ASKED / 2 * 10);
    anb_predict_many(model, x, ASKED, said);
    for (size_t i = 0; i < ASKED; i++) {
        double alone = anb_predict(model, x + 10 * i);
        ck_assert_msg(memcmp(&alone, &said[i], sizeof alone) == 0, "row %zu: %.17g, alone %.17g", i, said[i], alone);
        others += said[i] != said[0];
    }
    return others;
}

/* Grown trees, whose leaves have models, corrections and ranges, on rows of which some miss cells. */
START_TEST(many_rows_at_once_are_the_loop)
{
    AnbIsa before = anb_isa_in_use();
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++) {
        if (!anb_isa_use((AnbIsa)isa))
            continue;
        StreamingLearner *model = seeded(models[_i], 10, 4);
        uint64_t seed = 12, rows = 13;
        for (int i = 0; i < 3; i++) {
            for (int t = 0; t < 1200; t++) {
                double x[10], y = friedman(&seed, x, false);
                spoil(&rows, x, t % 9 == 0 ? 10 : 0);
                anb_train_one(model, x, y, 1);
            }
            ck_assert_uint_gt(ask_at_once(model, &rows), 20);
        }
        anb_free(model);
    }
    anb_isa_use(before);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("trees");
    TCase *tests = case_of(suite, 60);
    tcase_add_test(tests, a_tree_learns_a_step);
    tcase_add_test(tests, a_forest_is_better_than_a_tree_and_both_than_the_mean);
    tcase_add_test(tests, a_seed_decides_everything);
    tcase_add_test(tests, after_an_abrupt_swap_the_error_returns);
    tcase_add_test(tests, a_tree_is_replaced_after_a_swap);
    tcase_add_loop_test(tests, missing_cells_need_no_scale, 0, 3);
    tcase_add_loop_test(tests, the_scale_of_the_target_does_not_matter, 0, 2 * MODELS);
    tcase_add_loop_test(tests, edge_streams, 0, 6 * MODELS);
    tcase_add_loop_test(tests, importance_is_shares_of_what_splits_gained, 0, 2);
    tcase_add_loop_test(tests, snapshots_amid_new_edges, 0, MODELS);
    tcase_add_loop_test(tests, a_loaded_tree_equals_the_saved_one_in_every_row, 0, MODELS);
    tcase_add_loop_test(tests, many_rows_at_once_are_the_loop, 0, MODELS);
    tcase_add_loop_test(tests, memory_is_as_promised, 0, 4);
    return suite;
}

CHECK_MAIN(suite)
