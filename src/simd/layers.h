/*
 * Dense layers, in doubles, for small networks and feature maps.
 *
 * A layer's weights lie feature by hidden: w[j * stride + u] leads from input j to unit u, so that every loop runs
 * along the units and none needs a sum across lanes. `units` need not be a multiple of eight, nor anything be aligned;
 * a stride that is a multiple of eight on a 64-byte boundary is fastest. Same bits on every instruction set (isa.h).
 * The way back through a layer, dx_j = w_j . delta, is anb_gemv(w, stride, inputs, delta, units, dx) of
 * kernels.h.
 */
#ifndef ANB_SIMD_LAYERS_H
#define ANB_SIMD_LAYERS_H

#include "isa.h"
#include <stddef.h>

typedef struct AnbLayerKernels {
    void (*forward)(const double *w, size_t stride, const double *bias, const double *x, size_t inputs, size_t units,
                    double *out);
} AnbLayerKernels;

ANB_ISA_TABLE(AnbLayerKernels, anb_layer_kernels);

/* Units rounded up to whole blocks of eight. */
static inline size_t anb_layer_width(size_t units)
{
    return (units + 7) / 8 * 8;
}

/* out = bias + sum over j of x[j] w_j, in the order of j; bias NULL: none. */
static inline void anb_layer_forward(const double *w, size_t stride, const double *bias, const double *x, size_t inputs,
                                     size_t units, double *out)
{
    anb_layer_kernels.forward(w, stride, bias, x, inputs, units, out);
}

#endif
