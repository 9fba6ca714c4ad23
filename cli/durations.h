/* How long requests took, as a histogram a path, for Prometheus. Any thread adds. */
#ifndef ANB_CLI_DURATIONS_H
#define ANB_CLI_DURATIONS_H

#include <stdatomic.h>
#include <stdio.h>

enum { PATHS = 6, BOUNDS = 16 };

typedef struct Durations {
    atomic_uint_fast64_t count[PATHS][BOUNDS + 1]; /* the last: beyond all bounds */
    atomic_uint_fast64_t nanoseconds[PATHS];
} Durations;

/* A path that the service does not have is not counted. */
void durations_add(Durations *durations, const char *path, double seconds);
void durations_write(const Durations *durations, FILE *out);

#endif
