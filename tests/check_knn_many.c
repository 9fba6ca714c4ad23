/* Many queries of a window beside each of them alone. */
#include "made.h"
#include "learners/knn/knn_state.h"
#include "src/host/model.h"
#include "src/numeric/random.h"
#include "src/simd/isa.h"
#include "suite.h"

static void draw(AnbRandom *random, double *x, size_t cells)
{
    for (size_t i = 0; i < cells; i++)
        x[i] = anb_random_uniform(random);
}

/* Many queries say what each alone says: while codes follow a new metric, with more features than a plane has, and where
 * the codes of one, which is far out, are bounded and leave all rows as candidates. */
static void ask_while_codes_follow(size_t d, const char *expression)
{
    enum { ROWS = 3400, ASKED = 21, MOST = 70 };
    static double x[ASKED * MOST], said[ASKED];
    StreamingLearner *model = made(d, expression);
    View v = anb_knn_view(model->plan->nodes, anb_state_of(model, model->plan->nodes));
    AnbRandom random;
    size_t under_way = 0;
    anb_random_seed(&random, 3);
    for (size_t i = 0; i < ROWS; i++) {
        draw(&random, x, d);
        const double late =
            i > ROWS - 300 ? 6 * x[1 % d] : 0; /* the metric changes, and codes of a few features with it */
        anb_train_one(model, x, x[0] + 2 * x[d / 2] * x[d - 1] + (i % 800 > 400 ? x[0] : 0) + late, 1);
        if (i < ROWS - 120 || i % 2)
            continue;
        under_way += v.turn->under_way;
        draw(&random, x, ASKED * d);
        x[d + 1] = 1e6;
        anb_predict_many(model, x, ASKED, said);
        for (size_t q = 0; q < ASKED; q++)
            ck_assert(said[q] == anb_predict(model, x + q * d));
    }
    ck_assert_uint_gt(under_way, 2);
    anb_free(model);
}

START_TEST(many_queries_while_codes_follow)
{
    static const size_t widths[] = {1, 3, 8, 23, 24, 30, 70};
    AnbIsa before = anb_isa_in_use();
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++)
        if (anb_isa_use((AnbIsa)isa))
            ask_while_codes_follow(widths[_i], "knn(window=3000)");
    anb_isa_use(before);
}
END_TEST

START_TEST(many_queries_by_a_few_features)
{
    AnbIsa before = anb_isa_in_use();
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++)
        if (anb_isa_use((AnbIsa)isa)) {
            ask_while_codes_follow(8, "knn(window=3000, coarse=4)");
            ask_while_codes_follow(30, "knn(window=3000, coarse=3)");
        }
    anb_isa_use(before);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("knn_many");
    TCase *tests = case_of(suite, 60);
    tcase_add_loop_test(tests, many_queries_while_codes_follow, 0, 7);
    tcase_add_test(tests, many_queries_by_a_few_features);
    return suite;
}

CHECK_MAIN(suite)
