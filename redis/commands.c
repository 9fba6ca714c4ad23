/* Making, copying, saving and asking. */
#include "module.h"
#include <string.h>

/* ---- ANB.CREATE key expr FEATURES n [SEED s] [IFNOTEXISTS] ------------------------------------------------------ */

typedef struct Creation {
    double features, seed;
    bool if_not_exists;
} Creation;

static bool whole(RedisModuleString *text, double low, double high, double *value)
{
    return anb_text_number(text, value) && *value >= low && *value <= high && *value == (double)(uint64_t)*value;
}

static int parse_creation(RedisModuleCtx *ctx, RedisModuleString **argv, int argc, Creation *c)
{
    *c = (Creation){.seed = 1};
    for (int i = 3; i < argc; i++)
        if (anb_text_is(argv[i], "IFNOTEXISTS"))
            c->if_not_exists = true;
        else if (i + 1 < argc && anb_text_is(argv[i], "FEATURES")) {
            if (!whole(argv[++i], 1, 1 << 20, &c->features))
                return anb_reply_error(ctx, "FEATURES takes a whole number from 1 to %d", 1 << 20), -1;
        } else if (i + 1 < argc && anb_text_is(argv[i], "SEED")) {
            if (!whole(argv[++i], 0, 9007199254740992, &c->seed))
                return anb_reply_error(ctx, "SEED takes a whole number from 0 to 2^53"), -1;
        } else
            return anb_reply_error(ctx, "CREATE takes FEATURES n, SEED s and IFNOTEXISTS"), -1;
    return c->features > 0 ? 0 : (anb_reply_error(ctx, "FEATURES n is missing"), -1);
}

static StreamingLearner *parse_learner(RedisModuleCtx *ctx, RedisModuleString *text, const Creation *c)
{
    AnbModelOptions options = anb_model_options();
    AnbError error = {0};
    size_t n;
    const char *expression = RedisModule_StringPtrLen(text, &n);
    options.seed = (uint64_t)c->seed;
    if (strlen(expression) != n)
        return anb_reply_error(ctx, "the expression holds a zero byte"), NULL;
    StreamingLearner *learner = anb_parse((size_t)c->features, expression, &options, &error);
    if (!learner)
        anb_reply_error(ctx, "at byte %zu: %s", error.position, error.message);
    return learner;
}

/* The expression goes to replicas and the log expanded, every option written out: what a preset means and what a
 * default is may change with the version. Where it has become too long to be read again, a snapshot goes. */
static void replicate_creation(RedisModuleCtx *ctx, RedisModuleString *name, const Model *model, const Creation *c)
{
    enum { TEXT_MAX = 1 << 16 };
    const char *expression = anb_full_expression(model->learner);
    size_t size;
    char *blob = strlen(expression) <= TEXT_MAX ? NULL : anb_model_blob(model, &size);
    if (blob)
        RedisModule_Replicate(ctx, "ANB.RESTORE", "sb", name, blob, size);
    else
        RedisModule_Replicate(ctx, "ANB.CREATE", "scclcl", name, expression, "FEATURES", (long long)c->features, "SEED",
                              (long long)c->seed);
    RedisModule_Free(blob);
}

int anb_command_create(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    Creation c;
    if (argc < 5)
        return RedisModule_WrongArity(ctx);
    if (parse_creation(ctx, argv, argc, &c))
        return REDISMODULE_OK;
    RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
    bool taken = RedisModule_KeyType(key) != REDISMODULE_KEYTYPE_EMPTY;
    bool ours = RedisModule_ModuleTypeGetType(key) == anb_model_type;
    RedisModule_CloseKey(key);
    if (taken && ours && c.if_not_exists)
        return RedisModule_ReplyWithSimpleString(ctx, "EXISTS");
    if (taken)
        return anb_reply_error(ctx, "the key holds something: delete it first, or say IFNOTEXISTS");
    StreamingLearner *learner = parse_learner(ctx, argv[2], &c);
    if (!learner)
        return REDISMODULE_OK;
    Model *model = anb_model_wrap(learner);
    anb_model_store(ctx, argv[1], model);
    replicate_creation(ctx, argv[1], model, &c);
    anb_touch(ctx, argv[1], model, "anb.create");
    return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

/* ---- reset, clone, save, restore -------------------------------------------------------------------------------- */

int anb_command_reset(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    if (argc != 2)
        return RedisModule_WrongArity(ctx);
    Model *model = anb_model_at(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
    if (!model)
        return REDISMODULE_OK;
    anb_reset(model->learner);
    RedisModule_ReplicateVerbatim(ctx);
    anb_touch(ctx, argv[1], model, "anb.reset");
    return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

static bool is_taken(RedisModuleCtx *ctx, RedisModuleString *name)
{
    RedisModuleKey *key = RedisModule_OpenKey(ctx, name, REDISMODULE_READ);
    bool taken = key && RedisModule_KeyType(key) != REDISMODULE_KEYTYPE_EMPTY;
    RedisModule_CloseKey(key);
    return taken;
}

/* Puts a new model at a key and says so everywhere. */
static int deliver(RedisModuleCtx *ctx, RedisModuleString *name, StreamingLearner *learner, const char *event)
{
    Model *model = anb_model_wrap(learner);
    anb_model_store(ctx, name, model);
    RedisModule_ReplicateVerbatim(ctx);
    anb_touch(ctx, name, model, event);
    return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

/* Whether the last argument is REPLACE; anything else there is an error. */
static int parse_replace(RedisModuleCtx *ctx, RedisModuleString **argv, int argc, RedisModuleString *name)
{
    if (argc == 4 && !anb_text_is(argv[3], "REPLACE"))
        return anb_reply_error(ctx, "only REPLACE may follow"), -1;
    if (argc == 3 && is_taken(ctx, name))
        return RedisModule_ReplyWithError(ctx, "BUSYKEY the key holds something: say REPLACE"), -1;
    return 0;
}

int anb_command_clone(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    if (argc != 3 && argc != 4)
        return RedisModule_WrongArity(ctx);
    Model *model = anb_model_at(ctx, argv[1], REDISMODULE_READ);
    if (!model || parse_replace(ctx, argv, argc, argv[2]))
        return REDISMODULE_OK;
    StreamingLearner *copy = anb_clone(model->learner, NULL);
    return copy ? deliver(ctx, argv[2], copy, "anb.clone") : anb_reply_error(ctx, "out of memory");
}

int anb_command_save(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    size_t size;
    if (argc != 2)
        return RedisModule_WrongArity(ctx);
    Model *model = anb_model_at(ctx, argv[1], REDISMODULE_READ);
    if (!model)
        return REDISMODULE_OK;
    char *blob = anb_model_blob(model, &size);
    if (!blob)
        return anb_reply_error(ctx, "this model cannot be saved");
    RedisModule_ReplyWithStringBuffer(ctx, blob, size);
    RedisModule_Free(blob);
    return REDISMODULE_OK;
}

int anb_command_restore(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    AnbModelOptions options = anb_model_options();
    AnbError error = {0};
    size_t size;
    if (argc != 3 && argc != 4)
        return RedisModule_WrongArity(ctx);
    if (parse_replace(ctx, argv, argc, argv[1]))
        return REDISMODULE_OK;
    const char *blob = RedisModule_StringPtrLen(argv[2], &size);
    StreamingLearner *learner = anb_load_memory(blob, size, &options, &error);
    if (!learner)
        return anb_reply_error(ctx, "the snapshot is refused: %s", error.message);
    return deliver(ctx, argv[1], learner, "anb.restore");
}

/* ---- asking ----------------------------------------------------------------------------------------------------- */

static void pair_count(RedisModuleCtx *ctx, const char *key, uint64_t value)
{
    anb_reply_text(ctx, key);
    RedisModule_ReplyWithLongLong(ctx, (long long)value);
}

/* Each source and the last number that it brought, -1 where none. */
static void reply_sources(RedisModuleCtx *ctx, const StreamingLearner *learner)
{
    const AnbSource *sources;
    size_t n = anb_sources(learner, &sources);
    anb_reply_map(ctx, (long)n);
    for (size_t i = 0; i < n; i++)
        pair_count(ctx, sources[i].name, sources[i].next - 1);
}

int anb_command_info(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    if (argc != 2)
        return RedisModule_WrongArity(ctx);
    Model *model = anb_model_at(ctx, argv[1], REDISMODULE_READ);
    if (!model)
        return REDISMODULE_OK;
    const AnbCounters *c = anb_counters(model->learner);
    anb_reply_map(ctx, 14);
    anb_reply_text(ctx, "expression");
    anb_reply_text(ctx, anb_expression(model->learner));
    pair_count(ctx, "features", anb_n_features(model->learner));
    pair_count(ctx, "seed", anb_seed(model->learner));
    pair_count(ctx, "samples", anb_n_samples_seen(model->learner));
    pair_count(ctx, "state_bytes", anb_state_bytes(model->learner));
    pair_count(ctx, "total_bytes", anb_total_bytes(model->learner));
    pair_count(ctx, "queued", model->ticket->queued);
    pair_count(ctx, "missing_cells", c->missing_cells);
    pair_count(ctx, "restarts", c->restarts);
    pair_count(ctx, "weight_skipped", c->weight_skipped);
    pair_count(ctx, "resets", c->resets);
    pair_count(ctx, "drifts", c->drifts);
    anb_reply_text(ctx, "sources");
    reply_sources(ctx, model->learner);
    anb_reply_text(ctx, "version");
    anb_reply_text(ctx, anb_version());
    return REDISMODULE_OK;
}

/* The first mixture of the model at the key; replies the error where there is none. */
static Model *mixture_at(RedisModuleCtx *ctx, RedisModuleString **argv, int argc, AnbMixture *mixture)
{
    if (argc != 2)
        return RedisModule_WrongArity(ctx), NULL;
    Model *model = anb_model_at(ctx, argv[1], REDISMODULE_READ);
    if (model && anb_mixture(model->learner, mixture))
        return anb_reply_error(ctx, "this model holds no mixture"), NULL;
    return model;
}

int anb_command_diag(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    AnbMixture m;
    if (!mixture_at(ctx, argv, argc, &m))
        return REDISMODULE_OK;
    anb_reply_map(ctx, ANB_MIXTURE_PAIRS);
    anb_reply_mixture(ctx, &m);
    return REDISMODULE_OK;
}

int anb_command_version(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    (void)argv;
    return argc == 1 ? RedisModule_ReplyWithSimpleString(ctx, anb_version()) : RedisModule_WrongArity(ctx);
}

int anb_command_experts(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    AnbMixture m;
    Model *model = mixture_at(ctx, argv, argc, &m);
    if (!model)
        return REDISMODULE_OK;
    RedisModule_ReplyWithArray(ctx, (long)m.k);
    for (size_t i = 0; i < m.k; i++) {
        anb_reply_map(ctx, 8);
        anb_reply_text(ctx, "name");
        anb_reply_text(ctx, anb_expert_name(model->learner, i));
        anb_reply_pair(ctx, "weight", m.weight[i]);
        anb_reply_pair(ctx, "probability", m.probability[i]);
        anb_reply_pair(ctx, "utilization", m.utilization[i]);
        anb_reply_pair(ctx, "load", m.load[i]);
        pair_count(ctx, "trained", m.trained[i]);
        anb_reply_pair(ctx, "progress", m.progress[i]);
        pair_count(ctx, "dead", m.dead[i]);
    }
    return REDISMODULE_OK;
}
