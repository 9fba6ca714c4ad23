#include "crew.h"
#include "clock.h"
#include <stdatomic.h>
#include <stdlib.h>

enum { MEASURED_EVERY = 32 };
static const double WORTH_NS = 5000; /* less is done by the caller: others would come late */
static const double FOLLOW = 0.25;   /* of a measured cost, in its running mean */
static const double SAVING = 0.9;    /* pieces are dealt anew where all would be done after less than so much */
static const double MOVED_NS = 1000; /* what costs less is left to its own thread, where that is at work */

/* A thread's part, in lines of its own. */
typedef struct Share {
    _Alignas(128) atomic_size_t taken; /* of its pieces, by anyone */
    atomic_bool here;                  /* the thread is at work */
    size_t from, n, large;             /* its pieces: order[from] to order[from + n - 1]; so many may move */
    double load[ANB_CREW_KINDS];
    _Alignas(128) AnbCounters counters;
} Share;

typedef struct Crew {
    AnbCrew face;
    AnbTeam *team;
    size_t pieces;                /* room for so many of the first kind, and ANB_CREW_ASIDE */
    double *cost[ANB_CREW_KINDS]; /* ns of each piece, running means; 0: not known */
    uint64_t calls[ANB_CREW_KINDS];
    uint32_t *owner, *order; /* of each piece; the pieces thread by thread, each's by falling cost */
    double *weight;          /* ns of each piece for the dealing */
    Share *share;            /* of each thread */
    /* The work that is being done, and what is aside. */
    AnbCrewKind kind;
    AnbCrewWork work, aside;
    bool measured;
} Crew;

/* ---- one piece ----------------------------------------------------------------------------------------------------- */

/* Pieces put aside lie behind those of the mixture. */
static void do_piece(Crew *crew, size_t i, AnbCounters *counters)
{
    const AnbCrewWork *work = i < crew->pieces ? &crew->work : &crew->aside;
    work->run(work->context, i < crew->pieces ? i : i - crew->pieces, counters);
}

/* A pause of the machine's is not the piece's: a cost grows by twice itself at most. */
static void measure_piece(Crew *crew, size_t i, AnbCounters *counters)
{
    double *cost = &crew->cost[crew->kind][i], start = anb_clock_ns();
    do_piece(crew, i, counters);
    double took = anb_clock_ns() - start, known = *cost;
    took = known > 0 && took > 3 * known ? 3 * known : took;
    *cost = known > 0 ? known + FOLLOW * (took - known) : took;
}

static void take_piece(Crew *crew, size_t i, AnbCounters *counters)
{
    if (crew->measured)
        measure_piece(crew, i, counters);
    else
        do_piece(crew, i, counters);
}

/* What is aside is learned. */
static bool at_work(const Crew *crew, size_t i)
{
    return i < crew->pieces ? i < crew->work.n : crew->kind == ANB_CREW_LEARN && i - crew->pieces < crew->aside.n;
}

/* ---- all pieces ---------------------------------------------------------------------------------------------------- */

static void alone(Crew *crew, AnbCounters *counters)
{
    for (size_t i = 0; i < crew->pieces + ANB_CREW_ASIDE; i++)
        if (at_work(crew, i))
            take_piece(crew, i, counters);
}

/* Takes pieces of one share until none is left. */
static void take_from(Crew *crew, Share *of, bool own, AnbCounters *counters)
{
    for (;;) {
        size_t most = own || !atomic_load_explicit(&of->here, memory_order_relaxed) ? of->n : of->large;
        if (atomic_load_explicit(&of->taken, memory_order_relaxed) >= most)
            return;
        size_t at = atomic_fetch_add_explicit(&of->taken, 1, memory_order_relaxed);
        if (at >= of->n)
            return;
        if (at_work(crew, crew->order[of->from + at]))
            take_piece(crew, crew->order[of->from + at], counters);
    }
}

/* One thread of the team: its own pieces, then what is left of the others'. */
static void join(void *context, size_t thread)
{
    Crew *crew = context;
    size_t threads = anb_team_size(crew->team);
    Share *own = &crew->share[thread];
    atomic_store_explicit(&own->here, true, memory_order_relaxed);
    for (size_t t = 0; t < threads; t++)
        take_from(crew, &crew->share[(thread + t) % threads], t == 0, &own->counters);
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

static void together(Crew *crew, AnbCounters *counters)
{
    size_t threads = anb_team_size(crew->team);
    for (size_t t = 0; t < threads; t++) {
        atomic_store_explicit(&crew->share[t].taken, 0, memory_order_relaxed);
        atomic_store_explicit(&crew->share[t].here, false, memory_order_relaxed);
    }
    anb_team_run(crew->team, join, crew);
    for (size_t t = 0; t < threads; t++)
        add_counters(counters, &crew->share[t].counters);
}

/* ---- dealing ------------------------------------------------------------------------------------------------------- */

/* What a piece costs a sample, by kind: rows that are predicted many at once come in blocks. */
static double cost_of(const Crew *crew, size_t kind, size_t i)
{
    return crew->cost[kind][i] / (kind == ANB_CREW_PREDICT_MANY ? ANB_ROWS : 1);
}

static double weight_of(const Crew *crew, size_t i)
{
    double sum = 0;
    for (size_t kind = 0; kind < ANB_CREW_KINDS; kind++)
        sum += cost_of(crew, kind, i);
    return sum;
}

/* The pieces in `order`, by falling weight; equal ones as they come. */
static void sort(Crew *crew, size_t n)
{
    for (size_t gap = n / 2; gap > 0; gap /= 2)
        for (size_t i = gap; i < n; i++) {
            uint32_t piece = crew->order[i];
            size_t at = i;
            for (; at >= gap && crew->weight[crew->order[at - gap]] < crew->weight[piece]; at -= gap)
                crew->order[at] = crew->order[at - gap];
            crew->order[at] = piece;
        }
}

static void lay_down(Crew *crew)
{
    for (size_t t = 0; t < anb_team_size(crew->team); t++)
        memset(crew->share[t].load, 0, sizeof crew->share[t].load);
}

static void load(Crew *crew, size_t thread, size_t i)
{
    for (size_t kind = 0; kind < ANB_CREW_KINDS; kind++)
        crew->share[thread].load[kind] += cost_of(crew, kind, i);
}

/* When all kinds of work would be done, one after the other. */
static double done(const Crew *crew)
{
    double sum = 0;
    for (size_t kind = 0; kind < ANB_CREW_KINDS; kind++) {
        double most = 0;
        for (size_t t = 0; t < anb_team_size(crew->team); t++)
            most = crew->share[t].load[kind] > most ? crew->share[t].load[kind] : most;
        sum += most;
    }
    return sum;
}

static double done_by(Crew *crew, const uint32_t *owner, size_t n)
{
    lay_down(crew);
    for (size_t i = 0; i < n; i++)
        load(crew, owner[i], i);
    return done(crew);
}

/* What the squares of a thread's loads grow by with piece i, but for what is the same for all threads. */
static double growth(const Crew *crew, size_t thread, size_t i)
{
    double sum = 0;
    for (size_t kind = 0; kind < ANB_CREW_KINDS; kind++) {
        double cost = cost_of(crew, kind, i);
        sum += cost * (crew->share[thread].load[kind] + cost);
    }
    return sum;
}

/* Each piece in turn to the thread that has least of what the piece is made of. */
static void deal_anew(Crew *crew, size_t n, uint32_t *owner)
{
    lay_down(crew);
    for (size_t i = 0; i < n; i++) {
        size_t best = 0, piece = crew->order[i];
        for (size_t t = 1; t < anb_team_size(crew->team); t++)
            best = growth(crew, t, piece) < growth(crew, best, piece) ? t : best;
        owner[piece] = (uint32_t)best;
        load(crew, best, piece);
    }
}

/* The pieces in the order of their threads, each thread's as they were. */
static void group(Crew *crew, size_t n, uint32_t *sorted)
{
    size_t at = 0;
    memcpy(sorted, crew->order, n * sizeof *sorted);
    for (size_t t = 0; t < anb_team_size(crew->team); t++) {
        crew->share[t].from = at;
        crew->share[t].large = 0;
        for (size_t i = 0; i < n; i++)
            if (crew->owner[sorted[i]] == t) {
                crew->share[t].large += crew->weight[sorted[i]] >= MOVED_NS;
                crew->order[at++] = sorted[i];
            }
        crew->share[t].n = at - crew->share[t].from;
    }
}

static void deal(Crew *crew)
{
    size_t n = crew->pieces + ANB_CREW_ASIDE;
    uint32_t *other = crew->order + n;
    for (size_t i = 0; i < n; i++) {
        crew->weight[i] = weight_of(crew, i);
        crew->order[i] = (uint32_t)i;
    }
    sort(crew, n);
    deal_anew(crew, n, other);
    if (done_by(crew, other, n) < SAVING * done_by(crew, crew->owner, n))
        memcpy(crew->owner, other, n * sizeof *other);
    group(crew, n, other);
}

/* ---- the crew's face ------------------------------------------------------------------------------------------------ */

static double total(const Crew *crew)
{
    double sum = 0;
    for (size_t i = 0; i < crew->pieces + ANB_CREW_ASIDE; i++)
        sum += at_work(crew, i) ? crew->cost[crew->kind][i] : 0;
    return sum;
}

static void share(AnbCrew *self, AnbCrewKind kind, const AnbCrewWork *work, AnbCounters *counters)
{
    Crew *crew = (Crew *)self;
    crew->kind = kind;
    crew->work = *work;
    crew->measured = crew->calls[kind]++ % MEASURED_EVERY == 0;
    if (anb_team_alone(crew->team) || total(crew) < WORTH_NS)
        alone(crew, counters);
    else
        together(crew, counters);
    if (crew->measured)
        deal(crew);
    if (kind == ANB_CREW_LEARN)
        crew->aside.n = 0;
}

static void put_aside(AnbCrew *self, const AnbCrewWork *work)
{
    ((Crew *)self)->aside = *work;
}

static void finish(AnbCrew *self, AnbCounters *counters)
{
    if (((Crew *)self)->aside.n > 0)
        share(self, ANB_CREW_LEARN, &(AnbCrewWork){.n = 0}, counters);
}

/* ---- making and freeing -------------------------------------------------------------------------------------------- */

static bool make(Crew *crew, size_t n)
{
    size_t threads = anb_team_size(crew->team);
    double *numbers = calloc((ANB_CREW_KINDS + 1) * n, sizeof *numbers);
    crew->weight = numbers;
    for (size_t kind = 0; kind < ANB_CREW_KINDS && numbers; kind++)
        crew->cost[kind] = numbers + (kind + 1) * n;
    crew->owner = calloc(3 * n, sizeof *crew->owner);
    crew->share = aligned_alloc(_Alignof(Share), threads * sizeof *crew->share);
    if (!numbers || !crew->owner || !crew->share)
        return false;
    crew->order = crew->owner + n;
    for (size_t t = 0; t < threads; t++)
        crew->share[t] = (Share){.n = 0};
    deal(crew);
    return true;
}

AnbCrew *anb_crew_new(AnbTeam *team, size_t pieces)
{
    Crew *crew = calloc(1, sizeof *crew);
    if (!crew)
        return NULL;
    crew->face = (AnbCrew){share, put_aside, finish};
    crew->team = team;
    crew->pieces = pieces;
    if (make(crew, pieces + ANB_CREW_ASIDE))
        return &crew->face;
    anb_crew_free(&crew->face);
    return NULL;
}

void anb_crew_free(AnbCrew *self)
{
    Crew *crew = (Crew *)self;
    if (!crew)
        return;
    free(crew->weight);
    free(crew->owner);
    free(crew->share);
    free(crew);
}
