/* The best of experts that err the same is the first one: for the routers of a mixture, and where `blend` chooses whom
 * to weigh by the features. */
#include "made.h"
#include "state_field.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <anabranch/capability.h>
#include <anabranch/moe.h>
#include <anabranch/type.h>
#include <math.h>

/* ---- a router that selects what the test says ------------------------------------------------------------------- */

enum { K = 3 };

static struct {
    unsigned order[K];
    size_t n_active, explorer; /* K: none */
    unsigned best;
} told;

static void select_as_told(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate, double *scratch)
{
    (void)self, (void)state, (void)row, (void)scratch;
    for (size_t i = 0; i < K; i++) {
        gate->p[i] = 1. / K;
        gate->weight[i] = 0;
    }
    for (size_t a = 0; a < told.n_active; a++) {
        gate->active[a] = told.order[a];
        gate->weight[told.order[a]] = 1 / (double)told.n_active;
    }
    gate->n_active = told.n_active;
}

static double mix(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate, double *scratch)
{
    (void)self, (void)state, (void)row, (void)scratch;
    return gate->f[gate->active[0]];
}

static void keep_best(const AnbNode *self, void *state, const AnbRow *row, AnbGate *gate, double y, double weight,
                      double *scratch)
{
    (void)self, (void)state, (void)row, (void)y, (void)weight, (void)scratch;
    memcpy(gate->after, gate->p, K * sizeof *gate->p);
    told.best = gate->best;
}

static size_t explorer_as_told(const AnbNode *self, const AnbGate *gate)
{
    (void)self, (void)gate;
    return told.explorer;
}

static const AnbExploreTable explores = {explorer_as_told};
static const AnbRouterType router = {.type = {.name = "told", .flags = ANB_WEIGHT_SCALED, .version = 1},
                                     .gate = select_as_told,
                                     .mix = mix,
                                     .learn = keep_best,
                                     .explore = &explores};

/* The best for the target y, of two means of 2 and a last value of 3. */
static unsigned best_of(const char *loss, double y)
{
    char expression[128];
    snprintf(expression, sizeof expression, "moe(mean, mean, last, %srouter=told)", loss);
    StreamingLearner *model = made_with(1, expression, &router.type);
    const double x = 0;
    size_t n_active = told.n_active, explorer = told.explorer;
    unsigned order[K], all[K] = {0, 1, 2};
    memcpy(order, told.order, sizeof order);
    memcpy(told.order, all, sizeof all);
    told.n_active = told.explorer = K;
    anb_train_one(model, &x, 1, 1);
    anb_train_one(model, &x, 3, 1);
    memcpy(told.order, order, sizeof order);
    told.n_active = n_active;
    told.explorer = explorer;
    anb_train_one(model, &x, y, 1);
    anb_free(model);
    return told.best;
}

static void send_to(unsigned a, unsigned b, unsigned c, size_t n_active, size_t explorer)
{
    const unsigned order[K] = {a, b, c};
    memcpy(told.order, order, sizeof order);
    told.n_active = n_active;
    told.explorer = explorer;
}

/* In the order of selection. */
START_TEST(the_first_of_equals_is_best)
{
    static const unsigned orders[][K] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) {
        const unsigned *order = orders[o], mean = order[0] == 2 ? order[1] : order[0];
        send_to(order[0], order[1], order[2], K, K);
        ck_assert_uint_eq(best_of("", 2.5), order[0]);
        ck_assert_uint_eq(best_of("", 2.375), mean);
        ck_assert_uint_eq(best_of("", 2.625), 2);
        ck_assert_uint_eq(best_of("loss=quantile, level=0.5, ", 2.5), order[0]);
        ck_assert_uint_eq(best_of("loss=quantile, level=0.75, ", 2.75), 2);
        ck_assert_uint_eq(best_of("loss=quantile, level=0.75, ", 2.25), order[0]);
    }
}
END_TEST

/* One that explores has to be better than the best of the active ones. */
START_TEST(who_explores_comes_last)
{
    send_to(0, 1, 2, 1, 2);
    ck_assert_uint_eq(best_of("", 2.5), 0);
    ck_assert_uint_eq(best_of("", 2.625), 2);
    send_to(2, 1, 0, 1, 0);
    ck_assert_uint_eq(best_of("", 2.5), 2);
    ck_assert_uint_eq(best_of("", 2.375), 0);
    send_to(1, 0, 2, 1, 0);
    ck_assert_uint_eq(best_of("", 2.5), 1);
}
END_TEST

/* Eight experts, of whom six are weighed by the features: the six best ones, the first of those that err the same. */
static void chosen(const char *experts, const double *wanted)
{
    char expression[128];
    snprintf(expression, sizeof expression, "moe(%s, router=blend(wide=true))", experts);
    StreamingLearner *model = made(1, expression);
    size_t gate = 0;
    while (strcmp(model->plan->nodes[gate].type->name, "blend") != 0)
        gate++;
    uint64_t state = 1;
    for (int t = 0; t < 600; t++) {
        double x = 1 - 2 * (double)(t % 2);
        state = state * 6364136223846793005u + 1;
        anb_train_one(model, &x, 3 + x + (double)(state >> 60) / 16, 1);
    }
    for (size_t b = 0; b < 6; b++)
        ck_assert_double_eq(*real_at(model, gate, "chosen", b), wanted[b]);
    anb_free(model);
}

START_TEST(blend_takes_the_first_of_equals)
{
    chosen("mean, mean, mean, mean, mean, mean, mean, mean", (double[]){0, 1, 2, 3, 4, 5});
    chosen("mean, mean, mean, last, mean, mean, mean, linear", (double[]){0, 1, 2, 4, 5, 7});
    chosen("last, last, linear, last, last, last, last, last", (double[]){0, 1, 2, 3, 4, 5});
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("best");
    TCase *tests = case_of(suite, 20);
    tcase_add_test(tests, the_first_of_equals_is_best);
    tcase_add_test(tests, who_explores_comes_last);
    tcase_add_test(tests, blend_takes_the_first_of_equals);
    return suite;
}

CHECK_MAIN(suite)
