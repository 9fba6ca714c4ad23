/* What damage costs an expression, as the robustness benchmark measures it. */
#ifndef ANB_BENCH_ROBUST_H
#define ANB_BENCH_ROBUST_H

#include "damage.h"
#include <stdio.h>

enum { DAMAGES_MAX = 16 };

/* One expression on one stream from one seed: RMSE over the clean rows from `from` percent of the stream on. */
typedef struct Harm {
    double clean[DAMAGES_MAX], dirty[DAMAGES_MAX], oracle[DAMAGES_MAX]; /* oracle: 0 where it was not run */
    bool done[DAMAGES_MAX];
} Harm;

typedef struct Robust {
    const char *const *expressions;
    size_t n_expressions, n_streams, n_seeds, from;
    char (*streams)[64];
    bool wanted[DAMAGES_MAX], oracle;
    const Harm *harm; /* stream by stream, expression by expression, seed by seed */
} Robust;

/* False where there is no such format. */
bool robust_report(const Robust *robust, const char *format, FILE *out);

#endif
