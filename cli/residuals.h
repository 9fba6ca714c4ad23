/*
 * The distribution of a run's errors in bounded memory: counts in 16 bins an octave of their magnitude, both signs
 * apart, so that a quantile is off by a sixteenth of its octave at most.
 */
#ifndef ANB_CLI_RESIDUALS_H
#define ANB_CLI_RESIDUALS_H

#include "json.h"

enum { RESIDUAL_OCTAVES = 128, RESIDUAL_PARTS = 16, RESIDUAL_BINS = 2 * RESIDUAL_OCTAVES * RESIDUAL_PARTS + 1 };

typedef struct Residuals {
    uint64_t n, count[RESIDUAL_BINS]; /* from the most negative up; the middle one is of 0 */
    double sum;
} Residuals;

/* An error, target - prediction; one that is not finite is passed over. */
void residuals_add(Residuals *residuals, double error);
/* An object under the key `residuals`: n, mean, quantiles, and a histogram in equal steps over 99 % of them. */
void residuals_json(const Residuals *residuals, Json *json);

#endif
