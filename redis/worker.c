/*
 * One thread for what would hold the server up. A job works on a clone; the model at the key is changed only under the
 * server's lock, by putting the clone in its place, and only where nobody wrote to it meanwhile: else the job starts over,
 * and after three times it runs under the lock. Jobs are done in the order they came, so those of one key are as well.
 */
#include "module.h"
#include <pthread.h>
#include <string.h>

enum { TRIES = 3 };

typedef struct Job Job;
struct Job {
    Job *next;
    RedisModuleBlockedClient *client;
    RedisModuleString *name;
    uint64_t model_id;
    Ticket *ticket;
    float row_ns; /* what a row took */
    Batch batch; /* its rows and answers behind the job */
    const char *error;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;
static Job *first, **last = &first;

static const char replaced[] = "ERR the model was deleted or replaced while the command waited; nothing was learned";
static const char no_memory[] = "ERR out of memory for a copy of the model; nothing was learned";

static size_t row_doubles(const Batch *batch)
{
    return batch->n * (batch->d + batch->learn);
}

/* The model that the job was queued for, or NULL: under the server's lock. */
static Model *still_there(RedisModuleCtx *ctx, const Job *job)
{
    Model *model = anb_model_peek(ctx, job->name);
    return model && model->id == job->model_id ? model : NULL;
}

/* What was learned goes to replicas and the log packed, as one command. */
static void publish(RedisModuleCtx *ctx, Job *job, Model *model)
{
    const Batch *batch = &job->batch;
    char weight[ANB_NUMBER_SIZE];
    anb_number_format(batch->weight, weight);
    RedisModule_Replicate(ctx, "ANB.TRAINB", "sbcc", job->name, (const char *)batch->rows,
                          row_doubles(batch) * sizeof(double), "WEIGHT", weight);
    anb_touch(ctx, job->name, model, "anb.train");
}

/* One try: 1 where it is done, 0 where somebody wrote to the model meanwhile. */
static int try_on_clone(RedisModuleCtx *ctx, Job *job)
{
    RedisModule_ThreadSafeContextLock(ctx);
    Model *model = still_there(ctx, job);
    StreamingLearner *clone = model ? anb_clone(model->learner, NULL) : NULL;
    uint64_t version = model ? model->version : 0;
    job->error = !model ? replaced : !clone ? no_memory : NULL;
    RedisModule_ThreadSafeContextUnlock(ctx);
    if (job->error)
        return 1;
    uint64_t start = anb_now_ns();
    anb_batch_run(&job->batch, clone);
    uint64_t took = anb_now_ns() - start;
    anb_statistics.worker_ns += took;
    job->row_ns = (float)took / (float)job->batch.n;
    if (job->batch.learn) {
        RedisModule_ThreadSafeContextLock(ctx);
        model = still_there(ctx, job);
        if (model && model->version == version) {
            clone = anb_shelf_swap(model, clone);
            publish(ctx, job, model);
            version = 0;
        }
        RedisModule_ThreadSafeContextUnlock(ctx);
        job->error = model ? NULL : replaced;
    }
    anb_free(clone);
    return !job->batch.learn || job->error || version == 0;
}

static void run_under_lock(RedisModuleCtx *ctx, Job *job)
{
    RedisModule_ThreadSafeContextLock(ctx);
    Model *model = still_there(ctx, job);
    job->error = model ? NULL : replaced;
    if (model) {
        anb_batch_run(&job->batch, model->learner);
        publish(ctx, job, model);
    }
    RedisModule_ThreadSafeContextUnlock(ctx);
}

/* What was measured tells the next batch where to go. */
static void leave_queue(RedisModuleCtx *ctx, const Job *job)
{
    RedisModule_ThreadSafeContextLock(ctx);
    Model *model = still_there(ctx, job);
    if (model && job->row_ns > 0)
        model->row_ns += (job->row_ns - model->row_ns) / 4;
    job->ticket->queued--;
    RedisModule_ThreadSafeContextUnlock(ctx);
}

static void do_job(Job *job)
{
    RedisModuleCtx *ctx = RedisModule_GetThreadSafeContext(job->client);
    int done = 0;
    for (int i = 0; i < TRIES && !done; i++) {
        done = try_on_clone(ctx, job);
        anb_statistics.retried += !done;
    }
    if (!done)
        run_under_lock(ctx, job);
    leave_queue(ctx, job);
    RedisModule_FreeThreadSafeContext(ctx);
    RedisModule_UnblockClient(job->client, job);
}

static Job *next_job(void)
{
    pthread_mutex_lock(&lock);
    while (!first)
        pthread_cond_wait(&arrived, &lock);
    Job *job = first;
    first = job->next;
    if (!first)
        last = &first;
    pthread_mutex_unlock(&lock);
    return job;
}

static void *work(void *unused)
{
    (void)unused;
    for (;;)
        do_job(next_job());
    return NULL;
}

int anb_worker_start(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, NULL))
        return -1;
    pthread_detach(thread);
    return 0;
}

/* ---- on the main thread ----------------------------------------------------------------------------------------------- */

static int reply(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    Job *job = RedisModule_GetBlockedClientPrivateData(ctx);
    (void)argv, (void)argc;
    return job->error ? RedisModule_ReplyWithError(ctx, job->error) : anb_batch_reply(ctx, &job->batch);
}

static void release(RedisModuleCtx *ctx, void *data)
{
    Job *job = data;
    RedisModule_FreeString(ctx, job->name);
    anb_ticket_drop(job->ticket);
    RedisModule_Free(job);
}

int anb_worker_queue(RedisModuleCtx *ctx, RedisModuleString *name, Model *model, const Batch *batch)
{
    size_t doubles = row_doubles(batch) + batch->n;
    Job *job = RedisModule_Alloc(sizeof *job + doubles * sizeof(double));
    *job = (Job){.batch = *batch, .model_id = model->id};
    job->batch.rows = (double *)(job + 1);
    job->batch.out = job->batch.rows + row_doubles(batch);
    memcpy(job->batch.rows, batch->rows, row_doubles(batch) * sizeof(double));
    job->client = RedisModule_BlockClient(ctx, reply, NULL, release, 0);
    job->name = RedisModule_HoldString(NULL, name);
    job->ticket = model->ticket;
    job->ticket->owners++;
    job->ticket->queued++;
    anb_statistics.queued++;
    pthread_mutex_lock(&lock);
    *last = job;
    last = &job->next;
    pthread_cond_signal(&arrived);
    pthread_mutex_unlock(&lock);
    return REDISMODULE_OK;
}
