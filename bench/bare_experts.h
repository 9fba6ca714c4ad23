/*
 * Bare experts: the arithmetic of a learner alone, run on plain memory through the library's internal functions, to
 * measure what the rest of the library adds. Nothing is checked or counted; no target is scaled, nothing is clipped,
 * restarted or kept for read-outs.
 */
#ifndef ANB_BENCH_BARE_EXPERTS_H
#define ANB_BENCH_BARE_EXPERTS_H

#include <stdlib.h>
#include <string.h>

typedef struct BareExpert {
    const char *expression, *does;                          /* of the learner it is the bare form of; with a sample */
    void *(*make)(size_t features);                         /* free frees it */
    double (*train)(void *self, const double *x, double y); /* returns the prediction before */
} BareExpert;

extern const BareExpert bare_tree, bare_forest, bare_sgbt, bare_small_sgbt, bare_knn, bare_mlp, bare_deep_mlp;
extern const BareExpert bare_poly, bare_rff;

/* ---- their memory: one piece each, the head and then arrays on 64-byte boundaries -------------------------------- */

static inline void *bare_take(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!memory)
        exit(1);
    memset(memory, 0, bytes);
    return memory;
}

/* The next n doubles of a piece, whole cache lines. */
static inline double *bare_next(double **at, size_t n)
{
    double *here = *at;
    *at += (n + 7) / 8 * 8;
    return here;
}

/* Memory for a head and n doubles behind it; `at` is where those start. The slack is for what next rounds up. */
static inline void *bare_piece(size_t head, size_t n, double **at)
{
    size_t start = (head + 63) / 64 * 64;
    char *memory = bare_take(start + (n + 8 * 32) * sizeof(double));
    *at = (double *)(memory + start);
    return memory;
}

#endif
