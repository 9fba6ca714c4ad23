/* A prediction of an RLS that leaves nothing for an update; for files compiled once per instruction set. */
#ifndef ANB_NUMERIC_RLS_LOOK_H
#define ANB_NUMERIC_RLS_LOOK_H

#include "src/simd/lanes_few.h"
#include "rls.h"

/* w . x + w0 as predict sums it: the tail counts as the whole block that it starts. */
LANES_INLINE double anb_rls_look(const double *state, const double *x, size_t n)
{
    const double *w = anb_rls_weights(state, n);
    if (__builtin_expect(n <= 2 * LANES, 1))
        return lanes_short_affine(w, anb_rls_head_const(state)->w0, x, n);
    Lanes even = lanes_zero(), odd = lanes_zero(), tail;
    size_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        even = lanes_add(even, lanes_mul(lanes_load(w + i), lanes_load(x + i)));
        odd = lanes_add(odd, lanes_mul(lanes_load(w + i + LANES), lanes_load(x + i + LANES)));
    }
    const bool whole = n - i >= LANES;
    if (whole) {
        even = lanes_add(even, lanes_mul(lanes_load(w + i), lanes_load(x + i)));
        i += LANES;
    }
    if (i < n) {
        tail = lanes_mul(lanes_load(w + i), lanes_load_tail(x + i, n - i));
        if (whole)
            odd = lanes_add(odd, tail);
        else
            even = lanes_add(even, tail);
    }
    return lanes_sum(lanes_add(even, odd)) + anb_rls_head_const(state)->w0;
}

#endif
