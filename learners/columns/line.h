/*
 * The linear model of a row's numbers and of the sines and cosines of its times. The categories' effects are learned
 * from its residual.
 *
 *     predicts  a . z                       z: numbers, standardised and clipped to +-4; sines and cosines as they are
 *     learns    a += r err z / (1 + |z|^2) / (1 + sum of the effects' gains)     normalised LMS, Nagumo & Noda 1967
 *               r = max(.25 / (1 + n / (16 (1 + inputs))), .05)                  n: rows so far
 *
 * The model and the moments that standardise learn from each of the first 4,096 rows. After that they learn from one
 * row in m, m = the number of inputs rounded up to a power of two, at most 32; r = .1 if m > 1. These are the rows
 * whose number times the golden ratio has a small fractional part (Knuth, vol. 3, 6.4), so that they do not follow a
 * period of the stream.
 *
 * For the other rows a number costs one product: with b = a / sd the prediction is b . x - b . mean. If that is outside
 * the range of the predictions for learned rows, or NaN since a cell is missing, the row is standardised and clipped
 * like a learned one.
 */
#ifndef ANB_COLUMNS_LINE_H
#define ANB_COLUMNS_LINE_H

#include "row.h"

/* 1/sd costs more than the rest of a number's work: it is computed on every row at first, then on one in 16, then on
 * one in 8 of the rows that are learned. */
typedef enum AnbColumnsDue { ANB_NOT_DUE, ANB_DUE, ANB_DUE_WITH_SPREADS } AnbColumnsDue;

/* Whether the linear model learns from the next row. */
AnbColumnsDue anb_columns_line_due(const AnbColumnsView *v, double weight);
/* The model's prediction for the mapped row; for a row that is due it leaves z and its square in the work. */
double anb_columns_line_predict(const AnbColumnsView *v, const AnbColumnsWork *w, AnbColumnsDue due);
/* Learns a row that was due; step: of its error, shared with the effects. Restarted features are counted in `row`. */
void anb_columns_line_learn(const AnbColumnsView *v, const AnbColumnsWork *w, const AnbRow *row, AnbColumnsDue due,
                            double step, double weight);

#endif
