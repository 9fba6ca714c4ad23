/*
 * Trees of one depth as arrays of cuts: read by many rows at once.
 *
 * A tree of depth D is AnbCut[2^D], entry 1 the root, 2k and 2k + 1 the children of k, entry 0 unused; a row ends in
 * one of 2^D leaves. A node that never was cut sends every row left.
 *
 *          1            leaf of k = k - 2^D at level D
 *        2   3
 *       4 5 6 7
 *
 * A row is passed as 2 d floats: its d values with +infinity for missing cells, then the same values with -infinity. A
 * cut that sends missing cells left reads the second half. Other values are finite (anb_cuts_cell). Several rows at
 * once are passed by columns.
 */
#ifndef ANB_LEARNERS_BOOST_CUTS_H
#define ANB_LEARNERS_BOOST_CUTS_H

#include "fine_codes.h"
#include "src/numeric/fields.h"
#include "src/simd/isa.h"
#include <float.h>

typedef struct AnbCut {
    float threshold;  /* value > threshold goes right; +infinity: all go left */
    uint16_t feature; /* in the doubled row */
    uint8_t code;     /* the same on codes: code > this goes right; ANB_FINE_MISSING: all go left */
    uint8_t missing_left;
} AnbCut;

enum { ANB_CUTS_BLOCK = 64, ANB_CUTS_DEPTH = 8 /* at most */, ANB_CUTS_ROWS = 32 };

typedef struct AnbCutsKernels {
    void (*descend)(const AnbCut *cuts, size_t trees, unsigned depth, const float *row, uint8_t *leaf);
    void (*descend_rows)(const AnbCut *cuts, size_t trees, unsigned depth, const float *columns, uint8_t *leaf);
    void (*apply)(const AnbCut *cuts, unsigned depth, const uint8_t *codes, size_t features, uint8_t *leaf);
} AnbCutsKernels;

ANB_ISA_TABLE(AnbCutsKernels, anb_cuts_kernels);

/* Trees are walked eight at a time. */
static inline size_t anb_cuts_padded(size_t trees)
{
    return (trees + 7) / 8 * 8;
}

/* The leaf of each tree that one row reaches; room for anb_cuts_padded(trees) in both. */
static inline void anb_cuts_descend(const AnbCut *cuts, size_t trees, unsigned depth, const float *row, uint8_t *leaf)
{
    anb_cuts_kernels.descend(cuts, trees, depth, row, leaf);
}

/* The leaves of each tree that ANB_CUTS_ROWS rows reach: cell f of row i is columns[f * ANB_CUTS_ROWS + i], its leaf in
 * tree t leaf[t * ANB_CUTS_ROWS + i]. */
static inline void anb_cuts_descend_rows(const AnbCut *cuts, size_t trees, unsigned depth, const float *columns,
                                         uint8_t *leaf)
{
    anb_cuts_kernels.descend_rows(cuts, trees, depth, columns, leaf);
}

/* The leaf of one tree that each of 64 rows reaches; codes[f * 64 + i] is row i's code of feature f < features. */
static inline void anb_cuts_apply(const AnbCut *cuts, unsigned depth, const uint8_t *codes, size_t features,
                                  uint8_t *leaf)
{
    anb_cuts_kernels.apply(cuts, depth, codes, features, leaf);
}

/* The value as a float within its range; a missing cell stays missing. */
static inline float anb_cuts_value(double x)
{
    return x > FLT_MAX ? FLT_MAX : x < -FLT_MAX ? -FLT_MAX : x == x ? (float)x : (float)ANB_NAN;
}

/* One cell of the doubled row of d features. */
static inline void anb_cuts_cell(float *row, size_t d, size_t j, float x)
{
    row[j] = x == x ? x : INFINITY;
    row[d + j] = x == x ? x : -INFINITY;
}

/* The greatest float that is not above an edge: "x > edge" and "x > that" agree on floats. */
static inline float anb_cuts_threshold(double edge)
{
    float near = anb_cuts_value(edge);
    if (near == 0)
        return near > edge ? -FLT_TRUE_MIN : near;
    /* No branch: the processor would mispredict it for every second edge. */
    int32_t bits, down = near > 0 ? -1 : 1;
    memcpy(&bits, &near, sizeof bits);
    bits += near > edge ? down : 0;
    memcpy(&near, &bits, sizeof near);
    return near;
}

/* A cut that sends all left. */
static inline AnbCut anb_cuts_none(void)
{
    return (AnbCut){.threshold = INFINITY, .code = ANB_FINE_MISSING};
}

/* Shows them; and whether what was read names no feature beyond 2 d - 1. */
static inline void anb_cuts_visit(AnbCut *cuts, size_t n, AnbVisitor *visitor)
{
    static const AnbField members[] = {{ANB_MEMBER(AnbCut, threshold)},
                                       {ANB_MEMBER(AnbCut, feature)},
                                       {ANB_MEMBER(AnbCut, code)},
                                       {ANB_MEMBER(AnbCut, missing_left)},
                                       {0}};
    for (size_t i = 0; i < n; i++) {
        anb_struct_visit(members, &cuts[i], visitor);
        if (!anb_visits_since(visitor, 4)) /* of six bits */
            cuts[i].code = cuts[i].code < ANB_MISSING ? anb_fine(cuts[i].code) : (uint8_t)ANB_FINE_MISSING;
    }
}

static inline bool anb_cuts_valid(const AnbCut *cuts, size_t n, size_t d)
{
    bool fine = true;
    for (size_t i = 0; i < n; i++)
        fine &= cuts[i].feature < 2 * d && cuts[i].missing_left <= 1;
    return fine;
}

#endif
