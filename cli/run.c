#include "run.h"
#include "cli.h"
#include "stop.h"
#include <math.h>
#include <stdlib.h>

enum { BLOCK_ROWS = 256, BLOCK_CELLS = 1 << 16 };

int run_start(Run *run)
{
    size_t d = run->rows.n_features;
    bool each = answers_more(&run->answers) || run->rows.n_kept > 0 || run->rows.has_after;
    run->block = each || BLOCK_CELLS / d < 1 ? 1 : BLOCK_CELLS / d < BLOCK_ROWS ? BLOCK_CELLS / d : BLOCK_ROWS;
    run->x = malloc(run->block * d * sizeof *run->x);
    run->y = malloc(3 * run->block * sizeof *run->y);
    run->number = malloc(run->block * sizeof *run->number);
    run->score = anb_score_new(NULL);
    if (!run->x || !run->y || !run->number || !run->score)
        return complain(BAD_DATA, "out of memory");
    run->prediction = run->y + run->block;
    run->weight = run->prediction + run->block;
    delay_start(&run->delay, d);
    return 0;
}

void run_end(Run *run)
{
    if (run->model != run->saved.model)
        anb_free(run->model);
    saved_close(&run->saved);
    anb_score_free(run->score);
    anb_score_free(run->progress.recent);
    delay_end(&run->delay);
    free(run->x);
    free(run->y);
    free(run->number);
}

/* An empty target is predicted only. */
static void learn_rows(Run *run, size_t first, size_t n)
{
    size_t d = run->rows.n_features;
    double from = progress_clock();
    for (size_t i = first; i < first + n; i++) {
        const double *x = run->x + i * d;
        run->prediction[i] =
            isnan(run->y[i]) ? anb_predict(run->model, x) : anb_train_one(run->model, x, run->y[i], run->weight[i]);
    }
    run->learning += progress_clock() - from;
}

static void learn_due(Run *run, double now)
{
    Delayed late;
    while (delay_due(&run->delay, now, &late))
        anb_train_one(run->model, late.x, late.y, late.weight);
}

/* A row whose label comes later is predicted now. */
static int learn_later(Run *run)
{
    double from = progress_clock();
    bool waits = !isnan(run->y[0]) && run->rows.due > run->rows.now;
    int status = 0;
    run->prediction[0] = waits || isnan(run->y[0]) ? anb_predict(run->model, run->x)
                                                   : anb_train_one(run->model, run->x, run->y[0], run->weight[0]);
    if (waits)
        status = delay_add(&run->delay, run->number[0], run->rows.due, run->x, run->y[0], run->weight[0]);
    learn_due(run, run->rows.due_behind);
    run->learning += progress_clock() - from;
    return status;
}

/* Whether a row is scored, and counts for the burn-in. */
static bool counts(const Run *run, size_t i)
{
    return !isnan(run->y[i]) && run->weight[i] != 0;
}

/* What is asked before a row and written behind it is not the time of learning. */
static int learn_block(Run *run, size_t n)
{
    bool delayed = run->rows.has_after, asked = run->coverage.n > 0 || run->losses.quantiles;
    bool observed = asked || run->watch.file || run->block == 1;
    uint64_t targets = run->targets;
    int status = 0;
    if (!observed)
        learn_rows(run, 0, n);
    for (size_t i = 0; i < n && observed && !status; i++) {
        const double *x = run->x + i * run->rows.n_features;
        if (delayed)
            learn_due(run, run->rows.due_before);
        if (counts(run, i) && targets++ >= run->burn_in) {
            coverage_add(&run->coverage, run->model, x, run->y[i]);
            losses_quantiles(&run->losses, run->model, x, run->y[i]);
        }
        answers_take(&run->answers, run->model, x);
        if (delayed)
            status = learn_later(run);
        else
            learn_rows(run, i, 1);
        if (run->watch.file && counts(run, i))
            watch_sample(&run->watch, run->model, x, run->y[i], run->prediction[i], run->number[i]);
    }
    return status;
}

static void score(Run *run, double y, double prediction)
{
    anb_observe(anb_score_observer(run->score), NULL, NULL, y, prediction);
    losses_add(&run->losses, y, prediction);
    if (run->scored > 0 || run->before.trained > 0 || run->burn_in > 0)
        fit_add(&run->fit, y, prediction);
    progress_step(&run->progress, run->score, &run->fit, y, prediction, ++run->scored);
}

static void account_block(Run *run, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double y = run->y[i], prediction = run->prediction[i];
        if (run->predictions.file)
            answers_write(&run->answers, &run->rows, run->number[i], y, prediction);
        run->unlabelled += isnan(y);
        run->weightless += !isnan(y) && run->weight[i] == 0;
        if (counts(run, i) && run->targets++ >= run->burn_in && !isnan(prediction))
            score(run, y, prediction);
    }
}

/* Reads rows up to a block, but does not wait for one while others can be learned. */
static int read_block(Run *run, size_t *n)
{
    int status = 0;
    *n = 0;
    do {
        status = rows_next(&run->rows, run->x + *n * run->rows.n_features, run->y + *n);
        if (status)
            break;
        run->weight[*n] = run->rows.weight;
        run->number[(*n)++] = run->rows.number;
    } while (*n < run->block && run->rows.read < run->limit && rows_ready(&run->rows));
    return status;
}

/* An answer is seen before the next row is waited for. */
static void flush_outputs(Run *run)
{
    if (!run->live || rows_ready(&run->rows))
        return;
    if (run->predictions.file)
        fflush(run->predictions.file);
    if (run->watch.file)
        fflush(run->watch.file);
    fflush(run->text);
}

/* An interrupt ends the stream as its end would. */
int run_stream(Run *run)
{
    int status = 0;
    while (!status && run->rows.read < run->limit && !stop_requested()) {
        size_t n = 0;
        status = read_block(run, &n);
        int learned = learn_block(run, n);
        status = status ? status : learned;
        account_block(run, n);
        flush_outputs(run);
    }
    return status > 0 && !stop_requested() ? status : 0;
}
