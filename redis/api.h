/*
 * The part of the module interface that this module uses. Every function is looked up by its name when the module is
 * loaded, so one build works with Redis 6.2 and later and with Valkey. Functions that a server lacks are NULL.
 */
#ifndef ANB_REDIS_API_H
#define ANB_REDIS_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct RedisModuleCtx RedisModuleCtx;
typedef struct RedisModuleString RedisModuleString;
typedef struct RedisModuleKey RedisModuleKey;
typedef struct RedisModuleType RedisModuleType;
typedef struct RedisModuleIO RedisModuleIO;
typedef struct RedisModuleDigest RedisModuleDigest;
typedef struct RedisModuleBlockedClient RedisModuleBlockedClient;
typedef struct RedisModuleInfoCtx RedisModuleInfoCtx;
typedef struct RedisModuleCommand RedisModuleCommand;
typedef struct RedisModuleDefragCtx RedisModuleDefragCtx;

typedef int (*RedisModuleCmdFunc)(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);

enum { REDISMODULE_OK = 0, REDISMODULE_ERR = 1, REDISMODULE_APIVER_1 = 1 };
enum { REDISMODULE_READ = 1, REDISMODULE_WRITE = 2 };
enum { REDISMODULE_KEYTYPE_EMPTY = 0, REDISMODULE_KEYTYPE_STREAM = 7 };

typedef struct RedisModuleStreamID {
    uint64_t ms, seq;
} RedisModuleStreamID;
enum { REDISMODULE_AUX_BEFORE_RDB = 1 };
enum {
    REDISMODULE_CTX_FLAGS_LUA = 1 << 0,
    REDISMODULE_CTX_FLAGS_MULTI = 1 << 1,
    REDISMODULE_CTX_FLAGS_SLAVE = 1 << 3,
    REDISMODULE_CTX_FLAGS_READONLY = 1 << 4,
    REDISMODULE_CTX_FLAGS_CLUSTER = 1 << 5,
    REDISMODULE_CTX_FLAGS_REPLICATED = 1 << 12,
    REDISMODULE_CTX_FLAGS_LOADING = 1 << 13,
    REDISMODULE_CTX_FLAGS_DENY_BLOCKING = 1 << 21,
    REDISMODULE_CTX_FLAGS_RESP3 = 1 << 22,
    REDISMODULE_CTX_FLAGS_ASYNC_LOADING = 1 << 23
};
enum {
    REDISMODULE_OPTIONS_HANDLE_IO_ERRORS = 1 << 0,
    REDISMODULE_OPTION_NO_IMPLICIT_SIGNAL_MODIFIED = 1 << 1,
    REDISMODULE_OPTIONS_HANDLE_REPL_ASYNC_LOAD = 1 << 2,
    VALKEYMODULE_OPTIONS_HANDLE_ATOMIC_SLOT_MIGRATION = 1 << 5 /* of Valkey 9; without it such migrations are refused */
};

typedef struct RedisModuleTypeMethods {
    uint64_t version;
    void *(*rdb_load)(RedisModuleIO *rdb, int encoding);
    void (*rdb_save)(RedisModuleIO *rdb, void *value);
    void (*aof_rewrite)(RedisModuleIO *aof, RedisModuleString *key, void *value);
    size_t (*mem_usage)(const void *value);
    void (*digest)(RedisModuleDigest *digest, void *value);
    void (*free)(void *value);
    int (*aux_load)(RedisModuleIO *rdb, int encoding, int when);
    void (*aux_save)(RedisModuleIO *rdb, int when);
    int aux_save_triggers;
    size_t (*free_effort)(RedisModuleString *key, const void *value);
    void (*unlink)(RedisModuleString *key, const void *value);
    void *(*copy)(RedisModuleString *from, RedisModuleString *to, const void *value);
    int (*defrag)(RedisModuleDefragCtx *ctx, RedisModuleString *key, void **value);
    /* ---- version 4, Redis 7.0: as above, told which key of which database ---- */
    void *mem_usage2, *free_effort2, *unlink2, *copy2;
    /* ---- version 5, Redis 7.2: leaves no trace in the file where it saves nothing ---- */
    void (*aux_save2)(RedisModuleIO *rdb, int when);
} RedisModuleTypeMethods;

/* The version that this header describes, and the first with aux_save2; a server takes its own and all before. */
enum { REDISMODULE_TYPE_METHODS = 5, REDISMODULE_TYPE_METHODS_AUX_SAVE2 = 5 };

/* What COMMAND DOCS, COMMAND INFO and key specs need; Redis 7. */
typedef struct RedisModuleCommandHistoryEntry {
    const char *since, *changes;
} RedisModuleCommandHistoryEntry;

typedef struct RedisModuleCommandKeySpec {
    const char *notes;
    uint64_t flags;
    int begin_search_type;
    union {
        struct {
            int pos;
        } index;
        struct {
            const char *keyword;
            int startfrom;
        } keyword;
    } bs;
    int find_keys_type;
    union {
        struct {
            int lastkey, keystep, limit;
        } range;
        struct {
            int keynumidx, firstkey, keystep;
        } keynum;
    } fk;
} RedisModuleCommandKeySpec;

typedef struct RedisModuleCommandArg {
    const char *name;
    int type;
    int key_spec_index;
    const char *token, *summary, *since;
    int flags;
    const char *deprecated_since;
    struct RedisModuleCommandArg *subargs;
    const char *display_text;
} RedisModuleCommandArg;

typedef struct RedisModuleCommandInfoVersion {
    int version;
    size_t sizeof_historyentry, sizeof_keyspec, sizeof_arg;
} RedisModuleCommandInfoVersion;

typedef struct RedisModuleCommandInfo {
    const RedisModuleCommandInfoVersion *version;
    const char *summary, *complexity, *since;
    RedisModuleCommandHistoryEntry *history;
    const char *tips;
    int arity;
    RedisModuleCommandKeySpec *key_specs;
    RedisModuleCommandArg *args;
} RedisModuleCommandInfo;

enum { KEYSPEC_RO = 1, KEYSPEC_RW = 2, KEYSPEC_OW = 4, KEYSPEC_ACCESS = 16, KEYSPEC_UPDATE = 32, KEYSPEC_INSERT = 64 };
enum { KEYSPEC_BEGIN_INDEX = 2, KEYSPEC_FIND_RANGE = 2 };
enum { ARG_STRING, ARG_INTEGER, ARG_DOUBLE, ARG_KEY, ARG_TOKEN = 6, ARG_ONEOF = 7, ARG_BLOCK = 8 };
enum { ARG_OPTIONAL = 1, ARG_MULTIPLE = 2 };

/* name, result, arguments; REQUIRED: Redis 6.2 has it. */
#define ANB_REDIS_REQUIRED(X)                                                                                          \
    X(SetModuleAttribs, void, (RedisModuleCtx *, const char *, int, int))                                              \
    X(IsModuleNameBusy, int, (const char *))                                                                           \
    X(Alloc, void *, (size_t))                                                                                         \
    X(Free, void, (void *))                                                                                            \
    X(CreateCommand, int, (RedisModuleCtx *, const char *, RedisModuleCmdFunc, const char *, int, int, int))           \
    X(CreateDataType, RedisModuleType *, (RedisModuleCtx *, const char *, int, RedisModuleTypeMethods *))              \
    X(SetModuleOptions, void, (RedisModuleCtx *, int))                                                                 \
    X(OpenKey, RedisModuleKey *, (RedisModuleCtx *, RedisModuleString *, int))                                         \
    X(CloseKey, void, (RedisModuleKey *))                                                                              \
    X(KeyType, int, (RedisModuleKey *))                                                                                \
    X(ModuleTypeGetType, RedisModuleType *, (RedisModuleKey *))                                                        \
    X(ModuleTypeGetValue, void *, (RedisModuleKey *))                                                                  \
    X(ModuleTypeSetValue, int, (RedisModuleKey *, RedisModuleType *, void *))                                          \
    X(StringPtrLen, const char *, (const RedisModuleString *, size_t *))                                               \
    X(HoldString, RedisModuleString *, (RedisModuleCtx *, RedisModuleString *))                                        \
    X(WrongArity, int, (RedisModuleCtx *))                                                                             \
    X(ReplyWithError, int, (RedisModuleCtx *, const char *))                                                           \
    X(ReplyWithSimpleString, int, (RedisModuleCtx *, const char *))                                                    \
    X(ReplyWithLongLong, int, (RedisModuleCtx *, long long))                                                           \
    X(ReplyWithStringBuffer, int, (RedisModuleCtx *, const char *, size_t))                                            \
    X(ReplyWithArray, int, (RedisModuleCtx *, long))                                                                   \
    X(ReplyWithDouble, int, (RedisModuleCtx *, double))                                                                \
    X(ReplicateVerbatim, int, (RedisModuleCtx *))                                                                      \
    X(Replicate, int, (RedisModuleCtx *, const char *, const char *, ...))                                             \
    X(SignalModifiedKey, int, (RedisModuleCtx *, RedisModuleString *))                                                 \
    X(NotifyKeyspaceEvent, int, (RedisModuleCtx *, int, const char *, RedisModuleString *))                            \
    X(GetContextFlags, int, (RedisModuleCtx *))                                                                        \
    X(LogIOError, void, (RedisModuleIO *, const char *, const char *, ...))                                            \
    X(GetKeyNameFromIO, const RedisModuleString *, (RedisModuleIO *))                                                  \
    X(Log, void, (RedisModuleCtx *, const char *, const char *, ...))                                                  \
    X(SaveStringBuffer, void, (RedisModuleIO *, const char *, size_t))                                                 \
    X(LoadStringBuffer, char *, (RedisModuleIO *, size_t *))                                                           \
    X(SaveUnsigned, void, (RedisModuleIO *, uint64_t))                                                                 \
    X(LoadUnsigned, uint64_t, (RedisModuleIO *))                                                                       \
    X(IsIOError, int, (RedisModuleIO *))                                                                               \
    X(EmitAOF, void, (RedisModuleIO *, const char *, const char *, ...))                                               \
    X(DigestAddStringBuffer, void, (RedisModuleDigest *, const char *, size_t))                                        \
    X(DigestEndSequence, void, (RedisModuleDigest *))                                                                  \
    X(BlockClient, RedisModuleBlockedClient *,                                                                         \
      (RedisModuleCtx *, RedisModuleCmdFunc, RedisModuleCmdFunc, void (*)(RedisModuleCtx *, void *), long long))       \
    X(BlockClientOnKeys, RedisModuleBlockedClient *,                                                                   \
      (RedisModuleCtx *, RedisModuleCmdFunc, RedisModuleCmdFunc, void (*)(RedisModuleCtx *, void *), long long,        \
       RedisModuleString **, int, void *))                                                                             \
    X(UnblockClient, int, (RedisModuleBlockedClient *, void *))                                                        \
    X(GetBlockedClientPrivateData, void *, (RedisModuleCtx *))                                                         \
    X(FreeString, void, (RedisModuleCtx *, RedisModuleString *))                                                       \
    X(GetDetachedThreadSafeContext, RedisModuleCtx *, (RedisModuleCtx *))                                              \
    X(GetSelectedDb, int, (RedisModuleCtx *))                                                                          \
    X(SelectDb, int, (RedisModuleCtx *, int))                                                                          \
    X(AvoidReplicaTraffic, int, (void))                                                                                \
    X(IsKeysPositionRequest, int, (RedisModuleCtx *))                                                                  \
    X(KeyAtPos, void, (RedisModuleCtx *, int))                                                                         \
    X(GetTypeMethodVersion, int, (void))                                                                               \
    X(ThreadSafeContextLock, void, (RedisModuleCtx *))                                                                 \
    X(ThreadSafeContextUnlock, void, (RedisModuleCtx *))                                                               \
    X(RegisterInfoFunc, int, (RedisModuleCtx *, void (*)(RedisModuleInfoCtx *, int)))                                  \
    X(InfoAddSection, int, (RedisModuleInfoCtx *, const char *))                                                       \
    X(InfoAddFieldULongLong, int, (RedisModuleInfoCtx *, const char *, unsigned long long))                            \
    X(InfoAddFieldDouble, int, (RedisModuleInfoCtx *, const char *, double))

/* Redis 7 and later, or where the server is built for it, or NULL. */
#define ANB_REDIS_OPTIONAL(X)                                                                                          \
    X(DefragAlloc, void *, (RedisModuleDefragCtx *, void *))                                                           \
    X(BlockedClientMeasureTimeStart, int, (RedisModuleBlockedClient *))                                                \
    X(BlockedClientMeasureTimeEnd, int, (RedisModuleBlockedClient *))                                                  \
    X(GetCommand, RedisModuleCommand *, (RedisModuleCtx *, const char *))                                              \
    X(SetCommandInfo, int, (RedisModuleCommand *, const RedisModuleCommandInfo *))                                     \
    X(StreamIteratorStart, int, (RedisModuleKey *, int, RedisModuleStreamID *, RedisModuleStreamID *))                 \
    X(StreamIteratorStop, int, (RedisModuleKey *))                                                                     \
    X(StreamIteratorNextID, int, (RedisModuleKey *, RedisModuleStreamID *, long *))                                    \
    X(StreamIteratorNextField, int, (RedisModuleKey *, RedisModuleString **, RedisModuleString **))                    \
    X(TryAlloc, void *, (size_t))                                                                                      \
    X(AddACLCategory, int, (RedisModuleCtx *, const char *))                                                           \
    X(SetCommandACLCategories, int, (RedisModuleCommand *, const char *))                                              \
    X(ReplyWithMap, int, (RedisModuleCtx *, long))                                                                     \
    X(RegisterNumericConfig, int,                                                                                      \
      (RedisModuleCtx *, const char *, long long, unsigned, long long, long long, long long (*)(const char *, void *), \
       int (*)(const char *, long long, void *, RedisModuleString **),                                                 \
       int (*)(RedisModuleCtx *, void *, RedisModuleString **), void *))                                               \
    X(LoadConfigs, int, (RedisModuleCtx *))

#define ANB_REDIS_DECLARE(name, result, arguments) extern result(*RedisModule_##name) arguments;
ANB_REDIS_REQUIRED(ANB_REDIS_DECLARE)
ANB_REDIS_OPTIONAL(ANB_REDIS_DECLARE)
#undef ANB_REDIS_DECLARE

/* Looks up every function. 0, or -1 where the server lacks a required one. */
int anb_redis_resolve(RedisModuleCtx *ctx);
/* Whether the server is Valkey, which has its functions under other names as well. */
extern bool anb_redis_is_valkey;

#endif
