/* anabranch predict: predicts every row by a saved model. */
#include "answers.h"
#include "cli.h"
#include "model.h"
#include "output.h"
#include "reading.h"
#include "saved.h"
#include "stale.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Option options[] = {
    {'m', "model", "MODEL", "the saved model, whose columns are found by name"},
    {0, "interval", "C",
     "low and high of the interval of coverage C, e.g. 0.9, or of a pair of quantiles, beside each prediction"},
    {0, "quantiles", NULL, "the quantiles of a model that has them, a column a level (q0.1, q0.5, ...)"},
    {0, "keep", "A,B", "columns that are written behind the prediction as they stand, e.g. an id", true},
    {0, "missing-columns", NULL, "a feature of the model without a column is missing in every row, no error"},
    {0, "threads", "N",
     "threads that share a mixture's experts; 0: one for each core; default 1; the result is the same"},
    {0}};

enum { BLOCK_ROWS = 256, BLOCK_CELLS = 1 << 16 };

/* Rows that are predicted together; one where more than the prediction is asked for, or columns are kept. */
typedef struct Block {
    size_t room, n, d;
    double *x, *prediction; /* room rows of d cells */
} Block;

static int block_start(Block *b, const Answers *answers, const Rows *rows)
{
    size_t d = rows->n_features, most = BLOCK_CELLS / d < BLOCK_ROWS ? BLOCK_CELLS / d : BLOCK_ROWS;
    bool each = answers_more(answers) || rows->n_kept > 0 || most == 0;
    *b = (Block){.room = each ? 1 : most, .d = d};
    b->x = malloc(b->room * d * sizeof *b->x);
    b->prediction = malloc(b->room * sizeof *b->prediction);
    return b->x && b->prediction ? 0 : complain(BAD_DATA, "out of memory");
}

static void block_write(Block *b, Answers *answers, const Saved *saved, const Rows *rows, Stale *stale)
{
    if (b->room == 1 && b->n == 1)
        answers_take(answers, saved->model, b->x);
    anb_predict_many(saved->model, b->x, b->n, b->prediction);
    stale_see(stale, b->x, b->prediction, b->n, b->d);
    for (size_t i = 0; i < b->n; i++)
        answers_write(answers, rows, rows->number, ANB_NAN, b->prediction[i]);
    b->n = 0;
}

/* Writes each answer before it waits for the next row. */
static int predict_rows(const Saved *saved, Rows *rows, const AnswersWanted *wanted)
{
    Answers answers;
    Block block = {0};
    Stale stale = {0};
    int status = answers_start(&answers, stdout, false, wanted, saved->model, rows);
    status = status ? status : block_start(&block, &answers, rows);
    if (!status)
        fflush(stdout);
    while (!status && (status = rows_next(rows, block.x + block.n * block.d, NULL)) == 0) {
        bool ready = rows_ready(rows);
        if (++block.n == block.room || !ready)
            block_write(&block, &answers, saved, rows, &stale);
        if (!ready)
            fflush(stdout);
    }
    if (block.n > 0)
        block_write(&block, &answers, saved, rows, &stale);
    stale_warn(&stale, saved->model, rows->table.name);
    free(block.x);
    free(block.prediction);
    return status > 0 ? status : 0;
}

static int run_predict(const Arguments *a)
{
    Saved saved = {0};
    Rows rows = {0};
    const AnswersWanted wanted = {option_value(a, "interval"), option_value(a, "quantiles") != NULL};
    if (!option_value(a, "model"))
        return complain(BAD_USE, "predict: -m MODEL is missing");
    RowsOptions columns = {.missing_columns = option_value(a, "missing-columns") != NULL,
                           .keep = option_value(a, "keep")};
    int status = outputs_apart((const char *[]){option_value(a, "bad-rows")}, 1,
                               (const char *[]){a->operand[0], option_value(a, "model")}, 2);
    status = status ? status : reading_options(a, &columns);
    status = status ? status : saved_open(&saved, option_value(a, "model"));
    status = status ? status : saved_rows(&saved, &rows, a->operand[0], columns, false);
    if (!status && option_value(a, "print-schema"))
        status = reading_print_schema(&rows);
    else if (!status) {
        status = model_use_threads(saved.model, option_value(a, "threads"));
        status = status ? status : predict_rows(&saved, &rows, &wanted);
        if (!status && rows.read == 0)
            reading_nothing(0, &rows, a, "");
    }
    reading_summary(&rows);
    int skipped = rows_close(&rows);
    saved_close(&saved);
    return status ? status : skipped;
}

static void more_help(void)
{
    printf("\nPrints the header `prediction` and a line a row; nan where the row was rejected: an infinite cell, or a "
           "missing one\n"
           "where the model takes none. A column with the target is not read.\n\n"
           "A model of auto uses the last targets as well. Where many rows in the order of time are predicted "
           "without\n"
           "a target between them, one of auto(lags=false) errs less.\n");
    reading_help();
}

const Command command_predict = {
    "predict",    "predict every row of a file by a saved model", "FILE|-", options, 1, 1, run_predict, more_help,
    reading_table};
