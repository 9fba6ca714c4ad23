/* ANB.BACKGROUND keeps rows beside a model, with which ANB.EXPLAIN (samples.c) compares predictions. */
#include "explain.h"
#include "background.h"
#include "commands.h"
#include "model.h"
#include "reply.h"
#include "statistics.h"
#include "text.h"
#include <anabranch/explain.h>
#include <stdio.h>

/* ---- asking for rows --------------------------------------------------------------------------------------------- */

/* key rows: keeps so many from now on; 0: none. */
int anb_command_background(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    double rows;
    if (argc != 3)
        return RedisModule_WrongArity(ctx);
    Model *model = anb_model_at(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
    if (!model)
        return REDISMODULE_OK;
    size_t d = anb_n_features(model->learner);
    if (!anb_text_number(argv[2], &rows) || !(rows >= 0 && rows <= BACKGROUND_MAX) || rows != (double)(size_t)rows)
        return anb_reply_error(ctx, "the count of rows is a whole number from 0 to %d", BACKGROUND_MAX);
    if (anb_background_size((size_t)rows, d) > (size_t)anb_max_model_bytes)
        return anb_reply_error(ctx, "%.0f rows of this model are over anabranch.max-model-bytes", rows);
    RedisModule_Free(model->background);
    model->background = rows > 0 ? anb_background_new((size_t)rows, d) : NULL;
    RedisModule_ReplicateVerbatim(ctx);
    anb_touch(ctx, argv[1], model, "anb.background");
    return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

/* ---- explaining -------------------------------------------------------------------------------------------------- */

AnbExplainer *anb_background_explainer(const Model *model)
{
    AnbExplainerOptions options = anb_explainer_defaults();
    size_t used = anb_background_used(model->background);
    options.rows = used > 0 ? (int)used : 1;
    options.span = options.span < options.rows ? options.rows : options.span;
    AnbExplainer *explainer = anb_explainer_new(model->learner, &options, NULL);
    for (size_t i = 0; explainer && i < used; i++)
        anb_explainer_keep(explainer, model->background->rows + i * model->background->d);
    return explainer;
}

static void reply_values(RedisModuleCtx *ctx, const char *called, const double *values, size_t n,
                         const AnbSchema *schema)
{
    char number[24];
    anb_reply_text(ctx, called);
    anb_reply_map(ctx, (long)n);
    for (size_t i = 0; i < n; i++) {
        snprintf(number, sizeof number, "%zu", i + 1);
        anb_reply_pair(ctx, schema ? anb_schema_columns(schema)[i].name : number, values[i]);
    }
}

int anb_explanation_reply(RedisModuleCtx *ctx, const AnbExplanation *why, const AnbSchema *schema)
{
    anb_reply_map(ctx, 7);
    anb_reply_pair(ctx, "prediction", why->prediction);
    anb_reply_pair(ctx, "base", why->base);
    anb_reply_text(ctx, "rows");
    RedisModule_ReplyWithLongLong(ctx, (long long)why->rows);
    anb_reply_text(ctx, "exact");
    RedisModule_ReplyWithLongLong(ctx, why->exact);
    reply_values(ctx, "values", why->phi, why->n_features, schema);
    reply_values(ctx, "errors", why->error, why->n_features, schema);
    reply_values(ctx, "experts", why->expert, why->n_experts, NULL);
    return REDISMODULE_OK;
}
