/* The module: settings, section of INFO, loading. */
#include "commands.h"
#include "model.h"
#include "plan_cache.h"
#include "statistics.h"
#include "text.h"
#include "worker.h"

/* ---- settings --------------------------------------------------------------------------------------------------- */

typedef struct Setting {
    const char *name;
    long long *value;
    long long low, high;
} Setting;

static const Setting settings[] = {
    {"inline-microseconds", &anb_inline_us, 0, 60000000},
    {"max-model-bytes", &anb_max_model_bytes, 4096, (long long)1 << 40},
    {"workers", &anb_workers, 1, 64},
};

enum { N_SETTINGS = sizeof settings / sizeof *settings };

static long long get_setting(const char *name, void *data)
{
    (void)name;
    return *((const Setting *)data)->value;
}

static int set_setting(const char *name, long long value, void *data, RedisModuleString **error)
{
    (void)name, (void)error;
    *((const Setting *)data)->value = value;
    return REDISMODULE_OK;
}

static int register_settings(RedisModuleCtx *ctx)
{
    if (!RedisModule_RegisterNumericConfig || !RedisModule_LoadConfigs)
        return 0;
    for (int i = 0; i < N_SETTINGS; i++) {
        const Setting *s = &settings[i];
        if (RedisModule_RegisterNumericConfig(ctx, s->name, *s->value, 0, s->low, s->high, get_setting, set_setting,
                                              NULL, (void *)s) != REDISMODULE_OK)
            return -1;
    }
    return RedisModule_LoadConfigs(ctx) == REDISMODULE_OK ? 0 : -1;
}

/* `loadmodule anabranch.so inline-microseconds 200`: the only way on servers before version 7. */
static int parse_arguments(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    for (int i = 0; i < argc; i += 2) {
        const Setting *found = NULL;
        double value;
        for (int j = 0; j < N_SETTINGS; j++)
            if (anb_text_is(argv[i], settings[j].name))
                found = &settings[j];
        if (!found || i + 1 == argc || !anb_text_number(argv[i + 1], &value) ||
            !(value >= (double)found->low && value <= (double)found->high) || value != (double)(long long)value) {
            RedisModule_Log(ctx, "warning",
                            "anabranch takes: inline-microseconds 0 .. %lld, max-model-bytes %lld .. %lld, "
                            "workers %lld .. %lld",
                            settings[0].high, settings[1].low, settings[1].high, settings[2].low, settings[2].high);
            return -1;
        }
        *found->value = (long long)value;
    }
    return 0;
}

/* ---- INFO anabranch --------------------------------------------------------------------------------------------- */

static void info(RedisModuleInfoCtx *ctx, int crashed)
{
    const Statistics *s = &anb_statistics;
    (void)crashed;
    RedisModule_InfoAddSection(ctx, "");
    RedisModule_InfoAddFieldULongLong(ctx, "models", anb_plan_cache_models());
    RedisModule_InfoAddFieldULongLong(ctx, "plans", anb_plan_cache_plans());
    RedisModule_InfoAddFieldULongLong(ctx, "samples_trained", s->trained);
    RedisModule_InfoAddFieldULongLong(ctx, "rows_predicted", s->predicted);
    RedisModule_InfoAddFieldULongLong(ctx, "commands_rejected", s->rejected);
    RedisModule_InfoAddFieldULongLong(ctx, "commands_repeated", s->repeated);
    RedisModule_InfoAddFieldULongLong(ctx, "commands_queued", s->queued);
    RedisModule_InfoAddFieldULongLong(ctx, "commands_retried", s->retried);
    RedisModule_InfoAddFieldULongLong(ctx, "defrag_moves", s->moved);
    RedisModule_InfoAddFieldDouble(ctx, "inline_seconds", (double)s->inline_ns / 1e9);
    RedisModule_InfoAddFieldDouble(ctx, "worker_seconds", (double)s->worker_ns / 1e9);
    RedisModule_InfoAddFieldDouble(ctx, "longest_inline_microseconds", (double)s->longest_inline_ns / 1e3);
}

/* Options that the module declares to the server. It signals modified keys itself (anb_touch). It can load a second
 * data set while the present one is in use, since models share only plans. It can move slots atomically: models are
 * rewritten as commands, and the worker does not write while the server pauses writes, or to a key that no longer
 * exists. */
static void declare_options(RedisModuleCtx *ctx)
{
    int options = REDISMODULE_OPTIONS_HANDLE_IO_ERRORS | REDISMODULE_OPTION_NO_IMPLICIT_SIGNAL_MODIFIED |
                  REDISMODULE_OPTIONS_HANDLE_REPL_ASYNC_LOAD;
    if (anb_redis_is_valkey)
        options |= VALKEYMODULE_OPTIONS_HANDLE_ATOMIC_SLOT_MIGRATION;
    RedisModule_SetModuleOptions(ctx, options);
}

__attribute__((visibility("default"))) int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    enum { MODULE_VERSION = 100 };
    if (anb_redis_resolve(ctx) || RedisModule_IsModuleNameBusy("anabranch"))
        return REDISMODULE_ERR;
    RedisModule_SetModuleAttribs(ctx, "anabranch", MODULE_VERSION, REDISMODULE_APIVER_1);
    declare_options(ctx);
    if (anb_register_type(ctx) || anb_register_commands(ctx) || register_settings(ctx) ||
        parse_arguments(ctx, argv, argc))
        return REDISMODULE_ERR;
    RedisModule_RegisterInfoFunc(ctx, info);
    return anb_worker_start(ctx) ? REDISMODULE_ERR : REDISMODULE_OK;
}
