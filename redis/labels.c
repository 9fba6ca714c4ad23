/* Labels that come later: rows wait in the model itself, so they are replicated and persisted with it. */
#include "module.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* An id is a whole number below 2^64. */
static int parse_id(RedisModuleCtx *ctx, RedisModuleString *text, uint64_t *id)
{
    size_t n;
    const char *at = RedisModule_StringPtrLen(text, &n);
    char *end;
    errno = 0;
    *id = strtoull(at, &end, 10);
    if (n == 0 || strspn(at, "0123456789") != n || errno || end != at + n)
        return anb_reply_error(ctx, "an id is a whole number below 2^64"), -1;
    return 0;
}

static Model *pending_at(RedisModuleCtx *ctx, RedisModuleString *name)
{
    Model *model = anb_model_at(ctx, name, REDISMODULE_READ | REDISMODULE_WRITE);
    if (model && !anb_keeps_pending(model->learner))
        return anb_reply_error(ctx, "no rows wait in this model: its expression has to start with pending(...)"), NULL;
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
    if ((size_t)(argc - 3) != anb_n_features(model->learner))
        return anb_reply_error(ctx, "the model has %zu features, the row %d", anb_n_features(model->learner), argc - 3);
    const double *x = anb_parse_features(ctx, model->learner, argv + 3);
    if (!x)
        return REDISMODULE_OK;
    anb_reply_number(ctx, anb_predict_pending(model->learner, id, x));
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
        return anb_reply_error(ctx, "the row of this id gave way to newer ones: the model's capacity is too small");
    return anb_reply_error(ctx, "no row waits under this id");
}

int anb_command_label(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    uint64_t id;
    double y, weight = 1;
    if (argc != 4 && !(argc == 6 && anb_text_is(argv[4], "WEIGHT")))
        return RedisModule_WrongArity(ctx);
    Model *model = pending_at(ctx, argv[1]);
    if (!model || parse_id(ctx, argv[2], &id))
        return REDISMODULE_OK;
    if (!anb_text_number(argv[3], &y) || y - y != 0)
        return anb_reply_error(ctx, "the target is not a finite number; the row still waits");
    if (argc == 6 && (!anb_text_number(argv[5], &weight) || weight - weight != 0 || weight < 0))
        return anb_reply_error(ctx, "WEIGHT takes a finite number, at least 0");
    AnbPendingFate fate = anb_pending_fate(model->learner, id);
    if (fate != ANB_PENDING_WAITING)
        return refuse(ctx, fate);
    double then = anb_learn_label(model->learner, id, y, weight);
    RedisModule_ReplicateVerbatim(ctx);
    anb_touch(ctx, argv[1], model, "anb.label");
    anb_statistics.trained++;
    anb_reply_number(ctx, then);
    return REDISMODULE_OK;
}
