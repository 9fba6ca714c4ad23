/*
 * accuracy: how far off a list of expressions is, predict then learn, on every CSV file of a folder.
 *
 *     accuracy [options] EXPRESSION ...
 *
 *     --data DIR       folder of CSV files, the target in the last column (data)
 *     --peers FILE     table of others' results: stream, learner, kind, n, mae, rmse, tab-separated
 *     --limit N        first N rows of each file only
 *     --seeds N        runs from seeds 1 to N, whose spread is shown (3)
 *     --jobs N         processes (2)
 *     --only NAME      this stream only; may be repeated
 *     --format text|csv|json
 *
 * A job is one expression on one stream from one seed. Each process takes the next job and leaves the result in shared
 * memory; its own CPU time is what is measured.
 */
#include "file_runs.h"
#include "jobs.h"
#include "report.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct Run {
    Bench bench;
    FileRuns files;
    const char *peers;
} Run;

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- one job ----------------------------------------------------------------------------------------------------- */

static void measure(StreamingLearner *model, const Stream *stream, Result *result)
{
    double squares = 0, second = 0, mean = 0, around = 0, absolute = 0;
    size_t half = stream->rows / 2;
    double *said = malloc(stream->rows * sizeof *said);
    if (!said)
        return;
    double start = cpu_seconds();
    for (size_t i = 0; i < stream->rows; i++)
        said[i] = anb_train_one(model, stream->x + i * stream->d, stream->y[i], 1);
    result->us = (cpu_seconds() - start) * 1e6 / (double)stream->rows;
    for (size_t i = 0; i < stream->rows; i++) {
        double y = stream->y[i], error = y - said[i], delta = y - mean;
        squares += error * error;
        absolute += fabs(error);
        second += i >= half ? error * error : 0;
        mean += delta / (double)(i + 1);
        around += delta * (y - mean);
    }
    result->n = stream->rows;
    result->rmse = sqrt(squares / (double)stream->rows);
    result->mae = absolute / (double)stream->rows;
    result->second = sqrt(second / (double)(stream->rows - half));
    result->r2 = around > 0 ? 1 - squares / around : 0;
    result->done = isfinite(squares);
    free(said);
}

/* One expression from one seed; a refusal is reported once. */
static void measure_expression(const char *expression, const Stream *stream, uint64_t seed, Result *result)
{
    AnbError error = {0};
    AnbModelOptions options = anb_model_defaults();
    options.seed = seed;
    StreamingLearner *model = anb_parse(stream->d, expression, &options, &error);
    result->d = stream->d;
    if (model)
        measure(model, stream, result);
    else if (seed == 1)
        fprintf(stderr, "accuracy: %s on %s: %s\n", expression, stream->name, error.message);
    anb_free(model);
}

static void work(Jobs *jobs, void *context)
{
    const Run *run = context;
    const Bench *bench = &run->bench;
    size_t per_stream = bench->n_expressions * bench->n_seeds, job;
    FileHeld held = FILE_HELD_NONE;
    while (jobs_take(jobs, &job)) {
        const Stream *stream = file_runs_stream(&run->files, &held, job / per_stream);
        if (stream)
            measure_expression(bench->expressions[job % per_stream / bench->n_seeds], stream, job % bench->n_seeds + 1,
                               (Result *)jobs->results + job);
    }
    stream_free(&held.stream);
}

/* ---- all jobs ---------------------------------------------------------------------------------------------------- */

static bool run_all(Run *run)
{
    Bench *bench = &run->bench;
    Jobs jobs;
    if (!jobs_run(&jobs, bench->n_streams * bench->n_expressions * bench->n_seeds, sizeof(Result), run->files.jobs,
                  work, run))
        return false;
    bench->results = jobs.results;
    return true;
}

static bool find_streams(Run *run)
{
    Bench *bench = &run->bench;
    if (!folder_read(&run->files.folder, run->files.data))
        return false;
    bench->streams = run->files.folder.names;
    bench->n_streams = run->files.folder.n;
    for (size_t i = 0; i < bench->n_streams; i++)
        bench->has_peer[i] = peer_best(run->peers, bench->streams[i], &bench->peers[i]);
    return true;
}

static int usage(const char *what)
{
    fprintf(stderr,
            "accuracy: %s\nusage: accuracy [--data DIR] [--peers FILE] [--limit N] [--seeds N] [--jobs N]\n"
            "                [--only STREAM]... [--format text|csv|json] EXPRESSION...\n",
            what);
    return 2;
}

static bool take_option(Run *run, const char *name, const char *value)
{
    if (strcmp(name, "--peers") != 0)
        return file_runs_option(&run->files, name, value);
    run->peers = value;
    if (access(value, R_OK) == 0)
        return true;
    perror(value);
    return false;
}

/* Whether each expression was run on each stream. */
static bool all_ran(const Bench *bench)
{
    size_t n = bench->n_streams * bench->n_expressions * bench->n_seeds, i = 0;
    while (i < n && bench->results[i].done)
        i++;
    return i == n;
}

int main(int argc, char **argv)
{
    static Run run = {.files = FILE_RUNS_DEFAULTS};
    int at = 1;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at += 2)
        if (at + 1 == argc || !take_option(&run, argv[at], argv[at + 1]))
            return usage(argv[at]);
    run.bench.n_seeds = run.files.seeds;
    run.bench.expressions = (const char *const *)argv + at;
    run.bench.n_expressions = (size_t)(argc - at);
    if (run.bench.n_expressions == 0 || run.bench.n_seeds == 0 || run.files.jobs == 0)
        return usage("nothing to do");
    if (!find_streams(&run))
        return 1;
    if (!run_all(&run)) {
        fprintf(stderr, "accuracy: the system gave no process or memory\n");
        return 1;
    }
    if (!report(&run.bench, run.files.format, stdout))
        return usage("--format is text, csv or json");
    if (fflush(stdout) || ferror(stdout)) {
        perror("accuracy: standard output");
        return 1;
    }
    return all_ran(&run.bench) ? 0 : 1;
}
