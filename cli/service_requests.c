/* The bodies of requests: rows by name or in order, targets, numbers of a sequence; and the answers. */
#include "service.h"
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { OK = 200, BAD_REQUEST = 400, UNSUPPORTED = 409, OUT_OF_ORDER = 422 };

static json_t *refuse(Service *s, int *status, int code, const char *format, ...) __attribute__((format(printf, 4, 5)));

static json_t *refuse(Service *s, int *status, int code, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    atomic_fetch_add(&s->refused, 1);
    *status = code;
    return json_pack("{s:s}", "error", text);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* A cell as a text for the schema, which may be a number that is written out. */
static AnbCell text_of(json_t *cell, char *room)
{
    if (json_is_string(cell))
        return (AnbCell){json_string_value(cell), json_string_length(cell)};
    if (json_is_boolean(cell))
        return json_is_true(cell) ? (AnbCell){"true", 4} : (AnbCell){"false", 5};
    if (json_is_integer(cell))
        return (AnbCell){room, (size_t)snprintf(room, ANB_NUMBER_SIZE, "%lld", (long long)json_integer_value(cell))};
    return json_is_real(cell) ? (AnbCell){room, anb_number_format(json_real_value(cell), room)} : (AnbCell){NULL, 0};
}

static bool read_cell(const Service *s, size_t j, json_t *cell, double *value, AnbError *error)
{
    char room[ANB_NUMBER_SIZE];
    if (s->saved.schema)
        return anb_schema_cell(s->saved.schema, j, text_of(cell, room), value, error) == 0;
    if (!cell || json_is_null(cell)) {
        *value = ANB_NAN;
        return true;
    }
    *value = json_is_boolean(cell) ? json_is_true(cell) : json_number_value(cell);
    if (json_is_number(cell) || json_is_boolean(cell))
        return true;
    snprintf(error->message, sizeof error->message, "it is no number");
    return false;
}

/* Cell j of an array, or of an object by the feature's name. */
static json_t *cell_of(const Service *s, json_t *row, size_t j)
{
    const char *const *names = s->saved.snapshot->extras.features;
    if (json_is_array(row))
        return json_array_get(row, j);
    return names ? json_object_get(row, names[j]) : NULL;
}

/* NULL, or the refusal. */
static json_t *read_row(Service *s, json_t *row, double *x, int *status)
{
    const char *const *names = s->saved.snapshot->extras.features;
    AnbError error = {0};
    if (!json_is_array(row) && !(json_is_object(row) && names))
        return refuse(s, status, BAD_REQUEST, "x is %s",
                      names ? "neither an object by column names nor an array"
                            : "no array, and this model has no column names");
    if (json_is_array(row) && json_array_size(row) != s->n_features)
        return refuse(s, status, BAD_REQUEST, "x has %zu cells; the model has %zu features", json_array_size(row),
                      s->n_features);
    for (size_t j = 0; j < s->n_features; j++)
        if (!read_cell(s, j, cell_of(s, row, j), &x[j], &error))
            return refuse(s, status, BAD_REQUEST, "x: column %zu%s%s: %s", j + 1, names ? " " : "",
                          names ? names[j] : "", error.message);
    return NULL;
}

static bool takes(const Service *s, const double *x)
{
    bool missing = anb_takes_missing(s->saved.model);
    for (size_t j = 0; j < s->n_features; j++)
        if (isinf(x[j]) || (isnan(x[j]) && !missing))
            return false;
    return true;
}

/* The row of a request, checked, in memory that the caller frees; NULL with the refusal. */
static double *row_of(Service *s, json_t *body, int *status, json_t **refusal)
{
    double *x = calloc(s->n_features, sizeof *x);
    *refusal = x ? read_row(s, json_object_get(body, "x"), x, status) : refuse(s, status, 503, "out of memory");
    if (!*refusal && !takes(s, x))
        *refusal = refuse(s, status, BAD_REQUEST, "x holds a missing or infinite cell, which this model does not take");
    if (*refusal) {
        free(x);
        return NULL;
    }
    return x;
}

/* ---- predictions ------------------------------------------------------------------------------------------------- */

/* This thread's reader, made with its first request. */
static AnbServeReader *reader_of(Service *s)
{
    AnbServeReader *reader = pthread_getspecific(s->reader);
    if (!reader) {
        reader = anb_serve_reader_new(s->server, NULL);
        pthread_setspecific(s->reader, reader);
    }
    return reader;
}

static json_t *add_interval(Service *s, AnbServeReader *reader, const double *x, double coverage, json_t *answer,
                            int *status)
{
    double low, high;
    int code = anb_serve_predict_interval(reader, x, coverage, &low, &high);
    if (code) {
        json_decref(answer);
        return refuse(s, status, UNSUPPORTED, "interval %g: %s", coverage,
                      code == ANB_E_UNSUPPORTED ? "the model has no intervals (train it with --interval)"
                                                : "not one of the model's coverages");
    }
    json_object_set_new(answer, "low", isfinite(low) ? json_real(low) : json_null());
    json_object_set_new(answer, "high", isfinite(high) ? json_real(high) : json_null());
    return answer;
}

/* Keeps the row for its label: on the learner's side, so it takes a turn. */
static double keep_row(Service *s, uint64_t id, const double *x)
{
    pthread_mutex_lock(&s->turn);
    double said = anb_serve_predict_pending(s->server, id, x);
    pthread_mutex_unlock(&s->turn);
    return said;
}

static json_t *predict_one(Service *s, json_t *body, int *status)
{
    json_t *refusal, *id = json_object_get(body, "id"), *coverage = json_object_get(body, "interval");
    double *x = row_of(s, body, status, &refusal);
    AnbServeReader *reader = reader_of(s);
    if (!x || !reader) {
        free(x);
        return refusal ? refusal : refuse(s, status, 503, "out of memory");
    }
    double said = json_is_integer(id) ? keep_row(s, (uint64_t)json_integer_value(id), x) : anb_serve_predict(reader, x);
    json_t *answer = isnan(said) ? refuse(s, status, UNSUPPORTED, "id: the model keeps no rows for later labels")
                                 : json_pack("{s:f, s:I}", "prediction", said, "published",
                                             (json_int_t)anb_serve_reader_version(reader));
    if (json_is_number(coverage) && !isnan(said))
        answer = add_interval(s, reader, x, json_number_value(coverage), answer, status);
    free(x);
    return answer;
}

/* One answer a row of `rows`, in order. The first refusal ends it and holds the answers before it, whose rows are learned. */
static json_t *each_row(Service *s, json_t *body, int *status, json_t *(*one)(Service *, json_t *, int *))
{
    json_t *rows = json_object_get(body, "rows"), *answers = json_array(), *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        json_t *answer = one(s, row, status);
        if (*status != OK) {
            json_object_set_new(answer, "row", json_integer((json_int_t)i + 1));
            json_object_set_new(answer, "answers", answers);
            return answer;
        }
        json_array_append_new(answers, answer);
    }
    return json_pack("{s:o}", "answers", answers);
}

static json_t *answer(Service *s, json_t *body, int *status, json_t *(*one)(Service *, json_t *, int *))
{
    *status = OK;
    atomic_fetch_add(&s->requests, 1);
    if (!json_is_object(body))
        return refuse(s, status, BAD_REQUEST, "the body is no JSON object");
    return json_is_array(json_object_get(body, "rows")) ? each_row(s, body, status, one) : one(s, body, status);
}

json_t *service_predict(Service *s, json_t *body, int *status)
{
    return answer(s, body, status, predict_one);
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

/* The source that a sample names, or NULL where it names none. A new one is added. */
static json_t *find_source(Service *s, json_t *body, Source **found, uint64_t *n, int *status)
{
    json_t *seq = json_object_get(body, "seq");
    const char *name = json_string_value(json_object_get(seq, "source"));
    json_t *number = json_object_get(seq, "n");
    *found = NULL;
    if (!seq)
        return NULL;
    if (!name || !*name || strlen(name) >= SOURCE_NAME || strchr(name, '\n') || !json_is_integer(number) ||
        json_integer_value(number) < 1)
        return refuse(s, status, BAD_REQUEST, "seq takes {\"source\": a name below %d bytes, \"n\": 1, 2, ...}",
                      SOURCE_NAME);
    *n = (uint64_t)json_integer_value(number);
    for (size_t i = 0; i < s->n_sources && !*found; i++)
        if (strcmp(s->source[i].name, name) == 0)
            *found = &s->source[i];
    if (!*found && s->n_sources == SOURCES_MAX)
        return refuse(s, status, BAD_REQUEST, "seq: more than %d sources", SOURCES_MAX);
    if (!*found) {
        *found = &s->source[s->n_sources++];
        strcpy((*found)->name, name);
    }
    return NULL;
}

/* The target and the weight; NULL or the refusal. */
static json_t *read_target(Service *s, json_t *body, double *y, double *weight, int *status)
{
    json_t *target = json_object_get(body, "y"), *w = json_object_get(body, "w");
    *y = json_number_value(target);
    *weight = w ? json_number_value(w) : 1;
    if (!json_is_number(target) || !isfinite(*y))
        return refuse(s, status, BAD_REQUEST, "y is not a finite number");
    if (w && (!json_is_number(w) || !(*weight >= 0) || !isfinite(*weight)))
        return refuse(s, status, BAD_REQUEST, "w is not a finite number >= 0");
    return NULL;
}

/* Learns in its turn, unless the sequence has come further already. `learn` returns what was predicted before. */
static json_t *in_turn(Service *s, json_t *body, const double *x, uint64_t id, int *status)
{
    double y, weight;
    Source *source;
    uint64_t n = 0;
    json_t *refusal = read_target(s, body, &y, &weight, status);
    if (refusal)
        return refusal;
    pthread_mutex_lock(&s->turn);
    json_t *result = find_source(s, body, &source, &n, status);
    if (!result && source && n <= source->last)
        result = json_pack("{s:b, s:I}", "repeated", 1, "last", (json_int_t)source->last);
    if (!result) {
        double said = x ? anb_serve_train(s->server, x, y, weight) : anb_serve_learn_label(s->server, id, y, weight);
        if (isnan(said)) {
            result = refuse(s, status, OUT_OF_ORDER, "the label was refused: its id is unknown, repeated or too old");
        } else {
            s->changes++;
            history_sample(&s->history, s->diagnostics);
            if (source)
                source->last = n;
            result = json_pack("{s:f, s:I}", "prediction", said, "samples",
                               (json_int_t)anb_n_samples_seen(anb_serve_model(s->server)));
        }
    }
    pthread_mutex_unlock(&s->turn);
    return result;
}

static json_t *learn_one(Service *s, json_t *body, int *status)
{
    json_t *refusal;
    double *x = row_of(s, body, status, &refusal);
    json_t *result = x ? in_turn(s, body, x, 0, status) : refusal;
    free(x);
    return result;
}

json_t *service_learn(Service *s, json_t *body, int *status)
{
    return answer(s, body, status, learn_one);
}

static json_t *label_one(Service *s, json_t *body, int *status)
{
    json_t *id = json_object_get(body, "id");
    if (!json_is_integer(id))
        return refuse(s, status, BAD_REQUEST, "id is no whole number");
    return in_turn(s, body, NULL, (uint64_t)json_integer_value(id), status);
}

json_t *service_label(Service *s, json_t *body, int *status)
{
    return answer(s, body, status, label_one);
}
