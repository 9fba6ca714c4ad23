/*
 * drift: whether drift(...) leaves a learner alone on rows that do not change, and sees a change soon.
 *
 *     drift [options] [EXPRESSION ...]        EXPRESSION: what drift() is put around (scale(rls), auto(budget=5),
 *                                             scale(knn))
 *
 *     --rows N         rows before the change (100000)
 *     --seeds N        streams from seeds 1 to N (20)
 *     --jobs N         processes (2)
 *
 * The model is drift(EXPRESSION, detector=D, action=reset). The target is x0 - x1 / 2 of three normal features and
 * noise: normal, lognormal (of a normal's exponential, less its mean) or Student's with 3 degrees of freedom, each of
 * deviation 1. Then its level changes by one deviation. For each noise and detector: seeds in which nothing was reset
 * before the change, drifts seen before it in all seeds, seeds in which a drift was seen within 500 rows of it, and the
 * mean of the rows that took, of those.
 */
#include "grid.h"
#include "drifting.h"
#include "jobs.h"
#include <anabranch/anabranch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOISES = 3, DETECTORS = 3, SOON = 500 };

static const char *const noises[NOISES] = {"normal", "lognormal", "student"};
static const char *const detectors[DETECTORS] = {"adwin", "page_hinkley", "kswin"};

typedef struct Result {
    bool done, kept, seen; /* nothing reset before the change; a drift soon after it */
    uint64_t drifts, rows; /* before the change; until the drift after it */
} Result;

/* Noise of a kind, with mean 0 and deviation 1. */
static double noise_of(size_t kind, Drifting *random)
{
    double normal = drifting_normal(random);
    if (kind == 0)
        return normal;
    if (kind == 1)
        return (exp(normal) - exp(.5)) / sqrt((exp(1) - 1) * exp(1));
    double squares = 0;
    for (int i = 0; i < 3; i++) {
        double other = drifting_normal(random);
        squares += other * other;
    }
    return normal / sqrt(squares);
}

static void learn_row(StreamingLearner *model, Drifting *random, size_t noise, double level)
{
    double x[3];
    for (int j = 0; j < 3; j++)
        x[j] = drifting_normal(random);
    anb_train_one(model, x, x[0] - x[1] / 2 + level + noise_of(noise, random), 1);
}

static void follow(const Grid *run, StreamingLearner *model, size_t noise, uint64_t seed, Result *r)
{
    Drifting random = drifting_start(DRIFTING_STEADY, seed);
    AnbDriftView view;
    for (size_t i = 0; i < run->rows; i++)
        learn_row(model, &random, noise, 0);
    if (anb_drift_view(model, &view) != 0)
        return;
    r->done = true;
    r->kept = view.resets == 0;
    r->drifts = view.drifts;
    while (r->rows < SOON && !r->seen) {
        learn_row(model, &random, noise, 1);
        anb_drift_view(model, &view);
        r->seen = view.drifts > r->drifts;
        r->rows++;
    }
}

/* Jobs by expression, noise, detector, seed. */
static void work(Jobs *jobs, void *context)
{
    const Grid *run = context;
    for (size_t job; jobs_take(jobs, &job);) {
        size_t seed = job % run->seeds + 1, cell = job / run->seeds;
        char text[4096];
        AnbError error = {0};
        AnbModelOptions options = anb_model_defaults();
        options.seed = seed;
        snprintf(text, sizeof text, "drift(%s, detector=%s, action=reset)", run->expressions[cell / DETECTORS / NOISES],
                 detectors[cell % DETECTORS]);
        StreamingLearner *model = anb_parse(3, text, &options, &error);
        if (model)
            follow(run, model, cell / DETECTORS % NOISES, seed, (Result *)jobs->results + job);
        else
            fprintf(stderr, "drift: %s: %s\n", text, error.message);
        anb_free(model);
    }
}

static void print_cell(const Grid *run, const Result *r, size_t cell)
{
    size_t kept = 0, seen = 0, drifts = 0, rows = 0;
    for (size_t i = 0; i < run->seeds; i++) {
        kept += r[i].done && r[i].kept;
        seen += r[i].seen;
        drifts += r[i].drifts;
        rows += r[i].seen ? r[i].rows : 0;
    }
    printf("%-28s %-10s %-13s %6zu/%zu %8zu %6zu/%zu %8.0f\n", run->expressions[cell / DETECTORS / NOISES],
           noises[cell / DETECTORS % NOISES], detectors[cell % DETECTORS], kept, run->seeds, drifts, seen, run->seeds,
           seen > 0 ? (double)rows / (double)seen : 0);
}

static int usage(void)
{
    fputs("usage: drift [--rows N] [--seeds N] [--jobs N] [EXPRESSION ...]\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    Grid run = {.rows = 100000, .seeds = 20, .jobs = 2};
    if (!grid_read(&run, argc, argv, NULL, NULL))
        return usage();
    if (run.n_expressions == 0) {
        const char *const usual[] = {"scale(rls)", "auto(budget=5)", "scale(knn)"};
        for (size_t i = 0; i < 3; i++)
            run.expressions[run.n_expressions++] = usual[i];
    }
    Jobs jobs;
    size_t cells = run.n_expressions * NOISES * DETECTORS;
    if (!jobs_run(&jobs, cells * run.seeds, sizeof(Result), run.jobs, work, &run))
        return 1;
    printf("%-28s %-10s %-13s %9s %8s %9s %8s\n", "expression", "noise", "detector", "kept", "drifts", "seen", "rows");
    for (size_t cell = 0; cell < cells; cell++)
        print_cell(&run, (const Result *)jobs.results + cell * run.seeds, cell);
    return 0;
}
