/*
 * robust: what damaged data costs a list of expressions, predict then learn, on every CSV file of a folder.
 *
 *     robust [options] EXPRESSION ...
 *     robust [options] --write DIR
 *
 *     --data DIR       folder of CSV files, the target in the last column (data)
 *     --limit N        first N rows of each file only
 *     --seeds N        runs from seeds 1 to N: of the model and of the damage (3)
 *     --jobs N         processes (2)
 *     --only NAME      this stream only; may be repeated
 *     --damage NAME    this damage only; may be repeated (one-target, targets, one-sentinel, sentinels, spikes,
 *                      columns, or one kind of the columns: constant, copy, one-hot, row-number;
 *                      noise: 50 columns of noise)
 *     --from P         RMSE is taken from P percent of the rows on (25)
 *     --oracle yes     also a run that is told what is wrong: wrong cells are missing, rows with a wrong target left
 *                      out
 *     --format text|json     json has the ratio and the clean run's RMSE of every stream
 *     --write DIR      no runs: writes the clean and the damaged files for other programs (DIR/DAMAGE/STREAM.csv), the
 *                      numbers of the rows that are wrong, from 0, beside them (DIR/DAMAGE/STREAM.bad)
 *
 * Each number is RMSE of the run on damaged data over RMSE of the run on clean data. Both are taken over the same rows:
 * those with nothing wrong, from --from on. A job is one expression on one stream from one seed.
 */
#include "robust.h"
#include "file_runs.h"
#include "jobs.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct Run {
    Robust robust;
    FileRuns files;
    const char *write;
} Run;

/* ---- one job ----------------------------------------------------------------------------------------------------- */

/* Predictions made before learning; rows with skip[i] are left out. False where the expression fits no such stream. */
static bool predictions(const char *expression, const Stream *stream, uint64_t seed, const unsigned char *skip,
                        double *said)
{
    AnbError error = {0};
    AnbModelOptions options = anb_model_defaults();
    options.seed = seed;
    StreamingLearner *model = anb_parse(stream->d, expression, &options, &error);
    if (!model) {
        if (seed == 1)
            fprintf(stderr, "robust: %s on %s: %s\n", expression, stream->name, error.message);
        return false;
    }
    for (size_t i = 0; i < stream->rows; i++)
        if (!skip || !skip[i])
            said[i] = anb_train_one(model, stream->x + i * stream->d, stream->y[i], 1);
    anb_free(model);
    return true;
}

/* RMSE over the rows with nothing wrong, from so many percent of the stream on. */
static double score(const double *said, const Stream *clean, size_t from, const unsigned char *wrong)
{
    double squares = 0;
    size_t n = 0;
    for (size_t i = clean->rows * from / 100; i < clean->rows; i++)
        if (!wrong[i]) {
            double error = clean->y[i] - said[i];
            squares += error * error;
            n++;
        }
    return n > 0 ? sqrt(squares / (double)n) : 0;
}

/* The damaged stream as one sees it who knows what is wrong. */
static bool oracle_run(const char *expression, Dirty *dirty, uint64_t seed, double *said)
{
    for (size_t at = 0; at < dirty->stream.rows * dirty->stream.d; at++)
        if (dirty->cell[at])
            dirty->stream.x[at] = ANB_NAN;
    return predictions(expression, &dirty->stream, seed, dirty->target ? dirty->row : NULL, said);
}

static void measure(const Robust *robust, const char *expression, const Stream *clean, uint64_t seed, Harm *harm)
{
    double *said = malloc(2 * clean->rows * sizeof *said), *other = said + clean->rows;
    bool fine = said && predictions(expression, clean, seed, NULL, said);
    for (size_t i = 0; i < n_damages && fine; i++) {
        Dirty dirty;
        if (!robust->wanted[i] || !dirty_make(&damages[i], clean, seed, &dirty))
            continue;
        harm->clean[i] = score(said, clean, robust->from, dirty.row);
        harm->done[i] = predictions(expression, &dirty.stream, seed, NULL, other);
        harm->dirty[i] = harm->done[i] ? score(other, clean, robust->from, dirty.row) : 0;
        if (robust->oracle && !damages[i].columns && oracle_run(expression, &dirty, seed, other))
            harm->oracle[i] = score(other, clean, robust->from, dirty.row);
        dirty_free(&dirty);
    }
    free(said);
}

static void work(Jobs *jobs, void *context)
{
    const Run *run = context;
    const Robust *robust = &run->robust;
    size_t per_stream = robust->n_expressions * robust->n_seeds, job;
    FileHeld held = FILE_HELD_NONE;
    while (jobs_take(jobs, &job)) {
        const Stream *stream = file_runs_stream(&run->files, &held, job / per_stream);
        if (stream)
            measure(robust, robust->expressions[job % per_stream / robust->n_seeds], stream, job % robust->n_seeds + 1,
                    (Harm *)jobs->results + job);
    }
    stream_free(&held.stream);
}

/* ---- files for other programs ------------------------------------------------------------------------------------ */

static void write_row(FILE *out, const Stream *stream, size_t i)
{
    for (size_t j = 0; j < stream->d; j++) {
        double v = stream->x[i * stream->d + j];
        if (v - v == 0)
            fprintf(out, "%.17g", v);
        fputc(',', out);
    }
    fprintf(out, "%.17g\n", stream->y[i]);
}

static bool write_stream(const char *folder, const Stream *stream, const unsigned char *wrong)
{
    char path[PATH_MOST + 128];
    mkdir(folder, 0777);
    snprintf(path, sizeof path, "%s/%s.csv", folder, stream->name);
    FILE *out = fopen(path, "w");
    snprintf(path, sizeof path, "%s/%s.bad", folder, stream->name);
    FILE *bad = fopen(path, "w");
    for (size_t j = 0; j < stream->d && out; j++)
        fprintf(out, "x%zu,", j);
    if (out)
        fprintf(out, "y\n");
    for (size_t i = 0; i < stream->rows && out && bad; i++) {
        write_row(out, stream, i);
        if (wrong && wrong[i])
            fprintf(bad, "%zu\n", i);
    }
    bool fine = out && bad;
    fine = (!out || fclose(out) == 0) && fine;
    fine = (!bad || fclose(bad) == 0) && fine;
    if (!fine)
        fprintf(stderr, "robust: %s cannot be written\n", folder);
    return fine;
}

static bool write_damaged(const Run *run, const Stream *clean)
{
    char folder[PATH_MOST];
    snprintf(folder, sizeof folder, "%s/clean", run->write);
    bool fine = write_stream(folder, clean, NULL);
    for (size_t i = 0; i < n_damages && fine; i++) {
        Dirty dirty;
        if (!run->robust.wanted[i] || !dirty_make(&damages[i], clean, 1, &dirty))
            continue;
        snprintf(folder, sizeof folder, "%s/%s", run->write, damages[i].name);
        fine = write_stream(folder, &dirty.stream, dirty.row);
        dirty_free(&dirty);
    }
    return fine;
}

static bool write_all(const Run *run)
{
    bool fine = true;
    mkdir(run->write, 0777);
    for (size_t at = 0; at < run->files.folder.n && fine; at++) {
        Stream stream;
        fine = stream_read(run->files.folder.paths[at], run->files.limit, &stream) && write_damaged(run, &stream);
        stream_free(&stream);
    }
    return fine;
}

/* ---- the command line -------------------------------------------------------------------------------------------- */

static int usage(const char *what)
{
    fprintf(stderr,
            "robust: %s\nusage: robust [--data DIR] [--limit N] [--seeds N] [--jobs N] [--only STREAM]...\n"
            "              [--damage NAME]... [--from P] [--oracle yes|no] [--format text|json] EXPRESSION...\n"
            "       robust [--data DIR] [--limit N] [--only STREAM]... [--damage NAME]... --write DIR\n",
            what);
    return 2;
}

static bool want_damage(Robust *robust, const char *name)
{
    for (size_t i = 0; i < n_damages; i++)
        if (strcmp(damages[i].name, name) == 0)
            return robust->wanted[i] = true;
    return false;
}

static bool take_option(Run *run, const char *name, const char *value)
{
    if (strcmp(name, "--damage") == 0)
        return want_damage(&run->robust, value);
    if (strcmp(name, "--from") == 0)
        return count_read(value, &run->robust.from);
    if (strcmp(name, "--oracle") == 0)
        return (run->robust.oracle = strcmp(value, "yes") == 0) || strcmp(value, "no") == 0;
    if (strcmp(name, "--write") == 0)
        run->write = value;
    else
        return file_runs_option(&run->files, name, value);
    return true;
}

static bool run_all(Run *run)
{
    Robust *robust = &run->robust;
    Jobs jobs;
    robust->streams = run->files.folder.names;
    robust->n_streams = run->files.folder.n;
    if (!jobs_run(&jobs, robust->n_streams * robust->n_expressions * robust->n_seeds, sizeof(Harm), run->files.jobs,
                  work, run)) {
        fprintf(stderr, "robust: the system gave no process or memory\n");
        return false;
    }
    robust->harm = jobs.results;
    return true;
}

int main(int argc, char **argv)
{
    static Run run = {.files = FILE_RUNS_DEFAULTS, .robust = {.from = 25}};
    Robust *robust = &run.robust;
    int at = 1;
    bool any = false;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at += 2)
        if (at + 1 == argc || !take_option(&run, argv[at], argv[at + 1]))
            return usage(argv[at]);
    for (size_t i = 0; i < n_damages; i++)
        any |= robust->wanted[i];
    for (size_t i = 0; i < n_damages && !any; i++)
        robust->wanted[i] = !damages[i].by_name;
    robust->n_seeds = run.files.seeds;
    robust->expressions = (const char *const *)argv + at;
    robust->n_expressions = (size_t)(argc - at);
    if ((robust->n_expressions == 0 && !run.write) || robust->n_seeds == 0 || run.files.jobs == 0)
        return usage("nothing to do");
    if (robust->from > 99)
        return usage("--from is a percentage of the rows, 0 to 99");
    if (!folder_read(&run.files.folder, run.files.data))
        return 1;
    if (run.write)
        return write_all(&run) ? 0 : 1;
    if (!run_all(&run))
        return 1;
    return robust_report(robust, run.files.format, stdout) ? 0 : usage("--format is text or json");
}
