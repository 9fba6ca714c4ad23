/*
 * The layout of a row of typed columns, which follows from the option `kinds` of `columns`.
 *
 *     the child's row: numbers and codes | ANB_CALENDAR for each time | ANB_STATISTICS for each category, code and time
 *     the work:        the child's row | what the linear model reads | times | categories
 *
 * A row's cells are copied by three lists that are made once: blocks of adjacent columns, single columns, and the
 * places of codes, which become missing numbers where they are the hash of a text.
 */
#ifndef ANB_COLUMNS_LAYOUT_H
#define ANB_COLUMNS_LAYOUT_H

#include "calendar.h"
#include <anabranch/learners.h>

enum { ANB_STATISTICS = 4 };

enum { ANB_BLOCKS, ANB_CELLS, ANB_CODES, ANB_LISTS };

/* An entry of a list: n columns from `from` on, to as many doubles of the work; for codes only `to` is used. */
typedef struct AnbColumnsMove {
    uint32_t from, to, n;
} AnbColumnsMove;

typedef struct AnbColumnsLayout {
    size_t columns; /* that the kinds are of */
    size_t numbers; /* and codes */
    size_t times;
    size_t categories; /* and codes, and of each time the hour of the week, these last */
    size_t plain;      /* numbers and what comes of times */
    size_t inputs;     /* of the linear model: numbers, and the circles of times */
    size_t width;      /* of the child's row */
    size_t n_sets;     /* of a dictionary; a power of two */
    unsigned thinned;  /* the linear model learns from one row in 2 to this */
    size_t n_moves[ANB_LISTS];
    bool as_it_is; /* the child's row is the row */
} AnbColumnsLayout;

AnbColumnsLayout anb_columns_layout(const AnbColumnsOptions *options, size_t n_features);

/* How many moves the lists have together, and all of them, list after list. */
size_t anb_columns_moves(const AnbColumnsLayout *l);
void anb_columns_list(const AnbColumnsOptions *options, size_t n_features, const AnbColumnsLayout *l,
                      AnbColumnsMove *moves);
/* Where the times start in the work; the categories follow, then the hours of the week. */
static inline size_t anb_columns_times(const AnbColumnsLayout *l)
{
    return l->width + l->inputs;
}
/* Copies a row's numbers, times and categories, without the hours of the week. */
void anb_columns_split(const AnbColumnsLayout *l, const AnbColumnsMove *moves, const double *x, double *work);
/* Where feature i of the child's row comes from. */
void anb_columns_source(const AnbColumnsOptions *options, size_t n_features, size_t i, AnbFeatureSource *source);
/* The index of a column's dictionary; SIZE_MAX: it has none. */
size_t anb_columns_dictionary(const AnbColumnsOptions *options, size_t n_features, size_t column);

/* Sums shares of the child's row up to shares of the columns. */
void anb_columns_join(const AnbColumnsOptions *options, size_t n_features, const double *shares, double *out);

#endif
