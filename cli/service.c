#define _GNU_SOURCE
#include "service.h"
#include "cli.h"
#include "report_page.h"
#include "watch.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PUBLISH_EVERY = 64 };
static const char sequences_note[] = "sequences";

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* Lines of "last name". */
static void read_sources(Service *s)
{
    const char *text = anb_snapshot_note(s->saved.snapshot, sequences_note);
    while (text && *text && s->n_sources < SOURCES_MAX) {
        Source *source = &s->source[s->n_sources];
        char *end;
        source->last = strtoull(text, &end, 10);
        size_t n = strcspn(end, "\n");
        if (*end != ' ' || n < 2 || n > SOURCE_NAME)
            return;
        memcpy(source->name, end + 1, n - 1);
        source->name[n - 1] = 0;
        s->n_sources++;
        text = end + n + (end[n] == '\n');
    }
}

static void free_reader(void *reader)
{
    anb_serve_reader_free(reader);
}

int service_open(Service *s, const char *path)
{
    AnbError error = {0};
    *s = (Service){.path = path};
    int status = saved_open(&s->saved, path);
    if (status)
        return status;
    s->n_features = anb_n_features(s->saved.model);
    read_sources(s);
    pthread_mutex_init(&s->turn, NULL);
    pthread_key_create(&s->reader, free_reader);
    s->server = anb_serve_new(s->saved.model, PUBLISH_EVERY, &error);
    if (s->server)
        s->diagnostics = anb_diagnostics_new(s->saved.model, NULL, &error);
    if (s->diagnostics)
        s->score = anb_score_new(&error);
    if (!s->score)
        return complain(BAD_DATA, "%s: %s", path, error.message);
    anb_serve_attach(s->server, anb_diagnostics_observer(s->diagnostics));
    anb_serve_attach(s->server, anb_score_observer(s->score));
    return 0;
}

void service_close(Service *s)
{
    if (s->server) {
        anb_serve_free(s->server);
        pthread_key_delete(s->reader);
        pthread_mutex_destroy(&s->turn);
    }
    anb_diagnostics_free(s->diagnostics);
    anb_score_free(s->score);
    history_free(&s->history);
    saved_close(&s->saved);
}

/* ---- saving ------------------------------------------------------------------------------------------------------ */

/* The notes of the file that was opened, with the sequences of now in the place of its own. */
static int save_copy(const Service *s, const StreamingLearner *copy, const char *sequences)
{
    AnbSnapshotExtras extras = s->saved.snapshot->extras;
    AnbNote *notes = calloc(extras.n_notes + 1, sizeof *notes);
    AnbError error = {0};
    size_t n = 0;
    if (!notes)
        return complain(BAD_DATA, "out of memory: the model was not saved");
    for (size_t i = 0; i < extras.n_notes; i++)
        if (strcmp(extras.notes[i].key, sequences_note) != 0)
            notes[n++] = extras.notes[i];
    notes[n++] = (AnbNote){sequences_note, sequences, strlen(sequences)};
    extras.notes = notes;
    extras.n_notes = n;
    int code = anb_save(copy, &extras, s->path, &error);
    free(notes);
    return code ? complain(BAD_DATA, "%s", error.message) : 0;
}

int service_save(Service *s)
{
    char sequences[SOURCES_MAX * (SOURCE_NAME + 24)] = "";
    size_t at = 0;
    pthread_mutex_lock(&s->turn);
    uint64_t changes = s->changes;
    StreamingLearner *copy = changes == s->saved_changes ? NULL : anb_clone(anb_serve_model(s->server), NULL);
    for (size_t i = 0; i < s->n_sources; i++)
        at += (size_t)snprintf(sequences + at, sizeof sequences - at, "%llu %s\n",
                               (unsigned long long)s->source[i].last, s->source[i].name);
    bool nothing = changes == s->saved_changes;
    pthread_mutex_unlock(&s->turn);
    if (nothing)
        return 0;
    int status = copy ? save_copy(s, copy, sequences) : complain(BAD_DATA, "out of memory: the model was not saved");
    anb_free(copy);
    pthread_mutex_lock(&s->turn);
    s->saved_changes = status ? s->saved_changes : changes;
    s->saves += status == 0;
    s->failed_saves += status != 0;
    pthread_mutex_unlock(&s->turn);
    return status;
}

void service_publish(Service *s)
{
    pthread_mutex_lock(&s->turn);
    anb_serve_publish(s->server);
    pthread_mutex_unlock(&s->turn);
}

/* ---- what is told ------------------------------------------------------------------------------------------------ */

json_t *service_health(Service *s)
{
    AnbScoreReport report;
    json_t *sources = json_object();
    pthread_mutex_lock(&s->turn);
    anb_score_report(s->score, &report);
    for (size_t i = 0; i < s->n_sources; i++)
        json_object_set_new(sources, s->source[i].name, json_integer((json_int_t)s->source[i].last));
    const StreamingLearner *model = anb_serve_model(s->server);
    json_t *health =
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "status", "ok", "version", anb_version(), "learner",
                  anb_expression(model), "samples", (json_int_t)anb_n_samples_seen(model), "published",
                  (json_int_t)anb_serve_version(s->server), "unsaved", (json_int_t)(s->changes - s->saved_changes),
                  "saves", (json_int_t)s->saves, "failed_saves", (json_int_t)s->failed_saves, "sources", sources);
    pthread_mutex_unlock(&s->turn);
    json_object_set_new(health, "requests", json_integer((json_int_t)s->requests));
    json_object_set_new(health, "refused", json_integer((json_int_t)s->refused));
    json_object_set_new(health, "rmse", report.rmse == report.rmse ? json_real(report.rmse) : json_null());
    json_object_set_new(health, "mae", report.mae == report.mae ? json_real(report.mae) : json_null());
    return health;
}

int service_metrics(Service *s, FILE *out)
{
    pthread_mutex_lock(&s->turn);
    int code = anb_metrics_prometheus(anb_serve_model(s->server), s->diagnostics, write_to_file, out);
    pthread_mutex_unlock(&s->turn);
    return code;
}

int service_report(Service *s, FILE *out)
{
    char *text = NULL;
    size_t size = 0;
    FILE *records = open_memstream(&text, &size);
    if (!records)
        return -1;
    pthread_mutex_lock(&s->turn);
    size_t n = s->history.n;
    history_write(&s->history, records);
    watch_summary(records, s->diagnostics, anb_serve_model(s->server), &s->saved.snapshot->extras, s->path);
    pthread_mutex_unlock(&s->turn);
    int code = fclose(records);
    if (n == 0)
        fputs("<!doctype html><meta charset=utf-8><title>anabranch</title><p>Nothing has been learned yet.", out);
    FILE *in = !code && n > 0 ? fmemopen(text, size, "r") : NULL;
    if (in) {
        code = report_page(in, "the service's records", out);
        fclose(in);
    }
    free(text);
    return code;
}
