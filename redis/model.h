/*
 * A model at a key of the server, and which thread may use it when.
 *
 * A key holds a Model; a command's rows are a Batch (batch.h). A short Batch is run in the command. A long one runs in
 * a worker thread on a clone of the model; the clone replaces the model when the batch is done:
 *
 *     client --ANB.TRAINB--> parse, check --short--> run on the model, replicate, reply
 *                                 `--long---> queue --> worker: lock, look, unlock, clone, run, lock, swap, replicate,
 *                                                      unlock
 *
 * So a fork or another command sees the model either before the command or after it, never in between.
 *
 * Locks. A Model and its learner may be used under the server's lock, which every callback but `free` holds. The lists
 * of models that share a plan, and which learner is in them (plan_cache.c), have a lock of their own, which is taken
 * inside the server's. A Ticket is counted by atomics.
 *
 * The worker keeps no pointer to a Model while it does not hold the server's lock, since the model may be freed or
 * moved meanwhile. The one exception is the making of the clone: it reads the learner without that lock, with a flag in
 * the ticket. Code that changes, moves or frees a learner therefore calls anb_settle first; predicting and saving only
 * read.
 */
#ifndef ANB_REDIS_MODEL_H
#define ANB_REDIS_MODEL_H

#include "api.h"
#include "background.h"
#include "kept.h"
#include <anabranch/anabranch.h>
#include <anabranch/importance.h>
#include <anabranch/interval.h>

/* How many batches of a model are on their way through the worker. Shared by the model and its jobs: a model may be
 * renamed or deleted meanwhile. */
typedef struct Ticket {
    _Atomic unsigned owners, queued;
    bool busy;            /* a worker runs one of them: guarded by the queue's lock */
    _Atomic bool copying; /* a worker reads the learner: set under the server's lock, cleared without */
} Ticket;

/* Counts of intervals: how many there were, and for each coverage how many contained the target. */
typedef struct Held {
    uint64_t asked; /* intervals */
    double weight, held[ANB_LEVELS_MAX], faded[ANB_LEVELS_MAX];
} Held;

/* Errors of the predictions made before learning: sums, and means that fade over so many samples. */
enum { SCORES_SPAN = 1000, FEEDS_MAX = 16, FEED_NAME = 128 };
typedef struct Scores {
    uint64_t n;
    double square, absolute, weight, faded_square, faded_absolute;
    Held *held; /* or NULL: no interval was answered */
} Scores;

/* The cursor of a stream. */
typedef struct Feed {
    char stream[FEED_NAME];
    RedisModuleStreamID last, bad_id;
    uint64_t learned, bad;
    uint64_t gaps; /* how often the cursor's entry was gone when new ones came: some between may be lost */
} Feed;

typedef struct Feeds {
    size_t n;
    Feed feed[];
} Feeds;

typedef struct Model Model;
struct Model {
    StreamingLearner *learner;
    Model *next, *previous; /* others that share the plan: plan_cache.c */
    uint64_t id;            /* unique among all models of this server, past ones included */
    uint64_t version;       /* changes with every write */
    Ticket *ticket;         /* or NULL: the worker has had no batch of it yet */
    unsigned source;        /* index of the source of the last numbered command */
    float row_ns;           /* recent time of a row */
    bool answers;           /* whether the last row was predicted, not learned: its target is unknown */
    Kept *kept;             /* or NULL */
    AnbSchema *schema;      /* of its columns, or NULL: numbers without names */
    Scores scores;
    AnbImportance *importance; /* or NULL: not measured */
    Feeds *feeds;              /* or NULL */
    Background *background;    /* or NULL: no rows are kept */
};

/* Options of models in this server: its allocator and its limit of memory. */
AnbModelOptions anb_model_options(void);

extern RedisModuleType *anb_model_type;
int anb_register_type(RedisModuleCtx *ctx);
/* Takes over the learner, and the reference to what is kept. */
Model *anb_model_wrap(StreamingLearner *learner, Kept *kept);
/* From a snapshot; NULL with the reason. */
Model *anb_model_load(const char *blob, size_t size, AnbError *error);
/* What to do about an error, to be written behind its message, or "". */
const char *anb_model_remedy(const AnbError *error);
/* A copy, or NULL where memory is out. */
Model *anb_model_copy(const Model *model);
void anb_model_free(void *model);
/* The model's ticket, made where it has none. */
Ticket *anb_ticket_of(Model *model);
/* How many batches of the model are on their way through the worker. */
static inline unsigned anb_ticket_queued(const Model *model)
{
    return model->ticket ? model->ticket->queued : 0;
}
/* Drops a reference; NULL is fine. */
void anb_ticket_drop(Ticket *ticket);
/* Waits until no worker reads the learner any more, some milliseconds where it is large. */
void anb_settle(const Model *model);
/* The model at a key, or NULL with the error replied; a missing key is an error. Needs no cleanup. */
Model *anb_model_at(RedisModuleCtx *ctx, RedisModuleString *name, int mode);
/* The model at a key, or NULL; nothing is replied. */
Model *anb_model_peek(RedisModuleCtx *ctx, RedisModuleString *name);
/* Sets a key that may be empty or hold anything; frees what it held. */
int anb_model_store(RedisModuleCtx *ctx, RedisModuleString *name, Model *model);
/* The snapshot in RedisModule_Alloc's memory, or NULL; with the scores, as the server's own files have them. */
char *anb_model_blob(const Model *model, bool scores, size_t *size);
void anb_touch(RedisModuleCtx *ctx, RedisModuleString *name, Model *model, const char *event);

#endif
