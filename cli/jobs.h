/* A queue of jobs, and the threads that do them in the order in which they came. */
#ifndef ANB_CLI_JOBS_H
#define ANB_CLI_JOBS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum { JOBS_THREADS = 256 };

/* The first member of what a job is about, which is the caller's. */
typedef struct Job {
    void (*run)(struct Job *job);
    struct Job *next;
} Job;

typedef struct Jobs {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    Job *first, **end;
    bool ending;
    size_t n_threads;
    pthread_t thread[JOBS_THREADS];
} Jobs;

/* 0, or BAD_DATA with the complaint made. End them in both cases. */
int jobs_start(Jobs *jobs, size_t threads);
/* False: they are ended. */
bool jobs_add(Jobs *jobs, Job *job);
/* Takes no more; returns when those taken are done. */
void jobs_end(Jobs *jobs);

#endif
