/* Networks: the outputs of rows that stand one to a lane, the same code for doubles and floats. Nothing is summed
 * across lanes but at the end, and weights are read one by one. */
#ifndef ANB_NUMERIC_NETWORK_COLUMNS_H
#define ANB_NUMERIC_NETWORK_COLUMNS_H

#include "network_lanes.h"

enum { UNITS = LANES_BYTES / 8 }; /* computed together: their sums fit into the registers */

/* The products of weights and units that lanes_dot adds to each lane of its even blocks, and to each of its
 * odd ones. */
typedef struct Shares {
    Lanes of[2 * LANES];
} Shares;

/* The constant and the products of `features` cells, of UNITS units. */
LANES_INLINE void sum_columns(const AnbNetwork *n, const Cell *w, const Cell *x, size_t pitch, Lanes unit[UNITS])
{
    for (size_t u = 0; u < UNITS; u++)
        unit[u] = lanes_all(w[n->features * n->width + u]);
    for (size_t j = 0; j < n->features; j++, w += n->width, x += pitch) {
        Lanes cell = lanes_load(x);
        for (size_t u = 0; u < UNITS; u++)
            unit[u] = lanes_add(unit[u], lanes_mul(lanes_all(w[u]), cell));
    }
}

/* UNITS units from `at` on. A rectified unit is the larger of u and low u. */
LANES_INLINE void add_units(const AnbNetwork *n, const Kind kind, const Cell *w, const Cell *x, size_t pitch, size_t at,
                            Shares *sum)
{
    const Lanes low = leak_of(n);
    const Curve curve = curve_of(n);
    const Cell *v = w + anb_network_output(n) + at;
    Lanes unit[UNITS], up[UNITS], *to = sum->of + at % (2 * LANES);
    sum_columns(n, w + at, x, pitch, unit);
    if (kind == GATED)
        sum_columns(n, w + (n->features + 1) * n->width + at, x, pitch, up);
    for (size_t u = 0; u < UNITS; u++) {
        Lanes value = kind == RECTIFIED ? lanes_max(lanes_mul(low, unit[u]), unit[u])
                      : kind == HARD    ? hard_block(unit[u]).value
                      : kind == SMOOTH  ? smooth_block(curve, unit[u]).value
                                        : gated_block(curve, unit[u], up[u]).value;
        to[u] = lanes_add(to[u], lanes_mul(lanes_all(v[u]), value));
    }
}

/* Adds the second half of the shares to the first. */
LANES_INLINE void fold(Lanes *of, const size_t half)
{
    for (size_t l = 0; l < half; l++)
        of[l] = lanes_add(of[l], of[l + half]);
}

/* The sum of the shares, in the order of lanes_dot. Each half is a constant, so that no loop is left. */
LANES_INLINE Lanes sum_of_shares(const AnbNetwork *n, const Cell *w, Shares *sum)
{
    Lanes *of = sum->of, *first = of + n->width % (2 * LANES);
    *first = lanes_add(*first, lanes_all(w[anb_network_output(n) + n->width]));
    fold(of, LANES);
    fold(of, LANES / 2);
    fold(of, LANES / 4);
    fold(of, LANES / 8);
    fold(of, LANES / 16);
    return of[0];
}

LANES_INLINE void columns_of(const AnbNetwork *n, const Kind kind, const void *w, const void *columns, size_t pitch,
                             size_t rows, double *out)
{
    for (size_t i = 0; i < rows; i += LANES) {
        Shares sum;
        Cell f[LANES];
        for (size_t l = 0; l < 2 * LANES; l++)
            sum.of[l] = lanes_zero();
        for (size_t at = 0; at < n->hidden; at += UNITS)
            add_units(n, kind, w, (const Cell *)columns + i, pitch, at, &sum);
        lanes_store(f, sum_of_shares(n, w, &sum));
        for (size_t r = 0; r < LANES && i + r < rows; r++)
            out[i + r] = (double)f[r];
    }
}

static void forward_columns(const AnbNetwork *n, const void *w, const void *columns, size_t pitch, size_t rows,
                            double *out)
{
    BY_KIND(columns_of, n, w, columns, pitch, rows, out);
}

static void take_columns(const double *columns, size_t n, double bound, void *cells)
{
    Cell *out = cells;
    for (size_t i = 0; i < n; i += LANES)
        lanes_store(out + i, small_to_zero(within(lanes_load_doubles(columns + i, LANES), (Cell)bound)));
}

#endif
