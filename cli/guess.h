/* What the columns hold, by the first rows. */
#ifndef ANB_CLI_GUESS_H
#define ANB_CLI_GUESS_H

#include "cells.h"
#include "table.h"

typedef struct Guess {
    size_t numbers, texts, missing; /* cells */
    uint64_t line;                  /* of the first text */
    char text[64];                  /* which */
} Guess;

/**
 * Counts what the cells of the rows ahead are. At most 100 rows are read; one, where rows come through a pipe and the
 * first is all numbers, so that an answer can come with every row.
 *
 * @param guess  one a column, zeroed
 * @return       0, or the exit status with the complaint made
 */
int guess_columns(Table *table, const CellFormat *format, size_t rows, Guess *guess);

/* Whether a column is one of texts: a cell or two among numbers are mistakes, not a category. */
bool guess_is_text(const Guess *guess);

#endif
