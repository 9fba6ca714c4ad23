/*
 * A search for the lag p at which an earlier row explains most of this row's error: over all lags up to a few hundred,
 * some of them at every eighth row.
 *
 *     A_p = sum (y_{t-p} - f)^2     B_p = sum e (y_{t-p} - f)     C_p = sum e e_{t-p}     E = sum e^2     N = sum of 1
 *     share of the squared error that lag p explains: the larger of B_p^2 / (A_p E) and C_p^2 / E^2, where B_p, C_p > 0
 *
 * f: the prediction, y: the target, e = y - f. All sums are discounted by .999 a row.
 *
 * Outliers. e is clipped to 5 times the usual error size m, earlier errors to 10 m. A target more than 40 m off is
 * stored as the prediction: otherwise it would, one period later, weigh as much as a hundred others.
 *
 * Choice. At every eighth row an eighth of the lags is evaluated. After all of them the best one is chosen if N times
 * its share is at least 25 and beyond 1.2 times that of the lag in use, plus 5. (The largest of 1,600 shares of pure
 * noise is about 15 / N.) A lag is at least 2 and must have been seen in 100 rows.
 *
 * The sums are floats, in a unit that is a power of two near m, of targets less an origin near the predictions. Unit
 * and origin are renewed after all lags were evaluated. Instead of discounting the sums, each row gets a larger weight
 * than the one before, and everything is scaled down from time to time.
 *
 * Rows are added to the sums eight at a time, in order. The sums of 768 lags are half of an L1 cache; read and written
 * at each row, they would leave no room there for the rest of a model. To the last block of lags each row is added by
 * itself, since the rows that follow overwrite what is read for it.
 *
 * State: 36 bytes a lag. Cost: 8 operations on floats a lag.
 */
#ifndef ANB_NUMERIC_LAG_SEARCH_H
#define ANB_NUMERIC_LAG_SEARCH_H

#include "fields.h"
#include "lag_sums.h"
#include "ring.h"

typedef struct AnbLagSearch {
    AnbRing ring;             /* of targets */
    double unit, origin;      /* of the floats; unit 0: not set yet */
    double weight, rows, sum; /* of a row now, N, E in the unit of the sums */
    double best, present; /* N times the share of the best lag in this pass, and of the one in use at the last pass */
    uint64_t at, found, lag; /* the next lag to evaluate; the best of this pass; the one in use, 0: none */
    uint64_t waiting;        /* rows that are not in the sums yet: the first of `row` */
    AnbLagRow row[ANB_LAGS_ROWS];
} AnbLagSearch;

extern const AnbField anb_lag_search_fields[];

/* Lags 1 to n, n a whole number of blocks; y: the last n targets; the others in floats, [n] or twice that. */
typedef struct AnbLags {
    AnbLagSearch *s;
    double *y;
    float *recent, *errors; /* targets and errors, the newest first from where the ring stands; each twice, n apart */
    AnbLagSums sums;
    size_t n;
} AnbLags;

/* Where in `recent` and `errors` the newest row is. */
static inline size_t anb_lags_newest(const AnbLags *lags)
{
    return lags->n - 1 - (size_t)((lags->s->ring.pushed - 1) % lags->n);
}

/* The target `lag` rows before the row to come, and its error; the row is known. */
static inline double anb_lags_target(const AnbLags *lags, size_t lag)
{
    return lags->y[anb_ring_back(&lags->s->ring, lags->n, lag - 1)];
}

static inline double anb_lags_error(const AnbLags *lags, size_t lag)
{
    return lags->s->unit * (double)lags->errors[anb_lags_newest(lags) + lag - 1];
}

/* Learns a row: what was predicted, the target, the usual size of errors, the longest lag that may be chosen. Returns
 * whether another lag is in use from now on. */
bool anb_lags_learn(const AnbLags *lags, double f, double y, double size, size_t longest);

/* Whether a search from a file is valid, for lags up to `longest`. */
bool anb_lags_valid(const AnbLags *lags, size_t longest);

#endif
