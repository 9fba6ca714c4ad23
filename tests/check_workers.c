/* A pool of threads gives the bits of a loop, whatever the number of threads, and refuses what it cannot do. */
#include "numbers.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MODELS = 37, SAMPLES = 12000, CALLS = 150 };

enum { KINDS = 4, BETWEEN = 100000 /* bytes between models that lie apart */ };
static const char *const mixed[KINDS] = {"scale(rls)", "scale(moe(linear, rls, mlp))", "knn(window=100)", "tree"};
static const char *const cheap[KINDS] = {"linear", "rls", "linear", "mean"};
static const char *const direct[KINDS] = {"linear", "rls", "linear(normalized=true)", "linear(rate=0.02)"};

static const char *const read_only[KINDS] = {"scale(rls)", "linear", "scale(linear)", "mean"};

/* What models are made of, one row in how many is damaged, and whether the models lie apart. */
typedef struct Kind {
    const char *const *expressions;
    size_t damaged;
    bool apart;
} Kind;
static const Kind kinds[] = {{mixed, 89, false}, {cheap, 89, false},     {direct, 89, false},  {cheap, 89, true},
                             {direct, 89, true}, {read_only, 89, false}, {read_only, 5, false}};
enum { ALL_KINDS = sizeof kinds / sizeof *kinds };

/* Models of three widths; the samples visit them in an order without a pattern. */
typedef struct Work {
    StreamingLearner *model[MODELS], *of[SAMPLES];
    double cells[SAMPLES][6], y[SAMPLES], weight[SAMPLES], said[SAMPLES];
    const double *x[SAMPLES];
    void *between[MODELS];
} Work;

static uint64_t draw(uint64_t *state)
{
    return bits_of(state) >> 33;
}

static Work *work_new(const Kind *kind)
{
    Work *w = calloc(1, sizeof *w);
    uint64_t state = 5;
    for (size_t i = 0; i < MODELS; i++) {
        w->between[i] = kind->apart ? malloc(BETWEEN) : NULL;
        w->model[i] = anb_parse(2 + 2 * (i % 3), kind->expressions[i % KINDS], NULL, NULL);
    }
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t m = draw(&state) % 3 ? draw(&state) % MODELS : 0; /* a third of all samples are of one model */
        w->of[i] = w->model[m];
        w->x[i] = w->cells[i];
        for (size_t j = 0; j < 6; j++)
            w->cells[i][j] = (double)(draw(&state) % 1000) / 100;
        if (i % kind->damaged == 3)
            w->cells[i][1] = i % 2 ? (double)INFINITY : ANB_NAN;
        w->y[i] = i % 97 ? w->cells[i][0] - w->cells[i][1] : NAN;
        w->weight[i] = (double)(i % 3);
    }
    return w;
}

static void work_free(Work *w)
{
    for (size_t i = 0; i < MODELS; i++) {
        anb_free(w->model[i]);
        free(w->between[i]);
    }
    free(w);
}

static AnbPool *pool_of(size_t threads)
{
    AnbError error = {0};
    AnbPool *pool = anb_pool_new(threads, &error);
    ck_assert_msg(pool != NULL, "%s", error.message);
    return pool;
}

START_TEST(any_number_of_threads_gives_the_bits_of_the_loop)
{
    static const size_t threads[] = {1, 2, 3, 8};
    const Kind *kind = &kinds[_i % ALL_KINDS];
    Work *loop = work_new(kind), *shared = work_new(kind);
    AnbPool *pool = pool_of(threads[_i / ALL_KINDS]);
    ck_assert_uint_eq(anb_pool_threads(pool), threads[_i / ALL_KINDS]);
    for (int round = 0; round < 3; round++) {
        const double *weight = round ? loop->weight : NULL;
        size_t n = round == 2 ? 100 : SAMPLES;
        for (size_t i = 0; i < n; i++)
            loop->said[i] = anb_train_one(loop->of[i], loop->x[i], loop->y[i], weight ? weight[i] : 1);
        ck_assert_int_eq(anb_pool_train(pool, shared->of, shared->x, shared->y, weight, n, shared->said), 0);
        ck_assert_mem_eq(loop->said, shared->said, n * sizeof(double));
    }
    for (size_t i = 0; i < SAMPLES; i++)
        loop->said[i] = anb_predict(loop->of[i], loop->x[i]);
    ck_assert_int_eq(anb_pool_predict(pool, shared->of, shared->x, SAMPLES, shared->said), 0);
    ck_assert_mem_eq(loop->said, shared->said, sizeof loop->said);
    for (size_t i = 0; i < MODELS; i++) {
        const AnbCounters *a = anb_counters(loop->model[i]), *b = anb_counters(shared->model[i]);
        ck_assert(anb_equal(loop->model[i], shared->model[i]));
        ck_assert_mem_eq(a, b, sizeof *a);
        ck_assert(i > 0 || a->rejected_features > 0);
    }
    anb_pool_free(pool);
    work_free(loop);
    work_free(shared);
}
END_TEST

/* So many that calls are done in both ways, with threads awake and asleep. */
START_TEST(calls_in_a_row_give_the_bits_of_the_loop)
{
    const Kind *kind = &kinds[2 + _i % 5];
    Work *loop = work_new(kind), *shared = work_new(kind);
    AnbPool *pool = pool_of(2 + (size_t)_i / 5);
    for (int call = 0; call < CALLS; call++) {
        const size_t n = call % 5 ? SAMPLES : SAMPLES / 2;
        const bool learn = call % 3 > 0;
        for (size_t i = 0; i < n; i++)
            loop->said[i] =
                learn ? anb_train_one(loop->of[i], loop->x[i], loop->y[i], 1) : anb_predict(loop->of[i], loop->x[i]);
        int code = learn ? anb_pool_train(pool, shared->of, shared->x, shared->y, NULL, n, shared->said)
                         : anb_pool_predict(pool, shared->of, shared->x, n, shared->said);
        ck_assert_int_eq(code, 0);
        ck_assert_mem_eq(loop->said, shared->said, n * sizeof(double));
    }
    for (size_t i = 0; i < MODELS; i++) {
        ck_assert(anb_equal(loop->model[i], shared->model[i]));
        ck_assert_mem_eq(anb_counters(loop->model[i]), anb_counters(shared->model[i]), sizeof(AnbCounters));
    }
    anb_pool_free(pool);
    work_free(loop);
    work_free(shared);
}
END_TEST

static uint64_t seen_by_all(const Work *w)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < MODELS; i++)
        sum += anb_n_samples_seen(w->model[i]);
    return sum;
}

/* A row or a model, whoever finds it. */
START_TEST(a_missing_pointer_of_a_large_call_is_found)
{
    Work *w = work_new(&kinds[2]);
    AnbPool *pool = pool_of(2);
    for (int call = 0; call < CALLS; call++) {
        size_t at = SAMPLES / CALLS * (size_t)call;
        uint64_t seen = seen_by_all(w);
        const double *x = w->x[at];
        StreamingLearner *of = w->of[at];
        w->x[at] = call % 2 ? NULL : x;
        w->of[at] = call % 2 ? of : NULL;
        ck_assert_int_eq(anb_pool_train(pool, w->of, w->x, w->y, NULL, SAMPLES, NULL), ANB_E_ARGUMENT);
        ck_assert_uint_eq(seen_by_all(w), seen);
        w->x[at] = x;
        w->of[at] = of;
        ck_assert_int_eq(anb_pool_train(pool, w->of, w->x, w->y, NULL, SAMPLES, NULL), 0);
        ck_assert_uint_gt(seen_by_all(w), seen);
    }
    anb_pool_free(pool);
    work_free(w);
}
END_TEST

START_TEST(what_cannot_be_done_learns_nothing)
{
    Work *w = work_new(&kinds[0]);
    AnbPool *pool = pool_of(2);
    AnbError error = {0};
    ck_assert_int_eq(anb_pool_train(pool, w->of, w->x, w->y, NULL, 0, NULL), 0);
    ck_assert_int_eq(anb_pool_train(pool, w->of, w->x, NULL, NULL, 5, NULL), ANB_E_ARGUMENT);
    ck_assert_int_eq(anb_pool_predict(pool, w->of, w->x, 5, NULL), ANB_E_ARGUMENT);
    w->of[99] = NULL;
    ck_assert_int_eq(anb_pool_train(pool, w->of, w->x, w->y, NULL, 100, NULL), ANB_E_ARGUMENT);
    w->of[99] = w->model[0];
    w->x[98] = NULL;
    ck_assert_int_eq(anb_pool_predict(pool, w->of, w->x, 100, w->said), ANB_E_ARGUMENT);
    for (size_t i = 0; i < MODELS; i++)
        ck_assert_uint_eq(anb_n_samples_seen(w->model[i]), 0);
    ck_assert(!anb_pool_new(ANB_POOL_THREADS_MAX + 1, &error) && error.code == ANB_E_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error.message, "threads = 1025"));
    anb_pool_free(pool);
    anb_pool_free(NULL);
    work_free(w);
}
END_TEST

START_TEST(a_child_process_does_the_work_itself)
{
    Work *w = work_new(&kinds[0]);
    AnbPool *pool = pool_of(3);
    ck_assert_int_eq(anb_pool_train(pool, w->of, w->x, w->y, NULL, SAMPLES, NULL), 0);
    pid_t child = fork();
    if (child == 0) {
        int code = anb_pool_train(pool, w->of, w->x, w->y, NULL, SAMPLES, w->said);
        bool same = isfinite(w->said[1]) && anb_n_samples_seen(w->model[0]) > 0;
        anb_pool_free(pool);
        _exit(code || !same);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    anb_pool_free(pool);
    work_free(w);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("workers");
    TCase *tests = case_of(suite, 60);
    tcase_add_loop_test(tests, any_number_of_threads_gives_the_bits_of_the_loop, 0, 4 * ALL_KINDS);
    tcase_add_loop_test(tests, calls_in_a_row_give_the_bits_of_the_loop, 0, 10);
    tcase_add_test(tests, a_missing_pointer_of_a_large_call_is_found);
    tcase_add_test(tests, what_cannot_be_done_learns_nothing);
    tcase_add_test(tests, a_child_process_does_the_work_itself);
    return suite;
}

CHECK_MAIN(suite)
