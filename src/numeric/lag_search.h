/*
 * Which earlier row tells most about this one's error: a search over all lags up to a few hundred, a few at a time.
 *
 *     A_p = sum (y_{t-p} - f)^2     B_p = sum e (y_{t-p} - f)     C_p = sum e e_{t-p}     E = sum e^2     N = sum of 1
 *     share of the squared error that lag p explains: the larger of B_p^2 / (A_p E) and C_p^2 / E^2, where B_p, C_p > 0
 *
 * all discounted by .999 a row. Errors count as 5 of their usual size m at most, earlier ones as 10; a target that
 * is more than 40 off is kept as what was predicted: a period later it would weigh as much as a hundred others. In each row a 64th of the
 * lags is looked at; after all of them the best one is chosen, where N times its share is at least 25, and beyond 1.2 times that
 * of the present one and 5. Of 1,600 shares of noise the largest is some 15 / N. A lag needs 100 rows that it was seen in, and is 2 at
 * least.
 *
 * The sums are of floats, in a unit that is a power of two near m, of targets less an origin near the predictions; both are
 * renewed after a look at all lags. In place of discounting the sums, rows weigh more and more, until all is scaled down.
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
    double unit, origin;      /* of what is kept in floats; unit 0: nothing is yet */
    double weight, rows, sum; /* of a row now, N, E in the unit of the sums */
    double best, present;    /* N times the share of the best lag in this look, and of the one in use at the last one */
    uint64_t at, found, lag; /* the next one to be looked at; the best of this look; the one in use, 0: none */
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

/* Learns a row: what was predicted, the target, the usual size of errors, the longest lag that may be chosen. Returns whether
 * another lag is in use from now on. */
bool anb_lags_learn(const AnbLags *lags, double f, double y, double size, size_t longest);

/* Whether a search from a file is one. */
bool anb_lags_valid(const AnbLagSearch *search, size_t n);

#endif
