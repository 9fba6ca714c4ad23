#include "scheduler.h"
#include "clock.h"
#include <stdatomic.h>
#include <stdlib.h>

enum { MEASURED_EVERY = 32 };
static const double LEAST_SHARED_NS = 5000; /* less work is done by the caller: other threads would wake too late */
static const double FOLLOW = 0.25;          /* of a measured cost, in its running mean */
static const double SAVING = 0.9;    /* pieces are assigned anew where that lowers the total time to this share */
static const double MOVED_NS = 1000; /* cheaper pieces are left to their own thread while that is working */

/* A thread's part, in lines of its own. */
typedef struct Share {
    _Alignas(128) atomic_size_t taken; /* how many of its pieces were started, by any thread */
    atomic_bool here;                  /* whether the thread is working */
    size_t from, n, large;             /* its pieces are order[from .. from + n); how many may go to other threads */
    double load[ANB_WORK_KINDS];
    _Alignas(128) AnbCounters counters;
} Share;

typedef struct Scheduler {
    AnbScheduler base;
    AnbTeam *team;
    size_t pieces;                /* room for so many of the first kind, and ANB_WORK_ASIDE */
    double *cost[ANB_WORK_KINDS]; /* ns of each piece, running means; 0: not known */
    uint64_t calls[ANB_WORK_KINDS];
    uint32_t *owner, *order; /* of each piece; the pieces thread by thread, each's by falling cost */
    double *weight;          /* ns of each piece for the dealing */
    Share *share;            /* of each thread */
    /* The present work, and the pieces put aside. */
    AnbWorkKind kind;
    AnbWork work, aside;
    bool measured;
} Scheduler;

/* ---- one piece --------------------------------------------------------------------------------------------------- */

/* Pieces put aside lie behind those of the mixture. */
static void do_piece(Scheduler *scheduler, size_t i, AnbCounters *counters)
{
    const AnbWork *work = i < scheduler->pieces ? &scheduler->work : &scheduler->aside;
    work->run(work->context, i < scheduler->pieces ? i : i - scheduler->pieces, counters);
}

/* A cost grows at most threefold in one step, since a measurement may include an interruption. */
static void measure_piece(Scheduler *scheduler, size_t i, AnbCounters *counters)
{
    double *cost = &scheduler->cost[scheduler->kind][i], start = anb_clock_ns();
    do_piece(scheduler, i, counters);
    double took = anb_clock_ns() - start, known = *cost;
    took = known > 0 && took > 3 * known ? 3 * known : took;
    *cost = known > 0 ? known + FOLLOW * (took - known) : took;
}

static void take_piece(Scheduler *scheduler, size_t i, AnbCounters *counters)
{
    if (scheduler->measured)
        measure_piece(scheduler, i, counters);
    else
        do_piece(scheduler, i, counters);
}

/* Whether piece i is part of the present work; pieces put aside are done with learning. */
static bool at_work(const Scheduler *scheduler, size_t i)
{
    return i < scheduler->pieces ? i < scheduler->work.n
                                 : scheduler->kind == ANB_WORK_LEARN && i - scheduler->pieces < scheduler->aside.n;
}

/* ---- all pieces -------------------------------------------------------------------------------------------------- */

static void run_alone(Scheduler *scheduler, AnbCounters *counters)
{
    for (size_t i = 0; i < scheduler->pieces + ANB_WORK_ASIDE; i++)
        if (at_work(scheduler, i))
            take_piece(scheduler, i, counters);
}

/* Takes pieces of one share until none is left. */
static void take_from(Scheduler *scheduler, Share *of, bool own, AnbCounters *counters)
{
    for (;;) {
        size_t most = own || !atomic_load_explicit(&of->here, memory_order_relaxed) ? of->n : of->large;
        if (atomic_load_explicit(&of->taken, memory_order_relaxed) >= most)
            return;
        size_t at = atomic_fetch_add_explicit(&of->taken, 1, memory_order_relaxed);
        if (at >= of->n)
            return;
        if (at_work(scheduler, scheduler->order[of->from + at]))
            take_piece(scheduler, scheduler->order[of->from + at], counters);
    }
}

/* One thread of the team: its own pieces, then what is left of the others'. */
static void join(void *context, size_t thread)
{
    Scheduler *scheduler = context;
    size_t threads = anb_team_size(scheduler->team);
    Share *own = &scheduler->share[thread];
    atomic_store_explicit(&own->here, true, memory_order_relaxed);
    for (size_t t = 0; t < threads; t++)
        take_from(scheduler, &scheduler->share[(thread + t) % threads], t == 0, &own->counters);
}

/* Counters are counts of 64 bits, all of them. */
static void add_counters(AnbCounters *sum, AnbCounters *part)
{
    uint64_t *to = (uint64_t *)sum, *from = (uint64_t *)part;
    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++) {
        to[i] += from[i];
        from[i] = 0;
    }
}

static void run_shared(Scheduler *scheduler, AnbCounters *counters)
{
    size_t threads = anb_team_size(scheduler->team);
    for (size_t t = 0; t < threads; t++) {
        atomic_store_explicit(&scheduler->share[t].taken, 0, memory_order_relaxed);
        atomic_store_explicit(&scheduler->share[t].here, false, memory_order_relaxed);
    }
    anb_team_run(scheduler->team, join, scheduler);
    for (size_t t = 0; t < threads; t++)
        add_counters(counters, &scheduler->share[t].counters);
}

/* ---- dealing ----------------------------------------------------------------------------------------------------- */

/* What a piece costs a sample, by kind: rows that are predicted many at once come in blocks. */
static double cost_of(const Scheduler *scheduler, size_t kind, size_t i)
{
    return scheduler->cost[kind][i] / (kind == ANB_WORK_PREDICT_MANY ? ANB_ROWS : 1);
}

static double weight_of(const Scheduler *scheduler, size_t i)
{
    double sum = 0;
    for (size_t kind = 0; kind < ANB_WORK_KINDS; kind++)
        sum += cost_of(scheduler, kind, i);
    return sum;
}

/* The pieces in `order`, by falling weight; equal ones as they come. */
static void sort(Scheduler *scheduler, size_t n)
{
    for (size_t gap = n / 2; gap > 0; gap /= 2)
        for (size_t i = gap; i < n; i++) {
            uint32_t piece = scheduler->order[i];
            size_t at = i;
            for (; at >= gap && scheduler->weight[scheduler->order[at - gap]] < scheduler->weight[piece]; at -= gap)
                scheduler->order[at] = scheduler->order[at - gap];
            scheduler->order[at] = piece;
        }
}

static void lay_down(Scheduler *scheduler)
{
    for (size_t t = 0; t < anb_team_size(scheduler->team); t++)
        memset(scheduler->share[t].load, 0, sizeof scheduler->share[t].load);
}

static void load(Scheduler *scheduler, size_t thread, size_t i)
{
    for (size_t kind = 0; kind < ANB_WORK_KINDS; kind++)
        scheduler->share[thread].load[kind] += cost_of(scheduler, kind, i);
}

/* The time for all kinds of work, one after the other. */
static double done(const Scheduler *scheduler)
{
    double sum = 0;
    for (size_t kind = 0; kind < ANB_WORK_KINDS; kind++) {
        double most = 0;
        for (size_t t = 0; t < anb_team_size(scheduler->team); t++)
            most = scheduler->share[t].load[kind] > most ? scheduler->share[t].load[kind] : most;
        sum += most;
    }
    return sum;
}

static double done_by(Scheduler *scheduler, const uint32_t *owner, size_t n)
{
    lay_down(scheduler);
    for (size_t i = 0; i < n; i++)
        load(scheduler, owner[i], i);
    return done(scheduler);
}

/* By how much the squares of a thread's loads grow with piece i, without terms that are the same for all threads. */
static double growth(const Scheduler *scheduler, size_t thread, size_t i)
{
    double sum = 0;
    for (size_t kind = 0; kind < ANB_WORK_KINDS; kind++) {
        double cost = cost_of(scheduler, kind, i);
        sum += cost * (scheduler->share[thread].load[kind] + cost);
    }
    return sum;
}

/* Assigns each piece in turn to the thread with the smallest load of the piece's kinds. */
static void assign_anew(Scheduler *scheduler, size_t n, uint32_t *owner)
{
    lay_down(scheduler);
    for (size_t i = 0; i < n; i++) {
        size_t best = 0, piece = scheduler->order[i];
        for (size_t t = 1; t < anb_team_size(scheduler->team); t++)
            best = growth(scheduler, t, piece) < growth(scheduler, best, piece) ? t : best;
        owner[piece] = (uint32_t)best;
        load(scheduler, best, piece);
    }
}

/* Orders the pieces by thread, those of one thread as before. */
static void group(Scheduler *scheduler, size_t n, uint32_t *sorted)
{
    size_t at = 0;
    memcpy(sorted, scheduler->order, n * sizeof *sorted);
    for (size_t t = 0; t < anb_team_size(scheduler->team); t++) {
        scheduler->share[t].from = at;
        scheduler->share[t].large = 0;
        for (size_t i = 0; i < n; i++)
            if (scheduler->owner[sorted[i]] == t) {
                scheduler->share[t].large += scheduler->weight[sorted[i]] >= MOVED_NS;
                scheduler->order[at++] = sorted[i];
            }
        scheduler->share[t].n = at - scheduler->share[t].from;
    }
}

static void assign(Scheduler *scheduler)
{
    size_t n = scheduler->pieces + ANB_WORK_ASIDE;
    uint32_t *other = scheduler->order + n;
    for (size_t i = 0; i < n; i++) {
        scheduler->weight[i] = weight_of(scheduler, i);
        scheduler->order[i] = (uint32_t)i;
    }
    sort(scheduler, n);
    assign_anew(scheduler, n, other);
    if (done_by(scheduler, other, n) < SAVING * done_by(scheduler, scheduler->owner, n))
        memcpy(scheduler->owner, other, n * sizeof *other);
    group(scheduler, n, other);
}

/* ---- the scheduler's functions ----------------------------------------------------------------------------------- */

static double total(const Scheduler *scheduler)
{
    double sum = 0;
    for (size_t i = 0; i < scheduler->pieces + ANB_WORK_ASIDE; i++)
        sum += at_work(scheduler, i) ? scheduler->cost[scheduler->kind][i] : 0;
    return sum;
}

static void share(AnbScheduler *self, AnbWorkKind kind, const AnbWork *work, AnbCounters *counters)
{
    Scheduler *scheduler = (Scheduler *)self;
    scheduler->kind = kind;
    scheduler->work = *work;
    scheduler->measured = scheduler->calls[kind]++ % MEASURED_EVERY == 0;
    if (anb_team_alone(scheduler->team) || total(scheduler) < LEAST_SHARED_NS)
        run_alone(scheduler, counters);
    else
        run_shared(scheduler, counters);
    if (scheduler->measured)
        assign(scheduler);
    if (kind == ANB_WORK_LEARN)
        scheduler->aside.n = 0;
}

static void put_aside(AnbScheduler *self, const AnbWork *work)
{
    ((Scheduler *)self)->aside = *work;
}

static void finish(AnbScheduler *self, AnbCounters *counters)
{
    if (((Scheduler *)self)->aside.n > 0)
        share(self, ANB_WORK_LEARN, &(AnbWork){.n = 0}, counters);
}

/* ---- making and freeing ------------------------------------------------------------------------------------------ */

static bool make(Scheduler *scheduler, size_t n)
{
    size_t threads = anb_team_size(scheduler->team);
    double *numbers = calloc((ANB_WORK_KINDS + 1) * n, sizeof *numbers);
    scheduler->weight = numbers;
    for (size_t kind = 0; kind < ANB_WORK_KINDS && numbers; kind++)
        scheduler->cost[kind] = numbers + (kind + 1) * n;
    scheduler->owner = calloc(3 * n, sizeof *scheduler->owner);
    scheduler->share = aligned_alloc(_Alignof(Share), threads * sizeof *scheduler->share);
    if (!numbers || !scheduler->owner || !scheduler->share)
        return false;
    scheduler->order = scheduler->owner + n;
    for (size_t t = 0; t < threads; t++)
        scheduler->share[t] = (Share){.n = 0};
    assign(scheduler);
    return true;
}

AnbScheduler *anb_scheduler_new(AnbTeam *team, size_t pieces)
{
    Scheduler *scheduler = calloc(1, sizeof *scheduler);
    if (!scheduler)
        return NULL;
    scheduler->base = (AnbScheduler){share, put_aside, finish};
    scheduler->team = team;
    scheduler->pieces = pieces;
    if (make(scheduler, pieces + ANB_WORK_ASIDE))
        return &scheduler->base;
    anb_scheduler_free(&scheduler->base);
    return NULL;
}

void anb_scheduler_free(AnbScheduler *self)
{
    Scheduler *scheduler = (Scheduler *)self;
    if (!scheduler)
        return;
    free(scheduler->weight);
    free(scheduler->owner);
    free(scheduler->share);
    free(scheduler);
}
