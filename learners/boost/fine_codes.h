/*
 * Fine codes: the cells of boosted trees as codes of eight bits. The histograms have 64 bins; each bin has four fine
 * codes.
 *
 *     fine code      0 1 2 3   4 5 6 7   ...   248 ... 251   255: missing
 *     bin               0         1      ...       62         63: missing       fine code / 4
 *
 * The fine code of x is the number of edges below x, so "code <= c" means "x <= edge[c]". Edge 4 i + 3 separates bin i
 * from bin i + 1. Where a feature has too few distinct values for three edges within a bin, edges are repeated, and no
 * cell has the codes between them.
 *
 * A tree first finds the best cut between bins, then the best of the edges within the two bins beside it. This takes
 * hardly longer than 63 bins alone, and is nearly as exact as 252 bins.
 */
#ifndef ANB_LEARNERS_BOOST_FINE_CODES_H
#define ANB_LEARNERS_BOOST_FINE_CODES_H

#include "learners/trees/bins.h"

enum {
    ANB_FINE = 4,                                         /* fine codes of a bin */
    ANB_FINE_EDGES = ANB_FINE * ANB_EDGES + ANB_FINE - 1, /* of a feature, at most */
    ANB_FINE_MISSING = 255,
    ANB_FINE_BLOCK = 16
};

/* One feature's edges, ascending, possibly with equal ones, the rest +infinity. Floats, as the cells are. */
typedef struct AnbFineEdges {
    float coarse[ANB_FINE_BLOCK]; /* every sixteenth: a code takes 32 comparisons */
    float edge[ANB_FINE_BLOCK * ANB_FINE_BLOCK];
    uint32_t count;
    uint32_t fine;       /* whether there are edges within bins, or only repeated ones */
    uint32_t unused[14]; /* to whole cache lines */
} AnbFineEdges;

/* The bin of a fine code; or, of the number of a feature's edges, how many of them separate bins. */
static inline unsigned anb_coarse(unsigned fine)
{
    return fine / ANB_FINE;
}

/* The largest fine code of a bin: a cut there sends the bins up to this one left. */
static inline uint8_t anb_fine(unsigned bin)
{
    return (uint8_t)(ANB_FINE * bin + ANB_FINE - 1);
}

void anb_fine_edges_init(AnbFineEdges *edges);

/**
 * Makes the edges from n finite floats in ascending order: quantiles, each halfway between neighbouring values.
 *
 * @param most  largest number of edges; at most ANB_FINE_EDGES are made
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
