/*
 * Bare kernels to compare the public way with: the same arithmetic on flat arrays, nothing checked, nothing reported.
 * Compiled once per instruction set like the library's own (src/simd/isa.h).
 */
#ifndef ANB_BENCH_BARE_H
#define ANB_BENCH_BARE_H

#include <stddef.h>

enum { BARE_K = 4 };

/* A linear model by gradient descent: rate .01, no step beyond 1 / (1 + |x|^2). */
typedef struct BareLinear {
    size_t d;
    double b, *w;
} BareLinear;

/* Four linear models behind the linear router, top_k 2, with utilization, load and entropy kept. */
typedef struct BareMixture {
    size_t d;
    double prediction, entropy;
    double *experts, *gate; /* 4 rows of d, `stride` apart */
    size_t stride;
    double intercept[BARE_K], rate[BARE_K], bias[BARE_K], load_bias[BARE_K];
    double load[BARE_K], utilization[BARE_K], p[BARE_K];
    size_t trained[BARE_K];
} BareMixture;

typedef struct BareKernels {
    double (*linear_predict)(const BareLinear *m, const double *x);
    double (*linear_train)(BareLinear *m, const double *x, double y);
    double (*mixture_predict)(BareMixture *m, const double *x);
    double (*mixture_train)(BareMixture *m, const double *x, double y);
} BareKernels;

extern const BareKernels bare_baseline, bare_v3, bare_v4;

#endif
