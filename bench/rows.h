/* Rows for measuring: uniform features, and a linear target with noise that no model can learn by heart. */
#ifndef ANB_BENCH_ROWS_H
#define ANB_BENCH_ROWS_H

#include "random.h"
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_CELLS = 4096, ROWS_NOISES = 1021 }; /* that many cells fit a first-level cache */

typedef struct Rows {
    size_t d, n, next; /* n a power of two where d and the cells are */
    double *x, *base, noise[ROWS_NOISES];
} Rows;

static inline double rows_uniform(uint64_t *seed)
{
    return 2 * unit_of(seed) - 1;
}

/* Zeroed, on a cache line. */
static inline void *rows_take(size_t doubles)
{
    size_t bytes = (doubles * sizeof(double) + 63) / 64 * 64 + 64;
    void *memory = aligned_alloc(64, bytes);
    if (!memory)
        exit(1);
    return memset(memory, 0, bytes);
}

/* As many rows as `cells` hold. */
static inline Rows rows_of(size_t d, size_t cells)
{
    uint64_t seed = 1;
    Rows rows = {.d = d, .n = cells / d, .x = rows_take(cells), .base = rows_take(cells / d)};
    for (size_t i = 0; i < rows.n; i++) {
        rows.base[i] = 1;
        for (size_t j = 0; j < d; j++) {
            rows.x[i * d + j] = rows_uniform(&seed) / (double)(d < 16 ? 1 : d / 8);
            rows.base[i] += rows.x[i * d + j] * (double)(j % 3);
        }
    }
    for (size_t i = 0; i < ROWS_NOISES; i++)
        rows.noise[i] = .1 * rows_uniform(&seed);
    return rows;
}

static inline void rows_free(Rows *rows)
{
    free(rows->x);
    free(rows->base);
}

/* The next row; its target goes to y. */
static inline const double *rows_next(Rows *rows, double *y)
{
    size_t i = rows->next++, r = i & (rows->n - 1);
    *y = rows->base[r] + rows->noise[i % ROWS_NOISES];
    return rows->x + r * rows->d;
}

#endif
