/*
 * A pool of threads for (model, row) pairs. Cheap samples are shared out in stripes (stripes.h). A call with others puts its
 * samples into some hundreds of bags, each model's into one, in the order of the call:
 *
 *     models   A B A C A B        bag 0 (A, C): 0 2 3 4
 *     sample   0 1 2 3 4 5        bag 1 (B):    1 5
 *
 * Bag b is for thread b modulo their number, so that a model stays in the cache of one core; who is through with his own
 * takes those that others have not begun. Each bag is learned from its first sample on. The first samples of a call are
 * learned by the caller, who finds by the clock whether the rest is worth sharing at all; where it is, calls alike are
 * done in both ways, and the one that took less time goes on.
 */
#include "model.h"
#include "stripes.h"
#include "team.h"
#include <anabranch/workers.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
    TRIED = 32,         /* samples that the caller learns first */
    BAGS_A_THREAD = 64, /* so that threads end nearly together */
    BAGS_MOST = 4096,
    HASHES = 3, /* tried where many samples fall into one bag */
    AGAIN = 64  /* calls after which the other way is tried again */
};
static const double WAKE_NS = 10000;            /* what sharing costs in all */
static const double STRIPE_NS = 1, SORT_NS = 4; /* and a sample: in stripes, and in bags */
static const double CHEAP_NS = 100;             /* samples up to which go in stripes */
static const double ALIKE = 3; /* calls whose first samples took up to so many times as long are alike */

/* One call. `y` is NULL where it predicts. */
typedef struct Call {
    StreamingLearner *const *models;
    const double *const *x;
    const double *y, *weight;
    double *out;
    size_t n;
} Call;

/* A thread's part of a call, in a line of its own. */
typedef struct Part {
    _Alignas(128) atomic_size_t taken; /* of its bags, by anyone */
    size_t done;                       /* samples of its stripes, in the last call */
} Part;

/* How calls alike went: ns a sample. */
typedef struct Record {
    double tried;   /* of the first samples, the mean of late */
    double took[2]; /* alone and shared, the last time; 0: not known */
    uint64_t calls;
} Record;

struct AnbPool {
    pthread_mutex_t turn; /* held by the call that works */
    AnbTeam *team;
    Part *part;       /* of each thread */
    Record record[2]; /* of calls that predict and that learn */
    Call call;
    AnbStripes stripes;
    atomic_size_t stripe; /* whose stripes are next */
    uint32_t *sample;     /* the call's samples, bag by bag */
    uint16_t *bag;        /* of each sample */
    size_t room;          /* samples */
    size_t from;          /* the first sample that is shared out */
    size_t bags;
    uint32_t start[BAGS_MOST + 2]; /* bag b's samples are sample[start[b + 1]] to sample[start[b + 2] - 1] */
};

/* ---- samples ------------------------------------------------------------------------------------------------------ */

static inline double sample_of(const Call *c, size_t i)
{
    return c->y ? anb_train_one(c->models[i], c->x[i], c->y[i], c->weight ? c->weight[i] : 1)
                : anb_predict(c->models[i], c->x[i]);
}

static inline void do_sample(const Call *c, size_t i)
{
    double said = sample_of(c, i);
    if (c->out)
        c->out[i] = said;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Does samples from `from` to `to` - 1; nanoseconds that each took. */
static double do_samples(const Call *call, size_t from, size_t to)
{
    const Call c = *call; /* in registers */
    double start = now();
    for (size_t i = from; i < to; i++)
        do_sample(&c, i);
    return to > from ? (now() - start) / (double)(to - from) : 0;
}

/* ---- stripes ------------------------------------------------------------------------------------------------------ */

enum { CHUNK = 256, FAR = 8, NEAR = 4 }; /* samples that are looked through at once */

/* Into the cache: a sample's row and its model's head; of a nearer sample the state, which follows its head. */
static inline void bring_near(const Call *c, size_t far, size_t near)
{
    const char *head = (const char *)c->models[far], *state = (const char *)anb_block(c->models[near]);
    __builtin_prefetch(c->x[far]);
    __builtin_prefetch(head);
    __builtin_prefetch(head + 64);
    __builtin_prefetch(state);
    __builtin_prefetch(state + 64);
}

/* The predictions are written together after the samples: other threads write into the same lines of the cache. */
static void do_own(const Call *c, const uint32_t *own, size_t n)
{
    double said[CHUNK];
    for (size_t i = 0; i < n; i++) {
        bring_near(c, own[i + FAR < n ? i + FAR : n - 1], own[i + NEAR < n ? i + NEAR : n - 1]);
        said[i] = sample_of(c, own[i]);
    }
    for (size_t i = 0; c->out && i < n; i++)
        c->out[own[i]] = said[i];
}

/* One thread's stripes: all its samples, in order. Returns how many. */
static size_t do_stripe(const AnbPool *p, size_t thread)
{
    const Call c = p->call; /* in registers */
    const uint64_t stripes = anb_stripes_of(&p->stripes, thread);
    uint32_t own[CHUNK + ANB_STRIPES_SPARE];
    size_t sum = 0;
    for (size_t from = p->from; from < c.n; from += CHUNK) {
        size_t n = c.n - from < CHUNK ? c.n - from : CHUNK;
        n = anb_stripes_list(c.models, from, n, p->stripes.place, stripes, own);
        do_own(&c, own, n);
        sum += n;
    }
    return sum;
}

static void do_stripes(void *context, size_t thread)
{
    AnbPool *p = context;
    (void)thread;
    for (;;) {
        size_t next = atomic_fetch_add_explicit(&p->stripe, 1, memory_order_relaxed);
        if (next >= anb_team_size(p->team))
            return;
        p->part[next].done = do_stripe(p, next);
    }
}

/* Whether no thread had much more of the last call than an even part. */
static bool even(const AnbPool *p, size_t left)
{
    size_t most = 0, threads = anb_team_size(p->team);
    for (size_t t = 0; t < threads; t++)
        most = p->part[t].done > most ? p->part[t].done : most;
    return most <= left / threads + left / 32;
}

static void share_stripes(AnbPool *p, size_t from)
{
    size_t threads = anb_team_size(p->team), left = p->call.n - from;
    if (!p->stripes.known)
        anb_stripes_deal(&p->stripes, p->call.models + from, left, threads);
    p->from = from;
    atomic_store_explicit(&p->stripe, 0, memory_order_relaxed);
    anb_team_run(p->team, do_stripes, p);
    p->stripes.known = even(p, left);
}

/* ---- bags --------------------------------------------------------------------------------------------------------- */

static int make_room(AnbPool *p, size_t n)
{
    if (n <= p->room)
        return 0;
    uint32_t *sample = malloc(n * sizeof *sample);
    uint16_t *bag = malloc(n * sizeof *bag);
    if (!sample || !bag) {
        free(sample);
        free(bag);
        return ANB_E_MEMORY;
    }
    free(p->sample);
    free(p->bag);
    p->sample = sample;
    p->bag = bag;
    p->room = n;
    return 0;
}

/* Gives each sample from `from` on its bag by one of the hashes; counts them in start[bag + 1]. The largest bag's. Small
 * models that lie in one page go together, since they share lines of the cache; where those are too many, not. */
static uint32_t choose_bags(AnbPool *p, size_t from, unsigned hash)
{
    static const uint64_t by = UINT64_C(0x9e3779b97f4a7c15);
    static const unsigned place[HASHES] = {12, 8, 0};
    uint32_t most = 0;
    memset(p->start, 0, sizeof p->start);
    for (size_t i = from; i < p->call.n; i++) {
        uint64_t key = ((uint64_t)(uintptr_t)p->call.models[i] >> place[hash]) * by;
        p->bag[i] = (uint16_t)((key >> 32) & (p->bags - 1));
        p->start[p->bag[i] + 1]++;
    }
    for (size_t b = 1; b <= p->bags; b++)
        most = p->start[b] > most ? p->start[b] : most;
    return most;
}

static void fill_bags(AnbPool *p, size_t from)
{
    size_t left = p->call.n - from, threads = anb_team_size(p->team);
    unsigned hash = 0;
    for (p->bags = 2; p->bags < BAGS_A_THREAD * threads && p->bags < BAGS_MOST && p->bags < left;)
        p->bags *= 2;
    while (choose_bags(p, from, hash) > left / threads + left / 8 && hash + 1 < HASHES)
        hash++;
    for (size_t b = 0; b < p->bags; b++)
        p->start[b + 1] += p->start[b];
    for (size_t i = p->call.n; i-- > from;)
        p->sample[--p->start[p->bag[i] + 1]] = (uint32_t)i;
    p->start[p->bags + 1] = (uint32_t)left;
}

static void do_bag(const AnbPool *p, size_t b)
{
    for (size_t at = p->start[b + 1]; at < p->start[b + 2]; at++)
        do_sample(&p->call, p->sample[at]);
}

static void do_bags(void *context, size_t thread)
{
    AnbPool *p = context;
    size_t threads = anb_team_size(p->team);
    for (size_t t = 0; t < threads; t++) {
        size_t owner = (thread + t) % threads;
        for (;;) {
            size_t b = owner + threads * atomic_fetch_add_explicit(&p->part[owner].taken, 1, memory_order_relaxed);
            if (b >= p->bags)
                break;
            do_bag(p, b);
        }
    }
}

/* ---- calls -------------------------------------------------------------------------------------------------------- */

/* Whether threads may gain more on `left` samples of `ns` than they cost. */
static bool may_pay(const AnbPool *p, double ns, size_t left)
{
    double n = (double)left, gain = ns * n * (1 - 1 / (double)anb_team_size(p->team));
    return !anb_team_alone(p->team) && gain > WAKE_NS + (ns < CHEAP_NS ? STRIPE_NS : SORT_NS) * n;
}

/* The way that took less time, once both are known; now and then the other one. */
static bool choose_shared(Record *r, double tried)
{
    if (r->tried > ALIKE * tried || tried > ALIKE * r->tried)
        *r = (Record){.tried = tried};
    r->tried += .125 * (tried - r->tried);
    if (r->took[true] == 0 || r->took[false] == 0)
        return r->took[true] == 0;
    bool shared = r->took[true] < r->took[false];
    return r->calls++ % AGAIN == AGAIN - 1 ? !shared : shared;
}

static int share_bags(AnbPool *p, size_t from)
{
    int code = make_room(p, p->call.n);
    if (code)
        return code;
    fill_bags(p, from);
    for (size_t t = 0; t < anb_team_size(p->team); t++)
        atomic_store_explicit(&p->part[t].taken, 0, memory_order_relaxed);
    anb_team_run(p->team, do_bags, p);
    return 0;
}

static void work(AnbPool *p)
{
    const Call *c = &p->call;
    Record *record = &p->record[c->y != NULL];
    size_t first = c->n < TRIED ? c->n : TRIED, left = c->n - first;
    double tried = do_samples(c, 0, first), start = now();
    bool pays = may_pay(p, tried, left), shared = pays && choose_shared(record, tried);
    if (shared && tried < CHEAP_NS)
        share_stripes(p, first);
    else if (!shared || share_bags(p, first))
        do_samples(c, first, c->n);
    if (pays)
        record->took[shared] = (now() - start) / (double)left;
}

/* No model and no row is missing. */
static bool complete(const Call *call)
{
    if (anb_stripes_sure((const void *const *)call->models, call->n) &&
        anb_stripes_sure((const void *const *)call->x, call->n))
        return true;
    for (size_t i = 0; i < call->n; i++)
        if (!call->models[i] || !call->x[i])
            return false;
    return true;
}

static int run(AnbPool *p, const Call *call)
{
    if (call->n == 0)
        return 0;
    if (call->n > UINT32_MAX - 1)
        return ANB_E_ARGUMENT;
    if (!complete(call))
        return ANB_E_ARGUMENT;
    pthread_mutex_lock(&p->turn);
    p->call = *call;
    work(p);
    pthread_mutex_unlock(&p->turn);
    return 0;
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

AnbPool *anb_pool_new(size_t threads, AnbError *error)
{
    if (threads > ANB_POOL_THREADS_MAX) {
        anb_fail(error, ANB_E_ARGUMENT, "threads = %zu is outside [0, %d]", threads, ANB_POOL_THREADS_MAX);
        return NULL;
    }
    AnbPool *p = calloc(1, sizeof *p);
    if (p) {
        pthread_mutex_init(&p->turn, NULL);
        p->team = anb_team_new(threads);
        p->part = p->team ? aligned_alloc(_Alignof(Part), anb_team_size(p->team) * sizeof *p->part) : NULL;
        if (p->part)
            return p;
        anb_pool_free(p);
    }
    anb_fail(error, ANB_E_MEMORY, "no memory or threads for a pool of %zu", threads);
    return NULL;
}

void anb_pool_free(AnbPool *pool)
{
    if (!pool)
        return;
    anb_team_free(pool->team);
    free(pool->part);
    free(pool->sample);
    free(pool->bag);
    free(pool);
}

size_t anb_pool_threads(const AnbPool *pool)
{
    return anb_team_size(pool->team);
}
