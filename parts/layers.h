/*
 * Dense layers and Adam, in doubles, for small networks.
 *
 * A layer's weights lie feature by hidden: w[j * stride + u] leads from input j to unit u, so that every loop runs along
 * the units and none needs a sum across lanes. `units` need not be a multiple of eight, nor anything be aligned; a stride
 * that is a multiple of eight on a 64-byte boundary is fastest. Same bits on every instruction set (isa.h). The way back
 * through a layer, dx_j = w_j . delta, is anb_gate_scores(w, stride, inputs, delta, units, dx) of kernels.h.
 */
#ifndef ANB_PARTS_LAYERS_H
#define ANB_PARTS_LAYERS_H

#include "isa.h"
#include <stddef.h>

typedef struct AnbAdam {
    double pace;       /* rate sqrt(1 - second^t) / (1 - first^t) at step t */
    double first;      /* decay of the mean gradient: 0.9 */
    double second;     /* decay of the mean square: 0.999 */
    double epsilon;    /* added to the root mean square; epsilon sqrt(1 - second^t) where it is to act on the unbiased one */
} AnbAdam;

typedef struct AnbLayerKernels {
    void (*forward)(const double *w, size_t stride, const double *bias, const double *x, size_t inputs, size_t units,
                    double *out);
    void (*gradient)(const double *x, size_t x_stride, const double *delta, size_t delta_stride, size_t samples,
                     size_t inputs, size_t units, double *g, size_t g_stride);
    double (*adam)(double *p, double *m, double *v, const double *g, size_t n, const AnbAdam *how);
} AnbLayerKernels;

ANB_ISA_TABLE(AnbLayerKernels, anb_layer_kernels);

/* out = bias + sum over j of x[j] w_j, in the order of j; bias NULL: none. */
static inline void anb_layer_forward(const double *w, size_t stride, const double *bias, const double *x, size_t inputs,
                                     size_t units, double *out)
{
    anb_layer_kernels.forward(w, stride, bias, x, inputs, units, out);
}

/* g_j = sum over the samples s of x_s[j] delta_s, in their order; what g held is overwritten. With samples = 1 the outer
 * product. The gradient of a bias: x of a single 1 for each sample (x_stride 0, inputs 1). */
static inline void anb_layer_gradient(const double *x, size_t x_stride, const double *delta, size_t delta_stride,
                                      size_t samples, size_t inputs, size_t units, double *g, size_t g_stride)
{
    anb_layer_kernels.gradient(x, x_stride, delta, delta_stride, samples, inputs, units, g, g_stride);
}

/*
 * Adam on n parameters: m <- first m + (1 - first) g, v <- second v + (1 - second) g^2, p -= pace m / (sqrt(v) + epsilon).
 * v is kept at 1e-280 or above, since denormal numbers are slow. Returns 0, or NaN where a parameter is not finite.
 * Cost: a square root and a division a parameter. Kingma & Ba 2015.
 */
static inline double anb_adam(double *p, double *m, double *v, const double *g, size_t n, const AnbAdam *how)
{
    return anb_layer_kernels.adam(p, m, v, g, n, how);
}

#endif
