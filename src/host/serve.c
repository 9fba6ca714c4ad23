/* The learner's side of a server: two copies, events that are learned on both, publication. */
#define _GNU_SOURCE
#include "serve.h"
#include "src/text/sized.h"
#include "src/text/given.h"
#include <anabranch/pending.h>
#include <anabranch/reach.h>

static const AnbServeOptions usual = {sizeof usual, 64, 0};
static const AnbServeSample usual_sample = {.size = sizeof usual_sample, .weight = 1};

void anb_serve_options_init(AnbServeOptions *options, size_t size)
{
    anb_sized_give(&usual, sizeof usual, options, size);
}

void anb_serve_sample_init(AnbServeSample *sample, size_t size)
{
    anb_sized_give(&usual_sample, sizeof usual_sample, sample, size);
}

bool anb_serve_is_child(const AnbServer *server)
{
    return anb_serve_forked(server);
}

static void publish(AnbServer *s);

/* ---- making and freeing ------------------------------------------------------------------------------------------ */

/* Both copies have room for all sources, so that nothing is allocated while readers use them. */
static StreamingLearner *copy_of(const StreamingLearner *model, AnbError *error)
{
    StreamingLearner *copy = anb_clone(model, error);
    AnbSources *sources = copy && anb_attach(copy) ? anb_sources_larger(copy, ANB_SOURCES_MAX) : NULL;
    if (sources) {
        anb_sources_free(copy);
        copy->attached->sources = sources;
        return copy;
    }
    anb_free(copy);
    return anb_serve_no_memory(error);
}

static bool fill(AnbServer *s, const StreamingLearner *model, size_t interval, AnbError *error)
{
    const AnbNode *root = &model->plan->nodes[0];
    bool answers = anb_keeps_pending(model) || anb_node_can(root, ANB_CAN_RESCORE);
    s->n_features = anb_n_features(model);
    s->interval = interval;
    s->events = anb_serve_take(&s->allocator, interval * sizeof *s->events);
    s->rows = anb_serve_take(&s->allocator, interval * s->n_features * sizeof(double));
    if (answers)
        s->answers = anb_serve_take(&s->allocator, interval * sizeof *s->answers);
    if (!s->events || !s->rows || (answers && !s->answers))
        return anb_serve_no_memory(error) != NULL;
    for (int i = 0; i < 2; i++)
        if (!(s->copies[i].model = copy_of(model, error)))
            return false;
    return true;
}

static AnbServer *make(const StreamingLearner *model, const AnbServeOptions *options, AnbError *error)
{
    AnbAllocator allocator = model->plan->allocator;
    AnbServer *server = anb_forks_watch() ? NULL : anb_serve_take(&allocator, sizeof *server);
    if (!server)
        return anb_serve_no_memory(error);
    memset(server, 0, sizeof *server);
    server->allocator = allocator;
    server->forks = anb_forks();
    atomic_init(&server->published, anb_serve_now());
    anb_turns_init(&server->turns);
    pthread_mutex_init(&server->lock, NULL);
    if (!fill(server, model, options->interval, error) ||
        anb_serve_clock_start(server, options->seconds, publish, error)) {
        anb_serve_free(server);
        return NULL;
    }
    return server;
}

AnbServer *anb_serve_new_with(const StreamingLearner *model, const AnbServeOptions *options, AnbError *error)
{
    AnbServeOptions own = usual;
    if (!anb_given(model, "model", error))
        return NULL;
    if (options && anb_sized_take("a server", &own, sizeof own, options, error))
        return NULL;
    if (own.interval < 1 || own.interval > ANB_SERVE_INTERVAL_MAX) {
        anb_fail(error, ANB_E_ARGUMENT, "interval = %zu is outside [1, %d]", own.interval, ANB_SERVE_INTERVAL_MAX);
        return NULL;
    }
    return make(model, &own, error);
}

AnbServer *anb_serve_new(const StreamingLearner *model, size_t interval, AnbError *error)
{
    AnbServeOptions options = usual;
    options.interval = interval;
    return anb_serve_new_with(model, &options, error);
}

/* In a child process the parent's learner may have been at work on its copy, and the locks may be held by threads that
 * the child does not have: they are left as they are. */
void anb_serve_free(AnbServer *server)
{
    if (!server)
        return;
    AnbAllocator allocator = server->allocator;
    bool child = anb_serve_is_child(server);
    unsigned shown = atomic_load(&server->shown);
    if (!child)
        anb_serve_clock_stop(server);
    for (unsigned i = 0; i < 2; i++)
        if (!child || i == shown)
            anb_free(server->copies[i].model);
    anb_serve_give(&allocator, server->events);
    anb_serve_give(&allocator, server->rows);
    anb_serve_give(&allocator, server->answers);
    if (!child) {
        pthread_mutex_destroy(&server->lock);
        anb_turns_destroy(&server->turns);
    }
    anb_serve_give(&allocator, server);
}

/* ---- turns ------------------------------------------------------------------------------------------------------- */

/* Takes the lock of the learner's functions. False in a child process, without taking it. */
static bool begin(AnbServer *s)
{
    if (anb_serve_is_child(s))
        return false;
    anb_turns_take(&s->turns);
    return true;
}

static void end(AnbServer *s)
{
    anb_turns_give(&s->turns);
}

void anb_serve_hold(AnbServer *server)
{
    begin(server);
}

void anb_serve_release(AnbServer *server)
{
    if (!anb_serve_is_child(server))
        end(server);
}

/* ---- learning and publishing ------------------------------------------------------------------------------------- */

static Copy *mine(const AnbServer *s)
{
    return anb_view_of(&s->copies[1 - atomic_load_explicit(&s->shown, memory_order_relaxed)]);
}

static double play(StreamingLearner *model, const Event *event, const double *x, const AnbAnswer *answer)
{
    switch (event->kind) {
    case ROW:
        return event->answered ? anb_keep_answered(model, event->id, x, answer)
                               : anb_predict_pending(model, event->id, x);
    case LABEL:
        return anb_learn_label(model, event->id, event->y, event->weight);
    default:
        return event->answered ? anb_train_answered(model, x, event->y, event->weight, answer)
                               : anb_train_one(model, x, event->y, event->weight);
    }
}

/* There is room for every source. */
static void move_source(StreamingLearner *model, const char *name, size_t bytes, uint64_t number)
{
    anb_source_take(model, anb_source_add(model, name, bytes, NULL), number);
}

/* Repeats on the other copy the events that the published copy has learned. Sources have the same order in both. */
static void repeat_events(AnbServer *s, StreamingLearner *model)
{
    const AnbSource *sources;
    anb_sources(s->copies[atomic_load_explicit(&s->shown, memory_order_relaxed)].model, &sources);
    for (size_t i = 0; i < s->n_events; i++) {
        const Event *event = &s->events[i];
        play(model, event, s->rows + i * s->n_features, s->answers ? &s->answers[i] : NULL);
        if (event->source >= 0)
            move_source(model, sources[event->source].name, strlen(sources[event->source].name), event->number);
    }
    s->n_events = 0;
}

static void publish(AnbServer *s)
{
    Copy *done = mine(s);
    done->version = atomic_load(&s->version) + 1;
    atomic_store(&s->version, done->version);
    atomic_store(&s->published, anb_serve_now());
    atomic_store(&s->shown, (unsigned)(done - s->copies));
    anb_serve_wait_for_readers(s);
    repeat_events(s, mine(s)->model);
}

void anb_serve_publish(AnbServer *server)
{
    if (!begin(server))
        return;
    publish(server);
    end(server);
}

/* Applies an event to the learner's copy, and stores it for the other one. x: NULL where the event has no row.
 * Observers are called before the row's memory may be reused. */
static double happen(AnbServer *s, Event event, const double *x, const AnbAnswer *answer)
{
    StreamingLearner *model = mine(s)->model;
    double *row = s->rows + s->n_events * s->n_features;
    event.answered = answer && s->answers;
    event.source = -1;
    if (x)
        memcpy(row, x, s->n_features * sizeof *row);
    if (event.answered)
        s->answers[s->n_events] = *answer;
    s->events[s->n_events++] = event;
    double prediction = play(model, &event, row, answer);
    if (answer && prediction == prediction)
        prediction = answer->prediction; /* for observers: the model itself scores no answers */
    if (event.kind != ROW)
        for (size_t i = 0; i < s->n_observers; i++)
            anb_observe(s->observers[i], model, event.kind == SAMPLE ? row : NULL, event.y, prediction);
    return prediction;
}

static void publish_if_due(AnbServer *s)
{
    if (s->n_events == 1)
        anb_serve_clock_first(s);
    if (s->n_events == s->interval)
        publish(s);
}

static double happen_in_turn(AnbServer *s, Event event, const double *x, const AnbAnswer *answer)
{
    if (!begin(s))
        return ANB_NAN;
    double prediction = happen(s, event, x, answer);
    publish_if_due(s);
    end(s);
    return prediction;
}

double anb_serve_train(AnbServer *server, const double *x, double y, double weight)
{
    return happen_in_turn(server, (Event){.kind = SAMPLE, .y = y, .weight = weight}, x, NULL);
}

double anb_serve_predict_pending(AnbServer *server, uint64_t id, const double *x)
{
    return happen_in_turn(server, (Event){.kind = ROW, .id = id}, x, NULL);
}

double anb_serve_keep(AnbServer *server, uint64_t id, const double *x, const AnbAnswer *answer)
{
    return happen_in_turn(server, (Event){.kind = ROW, .id = id}, x, answer);
}

double anb_serve_learn_label(AnbServer *server, uint64_t id, double y, double weight)
{
    return happen_in_turn(server, (Event){.kind = LABEL, .id = id, .y = y, .weight = weight}, NULL, NULL);
}

/* ---- numbered samples -------------------------------------------------------------------------------------------- */

/* ANB_SEQ_LEARNED: it is new and its source has a place; changes nothing. */
static int look_at_source(const StreamingLearner *model, const AnbServeSample *sample)
{
    const AnbSource *sources;
    const char *name = sample->source;
    size_t n = sample->source_bytes;
    if (!name)
        return ANB_SEQ_LEARNED;
    if (n < 1 || n >= ANB_SOURCE_SIZE || memchr(name, 0, n) || sample->number == UINT64_MAX)
        return ANB_E_ARGUMENT;
    int at = anb_source_find(model, name, n);
    if (at < 0)
        return anb_sources(model, NULL) < ANB_SOURCES_MAX ? ANB_SEQ_LEARNED : ANB_E_LIMIT;
    anb_sources(model, &sources);
    return sample->number < sources[at].next ? ANB_SEQ_REPEATED : ANB_SEQ_LEARNED;
}

static int learn(AnbServer *s, const AnbServeSample *sample, double *before)
{
    StreamingLearner *model = mine(s)->model;
    int code = look_at_source(model, sample);
    if (code != ANB_SEQ_LEARNED)
        return code;
    Event event = {sample->x ? SAMPLE : LABEL, false, -1, sample->id, sample->number, sample->y, sample->weight};
    *before = happen(s, event, sample->x, sample->x ? sample->answer : NULL);
    if (*before != *before)
        code = ANB_E_INPUT;
    else if (sample->source) {
        move_source(model, sample->source, sample->source_bytes, sample->number);
        s->events[s->n_events - 1].source = anb_source_find(model, sample->source, sample->source_bytes);
    }
    publish_if_due(s);
    return code;
}

int anb_serve_learn(AnbServer *server, const AnbServeSample *sample, double *before)
{
    AnbServeSample own = usual_sample;
    double prediction = ANB_NAN;
    int code = server && sample ? anb_sized_take("a sample", &own, sizeof own, sample, NULL) : ANB_E_ARGUMENT;
    if (!code && !begin(server))
        code = ANB_E_UNSUPPORTED;
    else if (!code) {
        code = learn(server, &own, &prediction);
        end(server);
    }
    if (before)
        *before = prediction;
    return code;
}

/* ---- beside learning --------------------------------------------------------------------------------------------- */

int anb_serve_attach(AnbServer *server, AnbObserver *observer)
{
    int code = ANB_E_LIMIT;
    if (!server || !observer)
        return ANB_E_ARGUMENT;
    if (!begin(server))
        return ANB_E_UNSUPPORTED;
    if (server->n_observers < ANB_SERVE_OBSERVERS_MAX) {
        server->observers[server->n_observers++] = observer;
        code = 0;
    }
    end(server);
    return code;
}

uint64_t anb_serve_version(const AnbServer *server)
{
    return atomic_load(&server->version);
}

double anb_serve_age(const AnbServer *server)
{
    return (double)(anb_serve_now() - atomic_load(&server->published)) / 1e9;
}

size_t anb_serve_unpublished(AnbServer *server)
{
    size_t n = 0;
    if (begin(server)) {
        n = server->n_events;
        end(server);
    }
    return n;
}

const StreamingLearner *anb_serve_model(const AnbServer *server)
{
    return anb_serve_is_child(server) ? server->copies[atomic_load(&server->shown)].model : mine(server)->model;
}
