/*
 * The arithmetic of the router `linear`, in two passes of fixed lanes (isa.h): one over W for the scores, one that
 * updates W and b.
 *
 *     z = W x + b + c     p = softmax(z)     W_i -= g_i x, b -= g with g = step (p - 1{best})
 *     load <- (1 - share) load + share 1{active}     c += balance (target - load)
 *
 * Every array over experts is padded to a multiple of eight, W to a multiple of four rows, and each row to a multiple
 * of eight. The padding is 0 and stays 0. So all loads and stores are of whole vectors, and a load finds what an
 * earlier store wrote in the same size.
 */
#ifndef ANB_ROUTERS_LINEAR_GATE_H
#define ANB_ROUTERS_LINEAR_GATE_H

#include "src/simd/gate_block.h"
#include "src/simd/isa.h"
#include "src/simd/kernels.h"
#include <stddef.h>

/* A view of the gate's numbers in a state; fastest on 64-byte boundaries. */
typedef struct AnbLinearGate {
    size_t k, d, stride;             /* experts, features, doubles from row to row: anb_gate_padded(d) */
    double *bias, *load_bias, *load; /* k, padded */
    double *w;                       /* anb_gate_rows(k) rows */
} AnbLinearGate;

/* The inputs of a learning step of the gate. */
typedef struct AnbGateMove {
    const double *p;    /* probabilities without penalties, padded */
    const double *mark; /* 1 where an expert was active, else 0; padded */
    size_t best;
    double step, share, balance, target;
} AnbGateMove;

typedef struct AnbGateKernels {
    double (*open)(const AnbLinearGate *gate, const double *x, const double *penalty, double *z, double *p);
    double (*move)(const AnbLinearGate *gate, const AnbGateMove *move, const double *x, double *z, double *after,
                   AnbSoftmax *what);
} AnbGateKernels;

ANB_ISA_TABLE(AnbGateKernels, anb_gate_kernels);

static inline size_t anb_gate_rows(size_t k)
{
    return (k + 3) / 4 * 4;
}

/* z, and p = softmax(z + penalty); penalty NULL: none. All over experts, padded. 0, or NaN where p had to be uniform
 * because a logit is not a number or +inf. */
static inline double anb_gate_open(const AnbLinearGate *gate, const double *x, const double *penalty, double *z,
                                   double *p)
{
    return anb_gate_kernels.open(gate, x, penalty, z, p);
}

/* The step; then z of the new gate for the same x, and after = softmax(z). 0, or NaN where a number is not finite. */
static inline double anb_gate_move(const AnbLinearGate *gate, const AnbGateMove *move, const double *x, double *z,
                                   double *after, AnbSoftmax *what)
{
    return anb_gate_kernels.move(gate, move, x, z, after, what);
}

#endif
