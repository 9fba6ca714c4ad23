/* The readers' side of a server: predictions of a published version, without a lock or a loop. */
#include "serve.h"
#include "snapshot.h"
#include "word_wait.h"
#include "src/text/given.h"
#include <anabranch/interval.h>
#include <anabranch/quantile.h>

struct AnbServeReader {
    _Alignas(ANB_ALIGN) atomic_uint entered; /* alone on its line */
    _Alignas(ANB_ALIGN) AnbServer *server;
    AnbReader *reader;
    uint64_t version;
    AnbServeReader *next, **place; /* in the server's list; place NULL: made in a child process, in no list */
    void *memory;
};

/* ---- the list ---------------------------------------------------------------------------------------------------- */

/* Not in a child process, where nothing is published and the lock may never be released. */
static void enlist(AnbServer *server, AnbServeReader *reader)
{
    if (anb_serve_forked(server))
        return;
    pthread_mutex_lock(&server->lock);
    reader->next = server->readers;
    reader->place = &server->readers;
    if (reader->next)
        reader->next->place = &reader->next;
    server->readers = reader;
    pthread_mutex_unlock(&server->lock);
}

static void strike(AnbServer *server, AnbServeReader *reader)
{
    if (anb_serve_forked(server))
        return;
    pthread_mutex_lock(&server->lock);
    *reader->place = reader->next;
    if (reader->next)
        reader->next->place = reader->place;
    pthread_mutex_unlock(&server->lock);
}

void anb_serve_wait_for_readers(AnbServer *s)
{
    pthread_mutex_lock(&s->lock);
    atomic_store(&s->sleeping, 1);
    for (AnbServeReader *r = s->readers; r; r = r->next) {
        unsigned seen = atomic_load(&r->entered);
        if (seen % 2 == 1)
            anb_word_wait(&r->entered, seen);
    }
    atomic_store(&s->sleeping, 0);
    pthread_mutex_unlock(&s->lock);
}

AnbServeReader *anb_serve_reader_new(AnbServer *server, AnbError *error)
{
    if (!anb_given(server, "server", error))
        return NULL;
    void *memory = anb_serve_take(&server->allocator, sizeof(AnbServeReader) + ANB_ALIGN);
    if (!memory)
        return anb_serve_no_memory(error);
    AnbServeReader *reader = memset(anb_aligned(memory), 0, sizeof *reader);
    reader->reader = anb_reader_new(server->copies[0].model, error);
    if (!reader->reader) {
        anb_serve_give(&server->allocator, memory);
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
    strike(server, reader);
    anb_reader_free(reader->reader);
    anb_serve_give(&server->allocator, reader->memory);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* The published copy, which does not change until the reader leaves. */
static const StreamingLearner *enter(AnbServeReader *reader)
{
    atomic_store(&reader->entered, atomic_load_explicit(&reader->entered, memory_order_relaxed) + 1);
    const Copy *copy = &reader->server->copies[atomic_load(&reader->server->shown)];
    reader->version = copy->version;
    return copy->model;
}

static void leave(AnbServeReader *reader)
{
    atomic_store(&reader->entered, atomic_load_explicit(&reader->entered, memory_order_relaxed) + 1);
    if (atomic_load(&reader->server->sleeping))
        anb_word_wake(&reader->entered);
}

double anb_serve_predict(AnbServeReader *reader, const double *x)
{
    double f = anb_predict_with(enter(reader), reader->reader, x);
    leave(reader);
    return f;
}

void anb_serve_predict_many(AnbServeReader *reader, const double *x, size_t n, double *out)
{
    anb_predict_many_with(enter(reader), reader->reader, x, n, out);
    leave(reader);
}

int anb_serve_predict_interval(AnbServeReader *reader, const double *x, double coverage, double *low, double *high)
{
    int code = anb_predict_interval_with(enter(reader), reader->reader, x, coverage, low, high);
    leave(reader);
    return code;
}

int anb_serve_predict_quantiles(AnbServeReader *reader, const double *x, double *value)
{
    int code = anb_predict_quantiles_with(enter(reader), reader->reader, x, value);
    leave(reader);
    return code;
}

int anb_serve_answer(AnbServeReader *reader, const double *x, AnbAnswer *answer)
{
    int code = anb_answer_with(enter(reader), reader->reader, x, answer);
    leave(reader);
    return code;
}

int anb_serve_routing(AnbServeReader *reader, const double *x, double *p)
{
    int code = anb_routing_probabilities_with(enter(reader), reader->reader, x, p);
    leave(reader);
    return code;
}

int anb_serve_experts(AnbServeReader *reader, const double *x, double *f)
{
    int code = anb_expert_predictions_with(enter(reader), reader->reader, x, f);
    leave(reader);
    return code;
}

double anb_serve_disagreement(AnbServeReader *reader, const double *x)
{
    double s = anb_expert_disagreement_with(enter(reader), reader->reader, x);
    leave(reader);
    return s;
}

int anb_serve_look(AnbServeReader *reader, AnbServeLook look, void *context)
{
    if (!reader || !look)
        return ANB_E_ARGUMENT;
    int code = look(enter(reader), reader->reader, context);
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

/* ---- copies ------------------------------------------------------------------------------------------------------ */

StreamingLearner *anb_serve_clone(AnbServer *server, AnbError *error)
{
    AnbServeReader *reader = anb_serve_reader_new(server, error);
    if (!reader)
        return NULL;
    StreamingLearner *clone = anb_clone(enter(reader), error);
    leave(reader);
    anb_serve_reader_free(reader);
    return clone;
}

int anb_serve_save(AnbServer *server, const AnbSnapshotExtras *extras, const char *path, AnbError *error)
{
    StreamingLearner *clone = anb_serve_clone(server, error);
    int code = clone ? anb_save(clone, extras, path, error) : server ? ANB_E_MEMORY : ANB_E_ARGUMENT;
    if (code == ANB_E_MEMORY && path)
        anb_name_file(error, path);
    anb_free(clone);
    return code;
}
