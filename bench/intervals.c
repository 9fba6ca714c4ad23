/*
 * intervals: whether prediction intervals keep their coverage on streams that change, with labels that come late.
 *
 *     intervals [options] [EXPRESSION ...]        EXPRESSION: what interval() is put around (scale(rls))
 *
 *     --rows N         rows of a stream (30000)
 *     --seeds N        streams from seeds 1 to N (20)
 *     --jobs N         processes (2)
 *     --coverage C     the level asked for (0.9)
 *     --window N       scores remembered (0: the default)
 *
 * The model is pending(interval(EXPRESSION)); a label comes 0, 50, 200 or 800 rows after its row. For each stream
 * (bench/drifting.h) and delay, in points of 100: the mean coverage; how far the coverage of a block of 5,000 rows was
 * from the level, the worst of all blocks and seeds, and the share of blocks within 3 points; intervals without an end;
 * and the mean width over the width of the one constant interval around the same predictions that, in hindsight, covers
 * the share asked for; and how far that constant interval is off in its worst block, and in which share of blocks it is
 * within 3 points: where errors stay large or small for long, and labels come later than that, no interval can know.
 * The same of an interval that is told the target's mean and deviation as they were when the newest label that is there
 * was made, exact, and is as many deviations wide as cover the share asked for in hindsight: what can be known and no
 * learner has to find out.
 */
#include "grid.h"
#include "drifting.h"
#include "jobs.h"
#include "rising.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 5000, DELAYS = 4 };

static const size_t delays[DELAYS] = {0, 50, 200, 800};

typedef struct Run {
    Grid grid;
    double coverage;
    size_t window;
} Run;

/* The best interval of its kind in hindsight: its half width, its good blocks and its worst one. */
typedef struct Best {
    double half, good, worst;
} Best;

typedef struct Result {
    bool done;
    double covered, worst, blocks, good, endless, width; /* width: mean of the finite ones */
    Best constant, told;
} Result;

/* ---- one job ----------------------------------------------------------------------------------------------------- */

static StreamingLearner *make(const Run *run, const char *expression, uint64_t seed)
{
    char text[4096];
    AnbError error = {0};
    AnbModelOptions options = anb_model_defaults();
    options.seed = seed;
    snprintf(text, sizeof text, "pending(interval(%s, coverage=[%.17g], window=%zu), capacity=1024)", expression,
             run->coverage, run->window);
    StreamingLearner *model = anb_parse(DRIFTING_FEATURES, text, &options, &error);
    if (!model)
        fprintf(stderr, "intervals: %s: %s\n", text, error.message);
    return model;
}

/* Adds a row's interval; returns whether it holds the target. */
static bool add_row(const Run *run, Result *r, StreamingLearner *model, const Drifting *row)
{
    double low = 0, high = 0;
    anb_predict_interval(model, row->x, run->coverage, &low, &high);
    bool endless = isinf(low) || isinf(high);
    r->endless += endless;
    r->width += endless ? 0 : high - low;
    return row->y >= low && row->y <= high;
}

/* How far a block's coverage is off, into the number of good blocks and the worst one. */
static void end_block(const Run *run, size_t held, double *good, double *worst)
{
    double off = (double)held / BLOCK - run->coverage;
    *good += fabs(off) <= .03;
    *worst = fabs(off) > fabs(*worst) ? off : *worst;
}

/* The interval that covers the share asked for of all rows, block by block; sorted: room for as many. */
static void hindsight(const Run *run, Best *best, const double *away, size_t rows, double *sorted)
{
    memcpy(sorted, away, rows * sizeof *away);
    qsort(sorted, rows, sizeof *sorted, rising);
    best->half = sorted[(size_t)(run->coverage * (double)rows)];
    for (size_t from = 0; from < rows; from += BLOCK) {
        size_t held = 0;
        for (size_t i = from; i < from + BLOCK; i++)
            held += away[i] <= best->half;
        end_block(run, held, &best->good, &best->worst);
    }
}

/* How many deviations the target is off what the newest label's stream said of it. */
static void tell(Drifting stream, size_t delay, size_t rows, double *away)
{
    Drifting then = stream;
    for (size_t i = 0; i < rows; i++) {
        double mean, deviation;
        drifting_next(&stream);
        if (i > delay)
            drifting_next(&then);
        drifting_told(&then, stream.x, i > delay ? delay + 1 : i + 1, &mean, &deviation);
        away[i] = fabs(stream.y - mean) / deviation;
    }
}

static void follow(const Run *run, Result *r, StreamingLearner *model, Drifting stream, size_t delay, double *away)
{
    const Drifting start = stream;
    double *later = calloc(delay + 1, sizeof *later);
    size_t held = 0, rows = run->grid.rows / BLOCK * BLOCK;
    for (size_t i = 0; later && i < rows; i++) {
        drifting_next(&stream);
        held += add_row(run, r, model, &stream);
        away[i] = fabs(stream.y - anb_predict_pending(model, i, stream.x));
        later[i % (delay + 1)] = stream.y;
        if (i >= delay)
            anb_learn_label(model, i - delay, later[(i - delay) % (delay + 1)], 1);
        if (i % BLOCK == BLOCK - 1) {
            end_block(run, held, &r->good, &r->worst);
            r->covered += (double)held;
            r->blocks++;
            held = 0;
        }
    }
    hindsight(run, &r->constant, away, rows, away + rows);
    tell(start, delay, rows, away);
    hindsight(run, &r->told, away, rows, away + rows);
    r->width /= (double)rows - r->endless;
    r->covered /= (double)rows;
    r->endless /= (double)rows;
    r->done = later != NULL;
    free(later);
}

/* Jobs by expression, stream, delay, seed. */
static void work(Jobs *jobs, void *context)
{
    const Run *run = context;
    double *away = malloc(2 * run->grid.rows * sizeof *away);
    for (size_t job; away && jobs_take(jobs, &job);) {
        size_t seed = job % run->grid.seeds + 1, cell = job / run->grid.seeds;
        size_t delay = delays[cell % DELAYS], kind = cell / DELAYS % DRIFTING_KINDS;
        StreamingLearner *model = make(run, run->grid.expressions[cell / DELAYS / DRIFTING_KINDS], seed);
        if (model)
            follow(run, (Result *)jobs->results + job, model, drifting_start((DriftingKind)kind, seed), delay, away);
        anb_free(model);
    }
    free(away);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static void add_best(Best *sum, const Best *one)
{
    sum->good += one->good;
    sum->worst = fabs(one->worst) > fabs(sum->worst) ? one->worst : sum->worst;
}

static void print_cell(const Run *run, const Result *r, size_t cell)
{
    Result all = {0};
    double ratio = 0;
    for (size_t i = 0; i < run->grid.seeds; i++) {
        all.covered += r[i].covered / (double)run->grid.seeds;
        all.endless += r[i].endless / (double)run->grid.seeds;
        all.blocks += r[i].blocks;
        all.good += r[i].good;
        all.worst = fabs(r[i].worst) > fabs(all.worst) ? r[i].worst : all.worst;
        add_best(&all.constant, &r[i].constant);
        add_best(&all.told, &r[i].told);
        ratio += r[i].width / (2 * r[i].constant.half) / (double)run->grid.seeds;
    }
    printf("%-28s %-15s %6zu %9.1f %7.1f %7.1f %8.2f %7.2f %9.1f %7.1f %9.1f %7.1f\n",
           run->grid.expressions[cell / DELAYS / DRIFTING_KINDS], drifting_names[cell / DELAYS % DRIFTING_KINDS],
           delays[cell % DELAYS], 100 * all.covered, 100 * all.worst, 100 * all.good / all.blocks, 100 * all.endless,
           ratio, 100 * all.constant.worst, 100 * all.constant.good / all.blocks, 100 * all.told.worst,
           100 * all.told.good / all.blocks);
}

static int usage(void)
{
    fputs("usage: intervals [--rows N] [--seeds N] [--jobs N] [--coverage C] [--window N] [EXPRESSION ...]\n", stderr);
    return 2;
}

static bool set_coverage(void *context, const char *name, const char *value)
{
    Run *run = context;
    if (strcmp(name, "--window") == 0)
        return count_read(value, &run->window);
    char *end;
    run->coverage = strtod(value, &end);
    return strcmp(name, "--coverage") == 0 && !*end && run->coverage > 0 && run->coverage < 1;
}

int main(int argc, char **argv)
{
    Run run = {.grid = {.rows = 30000, .seeds = 20, .jobs = 2}, .coverage = .9};
    if (!grid_read(&run.grid, argc, argv, set_coverage, &run) || run.grid.rows < BLOCK)
        return usage();
    if (run.grid.n_expressions == 0)
        run.grid.expressions[run.grid.n_expressions++] = "scale(rls)";
    Jobs jobs;
    size_t cells = run.grid.n_expressions * DRIFTING_KINDS * DELAYS;
    if (!jobs_run(&jobs, cells * run.grid.seeds, sizeof(Result), run.grid.jobs, work, &run))
        return 1;
    printf("%-28s %-15s %6s %9s %7s %7s %8s %7s %9s %7s %9s %7s\n", "expression", "stream", "delay", "coverage",
           "worst", "within", "endless", "width", "constant:", "within", "told:", "within");
    for (size_t cell = 0; cell < cells; cell++)
        print_cell(&run, (const Result *)jobs.results + cell * run.grid.seeds, cell);
    return 0;
}
