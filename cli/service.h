/*
 * What `anabranch serve` keeps: a server of the model, its readers, diagnostics. Predictions wait for nobody; what
 * learns, and what reads the learner's copy, takes turns (anb_serve_hold).
 */
#ifndef ANB_CLI_SERVICE_H
#define ANB_CLI_SERVICE_H

#include "durations.h"
#include "evidence.h"
#include "history.h"
#include "range.h"
#include "saved.h"
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

typedef struct Service {
    Saved saved;
    AnbServer *server;
    AnbDiagnostics *diagnostics;
    AnbScore *score;
    History history;
    Evidence evidence;
    const char *path; /* the model's file */
    struct stat seen; /* the file as this service read or wrote it last */
    size_t n_features;
    Ranges ranges;
    size_t n_levels;      /* of quantiles; 0: the model has none */
    const double *level;  /* the plan's */
    pthread_key_t reader; /* a thread's AnbServeReader */
    /* While the server is held: samples and labels learned; those and the rows kept; of the latter, in the file. */
    uint64_t learned, changes, saved_changes;
    uint64_t saves, failed_saves; /* likewise */
    atomic_uint_fast64_t requests, refused;
    Durations durations;
    atomic_bool ending;                /* requests for many rows end before their next row */
    atomic_uint_fast64_t unknown;      /* names in rows that are no columns of the model */
    atomic_uint_fast64_t unknown_keys; /* of requests */
} Service;

/* Predictions see what was learned after `publish_every` milliseconds at the latest. 0, or the exit status with the
 * complaint made. Close it in both cases. */
int service_open(Service *service, const char *path, uint64_t publish_every);
void service_close(Service *service);

/* Writes the file where something was learned since; readers and learner go on meanwhile. 0 or BAD_DATA. */
int service_save(Service *service);

/* The same at the end: where the file cannot be written the model is saved elsewhere (saved.h), and BAD_DATA is still
 * returned. */
int service_save_last(Service *service);

/* Each answers a request's body by an object that the caller frees, and a status of HTTP; `error` says what
 * was wrong. */
json_t *service_predict(Service *service, json_t *body, int *status);
json_t *service_learn(Service *service, json_t *body, int *status);
json_t *service_label(Service *service, json_t *body, int *status);
json_t *service_health(Service *service);
/* Prometheus' text, and the report as a page of HTML, into a file. 0, or not all was written. */
int service_metrics(Service *service, FILE *out);
int service_report(Service *service, FILE *out);

#endif
