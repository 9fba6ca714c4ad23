/* Calls of a pool that several threads work on: that they do, in the order of the call, with each sample done once. */
#define _GNU_SOURCE
#include "numbers.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <anabranch/type.h>
#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MODELS = 40, MOST = 8193, THREADS = 2 };

/* ---- a learner that takes a given time and notes who calls it ---------------------------------------------------- */

static atomic_uint steps;           /* that a sample takes, of some nanoseconds each */
static atomic_bool counting;        /* predictions count as restarts */
static atomic_uint predictions;     /* of all models */
static atomic_uint done_by[64];     /* samples, by thread */
static atomic_uint threads_known;   /* that ever did a sample */
static _Thread_local unsigned self; /* number of this thread, from 1; 0: it has none yet */
static const double *watched;       /* cells of the samples, or NULL */
static unsigned made_by[MOST];      /* thread that last predicted each of these */

static void work(void)
{
    volatile double value = 1;
    for (unsigned i = atomic_load(&steps); i > 0; i--)
        value = value * 1.0000001;
    self = self ? self : 1 + atomic_fetch_add(&threads_known, 1);
    atomic_fetch_add(&done_by[self % 64], 1);
}

static const AnbField fields[] = {{.name = "last", .kind = ANB_F64, .fixed = 1}, {0}};

static double predict(const AnbNode *node, const void *state, const AnbRow *row, double *scratch)
{
    (void)node, (void)scratch;
    work();
    if (watched)
        made_by[row->x - watched] = self;
    atomic_fetch_add(&predictions, 1);
    row->counters->restarts += atomic_load(&counting);
    return *(const double *)state + row->x[0];
}

/* Depends on the order of the samples. */
static void update(const AnbNode *node, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    double *last = state;
    (void)node, (void)row, (void)weight, (void)scratch;
    *last = *last / 2 + y;
}

static const StreamingLearnerType slow = {.name = "slow",
                                          .brief = "a sum that forgets, slowly",
                                          .example = "slow",
                                          .flags = ANB_READS_X | ANB_WEIGHT_SCALED | ANB_COMPACT,
                                          .version = 1,
                                          .fields = fields,
                                          .predict = predict,
                                          .update = update};

/* ---- two sets of models with the same samples: of the loop, and of the pool -------------------------------------- */

typedef struct Half {
    StreamingLearner *model[MODELS], *of[MOST];
    double said[MOST];
} Half;

typedef struct Work {
    Half loop, pool;
    double cells[MOST], y[MOST];
    const double *x[MOST];
    AnbPool *threads;
} Work;

static int by_address(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    return (x > y) - (x < y);
}

static void half_make(Half *half)
{
    static const StreamingLearnerType *const types[] = {&slow, NULL};
    AnbModelOptions options = anb_model_defaults();
    options.types = types;
    for (size_t i = 0; i < MODELS; i++)
        ck_assert_ptr_nonnull(half->model[i] = anb_parse(1, "slow", &options, NULL));
    qsort(half->model, MODELS, sizeof half->model[0], by_address);
}

/* The samples visit `models` models in turn, from that of the lowest address on. */
static void visit(Work *w, size_t models)
{
    for (size_t i = 0; i < MOST; i++) {
        w->loop.of[i] = w->loop.model[i % models];
        w->pool.of[i] = w->pool.model[i % models];
    }
}

static Work *work_new(unsigned of_sample)
{
    Work *w = calloc(1, sizeof *w);
    uint64_t state = 4;
    half_make(&w->loop);
    half_make(&w->pool);
    for (size_t i = 0; i < MOST; i++) {
        w->x[i] = &w->cells[i];
        w->cells[i] = unit_of(&state);
        w->y[i] = unit_of(&state);
    }
    visit(w, MODELS);
    w->threads = anb_pool_new(THREADS, NULL);
    ck_assert_ptr_nonnull(w->threads);
    atomic_store(&steps, of_sample);
    return w;
}

static void work_free(Work *w)
{
    anb_pool_free(w->threads);
    for (size_t i = 0; i < MODELS; i++) {
        anb_free(w->loop.model[i]);
        anb_free(w->pool.model[i]);
    }
    free(w);
}

/* A call of the pool. Returns the largest share of the samples that one thread did. */
static double call(Work *w, size_t n, bool learn, double *out)
{
    unsigned most = 0;
    for (size_t t = 0; t < 64; t++)
        atomic_store(&done_by[t], 0);
    int code = learn ? anb_pool_train(w->threads, w->pool.of, w->x, w->y, NULL, n, out)
                     : anb_pool_predict(w->threads, w->pool.of, w->x, n, out);
    ck_assert_int_eq(code, 0);
    for (size_t t = 0; t < 64; t++)
        most = atomic_load(&done_by[t]) > most ? atomic_load(&done_by[t]) : most;
    return (double)most / (double)n;
}

/* The same samples one by one; they need not take long. */
static void loop(Work *w, size_t n, bool learn)
{
    unsigned kept = atomic_exchange(&steps, 0);
    for (size_t i = 0; i < n; i++)
        w->loop.said[i] =
            learn ? anb_train_one(w->loop.of[i], w->x[i], w->y[i], 1) : anb_predict(w->loop.of[i], w->x[i]);
    atomic_store(&steps, kept);
}

static void call_both(Work *w, size_t n, bool learn)
{
    for (size_t i = 0; i < n; i++)
        w->pool.said[i] = NAN;
    loop(w, n, learn);
    call(w, n, learn, w->pool.said);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(memcmp(&w->loop.said[i], &w->pool.said[i], sizeof(double)) == 0,
                      "sample %zu of %zu: %.17g and %.17g", i, n, w->loop.said[i], w->pool.said[i]);
}

static void assert_equal(const Work *w)
{
    for (size_t i = 0; i < MODELS; i++) {
        ck_assert(anb_equal(w->loop.model[i], w->pool.model[i]));
        ck_assert_mem_eq(anb_counters(w->loop.model[i]), anb_counters(w->pool.model[i]), sizeof(AnbCounters));
    }
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

/* Whether within some calls no thread does more than three quarters of one. A thread that gets no core in time is no
 * fault. */
static bool comes_to_be_shared(Work *w, size_t n, bool learn)
{
    time_t late = time(NULL) + PATIENCE;
    while (call(w, n, learn, w->pool.said) > .75)
        if (time(NULL) > late)
            return false;
    return true;
}

static bool one_core(void)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) || CPU_COUNT(&allowed) > 1)
        return false;
    skip_test("one core: threads take turns");
    return true;
}

START_TEST(threads_share_a_call)
{
    if (one_core())
        return;
    Work *w = work_new(20000);
    ck_assert(comes_to_be_shared(w, 400, _i));
    work_free(w);
}
END_TEST

/* In calls of one model all addresses lie in one stripe, also those of all the other models. It is dealt anew after
 * some calls. */
START_TEST(what_was_one_models_is_shared_again)
{
    if (one_core())
        return;
    Work *w = work_new(5000);
    visit(w, 1);
    for (int i = 0; i < 3; i++)
        call(w, 400, true, NULL);
    visit(w, MODELS);
    ck_assert(comes_to_be_shared(w, 400, true));
    work_free(w);
}
END_TEST

/* A quarter of the models, all in one stripe of one thread. */
START_TEST(what_moves_to_one_threads_models_is_shared_again)
{
    if (one_core())
        return;
    Work *w = work_new(60);
    for (int i = 0; i < 3; i++)
        call(w, 8000, true, NULL);
    visit(w, MODELS / 4);
    ck_assert(comes_to_be_shared(w, 8000, true));
    work_free(w);
}
END_TEST

/* Few models in turns, so that evenly chosen samples of a large call would be of one. */
START_TEST(models_in_turns_are_shared)
{
    if (one_core())
        return;
    Work *w = work_new(300);
    visit(w, 2);
    ck_assert(comes_to_be_shared(w, 8000, true));
    work_free(w);
}
END_TEST

/* The number of stripes follows what samples cost, so that they are dealt anew while a call is begun already. */
START_TEST(samples_that_cost_more_or_less_stay_in_order)
{
    Work *w = work_new(0);
    for (int i = 0; i < 60; i++) {
        atomic_store(&steps, i / 5 % 2 ? 4000 : 400);
        call_both(w, 2000, true);
    }
    assert_equal(w);
    work_free(w);
}
END_TEST

/* Of every size each sample is done once: also where a block, a chunk or a run has one sample. */
START_TEST(each_sample_is_done_once)
{
    static const size_t sizes[] = {1,   31,  32,  33,  34,  96,   97,   161,  255,
                                   256, 257, 287, 289, 353, 2081, 8191, 8192, 8193};
    Work *w = work_new(2000);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (int round = 0; round < 3; round++) {
            size_t n = sizes[k];
            atomic_store(&steps, n < 2000 ? 4000 : 300);
            call_both(w, n, false);
            call_both(w, n, true);
            loop(w, n, true);
            call(w, n, true, NULL);
        }
    assert_equal(w);
    work_free(w);
}
END_TEST

/* Predictions may take the place of the targets. */
START_TEST(predictions_go_where_targets_were)
{
    static double both[MOST];
    Work *w = work_new(300);
    for (int i = 0; i < 12; i++) {
        size_t n = i % 2 ? 4000 : 4001;
        memcpy(both, w->y, n * sizeof *both);
        loop(w, n, true);
        ck_assert_int_eq(anb_pool_train(w->threads, w->pool.of, w->x, both, NULL, n, both), 0);
        ck_assert_mem_eq(w->loop.said, both, n * sizeof *both);
    }
    assert_equal(w);
    work_free(w);
}
END_TEST

/* Of how many of n samples the prediction is made by another thread than that which learned it in the call before.
 * Where one of the calls was not shared, of all. */
static size_t made_elsewhere(Work *w, size_t n)
{
    static unsigned learned_by[MOST];
    double most = call(w, n, true, NULL);
    memcpy(learned_by, made_by, sizeof learned_by);
    size_t elsewhere = 0;
    most = fmax(most, call(w, n, false, w->pool.said));
    for (size_t i = 0; i < n; i++)
        elsewhere += made_by[i] != learned_by[i];
    return most > .75 ? n : elsewhere;
}

/* Each core has the models that it learned. In blocks of the call half of them would be predicted by the
 * other thread. */
START_TEST(predictions_are_made_where_models_were_learned)
{
    enum { N = 2000, CALLS = 30 };
    bool found = false;
    if (one_core())
        return;
    for (time_t late = time(NULL) + PATIENCE; !found && time(NULL) <= late;) {
        Work *w = work_new(400); /* a new pool shares its calls, one that had no second core for a while does not */
        watched = w->cells;
        for (int i = 0; i < CALLS && !found; i++)
            found = made_elsewhere(w, N) <= N / 8;
        watched = NULL;
        work_free(w);
    }
    ck_assert(found);
}
END_TEST

/* What was learned may have been of few models, and what is predicted of others. */
START_TEST(predictions_of_other_models_than_were_learned)
{
    enum { N = 2000 };
    Work *w = work_new(200);
    for (size_t i = 0; i < 150; i++) {
        visit(w, i % 3 ? MODELS : 3);
        call_both(w, N, true);
        visit(w, i % 2 ? MODELS : MODELS / 2);
        call_both(w, N, false);
    }
    assert_equal(w);
    work_free(w);
}
END_TEST

/* What a prediction counts is its model's. It is made again for that once, and the next calls have each made by its
 * model's thread. */
START_TEST(what_predictions_count_is_counted_once)
{
    enum { CALLS = 60, N = 2000 };
    Work *w = work_new(100);
    atomic_store(&counting, true);
    for (int i = 0; i < CALLS; i++)
        call_both(w, N, false);
    assert_equal(w);
    ck_assert_uint_gt(anb_counters(w->pool.model[0])->restarts, 0);
    ck_assert_uint_le(atomic_load(&predictions),
                      (2 * CALLS + 1) * N); /* of the loop, of the pool, and those of a call again */
    atomic_store(&counting, false);
    work_free(w);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("workers_shared");
    TCase *tests = case_of(suite, 60);
    tcase_add_loop_test(tests, threads_share_a_call, 0, 2);
    tcase_add_test(tests, what_was_one_models_is_shared_again);
    tcase_add_test(tests, what_moves_to_one_threads_models_is_shared_again);
    tcase_add_test(tests, models_in_turns_are_shared);
    tcase_add_test(tests, samples_that_cost_more_or_less_stay_in_order);
    tcase_add_test(tests, each_sample_is_done_once);
    tcase_add_test(tests, predictions_go_where_targets_were);
    tcase_add_test(tests, predictions_are_made_where_models_were_learned);
    tcase_add_test(tests, predictions_of_other_models_than_were_learned);
    tcase_add_test(tests, what_predictions_count_is_counted_once);
    return suite;
}

CHECK_MAIN(suite)
