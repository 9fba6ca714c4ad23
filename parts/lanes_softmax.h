/* Softmax over lanes, for the files that are compiled once per instruction set. */
#ifndef ANB_PARTS_LANES_SOFTMAX_H
#define ANB_PARTS_LANES_SOFTMAX_H

#include "kernels.h"
#include "lanes_math.h"

/* 0, 1, ... 7. */
LANES_INLINE Lanes lanes_index(void)
{
    static const double index[LANES] = {0, 1, 2, 3, 4, 5, 6, 7};
    return lanes_load(index);
}

typedef struct LanesSoftmax {
    double top;
    Lanes sum, mean;
} LanesSoftmax;

LANES_INLINE LanesSoftmax lanes_softmax_start(const double *z, size_t k)
{
    LanesSoftmax s = {z[0], lanes_zero(), lanes_zero()};
    for (size_t i = 1; i < k; i++)
        s.top = z[i] > s.top ? z[i] : s.top;
    return s;
}

/* exp(t) with t = z - top of the first n <= 8 logits, 0 behind them; adds it to the sum, and it times t to the mean. */
LANES_INLINE Lanes lanes_softmax_add(LanesSoftmax *s, Lanes z, size_t n)
{
    const Lanes least = lanes_all(-746);
    Lanes t = lanes_sub(z, lanes_all(s->top));
    t = lanes_where_above(least, t, least, t);
    Lanes e = lanes_where_above(lanes_all((double)n), lanes_index(), lanes_exp(t), lanes_zero());
    s->sum = lanes_add(s->sum, e);
    s->mean = lanes_add(s->mean, lanes_mul(e, t));
    return e;
}

/* What it came to; *part is what each exponential is to be multiplied by, and 0 where that is of no use: then all are
 * 1 / k. */
LANES_INLINE AnbSoftmax lanes_softmax_end(const LanesSoftmax *s, size_t k, double *part)
{
    double sum = lanes_sum(s->sum);
    bool usable = sum >= 1;
    *part = usable ? 1 / sum : 0;
    return (AnbSoftmax){s->top, usable ? sum : (double)k, usable ? lanes_sum(s->mean) * *part : 0};
}

#endif
