/*
 * The hot loops over doubles. One source (kernels_isa.c) compiled once per instruction set and chosen once at start
 * (isa.h); all sets give the same bits: eight lanes, one order of summation, a tail padded by zeros.
 *
 * No array needs an alignment, none may overlap another, n may be 0. What says "0 or NaN" returns 0 where everything
 * that it wrote is finite and something that is not a number elsewhere: test it with `!(r == 0)`, never store it.
 */
#ifndef ANB_SIMD_KERNELS_H
#define ANB_SIMD_KERNELS_H

#include "isa.h"
#include <stddef.h>
#include <stdint.h>

/* What a softmax leaves besides the probabilities: with t = z - top, log of the sum of exp(z) is top + log(sum), and
 * the entropy is log(sum) - mean. */
typedef struct AnbSoftmax {
    double top;  /* the largest logit */
    double sum;  /* of exp(t), at least 1; where a logit is not a number or +inf, p is uniform, sum is k and mean 0 */
    double mean; /* of t under p */
} AnbSoftmax;

typedef struct AnbKernels {
    double (*dot)(const double *a, const double *b, size_t n);
    double (*dot_and_square)(const double *w, const double *x, size_t n, double *square);
    double (*axpy)(double *w, double a, const double *x, size_t n);
    double (*finite)(const double *x, size_t n);
    void (*gate_scores)(const double *w, size_t stride, size_t k, const double *x, size_t d, double *z);
    double (*gate_step)(double *w, size_t stride, size_t k, const double *c, const double *x, size_t d, double *z);
    void (*softmax)(const double *z, size_t k, double *p, AnbSoftmax *what);
    void (*standardize)(const double *x, const double *mean, const double *inv_sd, double clip, size_t n, double *z);
    double (*standardize_within)(const double *x, const double *mean, const double *inv_sd, const double *bound,
                                 const double *reach, double far, double trust, double clip, size_t n, double *z);
    double (*standardize_dot)(const double *x, const double *mean, const double *inv_sd, double clip, const double *w,
                              size_t n, double *z, double *norm);
    double (*raw_weights)(const double *w, const double *mean, const double *inv_sd, size_t n, double *b);
    void (*follow_size)(double *common, const double *z, double up, double down, double least, size_t n);
    double (*moments_update)(double *count, double *mean, double *m2, double *inv_sd, const double *x, double weight,
                             size_t n);
    double (*follow)(double *mean, const double *now, double rate, size_t k);
    double (*entropy)(const double *p, size_t k);
    void (*log1p_all)(double *x, size_t n);
    void (*keep)(const double *x, double bound, const double *inverse, const double *origin, size_t n, float *kept);
    size_t (*positions)(const double *x, size_t n, uint32_t *at, size_t most);
} AnbKernels;

ANB_ISA_TABLE(AnbKernels, anb_kernels);

/* a . b */
static inline double anb_dot(const double *a, const double *b, size_t n)
{
    return anb_kernels.dot(a, b, n);
}

/* w . x, and x . x, with the bits of anb_dot. */
static inline double anb_dot_and_square(const double *w, const double *x, size_t n, double *square)
{
    return anb_kernels.dot_and_square(w, x, n, square);
}

/* w += a x; 0 or NaN. */
static inline double anb_axpy(double *w, double a, const double *x, size_t n)
{
    return anb_kernels.axpy(w, a, x, n);
}

/* 0 where every x is finite, else NaN. */
static inline double anb_nonfinite(const double *x, size_t n)
{
    return anb_kernels.finite(x, n);
}

/* z[i] = W_i . x for k rows of d weights, `stride` doubles apart. */
static inline void anb_gemv(const double *w, size_t stride, size_t k, const double *x, size_t d, double *z)
{
    anb_kernels.gate_scores(w, stride, k, x, d, z);
}

/* W_i -= c[i] x, then z[i] = W_i . x of the new W (the bits of anb_gemv); 0 or NaN. c and z may be the same. */
static inline double anb_rank1_gemv(double *w, size_t stride, size_t k, const double *c, const double *x, size_t d,
                                    double *z)
{
    return anb_kernels.gate_step(w, stride, k, c, x, d, z);
}

/* p = softmax(z) of k >= 1 logits, one far below the largest taken as 700 below; p may be z. */
static inline AnbSoftmax anb_gate_softmax(const double *z, size_t k, double *p)
{
    AnbSoftmax what;
    anb_kernels.softmax(z, k, p, &what);
    return what;
}

/* z = (x - mean) inv_sd, clipped to +-clip; 0 where the cell is missing (NaN). */
static inline void anb_standardize(const double *x, const double *mean, const double *inv_sd, double clip, size_t n,
                                   double *z)
{
    anb_kernels.standardize(x, mean, inv_sd, clip, n, z);
}

/* The same z, and what is asked of it next: returns w . z, and z . z in norm. */
static inline double anb_standardize_dot(const double *x, const double *mean, const double *inv_sd, double clip,
                                         const double *w, size_t n, double *z, double *norm)
{
    return anb_kernels.standardize_dot(x, mean, inv_sd, clip, w, n, z, norm);
}

/* Weights for rows that are not standardised: writes b = w inv_sd and returns b . mean, so that w . z = b . x - b .
 * mean where nothing is clipped. */
static inline double anb_raw_weights(const double *w, const double *mean, const double *inv_sd, size_t n, double *b)
{
    return anb_kernels.raw_weights(w, mean, inv_sd, n, b);
}

/* z = (x - mean) inv_sd, clipped to +-bound of each feature; 0 where it is beyond `far` times the feature's reach, or
 * `trust` times where the bound is above `clip`, or beyond `clip` where the reach is negative, or x is missing. z may
 * be x. Returns 2 where some |z| has reached its bound or `clip`, else 1 where some z is 0, else 0. */
static inline double anb_standardize_within(const double *x, const double *mean, const double *inv_sd,
                                            const double *bound, const double *reach, double far, double trust,
                                            double clip, size_t n, double *z)
{
    return anb_kernels.standardize_within(x, mean, inv_sd, bound, reach, far, trust, clip, n, z);
}

/* A running quantile of |z|: common times `up` where |z| exceeds it, times `down` elsewhere, no less than `least`. */
static inline void anb_follow_size(double *common, const double *z, double up, double down, double least, size_t n)
{
    anb_kernels.follow_size(common, z, up, down, least, n);
}

/*
 * One row into n running moments (Welford): where x is a number, count += weight, mean and m2 (sum of squared
 * deviations) follow, and inv_sd = sqrt(count / m2), 0 where m2 is 0 or the quotient leaves the doubles. Missing cells
 * (NaN) leave their feature as it was. All start at 0; weight > 0. 0 or NaN. inv_sd may be NULL, which saves its
 * division and root.
 */
static inline double anb_moments_update(double *count, double *mean, double *m2, double *inv_sd, const double *x,
                                        double weight, size_t n)
{
    return anb_kernels.moments_update(count, mean, m2, inv_sd, x, weight, n);
}

/* mean += rate (now - mean) for k >= 1 running means, both arrays with room for whole blocks of eight, where anything
 * may stand; returns the least of them. */
static inline double anb_ewma_all(double *mean, const double *now, double rate, size_t k)
{
    return anb_kernels.follow(mean, now, rate, k);
}

/* -sum p log p over k probabilities, in their order; terms with p <= 1e-15 are left out. */
static inline double anb_entropy(const double *p, size_t k)
{
    return anb_kernels.entropy(p, k);
}

/* x = log(1 + x) for 0 <= x < infinity: the bits of anb_log1p. */
static inline void anb_log1p_all(double *x, size_t n)
{
    anb_kernels.log1p_all(x, n);
}

/* kept = x / inverse + origin, x clipped to +-bound first; x is a number. */
static inline void anb_keep_cells(const double *x, double bound, const double *inverse, const double *origin, size_t n,
                                  float *kept)
{
    anb_kernels.keep(x, bound, inverse, origin, n, kept);
}

/* Where x is not +0, ascending; how many, or most + 1 where there are more than `most`. `at` has room for most + 17,
 * where anything may stand behind them; n is below 2^32. */
static inline size_t anb_positions(const double *x, size_t n, uint32_t *at, size_t most)
{
    return anb_kernels.positions(x, n, at, most);
}

#endif
