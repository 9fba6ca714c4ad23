/*
 * What typed columns cost: nanoseconds a cell, learning included, above the same model without them.
 *
 *     columns [SLOTS]     entries of a dictionary; default 1024
 *
 * Rows come from a ring of 4,096, so that neither keys nor times repeat soon; a category has 500 levels, most of them
 * rare. The child is `mean`, which costs next to nothing.
 */
#include "random.h"
#include "harness.h"
#include <anabranch/anabranch.h>
#include <stdlib.h>

enum { COLUMNS = 16, ROWS = 4096 };

typedef struct Job {
    StreamingLearner *model;
    const double *rows;
    size_t next;
    double sum;
} Job;

static void learn(void *context, size_t count)
{
    Job *job = context;
    for (size_t i = 0; i < count; i++) {
        const double *x = job->rows + job->next * COLUMNS;
        job->sum += anb_train_one(job->model, x, x[0] > 0 ? (double)(job->next & 7) : 1, 1);
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

/* Nanoseconds a row with `first` columns of one kind and the others of another. */
static double cost(const char *expression, char kind, size_t first, char other)
{
    AnbError error;
    Job job = {.model = anb_parse(COLUMNS, expression, NULL, &error)};
    double *rows = malloc(sizeof *rows * ROWS * COLUMNS);
    uint64_t bits = 1;
    if (!job.model || !rows) {
        fprintf(stderr, "columns: %s: %s\n", expression, job.model ? "out of memory" : error.message);
        exit(1);
    }
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        rows[i] = cell(i % COLUMNS < first ? kind : other, i / COLUMNS, &bits);
    job.rows = rows;
    learn(&job, 2 * ROWS);
    double best = 1e300;
    for (int repeat = 0; repeat < 15; repeat++) {
        double ns = bench_once(learn, &job, ROWS) / ROWS;
        best = ns < best ? ns : best;
    }
    anb_free(job.model);
    free(rows);
    return best;
}

static void show(const char *name, double ns)
{
    printf("%-27s %6.1f ns a cell\n", name, ns);
    bench_record("columns", name, ns, "ns");
}

int main(int argc, char **argv)
{
    int slots = argc > 1 ? atoi(argv[1]) : 1024;
    char text[4][100];
    snprintf(text[0], sizeof text[0], "columns(mean, kinds=\"16c\", slots=%d)", slots);
    snprintf(text[1], sizeof text[1], "columns(mean, kinds=\"c 15n\", slots=%d)", slots);
    snprintf(text[2], sizeof text[2], "columns(mean, kinds=\"c 15x\", slots=%d)", slots);
    snprintf(text[3], sizeof text[3], "columns(mean, kinds=\"16t\", slots=%d)", slots);
    double none = cost("mean", 'n', COLUMNS, 'n'), numbers = cost("columns(mean)", 'n', COLUMNS, 'n');
    double categories = cost(text[0], 'c', COLUMNS, 'c'), times = cost(text[3], 't', COLUMNS, 't');
    double beside = cost(text[1], 'c', 1, 'n'), alone = cost(text[2], 'c', 1, 'n');
    show("category", (categories - none) / COLUMNS);
    show("time", (times - none) / COLUMNS);
    show("number, no category beside", (numbers - none) / COLUMNS);
    show("number beside a category", (beside - alone) / (COLUMNS - 1));
    return 0;
}
