/*
 * Quantile bins: every feature of a stream as a code of six bits.
 *
 * A reservoir keeps up to 2,000 rows; edges are made from it when 100, 400, 1,600, ... rows were seen, at most 62 a
 * feature. While the reservoir fills each feature's cells are sorted in blocks, so that little is left to do when edges
 * are due: cells of one row of the reservoir may then be of different rows of the stream.
 *
 * The code of x is the number of edges below it, so "code <= c" is "x <= edge[c]" and a split found on codes is a
 * threshold on raw values. A missing cell (NaN) has the code ANB_MISSING. Until edges are made every code is 0.
 *
 * Memory, flat and without pointers, on a 64-byte boundary; anb_bins_bytes(d) bytes, arrives zeroed:
 *
 *     [ AnbBins | AnbEdges[2][d]: in use and under way in turn | reservoir: double[d][2000], feature by feature
 *       | sorting: double[2][2000] ]
 */
#ifndef ANB_LEARNERS_TREES_BINS_H
#define ANB_LEARNERS_TREES_BINS_H

#include "src/numeric/sorter.h"
#include "src/simd/isa.h"

enum {
    ANB_CODES = 64, /* codes 0 to 62 for values, 63 for a missing cell */
    ANB_MISSING = 63,
    ANB_EDGES = 62,         /* edges of a feature, at most */
    ANB_BINS_SAMPLE = 2000, /* rows in the reservoir */
    ANB_BINS_FIRST = 100    /* rows seen when edges are first made; then every four times as many */
};

typedef struct AnbBins {
    uint64_t seen; /* rows */
    uint64_t due;  /* rows seen when the edges are to be made next */
    uint64_t made; /* how many times they were made; code that stores codes compares it */
    uint64_t features;
    AnbSorter sorter; /* of the feature whose edges are under way */
    uint32_t taken;   /* of its cells, how many were looked at */
    uint32_t sorting; /* whether that was all of them */
    uint64_t unused;
} AnbBins;

/* One feature's edges, ascending, the rest +infinity; `coarse` repeats every eighth one, so that a code takes 16
 * comparisons. */
typedef struct AnbEdges {
    double coarse[8];
    double edge[ANB_CODES];
    uint64_t count;
    uint64_t unused[7];
} AnbEdges;

size_t anb_bins_bytes(size_t features);
void anb_bins_init(AnbBins *bins, size_t features);

/**
 * Adds a row to the reservoir.
 *
 * @param bins  the bins
 * @param row   `features` values, NaN = missing
 * @param draw  32 uniform random bits, new for each row: which row of a full reservoir this one replaces, if any
 * @return      whether the edges are due: call anb_bins_step for each feature until it is made, now or over the next
 *              samples, then anb_bins_finish
 */
bool anb_bins_see(AnbBins *bins, const double *row, uint32_t draw);

/* A step of making one feature's new edges, which anb_bins_finish puts into use. Returns whether they are done. Cost:
 * up to 1 us. */
bool anb_bins_step(AnbBins *bins, size_t feature);
/* Steps a sample: up to 16 features' edges are made within 1,400 samples. */
static inline size_t anb_bins_steps(size_t features)
{
    return 1 + features / 16;
}
/* Puts the new edges into use and sets when the next ones are due. */
void anb_bins_finish(AnbBins *bins);

/* Up to `most` edges of n values in ascending order, which may be none: how many there are. */
size_t anb_quantile_edges(double *edge, const double *sample, size_t n, size_t most);
/* The next edges, `more` of them at most, behind the `count` that were made from the same sample: whether these are
 * all. */
bool anb_edges_more(AnbEdges *edges, const double *sample, size_t n, size_t most, size_t more);
void anb_edges_init(AnbEdges *edges);
/* The count, clamped, and the edges. */
void anb_edges_visit(AnbEdges *edges, AnbVisitor *visitor);

/* Every used field, for the part that it belongs to; `making`: features whose edges are not made yet, 0 where none are
 * under way. */
void anb_bins_visit(AnbBins *bins, size_t features, size_t making, AnbVisitor *visitor);
/* Whether bins from a file are valid, so that learning can continue. */
bool anb_bins_valid(const AnbBins *bins, size_t features);

static inline const AnbEdges *anb_bins_edges(const AnbBins *bins, size_t feature)
{
    return (const AnbEdges *)(bins + 1) + (bins->made & 1) * bins->features + feature;
}

/* The number of edges below x; ANB_MISSING for NaN. */
static inline unsigned anb_code(const AnbEdges *edges, double x)
{
    unsigned block = 0, fine = 0;
    for (int i = 0; i < 8; i++)
        block += edges->coarse[i] < x;
    const double *edge = edges->edge + (size_t)8 * (block & 7);
    for (int i = 0; i < 8; i++)
        fine += edge[i] < x;
    return x == x ? 8 * (block & 7) + fine : ANB_MISSING;
}

typedef struct AnbCodeKernels {
    /* anb_code of one value of each of n features. */
    void (*row)(const AnbEdges *edges, const double *values, size_t n, uint8_t *codes);
} AnbCodeKernels;

ANB_ISA_TABLE(AnbCodeKernels, anb_code_kernels);

/* The codes of a row. Cost: some twenty instructions a feature. */
static inline void anb_bins_codes(const AnbBins *bins, size_t features, const double *row, unsigned char *codes)
{
    anb_code_kernels.row(anb_bins_edges(bins, 0), row, features, codes);
}

#endif
