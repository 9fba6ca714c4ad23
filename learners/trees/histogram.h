/*
 * Histograms over the codes of bins.h, and the search for the best split.
 *
 * A histogram of m features is AnbBin[m][ANB_CODES], flat; entry [k][c] sums the targets and weights of the samples
 * whose k-th feature has the code c, the last entry those with the cell missing. Sums stay small where targets are
 * taken about the node's mean. Adding a sample changes 16 bytes a feature.
 */
#ifndef ANB_LEARNERS_TREES_HISTOGRAM_H
#define ANB_LEARNERS_TREES_HISTOGRAM_H

#include "bins.h"

typedef struct AnbBin {
    double sum, count;
} AnbBin;

/* A cut: code <= `code` goes left. */
typedef struct AnbSplit {
    double gain;          /* reduction of the sum of squares; <= 0: none found */
    uint32_t feature;     /* as the caller numbers them */
    uint8_t code;         /* 0 to 61 */
    uint8_t missing_left; /* where a missing cell goes: the better side, or the heavier one where none was seen */
    double left_sum, left_count; /* of the side that goes left, missing cells as they go */
} AnbSplit;

/* What a split must satisfy. */
typedef struct AnbSplitRule {
    double sum, count; /* of all samples of the histogram */
    double ridge;      /* added to counts: a side is worth sum^2 / (count + ridge); 0 = plain least squares */
    double min_count;  /* weight on either side at least, > 0 */
} AnbSplitRule;

/**
 * Finds the best split on one feature.
 *
 * @param h        ANB_CODES entries
 * @param edges    how many edges the feature has: codes 0 to edges are in use
 * @param rule     sums of all samples, and requirements
 * @param feature  written into `best` where this feature is better
 * @param best     the best so far, replaced only by a greater gain
 *
 * Cost: one division and a dozen other operations a code; twice that where cells are missing.
 */
void anb_histogram_split(const AnbBin *h, size_t edges, const AnbSplitRule *rule, uint32_t feature, AnbSplit *best);

/* Adds a sample to m features' histograms; feature k's code is codes[index[k]], or codes[k] where index is NULL. */
static inline void anb_histogram_add(AnbBin *h, size_t m, const uint32_t *index, const unsigned char *codes, double sum,
                                     double count)
{
    for (size_t k = 0; k < m; k++) {
        AnbBin *bin = h + k * ANB_CODES + codes[index ? index[k] : k];
        bin->sum += sum;
        bin->count += count;
    }
}

#endif
