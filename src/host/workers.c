/*
 * A pool of threads for (model, row) pairs. Cheap samples are shared out in stripes (stripes.h). Predictions by models with a short
 * way are shared out in blocks of the call, since they only read the models. All others are put into some hundreds of bags, the
 * samples of one model into one bag, in the order of the call:
 *
 *     models   A B A C A B        bag 0 (A, C): 0 2 3 4
 *     sample   0 1 2 3 4 5        bag 1 (B):    1 5
 *
 * Bag b is for thread b modulo the number of threads, so that a model stays in the cache of one core; a thread that has finished
 * its own bags takes those that others have not begun. Each bag is done from its first sample on. The caller does the first samples
 * of a call and measures them. By that, and by how similar calls went (ways.h), the rest is shared or not.
 */
#include "clock.h"
#include "model.h"
#include "samples.h"
#include "stripes.h"
#include "team.h"
#include "ways.h"
#include <anabranch/workers.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    TRIED = 32,         /* samples that the caller does first; the others may be shared out */
    BAGS_A_THREAD = 64, /* so that threads end nearly together */
    BAGS_MOST = 4096,
    HASHES = 3,   /* tried where many samples fall into one bag */
    CHUNK = 1024, /* samples that are looked through at once */
    BLOCK = 1024  /* samples that are predicted at once */
};
static const double WAKE_NS = 10000,
                    OPEN_NS = 1000; /* what sharing costs in all where threads sleep, and where they are awake */
static const double STRIPE_NS = .5, SORT_NS = 4; /* and a sample: in stripes and blocks, and in bags */
static const double CHEAP_NS = 100;              /* samples up to which go in stripes */

/* A thread's part of a call, in a line of its own. */
typedef struct Part {
    _Alignas(128) atomic_size_t taken; /* of its bags, by anyone; how often its stripes were asked for */
    size_t done;                       /* samples of its stripes, in the last call */
} Part;

struct AnbPool {
    pthread_mutex_t turn; /* held by the call that works */
    AnbTeam *team;
    Part *part;     /* of each thread */
    AnbWays way[2]; /* of calls that predict and that learn */
    AnbSamples call;
    AnbStripes stripes;
    atomic_size_t next;   /* which block is next */
    atomic_size_t unsure; /* predictions that need the long way */
    uint32_t *sample;     /* the call's samples, bag by bag */
    uint16_t *bag;        /* of each sample */
    size_t room;          /* samples */
    size_t bags;
    uint32_t start[BAGS_MOST + 2]; /* bag b's samples are sample[start[b + 1]] to sample[start[b + 2] - 1] */
};

/* ---- alone -------------------------------------------------------------------------------------------------------- */

/* Goes the long way for predictions that the short one left as NaN. */
static void look_again(const AnbSamples *c)
{
    for (size_t i = TRIED; i < c->n; i++)
        if (c->out[i] != c->out[i])
            c->out[i] = anb_predict(c->models[i], c->x[i]);
}

static void alone(const AnbPool *p)
{
    const AnbSamples *c = &p->call;
    if (!c->look)
        anb_samples_between(c, TRIED, c->n);
    else if (anb_samples_look(c, TRIED, c->n))
        look_again(c);
}

/* ---- stripes, and blocks ------------------------------------------------------------------------------------------- */

/* Nobody has begun any part of the call. */
static void untake(AnbPool *p)
{
    for (size_t t = 0; t < anb_team_size(p->team); t++)
        atomic_store_explicit(&p->part[t].taken, 0, memory_order_relaxed);
}

/* One thread's stripes: all its samples, in order. Returns how many. */
static size_t do_stripe(const AnbPool *p, size_t thread)
{
    const uint64_t stripes = anb_stripes_of(&p->stripes, thread);
    uint32_t own[CHUNK + ANB_STRIPES_SPARE];
    size_t sum = 0;
    for (size_t from = TRIED; from < p->call.n; from += CHUNK) {
        size_t n = p->call.n - from < CHUNK ? p->call.n - from : CHUNK;
        n = anb_stripes_list(p->call.models, from, n, p->stripes.place, stripes, own);
        anb_samples_listed(&p->call, own, n);
        sum += n;
    }
    return sum;
}

/* Each thread does the part that is its own in every call, whose models are in the cache of its core, then those that others have not
 * begun: models that another core has written come from there line by line. */
static void do_stripes(void *context, size_t thread)
{
    AnbPool *p = context;
    const size_t threads = anb_team_size(p->team);
    for (size_t t = 0; t < threads; t++) {
        size_t owner = (thread + t) % threads;
        if (atomic_fetch_add_explicit(&p->part[owner].taken, 1, memory_order_relaxed) == 0)
            p->part[owner].done = do_stripe(p, owner);
    }
}

/* Whether no thread had much more of the last call than it was dealt. */
static bool as_dealt(const AnbPool *p, size_t left)
{
    size_t most = 0;
    for (size_t t = 0; t < anb_team_size(p->team); t++)
        most = p->part[t].done > most ? p->part[t].done : most;
    return (double)most <= (p->stripes.largest + ANB_STRIPES_UNEVEN) * (double)left;
}

static void share_stripes(AnbPool *p)
{
    size_t threads = anb_team_size(p->team), left = p->call.n - TRIED;
    if (!p->stripes.known)
        anb_stripes_deal(&p->stripes, p->call.models + TRIED, left, threads);
    untake(p);
    anb_team_run(p->team, do_stripes, p);
    p->stripes.known = as_dealt(p, left);
}

static void do_blocks(void *context, size_t thread)
{
    AnbPool *p = context;
    size_t unsure = 0;
    (void)thread;
    for (;;) {
        size_t from = TRIED + BLOCK * atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);
        if (from >= p->call.n)
            break;
        unsure += anb_samples_look(&p->call, from, p->call.n - from < BLOCK ? p->call.n : from + BLOCK);
    }
    if (unsure)
        atomic_fetch_add_explicit(&p->unsure, unsure, memory_order_relaxed);
}

static void share_blocks(AnbPool *p)
{
    atomic_store_explicit(&p->next, 0, memory_order_relaxed);
    atomic_store_explicit(&p->unsure, 0, memory_order_relaxed);
    anb_team_run(p->team, do_blocks, p);
    if (atomic_load_explicit(&p->unsure, memory_order_relaxed))
        look_again(&p->call);
}

/* ---- bags --------------------------------------------------------------------------------------------------------- */

/* False: out of memory. */
static bool make_room(AnbPool *p, size_t n)
{
    if (n <= p->room)
        return true;
    uint32_t *sample = malloc(n * sizeof *sample);
    uint16_t *bag = malloc(n * sizeof *bag);
    if (!sample || !bag) {
        free(sample);
        free(bag);
        return false;
    }
    free(p->sample);
    free(p->bag);
    p->sample = sample;
    p->bag = bag;
    p->room = n;
    return true;
}

/* Gives each sample that is shared out its bag by one of the hashes and counts them in start[bag + 1]. Returns the largest bag's. By
 * the first hash all models of one page go into one bag, since small ones share lines of the cache; the others take smaller pieces
 * of memory. */
static uint32_t choose_bags(AnbPool *p, unsigned hash)
{
    static const uint64_t by = UINT64_C(0x9e3779b97f4a7c15);
    static const unsigned place[HASHES] = {12, 8, 0};
    uint32_t most = 0;
    memset(p->start, 0, sizeof p->start);
    for (size_t i = TRIED; i < p->call.n; i++) {
        uint64_t key = ((uint64_t)(uintptr_t)p->call.models[i] >> place[hash]) * by;
        p->bag[i] = (uint16_t)((key >> 32) & (p->bags - 1));
        p->start[p->bag[i] + 1]++;
    }
    for (size_t b = 1; b <= p->bags; b++)
        most = p->start[b] > most ? p->start[b] : most;
    return most;
}

static void fill_bags(AnbPool *p)
{
    size_t left = p->call.n - TRIED, threads = anb_team_size(p->team);
    unsigned hash = 0;
    for (p->bags = 2; p->bags < BAGS_A_THREAD * threads && p->bags < BAGS_MOST && p->bags < left;)
        p->bags *= 2;
    while (choose_bags(p, hash) > left / threads + left / 8 && hash + 1 < HASHES)
        hash++;
    for (size_t b = 0; b < p->bags; b++)
        p->start[b + 1] += p->start[b];
    for (size_t i = p->call.n; i-- > TRIED;)
        p->sample[--p->start[p->bag[i] + 1]] = (uint32_t)i;
    p->start[p->bags + 1] = (uint32_t)left;
}

static void do_bag(const AnbPool *p, size_t b)
{
    anb_samples_listed(&p->call, p->sample + p->start[b + 1], p->start[b + 2] - p->start[b + 1]);
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

/* False, and nothing is done, where there is no memory to sort the samples. */
static bool share_bags(AnbPool *p)
{
    if (!make_room(p, p->call.n))
        return false;
    fill_bags(p);
    untake(p);
    anb_team_run(p->team, do_bags, p);
    return true;
}

/* ---- calls -------------------------------------------------------------------------------------------------------- */

/* The most that threads may gain on `left` samples of `ns` each, less the cost of sharing, and the cost of waking them. */
static AnbWaysGain gain_of(const AnbPool *p, double ns, size_t left)
{
    if (anb_team_alone(p->team))
        return (AnbWaysGain){0, 0};
    double n = (double)left, each = ns * (1 - 1 / (double)anb_team_size(p->team));
    return (AnbWaysGain){n * (each - (ns < CHEAP_NS ? STRIPE_NS : SORT_NS)) - OPEN_NS, WAKE_NS};
}

static void share(AnbPool *p, double ns)
{
    if (p->call.look)
        share_blocks(p);
    else if (ns < CHEAP_NS)
        share_stripes(p);
    else if (!share_bags(p))
        alone(p);
}

static void work(AnbPool *p)
{
    const AnbSamples *c = &p->call;
    size_t left = c->n - TRIED;
    double start = anb_clock_ns();
    anb_samples_between(c, 0, TRIED);
    double then = anb_clock_ns(), tried = (then - start) / TRIED;
    AnbWay *way = anb_ways_of(&p->way[c->y != NULL], left, tried, gain_of(p, tried, left));
    if (way && anb_way_shared(way))
        share(p, anb_way_each(way));
    else
        alone(p);
    if (way)
        anb_way_took(way, (anb_clock_ns() - then) / (double)left, left);
}

/* No model and no row is missing. */
static bool complete(const AnbSamples *call)
{
    if (anb_stripes_sure((const void *const *)call->models, call->n) &&
        anb_stripes_sure((const void *const *)call->x, call->n))
        return true;
    for (size_t i = 0; i < call->n; i++)
        if (!call->models[i] || !call->x[i])
            return false;
    return true;
}

static int run(AnbPool *p, const AnbSamples *call)
{
    if (call->n == 0)
        return 0;
    if (call->n > UINT32_MAX - 1 || !complete(call))
        return ANB_E_ARGUMENT;
    pthread_mutex_lock(&p->turn);
    p->call = *call;
    if (call->n <= TRIED) {
        anb_samples_between(call, 0, call->n);
    } else {
        anb_samples_survey(&p->call);
        work(p);
    }
    pthread_mutex_unlock(&p->turn);
    return 0;
}

int anb_pool_train(AnbPool *pool, StreamingLearner *const *models, const double *const *x, const double *y,
                   const double *weight, size_t n, double *out)
{
    if (!y)
        return ANB_E_ARGUMENT;
    return run(pool, &(AnbSamples){.models = models, .x = x, .y = y, .weight = weight, .out = out, .n = n});
}

int anb_pool_predict(AnbPool *pool, StreamingLearner *const *models, const double *const *x, size_t n, double *out)
{
    if (!out)
        return ANB_E_ARGUMENT;
    return run(pool, &(AnbSamples){.models = models, .x = x, .out = out, .n = n});
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
