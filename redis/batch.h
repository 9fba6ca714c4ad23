/* The rows of a command, and their results. */
#ifndef ANB_REDIS_BATCH_H
#define ANB_REDIS_BATCH_H

#include "options.h"
#include <anabranch/explain.h>
#include <anabranch/quantile.h>

typedef struct Batch {
    AnbObserver *observer; /* called for each row that is learned; or NULL */
    bool learn, packed, single, only_interval;
    Options options;
    double low, high; /* with_interval */
    size_t levels;    /* with_quantiles: how many, and their values */
    double quantile[ANB_LEVELS_MAX];
    size_t n, d;             /* rows; features */
    double *rows;            /* n rows of (y,) x1 .. xd */
    double *out;             /* n predictions */
    unsigned *bound;         /* of each row: anb_beside_bound */
    AnbMixture mixture;      /* with_diag, inline only */
    AnbExplainer *explainer; /* or NULL: not to be explained; the batch's */
    AnbExplanation why;
    AnbSchema *schema; /* names its columns; a reference, or NULL */
    bool handed;       /* passed to the worker, which frees what the explanation needs */
    SequenceFate fate; /* of the sequence: where it is not new, nothing was learned */
} Batch;

/* Doubles from the start of a row to that of the next: its features, and its target where it is learned. */
static inline size_t anb_batch_stride(const Batch *batch)
{
    return batch->d + batch->learn;
}

/* Learns or predicts the rows; sets `fate`. */
void anb_batch_run(Batch *batch, StreamingLearner *learner);
/* Counts its rows as trained or predicted, once the result is in the model at the key. */
void anb_batch_count(const Batch *batch);
/* Adds what was learned to the model's scores and background. */
void anb_batch_score(const Batch *batch, Model *model);
/* The cost of its rows, in predictions. */
double anb_batch_work(const Batch *batch);
/* Frees its explainer and drops its schema; the batch itself stays the caller's. */
void anb_batch_clear(Batch *batch);
int anb_batch_reply(RedisModuleCtx *ctx, const Batch *batch);

#endif
