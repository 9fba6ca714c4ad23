/* Observers of every kind are fed alike: in any order, more than once, beside one of the caller's. */
#include "numbers.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { D = 3, KINDS = 4, TEXT = 16384 };

/* An observer of the caller's: how many samples, and the sum of their errors. */
typedef struct Mine {
    AnbObserver base;
    int samples;
    double sum;
} Mine;

static void add_error(AnbObserver *self, StreamingLearner *model, const double *x, double y, double before)
{
    Mine *mine = (Mine *)self;
    (void)model, (void)x;
    mine->samples++;
    mine->sum += y - before;
}

typedef struct Text {
    char text[TEXT];
    size_t n;
} Text;

static int append(void *context, const void *text, size_t size)
{
    Text *t = context;
    ck_assert_uint_lt(t->n + size, TEXT);
    memcpy(t->text + t->n, text, size);
    t->n += size;
    return 0;
}

static void feed(StreamingLearner *model, AnbObserver *const *observer, const int *order, int times)
{
    uint64_t seed = 5;
    for (int t = 0; t < 500; t++) {
        double x[D] = {uniform_of(&seed), uniform_of(&seed), t == 77 ? INFINITY : uniform_of(&seed)};
        double y = x[0] - 2 * x[1] + 0.1 * uniform_of(&seed), before = anb_train_one(model, x, y, 1);
        for (int i = 0; i < times * KINDS; i++)
            if (i < KINDS || order[i % KINDS] != KINDS - 1) /* the caller's does not know what it was told already */
                anb_observe(observer[order[i % KINDS]], model, x, y, before);
    }
}

/* What all of them say in the end, fed in that order so many times a sample. */
static void run(const int *order, int times, Text *out)
{
    StreamingLearner *model = anb_parse(D, "moe(linear, rls, mean)", NULL, NULL);
    AnbAuditOptions often = anb_audit_defaults();
    often.period = 4;
    AnbDiagnostics *d = anb_diagnostics_new(model, NULL, NULL);
    AnbAudit *audit = anb_audit_new(model, d, "off = ramp(rmse, 0.2)\n0.5 :: off", &often, NULL);
    AnbExpertPool *pool = anb_expert_pool_new(model, NULL);
    Mine mine = {.base = {add_error}};
    AnbObserver *all[KINDS] = {anb_audit_observer(audit), anb_diagnostics_observer(d), anb_expert_pool_observer(pool),
                               &mine.base};
    feed(model, all, order, times);
    out->n = 0;
    ck_assert_int_eq(anb_diagnostics_json(d, audit, true, append, out), 0);
    out->n += (size_t)snprintf(out->text + out->n, TEXT - out->n, " %llu %.17g %d %.17g",
                               (unsigned long long)anb_expert_pool_samples(pool),
                               anb_expert_pool_expert(pool, 1).contribution, mine.samples, mine.sum);
    ck_assert_uint_eq(anb_expert_pool_samples(pool), 499);
    anb_expert_pool_free(pool);
    anb_audit_free(audit);
    anb_diagnostics_free(d);
    anb_free(model);
}

START_TEST(any_order_and_any_number_of_times)
{
    static const int orders[][KINDS] = {{1, 0, 2, 3}, {0, 1, 2, 3}, {2, 3, 0, 1}, {3, 2, 1, 0}, {0, 2, 1, 3}};
    static Text first, other;
    run(orders[0], 1, &first);
    ck_assert(strstr(first.text, "\"audit\"") != NULL);
    for (size_t i = 1; i < sizeof orders / sizeof *orders; i++) {
        run(orders[i], 1 + (int)i % 2, &other);
        ck_assert_str_eq(other.text, first.text);
    }
}
END_TEST

/* A rejected sample and one of weight 0 are passed over. */
START_TEST(what_was_not_learned_is_not_observed)
{
    StreamingLearner *model = anb_parse(D, "moe(linear, mean)", NULL, NULL);
    AnbExpertPool *pool = anb_expert_pool_new(model, NULL);
    const double x[D] = {1, 2, 3}, bad[D] = {1, INFINITY, 3};
    AnbObserver *observer = anb_expert_pool_observer(pool);
    anb_observe(observer, model, x, 1, anb_train_one(model, x, 1, 1));
    anb_observe(observer, model, bad, 1, anb_train_one(model, bad, 1, 1));
    anb_observe(observer, model, x, 1, anb_train_one(model, x, 1, 0));
    ck_assert_uint_eq(anb_expert_pool_samples(pool), 1);
    anb_expert_pool_free(pool);
    anb_free(model);
}
END_TEST

static void learn_one(StreamingLearner *model, AnbObserver *const *observer, size_t n, double weight)
{
    const double x[D] = {1, 2, 3};
    double before = anb_train_one(model, x, 1, weight);
    for (size_t i = 0; i < n; i++)
        anb_observe(observer[i], model, x, 1, before);
}

/* Also where the model has learned as many samples as before the reset; a sample of weight 0 then is none. */
START_TEST(the_first_sample_after_a_reset_is_observed)
{
    StreamingLearner *model = anb_parse(D, "moe(linear, mean)", NULL, NULL);
    AnbExpertPool *pool = anb_expert_pool_new(model, NULL);
    AnbScore *score = anb_score_new(NULL);
    AnbExplainer *explainer = anb_explainer_new(model, NULL, NULL);
    AnbObserver *all[] = {anb_expert_pool_observer(pool), anb_score_observer(score), anb_explainer_observer(explainer)};
    AnbScoreReport report;
    learn_one(model, all, 3, 1);
    for (int i = 0; i < 3; i++) {
        anb_reset(model);
        for (size_t k = 0; k < 3; k++)
            anb_observe_reset(all[k], model);
        learn_one(model, all, 3, 0);
        learn_one(model, all, 3, 1);
    }
    anb_score_report(score, &report);
    ck_assert_uint_eq(anb_expert_pool_samples(pool), 4);
    ck_assert_uint_eq(report.n, 4);
    ck_assert_uint_eq(anb_explainer_rows(explainer), 4);
    ck_assert_uint_eq(anb_n_samples_seen(model), 1);
    anb_explainer_free(explainer);
    anb_score_free(score);
    anb_expert_pool_free(pool);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("observer");
    TCase *tests = case_of(suite, 30);
    tcase_add_test(tests, any_order_and_any_number_of_times);
    tcase_add_test(tests, what_was_not_learned_is_not_observed);
    tcase_add_test(tests, the_first_sample_after_a_reset_is_observed);
    return suite;
}

CHECK_MAIN(suite)
