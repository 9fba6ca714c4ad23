/* The rows of a command: learns or predicts them, counts them, replies the results. */
#include "batch.h"
#include "background.h"
#include "beside.h"
#include "explain.h"
#include "model.h"
#include "reply.h"
#include "sequence.h"
#include "statistics.h"
#include <anabranch/explain.h>

void anb_batch_run(Batch *batch, StreamingLearner *learner)
{
    batch->fate = anb_sequence_take(learner, &batch->options.sequence);
    if (batch->fate != SEQUENCE_NEW)
        return;
    if (batch->options.with_interval)
        anb_predict_interval(learner, batch->rows, batch->options.coverage, &batch->low, &batch->high);
    if (batch->options.with_quantiles)
        anb_predict_quantiles(learner, batch->rows, batch->quantile);
    if (batch->explainer) {
        anb_explain(batch->explainer, learner, batch->rows, &batch->why);
        return;
    }
    if (!batch->learn && batch->n > 1) {
        anb_predict_many(learner, batch->rows, batch->n, batch->out);
        return;
    }
    for (size_t i = 0; i < batch->n; i++) {
        const double *row = batch->rows + i * anb_batch_stride(batch);
        batch->out[i] =
            batch->learn ? anb_train_one(learner, row + 1, row[0], batch->options.weight) : anb_predict(learner, row);
        if (batch->learn)
            batch->bound[i] = anb_beside_bound(learner, row[0]);
        if (batch->learn && batch->observer)
            anb_observe(batch->observer, learner, row + 1, row[0], batch->out[i]);
    }
}

void anb_batch_score(const Batch *batch, Model *model)
{
    for (size_t i = 0; batch->options.weight > 0 && i < batch->n; i++) {
        const double *row = batch->rows + i * anb_batch_stride(batch);
        anb_beside_score(&model->scores, row[0], batch->out[i], batch->bound[i]);
        anb_background_add(model->background, row + 1);
    }
}

double anb_batch_work(const Batch *batch)
{
    return batch->explainer ? (double)anb_explain_cost(batch->explainer) : (double)batch->n;
}

void anb_batch_clear(Batch *batch)
{
    anb_explainer_free(batch->explainer);
    anb_schema_drop(batch->schema);
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

static int reply_with_interval(RedisModuleCtx *ctx, const Batch *batch)
{
    RedisModule_ReplyWithArray(ctx, batch->only_interval ? 2 : 3);
    if (!batch->only_interval)
        anb_reply_number(ctx, batch->out[0]);
    anb_reply_number(ctx, batch->low);
    anb_reply_number(ctx, batch->high);
    return REDISMODULE_OK;
}

/* The prediction, and the quantiles by ascending levels. */
static int reply_with_quantiles(RedisModuleCtx *ctx, const Batch *batch)
{
    RedisModule_ReplyWithArray(ctx, 1 + (long)batch->levels);
    anb_reply_number(ctx, batch->out[0]);
    for (size_t i = 0; i < batch->levels; i++)
        anb_reply_number(ctx, batch->quantile[i]);
    return REDISMODULE_OK;
}

int anb_batch_reply(RedisModuleCtx *ctx, const Batch *batch)
{
    if (batch->fate != SEQUENCE_NEW)
        return anb_sequence_reply(ctx, batch->fate);
    if (batch->explainer)
        return anb_explanation_reply(ctx, &batch->why, batch->schema);
    if (batch->packed)
        RedisModule_ReplyWithStringBuffer(ctx, (const char *)batch->out, batch->n * sizeof(double));
    else if (batch->options.with_diag)
        reply_with_diagnostics(ctx, batch);
    else if (batch->options.with_interval)
        return reply_with_interval(ctx, batch);
    else if (batch->options.with_quantiles)
        return reply_with_quantiles(ctx, batch);
    else if (batch->single)
        anb_reply_number(ctx, batch->out[0]);
    else {
        RedisModule_ReplyWithArray(ctx, (long)batch->n);
        for (size_t i = 0; i < batch->n; i++)
            anb_reply_number(ctx, batch->out[i]);
    }
    return REDISMODULE_OK;
}
