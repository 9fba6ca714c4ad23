/* Delayed labels: pending rows are part of the model, so they are replicated and persisted with it. */
#include "background.h"
#include "beside.h"
#include "cells.h"
#include "commands.h"
#include "model.h"
#include "options.h"
#include "reply.h"
#include "sequence.h"
#include "statistics.h"

/* A whole number below 2^64 is itself; any other text is hashed as a category is. 0, or -1 with the error replied. */
static int parse_id(RedisModuleCtx *ctx, RedisModuleString *text, uint64_t *id)
{
    size_t n;
    const char *at = RedisModule_StringPtrLen(text, &n);
    if (n == 0)
        return anb_reply_error(ctx, "an id is a whole number below 2^64 or any other text, not empty"), -1;
    *id = anb_label_id(at, n);
    return 0;
}

static Model *pending_at(RedisModuleCtx *ctx, RedisModuleString *name)
{
    Model *model = anb_model_at(ctx, name, REDISMODULE_READ | REDISMODULE_WRITE);
    if (model && !anb_keeps_pending(model->learner))
        return anb_reply_error(ctx, "this model keeps no pending rows: its expression has to start with pending(...)"),
               NULL;
    if (model)
        anb_settle(model);
    return model;
}

int anb_command_pending(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    uint64_t id;
    if (argc < 4)
        return RedisModule_WrongArity(ctx);
    Model *model = pending_at(ctx, argv[1]);
    if (!model || parse_id(ctx, argv[2], &id))
        return REDISMODULE_OK;
    const double *x = anb_parse_features(ctx, model, argv + 3, argc - 3);
    if (!x)
        return REDISMODULE_OK;
    anb_reply_number(ctx, anb_predict_pending(model->learner, id, x));
    anb_background_add(model->background, x);
    model->answers = true;
    anb_statistics.predicted++;
    RedisModule_ReplicateVerbatim(ctx);
    anb_touch(ctx, argv[1], model, "anb.pending");
    return REDISMODULE_OK;
}

/* Refused before the model counts it: what is not learned is not replicated. */
static int refuse(RedisModuleCtx *ctx, AnbPendingFate fate)
{
    anb_statistics.rejected++;
    if (fate == ANB_PENDING_LEARNED)
        return anb_reply_error(ctx, "the row of this id has been learned already");
    if (fate == ANB_PENDING_EVICTED)
        return anb_reply_error(ctx, "the row of this id was replaced by newer ones: the model's capacity is too small");
    return anb_reply_error(ctx, "no row is pending under this id");
}

typedef struct Label {
    uint64_t id;
    double y;
    Options options;
} Label;

/* key id y, and the options behind it. 0, or -1 with the error replied. */
static int parse_label(RedisModuleCtx *ctx, RedisModuleString **argv, int argc, Label *label)
{
    label->options.weight = 1;
    if (parse_id(ctx, argv[2], &label->id))
        return -1;
    int code = anb_sequence_behind(ctx, argv[3], &label->y, &label->options.sequence);
    if (code < 0)
        return -1;
    if (code || label->y - label->y != 0)
        return anb_reply_error(ctx, "the target is not a finite number; the row is still pending"), -1;
    code = anb_options_read(ctx, &label->options, OPTIONS_LEARNING, argv + 4, argc - 4);
    return code > 0 ? (RedisModule_WrongArity(ctx), -1) : code;
}

int anb_command_label(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    Label label = {0};
    if (argc < 4)
        return RedisModule_WrongArity(ctx);
    Model *model = pending_at(ctx, argv[1]);
    if (!model || parse_label(ctx, argv, argc, &label))
        return REDISMODULE_OK;
    SequenceFate sequence = anb_sequence_look(model, &label.options.sequence);
    if (sequence != SEQUENCE_NEW)
        return anb_sequence_reply(ctx, sequence);
    AnbPendingFate fate = anb_pending_fate(model->learner, label.id);
    if (fate != ANB_PENDING_WAITING)
        return refuse(ctx, fate);
    if ((sequence = anb_sequence_take(model->learner, &label.options.sequence)) != SEQUENCE_NEW)
        return anb_sequence_reply(ctx, sequence);
    double then = anb_learn_label(model->learner, label.id, label.y, label.options.weight);
    model->answers = false;
    if (label.options.weight > 0)
        anb_beside_score(&model->scores, label.y, then, anb_beside_bound(model->learner, label.y));
    RedisModule_ReplicateVerbatim(ctx);
    anb_touch(ctx, argv[1], model, "anb.label");
    anb_statistics.trained++;
    anb_reply_number(ctx, then);
    return REDISMODULE_OK;
}
