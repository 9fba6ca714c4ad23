/*
 * Where everything of a row of typed columns goes, from the kinds of `columns` alone.
 *
 *     the child's row: numbers and codes | ANB_CALENDAR for each time | ANB_STATISTICS for each category, code and time
 */
#ifndef ANB_COLUMNS_LAYOUT_H
#define ANB_COLUMNS_LAYOUT_H

#include "calendar.h"
#include <anabranch/learners.h>

enum { ANB_STATISTICS = 4 };

typedef struct AnbColumnsLayout {
    size_t columns; /* that the kinds are of */
    size_t numbers; /* and codes */
    size_t times;
    size_t categories; /* and codes, and of each time the hour of the week, these last */
    size_t plain;      /* numbers and what comes of times */
    size_t inputs;     /* of the linear model: numbers, and the circles of times */
    size_t width;      /* of the child's row */
    size_t n_sets;     /* of a dictionary; a power of two */
} AnbColumnsLayout;

AnbColumnsLayout anb_columns_layout(const AnbColumnsOptions *options, size_t n_features);

/* Splits a row by its kinds: numbers, times and categories, each in order; the hours of the week are the caller's. */
void anb_columns_split(const AnbColumnsOptions *options, size_t n_features, const double *x, double *numbers,
                       double *times, double *categories);
/* Where feature i of the child's row comes from. */
void anb_columns_source(const AnbColumnsOptions *options, size_t n_features, size_t i, AnbFeatureSource *source);
/* Which dictionary is a column's; SIZE_MAX: none. */
size_t anb_columns_dictionary(const AnbColumnsOptions *options, size_t n_features, size_t column);

/* Sums shares of the child's row up to shares of the columns. */
void anb_columns_join(const AnbColumnsOptions *options, size_t n_features, const double *shares, double *out);

#endif
