/*
 * What typed columns cost: nanoseconds a cell, learning included unless said, above the same model without them.
 *
 *     columns [SLOTS]     entries of a dictionary; default 1024
 *
 * Rows come from a ring of 4,096, so that neither keys nor times repeat soon; a category has 500 levels, most of them
 * rare. The child is `mean`, which costs next to nothing, or `scale(linear)`, which has a cost of its own for each of the
 * features: it is given the row that `columns` would make, and what it costs there is no cost of `columns`.
 */
#include "random.h"
#include "harness.h"
#include <anabranch/anabranch.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 4096, STATISTICS = 4 }; /* that a category gives its child */

typedef struct Job {
    StreamingLearner *model;
    const double *rows;
    size_t columns, next;
    double sum;
} Job;

static void learn(void *context, size_t count)
{
    Job *job = context;
    for (size_t i = 0; i < count; i++) {
        const double *x = job->rows + job->next * job->columns;
        job->sum += anb_train_one(job->model, x, x[0] > 0 ? (double)(job->next & 7) : 1, 1);
        job->next = (job->next + 1) % ROWS;
    }
}

static void ask(void *context, size_t count)
{
    Job *job = context;
    for (size_t i = 0; i < count; i++) {
        job->sum += anb_predict(job->model, job->rows + job->next * job->columns);
        job->next = (job->next + 1) % ROWS;
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
static double *rows_of(const char *kinds)
{
    size_t n = strlen(kinds);
    double *rows = malloc(sizeof *rows * ROWS * n);
    uint64_t bits = 1;
    for (size_t i = 0; rows && i < ROWS * n; i++)
        rows[i] = cell(kinds[i % n], i / n, &bits);
    return rows;
}

/* Nanoseconds a row, learned or asked. */
static double cost(void (*work)(void *, size_t), const char *expression, const char *kinds)
{
    AnbError error = {0};
    double *rows = rows_of(kinds), best = 1e300;
    Job job = {anb_parse(strlen(kinds), expression, NULL, &error), rows, strlen(kinds), 0, 0};
    if (!job.model || !rows) {
        fprintf(stderr, "columns: %s: %s\n", expression, job.model ? "out of memory" : error.message);
        exit(1);
    }
    learn(&job, 2 * ROWS);
    for (int repeat = 0; repeat < 15; repeat++) {
        double ns = bench_once(work, &job, ROWS) / ROWS;
        best = ns < best ? ns : best;
    }
    anb_free(job.model);
    free(rows);
    return best;
}

/* The same below `columns`, which is told the kinds; `x` stands for a number that is ignored. */
static double typed(void (*work)(void *, size_t), const char *child, const char *kinds, int slots)
{
    char text[100];
    snprintf(text, sizeof text, "columns(%s, kinds=\"%s\", slots=%d)", child, kinds, slots);
    return cost(work, text, kinds);
}

/* Of numbers alone. */
static double plain(const char *expression, int columns)
{
    char kinds[64];
    memset(kinds, 'n', (size_t)columns);
    kinds[columns] = 0;
    return cost(learn, expression, kinds);
}

static void show(const char *name, double ns)
{
    printf("%-45s %6.1f ns a cell\n", name, ns);
    bench_record("columns", name, ns, "ns");
}

int main(int argc, char **argv)
{
    int slots = argc > 1 ? atoi(argv[1]) : 1024;
    double none = plain("mean", 16);
    show("category", (typed(learn, "mean", "cccccccccccccccc", slots) - none) / 16);
    show("time", (typed(learn, "mean", "tttttttttttttttt", slots) - none) / 16);
    show("number, no category beside", (plain("columns(mean)", 16) - none) / 16);
    show("number beside a category",
         (typed(learn, "mean", "cnnnnnnnnnnnnnnn", slots) - typed(learn, "mean", "cxxxxxxxxxxxxxxx", slots)) / 15);
    show("number beside a category, predicting alone",
         (typed(ask, "mean", "cnnnnnnnnnnnnnnn", slots) - typed(ask, "mean", "cxxxxxxxxxxxxxxx", slots)) / 15);
    show("number in turns with categories, more",
         (typed(learn, "mean", "cncncncncncncncn", slots) - typed(learn, "mean", "ccccccccnnnnnnnn", slots)) / 8);
    double own = (plain("scale(linear)", STATISTICS + 15) - plain("scale(linear)", STATISTICS)) / 15;
    double both = (typed(learn, "scale(linear)", "cnnnnnnnnnnnnnnn", slots) -
                   typed(learn, "scale(linear)", "cxxxxxxxxxxxxxxx", slots)) /
                  15;
    show("number in scale(linear), without columns", own);
    show("number in scale(linear), what columns adds", both - own);
    return 0;
}
