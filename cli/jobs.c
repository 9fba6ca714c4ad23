#include "jobs.h"
#include "cli.h"

/* The next job, waited for; NULL: none comes any more. */
static Job *take(Jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    while (!jobs->first && !jobs->ending)
        pthread_cond_wait(&jobs->changed, &jobs->lock);
    Job *job = jobs->first;
    if (job)
        jobs->first = job->next;
    if (!jobs->first)
        jobs->end = &jobs->first;
    pthread_mutex_unlock(&jobs->lock);
    return job;
}

static void *work(void *context)
{
    Job *job;
    while ((job = take(context)))
        job->run(job);
    return NULL;
}

int jobs_start(Jobs *jobs, size_t threads)
{
    *jobs = (Jobs){.end = &jobs->first};
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_cond_init(&jobs->changed, NULL);
    while (jobs->n_threads < threads && pthread_create(&jobs->thread[jobs->n_threads], NULL, work, jobs) == 0)
        jobs->n_threads++;
    return jobs->n_threads == threads ? 0 : complain(BAD_DATA, "no threads for large requests were to be had");
}

bool jobs_add(Jobs *jobs, Job *job)
{
    pthread_mutex_lock(&jobs->lock);
    bool taken = !jobs->ending;
    job->next = NULL;
    if (taken) {
        *jobs->end = job;
        jobs->end = &job->next;
        pthread_cond_signal(&jobs->changed);
    }
    pthread_mutex_unlock(&jobs->lock);
    return taken;
}

void jobs_end(Jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    jobs->ending = true;
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
    for (size_t i = 0; i < jobs->n_threads; i++)
        pthread_join(jobs->thread[i], NULL);
    jobs->n_threads = 0;
}
