/* Statistics of missing cells: for each column how many, the first and the last row, and how many in each part of the
 * run. */
#ifndef ANB_CLI_MISSING_H
#define ANB_CLI_MISSING_H

#include "json.h"
#include <stddef.h>

enum { MISSING_PARTS = 64, MISSING_COLUMNS = 4096 /* that are watched */ };

typedef struct MissingColumn {
    uint64_t cells, first, last;
    uint32_t part[MISSING_PARTS];
} MissingColumn;

typedef struct Missing {
    size_t n;
    uint64_t rows, width; /* rows of a part, doubled whenever the parts are full */
    MissingColumn *column;
} Missing;

/* False where memory is out. */
bool missing_start(Missing *missing, size_t columns);
/* A row of n cells; `row` is its number in the table. */
void missing_add(Missing *missing, const double *x, uint64_t row);
/* An object under the key `missing`: the rows seen, and of the columns that lack most cells what is known. */
void missing_json(const Missing *missing, Json *json, const char *const *names);
void missing_end(Missing *missing);

#endif
