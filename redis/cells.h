/* Rows from the arguments of a command. */
#ifndef ANB_REDIS_CELLS_H
#define ANB_REDIS_CELLS_H

#include "sequence.h"
#include <anabranch/schema.h>

/* How the cells of a row are read. */
typedef struct Cells {
    size_t d;                /* columns */
    const AnbSchema *schema; /* or NULL: numbers */
    const char *consequence; /* the end of error messages */
    size_t row;              /* which one, for errors */
} Cells;

/* One row from argc arguments, d cells or `FIELDS n name value ..`: how many it took, or -1 with the error replied. */
int anb_cells_read(RedisModuleCtx *ctx, const Cells *cells, RedisModuleString **argv, int argc, double *x);
/* One cell of a column; text NULL: missing. 0 or a code. */
int anb_cell_read(const AnbSchema *schema, size_t column, RedisModuleString *text, double *value, AnbError *error);
/* The target of a row; where sequence is not NULL with or without `@source:n` behind it. */
int anb_cells_target(RedisModuleCtx *ctx, const Cells *cells, RedisModuleString *text, double *y, Sequence *sequence);
/* Replies that a row is too short or too long; -1. */
int anb_cells_width(RedisModuleCtx *ctx, const Cells *cells, size_t given);

/* The numbers of a row from argv into memory that lives until the next command, checked as a row to predict. NULL with
 * the error replied. */
const double *anb_parse_features(RedisModuleCtx *ctx, const Model *model, RedisModuleString **argv, int argc);

#endif
