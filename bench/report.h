/* What the accuracy benchmark found, as text, CSV or JSON. */
#ifndef ANB_BENCH_REPORT_H
#define ANB_BENCH_REPORT_H

#include "streams.h"
#include <stdio.h>

/* One expression on one stream from one seed. */
typedef struct Result {
    double rmse, mae, second, r2, us; /* second: RMSE of the second half */
    size_t n, d;
    bool done;
} Result;

typedef struct Bench {
    const char *const *expressions;
    size_t n_expressions, n_streams, n_seeds;
    char (*streams)[64];
    bool has_peer[STREAMS_MAX];
    Peer peers[STREAMS_MAX];
    const Result *results; /* stream by stream, expression by expression, seed by seed */
} Bench;

/* False where there is no such format. */
bool report(const Bench *bench, const char *format, FILE *out);

#endif
