/* Copying and saving models, and reading their state. */
#include "commands.h"
#include "background.h"
#include "beside.h"
#include "model.h"
#include "reply.h"
#include "text.h"
#include <anabranch/anabranch.h>
#include <anabranch/number.h>
#include <anabranch/pending.h>
#include <anabranch/quantile.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- reset, clone, save, restore -------------------------------------------------------------------------------- */

int anb_command_reset(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    if (argc != 2)
        return RedisModule_WrongArity(ctx);
    Model *model = anb_model_at(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
    if (!model)
        return REDISMODULE_OK;
    anb_settle(model);
    anb_reset(model->learner);
    anb_beside_reset(model);
    model->answers = false;
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

/* Puts a new model at a key, replicates it and notifies. */
static int deliver(RedisModuleCtx *ctx, RedisModuleString *name, Model *model, const char *event)
{
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
        return RedisModule_ReplyWithError(ctx, "BUSYKEY the key exists already: add REPLACE"), -1;
    return 0;
}

int anb_command_clone(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    if (argc != 3 && argc != 4)
        return RedisModule_WrongArity(ctx);
    Model *model = anb_model_at(ctx, argv[1], REDISMODULE_READ);
    if (!model || parse_replace(ctx, argv, argc, argv[2]))
        return REDISMODULE_OK;
    Model *copy = anb_model_copy(model);
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
    char *blob = anb_model_blob(model, false, &size);
    if (!blob)
        return anb_reply_error(ctx, "this model cannot be saved");
    RedisModule_ReplyWithStringBuffer(ctx, blob, size);
    RedisModule_Free(blob);
    return REDISMODULE_OK;
}

int anb_command_restore(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    AnbError error = {0};
    size_t size;
    if (argc != 3 && argc != 4)
        return RedisModule_WrongArity(ctx);
    if (parse_replace(ctx, argv, argc, argv[1]))
        return REDISMODULE_OK;
    const char *blob = RedisModule_StringPtrLen(argv[2], &size);
    Model *model = anb_model_load(blob, size, &error);
    if (!model)
        return anb_reply_error(ctx, "the snapshot is refused: %s%s", error.message, anb_model_remedy(&error));
    return deliver(ctx, argv[1], model, "anb.restore");
}

/* ---- asking ----------------------------------------------------------------------------------------------------- */

static void pair_count(RedisModuleCtx *ctx, const char *key, uint64_t value)
{
    anb_reply_text(ctx, key);
    RedisModule_ReplyWithLongLong(ctx, (long long)value);
}

/* Each source and its last number, -1 where there is none. */
static void reply_sources(RedisModuleCtx *ctx, const StreamingLearner *learner)
{
    const AnbSource *sources;
    size_t n = anb_sources(learner, &sources);
    anb_reply_map(ctx, (long)n);
    for (size_t i = 0; i < n; i++)
        pair_count(ctx, sources[i].name, sources[i].next - 1);
}

static void reply_scores(RedisModuleCtx *ctx, const Scores *s)
{
    double n = (double)s->n;
    anb_reply_pair(ctx, "rmse", s->n ? sqrt(s->square / n) : ANB_NAN);
    anb_reply_pair(ctx, "mae", s->n ? s->absolute / n : ANB_NAN);
    anb_reply_pair(ctx, "rmse_recent", s->n ? sqrt(s->faded_square) : ANB_NAN);
    anb_reply_pair(ctx, "mae_recent", s->n ? s->faded_absolute : ANB_NAN);
}

/* Of each coverage of the model's intervals: the share of targets that they held. */
static void reply_coverage(RedisModuleCtx *ctx, const char *called, const Model *model, const double *held, uint64_t of)
{
    const double *level;
    size_t n = anb_interval_levels(model->learner, &level);
    anb_reply_text(ctx, called);
    anb_reply_map(ctx, (long)n);
    for (size_t i = 0; i < n; i++) {
        char text[ANB_NUMBER_SIZE + 1];
        text[anb_number_format(level[i], text)] = 0;
        anb_reply_pair(ctx, text, of > 0 ? held[i] / (double)of : ANB_NAN);
    }
}

/* The levels that WITHQUANTILES answers, none where the model has none. */
static void reply_levels(RedisModuleCtx *ctx, const StreamingLearner *learner)
{
    const double *level = NULL;
    size_t n = anb_quantile_levels(learner, &level);
    anb_reply_text(ctx, "quantiles");
    RedisModule_ReplyWithArray(ctx, (long)n);
    for (size_t i = 0; i < n; i++)
        anb_reply_number(ctx, level[i]);
}

static void pair_id(RedisModuleCtx *ctx, const char *key, RedisModuleStreamID id)
{
    char text[48];
    snprintf(text, sizeof text, "%llu-%llu", (unsigned long long)id.ms, (unsigned long long)id.seq);
    anb_reply_text(ctx, key);
    anb_reply_text(ctx, text);
}

static void reply_streams(RedisModuleCtx *ctx, const Feeds *feeds)
{
    size_t n = feeds ? feeds->n : 0;
    anb_reply_map(ctx, (long)n);
    for (size_t i = 0; i < n; i++) {
        const Feed *f = &feeds->feed[i];
        anb_reply_text(ctx, f->stream);
        anb_reply_map(ctx, 5);
        pair_id(ctx, "last_id", f->last);
        pair_count(ctx, "learned", f->learned);
        pair_count(ctx, "bad", f->bad);
        pair_id(ctx, "last_bad_id", f->bad_id);
        pair_count(ctx, "gaps", f->gaps);
    }
}

int anb_command_info(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    if (argc != 2)
        return RedisModule_WrongArity(ctx);
    Model *model = anb_model_at(ctx, argv[1], REDISMODULE_READ);
    if (!model)
        return REDISMODULE_OK;
    const AnbCounters *c = anb_counters(model->learner);
    anb_reply_map(ctx, 27);
    anb_reply_text(ctx, "expression");
    anb_reply_text(ctx, anb_expression(model->learner));
    pair_count(ctx, "features", anb_n_features(model->learner));
    anb_reply_text(ctx, "columns");
    anb_reply_text(ctx, model->schema ? anb_schema_text(model->schema) : "");
    anb_reply_text(ctx, "target");
    anb_reply_text(ctx, model->kept && model->kept->extras.target ? model->kept->extras.target : "");
    pair_count(ctx, "seed", anb_seed(model->learner));
    pair_count(ctx, "samples", anb_n_samples_seen(model->learner));
    pair_count(ctx, "state_bytes", anb_state_bytes(model->learner));
    pair_count(ctx, "total_bytes", anb_total_bytes(model->learner));
    pair_count(ctx, "waiting", anb_n_pending(model->learner));
    pair_count(ctx, "notes", model->kept ? model->kept->extras.n_notes : 0);
    pair_count(ctx, "queued", anb_ticket_queued(model));
    pair_count(ctx, "missing_cells", c->missing_cells);
    pair_count(ctx, "restarts", c->restarts);
    pair_count(ctx, "weight_skipped", c->weight_skipped);
    pair_count(ctx, "resets", c->resets);
    pair_count(ctx, "drifts", c->drifts);
    reply_scores(ctx, &model->scores);
    static const Held none;
    const Held *held = model->scores.held ? model->scores.held : &none;
    reply_coverage(ctx, "coverage", model, held->held, held->asked);
    reply_coverage(ctx, "coverage_recent", model, held->faded, held->asked > 0);
    reply_levels(ctx, model->learner);
    pair_count(ctx, "background", anb_background_used(model->background));
    anb_reply_text(ctx, "streams");
    reply_streams(ctx, model->feeds);
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
    Model *model = mixture_at(ctx, argv, argc, &m);
    if (!model)
        return REDISMODULE_OK;
    if (model->answers) /* the last row was only predicted: its target is unknown */
        m.target = m.error = ANB_NAN;
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
