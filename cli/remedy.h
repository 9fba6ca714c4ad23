/* Hints for cells that are not of their column's kind: other formats of numbers and times. */
#ifndef ANB_CLI_REMEDY_H
#define ANB_CLI_REMEDY_H

#include "cells.h"
#include <anabranch/schema.h>

enum { REMEDY_SIZE = 200, REMEDY_OPTIONS = 80, REMEDY_WAYS = 0xff /* all of them, a bit each */ };

/* What fails on some cell of a column so far, a bit each: ways to write numbers, for the cells as they stand and for
 * those with a unit once it is taken away; orders of dates. */
typedef struct RemedyFailing {
    unsigned bare, of_units, orders;
} RemedyFailing;

/**
 * @param kind     that the cell is not of
 * @param failing  of its column
 * @param out      REMEDY_SIZE bytes: " (with --thousands , it is one)" or the like, "" where nothing is known; it says
 *                 so where other cells of the column are not of the kind with it
 * @return         out
 */
const char *remedy_of(AnbColumnKind kind, const Cell *cell, RemedyFailing failing, char *out);

/* Whether a cell that was trimmed is a number without options. */
bool remedy_plain(const Cell *cell);

/* The ways to write numbers, a bit each, by which a cell that was trimmed is one; of those in `among`. */
unsigned remedy_ways(const Cell *cell, unsigned among);

/* The options that say such ways: up to two, as "--decimal , or --thousands ,", in REMEDY_OPTIONS bytes. Returns how
 * many. */
size_t remedy_options(unsigned among, char *out);

/* The number that stands in a cell beside a unit, which holds no digit: "5 cm", "7%", "$1,234". False: no such cell.
 * The number may be one by the options of remedy_ways alone. */
bool remedy_unit(const Cell *cell, Cell *number, Cell *unit);

/* Whether a cell that was trimmed and is no time looks like one: 17:30, 05/Jan/2013:17:30:00, 2013-W05-3, 2013Q1,
 * 05.01.13, 5. Januar 2013, or a time with the name of a zone behind it. To `short_failing` come the orders of dates in
 * which one as 05.01.13 is none. */
bool remedy_timelike(const Cell *cell, unsigned *short_failing);

/* Whether a cell that was trimmed is a time of day without a date: 17:30, 3:05:10. */
bool remedy_clock(const Cell *cell);

#endif
