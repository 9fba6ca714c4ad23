/* Streams whose truth is known, row by row. */
#ifndef ANB_CLI_STREAMS_H
#define ANB_CLI_STREAMS_H

#include <gsl/gsl_rng.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct StreamPlace {
    const char *drift; /* the kind of drift */
    double at;         /* the share of the stream that is behind, in [0, 1) */
    uint64_t row;      /* from 0 */
} StreamPlace;

typedef struct Stream {
    const char *name;
    const char *drifts;              /* the kinds it knows, for messages */
    int (*start)(const char *drift); /* 0, or 1 where it does not know the drift; state is as new */
    void (*header)(FILE *file);
    void (*row)(FILE *file, const StreamPlace *place, gsl_rng *rng);
} Stream;

extern const Stream stream_friedman, stream_hyperplane, stream_mv, stream_planes, stream_sensors;

double stream_normal(gsl_rng *rng);
/* Rounds to four decimals. */
double stream_round(double value);
/* The number and what stands behind it. */
void stream_put(FILE *file, double value, const char *behind);

#endif
