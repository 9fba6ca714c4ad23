/*
 * A pool of threads for (model, row) pairs.
 *
 * Learning. Each thread has stripes of the address space (stripes.h) and does the samples of the call whose models lie
 * there, so that a model stays in the cache of one core. A thread that has finished its own stripes takes those that
 * others have not begun. If samples are expensive there are more stripes, so that all threads end at about the same
 * time.
 *
 * Predicting. Calls that only read the models are divided into blocks of samples. An exception are calls after one that
 * learned: each core then predicts for the models that it learned, which are in its cache.
 *
 * Sharing. The caller does the first samples alone and measures them. From that, and from how long similar calls took
 * (share_choice.h), it decides whether to share the rest. If the stripes are known, these first samples are of the
 * caller's own stripes, since a model that two cores write in turn moves between their caches line by line.
 */
#include "clock.h"
#include "model.h"
#include "samples.h"
#include "stripes.h"
#include "team.h"
#include "share_choice.h"
#include <anabranch/workers.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    TRIED = 32,   /* samples that the caller does first; the others may be shared out */
    BLOCK = 1024, /* samples that are predicted, or whose pointers are checked, at once, at most */
    BLOCK_LEAST = 64,
    BLOCKS = 8,              /* of a thread, if they may be smaller for that */
    CHECKED_TOGETHER = 8192, /* samples of a call from which on several threads check its pointers */
    STRIPES = 64,            /* of a thread, at most */
    FINER = 4,               /* stripes of a thread where one gives some thread too many samples */
    SLACK = 64,              /* samples that a thread may have beyond its share */
    MANY = 8,                /* one prediction in so many that needs the slow path */
    IN_STRIPES = 64,         /* calls that are done in stripes after that */
    IN_BLOCKS = 64,          /* calls of predictions in blocks where the stripes of learning were uneven for one */
    /* Calls for which stripes are used that give one thread too many samples; by then these samples may be of many
     * models. */
    UNEVEN_CALLS = 64,
    UNEVEN_CALLS_MOST = 1024 /* where the stripes were uneven each time */
};
static const double WAKE_NS = 20000;  /* what sharing costs in all where threads sleep, */
static const double OPEN_NS = 1000;   /* and where they are awake */
static const double CLOSE_NS = 20000; /* between calls that follow each other */
static const double SCAN_NS = .4;     /* to see whether a sample lies in a stripe */
/* The largest time of scans for one sample, relative to that of the sample. It is this low since the rows are fetched
 * once more for each stripe of a thread, which takes longer than the scan. */
static const double SCANS = .004;

/* A thread's part of a call, in a line of its own. */
typedef struct Part {
    _Alignas(128) atomic_size_t taken; /* how many of its stripes were started, by any thread */
    atomic_size_t done;                /* samples of its stripes in the last call, done by any thread */
} Part;

/* Something done with samples from `from` to `to` - 1. */
typedef void Block(AnbPool *pool, size_t from, size_t to);

struct AnbPool {
    pthread_mutex_t turn; /* held by the call that works */
    AnbTeam *team;
    Part *part;                /* of each thread */
    AnbShareRecords shares[2]; /* of calls that predict and that learn */
    AnbStripes dealt[2];       /* of such calls */
    AnbSamples call;           /* the present one */
    AnbStripes *stripes;       /* of this call */
    size_t from, own_from;     /* the first sample that is left, and that of the first stripe */
    Block *block;              /* what is done in blocks */
    size_t blocks_from, block_size;
    double missed; /* ns that the calls of the present row might have gained, had all been shared */
    double ended;  /* when the last call did; 0: it was too small to be timed */
    /* ns a sample that the last call gained by sharing, about: of those that predict, and of those that learn. */
    double gained[2];
    unsigned in_stripes;      /* calls of predictions to do in stripes */
    unsigned in_blocks;       /* and in blocks, behind one that learned too */
    bool learned;             /* whether the last call learned, in stripes that are known */
    char apart[112];          /* with what only the caller uses, above: from what all threads write */
    atomic_size_t next;       /* which block is next */
    atomic_size_t unsure;     /* predictions that need the slow path */
    atomic_size_t incomplete; /* blocks where a pointer is missing */
};

/* ---- blocks of a call -------------------------------------------------------------------------------------------- */

static void do_blocks(void *context, size_t thread)
{
    AnbPool *p = context;
    const size_t size = p->block_size;
    (void)thread;
    for (;;) {
        size_t from = p->blocks_from + size * atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);
        if (from >= p->call.n)
            return;
        p->block(p, from, p->call.n - from < size ? p->call.n : from + size);
    }
}

/* Does the samples from `from` on in blocks, in any order. */
static void run_blocks(AnbPool *p, size_t from, Block *block)
{
    p->block = block;
    p->blocks_from = from;
    p->block_size = (p->call.n - from) / (BLOCKS * anb_team_size(p->team));
    p->block_size = p->block_size < BLOCK_LEAST ? BLOCK_LEAST : p->block_size < BLOCK ? p->block_size : BLOCK;
    atomic_store_explicit(&p->next, 0, memory_order_relaxed);
    anb_team_run(p->team, do_blocks, p);
}

/* ---- stripes ----------------------------------------------------------------------------------------------------- */

/* Samples from `from` to `to` - 1 that lie in a stripe, in order. Returns how many. */
static size_t do_stripe(const AnbPool *p, size_t stripe, size_t from, size_t to)
{
    AnbOwn own;
    size_t sum = 0;
    for (; from < to; from += ANB_OWN_CHUNK) {
        size_t n = to - from < ANB_OWN_CHUNK ? to - from : ANB_OWN_CHUNK;
        anb_stripes_pick(p->stripes, stripe, &p->call, from, n, &own);
        anb_samples_own(&p->call, &own, own.n);
        sum += own.n;
    }
    return sum;
}

/* Each thread first does its own stripes, which are the same in every call, so that their models are in its core's
 * cache. Then it does stripes that others have not begun; their models must be fetched from another core's cache. */
static void do_stripes(void *context, size_t thread)
{
    AnbPool *p = context;
    const size_t threads = anb_team_size(p->team), of_thread = p->stripes->each;
    for (size_t t = 0; t < threads; t++) {
        size_t owner = (thread + t) % threads;
        Part *part = &p->part[owner];
        for (size_t i; (i = atomic_fetch_add_explicit(&part->taken, 1, memory_order_relaxed)) < of_thread;) {
            size_t stripe = owner * of_thread + i, from = stripe == 0 ? p->own_from : p->from;
            atomic_fetch_add_explicit(&part->done, do_stripe(p, stripe, from, p->call.n), memory_order_relaxed);
        }
    }
}

/* Marks all parts of the call as not started. */
static void untake(AnbPool *p)
{
    for (size_t t = 0; t < anb_team_size(p->team); t++) {
        atomic_store_explicit(&p->part[t].taken, 0, memory_order_relaxed);
        atomic_store_explicit(&p->part[t].done, 0, memory_order_relaxed);
    }
}

/* Whether no thread's stripes had a much larger part of the shared samples than one was dealt. */
static bool as_dealt(const AnbPool *p)
{
    size_t most = 0;
    for (size_t t = 0; t < anb_team_size(p->team); t++) {
        size_t done = atomic_load_explicit(&p->part[t].done, memory_order_relaxed);
        most = done > most ? done : most;
    }
    return (double)most <= (p->stripes->largest + ANB_STRIPES_UNEVEN) * (double)(p->call.n - p->from) + SLACK;
}

/* How many stripes of a thread: scans must not take long beside the samples. */
static size_t stripes_for(double ns, size_t threads)
{
    size_t most = ANB_STRIPES_MOST / threads, each = 1;
    while (each < STRIPES && 2 * each <= most && SCAN_NS * (double)(2 * each * threads) <= SCANS * ns)
        each *= 2;
    return each;
}

/* For how many calls stripes are used that were just dealt: uneven ones for longer where those before them were uneven
 * to the end. */
static void limit_use(AnbStripes *stripes, bool uneven)
{
    bool again = stripes->limit > 0 && stripes->left == 0;
    unsigned longer = 2 * stripes->limit < UNEVEN_CALLS_MOST ? 2 * stripes->limit : UNEVEN_CALLS_MOST;
    stripes->limit = !uneven ? 0 : again ? longer : UNEVEN_CALLS;
    stripes->left = stripes->limit;
}

/* False: out of memory. */
static bool deal(const AnbPool *p, AnbStripes *stripes, size_t each)
{
    size_t threads = anb_team_size(p->team), n = p->call.n - p->from;
    StreamingLearner *const *models = p->call.models + p->from;
    stripes->known = false;
    stripes->wanted = each;
    if (!anb_stripes_deal(stripes, models, n, threads, each))
        return false;
    bool uneven = stripes->largest > 1 / (double)threads + ANB_STRIPES_UNEVEN;
    limit_use(stripes, uneven);
    return !uneven || each >= FINER || FINER * threads > ANB_STRIPES_MOST ||
           anb_stripes_deal(stripes, models, n, threads, FINER);
}

/* Does the samples before those that the caller has done first. */
static void catch_up(AnbPool *p)
{
    for (size_t stripe = 1; p->from < p->own_from && stripe < p->stripes->n; stripe++)
        do_stripe(p, stripe, p->from, p->own_from);
    p->from = p->own_from;
}

/* Whether the call predicts in the stripes of learning, which it must not change. */
static bool in_those_of_learning(const AnbPool *p)
{
    return !p->call.y && p->stripes == &p->dealt[true];
}

/* False, and what is left is whole: out of memory. */
static bool share_stripes(AnbPool *p, double ns)
{
    size_t each = stripes_for(ns, anb_team_size(p->team)), wanted = p->stripes->wanted;
    bool fits = p->stripes->known && wanted <= 2 * each && each <= 2 * wanted;
    if (!fits && !in_those_of_learning(p)) {
        catch_up(p);
        if (!deal(p, p->stripes, each))
            return false;
    }
    untake(p);
    anb_team_run(p->team, do_stripes, p);
    bool even = as_dealt(p);
    if (!in_those_of_learning(p))
        p->stripes->known = even;
    else if (!even)
        p->in_blocks = IN_BLOCKS;
    return true;
}

/* ---- predictions that only read ---------------------------------------------------------------------------------- */

/* Repeats predictions that are NaN on the slow path. Where there are many, the next calls are done in stripes. */
static void predict_unsure(AnbPool *p)
{
    const AnbSamples *c = &p->call;
    size_t unsure = atomic_load_explicit(&p->unsure, memory_order_relaxed);
    for (size_t i = p->from; unsure > 0 && i < c->n; i++)
        if (c->out[i] != c->out[i])
            c->out[i] = anb_predict(c->models[i], c->x[i]);
    p->in_stripes = unsure > (c->n - p->from) / MANY ? IN_STRIPES : 0;
}

static void predict_between(AnbPool *p, size_t from, size_t to)
{
    size_t unsure = anb_samples_predict_reading(&p->call, from, to);
    if (unsure)
        atomic_fetch_add_explicit(&p->unsure, unsure, memory_order_relaxed);
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

/* The most that threads may gain on `left` samples of `ns` each, less the cost of sharing, and the cost of waking
 * them. */
static AnbShareGain gain_of(const AnbPool *p, double ns, size_t left)
{
    if (anb_team_alone(p->team))
        return (AnbShareGain){0, 0};
    double n = (double)left, saved = ns * (1 - 1 / (double)anb_team_size(p->team));
    double scans = SCAN_NS * (double)stripes_for(ns, anb_team_size(p->team));
    return (AnbShareGain){n * (saved - scans) - OPEN_NS, WAKE_NS};
}

static void do_alone(AnbPool *p)
{
    const AnbSamples *c = &p->call;
    if (c->read_only) {
        for (size_t from = p->from; from < c->n; from += BLOCK)
            predict_between(p, from, c->n - from < BLOCK ? c->n : from + BLOCK);
        predict_unsure(p);
        return;
    }
    catch_up(p);
    anb_samples_between(c, p->from, c->n);
}

static void do_shared(AnbPool *p, double ns)
{
    anb_samples_divide(&p->call, anb_team_size(p->team));
    if (p->call.read_only) {
        run_blocks(p, p->from, predict_between);
        predict_unsure(p);
    } else if (!share_stripes(p, ns)) {
        do_alone(p);
    }
}

/* The first samples of all. */
static void try_first(AnbPool *p)
{
    anb_samples_between(&p->call, 0, TRIED);
    p->from = p->own_from = TRIED;
}

/* The first samples of the first stripe; false: there are too few near the beginning. */
static bool try_own(AnbPool *p)
{
    AnbOwn own;
    size_t n = p->call.n < ANB_OWN_CHUNK ? p->call.n : ANB_OWN_CHUNK;
    anb_stripes_pick(p->stripes, 0, &p->call, 0, n, &own);
    if (own.n < TRIED)
        return false;
    anb_samples_own(&p->call, &own, TRIED);
    p->from = 0;
    p->own_from = own.number[TRIED - 1] + 1;
    return true;
}

/* Whether no thread sleeps, or waking them is worth it: this call, and the calls before it at distances below CLOSE_NS,
 * would together have gained as much by sharing as waking costs. */
static bool worth_waking(AnbPool *p, double start, double gain)
{
    p->missed = start - p->ended < CLOSE_NS ? p->missed + gain : gain;
    return anb_team_awake(p->team) || p->missed >= WAKE_NS;
}

/* In which stripes the call is done, or that it is in blocks. Brief predictions take less than to look for them in
 * stripes. */
static void choose_stripes(AnbPool *p)
{
    const bool learn = p->call.y != NULL, reads = p->call.read_only;
    bool behind = reads && p->learned && !p->call.brief && p->in_blocks == 0;
    bool apart = reads && !behind && p->in_stripes > 0;
    AnbStripes *stripes = p->stripes = &p->dealt[learn || behind];
    p->in_blocks -= !learn && p->in_blocks > 0;
    p->in_stripes -= apart;
    p->call.read_only = reads && !behind && !apart;
    if (!p->call.read_only && stripes->known && stripes->limit > 0)
        stripes->known = --stripes->left > 0;
}

static void do_call(AnbPool *p)
{
    const size_t left = p->call.n - TRIED;
    const bool learn = p->call.y != NULL;
    choose_stripes(p);
    atomic_store_explicit(&p->unsure, 0, memory_order_relaxed);
    double start = anb_clock_ns();
    if (p->call.read_only || !p->stripes->known || !try_own(p))
        try_first(p);
    double then = anb_clock_ns(), tried = (then - start) / TRIED;
    AnbShareGain gain = gain_of(p, tried, left);
    AnbShareRecord *record = anb_share_record(&p->shares[learn], left, tried, gain);
    bool wanted = record && anb_share_decide(record), shared = wanted && worth_waking(p, start, gain.gain);
    p->gained[learn] = shared ? gain.gain / (double)left : 0;
    if (shared)
        do_shared(p, anb_share_ns(record));
    else
        do_alone(p);
    p->ended = record ? anb_clock_ns() : 0;
    p->learned = learn && shared && p->stripes->known;
    if (wanted && !shared)
        anb_share_put_off(record);
    else if (record)
        anb_share_took(record, (p->ended - then) / (double)left, left);
}

static void check_between(AnbPool *p, size_t from, size_t to)
{
    if (!anb_stripes_complete(&p->call, from, to))
        atomic_fetch_add_explicit(&p->incomplete, 1, memory_order_relaxed);
}

/* No model and no row of the call is missing. */
static bool complete(AnbPool *p)
{
    double gain = p->gained[p->call.y != NULL] * (double)p->call.n;
    bool together = p->call.n >= CHECKED_TOGETHER && gain > 0 && (gain >= WAKE_NS || anb_team_awake(p->team));
    if (!together || anb_team_alone(p->team))
        return anb_stripes_complete(&p->call, 0, p->call.n);
    atomic_store_explicit(&p->incomplete, 0, memory_order_relaxed);
    run_blocks(p, 0, check_between);
    return atomic_load_explicit(&p->incomplete, memory_order_relaxed) == 0;
}

static int take_call(AnbPool *p, const AnbSamples *call)
{
    if (call->n > UINT32_MAX - 1 || (call->n > 0 && (!call->models || !call->x)))
        return ANB_E_ARGUMENT;
    pthread_mutex_lock(&p->turn);
    p->call = *call;
    bool fine = complete(p);
    if (fine && call->n <= TRIED) {
        anb_samples_between(call, 0, call->n);
    } else if (fine) {
        anb_samples_survey(&p->call);
        do_call(p);
    }
    pthread_mutex_unlock(&p->turn);
    return fine ? 0 : ANB_E_ARGUMENT;
}

int anb_pool_train(AnbPool *pool, StreamingLearner *const *models, const double *const *x, const double *y,
                   const double *weight, size_t n, double *out)
{
    if (!pool || (n > 0 && !y))
        return ANB_E_ARGUMENT;
    return take_call(pool, &(AnbSamples){.models = models, .x = x, .y = y, .weight = weight, .out = out, .n = n});
}

int anb_pool_predict(AnbPool *pool, StreamingLearner *const *models, const double *const *x, size_t n, double *out)
{
    if (!pool || (n > 0 && !out))
        return ANB_E_ARGUMENT;
    return take_call(pool, &(AnbSamples){.models = models, .x = x, .out = out, .n = n});
}

/* ---- making and freeing ------------------------------------------------------------------------------------------ */

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
    pthread_mutex_destroy(&pool->turn);
    free(pool->part);
    for (size_t i = 0; i < 2; i++)
        anb_stripes_free(&pool->dealt[i]);
    free(pool);
}

size_t anb_pool_threads(const AnbPool *pool)
{
    return anb_team_size(pool->team);
}
