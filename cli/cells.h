/* Cells of text as doubles. */
#ifndef ANB_CLI_CELLS_H
#define ANB_CLI_CELLS_H

#include "csv.h"
#include <anabranch/number.h>

typedef struct CellFormat {
    char decimal;        /* '.' or ',' */
    char thousands;      /* what stands between groups of digits; 0: nothing */
    const char *missing; /* words that mean a missing cell, with commas between them, besides the usual ones; or NULL */
    bool local;          /* set by cell_format_ready: a number may be written in another way, or be such a word */
} CellFormat;

/* After the three are set. */
void cell_format_ready(CellFormat *format);

/**
 * Reads a cell as a number. Blanks around it do not count.
 *
 * @param limit  how far bytes may be read behind it; NULL: not beyond its end
 * @param value  NaN where the cell is missing (empty, na, nan, n/a, #n/a, <na>, null, none, ?, - in any case, or
 *               a word of the format), infinite where it is inf or too large
 * @return       whether it is one
 */
bool cell_number(const CellFormat *format, const Cell *cell, const char *limit, double *value);

/* The usual case of cell_number where the format is not local: a number without blanks. The number reader is fastest
 * with room to look ahead, and finds the cell's end by itself. */
static inline bool cell_plain_number(const Cell *cell, const char *limit, double *value)
{
    return limit && (size_t)anb_number_parse(cell->text, (size_t)(limit - cell->text), value) == cell->size &&
           cell->size > 0;
}

/* Whether a cell that was trimmed is missing. */
bool cell_missing(const CellFormat *format, const Cell *cell);

#endif
