/* The kind and the role of each column of a table: feature, target, weight and so on. */
#ifndef ANB_CLI_LAYOUT_H
#define ANB_CLI_LAYOUT_H

#include "guess.h"
#include "rows.h"

/* Data while kinds and places are decided; an element a column. */
typedef struct Layout {
    bool *ignored, *given; /* given: whether its kind is given */
    int *role;             /* ROLE_..., or -1 */
    Guess *guess;
    bool *unnamed;      /* ignored since the file of the schema does not name it */
    bool decimal_given; /* whether the decimal mark is given */
} Layout;

/* Sets the places and names of the rows. 0, or the exit status with the message printed. */
int layout_rows(Rows *rows, const RowsOptions *options);

/* Sets the kinds that are given by options, a schema file and a model, before any is guessed; columns that the file
 * does not name are ignored. */
int kinds_given(Rows *rows, const RowsOptions *options, Layout *layout);

/* Prints that the model has learned column i as another kind. Returns the exit status. */
int kinds_refuse(const Rows *rows, size_t i, const AnbColumn *learned);

/* The kinds of the others by the first rows. */
int kinds_guessed(Rows *rows, const RowsOptions *options, Layout *layout);
/* The column of --label-after alone, where the others are known. */
int kinds_of_after(Rows *rows, const Layout *layout);

/* What reads the cells, and the schema of the features, when places are known. */
int kinds_schemas(Rows *rows, const RowsOptions *options);

/* Prints on stderr, in one line, what was decided, unless the table is CSV of numbers under a header. */
void kinds_report(const Rows *rows);

#endif
