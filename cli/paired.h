/*
 * Paired losses of several learners on the same rows, and whether two of them differ.
 *
 * Diebold and Mariano 1995: z = mean(d) / sqrt(S / n), d the difference of two losses at a row, S its long-run variance
 * by Newey and West 1987 with Bartlett weights, lag 4 (n / 100)^(2/9) (Newey and West 1994). Losses follow one another
 * in time, so their differences are correlated; a test that takes them for independent finds differences where there
 * are none.
 *
 * Losses are kept as sums over blocks of rows; when all blocks are in use, pairs of them are joined, so memory is
 * bounded. The test is then one on the blocks' means.
 */
#ifndef ANB_CLI_PAIRED_H
#define ANB_CLI_PAIRED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAIRED_BLOCKS = 4096 };

typedef struct Paired {
    size_t k;      /* learners */
    uint64_t n;    /* rows */
    uint64_t span; /* rows of a block */
    double *sum;   /* PAIRED_BLOCKS blocks of k losses */
} Paired;

bool paired_start(Paired *paired, size_t k);
void paired_end(Paired *paired);

/* A row's k losses. */
void paired_add(Paired *paired, const double *loss);

/**
 * Compares two learners.
 *
 * @param mean  set to the mean of loss a minus loss b
 * @param p     set to how likely a difference as large is where there is none, two-sided; NaN where there are fewer
 *              than 16 whole blocks or no difference varies
 * @return      z
 */
double paired_test(const Paired *paired, size_t a, size_t b, double *mean, double *p);

#endif
