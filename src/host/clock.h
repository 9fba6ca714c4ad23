/* The clock by which the costs of work are measured. */
#ifndef ANB_HOST_CLOCK_H
#define ANB_HOST_CLOCK_H

#include <time.h>

/* Nanoseconds of the monotonic clock. */
static inline double anb_clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

#endif
