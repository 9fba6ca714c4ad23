/* The bodies of requests: targets, numbers of a sequence; and the answers. */
#include "cli.h"
#include "service_rows.h"
#include "show.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the keys beside `rows` and of those of a request: as names in x. */
static void count_keys(Service *s, json_t *body, bool rows)
{
    static const char *const keys[] = {"x", "y", "w", "seq", "id", "interval", "quantiles"};
    const char *name;
    json_t *value;
    json_object_foreach(body, name, value)
    {
        bool known = rows && strcmp(name, "rows") == 0;
        for (size_t i = 0; !rows && i < sizeof keys / sizeof *keys; i++)
            known = known || strcmp(name, keys[i]) == 0;
        if (known || atomic_fetch_add(&s->unknown_keys, 1) > 0)
            continue;
        complain(0, "a request has \"%.60s\"%s: such keys are passed over, and counted in /healthz as unknown_keys",
                 name, rows ? " beside rows, whose own keys count" : ", which no request takes");
    }
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

/* What one published version says of a row. */
typedef struct Prediction {
    const double *x;
    AnbAnswer answer;
    bool ranked; /* quantiles are asked for as well */
    double quantile[ANB_LEVELS_MAX];
} Prediction;

static int predict(const StreamingLearner *model, AnbReader *reader, void *context)
{
    Prediction *prediction = context;
    int code = anb_answer_with(model, reader, prediction->x, &prediction->answer);
    return code || !prediction->ranked ? code
                                       : anb_predict_quantiles_with(model, reader, prediction->x, prediction->quantile);
}

/* What a request wants besides the prediction. */
typedef struct Wanted {
    const Range *range; /* or NULL */
    bool quantiles;
} Wanted;

/* NULL, or the refusal. */
static json_t *read_wanted(Service *s, json_t *body, Wanted *wanted, int *status)
{
    char offered[200];
    json_t *coverage = json_object_get(body, "interval");
    *wanted = (Wanted){.quantiles = json_is_true(json_object_get(body, "quantiles"))};
    if (wanted->quantiles && s->n_levels == 0)
        return refuse(s, status, UNSUPPORTED,
                      "quantiles: the model has none (the learner quantile(...) makes one that has)");
    if (!coverage)
        return NULL;
    if (!json_is_number(coverage))
        return refuse(s, status, BAD_REQUEST, "interval is no number like 0.9");
    wanted->range = ranges_find(&s->ranges, json_number_value(coverage));
    if (wanted->range)
        return NULL;
    if (s->ranges.n == 0)
        return refuse(s, status, UNSUPPORTED, "interval: the model has none (train it with --interval)");
    return refuse(s, status, UNSUPPORTED, "interval %g: not one of the model's coverages, which are %s",
                  json_number_value(coverage), ranges_text(&s->ranges, offered, sizeof offered));
}

static void set_number(json_t *object, const char *key, double value)
{
    json_object_set_new(object, key, isfinite(value) ? json_real(value) : json_null());
}

static void add_range(const Service *s, const Range *range, const Prediction *prediction, json_t *answer)
{
    double low = prediction->quantile[range->low], high = prediction->quantile[range->high];
    if (!range->of_quantiles)
        anb_answer_interval(s->saved.model, &prediction->answer, range->coverage, &low, &high);
    set_number(answer, "low", low);
    set_number(answer, "high", high);
}

/* The quantiles by level: {"0.1": 3.5, "0.9": 8.1}. */
static json_t *quantiles_of(const Service *s, const Prediction *prediction)
{
    json_t *quantiles = json_object();
    for (size_t i = 0; i < s->n_levels; i++) {
        char level[SHOW_SIZE];
        snprintf(level, sizeof level, "%g", s->level[i]);
        set_number(quantiles, level, prediction->quantile[i]);
    }
    return quantiles;
}

/* A row's name: a whole number from 0 up, or a text. */
static bool read_id(json_t *name, uint64_t *id)
{
    if (json_is_integer(name) && json_integer_value(name) >= 0)
        *id = (uint64_t)json_integer_value(name);
    else if (json_string_length(name) > 0)
        *id = anb_label_id(json_string_value(name), json_string_length(name));
    else
        return false;
    return true;
}

static const char keeps_none[] = "id: the model keeps no rows for later labels";

/* A row that waits for its label is a part of the model, and has to be saved. */
static bool keep_row(Service *s, uint64_t id, const double *x, const AnbAnswer *answer)
{
    anb_serve_hold(s->server);
    bool kept = !isnan(anb_serve_keep(s->server, id, x, answer));
    s->changes += kept;
    anb_serve_release(s->server);
    return kept;
}

/* What is kept for the label is what is answered here, with its interval: both are of the published version. */
static json_t *predict_row(Service *s, AnbServeReader *reader, json_t *body, const double *x, int *status)
{
    Wanted wanted;
    uint64_t id = 0;
    json_t *name = json_object_get(body, "id"), *refusal = read_wanted(s, body, &wanted, status);
    if (refusal)
        return refusal;
    if (name && !read_id(name, &id))
        return refuse(s, status, BAD_REQUEST, "id is neither a whole number from 0 up nor a text that is not empty");
    Prediction prediction = {.x = x, .ranked = wanted.quantiles || (wanted.range && wanted.range->of_quantiles)};
    if (anb_serve_look(reader, predict, &prediction))
        return refuse(s, status, BAD_REQUEST, "x holds what this model does not take");
    if (name && !keep_row(s, id, x, &prediction.answer))
        return refuse(s, status, UNSUPPORTED, "%s", keeps_none);
    json_t *answer = json_pack("{s:f, s:I}", "prediction", prediction.answer.prediction, "published",
                               (json_int_t)anb_serve_reader_version(reader));
    if (wanted.range)
        add_range(s, wanted.range, &prediction, answer);
    if (wanted.quantiles)
        json_object_set_new(answer, "quantiles", quantiles_of(s, &prediction));
    return answer;
}

static json_t *predict_one(Service *s, json_t *body, int *status)
{
    json_t *answer;
    double *x = row_of(s, body, status, &answer);
    AnbServeReader *reader = x ? reader_of(s) : NULL;
    if (x)
        answer = reader ? predict_row(s, reader, body, x, status) : refuse(s, status, UNAVAILABLE, "out of memory");
    free(x);
    return answer;
}

/* One answer a row of `rows`, in order. The first refusal ends it and holds the answers before it, whose rows are
 * learned. */
static json_t *each_row(Service *s, json_t *body, int *status, json_t *(*one)(Service *, json_t *, int *))
{
    json_t *rows = json_object_get(body, "rows"), *answers = json_array(), *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        count_keys(s, row, false);
        json_t *answer =
            atomic_load(&s->ending) ? refuse(s, status, UNAVAILABLE, "the service ends") : one(s, row, status);
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
    bool rows = json_is_array(json_object_get(body, "rows"));
    count_keys(s, body, rows);
    return rows ? each_row(s, body, status, one) : one(s, body, status);
}

json_t *service_predict(Service *s, json_t *body, int *status)
{
    return answer(s, body, status, predict_one);
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

/* The source and number of a sample, where it has some; NULL or the refusal. */
static json_t *read_seq(Service *s, json_t *body, AnbServeSample *sample, int *status)
{
    json_t *seq = json_object_get(body, "seq"), *number = json_object_get(seq, "n");
    const char *name = json_string_value(json_object_get(seq, "source"));
    if (!seq)
        return NULL;
    if (!name || !*name || strlen(name) >= ANB_SOURCE_SIZE || !json_is_integer(number) ||
        json_integer_value(number) < 1)
        return refuse(s, status, BAD_REQUEST, "seq takes {\"source\": a name below %d bytes, \"n\": 1, 2, ...}",
                      ANB_SOURCE_SIZE);
    sample->source = name;
    sample->source_bytes = strlen(name);
    sample->number = (uint64_t)json_integer_value(number);
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

/* The answer to a sample that its source has sent before. */
static json_t *repeated(Service *s, const AnbServeSample *sample)
{
    const AnbSource *source;
    const StreamingLearner *model = anb_serve_model(s->server);
    anb_sources(model, &source);
    int at = anb_source_find(model, sample->source, sample->source_bytes);
    return json_pack("{s:b, s:I}", "repeated", 1, "last", (json_int_t)source[at].next - 1);
}

/* While the server is held. */
static json_t *refuse_label(Service *s, uint64_t id, int *status)
{
    const StreamingLearner *model = anb_serve_model(s->server);
    AnbPendingFate fate = anb_pending_fate(model, id);
    if (!anb_keeps_pending(model))
        return refuse(s, status, UNSUPPORTED, "%s", keeps_none);
    return refuse(s, status, OUT_OF_ORDER,
                  fate == ANB_PENDING_LEARNED   ? "id: the label of this row has been learned already"
                  : fate == ANB_PENDING_EVICTED ? "id: newer rows have replaced it: pending takes a larger capacity"
                                                : "id: no row is kept under it");
}

/* Learns in its turn, unless the sequence has come further already. */
static json_t *in_turn(Service *s, json_t *body, AnbServeSample *sample, int *status)
{
    double before;
    json_t *result = read_target(s, body, &sample->y, &sample->weight, status);
    result = result ? result : read_seq(s, body, sample, status);
    if (result)
        return result;
    anb_serve_hold(s->server);
    int code = anb_serve_learn(s->server, sample, &before);
    if (code == ANB_SEQ_LEARNED) {
        s->changes++;
        history_sample(&s->history, s->diagnostics);
        evidence_add(&s->evidence, s->diagnostics, sample->x, sample->y, before, ++s->learned);
        result = json_pack("{s:f, s:I}", "prediction", before, "samples",
                           (json_int_t)anb_n_samples_seen(anb_serve_model(s->server)));
    } else if (code == ANB_SEQ_REPEATED)
        result = repeated(s, sample);
    else if (code == ANB_E_LIMIT)
        result = refuse(s, status, BAD_REQUEST, "seq: more than %d sources", ANB_SOURCES_MAX);
    else
        result = refuse_label(s, sample->id, status);
    anb_serve_release(s->server);
    return result;
}

static json_t *learn_one(Service *s, json_t *body, int *status)
{
    AnbServeSample sample = anb_serve_sample();
    json_t *refusal;
    double *x = row_of(s, body, status, &refusal);
    sample.x = x;
    json_t *result = x ? in_turn(s, body, &sample, status) : refusal;
    free(x);
    return result;
}

json_t *service_learn(Service *s, json_t *body, int *status)
{
    return answer(s, body, status, learn_one);
}

static json_t *label_one(Service *s, json_t *body, int *status)
{
    AnbServeSample sample = anb_serve_sample();
    if (!read_id(json_object_get(body, "id"), &sample.id))
        return refuse(s, status, BAD_REQUEST, "id is neither a whole number from 0 up nor a text that is not empty");
    return in_turn(s, body, &sample, status);
}

json_t *service_label(Service *s, json_t *body, int *status)
{
    return answer(s, body, status, label_one);
}
