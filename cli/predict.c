/* anabranch predict: what a saved model says of every row. */
#include "cli.h"
#include "saved.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL };
static const Option options[] = {{'m', "model", "MODEL", "the saved model, whose columns are found by name"}, {0}};

static int predict_rows(const Saved *saved, Rows *rows)
{
    int status;
    double *x = malloc(rows->n_features * sizeof *x);
    if (!x)
        return complain(BAD_DATA, "out of memory");
    puts("prediction");
    while ((status = rows_next(rows, x, NULL)) == 0) {
        char text[ANB_NUMBER_SIZE];
        anb_number_format(anb_predict(saved->model, x), text);
        puts(text);
    }
    free(x);
    return status > 0 ? status : 0;
}

static int run_predict(const Arguments *a)
{
    Saved saved = {0};
    Rows rows = {0};
    if (!a->value[MODEL])
        return complain(BAD_USE, "predict: -m MODEL is missing");
    int status = saved_open(&saved, a->value[MODEL]);
    if (!status)
        status = saved_rows(&saved, &rows, a->operand[0], (RowsOptions){0}, false);
    if (strcmp(a->operand[0], "-") == 0)
        setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* an answer for every row, as they come */
    if (!status)
        status = predict_rows(&saved, &rows);
    rows_close(&rows);
    saved_close(&saved);
    return status;
}

static void more_help(void)
{
    printf("\nPrints the header `prediction` and a value a row; nan where the row was rejected: an infinite cell, or a "
           "missing one\n"
           "where the model takes none. FILE is read as by eval; a column with the target is ignored.\n");
}

const Command command_predict = {
    "predict", "what a saved model says of every row of a file", "FILE|-", options, 1, 1, run_predict, more_help};
