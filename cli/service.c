#define _GNU_SOURCE
#include "service.h"
#include "cli.h"
#include "report_page.h"
#include "watch.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where version 0.2.0 kept the positions of sources, which are the model's own now. */
static const char sequences_note[] = "sequences";

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* Lines of "last name", with names of up to 63 bytes. */
static int take_sources(Service *s)
{
    const char *text = anb_snapshot_note(s->saved.snapshot, sequences_note);
    AnbError error = {0};
    while (text && *text) {
        char *end;
        uint64_t last = strtoull(text, &end, 10);
        size_t n = strcspn(end, "\n");
        int source = *end == ' ' && n > 1 ? anb_source_add(s->saved.model, end + 1, n - 1, &error) : ANB_E_FORMAT;
        if (source < 0)
            return complain(BAD_DATA, "%s: a source of version 0.2.0 cannot be kept: %.*s: %s", s->path, (int)n, end,
                            error.message);
        anb_source_take(s->saved.model, source, last);
        text = end + n + (end[n] == '\n');
    }
    return 0;
}

static void free_reader(void *reader)
{
    anb_serve_reader_free(reader);
}

int service_open(Service *s, const char *path, uint64_t publish_every)
{
    AnbServeOptions options = anb_serve_defaults();
    AnbError error = {0};
    *s = (Service){.path = path};
    options.seconds = (double)publish_every / 1000;
    int status = saved_open(&s->saved, path);
    stat(path, &s->seen);
    status = status ? status : take_sources(s);
    if (status)
        return status;
    s->n_features = anb_n_features(s->saved.model);
    s->ranges = ranges_of(s->saved.model);
    s->n_levels = anb_quantile_levels(s->saved.model, &s->level);
    s->server = anb_serve_new_with(s->saved.model, &options, &error);
    if (s->server)
        pthread_key_create(&s->reader, free_reader);
    if (s->server)
        s->diagnostics = anb_diagnostics_new(s->saved.model, NULL, &error);
    if (s->diagnostics)
        s->score = anb_score_new(&error);
    if (!s->score)
        return complain(BAD_DATA, "%s: %s", path, error.message);
    anb_serve_attach(s->server, anb_diagnostics_observer(s->diagnostics));
    anb_serve_attach(s->server, anb_score_observer(s->score));
    return evidence_start(&s->evidence, anb_serve_model(s->server), LAST_ROWS_MOST);
}

void service_close(Service *s)
{
    if (s->server) {
        anb_serve_free(s->server);
        pthread_key_delete(s->reader);
    }
    anb_diagnostics_free(s->diagnostics);
    anb_score_free(s->score);
    history_free(&s->history);
    evidence_end(&s->evidence);
    saved_close(&s->saved);
}

/* ---- saving ------------------------------------------------------------------------------------------------------ */

/* Somebody else's model, another service's or one of `train -o`, gets a name of its own before it is overwritten. Told
 * once, also where saving fails then. */
static void keep_other(Service *s)
{
    struct stat now;
    bool same = stat(s->path, &now) != 0 ||
                (now.st_dev == s->seen.st_dev && now.st_ino == s->seen.st_ino && now.st_size == s->seen.st_size &&
                 now.st_mtim.tv_sec == s->seen.st_mtim.tv_sec && now.st_mtim.tv_nsec == s->seen.st_mtim.tv_nsec);
    if (same)
        return;
    char other[4096];
    bool fits = (size_t)snprintf(other, sizeof other, "%s.other", s->path) < sizeof other;
    bool kept = fits && (unlink(other) == 0 || errno == ENOENT) &&
                linkat(AT_FDCWD, s->path, AT_FDCWD, other, AT_SYMLINK_FOLLOW) == 0;
    complain(0,
             "%s: another program has written this file since the service read or saved it; saving overwrites it%s%s",
             s->path, kept ? "; it is kept as " : "", kept ? other : "");
    if (kept)
        s->seen = now;
}

/* The published version with the notes of the file that was opened, less the old one of the sources. */
static int save_published(const void *service, const char *path)
{
    const Service *s = service;
    AnbSnapshotExtras extras = s->saved.snapshot->extras;
    AnbNote *notes = calloc(extras.n_notes + 1, sizeof *notes);
    AnbError error = {0};
    size_t n = 0;
    if (!notes)
        return complain(BAD_DATA, "%s: out of memory", path);
    for (size_t i = 0; i < extras.n_notes; i++)
        if (strcmp(extras.notes[i].key, sequences_note) != 0)
            notes[n++] = extras.notes[i];
    extras.notes = notes;
    extras.n_notes = n;
    int code = anb_serve_save(s->server, &extras, path, &error);
    free(notes);
    return code ? complain(BAD_DATA, "%s", error.message) : 0;
}

int service_save(Service *s)
{
    anb_serve_hold(s->server);
    uint64_t changes = s->changes;
    bool nothing = changes == s->saved_changes;
    if (!nothing)
        anb_serve_publish(s->server);
    anb_serve_release(s->server);
    if (nothing)
        return 0;
    keep_other(s);
    int status = save_published(s, s->path); /* what was learned meanwhile counts as unsaved, and may be in it */
    if (status == 0)
        stat(s->path, &s->seen);
    anb_serve_hold(s->server);
    s->saved_changes = status ? s->saved_changes : changes;
    s->saves += status == 0;
    s->failed_saves += status != 0;
    anb_serve_release(s->server);
    return status;
}

int service_save_last(Service *s)
{
    int status = service_save(s);
    if (status && !save_elsewhere(s->path, save_published, s))
        complain(0, "%s: %llu samples, labels and kept rows are lost, those since it was saved last", s->path,
                 (unsigned long long)(s->changes - s->saved_changes));
    return status;
}

/* ---- what is told ------------------------------------------------------------------------------------------------ */

json_t *service_health(Service *s)
{
    AnbScoreReport report;
    json_t *sources = json_object();
    anb_serve_hold(s->server);
    anb_score_report(s->score, &report);
    const StreamingLearner *model = anb_serve_model(s->server);
    const AnbSource *source;
    size_t n = anb_sources(model, &source);
    for (size_t i = 0; i < n; i++)
        json_object_set_new(sources, source[i].name, json_integer((json_int_t)source[i].next - 1));
    json_t *health =
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "status", "ok", "version", anb_version(), "learner",
                  anb_expression(model), "samples", (json_int_t)anb_n_samples_seen(model), "published",
                  (json_int_t)anb_serve_version(s->server), "unsaved", (json_int_t)(s->changes - s->saved_changes),
                  "saves", (json_int_t)s->saves, "failed_saves", (json_int_t)s->failed_saves, "sources", sources);
    anb_serve_release(s->server);
    json_object_set_new(health, "requests", json_integer((json_int_t)s->requests));
    json_object_set_new(health, "refused", json_integer((json_int_t)s->refused));
    json_object_set_new(health, "unknown_names", json_integer((json_int_t)s->unknown));
    json_object_set_new(health, "unknown_keys", json_integer((json_int_t)s->unknown_keys));
    json_object_set_new(health, "rmse", report.rmse == report.rmse ? json_real(report.rmse) : json_null());
    json_object_set_new(health, "mae", report.mae == report.mae ? json_real(report.mae) : json_null());
    return health;
}

/* Of the service itself; while the server is held. */
static void put_own_metrics(const Service *s, FILE *out)
{
    const struct {
        const char *name, *help, *type;
        uint64_t value;
    } own[] = {
        {"unsaved", "samples and labels learned, and rows kept, that are not in the file", "gauge",
         s->changes - s->saved_changes},
        {"saves_total", "how often the file was saved", "counter", s->saves},
        {"failed_saves_total", "how often saving failed", "counter", s->failed_saves},
        {"requests_total", "requests of predictions, samples and labels", "counter", s->requests},
        {"refused_total", "those of them that were refused", "counter", s->refused},
    };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        fprintf(out, "# HELP anabranch_%s %s\n# TYPE anabranch_%s %s\nanabranch_%s %llu\n", own[i].name, own[i].help,
                own[i].name, own[i].type, own[i].name, (unsigned long long)own[i].value);
}

int service_metrics(Service *s, FILE *out)
{
    anb_serve_hold(s->server);
    AnbMetricsOf of = {NULL, anb_serve_model(s->server), s->diagnostics, s->server};
    int code = anb_metrics_prometheus_of(&of, 1, write_to_file, out);
    put_own_metrics(s, out);
    anb_serve_release(s->server);
    durations_write(&s->durations, out);
    return code;
}

int service_report(Service *s, FILE *out)
{
    char *text = NULL;
    size_t size = 0;
    FILE *records = open_memstream(&text, &size);
    if (!records)
        return -1;
    anb_serve_hold(s->server);
    size_t n = s->history.n;
    history_write(&s->history, records);
    const StreamingLearner *model = anb_serve_model(s->server);
    const AnbSnapshotExtras *columns = &s->saved.snapshot->extras;
    watch_summary(records, s->diagnostics,
                  &(WatchSummary){model,
                                  s->path,
                                  columns->target,
                                  columns->features,
                                  {model, s->saved.schema, s->saved.categories},
                                  &s->evidence,
                                  NULL,
                                  0,
                                  0});
    anb_serve_release(s->server);
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
