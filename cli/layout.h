/* Which column of a table is what: its kind, and whether it is a feature, the target, the weight. */
#ifndef ANB_CLI_LAYOUT_H
#define ANB_CLI_LAYOUT_H

#include "guess.h"
#include "rows.h"

/* While the columns find their kinds and places; an element a column. */
typedef struct Layout {
    bool *ignored, *given; /* said: its kind is */
    int *role;            /* ROLE_..., or -1 */
    Guess *guess;
    bool *unnamed;     /* ignored since the file of the schema does not name it */
    bool decimal_given; /* the decimal mark is */
} Layout;

/* Sets the places and names of the rows. 0, or the exit status with the complaint made. */
int layout_rows(Rows *rows, const RowsOptions *options);

/* The kinds that options, a schema's file and a model say, before anything is guessed; columns that a file does not
 * name are ignored. */
int kinds_given(Rows *rows, const RowsOptions *options, Layout *layout);

/* Complains that the model has learned column i as another kind. Returns the exit status. */
int kinds_refuse(const Rows *rows, size_t i, const AnbColumn *learned);

/* The kinds of the others by the first rows. */
int kinds_guessed(Rows *rows, const RowsOptions *options, Layout *layout);
/* The column of --label-after alone, where the others are known. */
int kinds_of_after(Rows *rows, const Layout *layout);

/* What reads the cells, and the schema of the features, when places are known. */
int kinds_schemas(Rows *rows, const RowsOptions *options);

/* Tells on stderr what was decided, in one line, where it is more than CSV of numbers under a header. */
void kinds_report(const Rows *rows);

#endif
