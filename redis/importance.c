/*
 * Importances of a model's columns, measured while it learns. They are local to this server: not replicated, and not
 * saved. Rows that a worker learns, or that come by ANB.LABEL, are not measured.
 */
#include "commands.h"
#include "model.h"
#include "reply.h"
#include "text.h"
#include <stdio.h>

/* `EVERY n`: measured in every n-th row from now on; 0 ends it. */
static int measure(RedisModuleCtx *ctx, Model *model, RedisModuleString *text)
{
    AnbImportanceOptions how = anb_importance_defaults();
    AnbError error = {0};
    double every;
    if (!anb_text_number(text, &every) || !(every >= 0 && every <= INT32_MAX) || every != (int)every)
        return anb_reply_error(ctx, "EVERY takes a whole number of rows; 0 ends the measuring");
    how.every = (int)every;
    how.sage_rows = 2;
    AnbImportance *importance = every > 0 ? anb_importance_new(model->learner, &how, &error) : NULL;
    if (every > 0 && !importance)
        return anb_reply_error(ctx, "%s", error.message);
    anb_importance_free(model->importance);
    model->importance = importance;
    return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

static void reply_column(RedisModuleCtx *ctx, const Model *model, size_t i)
{
    const AnbImportance *importance = model->importance;
    const char *name = model->schema ? anb_schema_columns(model->schema)[i].name : "";
    uint64_t changed = anb_importance_changed(importance, i);
    char number[24];
    snprintf(number, sizeof number, "x%zu", i + 1);
    anb_reply_map(ctx, 4);
    anb_reply_text(ctx, "column");
    anb_reply_text(ctx, *name ? name : number);
    anb_reply_pair(ctx, "importance", anb_importance_value(importance, i));
    anb_reply_pair(ctx, "sage", anb_importance_sage(importance, i));
    anb_reply_text(ctx, "changed");
    RedisModule_ReplyWithLongLong(ctx, changed == UINT64_MAX ? -1 : (long long)changed);
}

int anb_command_importance(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    if (argc != 2 && argc != 4)
        return RedisModule_WrongArity(ctx);
    Model *model = anb_model_at(ctx, argv[1], REDISMODULE_READ);
    if (!model)
        return REDISMODULE_OK;
    if (argc == 4)
        return anb_text_is(argv[2], "EVERY") ? measure(ctx, model, argv[3])
                                             : anb_reply_error(ctx, "only EVERY n may follow");
    if (!model->importance)
        return anb_reply_error(ctx, "nothing is measured here: ANB.IMPORTANCE key EVERY n starts it");
    size_t n = anb_n_features(model->learner);
    RedisModule_ReplyWithArray(ctx, (long)n);
    for (size_t i = 0; i < n; i++)
        reply_column(ctx, model, i);
    return REDISMODULE_OK;
}
