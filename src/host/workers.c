/*
 * A pool of threads for (model, row) pairs. A call sorts its samples into one list a model, in the order of the call:
 *
 *     models   A B A C A B        group 0 (A): 0 -> 2 -> 4
 *     sample   0 1 2 3 4 5        group 1 (B): 1 -> 5         group 2 (C): 3
 *
 * Threads take groups by an atomic counter, several at a time while many are left, and learn each list from its head.
 */
#define _GNU_SOURCE
#include "forks.h"
#include <anabranch/type.h>
#include <anabranch/workers.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NONE UINT32_MAX /* no sample, no group */

/* One call. `y` is NULL where it predicts. */
typedef struct Call {
    StreamingLearner *const *models;
    const double *const *x;
    const double *y, *weight;
    double *out;
    size_t n;
} Call;

struct AnbPool {
    pthread_mutex_t turn; /* held by the call that works */
    pthread_mutex_t lock; /* guards generation, busy and stop */
    pthread_cond_t started, finished;
    pthread_t *thread;
    size_t n_threads; /* beside the caller */
    unsigned forks;
    uint64_t generation; /* counts calls */
    size_t busy;
    bool stop;
    Call call;
    /* Lists of the call's samples; room for `room` samples, the table for a power of two above twice as many. */
    uint32_t *next, *first, *last, *table;
    size_t room, mask, n_groups;
    atomic_size_t taken; /* groups */
};

/* ---- sorting by model --------------------------------------------------------------------------------------------- */

static int make_room(AnbPool *p, size_t n)
{
    if (n <= p->room)
        return 0;
    size_t slots = 4;
    while (slots < 2 * n)
        slots *= 2;
    uint32_t *memory = malloc((3 * n + slots) * sizeof *memory);
    if (!memory)
        return ANB_E_MEMORY;
    free(p->next);
    p->next = memory;
    p->first = memory + n;
    p->last = memory + 2 * n;
    p->table = memory + 3 * n;
    p->room = n;
    p->mask = slots - 1;
    return 0;
}

/* The slot of the table that holds the model's group, or the free one where it belongs. */
static uint32_t *slot_of(AnbPool *p, const StreamingLearner *model)
{
    uint64_t hash = (uint64_t)(uintptr_t)model * UINT64_C(0x9e3779b97f4a7c15);
    size_t i = (size_t)(hash >> 32) & p->mask;
    while (p->table[i] != NONE && p->call.models[p->first[p->table[i]]] != model)
        i = (i + 1) & p->mask;
    return &p->table[i];
}

static void sort_by_model(AnbPool *p)
{
    memset(p->table, 0xff, (p->mask + 1) * sizeof *p->table);
    p->n_groups = 0;
    for (size_t i = 0; i < p->call.n; i++) {
        uint32_t *slot = slot_of(p, p->call.models[i]), sample = (uint32_t)i;
        p->next[i] = NONE;
        if (*slot == NONE) {
            *slot = (uint32_t)p->n_groups++;
            p->first[*slot] = sample;
        } else {
            p->next[p->last[*slot]] = sample;
        }
        p->last[*slot] = sample;
    }
}

/* ---- work --------------------------------------------------------------------------------------------------------- */

static void work_group(const AnbPool *p, size_t group)
{
    const Call *c = &p->call;
    for (uint32_t i = p->first[group]; i != NONE; i = p->next[i]) {
        double said = c->y ? anb_train_one(c->models[i], c->x[i], c->y[i], c->weight ? c->weight[i] : 1)
                           : anb_predict(c->models[i], c->x[i]);
        if (c->out)
            c->out[i] = said;
    }
}

/* Takes groups until none is left: an eighth of a fair share at a time, so that no thread ends much later than others. */
static void work(AnbPool *p)
{
    size_t threads = p->n_threads + 1;
    for (;;) {
        size_t seen = atomic_load_explicit(&p->taken, memory_order_relaxed);
        size_t left = seen < p->n_groups ? p->n_groups - seen : 0;
        size_t share = left / (8 * threads) + 1, from = atomic_fetch_add(&p->taken, share);
        if (from >= p->n_groups)
            return;
        for (size_t g = from; g < from + share && g < p->n_groups; g++)
            work_group(p, g);
    }
}

static void *loop(void *context)
{
    AnbPool *p = context;
    uint64_t seen = 0;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->generation == seen && !p->stop)
            pthread_cond_wait(&p->started, &p->lock);
        if (p->stop)
            break;
        seen = p->generation;
        pthread_mutex_unlock(&p->lock);
        work(p);
        pthread_mutex_lock(&p->lock);
        if (--p->busy == 0)
            pthread_cond_signal(&p->finished);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* A single group, or a process without the threads, is work for the caller alone. */
static bool alone(const AnbPool *p)
{
    return p->n_groups < 2 || p->n_threads == 0 || p->forks != anb_forks();
}

static void share_out(AnbPool *p)
{
    pthread_mutex_lock(&p->lock);
    p->busy = p->n_threads;
    p->generation++;
    pthread_cond_broadcast(&p->started);
    pthread_mutex_unlock(&p->lock);
    work(p);
    pthread_mutex_lock(&p->lock);
    while (p->busy > 0)
        pthread_cond_wait(&p->finished, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

static int run(AnbPool *p, const Call *call)
{
    if (call->n == 0)
        return 0;
    if (call->n > NONE - 1)
        return ANB_E_ARGUMENT;
    for (size_t i = 0; i < call->n; i++)
        if (!call->models[i] || !call->x[i])
            return ANB_E_ARGUMENT;
    pthread_mutex_lock(&p->turn);
    int code = make_room(p, call->n);
    if (!code) {
        p->call = *call;
        sort_by_model(p);
        atomic_store(&p->taken, 0);
        if (alone(p))
            work(p);
        else
            share_out(p);
    }
    pthread_mutex_unlock(&p->turn);
    return code;
}

int anb_pool_train(AnbPool *pool, StreamingLearner *const *models, const double *const *x, const double *y,
                   const double *weight, size_t n, double *out)
{
    if (!y)
        return ANB_E_ARGUMENT;
    return run(pool, &(Call){models, x, y, weight, out, n});
}

int anb_pool_predict(AnbPool *pool, StreamingLearner *const *models, const double *const *x, size_t n, double *out)
{
    if (!out)
        return ANB_E_ARGUMENT;
    return run(pool, &(Call){.models = models, .x = x, .out = out, .n = n});
}

/* ---- making and freeing ------------------------------------------------------------------------------------------- */

/* Cores that this process may use. */
static size_t cores(void)
{
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return (size_t)CPU_COUNT(&set);
#endif
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (size_t)n : 1;
}

static bool start(AnbPool *p, size_t threads)
{
    p->thread = calloc(threads, sizeof *p->thread);
    if (!p->thread)
        return false;
    while (p->n_threads + 1 < threads) {
        if (pthread_create(&p->thread[p->n_threads], NULL, loop, p))
            return false;
        p->n_threads++;
    }
    return true;
}

AnbPool *anb_pool_new(size_t threads, AnbError *error)
{
    if (threads > ANB_POOL_THREADS_MAX) {
        anb_fail(error, ANB_E_ARGUMENT, "threads = %zu is outside [0, %d]", threads, ANB_POOL_THREADS_MAX);
        return NULL;
    }
    size_t n = threads ? threads : cores();
    AnbPool *p = anb_forks_watch() ? NULL : calloc(1, sizeof *p);
    if (p) {
        p->forks = anb_forks();
        pthread_mutex_init(&p->turn, NULL);
        pthread_mutex_init(&p->lock, NULL);
        pthread_cond_init(&p->started, NULL);
        pthread_cond_init(&p->finished, NULL);
        if (start(p, n < ANB_POOL_THREADS_MAX ? n : ANB_POOL_THREADS_MAX))
            return p;
        anb_pool_free(p);
    }
    anb_fail(error, ANB_E_MEMORY, "no memory or threads for a pool of %zu", n);
    return NULL;
}

static void stop(AnbPool *p)
{
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->started);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->n_threads; i++)
        pthread_join(p->thread[i], NULL);
}

void anb_pool_free(AnbPool *pool)
{
    if (!pool)
        return;
    if (pool->forks == anb_forks())
        stop(pool);
    free(pool->thread);
    free(pool->next);
    free(pool);
}

size_t anb_pool_threads(const AnbPool *pool)
{
    return pool->n_threads + 1;
}
