/*
 * The linear model of a row's numbers and of the circles of its times, which the categories' effects are net of.
 *
 *     says     a . z                        z: numbers, standardised and clipped to 4; sines and cosines as they are
 *     learns   a += r err z / (1 + |z|^2) / (1 + sum of the effects' gains)     normalised LMS, Nagumo & Noda 1967
 *              r = max(.25 / (1 + n / (16 (1 + inputs))), .05)                   n: rows so far
 *
 * It learns, as do the moments that standardise, from the first 4,096 rows and from then on from one row in as many as it
 * has inputs, rounded up to a power of two, at most 32, with r = .1 where that is fewer than all. Which rows: those whose
 * number times the golden ratio has a small fraction (Knuth, vol. 3, 6.4), so that no period of the stream goes with them.
 *
 * For the other rows a number costs one product: with b = a / sd the model predicts b . x - b . mean. Where that is outside the
 * range of the predictions for learned rows, or NaN since a cell is missing, the row is standardised and clipped like one that
 * is learned.
 */
#ifndef ANB_COLUMNS_LINE_H
#define ANB_COLUMNS_LINE_H

#include "row.h"

/* 1/sd costs more than the rest of a number's work: it is computed on every row at first, then on one in 16, then on one in 8
 * of the rows that are learned. */
typedef enum AnbColumnsDue { ANB_NOT_DUE, ANB_DUE, ANB_DUE_WITH_SPREADS } AnbColumnsDue;

/* Whether the row that comes is one to learn from. */
AnbColumnsDue anb_columns_line_due(const AnbColumnsView *v, double weight);
/* What the model says of the row that was mapped; of a row that is due it leaves z and its square in the work. */
double anb_columns_line_says(const AnbColumnsView *v, const AnbColumnsWork *w, AnbColumnsDue due);
/* Learns a row that was due; step: of its error, shared with the effects. `row` hears of features that begin again. */
void anb_columns_line_learn(const AnbColumnsView *v, const AnbColumnsWork *w, const AnbRow *row, AnbColumnsDue due,
                            double step, double weight);

#endif
