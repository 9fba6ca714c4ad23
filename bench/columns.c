/*
 * What typed columns cost: nanoseconds a cell, learning included unless said, above the same model without them.
 *
 *     columns [SLOTS]     entries of a dictionary; default 1024
 *
 * Of categories and times: rows come from a ring of 4,096, so that neither keys nor times repeat soon; a category has
 * 500 levels, most of them rare. The child is `mean`, which costs next to nothing.
 *
 * Of numbers: how the cost of a row grows from 16 numbers to 32, 64 and 128 (least squares), with `columns` and without
 * it, the difference of the two; rows come from a ring of 8, so that they lie in the nearest cache as a row that was
 * just read does. Beside a category the child is given the row that `columns` would make: four numbers more. Models are
 * measured in turns, each by its least time, and first learn as many rows as it takes until all is as it stays.
 */
#include "count.h"
#include "random.h"
#include "harness.h"
#include <anabranch/anabranch.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 4096, NEAR = 8, STATISTICS = 4 }; /* that a category gives its child */
enum { WIDTHS = 4, PAIR = 2 };
static const int widths[WIDTHS] = {16, 32, 64, 128};

typedef struct Job {
    StreamingLearner *model;
    double *rows;
    size_t columns, n_rows, next;
    double sum;
} Job;

static void learn(void *context, size_t count)
{
    Job *job = context;
    for (size_t i = 0; i < count; i++) {
        const double *x = job->rows + job->next * job->columns;
        job->sum += anb_train_one(job->model, x, x[0] > 0 ? (double)(job->next & 7) : 1, 1);
        job->next = (job->next + 1) % job->n_rows;
    }
}

static void ask(void *context, size_t count)
{
    Job *job = context;
    for (size_t i = 0; i < count; i++) {
        job->sum += anb_predict(job->model, job->rows + job->next * job->columns);
        job->next = (job->next + 1) % job->n_rows;
    }
}

/* A cell of a kind: n, c or t. */
static double cell(char kind, size_t row, uint64_t *bits)
{
    double u = unit_of(bits);
    uint32_t level = (uint32_t)(500 * u * u);
    return kind == 'c' ? anb_category(&level, sizeof level) : kind == 't' ? 1.5e9 + 600 * (double)row : u;
}

/* Rows with a column of each kind in `kinds`. */
static double *rows_of(const char *kinds, size_t n_rows)
{
    size_t n = strlen(kinds);
    double *rows = malloc(sizeof *rows * n_rows * n);
    uint64_t bits = 1;
    for (size_t i = 0; rows && i < n_rows * n; i++)
        rows[i] = cell(kinds[i % n], i / n, &bits);
    return rows;
}

/* A model of rows of these kinds, trained. */
static Job job_of(const char *expression, const char *kinds, size_t n_rows)
{
    enum { SETTLED = 16384 };
    AnbError error = {0};
    Job job = {anb_parse(strlen(kinds), expression, NULL, &error), rows_of(kinds, n_rows), strlen(kinds), n_rows, 0, 0};
    if (!job.model || !job.rows) {
        fprintf(stderr, "columns: %s: %s\n", expression, job.model ? "out of memory" : error.message);
        exit(1);
    }
    learn(&job, SETTLED);
    return job;
}

static void end(Job *job)
{
    anb_free(job->model);
    free(job->rows);
}

static void show(const char *name, double ns)
{
    printf("%-50s %6.2f ns a cell\n", name, ns);
    bench_record("columns", name, ns, "ns");
}

/* ---- categories and times ---------------------------------------------------------------------------------------- */

/* Nanoseconds a cell, from 16 cells of a kind. */
static double dear_cell(char kind, int slots)
{
    enum { CELLS = 16 };
    char kinds[CELLS + 1] = {0}, text[100];
    memset(kinds, kind, CELLS);
    snprintf(text, sizeof text, "columns(mean, kinds=\"%s\", slots=%d)", kinds, slots);
    Job jobs[PAIR] = {job_of("mean", kinds, RING), job_of(text, kinds, RING)};
    BenchItem items[PAIR] = {{.run = learn, .context = &jobs[0], .count = RING},
                             {.run = learn, .context = &jobs[1], .count = RING}};
    bench_turns(items, PAIR, 25, -1);
    end(&jobs[0]);
    end(&jobs[1]);
    return (items[1].best - items[0].best) / CELLS;
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

/* How y grows with the widths. */
static double slope(const double *y)
{
    double mean = 0, sum = 0, square = 0;
    for (int i = 0; i < WIDTHS; i++)
        mean += (double)widths[i] / WIDTHS;
    for (int i = 0; i < WIDTHS; i++) {
        sum += (widths[i] - mean) * y[i];
        square += (widths[i] - mean) * (widths[i] - mean);
    }
    return sum / square;
}

/* `first`, then as many numbers as the width says, into kinds. */
static void kinds_of(char *kinds, const char *first, int width)
{
    size_t n = strlen(first);
    memcpy(kinds, first, n);
    memset(kinds + n, 'n', (size_t)width);
    kinds[n + (size_t)width] = 0;
}

/* What a number adds to a row below `columns` more than without it; beside a category or alone. */
static void show_number(const char *name, BenchRun run, const char *child, bool beside)
{
    enum { MOST = 160, ROUND = 512, ROUNDS = 400 };
    char kinds[MOST], text[MOST + 60];
    Job jobs[WIDTHS * PAIR];
    BenchItem items[WIDTHS * PAIR] = {0};
    double with[WIDTHS], without[WIDTHS];
    for (int i = 0; i < WIDTHS; i++) {
        kinds_of(kinds, beside ? "nnnn" : "", widths[i]);
        jobs[i] = job_of(child, kinds, NEAR);
        kinds_of(kinds, beside ? "c" : "", widths[i]);
        snprintf(text, sizeof text, "columns(%s, kinds=\"%s\", slots=64)", child, kinds);
        jobs[WIDTHS + i] = job_of(text, kinds, NEAR);
    }
    for (int i = 0; i < WIDTHS * PAIR; i++)
        items[i] = (BenchItem){.run = run, .context = &jobs[i], .count = ROUND};
    bench_turns(items, WIDTHS * PAIR, ROUNDS, -1);
    for (int i = 0; i < WIDTHS; i++) {
        without[i] = items[i].best;
        with[i] = items[WIDTHS + i].best;
    }
    for (int i = 0; i < WIDTHS * PAIR; i++)
        end(&jobs[i]);
    show(name, slope(with) - slope(without));
}

int main(int argc, char **argv)
{
    int slots = argc > 1 ? (int)count_of("SLOTS", argv[1], 1) : 1024;
    show("category", dear_cell('c', slots));
    show("time", dear_cell('t', slots));
    show_number("number beside a category, mean", learn, "mean", true);
    show_number("the same, predicting alone", ask, "mean", true);
    show_number("number beside a category, scale(linear)", learn, "scale(linear)", true);
    show_number("the same, predicting alone", ask, "scale(linear)", true);
    show_number("number without a category, mean", learn, "mean", false);
    show_number("number without a category, scale(linear)", learn, "scale(linear)", false);
    return 0;
}
