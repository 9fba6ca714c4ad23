/* Rows that a command brought: learning or predicting them, counting them, replying what came of it. */
#include "module.h"

void anb_batch_run(Batch *batch, StreamingLearner *learner)
{
    batch->fate = anb_sequence_take(learner, &batch->sequence);
    if (batch->fate != SEQUENCE_NEW)
        return;
    for (size_t i = 0; i < batch->n; i++) {
        const double *row = batch->rows + i * anb_batch_stride(batch);
        batch->out[i] =
            batch->learn ? anb_train_one(learner, row + 1, row[0], batch->weight) : anb_predict(learner, row);
    }
}

void anb_batch_count(const Batch *batch)
{
    if (batch->learn)
        anb_statistics.trained += batch->n;
    else
        anb_statistics.predicted += batch->n;
}

static void reply_with_diagnostics(RedisModuleCtx *ctx, const Batch *batch)
{
    anb_reply_map(ctx, ANB_MIXTURE_PAIRS);
    anb_reply_mixture(ctx, &batch->mixture);
}

int anb_batch_reply(RedisModuleCtx *ctx, const Batch *batch)
{
    if (batch->fate != SEQUENCE_NEW)
        return anb_sequence_reply(ctx, batch->fate);
    if (batch->packed)
        RedisModule_ReplyWithStringBuffer(ctx, (const char *)batch->out, batch->n * sizeof(double));
    else if (batch->with_diag)
        reply_with_diagnostics(ctx, batch);
    else if (batch->single)
        anb_reply_number(ctx, batch->out[0]);
    else {
        RedisModule_ReplyWithArray(ctx, (long)batch->n);
        for (size_t i = 0; i < batch->n; i++)
            anb_reply_number(ctx, batch->out[i]);
    }
    return REDISMODULE_OK;
}
