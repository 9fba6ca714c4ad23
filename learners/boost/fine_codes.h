/*
 * Codes of eight bits for the cells of boosted trees: four to a code of the histograms.
 *
 *     code x >> 2 = the histogram's code, 0 to 62, 63 for a missing cell; what is left: where x lies within that bin
 *
 * The code of x is the number of edges below it, so "code <= c" is "x <= edge[c]". Edge 4 i + 3 lies between the histogram's
 * codes i and i + 1; where there are too few distinct values for three more between two such edges, edges repeat. A cut is
 * looked for among the histogram's codes, then among the edges beside the best one: nearly as exactly as among 252 bins, for
 * hardly more than 63 cost.
 */
#ifndef ANB_LEARNERS_BOOST_FINE_CODES_H
#define ANB_LEARNERS_BOOST_FINE_CODES_H

#include "learners/trees/bins.h"

enum {
    ANB_FINE = 4,                                         /* codes in one of the histogram's */
    ANB_FINE_EDGES = ANB_FINE * ANB_EDGES + ANB_FINE - 1, /* of a feature, at most */
    ANB_FINE_MISSING = 255,
    ANB_FINE_BLOCK = 16
};

/* One feature's edges, ascending, equal ones among them, the rest +infinity. Floats: cells are compared as floats. */
typedef struct AnbFineEdges {
    float coarse[ANB_FINE_BLOCK]; /* every sixteenth: a code takes 32 comparisons */
    float edge[ANB_FINE_BLOCK * ANB_FINE_BLOCK];
    uint32_t count;
    uint32_t fine;       /* whether others than every fourth are edges of their own */
    uint32_t unused[14]; /* to whole cache lines */
} AnbFineEdges;

/* The histogram's code, or its number of edges. */
static inline unsigned anb_coarse(unsigned fine)
{
    return fine / ANB_FINE;
}

/* The code of a cut that sends the histogram's codes up to `coarse` left. */
static inline uint8_t anb_fine(unsigned coarse)
{
    return (uint8_t)(ANB_FINE * coarse + ANB_FINE - 1);
}

void anb_fine_edges_init(AnbFineEdges *edges);

/**
 * Makes the edges from n finite floats in ascending order: quantiles, each halfway between neighbouring values.
 *
 * @param most  edges at most; more than ANB_FINE_EDGES count as that many
 */
void anb_fine_edges_make(AnbFineEdges *edges, const double *sorted, size_t n, size_t most);

/* The count and the edges; of layouts before version 4 those of six-bit codes. */
void anb_fine_edges_visit(AnbFineEdges *edges, AnbVisitor *visitor);

/* Codes of six bits, as of layouts before version 4, become codes of eight. */
static inline void anb_fine_codes(uint8_t *codes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        codes[i] = codes[i] < ANB_MISSING ? (uint8_t)(ANB_FINE * codes[i]) : (uint8_t)ANB_FINE_MISSING;
}

typedef struct AnbFineKernels {
    /* The codes of a row of n cells, `stride` bytes apart; of n cells of one feature. NaN has ANB_FINE_MISSING. */
    void (*cells)(const AnbFineEdges *edges, const float *values, size_t n, size_t stride, uint8_t *codes);
    void (*column)(const AnbFineEdges *edges, const float *values, size_t n, uint8_t *codes);
} AnbFineKernels;

ANB_ISA_TABLE(AnbFineKernels, anb_fine_kernels);

#endif
