/* The module itself: its commands, its settings, its section of INFO. */
#include "module.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

Statistics anb_statistics;
long long anb_inline_us = 500, anb_max_model_bytes = (long long)1 << 30;

uint64_t anb_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- commands ------------------------------------------------------------------------------------------------------------ */

typedef struct Command {
    const char *name;
    RedisModuleCmdFunc run;
    const char *flags;
    int arity;          /* negative: at least */
    int keys;           /* 0; 1; 2: source and destination */
    uint64_t key_flags;
    const char *categories, *summary, *complexity;
} Command;

#define MAKES (KEYSPEC_OW | KEYSPEC_INSERT)
#define LEARNS (KEYSPEC_RW | KEYSPEC_ACCESS | KEYSPEC_UPDATE)
#define READS (KEYSPEC_RO | KEYSPEC_ACCESS)

static const Command commands[] = {
    {"anb.create", anb_command_create, "write deny-oom", -5, 1, MAKES, "write",
     "Makes a model: key expression FEATURES n [SEED s] [IFNOTEXISTS]", "O(size of the model)"},
    {"anb.train", anb_command_train, "write deny-oom", -4, 1, LEARNS, "write",
     "Learns one sample, replies what the model predicted before: key y x1 .. xn [WEIGHT w] [WITHDIAG]", "one update"},
    {"anb.mtrain", anb_command_mtrain, "write deny-oom", -5, 1, LEARNS, "write",
     "Learns many samples: key count (y x1 .. xn) .. [WEIGHT w]", "an update a row"},
    {"anb.trainb", anb_command_trainb, "write deny-oom", -3, 1, LEARNS, "write",
     "Learns packed samples: key blob [WEIGHT w], rows of little-endian doubles y x1 .. xn", "an update a row"},
    {"anb.predict", anb_command_predict, "readonly", -3, 1, READS, "read", "Predicts one row: key x1 .. xn",
     "one prediction"},
    {"anb.mpredict", anb_command_mpredict, "readonly", -4, 1, READS, "read", "Predicts many rows: key count (x1 .. xn) ..",
     "a prediction a row"},
    {"anb.predictb", anb_command_predictb, "readonly", 3, 1, READS, "read",
     "Predicts packed rows: key blob, rows of little-endian doubles x1 .. xn", "a prediction a row"},
    {"anb.pending", anb_command_pending, "write deny-oom", -4, 1, LEARNS, "write",
     "Predicts one row and keeps it until its label comes: key id x1 .. xn", "one prediction"},
    {"anb.label", anb_command_label, "write deny-oom", -4, 1, LEARNS, "write",
     "The label of a row that waits, replies what was answered then: key id y [WEIGHT w]", "one update"},
    {"anb.info", anb_command_info, "readonly", 2, 1, READS, "read", "What a model is and what it counted: key", "O(1)"},
    {"anb.diag", anb_command_diag, "readonly", 2, 1, READS, "read", "What its mixture showed last: key", "O(1)"},
    {"anb.experts", anb_command_experts, "readonly", 2, 1, READS, "read", "Its experts, one by one: key", "O(experts)"},
    {"anb.reset", anb_command_reset, "write", 2, 1, LEARNS, "write", "Back to the initial state: key",
     "O(size of the model)"},
    {"anb.clone", anb_command_clone, "write deny-oom", -3, 2, LEARNS, "write",
     "Copies a model to another key: key destination [REPLACE]", "O(size of the model)"},
    {"anb.save", anb_command_save, "readonly", 2, 1, READS, "read", "The model as a snapshot: key", "O(size of the model)"},
    {"anb.restore", anb_command_restore, "write deny-oom", -3, 1, MAKES, "write",
     "A model from a snapshot: key blob [REPLACE]", "O(size of the model)"},
    {"anb.version", anb_command_version, "readonly fast", 1, 0, 0, "read", "The version of the library that runs", "O(1)"},
};

enum { N_COMMANDS = sizeof commands / sizeof *commands };

/* What a server of version 7 or later wants to know beyond the call itself. */
static int describe(RedisModuleCtx *ctx, const Command *c)
{
    static const RedisModuleCommandInfoVersion version = {1, sizeof(RedisModuleCommandHistoryEntry),
                                                          sizeof(RedisModuleCommandKeySpec),
                                                          sizeof(RedisModuleCommandArg)};
    RedisModuleCommand *command = RedisModule_GetCommand(ctx, c->name);
    RedisModuleCommandKeySpec keys[2] = {{.flags = c->key_flags,
                                          .begin_search_type = KEYSPEC_BEGIN_INDEX,
                                          .bs.index.pos = 1,
                                          .find_keys_type = KEYSPEC_FIND_RANGE,
                                          .fk.range = {c->keys - 1, 1, 0}},
                                         {.flags = 0}};
    RedisModuleCommandInfo info = {.version = &version, .summary = c->summary, .complexity = c->complexity};
    info.since = "0.1.0";
    info.arity = c->arity;
    info.key_specs = c->keys > 0 ? keys : NULL;
    if (!command || RedisModule_SetCommandInfo(command, &info) != REDISMODULE_OK)
        return -1;
    if (RedisModule_AddACLCategory && RedisModule_SetCommandACLCategories) {
        char categories[32];
        snprintf(categories, sizeof categories, "anabranch %s", c->categories);
        return RedisModule_SetCommandACLCategories(command, categories) == REDISMODULE_OK ? 0 : -1;
    }
    return 0;
}

static int register_commands(RedisModuleCtx *ctx)
{
    if (RedisModule_AddACLCategory && RedisModule_AddACLCategory(ctx, "anabranch") != REDISMODULE_OK)
        return -1;
    for (int i = 0; i < N_COMMANDS; i++) {
        const Command *c = &commands[i];
        if (RedisModule_CreateCommand(ctx, c->name, c->run, c->flags, c->keys > 0, c->keys, c->keys > 0) != REDISMODULE_OK)
            return -1;
        if (RedisModule_GetCommand && RedisModule_SetCommandInfo && describe(ctx, c))
            return -1;
    }
    return 0;
}

/* ---- settings ------------------------------------------------------------------------------------------------------------- */

typedef struct Setting {
    const char *name;
    long long *value;
    long long low, high;
} Setting;

static const Setting settings[] = {
    {"inline-microseconds", &anb_inline_us, 0, 60000000},
    {"max-model-bytes", &anb_max_model_bytes, 4096, (long long)1 << 40},
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
        if (RedisModule_RegisterNumericConfig(ctx, s->name, *s->value, 0, s->low, s->high, get_setting, set_setting, NULL,
                                              (void *)s) != REDISMODULE_OK)
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
            !(value >= (double)found->low && value <= (double)found->high)) {
            RedisModule_Log(ctx, "warning", "anabranch takes: inline-microseconds n, max-model-bytes n");
            return -1;
        }
        *found->value = (long long)value;
    }
    return 0;
}

/* ---- INFO anabranch -------------------------------------------------------------------------------------------------------- */

static void info(RedisModuleInfoCtx *ctx, int crashed)
{
    const Statistics *s = &anb_statistics;
    (void)crashed;
    RedisModule_InfoAddSection(ctx, "");
    RedisModule_InfoAddFieldULongLong(ctx, "models", anb_shelf_models());
    RedisModule_InfoAddFieldULongLong(ctx, "plans", anb_shelf_plans());
    RedisModule_InfoAddFieldULongLong(ctx, "samples_trained", s->trained);
    RedisModule_InfoAddFieldULongLong(ctx, "rows_predicted", s->predicted);
    RedisModule_InfoAddFieldULongLong(ctx, "commands_rejected", s->rejected);
    RedisModule_InfoAddFieldULongLong(ctx, "commands_queued", s->queued);
    RedisModule_InfoAddFieldULongLong(ctx, "commands_retried", s->retried);
    RedisModule_InfoAddFieldDouble(ctx, "inline_seconds", (double)s->inline_ns / 1e9);
    RedisModule_InfoAddFieldDouble(ctx, "worker_seconds", (double)s->worker_ns / 1e9);
    RedisModule_InfoAddFieldDouble(ctx, "longest_inline_microseconds", (double)s->longest_inline_ns / 1e3);
}

__attribute__((visibility("default"))) int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);

int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    enum { MODULE_VERSION = 100 };
    if (anb_redis_resolve(ctx) || RedisModule_IsModuleNameBusy("anabranch"))
        return REDISMODULE_ERR;
    RedisModule_SetModuleAttribs(ctx, "anabranch", MODULE_VERSION, REDISMODULE_APIVER_1);
    RedisModule_SetModuleOptions(ctx, REDISMODULE_OPTIONS_HANDLE_IO_ERRORS);
    if (anb_register_type(ctx) || register_commands(ctx) || register_settings(ctx) || parse_arguments(ctx, argv, argc))
        return REDISMODULE_ERR;
    RedisModule_RegisterInfoFunc(ctx, info);
    return anb_worker_start() ? REDISMODULE_ERR : REDISMODULE_OK;
}
