/* A model on several threads is the model on one, to the bit; its experts really are asked by several. */
#define _GNU_SOURCE
#include "numbers.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <anabranch/type.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { D = 6, SAMPLES = 1500, BLOCK = 100 };

/* ---- an expert that takes its time, restarts now and then, and can wait for another one of its kind -------------- */

static atomic_bool meeting;
static atomic_uint arrived, missed;

static void work(void)
{
    static const double next = 1.0000001;
    volatile double value = 1;
    for (int i = 0; i < 6000; i++)
        value = value * next;
}

/* Two that meet are on two threads; one thread alone would wait here for ever. */
static void meet(void)
{
    time_t late = time(NULL) + PATIENCE;
    unsigned until = (atomic_fetch_add(&arrived, 1) / 2 + 1) * 2;
    while (atomic_load(&arrived) < until) {
        sched_yield();
        if (time(NULL) > late) {
            atomic_fetch_add(&missed, 1);
            return;
        }
    }
}

typedef struct Slow {
    uint64_t samples;
    double last;
} Slow;

static const AnbField slow_members[] = {{ANB_MEMBER(Slow, samples)}, {ANB_MEMBER(Slow, last)}, {0}};
static const AnbField slow_fields[] = {{ANB_STRUCT(Slow, slow_members)}, {0}};

static double slow_predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const Slow *s = state;
    (void)self, (void)scratch;
    work();
    if (atomic_load(&meeting))
        meet();
    return s->last + row->x[self->index % D];
}

static void slow_update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    Slow *s = state;
    (void)weight, (void)scratch;
    work();
    s->last = y;
    if (++s->samples > 100 + self->index)
        anb_restart(self, state, row);
}

static const StreamingLearnerType slow = {.name = "slow",
                                          .brief = "the last target, slowly",
                                          .example = "slow",
                                          .flags = ANB_READS_X | ANB_WEIGHT_SCALED,
                                          .version = 1,
                                          .fields = slow_fields,
                                          .predict = slow_predict,
                                          .update = slow_update};

static const StreamingLearnerType *const types[] = {&slow, NULL};

static StreamingLearner *model_of(const char *expression, size_t threads)
{
    AnbError error = {0};
    AnbModelOptions options = anb_model_defaults();
    options.types = types;
    StreamingLearner *model = anb_parse(D, expression, &options, &error);
    ck_assert_msg(model != NULL, "%s", error.message);
    ck_assert_msg(anb_use_threads(model, threads, &error) == 0, "%s", error.message);
    return model;
}

/* ---- the same bits ----------------------------------------------------------------------------------------------- */

static const char *const expressions[] = {
    "auto(budget=100)",
    "moe(slow, slow(warmup=20), rls, slow, linear, router=stack)",
    "scale(refine(moe(slow, mlp(hidden=64, replay=8), knn(window=100), router=boa), mlp(hidden=64, replay=8), slow))",
    "residual(scale(moe(slow, slow, router=blend)), moe(slow, mlp, moe(slow, slow, router=boa), router=softmax))",
    "moe(slow, slow, slow)",
    "scale(rls)"};
enum { N_EXPRESSIONS = sizeof expressions / sizeof *expressions };

/* Heavy tails, so that learners restart, and a drift. */
static double draw(uint64_t *seed, int i, double *x)
{
    for (int j = 0; j < D; j++)
        x[j] = uniform_of(seed);
    double tail = i % 211 == 0 ? 1e3 * noise(seed) : 0;
    return (i > 700 ? -3 : 3) * x[0] + x[1] * x[2] + .1 * noise(seed) + tail;
}

static void learn_alike(StreamingLearner *one, StreamingLearner *several, uint64_t seed, int n)
{
    for (int i = 0; i < n; i++) {
        double x[D], y = draw(&seed, i, x), weight = i % 50 ? 1 : .5;
        double a = anb_train_one(one, x, y, weight), b = anb_train_one(several, x, y, weight);
        ck_assert_msg(memcmp(&a, &b, sizeof a) == 0, "sample %d: %.17g and %.17g", i, a, b);
    }
    ck_assert(anb_equal(one, several));
    ck_assert_mem_eq(anb_counters(one), anb_counters(several), sizeof(AnbCounters));
}

static void predict_alike(StreamingLearner *one, StreamingLearner *several)
{
    double x[BLOCK * D], a[BLOCK], b[BLOCK];
    uint64_t seed = 77;
    for (int i = 0; i < BLOCK * D; i++)
        x[i] = uniform_of(&seed);
    anb_predict_many(one, x, BLOCK, a);
    anb_predict_many(several, x, BLOCK, b);
    ck_assert_mem_eq(a, b, sizeof a);
}

START_TEST(any_number_of_threads_says_the_same)
{
    const char *expression = expressions[_i % N_EXPRESSIONS];
    size_t threads = (size_t[]){2, 3, 0}[_i / N_EXPRESSIONS];
    StreamingLearner *one = model_of(expression, 1), *several = model_of(expression, threads);
    learn_alike(one, several, 3, SAMPLES);
    predict_alike(one, several);
    anb_free(one);
    anb_free(several);
}
END_TEST

static void *moved(void *memory, void *context)
{
    size_t bytes = *(size_t *)context;
    void *to = malloc(bytes);
    memcpy(to, memory, bytes);
    free(memory);
    return to;
}

/* Threads come, go, stay with a model that moves, and are no clone's. */
START_TEST(threads_are_the_model_s_alone)
{
    StreamingLearner *one = model_of(expressions[2], 1), *several = model_of(expressions[2], 2);
    learn_alike(one, several, 3, 200);
    StreamingLearner *clone = anb_clone(several, NULL);
    size_t bytes = anb_clone_bytes(one); /* to which nothing is attached: block and scratch alone */
    several = anb_relocate(several, moved, &bytes);
    learn_alike(one, several, 4, 200);
    ck_assert_int_eq(anb_use_threads(several, 3, NULL), 0);
    learn_alike(one, several, 5, 200);
    ck_assert_int_eq(anb_use_threads(several, 1, NULL), 0);
    learn_alike(one, several, 6, 200);
    anb_free(several);
    learn_alike(clone, clone, 7, 0);
    predict_alike(clone, clone);
    anb_free(clone);
    anb_free(one);
}
END_TEST

/* Two slow experts wait for each other in one prediction. */
START_TEST(experts_are_asked_by_several_threads)
{
    double x[D] = {1, 2, 3};
    StreamingLearner *model = model_of("moe(slow, slow, router=boa)", 2);
    for (int i = 0; i < 100; i++)
        anb_train_one(model, x, i, 1);
    atomic_store(&meeting, true);
    for (int i = 0; i < 20; i++)
        anb_predict(model, x);
    atomic_store(&meeting, false);
    ck_assert_uint_eq(atomic_load(&arrived), 40);
    ck_assert_uint_eq(atomic_load(&missed), 0);
    anb_free(model);
}
END_TEST

START_TEST(a_child_process_does_the_work_itself)
{
    StreamingLearner *one = model_of(expressions[2], 1), *several = model_of(expressions[2], 3);
    learn_alike(one, several, 3, 100);
    pid_t child = fork();
    if (child == 0) {
        learn_alike(one, several, 4, 100);
        anb_free(several);
        _exit(0);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    learn_alike(one, several, 4, 100);
    anb_free(one);
    anb_free(several);
}
END_TEST

/* As threads of musl have it, and less: knn takes some 100 KB for many rows. */
START_TEST(threads_have_room_where_the_default_is_small)
{
    pthread_attr_t attributes;
    ck_assert_int_eq(pthread_attr_init(&attributes), 0);
    ck_assert_int_eq(pthread_attr_setstacksize(&attributes, 64 << 10), 0);
    ck_assert_int_eq(pthread_setattr_default_np(&attributes), 0);
    StreamingLearner *model = anb_parse(D, "scale(moe(knn, knn(k=30), knn(k=40), router=blend))", NULL, NULL);
    ck_assert_int_eq(anb_use_threads(model, 3, NULL), 0);
    static double x[BLOCK * D], y[BLOCK], f[BLOCK];
    uint64_t seed = 5;
    for (int i = 0; i < BLOCK; i++) {
        for (int j = 0; j < D; j++)
            x[i * D + j] = noise(&seed);
        y[i] = x[i * D];
    }
    for (int round = 0; round < 20; round++) {
        anb_train_many(model, x, y, NULL, BLOCK, NULL);
        anb_predict_many(model, x, BLOCK, f);
        ck_assert(anb_predict(model, x) == f[0]);
    }
    anb_free(model);
    pthread_attr_destroy(&attributes);
}
END_TEST

START_TEST(too_many_threads_are_refused)
{
    StreamingLearner *model = model_of("scale(rls)", 2);
    AnbError error = {0};
    ck_assert_int_eq(anb_use_threads(model, ANB_POOL_THREADS_MAX + 1, &error), ANB_E_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(error.message, "threads = 1025"));
    ck_assert_int_eq(anb_use_threads(model, 2, NULL), 0);
    anb_free(model);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("threads");
    TCase *tests = case_of(suite, 120);
    tcase_add_loop_test(tests, any_number_of_threads_says_the_same, 0, 3 * N_EXPRESSIONS);
    tcase_add_test(tests, threads_are_the_model_s_alone);
    tcase_add_test(tests, experts_are_asked_by_several_threads);
    tcase_add_test(tests, a_child_process_does_the_work_itself);
    tcase_add_test(tests, threads_have_room_where_the_default_is_small);
    tcase_add_test(tests, too_many_threads_are_refused);
    return suite;
}

CHECK_MAIN(suite)
