/*
 * Threads for batches that would block the server for long: up to `anabranch.workers` of them, started when they are
 * needed.
 *
 * A thread takes the oldest job of a key that no other thread works on, so the jobs of one key are done in the order
 * they came. The job works on a clone of the model. While the clone is made, commands that would change the model wait.
 * The model at the key is changed only under the server's lock: it is replaced by the clone if no command has written
 * to it meanwhile. Otherwise the job starts again; after three attempts it runs under the lock. The replaced learner is
 * kept as memory for the next clone (spares.c).
 *
 * Meanwhile the key may be deleted, replaced or moved to another node, or the server may become a replica. Then nothing
 * is learned, and the client gets an error. While writes are paused (a failover, a slot's handover) the job waits.
 */
#include "worker.h"
#include "batch.h"
#include "model.h"
#include "plan_cache.h"
#include "sequence.h"
#include "spares.h"
#include "statistics.h"
#include <anabranch/host.h>
#include <anabranch/number.h>
#include <anabranch/sequence.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

enum { TRIES = 3, LOOK_NS = 250000000 };

typedef struct Job Job;
struct Job {
    Job *next;
    RedisModuleBlockedClient *client;
    RedisModuleString *name;
    int db;
    uint64_t model_id;
    Ticket *ticket;
    float row_ns;        /* time of a row */
    double copy_byte_ns; /* time of a byte of the clone */
    Batch batch;         /* its rows and answers behind the job */
    char source[ANB_SOURCE_SIZE];
    const char *error;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived; /* by the clock that nobody sets */
static Job *first, **last = &first;
static _Atomic long long allowed = 1;     /* anb_workers at the last job's arrival; set under `lock` */
static long long started;                 /* threads; under the server's lock */
static _Thread_local RedisModuleCtx *own; /* the worker's context, without a client: used under the server's lock */
static double copy_byte_ns = 0.3;         /* likewise */

static const char replaced[] = "ERR the model was deleted or replaced while the command waited; nothing was learned";
/* Clients of a cluster try again, and are sent to where the key is now. */
static const char gone[] = "TRYAGAIN the model was moved from this key while the command waited; nothing was learned";
static const char demoted[] = "READONLY this server became a replica while the command waited; nothing was learned";
static const char no_memory[] = "ERR out of memory for a copy of the model; nothing was learned";

static size_t row_doubles(const Batch *batch)
{
    return batch->n * (batch->d + batch->learn);
}

/* ---- under the server's lock ------------------------------------------------------------------------------------ */

/* Takes the server's lock, but not while the server pauses writes. */
static void lock_for(const Batch *batch)
{
    const struct timespec a_moment = {0, 2000000};
    RedisModule_ThreadSafeContextLock(own);
    while (batch->learn && RedisModule_AvoidReplicaTraffic()) {
        RedisModule_ThreadSafeContextUnlock(own);
        nanosleep(&a_moment, NULL);
        RedisModule_ThreadSafeContextLock(own);
    }
}

static void unlock(void)
{
    RedisModule_ThreadSafeContextUnlock(own);
}

/* The model that the job was queued for, or NULL. */
static Model *still_there(const Job *job)
{
    Model *model = RedisModule_SelectDb(own, job->db) == REDISMODULE_OK ? anb_model_peek(own, job->name) : NULL;
    return model && model->id == job->model_id ? model : NULL;
}

/* The same; if it may not be used, the reason is stored in the job. */
static Model *model_of(Job *job)
{
    const int replica = REDISMODULE_CTX_FLAGS_SLAVE | REDISMODULE_CTX_FLAGS_READONLY;
    int flags = RedisModule_GetContextFlags(own);
    Model *model = still_there(job);
    if (job->batch.learn && (flags & replica) == replica)
        job->error = demoted;
    else if (!model)
        job->error = flags & REDISMODULE_CTX_FLAGS_CLUSTER ? gone : replaced;
    return job->error ? NULL : model;
}

/* Replicates what was learned as one packed command. */
static void publish(const Job *job, Model *model)
{
    anb_batch_score(&job->batch, model);
    model->answers = false;
    const Batch *batch = &job->batch;
    const Sequence *sequence = &batch->options.sequence;
    char weight[ANB_NUMBER_SIZE];
    anb_number_format(batch->options.weight, weight);
    if (sequence->size > 0)
        RedisModule_Replicate(own, "ANB.TRAINB", "sbcccbl", job->name, (const char *)batch->rows,
                              row_doubles(batch) * sizeof(double), "WEIGHT", weight, "SEQ", sequence->source,
                              sequence->size, (long long)sequence->n);
    else
        RedisModule_Replicate(own, "ANB.TRAINB", "sbcc", job->name, (const char *)batch->rows,
                              row_doubles(batch) * sizeof(double), "WEIGHT", weight);
    anb_touch(own, job->name, model, "anb.train");
}

/* ---- a job ------------------------------------------------------------------------------------------------------ */

static StreamingLearner *measured_clone(Job *job, const StreamingLearner *learner)
{
    uint64_t start = anb_now_ns();
    StreamingLearner *clone = anb_clone_reusing(learner, anb_spare_take(job->ticket, (size_t)allowed), NULL);
    job->copy_byte_ns = (double)(anb_now_ns() - start) / (double)(anb_state_bytes(learner) + 4096);
    return clone;
}

/* Clones the learner. Meanwhile no thread changes, moves or frees it; others may read it. */
static StreamingLearner *clone_of_model(Job *job, uint64_t *version)
{
    RedisModule_ThreadSafeContextLock(own);
    const Model *model = model_of(job);
    const StreamingLearner *learner = model ? model->learner : NULL;
    *version = model ? model->version : 0;
    job->ticket->copying = learner != NULL;
    unlock();
    StreamingLearner *clone = learner ? measured_clone(job, learner) : NULL;
    if (learner && !clone)
        job->error = no_memory;
    job->ticket->copying = false;
    return clone;
}

/* Replaces the model's learner by the clone, unless the model was written to meanwhile. Returns the one not in use. */
static StreamingLearner *swap(Job *job, StreamingLearner *clone, uint64_t version)
{
    lock_for(&job->batch);
    Model *model = model_of(job);
    if (model && model->version == version) {
        clone = anb_plan_cache_swap(model, clone);
        publish(job, model);
    }
    unlock();
    return clone;
}

/* One attempt: 1 where it is done, 0 where the model was written to meanwhile. */
static int try_on_clone(Job *job)
{
    uint64_t version;
    StreamingLearner *clone = clone_of_model(job, &version), *left = clone;
    if (!clone)
        return 1;
    uint64_t start = anb_now_ns();
    anb_batch_run(&job->batch, clone);
    uint64_t took = anb_now_ns() - start;
    anb_statistics.worker_ns += took;
    job->row_ns = (float)((double)took / anb_batch_work(&job->batch));
    bool changed = job->batch.learn && job->batch.fate == SEQUENCE_NEW;
    if (changed)
        left = swap(job, clone, version);
    anb_spare_put(job->ticket, left, (size_t)allowed);
    return !changed || job->error || left != clone;
}

static void run_under_lock(Job *job)
{
    lock_for(&job->batch);
    Model *model = model_of(job);
    if (model) {
        anb_batch_run(&job->batch, model->learner);
        if (job->batch.fate == SEQUENCE_NEW)
            publish(job, model);
    }
    unlock();
}

/* Stores the measured times, by which the next batches are assigned. */
static void leave_queue(const Job *job)
{
    RedisModule_ThreadSafeContextLock(own);
    Model *model = still_there(job);
    if (model && job->row_ns > 0)
        model->row_ns += (job->row_ns - model->row_ns) / 4;
    if (job->copy_byte_ns > 0)
        copy_byte_ns += (job->copy_byte_ns - copy_byte_ns) / 8;
    job->ticket->queued--;
    unlock();
}

/* ---- the queue --------------------------------------------------------------------------------------------------- */

typedef struct Worker {
    RedisModuleCtx *own;
    long long number;
} Worker;

/* Takes the oldest job of a key without a running job off the queue; or NULL. */
static Job *take_job(void)
{
    Job **at = &first;
    while (*at && (*at)->ticket->busy)
        at = &(*at)->next;
    Job *job = *at;
    if (!job)
        return NULL;
    *at = job->next;
    if (!job->next)
        last = at;
    job->ticket->busy = true;
    return job;
}

/* The next job; none for workers beyond the number that is set now. */
static Job *job_for(const Worker *self)
{
    return self->number < allowed ? take_job() : NULL;
}

/* Waits until a job arrives, or spares may have expired. */
static void wait_for_jobs(bool spares)
{
    struct timespec then;
    if (!spares) {
        pthread_cond_wait(&arrived, &lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &then);
    then.tv_nsec += LOOK_NS;
    then.tv_sec += then.tv_nsec / 1000000000;
    then.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&arrived, &lock, &then);
}

static Job *next_job(const Worker *self)
{
    pthread_mutex_lock(&lock);
    Job *job = job_for(self);
    while (!job) {
        pthread_mutex_unlock(&lock);
        bool spares = anb_spare_expire();
        pthread_mutex_lock(&lock);
        if (!(job = job_for(self)))
            wait_for_jobs(spares);
        job = job ? job : job_for(self);
    }
    pthread_mutex_unlock(&lock);
    return job;
}

/* The next job of the key may be taken. */
static void put_back(Ticket *ticket)
{
    pthread_mutex_lock(&lock);
    ticket->busy = false;
    pthread_cond_broadcast(&arrived);
    pthread_mutex_unlock(&lock);
}

static void do_job(Job *job)
{
    int done = 0;
    if (RedisModule_BlockedClientMeasureTimeStart) /* for the server's own statistics of its commands */
        RedisModule_BlockedClientMeasureTimeStart(job->client);
    for (int i = 0; i < TRIES && !done; i++) {
        done = try_on_clone(job);
        anb_statistics.retried += !done;
    }
    if (!done)
        run_under_lock(job);
    if (job->error)
        anb_statistics.rejected++;
    else if (job->batch.fate == SEQUENCE_NEW)
        anb_batch_count(&job->batch);
    leave_queue(job);
    if (RedisModule_BlockedClientMeasureTimeEnd)
        RedisModule_BlockedClientMeasureTimeEnd(job->client);
    put_back(job->ticket);
    RedisModule_UnblockClient(job->client, job);
}

static void *work(void *data)
{
    const Worker *self = data;
    own = self->own;
    for (;;)
        do_job(next_job(self));
    return NULL;
}

/* Starts a thread whose stack is large enough to predict many rows. Where the default is smaller, as with musl, it is
 * 1 MB. */
static int start_thread(Worker *worker)
{
    enum { ROOM = 1 << 20 };
    size_t size = 0;
    pthread_t thread;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes))
        return -1;
    if (pthread_attr_getstacksize(&attributes, &size) == 0 && size < ROOM)
        pthread_attr_setstacksize(&attributes, ROOM);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int code = pthread_create(&thread, &attributes, work, worker);
    pthread_attr_destroy(&attributes);
    return code ? -1 : 0;
}

/* One more thread. 0 or -1. */
static int start_one(RedisModuleCtx *ctx)
{
    Worker *worker = RedisModule_Alloc(sizeof *worker);
    *worker = (Worker){RedisModule_GetDetachedThreadSafeContext(ctx), started};
    if (!worker->own || start_thread(worker))
        return -1;
    started++;
    return 0;
}

int anb_worker_start(RedisModuleCtx *ctx)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&arrived, &attributes);
    pthread_condattr_destroy(&attributes);
    return start_one(ctx);
}

/* ---- on the main thread ----------------------------------------------------------------------------------------- */

static int reply(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    Job *job = RedisModule_GetBlockedClientPrivateData(ctx);
    (void)argv, (void)argc;
    return job->error ? RedisModule_ReplyWithError(ctx, job->error) : anb_batch_reply(ctx, &job->batch);
}

static void release(RedisModuleCtx *ctx, void *data)
{
    Job *job = data;
    anb_batch_clear(&job->batch);
    RedisModule_FreeString(ctx, job->name);
    anb_ticket_drop(job->ticket);
    RedisModule_Free(job);
}

double anb_copy_ns(const Model *model)
{
    return copy_byte_ns * (double)anb_state_bytes(model->learner);
}

/* The command's text is gone when the job runs, and the source may have another place in the model by then. */
static void keep_sequence(Job *job)
{
    Sequence *sequence = &job->batch.options.sequence;
    if (sequence->size > 0)
        memcpy(job->source, sequence->source, sequence->size);
    sequence->source = job->source;
    sequence->at = -1;
}

int anb_worker_queue(RedisModuleCtx *ctx, RedisModuleString *name, Model *model, const Batch *batch)
{
    size_t doubles = row_doubles(batch) + batch->n;
    Job *job = RedisModule_Alloc(sizeof *job + doubles * sizeof(double) + batch->n * sizeof *batch->bound);
    *job = (Job){.batch = *batch, .model_id = model->id, .db = RedisModule_GetSelectedDb(ctx)};
    keep_sequence(job);
    job->batch.rows = (double *)(job + 1);
    job->batch.out = job->batch.rows + row_doubles(batch);
    job->batch.bound = (unsigned *)(job->batch.out + batch->n);
    memcpy(job->batch.rows, batch->rows, row_doubles(batch) * sizeof(double));
    job->client = RedisModule_BlockClient(ctx, reply, NULL, release, 0);
    job->name = RedisModule_HoldString(NULL, name);
    job->ticket = anb_ticket_of(model);
    job->ticket->owners++;
    job->ticket->queued++;
    anb_statistics.queued++;
    if (started < anb_workers)
        start_one(ctx); /* if it fails, the existing threads do the work */
    pthread_mutex_lock(&lock);
    allowed = anb_workers;
    *last = job;
    last = &job->next;
    pthread_cond_broadcast(&arrived);
    pthread_mutex_unlock(&lock);
    return REDISMODULE_OK;
}
