/* Where the parts of the state of an RLS lie, for code that works on all of P at once; rls.h has the layout. `weights`
 * and `intercept_row` are for any number of features, the others for more than eight. */
#ifndef ANB_NUMERIC_RLS_TILES_H
#define ANB_NUMERIC_RLS_TILES_H

#include "rls.h"

enum { TILE = 8, ROWS = 4 }; /* columns of a tile; rows of a panel */

static inline double *weights(size_t n, double *state)
{
    return state + anb_rls_weights_at(n);
}

static inline double *intercept_row(size_t n, double *state)
{
    return weights(n, state) + anb_rls_padded(n);
}

static inline double *due(size_t n, double *state)
{
    return state + ANB_RLS_HEAD + 2 * anb_rls_padded(n);
}

static inline double *diagonal(size_t n, double *state)
{
    return state + ANB_RLS_HEAD + 3 * anb_rls_padded(n);
}

static inline double *tiles(size_t n, double *state)
{
    return state + ANB_RLS_HEAD + 4 * anb_rls_padded(n);
}

/* Doubles of the first `panels` panels. */
static inline size_t panels_size(size_t n, size_t panels)
{
    size_t blocks = anb_rls_padded(n) / TILE, pairs = panels / 2;
    size_t parts = pairs * (2 * blocks - pairs + 1); /* both panels of block i have blocks - i parts */
    if (panels % 2)
        parts += blocks - pairs;
    return parts * ROWS * TILE;
}

/* Eight entries of row i, from column 8 * block; block >= i / 8. Those of the next block are ROWS * TILE further on. */
static inline double *row_part(size_t n, double *state, size_t i, size_t block)
{
    size_t panel = i / ROWS;
    return tiles(n, state) + panels_size(n, panel) + (block - i / TILE) * ROWS * TILE + i % ROWS * TILE;
}

typedef struct AnbRlsWholeKernels {
    void (*settle)(double *state, size_t n);
    double (*reframe)(const AnbRls *rls, double *state, const double *alpha, const double *beta);
} AnbRlsWholeKernels;

ANB_ISA_TABLE(AnbRlsWholeKernels, anb_rls_whole_kernels);

#endif
