/* Softmax over lanes, for the files that are compiled once per instruction set. */
#ifndef ANB_SIMD_LANES_SOFTMAX_H
#define ANB_SIMD_LANES_SOFTMAX_H

#include "kernels.h"
#include "lanes_math.h"

/* 0, 1, ... 7. */
LANES_INLINE Lanes lanes_index(void)
{
    static const double index[LANES] = {0, 1, 2, 3, 4, 5, 6, 7};
    return lanes_load(index);
}

/* The first n, `rest` behind them. */
LANES_INLINE Lanes lanes_first(Lanes l, size_t n, double rest)
{
    return lanes_where_above(lanes_all((double)n), lanes_index(), l, lanes_all(rest));
}

/* The first n logits, and behind them what adds nothing to a sum. */
LANES_INLINE Lanes lanes_logits(Lanes z, size_t n)
{
    return lanes_first(z, n, -__builtin_inf());
}

/* Up to four logits are computed in the first four lanes, in fewer steps; the other lanes hold anything then. */
enum { LANES_FEW = 4 };

LANES_INLINE double lanes_highest(Lanes z, size_t k)
{
    return k <= LANES_FEW ? lanes_top4(z) : lanes_top(z);
}

LANES_INLINE double lanes_total(Lanes l, size_t k)
{
    return k <= LANES_FEW ? lanes_sum_of4(l) : lanes_sum(l);
}

typedef struct LanesSoftmax {
    double top;
    Lanes sum, mean;
} LanesSoftmax;

/* exp(t) with t = z - top of eight logits; adds it to the sum, and it times t to the mean. A logit far below counts as
 * 700 below: denormal numbers are slow. */
LANES_INLINE Lanes lanes_softmax_add(LanesSoftmax *s, Lanes z)
{
    Lanes t = lanes_max(lanes_all(-700), lanes_sub(z, lanes_all(s->top))), e = lanes_exp(t);
    s->sum = lanes_add(s->sum, e);
    s->mean = lanes_add(s->mean, lanes_mul(e, t));
    return e;
}

/* What it came to; *part is what each exponential is to be multiplied by, and 0 where that is of no use: then all are
 * 1 / k. */
LANES_INLINE AnbSoftmax lanes_softmax_end(const LanesSoftmax *s, size_t k, double *part)
{
    double sum = lanes_total(s->sum, k);
    bool usable = sum >= 1;
    *part = usable ? 1 / sum : 0;
    return (AnbSoftmax){s->top, usable ? sum : (double)k, usable ? lanes_total(s->mean, k) * *part : 0};
}

#endif
