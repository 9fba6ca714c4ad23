/*
 * Left-right: two copies, and a counter for each reader that is odd while it predicts.
 *
 *     reader: entered += 1; copy = shown; predict; entered += 1
 *     learner: shown = the copy just written; for each reader: where entered is odd, wait until it changes
 *
 * Both sides order their first two steps by sequential consistency: a reader that the learner saw outside, or coming
 * back, reads `shown` after it was set, and so is not on the copy that the learner takes.
 */
#include "model.h"
#include <anabranch/interval.h>
#include <anabranch/pending.h>
#include <anabranch/serve.h>
#include <pthread.h>
#include <sched.h>

typedef struct Copy {
    StreamingLearner *model;
    uint64_t version;
} Copy;

/* What the learner thread did, to be done again on the other copy; its row is in `rows`. */
typedef enum Kind { SAMPLE, ROW, LABEL } Kind;

typedef struct Event {
    Kind kind;
    uint64_t id;      /* of a row or a label */
    double y, weight; /* of a sample or a label */
} Event;

struct AnbServer {
    AnbAllocator allocator;
    Copy copies[2];
    atomic_uint shown; /* the copy that readers see; the learner has the other */
    uint64_t version;
    size_t n_features, interval;
    Event *events;        /* room for `interval` of them */
    double *rows;         /* of n_features each */
    size_t n_events;      /* that the copy which readers see has not had yet */
    pthread_mutex_t lock; /* of the list of readers */
    AnbServeReader *readers;
    AnbObserver *observers[ANB_SERVE_OBSERVERS_MAX]; /* of the learner's copy; the caller's */
    size_t n_observers;
};

struct AnbServeReader {
    _Alignas(ANB_ALIGN) atomic_size_t entered; /* alone on its line */
    _Alignas(ANB_ALIGN) AnbServer *server;
    AnbReader *reader;
    uint64_t version;
    AnbServeReader *next, **place; /* in the server's list */
    void *memory;
};

static void *take(const AnbAllocator *allocator, size_t size)
{
    return allocator->alloc(size, allocator->context);
}

static void give(const AnbAllocator *allocator, void *memory)
{
    if (memory)
        allocator->free(memory, allocator->context);
}

/* ---- the learner's side ------------------------------------------------------------------------------------------ */

static void *out_of_memory(AnbError *error)
{
    anb_fail(error, ANB_E_MEMORY, "out of memory");
    return NULL;
}

static bool fill(AnbServer *s, const StreamingLearner *model, size_t interval, AnbError *error)
{
    s->n_features = anb_n_features(model);
    s->interval = interval;
    s->events = take(&s->allocator, interval * sizeof *s->events);
    s->rows = take(&s->allocator, interval * s->n_features * sizeof(double));
    if (!s->events || !s->rows)
        return out_of_memory(error) != NULL;
    for (int i = 0; i < 2; i++)
        if (!(s->copies[i].model = anb_clone(model, error)))
            return false;
    return true;
}

AnbServer *anb_serve_new(const StreamingLearner *model, size_t interval, AnbError *error)
{
    AnbAllocator allocator = model->plan->allocator;
    if (interval < 1 || interval > ANB_SERVE_INTERVAL_MAX) {
        anb_fail(error, ANB_E_ARGUMENT, "interval = %zu is outside [1, %d]", interval, ANB_SERVE_INTERVAL_MAX);
        return NULL;
    }
    AnbServer *server = take(&allocator, sizeof *server);
    if (!server)
        return out_of_memory(error);
    memset(server, 0, sizeof *server);
    server->allocator = allocator;
    atomic_init(&server->shown, 0);
    pthread_mutex_init(&server->lock, NULL);
    if (!fill(server, model, interval, error)) {
        anb_serve_free(server);
        return NULL;
    }
    return server;
}

void anb_serve_free(AnbServer *server)
{
    if (!server)
        return;
    AnbAllocator allocator = server->allocator;
    anb_free(server->copies[0].model);
    anb_free(server->copies[1].model);
    give(&allocator, server->events);
    give(&allocator, server->rows);
    pthread_mutex_destroy(&server->lock);
    give(&allocator, server);
}

static Copy *mine(const AnbServer *s)
{
    return (Copy *)&s->copies[1 - atomic_load_explicit(&s->shown, memory_order_relaxed)];
}

/* Until every prediction that may be on the other copy is over: one a reader. */
static void wait_for_readers(AnbServer *s)
{
    pthread_mutex_lock(&s->lock);
    for (AnbServeReader *r = s->readers; r; r = r->next) {
        size_t seen = atomic_load(&r->entered);
        while (seen % 2 == 1 && atomic_load(&r->entered) == seen)
            sched_yield();
    }
    pthread_mutex_unlock(&s->lock);
}

static double play(StreamingLearner *model, const Event *event, const double *x)
{
    switch (event->kind) {
    case ROW:
        return anb_predict_pending(model, event->id, x);
    case LABEL:
        return anb_learn_label(model, event->id, event->y, event->weight);
    default:
        return anb_train_one(model, x, event->y, event->weight);
    }
}

static void repeat_events(AnbServer *s, StreamingLearner *model)
{
    for (size_t i = 0; i < s->n_events; i++)
        play(model, &s->events[i], s->rows + i * s->n_features);
    s->n_events = 0;
}

void anb_serve_publish(AnbServer *server)
{
    Copy *done = mine(server);
    done->version = ++server->version;
    atomic_store(&server->shown, (unsigned)(done - server->copies));
    wait_for_readers(server);
    repeat_events(server, mine(server)->model);
}

/* On the learner's copy now, on the other one after the next publication. x: NULL where the event has no row. */
static double happen(AnbServer *s, Event event, const double *x)
{
    double *row = s->rows + s->n_events * s->n_features;
    if (x)
        memcpy(row, x, s->n_features * sizeof *row);
    s->events[s->n_events++] = event;
    double answer = play(mine(s)->model, &event, row);
    if (event.kind != ROW)
        for (size_t i = 0; i < s->n_observers; i++)
            anb_observe(s->observers[i], mine(s)->model, event.kind == SAMPLE ? row : NULL, event.y, answer);
    if (s->n_events == s->interval)
        anb_serve_publish(s);
    return answer;
}

double anb_serve_train(AnbServer *server, const double *x, double y, double weight)
{
    return happen(server, (Event){SAMPLE, 0, y, weight}, x);
}

double anb_serve_predict_pending(AnbServer *server, uint64_t id, const double *x)
{
    return happen(server, (Event){ROW, id, 0, 0}, x);
}

double anb_serve_learn_label(AnbServer *server, uint64_t id, double y, double weight)
{
    return happen(server, (Event){LABEL, id, y, weight}, NULL);
}

int anb_serve_attach(AnbServer *server, AnbObserver *observer)
{
    if (server->n_observers == ANB_SERVE_OBSERVERS_MAX)
        return ANB_E_LIMIT;
    server->observers[server->n_observers++] = observer;
    return 0;
}

uint64_t anb_serve_version(const AnbServer *server)
{
    return server->version;
}

const StreamingLearner *anb_serve_model(const AnbServer *server)
{
    return mine(server)->model;
}

/* ---- the readers' side ------------------------------------------------------------------------------------------- */

static void enlist(AnbServer *server, AnbServeReader *reader)
{
    pthread_mutex_lock(&server->lock);
    reader->next = server->readers;
    reader->place = &server->readers;
    if (reader->next)
        reader->next->place = &reader->next;
    server->readers = reader;
    pthread_mutex_unlock(&server->lock);
}

AnbServeReader *anb_serve_reader_new(AnbServer *server, AnbError *error)
{
    void *memory = take(&server->allocator, sizeof(AnbServeReader) + ANB_ALIGN);
    if (!memory)
        return out_of_memory(error);
    uintptr_t at = ((uintptr_t)memory + ANB_ALIGN - 1) / ANB_ALIGN * ANB_ALIGN;
    AnbServeReader *reader = memset((void *)at, 0, sizeof *reader);
    reader->reader = anb_reader_new(server->copies[0].model, error);
    if (!reader->reader) {
        give(&server->allocator, memory);
        return NULL;
    }
    atomic_init(&reader->entered, 0);
    reader->server = server;
    reader->memory = memory;
    enlist(server, reader);
    return reader;
}

void anb_serve_reader_free(AnbServeReader *reader)
{
    if (!reader)
        return;
    AnbServer *server = reader->server;
    pthread_mutex_lock(&server->lock);
    *reader->place = reader->next;
    if (reader->next)
        reader->next->place = reader->place;
    pthread_mutex_unlock(&server->lock);
    anb_reader_free(reader->reader);
    give(&server->allocator, reader->memory);
}

/* The published copy, which stays as it is until the reader leaves. */
static const StreamingLearner *enter(AnbServeReader *reader)
{
    atomic_store(&reader->entered, atomic_load_explicit(&reader->entered, memory_order_relaxed) + 1);
    const Copy *copy = &reader->server->copies[atomic_load(&reader->server->shown)];
    reader->version = copy->version;
    return copy->model;
}

static void leave(AnbServeReader *reader)
{
    size_t entered = atomic_load_explicit(&reader->entered, memory_order_relaxed);
    atomic_store_explicit(&reader->entered, entered + 1, memory_order_release);
}

double anb_serve_predict(AnbServeReader *reader, const double *x)
{
    double f = anb_predict_with(enter(reader), reader->reader, x);
    leave(reader);
    return f;
}

int anb_serve_predict_interval(AnbServeReader *reader, const double *x, double coverage, double *low, double *high)
{
    int code = anb_predict_interval_with(enter(reader), reader->reader, x, coverage, low, high);
    leave(reader);
    return code;
}

uint64_t anb_serve_reader_version(const AnbServeReader *reader)
{
    return reader->version;
}

const AnbCounters *anb_serve_reader_counters(const AnbServeReader *reader)
{
    return anb_reader_counters(reader->reader);
}
