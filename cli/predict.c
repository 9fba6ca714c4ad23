/* anabranch predict: what a saved model says of every row. */
#include "cli.h"
#include "output.h"
#include "reading.h"
#include "saved.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const Option options[] = {
    {'m', "model", "MODEL", "the saved model, whose columns are found by name"},
    {0, "missing-columns", NULL, "a feature of the model without a column is missing in every row, no error"},
    {0}};

static int predict_rows(const Saved *saved, Rows *rows)
{
    int status;
    double *x = malloc(rows->n_features * sizeof *x);
    if (!x)
        return complain(BAD_DATA, "out of memory");
    puts("prediction");
    fflush(stdout);
    while ((status = rows_next(rows, x, NULL)) == 0) {
        char text[ANB_NUMBER_SIZE];
        anb_number_format(anb_predict(saved->model, x), text);
        puts(text);
        if (!rows_ready(rows)) /* an answer is seen before the next row is waited for */
            fflush(stdout);
    }
    free(x);
    return status > 0 ? status : 0;
}

static int run_predict(const Arguments *a)
{
    Saved saved = {0};
    Rows rows = {0};
    if (!option_value(a, "model"))
        return complain(BAD_USE, "predict: -m MODEL is missing");
    RowsOptions columns = {.missing_columns = option_value(a, "missing-columns") != NULL};
    int status = outputs_apart((const char *[]){option_value(a, "bad-rows")}, 1,
                               (const char *[]){a->operand[0], option_value(a, "model")}, 2);
    status = status ? status : reading_options(a, &columns);
    status = status ? status : saved_open(&saved, option_value(a, "model"));
    status = status ? status : saved_rows(&saved, &rows, a->operand[0], columns, false);
    if (!status)
        status = predict_rows(&saved, &rows);
    reading_summary(&rows);
    int skipped = rows_close(&rows);
    saved_close(&saved);
    return status ? status : skipped;
}

static void more_help(void)
{
    printf("\nPrints the header `prediction` and a value a row; nan where the row was rejected: an infinite cell, or a "
           "missing one\n"
           "where the model takes none. A column with the target is not read.\n");
    reading_help();
}

const Command command_predict = {
    "predict",    "what a saved model says of every row of a file", "FILE|-", options, 1, 1, run_predict, more_help,
    reading_table};
