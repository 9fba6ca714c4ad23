/*
 * The internals of a server, shared by learning (serve.c), publishing by time (serve_clock.c) and reading
 * (serve_reader.c).
 *
 * Left-right concurrency: two copies of the model, and for each reader a counter that is odd while it predicts.
 *
 *     reader: entered += 1; copy = shown; predict; entered += 1; if the publisher sleeps: wake it
 *     publisher: shown = the copy just written; sleeping = 1; for each reader: while entered is odd, sleep until it
 *                changes
 *
 * Every step is sequentially consistent. A reader that the publisher saw outside, or that enters again, reads `shown`
 * after it was set, so it is not on the copy that the learner takes next. A reader that leaves either sees that the
 * publisher sleeps, or the publisher sees that it has left.
 */
#ifndef ANB_HOST_SERVE_H
#define ANB_HOST_SERVE_H

#include "forks.h"
#include "model.h"
#include "turns.h"
#include <anabranch/serve.h>
#include <pthread.h>

typedef struct Copy {
    StreamingLearner *model;
    uint64_t version;
} Copy;

/* An event to be repeated on the other copy; its row is in `rows`, its answer in `answers`. */
typedef enum Kind { SAMPLE, ROW, LABEL } Kind;

typedef struct Event {
    Kind kind;
    bool answered;    /* by a reader */
    int source;       /* index of the source whose position it moves, or -1 */
    uint64_t id;      /* of a row or a label */
    uint64_t number;  /* at the source */
    double y, weight; /* of a sample or a label */
} Event;

struct AnbServer {
    AnbAllocator allocator;
    Copy copies[2];
    atomic_uint shown;    /* index of the published copy; the learner has the other */
    atomic_uint sleeping; /* 1 while the publisher may sleep until a reader leaves */
    size_t n_features, interval;
    Event *events;      /* room for `interval` of them */
    double *rows;       /* of n_features each */
    AnbAnswer *answers; /* NULL where the model scores none */
    size_t n_events;    /* events that are not published yet */
    unsigned forks;     /* of the process that made it */

    AnbTurns turns;       /* of learning and publishing */
    pthread_mutex_t lock; /* of the list of readers; taken in a turn */
    AnbServeReader *readers;
    AnbObserver *observers[ANB_SERVE_OBSERVERS_MAX]; /* of the learner's copy; the caller's */
    size_t n_observers;

    _Atomic uint64_t version;
    _Atomic int64_t published; /* when, in nanoseconds */
    /* ---- by time ---- */
    void (*due)(AnbServer *s);    /* publishes */
    int64_t longest;              /* nanoseconds that an event may stay unpublished; 0: no limit */
    int64_t first;                /* time of the first of n_events */
    pthread_t clock;              /* the thread that publishes by time */
    pthread_cond_t changed;       /* signalled with the first event, and at the end */
    bool has_clock, idle, ending; /* idle: the clock waits for events */
};

static inline void *anb_serve_take(const AnbAllocator *allocator, size_t size)
{
    return allocator->alloc(size, allocator->context);
}

static inline void anb_serve_give(const AnbAllocator *allocator, void *memory)
{
    if (memory)
        allocator->free(memory, allocator->context);
}

static inline void *anb_serve_no_memory(AnbError *error)
{
    anb_fail(error, ANB_E_MEMORY, "out of memory");
    return NULL;
}

/* Whether this process is a child of the one that made the server. */
static inline bool anb_serve_forked(const AnbServer *s)
{
    return s->forks != anb_forks();
}

/* ---- serve_reader.c ---- */
/* Waits until all predictions on the formerly published copy have ended: at most one a reader. */
void anb_serve_wait_for_readers(AnbServer *s);

/* ---- serve_clock.c ---- */
int64_t anb_serve_now(void);
/* publish: called by the clock's thread in its turn. */
int anb_serve_clock_start(AnbServer *s, double seconds, void (*publish)(AnbServer *s), AnbError *error);
void anb_serve_clock_stop(AnbServer *s);
/* An event came, the first since the last publication. */
void anb_serve_clock_first(AnbServer *s);

#endif
