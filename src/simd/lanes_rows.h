/* Products of one vector with several rows at once, for files compiled once per instruction set. */
#ifndef ANB_SIMD_LANES_ROWS_H
#define ANB_SIMD_LANES_ROWS_H

#include "lanes_few.h"
#include <stdbool.h>

/* One part of each of four rows. */
typedef struct LanesFour {
    LanesPart a, b, c, d;
} LanesFour;

LANES_INLINE LanesFour lanes_four_sum(LanesFour l, LanesFour r)
{
    return (LanesFour){l.a + r.a, l.b + r.b, l.c + r.c, l.d + r.d};
}

/* Adds w times what starts at x in each of four rows. */
LANES_INLINE void lanes_four_add(LanesFour *sum, LanesPart w, const double *x, size_t stride)
{
    sum->a += w * lanes_part_load(x);
    sum->b += w * lanes_part_load(x + stride);
    sum->c += w * lanes_part_load(x + 2 * stride);
    sum->d += w * lanes_part_load(x + 3 * stride);
}

/*
 * Dot products of w with four rows, `stride` apart, each with the bits of lanes_dot; `whole`: a tail counts as the
 * whole block that it starts, w being padded by zeros. One lane number of all rows after the other, so that the sums
 * stay in registers.
 */
LANES_INLINE void lanes_dot4(const double *w, const double *x, size_t stride, size_t n, const bool whole, double *out)
{
    const size_t pairs = n / (2 * LANES) * (2 * LANES), left = n % LANES, tail = n - left;
    const bool one = tail > pairs;
    Lanes a, b, c, d;
#define LANES_OP(p, at)                                                                                                \
    {                                                                                                                  \
        LanesFour even = {{0}, {0}, {0}, {0}}, odd = {{0}, {0}, {0}, {0}};                                             \
        for (size_t i = at; i < pairs; i += 2 * LANES) {                                                               \
            lanes_four_add(&even, lanes_part_load(w + i), x + i, stride);                                              \
            lanes_four_add(&odd, lanes_part_load(w + i + LANES), x + i + LANES, stride);                               \
        }                                                                                                              \
        if (one)                                                                                                       \
            lanes_four_add(&even, lanes_part_load(w + pairs + at), x + pairs + at, stride);                            \
        if (left > 0) {                                                                                                \
            const LanesPart v = lanes_load_tail(w + tail, left).p;                                                     \
            LanesFour more = {v * lanes_load_tail(x + tail, left).p, v * lanes_load_tail(x + stride + tail, left).p,   \
                              v * lanes_load_tail(x + 2 * stride + tail, left).p,                                      \
                              v * lanes_load_tail(x + 3 * stride + tail, left).p};                                     \
            if (whole && !one)                                                                                         \
                even = lanes_four_sum(even, more);                                                                     \
            else                                                                                                       \
                odd = lanes_four_sum(odd, more);                                                                       \
        }                                                                                                              \
        even = lanes_four_sum(even, odd);                                                                              \
        a.p = even.a;                                                                                                  \
        b.p = even.b;                                                                                                  \
        c.p = even.c;                                                                                                  \
        d.p = even.d;                                                                                                  \
    }
    LANES_EACH (LANES_OP)
#undef LANES_OP
        lanes_store_half(out, lanes_sum4(a, b, c, d));
}

/* Products of eight rows of up to 16 cells with the blocks `low` and `high`, and `more`; behind row `last` that one
 * again. */
LANES_INLINE Lanes lanes_affine_eight(Lanes low, Lanes high, Lanes more, const double *x, size_t stride,
                                      const size_t last, size_t n)
{
    Lanes p[LANES];
    for (size_t r = 0; r < LANES; r++)
        p[r] = lanes_short_product(low, high, x + (r < last ? r : last) * stride, n);
    return lanes_add(lanes_sum8(p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7]), more);
}

LANES_INLINE void lanes_affine_eights(Lanes low, Lanes high, Lanes more, const double *x, size_t stride, size_t n_rows,
                                      size_t n, double *out)
{
    size_t i = 0;
    for (; i + LANES <= n_rows; i += LANES, x += LANES * stride)
        lanes_store(out + i, lanes_affine_eight(low, high, more, x, stride, LANES - 1, n));
    if (i < n_rows)
        lanes_store_tail(out + i, lanes_affine_eight(low, high, more, x, stride, n_rows - i - 1, n), n_rows - i);
}

/* w . x + b of rows of up to 16 cells, w padded by zeros: with the bits of lanes_dot, whose 0 in front of each product
 * few_constant stands for. What n decides is decided once for all rows. */
LANES_INLINE void lanes_affine_short(const double *w, double b, const double *x, size_t stride, size_t n_rows, size_t n,
                                     double *out)
{
    const Lanes low = lanes_load(w), high = n > LANES ? lanes_load(w + LANES) : low, more = lanes_all(few_constant(b));
    if (n == LANES)
        lanes_affine_eights(low, high, more, x, stride, n_rows, LANES, out);
    else if (n < LANES)
        lanes_affine_eights(low, high, more, x, stride, n_rows, n % LANES, out);
    else if (n == 2 * LANES)
        lanes_affine_eights(low, high, more, x, stride, n_rows, 2 * LANES, out);
    else
        lanes_affine_eights(low, high, more, x, stride, n_rows, LANES + 1 + (n - LANES - 1) % (LANES - 1), out);
}

/* The same of any width. Whole groups of four; the last one may share rows with the one before. */
LANES_INLINE void lanes_affine_long(const double *w, double b, const double *x, size_t stride, size_t n_rows, size_t n,
                                    const bool whole, double *out)
{
    for (size_t i = 0; i + 4 <= n_rows; i += 4)
        lanes_dot4(w, x + i * stride, stride, n, whole, out + i);
    size_t last = n_rows - n_rows % 4;
    if (last < n_rows && n_rows > 4)
        lanes_dot4(w, x + (n_rows - 4) * stride, stride, n, whole, out + n_rows - 4);
    else
        for (size_t i = last; i < n_rows; i++) {
            double four[4];
            lanes_dot4(w, x + i * stride, 0, n, whole, four);
            out[i] = four[0];
        }
    for (size_t i = 0; i < n_rows; i++)
        out[i] += b;
}

/* Dot products of w with n_rows rows, plus b: the bits of lanes_dot, or as lanes_dot4 has them. */
LANES_INLINE void lanes_affine_rows(const double *w, double b, const double *x, size_t stride, size_t n_rows, size_t n,
                                    const bool whole, double *out)
{
    if (n <= 2 * LANES)
        lanes_affine_short(w, b, x, stride, n_rows, n, out);
    else
        lanes_affine_long(w, b, x, stride, n_rows, n, whole, out);
}

#endif
