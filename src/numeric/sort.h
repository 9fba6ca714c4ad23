/* Sorting a few numbers in place. */
#ifndef ANB_NUMERIC_SORT_H
#define ANB_NUMERIC_SORT_H

#include <stddef.h>

/* In ascending order by insertion: n^2 / 4 moves, for up to some dozens of values without NaN. */
static inline void anb_sort_few(double *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        double moved = v[i];
        size_t at = i;
        for (; at > 0 && v[at - 1] > moved; at--)
            v[at] = v[at - 1];
        v[at] = moved;
    }
}

#endif
