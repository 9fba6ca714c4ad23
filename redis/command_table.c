/*
 * The commands: name, arguments, keys and cost of each, as the server and its clients get them by COMMAND DOCS, COMMAND
 * INFO, COMMAND GETKEYS and ACL rules. Servers before version 7 get the number of arguments, flags and keys only.
 */
#include "commands.h"
#include <stdio.h>

/* ---- arguments -------------------------------------------------------------------------------------------------- */

typedef RedisModuleCommandArg Arg;

#define LIST(...)                                                                                                      \
    (Arg[])                                                                                                            \
    {                                                                                                                  \
        __VA_ARGS__,                                                                                                   \
        {                                                                                                              \
            0                                                                                                          \
        }                                                                                                              \
    }
#define KEY                                                                                                            \
    {                                                                                                                  \
        .name = "key", .type = ARG_KEY                                                                                 \
    }
#define NUMBER(called)                                                                                                 \
    {                                                                                                                  \
        .name = called, .type = ARG_DOUBLE                                                                             \
    }
#define NUMBERED(called, type_is, text)                                                                                \
    {                                                                                                                  \
        .name = called, .type = type_is, .summary = text                                                               \
    }
#define CELLS(called)                                                                                                  \
    {                                                                                                                  \
        .name = called, .type = ARG_STRING, .flags = ARG_MULTIPLE                                                      \
    }
#define WHOLE(called)                                                                                                  \
    {                                                                                                                  \
        .name = called, .type = ARG_INTEGER                                                                            \
    }
#define TEXT(called)                                                                                                   \
    {                                                                                                                  \
        .name = called, .type = ARG_STRING                                                                             \
    }
#define ROWS(...)                                                                                                      \
    {                                                                                                                  \
        .name = "row", .type = ARG_BLOCK, .flags = ARG_MULTIPLE, .subargs = LIST(__VA_ARGS__)                          \
    }
/* A row: its cells in order or by name. */
#define NAMED                                                                                                          \
    {                                                                                                                  \
        .name = "field", .type = ARG_BLOCK, .flags = ARG_MULTIPLE, .subargs = LIST(TEXT("column"), TEXT("cell"))       \
    }
#define FIELDS                                                                                                         \
    {                                                                                                                  \
        .name = "fields", .type = ARG_BLOCK, .token = "FIELDS", .subargs = LIST(WHOLE("n"), NAMED)                     \
    }
#define ROW                                                                                                            \
    {                                                                                                                  \
        .name = "row", .type = ARG_ONEOF, .subargs = LIST(CELLS("x"), FIELDS)                                          \
    }
#define WORD(called, word)                                                                                             \
    {                                                                                                                  \
        .name = called, .type = ARG_TOKEN, .token = word, .flags = ARG_OPTIONAL                                        \
    }
#define OPTION(called, kind, word)                                                                                     \
    {                                                                                                                  \
        .name = called, .type = kind, .token = word, .flags = ARG_OPTIONAL                                             \
    }
#define WEIGHT OPTION("weight", ARG_DOUBLE, "WEIGHT")
#define SEQ                                                                                                            \
    {                                                                                                                  \
        .name = "sequence", .type = ARG_BLOCK, .token = "SEQ", .flags = ARG_OPTIONAL,                                  \
        .subargs = LIST(TEXT("source"), WHOLE("n"))                                                                    \
    }
#define REPLACE WORD("replace", "REPLACE")

/* ---- keys ------------------------------------------------------------------------------------------------------- */

enum {
    MAKES = KEYSPEC_OW | KEYSPEC_INSERT,
    PUTS = KEYSPEC_OW | KEYSPEC_UPDATE,
    LEARNS = KEYSPEC_RW | KEYSPEC_ACCESS | KEYSPEC_UPDATE,
    CLEARS = KEYSPEC_RW | KEYSPEC_UPDATE,
    READS = KEYSPEC_RO | KEYSPEC_ACCESS
};

/* ---- the commands ----------------------------------------------------------------------------------------------- */

typedef struct Command {
    const char *name;
    RedisModuleCmdFunc run;
    const char *flags;
    int arity;                /* negative: at least */
    uint64_t key, second_key; /* what is done to the first argument and the second; 0: it is no key */
    const char *category, *summary, *complexity;
    Arg *arguments;
    int second_at;     /* where the second key stands; 0: at 2 */
    const char *since; /* NULL: the first release */
} Command;

static const char numbered_target[] = "The target; y@source:n numbers the command as SEQ source n does.";
static const char numbered_count[] = "The count of rows; count@source:n numbers the command as SEQ source n does.";

static const Command commands[] = {
    {"anb.create", anb_command_create, "write deny-oom", -5, MAKES, 0, "write", "Makes a model.",
     "O(size of the model)",
     LIST(KEY, TEXT("expression"), OPTION("n", ARG_INTEGER, "FEATURES"),
          {.name = "column", .type = ARG_STRING, .token = "COLUMNS", .flags = ARG_OPTIONAL | ARG_MULTIPLE},
          OPTION("target", ARG_STRING, "TARGET"), OPTION("seed", ARG_INTEGER, "SEED"),
          WORD("ifnotexists", "IFNOTEXISTS"))},
    {"anb.train", anb_command_train, "write deny-oom", -4, LEARNS, 0, "write",
     "Learns one sample and replies what the model predicted before.", "One update of the model",
     LIST(KEY, NUMBERED("y", ARG_DOUBLE, numbered_target), ROW, WEIGHT, SEQ, WORD("withdiag", "WITHDIAG"))},
    {"anb.mtrain", anb_command_mtrain, "write deny-oom", -5, LEARNS, 0, "write",
     "Learns many samples and replies what the model predicted before each.", "O(N) updates, N the count of rows",
     LIST(KEY, NUMBERED("count", ARG_INTEGER, numbered_count), ROWS(NUMBER("y"), CELLS("x")), WEIGHT, SEQ)},
    {"anb.trainb", anb_command_trainb, "write deny-oom", -3, LEARNS, 0, "write",
     "Learns packed samples, rows of little-endian doubles y x1 .. xn, and replies the predictions packed.",
     "O(N) updates, N the count of rows", LIST(KEY, TEXT("blob"), WEIGHT, SEQ)},
    {"anb.predict", anb_command_predict, "readonly", -3, READS, 0, "read", "Predicts one row.",
     "One prediction of the model",
     LIST(KEY, ROW, OPTION("coverage", ARG_DOUBLE, "WITHINTERVAL"), WORD("withquantiles", "WITHQUANTILES"))},
    {"anb.interval", anb_command_interval, "readonly", -4, READS, 0, "read",
     "Replies the ends of the interval that holds the target of a row with a given coverage.",
     "One prediction of the model", LIST(KEY, NUMBER("coverage"), ROW), .since = "0.2.0"},
    {"anb.mpredict", anb_command_mpredict, "readonly", -4, READS, 0, "read", "Predicts many rows.",
     "O(N) predictions, N the count of rows", LIST(KEY, WHOLE("count"), CELLS("x"))},
    {"anb.predictb", anb_command_predictb, "readonly", 3, READS, 0, "read",
     "Predicts packed rows of little-endian doubles x1 .. xn and replies the predictions packed.",
     "O(N) predictions, N the count of rows", LIST(KEY, TEXT("blob"))},
    {"anb.pending", anb_command_pending, "write deny-oom", -4, LEARNS, 0, "write",
     "Predicts one row and keeps it in the model until its label comes.", "One prediction of the model",
     LIST(KEY, TEXT("id"), ROW)},
    {"anb.label", anb_command_label, "write deny-oom", -4, LEARNS, 0, "write",
     "Learns the label of a pending row and replies the prediction that was made for it.", "One update of the model",
     LIST(KEY, TEXT("id"), NUMBERED("y", ARG_DOUBLE, numbered_target), WEIGHT, SEQ)},
    {"anb.feed", anb_command_feed, "write deny-oom getkeys-api", -4, LEARNS, READS, "write",
     "Learns the entries of a stream that the model has not read yet.", "O(N) updates, N the count of entries",
     LIST(KEY, {.name = "stream", .type = ARG_KEY, .key_spec_index = 1, .token = "STREAM"},
          OPTION("count", ARG_INTEGER, "COUNT"), OPTION("milliseconds", ARG_INTEGER, "BLOCK"),
          OPTION("field", ARG_STRING, "TARGET"), OPTION("id", ARG_STRING, "UPTO")),
     .second_at = 3, .since = "0.2.0"},
    {"anb.background", anb_command_background, "write deny-oom", 3, CLEARS, 0, "write",
     "Keeps some of the rows that are learned from now on, for explanations.", "O(1)", LIST(KEY, WHOLE("rows")),
     .since = "0.3.0"},
    {"anb.explain", anb_command_explain, "readonly", -3, READS, 0, "read",
     "What each column of a row adds to its prediction, compared with the rows that are kept.",
     "O(R * N) predictions, R the rows that are kept and N the columns; O(R) where values are exact", LIST(KEY, ROW),
     .since = "0.3.0"},
    {"anb.info", anb_command_info, "readonly", 2, READS, 0, "read", "The properties and counters of a model.", "O(1)",
     LIST(KEY)},
    {"anb.diag", anb_command_diag, "readonly", 2, READS, 0, "read", "The state of a model's mixture at the last row.",
     "O(1)", LIST(KEY)},
    {"anb.experts", anb_command_experts, "readonly", 2, READS, 0, "read",
     "The experts of a model's mixture, one by one.", "O(N), N the count of experts", LIST(KEY)},
    {"anb.importance", anb_command_importance, "readonly", -2, READS, 0, "read",
     "How much each column matters, measured while the model learns.", "O(N), N the count of columns",
     LIST(KEY, OPTION("rows", ARG_INTEGER, "EVERY")), .since = "0.3.0"},
    {"anb.reset", anb_command_reset, "write", 2, CLEARS, 0, "write", "Resets a model to its initial state.",
     "O(size of the model)", LIST(KEY)},
    {"anb.clone", anb_command_clone, "write deny-oom", -3, READS, PUTS, "write", "Copies a model to another key.",
     "O(size of the model)", LIST(KEY, {.name = "destination", .type = ARG_KEY, .key_spec_index = 1}, REPLACE)},
    {"anb.save", anb_command_save, "readonly", 2, READS, 0, "read", "Replies a model as a snapshot.",
     "O(size of the model)", LIST(KEY)},
    {"anb.restore", anb_command_restore, "write deny-oom", -3, PUTS, 0, "write", "Makes a model from a snapshot.",
     "O(size of the model)", LIST(KEY, TEXT("blob"), REPLACE)},
    {"anb.version", anb_command_version, "readonly fast", 1, 0, 0, "read",
     "Replies the version of the library that runs.", "O(1)", NULL},
};

enum { N_COMMANDS = sizeof commands / sizeof *commands };

static int second_at(const Command *c)
{
    return c->second_at ? c->second_at : 2;
}

static RedisModuleCommandKeySpec key_at(int position, uint64_t flags)
{
    return (RedisModuleCommandKeySpec){.flags = flags,
                                       .begin_search_type = KEYSPEC_BEGIN_INDEX,
                                       .bs.index.pos = position,
                                       .find_keys_type = KEYSPEC_FIND_RANGE,
                                       .fk.range = {0, 1, 0}};
}

/* Describes the command to servers of version 7 and later. */
static int describe(RedisModuleCommand *command, const Command *c)
{
    static const RedisModuleCommandInfoVersion version = {1, sizeof(RedisModuleCommandHistoryEntry),
                                                          sizeof(RedisModuleCommandKeySpec), sizeof(Arg)};
    RedisModuleCommandKeySpec keys[3] = {{.flags = 0}};
    RedisModuleCommandInfo info = {.version = &version, .summary = c->summary, .complexity = c->complexity};
    if (c->key)
        keys[0] = key_at(1, c->key);
    if (c->second_key)
        keys[1] = key_at(second_at(c), c->second_key);
    info.since = c->since ? c->since : "0.1.0";
    info.arity = c->arity;
    info.key_specs = c->key ? keys : NULL;
    info.args = c->arguments;
    return RedisModule_SetCommandInfo(command, &info) == REDISMODULE_OK ? 0 : -1;
}

static int categorise(RedisModuleCommand *command, const Command *c)
{
    char categories[32];
    snprintf(categories, sizeof categories, "anabranch %s", c->category);
    return RedisModule_SetCommandACLCategories(command, categories) == REDISMODULE_OK ? 0 : -1;
}

static int register_command(RedisModuleCtx *ctx, const Command *c)
{
    int first_key = c->key != 0, last_key = c->second_key ? second_at(c) : first_key;
    int step = c->second_key ? last_key - first_key : first_key;
    if (RedisModule_CreateCommand(ctx, c->name, c->run, c->flags, first_key, last_key, step) != REDISMODULE_OK)
        return -1;
    RedisModuleCommand *command = RedisModule_GetCommand ? RedisModule_GetCommand(ctx, c->name) : NULL;
    if (command && RedisModule_SetCommandInfo && describe(command, c))
        return -1;
    return command && RedisModule_AddACLCategory && RedisModule_SetCommandACLCategories ? categorise(command, c) : 0;
}

int anb_register_commands(RedisModuleCtx *ctx)
{
    if (RedisModule_AddACLCategory && RedisModule_AddACLCategory(ctx, "anabranch") != REDISMODULE_OK)
        return -1;
    for (int i = 0; i < N_COMMANDS; i++)
        if (register_command(ctx, &commands[i]))
            return -1;
    return 0;
}
