/* The loop of anb_moments_update (kernels.h) over lanes, for files compiled once per instruction set. */
#ifndef ANB_SIMD_LANES_MOMENTS_H
#define ANB_SIMD_LANES_MOMENTS_H

#include "lanes_softmax.h"

typedef struct LanesMoments {
    Lanes count, mean, m2;
} LanesMoments;

/* Carried from block to block of a row: the last count and share = weight / count, which is the same for most features,
 * so that most blocks need no division; sick: NaN where some moment is not finite. */
typedef struct LanesAlong {
    Lanes weight, count, share, sick;
} LanesAlong;

/* sqrt(count / m2), 0 where that is no number. */
LANES_INLINE Lanes lanes_inverse_of(Lanes count, Lanes m2)
{
    const Lanes zero = lanes_zero(), unbounded = lanes_all(1.7976931348623157e308);
    Lanes square = lanes_div(count, m2), root = lanes_where_above(m2, zero, lanes_sqrt(square), zero);
    return lanes_where_above(square, unbounded, zero, root);
}

/* Eight features, but for inv_sd. */
LANES_INLINE LanesMoments lanes_moments_step(LanesMoments old, Lanes x, LanesAlong *along)
{
    LanesMoments new = old;
    Lanes off = lanes_sub(x, old.mean);
    new.count = lanes_add(old.count, along->weight);
    if (!lanes_same(new.count, along->count)) {
        along->count = new.count;
        along->share = lanes_div(along->weight, new.count);
    }
    new.mean = lanes_add(old.mean, lanes_mul(off, along->share));
    new.m2 = lanes_add(old.m2, lanes_mul(lanes_mul(along->weight, off), lanes_sub(x, new.mean)));
    new.count = lanes_where_number(x, new.count, old.count);
    new.mean = lanes_where_number(x, new.mean, old.mean);
    new.m2 = lanes_where_number(x, new.m2, old.m2);
    Lanes written = lanes_add(new.count, lanes_add(new.mean, new.m2));
    along->sick = lanes_or(along->sick, lanes_sub(written, written));
    return new;
}

LANES_INLINE double lanes_moments_all(double *count, double *mean, double *m2, double *inv_sd, const double *x,
                                      double weight, size_t n, int spreads)
{
    LanesAlong along = {lanes_all(weight), lanes_zero(), lanes_zero(), lanes_zero()};
    const double first = n > 0 ? count[0] : 0; /* beyond the end, so that no other count asks for a division */
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        LanesMoments m = {lanes_load(count + i), lanes_load(mean + i), lanes_load(m2 + i)};
        Lanes v = lanes_load(x + i);
        m = lanes_moments_step(m, v, &along);
        lanes_store(count + i, m.count);
        lanes_store(mean + i, m.mean);
        lanes_store(m2 + i, m.m2);
        if (spreads)
            lanes_store(inv_sd + i, lanes_where_number(v, lanes_inverse_of(m.count, m.m2), lanes_load(inv_sd + i)));
    }
    if (i < n) {
        size_t left = n - i;
        LanesMoments m = {lanes_first(lanes_load_tail(count + i, left), left, first), lanes_load_tail(mean + i, left),
                          lanes_load_tail(m2 + i, left)};
        Lanes v = lanes_load_tail(x + i, left);
        m = lanes_moments_step(m, v, &along);
        lanes_store_tail(count + i, m.count, left);
        lanes_store_tail(mean + i, m.mean, left);
        lanes_store_tail(m2 + i, m.m2, left);
        if (spreads)
            lanes_store_tail(inv_sd + i,
                             lanes_where_number(v, lanes_inverse_of(m.count, m.m2), lanes_load_tail(inv_sd + i, left)),
                             left);
    }
    return lanes_sum(along.sick);
}

#endif
