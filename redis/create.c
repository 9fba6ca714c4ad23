/* ANB.CREATE key expr (FEATURES n | COLUMNS name[:kind] ..) [TARGET name] [SEED s] [IFNOTEXISTS] */
#include "caller.h"
#include "commands.h"
#include "kept.h"
#include "model.h"
#include "reply.h"
#include "text.h"
#include <string.h>

typedef struct Creation {
    double features, seed;
    bool if_not_exists;
    RedisModuleString *target; /* or NULL */
    AnbSchema *schema;         /* or NULL */
    unsigned given;            /* a bit for each option that was given */
    const char *repeated;      /* one that was given twice, or NULL */
} Creation;

typedef enum Word { SEED, TARGET, FEATURES, COLUMNS, IFNOTEXISTS, NO_WORD } Word;
static const char *const words[NO_WORD] = {"SEED", "TARGET", "FEATURES", "COLUMNS", "IFNOTEXISTS"};

static bool whole(RedisModuleString *text, double low, double high, double *value)
{
    return anb_text_number(text, value) && *value >= low && *value <= high && *value == (double)(uint64_t)*value;
}

static Word word_of(RedisModuleString *text)
{
    int word = 0;
    while (word < NO_WORD && !anb_text_is(text, words[word]))
        word++;
    return (Word)word;
}

/* ---- columns ----------------------------------------------------------------------------------------------------- */

/* Bytes before the colon of a kind; all of them where there is none. */
static size_t name_length(const char *item, size_t n)
{
    AnbColumn column;
    for (size_t i = n; i-- > 0;)
        if (item[i] == ':')
            return anb_column_kind(item + i + 1, n - i - 1, &column) == 0 ? i : n;
    return n;
}

static bool starts(const char *item, size_t n, const char *with)
{
    return n >= strlen(with) && memcmp(item, with, strlen(with)) == 0;
}

/* One item of the schema's text: a name is quoted, unless it is already; a setting stays. At most 2 n + 3 bytes. */
static char *put_item(char *at, const char *item, size_t n)
{
    bool as_it_is = starts(item, n, "\"") || starts(item, n, "missing=") || starts(item, n, "decimal=");
    size_t name = as_it_is ? 0 : name_length(item, n);
    if (!as_it_is)
        *at++ = '"';
    for (size_t i = 0; i < name; i++) {
        *at++ = item[i];
        if (item[i] == '"')
            *at++ = '"';
    }
    if (!as_it_is)
        *at++ = '"';
    memcpy(at, item + name, n - name);
    at += n - name;
    *at++ = ' ';
    return at;
}

static int parse_columns(RedisModuleCtx *ctx, RedisModuleString **argv, int n, Creation *c)
{
    AnbSchemaOptions options = anb_schema_options();
    AnbError error = {0};
    size_t room = 1, size;
    for (int i = 0; i < n; i++) {
        RedisModule_StringPtrLen(argv[i], &size);
        room += 2 * size + 3;
    }
    char *text = RedisModule_Alloc(room), *at = text;
    for (int i = 0; i < n; i++) {
        const char *item = RedisModule_StringPtrLen(argv[i], &size);
        at = put_item(at, item, size);
    }
    *at = 0;
    c->schema = strlen(text) == (size_t)(at - text) ? anb_schema_parse(text, &options, &error) : NULL;
    RedisModule_Free(text);
    if (c->schema)
        return 0;
    return anb_reply_error(ctx, "COLUMNS: %s", error.code ? error.message : "a name holds a zero byte"), -1;
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

static int columns_at(RedisModuleCtx *ctx, RedisModuleString **argv, int argc, int at, Creation *c)
{
    int end = at;
    while (end < argc && word_of(argv[end]) == NO_WORD)
        end++;
    if (c->schema)
        return anb_reply_error(ctx, "COLUMNS is given twice"), -1;
    return parse_columns(ctx, argv + at, end - at, c) ? -1 : end;
}

/* One of the options with a value. 0, or -1 with the error replied. */
static int take_value(RedisModuleCtx *ctx, Word word, RedisModuleString *value, Creation *c)
{
    c->repeated = c->given & 1U << word ? words[word] : c->repeated;
    c->given |= 1U << word;
    if (word == TARGET)
        c->target = value;
    else if (word == FEATURES && !whole(value, 1, 1 << 20, &c->features))
        return anb_reply_error(ctx, "FEATURES takes a whole number from 1 to %d", 1 << 20), -1;
    else if (word == SEED && !whole(value, 0, 9007199254740992, &c->seed))
        return anb_reply_error(ctx, "SEED takes a whole number from 0 to 2^53"), -1;
    return 0;
}

/* The option at argv[i]: where the next one is, or -1 with the error replied. */
static int take_option(RedisModuleCtx *ctx, RedisModuleString **argv, int argc, int i, Creation *c)
{
    Word word = word_of(argv[i]);
    if (word == IFNOTEXISTS) {
        c->if_not_exists = true;
        return i + 1;
    }
    if (word == NO_WORD || i + 1 == argc)
        return anb_reply_error(
                   ctx, "CREATE takes FEATURES n or COLUMNS name[:kind] .., TARGET name, SEED s and IFNOTEXISTS"),
               -1;
    if (word == COLUMNS)
        return columns_at(ctx, argv, argc, i + 1, c);
    return take_value(ctx, word, argv[i + 1], c) ? -1 : i + 2;
}

static int parse_creation(RedisModuleCtx *ctx, RedisModuleString **argv, int argc, Creation *c)
{
    *c = (Creation){.seed = 1};
    for (int i = 3; i < argc;)
        if ((i = take_option(ctx, argv, argc, i, c)) < 0)
            return -1;
    double named = c->schema ? (double)anb_schema_size(c->schema) : 0;
    if (c->features == 0 && named == 0)
        return anb_reply_error(ctx, "FEATURES n or COLUMNS name[:kind] .. is missing"), -1;
    if (c->features > 0 && named > 0 && c->features != named)
        return anb_reply_error(ctx, "FEATURES is %.0f, but COLUMNS names %.0f", c->features, named), -1;
    c->features = named > 0 ? named : c->features;
    return 0;
}

/* The name of a column that an earlier one has as well, or NULL. */
static const char *repeated_name(const AnbSchema *schema)
{
    const AnbColumn *columns = anb_schema_columns(schema);
    for (size_t i = 0; i < anb_schema_size(schema); i++)
        if (anb_schema_find(schema, columns[i].name, strlen(columns[i].name)) != (ptrdiff_t)i)
            return columns[i].name;
    return NULL;
}

/* Refuses arguments that are possible but most likely a mistake. Only from clients, since logs of older versions may
 * hold them. 0, or -1 with the error replied. */
static int check_sense(RedisModuleCtx *ctx, const Creation *c)
{
    size_t n = 0;
    const char *target = c->target ? RedisModule_StringPtrLen(c->target, &n) : NULL;
    const char *repeated = c->schema ? repeated_name(c->schema) : NULL;
    if (c->repeated)
        return anb_reply_error(ctx, "%s is given twice", c->repeated), -1;
    if (repeated)
        return anb_reply_error(ctx, "COLUMNS: two are called '%.60s', and FIELDS and ANB.FEED would fill one of them",
                               repeated),
               -1;
    if (target && (n == 0 || memchr(target, 0, n)))
        return anb_reply_error(ctx, "TARGET takes a name without a zero byte, not an empty one"), -1;
    if (target && c->schema && anb_schema_find(c->schema, target, n) >= 0)
        return anb_reply_error(ctx, "TARGET '%.60s' is one of the COLUMNS: name there what is known beforehand",
                               target),
               -1;
    return 0;
}

/* ---- the model --------------------------------------------------------------------------------------------------- */

static StreamingLearner *parse_learner(RedisModuleCtx *ctx, RedisModuleString *text, const Creation *c)
{
    AnbModelOptions options = anb_model_options();
    AnbError error = {0};
    size_t n;
    const char *expression = RedisModule_StringPtrLen(text, &n);
    options.seed = (uint64_t)c->seed;
    if (strlen(expression) != n)
        return anb_reply_error(ctx, "the expression holds a zero byte"), NULL;
    StreamingLearner *learner = c->schema ? anb_parse_schema(c->schema, expression, &options, &error)
                                : anb_from_client(ctx)
                                    ? anb_parse((size_t)c->features, expression, &options, &error)
                                    : anb_parse_saved((size_t)c->features, expression, &options, &error);
    if (!learner)
        anb_reply_error(ctx, "at byte %zu: %s%s", error.position, error.message, anb_model_remedy(&error));
    return learner;
}

/* Replicas and the log get the expanded expression with every option written out, since presets and defaults may change
 * with the version. If that is too long to be parsed again, or the columns have names, they get a snapshot. */
static void replicate_creation(RedisModuleCtx *ctx, RedisModuleString *name, const Model *model, const Creation *c)
{
    enum { TEXT_MAX = 1 << 16 };
    const char *expression = anb_full_expression(model->learner);
    size_t size;
    bool plain = !c->schema && !c->target && strlen(expression) <= TEXT_MAX;
    char *blob = plain ? NULL : anb_model_blob(model, false, &size);
    if (blob)
        RedisModule_Replicate(ctx, "ANB.RESTORE", "sb", name, blob, size);
    else
        RedisModule_Replicate(ctx, "ANB.CREATE", "scclcl", name, expression, "FEATURES", (long long)c->features, "SEED",
                              (long long)c->seed);
    RedisModule_Free(blob);
}

static Kept *kept_of(const Creation *c)
{
    size_t n;
    AnbSnapshotExtras extras = {.target = c->target ? RedisModule_StringPtrLen(c->target, &n) : NULL};
    return anb_kept_new(&extras, 0);
}

static int create(RedisModuleCtx *ctx, RedisModuleString **argv, const Creation *c)
{
    RedisModuleKey *key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
    bool taken = RedisModule_KeyType(key) != REDISMODULE_KEYTYPE_EMPTY;
    bool ours = RedisModule_ModuleTypeGetType(key) == anb_model_type;
    RedisModule_CloseKey(key);
    if (taken && ours && c->if_not_exists)
        return RedisModule_ReplyWithSimpleString(ctx, "EXISTS");
    if (taken)
        return anb_reply_error(ctx, "the key exists already: delete it first, or add IFNOTEXISTS");
    if (anb_from_client(ctx) && check_sense(ctx, c))
        return REDISMODULE_OK;
    StreamingLearner *learner = parse_learner(ctx, argv[2], c);
    if (!learner)
        return REDISMODULE_OK;
    Model *model = anb_model_wrap(learner, kept_of(c));
    anb_model_store(ctx, argv[1], model);
    replicate_creation(ctx, argv[1], model, c);
    anb_touch(ctx, argv[1], model, "anb.create");
    return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

int anb_command_create(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    Creation c = {0};
    if (argc < 5)
        return RedisModule_WrongArity(ctx);
    int code = parse_creation(ctx, argv, argc, &c) ? REDISMODULE_OK : create(ctx, argv, &c);
    anb_schema_drop(c.schema);
    return code;
}
