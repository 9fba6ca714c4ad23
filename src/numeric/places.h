/*
 * How a layout function puts arrays behind each other in one piece of memory, each on a 64-byte boundary. Run from base
 * 0 it gives the size.
 *
 *     size_t end = 0;
 *     view->leaf = anb_place_in(base, &end, leaves * sizeof *view->leaf);
 *     view->code = anb_place_in(base, &end, rows);
 *     return end;
 */
#ifndef ANB_NUMERIC_PLACES_H
#define ANB_NUMERIC_PLACES_H

#include <stddef.h>
#include <stdint.h>

/* Reserves `bytes`: returns where they start, and moves `end` behind them, rounded up to 64. */
static inline size_t anb_place(size_t *end, size_t bytes)
{
    size_t at = *end;
    *end += (bytes + 63) / 64 * 64;
    return at;
}

static inline void *anb_place_in(uintptr_t base, size_t *end, size_t bytes)
{
    return (void *)(base + anb_place(end, bytes));
}

#endif
