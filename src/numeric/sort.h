/* Sorting numbers in place. */
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

/* In ascending order by Shell's sort with the gaps of Ciura 2001: no recursion, no memory, the same steps everywhere.
 * For values without NaN. */
static inline void anb_sort(double *v, size_t n)
{
    static const size_t gaps[] = {1577, 701, 301, 132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof *gaps; g++)
        for (size_t i = gaps[g]; i < n; i++) {
            double moved = v[i];
            size_t at = i;
            for (; at >= gaps[g] && v[at - gaps[g]] > moved; at -= gaps[g])
                v[at] = v[at - gaps[g]];
            v[at] = moved;
        }
}

#endif
