/* Numbered jobs shared out to processes, which leave their results in shared memory. */
#ifndef ANB_BENCH_JOBS_H
#define ANB_BENCH_JOBS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct Jobs {
    size_t total;
    atomic_size_t *next;
    void *results; /* total results of the size given to jobs_run, zeroed at first */
} Jobs;

/* The next job that no process has taken; false where none is left. */
bool jobs_take(Jobs *jobs, size_t *job);

/* Calls `work` in `processes` forked processes and waits for them. False where the system gives no process
 * or memory. */
bool jobs_run(Jobs *jobs, size_t total, size_t result_size, size_t processes, void (*work)(Jobs *, void *context),
              void *context);

#endif
