/*
 * Many models on several threads against one loop.
 *
 *     workers [-t THREADS] [-m MODELS] [-e SAMPLES] [-o drawn|turns] [EXPRESSION ...]
 *
 * Samples of 8 features, so many a model in one call (16). They visit the models in no order, or in turns: sample i is
 * of model i modulo their number. In each round the loop, the pool, and as many threads as the pool has, each with a
 * loop over its own part of models and samples in memory of its own, rest for a millisecond and then do calls in a row.
 * Of learning, of predictions, and of calls that predict and then learn the same samples it prints
 *
 *     in a row   nanoseconds a sample of the loop and of the pool, and their ratio: the median of 64 calls, whose
 *                threads are awake
 *     first      the ratio of the calls behind the rest, where the pool's threads slept
 *     apart      in a row, the ratio of the loop to those threads: what the machine allows where nothing is shared out
 *
 * each the least of the rounds. Goal: at least 1.8 in a row with two threads on two free cores, where `apart` is.
 */
#include "count.h"
#include "random.h"
#include "harness.h"
#include "rising.h"
#include <anabranch/anabranch.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { D = 8, ROUNDS = 9 /* at least */, CALLS = 64, CALLS_LEAST = 5 /* in a row */, THREADS_MOST = 64 };
static const double ROW_NS = 2e7; /* a row of calls stops then */
/* Rounds go on for so long: what disturbs a shared machine may last longer than nine of them. */
static const double ROUNDS_NS = 1e9;

typedef enum What { LEARN, PREDICT, BOTH } What;

typedef struct Samples {
    size_t n;
    StreamingLearner **of;
    const double **x;
    double *cells, *y, *out;
} Samples;

typedef struct Work {
    size_t n_models, n, threads;
    bool turns;               /* else in no order */
    StreamingLearner **model; /* for the loop, then for the pool, then for the threads apart */
    Samples loop, pool, apart[THREADS_MOST];
    AnbPool *workers;
    What what;
    atomic_uint round, done; /* of the threads apart */
    atomic_bool over;
} Work;

typedef struct Apart {
    Work *work;
    size_t number;
    pthread_t thread;
} Apart;

/* ns of a call: the first behind a rest, and the median of those after it. */
typedef struct Took {
    double first, row;
} Took;

static uint64_t draw(void)
{
    static uint64_t state = 9;
    return bits_of(&state) >> 33;
}

static bool make_room(Samples *s, size_t n)
{
    s->of = calloc(n, sizeof *s->of);
    s->x = calloc(n, sizeof *s->x);
    s->cells = calloc(n * D, sizeof *s->cells);
    s->y = calloc(n, sizeof *s->y);
    s->out = calloc(n, sizeof *s->out);
    return s->of && s->x && s->cells && s->y && s->out;
}

static void drop_room(Samples *s)
{
    free(s->of), free(s->x), free(s->cells), free(s->y), free(s->out);
}

static void add(Samples *s, StreamingLearner *model, const double *x, double y)
{
    double *row = memcpy(s->cells + s->n * D, x, D * sizeof *x);
    s->of[s->n] = model;
    s->x[s->n] = row;
    s->y[s->n++] = y;
}

static void fill(Work *w)
{
    for (size_t i = 0; i < w->n; i++) {
        size_t model = w->turns ? i % w->n_models : draw() % w->n_models;
        double x[D], y = 0;
        for (size_t j = 0; j < D; j++)
            y += x[j] = (double)(draw() % 1000) / 1000;
        add(&w->loop, w->model[model], x, y);
        add(&w->pool, w->model[w->n_models + model], x, y);
        add(&w->apart[model * w->threads / w->n_models], w->model[2 * w->n_models + model], x, y);
    }
}

/* ---- three ways -------------------------------------------------------------------------------------------------- */

static void loop_over(const Samples *s, What what)
{
    for (size_t i = 0; i < s->n && what != LEARN; i++)
        s->out[i] = anb_predict(s->of[i], s->x[i]);
    for (size_t i = 0; i < s->n && what != PREDICT; i++)
        anb_train_one(s->of[i], s->x[i], s->y[i], 1);
}

static void by_loop(Work *w)
{
    loop_over(&w->loop, w->what);
}

static void by_pool(Work *w)
{
    const Samples *s = &w->pool;
    if (w->what != LEARN)
        anb_pool_predict(w->workers, s->of, s->x, s->n, s->out);
    if (w->what != PREDICT)
        anb_pool_train(w->workers, s->of, s->x, s->y, NULL, s->n, NULL);
}

/* Until the word is another one; a thread that has no core to itself makes room. */
static void wait_for_change(atomic_uint *word, unsigned value)
{
    for (unsigned reads = 1; atomic_load(word) == value; reads++)
        if (reads % 65536 == 0)
            sched_yield();
}

static void *live_apart(void *context)
{
    const Apart *own = context;
    Work *w = own->work;
    for (unsigned round = 0;; round++) {
        wait_for_change(&w->round, round);
        if (atomic_load(&w->over))
            return NULL;
        loop_over(&w->apart[own->number], w->what);
        atomic_fetch_add(&w->done, 1);
    }
}

static void by_threads_apart(Work *w)
{
    atomic_store(&w->done, 0);
    atomic_fetch_add(&w->round, 1);
    loop_over(&w->apart[0], w->what);
    for (unsigned done; (done = atomic_load(&w->done)) + 1 < w->threads;)
        wait_for_change(&w->done, done);
}

/* ---- timing ------------------------------------------------------------------------------------------------------ */

static double timed(Work *w, void (*call)(Work *))
{
    double start = bench_now();
    call(w);
    return bench_now() - start;
}

static void rest(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* The least of before and of a rest and a row of calls. */
static void follow(Took *took, Work *w, void (*call)(Work *))
{
    double ns[CALLS], sum = 0, first = timed(w, call);
    int n = 0;
    while (n < CALLS && (n < CALLS_LEAST || sum < ROW_NS))
        sum += ns[n++] = timed(w, call);
    qsort(ns, (size_t)n, sizeof *ns, rising);
    took->first = first < took->first ? first : took->first;
    took->row = ns[n / 2] < took->row ? ns[n / 2] : took->row;
}

static void follow_apart(Took *took, Work *w)
{
    Apart apart[THREADS_MOST];
    atomic_store(&w->round, 0);
    atomic_store(&w->over, false);
    size_t n = 1;
    for (; n < w->threads; n++) {
        apart[n] = (Apart){.work = w, .number = n};
        if (pthread_create(&apart[n].thread, NULL, live_apart, &apart[n]))
            break;
    }
    if (n == w->threads)
        follow(took, w, by_threads_apart);
    atomic_store(&w->over, true);
    atomic_fetch_add(&w->round, 1);
    while (n-- > 1)
        pthread_join(apart[n].thread, NULL);
}

static void time_all(Work *w, const char *expression, What what)
{
    static const char *const names[] = {[LEARN] = "", [PREDICT] = " predict", [BOTH] = " both"};
    Took loop = {1e300, 1e300}, pool = loop, apart = loop;
    w->what = what;
    double start = bench_now();
    for (int round = 0; round < ROUNDS || bench_now() - start < ROUNDS_NS; round++) {
        rest();
        follow(&loop, w, by_loop);
        rest();
        follow(&pool, w, by_pool);
        follow_apart(&apart, w);
    }
    char name[100], first[120];
    snprintf(name, sizeof name, "%.40s models=%zu samples=%zu%s%s", expression, w->n_models, w->n,
             w->turns ? " turns" : "", names[what]);
    double n = (double)w->n;
    printf("%-58s %9.1f %9.1f %7.2f %7.2f %7.2f\n", name, loop.row / n, pool.row / n, loop.row / pool.row,
           loop.first / pool.first, loop.row / apart.row);
    fflush(stdout);
    bench_record("workers", name, pool.row / n, "ns");
    snprintf(first, sizeof first, "%s first", name);
    bench_record("workers", first, pool.first / n, "ns");
}

/* ---- what is measured -------------------------------------------------------------------------------------------- */

static int compare(Work *w, const char *expression)
{
    AnbError error;
    int status = 0;
    for (size_t i = 0; i < 3 * w->n_models && !status; i++) {
        w->model[i] = i ? anb_clone(w->model[0], &error) : anb_parse(D, expression, NULL, &error);
        if (!w->model[i]) {
            fprintf(stderr, "workers: %s: %s\n", expression, error.message);
            status = 2;
        }
    }
    if (!status) {
        fill(w);
        for (What what = LEARN; what <= BOTH; what++)
            time_all(w, expression, what);
    }
    for (size_t i = 0; i < 3 * w->n_models; i++)
        anb_free(w->model[i]);
    return status;
}

/* Models, samples a model in a call, what they are, and whether samples visit them in turns. */
typedef struct Usual {
    size_t models, each;
    const char *expression;
    bool turns;
} Usual;

static int measure(const Usual *usual, size_t threads)
{
    Work *w = calloc(1, sizeof *w);
    int status = 2;
    *w = (Work){.n_models = usual->models, .n = usual->models * usual->each, .turns = usual->turns, .threads = threads};
    w->model = calloc(3 * w->n_models, sizeof *w->model);
    w->workers = anb_pool_new(threads, NULL);
    bool room = w->model && w->workers && make_room(&w->loop, w->n) && make_room(&w->pool, w->n);
    for (size_t t = 0; t < threads && room; t++)
        room = make_room(&w->apart[t], w->n);
    if (room)
        status = compare(w, usual->expression);
    else
        fprintf(stderr, "workers: no memory\n");
    anb_pool_free(w->workers);
    drop_room(&w->loop), drop_room(&w->pool);
    for (size_t t = 0; t < threads; t++)
        drop_room(&w->apart[t]);
    free(w->model), free(w);
    return status;
}

int main(int argc, char **argv)
{
    static const Usual usual[] = {{100, 16, "linear"},          {1000, 1, "linear"},
                                  {1000, 16, "linear"},         {10000, 1, "linear"},
                                  {10000, 16, "linear"},        {1000, 16, "scale(linear)"},
                                  {1000, 16, "scale(rls)"},     {100, 16, "auto(budget=5)"},
                                  {1000, 16, "linear", true},   {1000, 16, "scale(rls)", true},
                                  {4, 4000, "scale(rls)", true}};
    Usual own = {.models = 1000, .each = 16};
    size_t threads = 2;
    int i = 1, status = 0;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        const char *value = argv[i + 1];
        if (strcmp(argv[i], "-t") == 0)
            threads = count_of("-t", value, 1);
        else if (strcmp(argv[i], "-m") == 0)
            own.models = count_of("-m", value, 1);
        else if (strcmp(argv[i], "-e") == 0)
            own.each = count_of("-e", value, 1);
        else if (strcmp(argv[i], "-o") == 0 && (strcmp(value, "turns") == 0 || strcmp(value, "drawn") == 0))
            own.turns = *value == 't';
        else
            option_unknown(argv[i], "-t, -m, -e, and -o with drawn or turns");
    }
    threads = threads < THREADS_MOST ? threads : THREADS_MOST;
    printf("%zu threads%47s %9s %9s %7s %7s %7s\n", threads, "", "loop ns", "pool ns", "in row", "first", "apart");
    for (size_t k = 0; i == argc && k < sizeof usual / sizeof *usual && !status; k++)
        status = measure(&usual[k], threads);
    for (; i < argc && !status; i++) {
        own.expression = argv[i];
        status = measure(&own, threads);
    }
    return status;
}
