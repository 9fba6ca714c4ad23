/*
 * The loops of networks and of random features that layers.h does not have: activations, cosines, and a step of Adam or
 * of plain descent that sums the gradient, moves the weights and averages them in one pass. Compiled once per instruction
 * set and chosen at start (isa.h); all sets give the same bits.
 *
 * Matrices are rows of `width` doubles, width a multiple of 8, one row a feature and a last one for the constant; what
 * is beyond the units in use is 0 and stays 0.
 */
#ifndef ANB_PARTS_NETWORK_H
#define ANB_PARTS_NETWORK_H

#include "isa.h"
#include <stddef.h>

enum { ANB_NETWORK_LANES = 8 };

/* `n` rounded up to whole lanes. */
static inline size_t anb_network_width(size_t n)
{
    return (n + ANB_NETWORK_LANES - 1) / ANB_NETWORK_LANES * ANB_NETWORK_LANES;
}

/* One step of Adam. */
typedef struct AnbNetworkPace {
    double rate;                     /* step size, bias corrections not in it */
    double momentum, decay;          /* discounts of the mean gradient and of the mean squared one */
    double mean_scale, square_scale; /* 1/(1 - momentum^t), 1/(1 - decay^t); 1 for plain descent */
    double average;                  /* share of the new weights in the averaged ones */
} AnbNetworkPace;

/* Parameters of one matrix, side by side; all of rows x width. */
typedef struct AnbNetworkRows {
    double *value, *averaged, *square, *mean; /* mean: NULL where momentum is 0; square: NULL for plain descent */
} AnbNetworkRows;

typedef struct AnbNetworkKernels {
    void (*cosine)(double *turns, size_t n, double scale);
    void (*leaky)(double *value, double *slope, size_t n, double leak);
    void (*gates)(const double *gate, const double *up, size_t n, double steep, double cubic, double *value,
                  double *by_gate, double *by_up);
    void (*scaled_product)(double *out, double a, const double *x, const double *y, size_t n);
    void (*adam)(AnbNetworkRows w, size_t rows, size_t width, const double *x, size_t x_stride, const double *g,
                 size_t g_stride, size_t samples, const AnbNetworkPace *step);
    void (*descent)(AnbNetworkRows w, size_t rows, size_t width, const double *x, size_t x_stride, const double *g,
                    size_t g_stride, size_t samples, const AnbNetworkPace *step);
} AnbNetworkKernels;

ANB_ISA_TABLE(AnbNetworkKernels, anb_network_kernels);

/* turns[i] = scale cos(2 pi turns[i]); arguments beyond +-2^50 are bounded to that. */
static inline void anb_cosine(double *turns, size_t n, double scale)
{
    anb_network_kernels.cosine(turns, n, scale);
}

/* value = v > 0 ? v : leak v; slope = its derivative. n a multiple of 8. */
static inline void anb_leaky(double *value, double *slope, size_t n, double leak)
{
    anb_network_kernels.leaky(value, slope, n, leak);
}

/*
 * value = g s(u) up with s(u) = 1/(1 + e^-u), u = steep (g + cubic g^3), and its derivatives by g and by `up`; without
 * `up` it is g s(u), and by_up is not written. n a multiple of 8. steep 1, cubic 0: silu. steep 2 sqrt(2/pi), cubic
 * 0.044715: gelu.
 */
static inline void anb_gates(const double *gate, const double *up, size_t n, double steep, double cubic, double *value,
                             double *by_gate, double *by_up)
{
    anb_network_kernels.gates(gate, up, n, steep, cubic, value, by_gate, by_up);
}

/* out = a x y, element by element; n a multiple of 8. */
static inline void anb_scaled_product(double *out, double a, const double *x, const double *y, size_t n)
{
    anb_network_kernels.scaled_product(out, a, x, y, n);
}

/* A step against the gradient G[j][h] = sum over samples s of x[s][j] g[s][h], by Adam or as it is; then the average. */
static inline void anb_network_move(AnbNetworkRows w, size_t rows, size_t width, const double *x, size_t x_stride,
                                  const double *g, size_t g_stride, size_t samples, const AnbNetworkPace *step)
{
    (w.square ? anb_network_kernels.adam : anb_network_kernels.descent)(w, rows, width, x, x_stride, g, g_stride, samples, step);
}

#endif
