/* The data type: one model a key, persisted as its snapshot. */
#include "model.h"
#include "background.h"
#include "beside.h"
#include "kept.h"
#include "plan_cache.h"
#include "reply.h"
#include "statistics.h"
#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { ENCODING = 1 };

RedisModuleType *anb_model_type;

static uint64_t next_number(void)
{
    static _Atomic uint64_t last;
    return atomic_fetch_add(&last, 1) + 1;
}

Ticket *anb_ticket_of(Model *model)
{
    if (!model->ticket) {
        model->ticket = RedisModule_Alloc(sizeof *model->ticket);
        *model->ticket = (Ticket){.owners = 1};
    }
    return model->ticket;
}

void anb_ticket_drop(Ticket *ticket)
{
    if (ticket && atomic_fetch_sub(&ticket->owners, 1) == 1)
        RedisModule_Free(ticket);
}

void anb_settle(const Model *model)
{
    const struct timespec a_moment = {0, 20000};
    while (model->ticket && model->ticket->copying)
        nanosleep(&a_moment, NULL);
}

static const float most_guessed_ns = 50000;

Model *anb_model_wrap(StreamingLearner *learner, Kept *kept)
{
    Model *model = RedisModule_Alloc(sizeof *model);
    *model = (Model){.learner = learner, .id = next_number(), .version = next_number(), .kept = kept};
    model->schema = anb_kept_schema(kept, learner);
    float guess = (float)anb_state_bytes(learner) / 4; /* until the first batch: four bytes a nanosecond */
    model->row_ns = guess < most_guessed_ns ? guess : most_guessed_ns;
    anb_plan_cache_add(model);
    return model;
}

void anb_model_free(void *value)
{
    Model *model = value;
    anb_settle(model);
    anb_plan_cache_remove(model);
    anb_free(model->learner);
    anb_ticket_drop(model->ticket);
    anb_kept_drop(model->kept);
    anb_schema_drop(model->schema);
    RedisModule_Free(model->feeds);
    RedisModule_Free(model->scores.held);
    anb_importance_free(model->importance);
    RedisModule_Free(model->background);
    RedisModule_Free(model);
}

Model *anb_model_copy(const Model *model)
{
    StreamingLearner *learner = anb_clone(model->learner, NULL);
    Model *copy = learner ? anb_model_wrap(learner, anb_kept_share(model->kept)) : NULL;
    if (copy)
        anb_beside_copy(model, copy);
    return copy;
}

/* ---- keys ------------------------------------------------------------------------------------------------------- */

Model *anb_model_peek(RedisModuleCtx *ctx, RedisModuleString *name)
{
    RedisModuleKey *key = RedisModule_OpenKey(ctx, name, REDISMODULE_READ);
    Model *model = NULL;
    if (key && RedisModule_ModuleTypeGetType(key) == anb_model_type)
        model = RedisModule_ModuleTypeGetValue(key);
    RedisModule_CloseKey(key);
    return model;
}

Model *anb_model_at(RedisModuleCtx *ctx, RedisModuleString *name, int mode)
{
    RedisModuleKey *key = RedisModule_OpenKey(ctx, name, mode);
    Model *model = NULL;
    if (!key || RedisModule_KeyType(key) == REDISMODULE_KEYTYPE_EMPTY)
        anb_reply_error(ctx, "no model at this key: ANB.CREATE makes one");
    else if (RedisModule_ModuleTypeGetType(key) != anb_model_type)
        RedisModule_ReplyWithError(ctx, "WRONGTYPE Operation against a key holding the wrong kind of value");
    else
        model = RedisModule_ModuleTypeGetValue(key);
    RedisModule_CloseKey(key);
    return model;
}

int anb_model_store(RedisModuleCtx *ctx, RedisModuleString *name, Model *model)
{
    RedisModuleKey *key = RedisModule_OpenKey(ctx, name, REDISMODULE_READ | REDISMODULE_WRITE);
    int code = RedisModule_ModuleTypeSetValue(key, anb_model_type, model);
    RedisModule_CloseKey(key);
    return code;
}

void anb_touch(RedisModuleCtx *ctx, RedisModuleString *name, Model *model, const char *event)
{
    enum { MODULE_EVENTS = 1 << 13 };
    model->version = next_number();
    RedisModule_SignalModifiedKey(ctx, name);
    RedisModule_NotifyKeyspaceEvent(ctx, MODULE_EVENTS, event, name);
}

/* ---- persistence ------------------------------------------------------------------------------------------------ */

char *anb_model_blob(const Model *model, bool scores, size_t *size)
{
    AnbSnapshotExtras extras;
    AnbBesideNotes *notes = anb_beside_notes(model, scores, &extras);
    *size = anb_snapshot_size(model->learner, &extras);
    char *blob = RedisModule_Alloc(*size);
    bool whole = *size > 0 && anb_snapshot_to_memory(model->learner, &extras, blob, *size, NULL) == 0;
    RedisModule_Free(notes);
    if (whole)
        return blob;
    RedisModule_Free(blob);
    return NULL;
}

/* Whether the learner writes this note itself. */
static bool writes(const StreamingLearner *learner, const AnbNote *note)
{
    return anb_model_schema(learner) && strcmp(note->key, "anabranch.schema") == 0;
}

/* Restores the module's data from its notes; other notes are kept. */
static Model *wrap_with_notes(StreamingLearner *learner, const AnbSnapshotExtras *saved)
{
    AnbSnapshotExtras kept = *saved;
    AnbNote *others = RedisModule_Alloc((saved->n_notes + 1) * sizeof *others);
    Model none = {.learner = NULL}; /* holds them until the model is made */
    kept.notes = others;
    kept.n_notes = 0;
    for (size_t i = 0; i < saved->n_notes; i++)
        if (!writes(learner, &saved->notes[i]) && !anb_beside_take(&none, &saved->notes[i], anb_n_features(learner)))
            others[kept.n_notes++] = saved->notes[i];
    Model *model = anb_model_wrap(learner, anb_kept_new(&kept, anb_n_features(learner)));
    model->scores = none.scores;
    model->feeds = none.feeds;
    model->background = none.background;
    RedisModule_Free(others);
    return model;
}

Model *anb_model_load(const char *blob, size_t size, AnbError *error)
{
    AnbModelOptions options = anb_model_options();
    AnbSnapshot *snapshot = anb_snapshot_open(blob, size, &options, error);
    StreamingLearner *learner = snapshot ? anb_snapshot_model(snapshot, &options, error) : NULL;
    Model *model = learner ? wrap_with_notes(learner, &snapshot->extras) : NULL;
    anb_snapshot_close(snapshot);
    return model;
}

static void rdb_save(RedisModuleIO *rdb, void *value)
{
    size_t size;
    char *blob = anb_model_blob(value, true, &size);
    RedisModule_SaveStringBuffer(rdb, blob ? blob : "", blob ? size : 0);
    RedisModule_Free(blob);
}

const char *anb_model_remedy(const AnbError *error)
{
    bool by_bytes = error->code == ANB_E_LIMIT && strstr(error->message, "(max_bytes)");
    return by_bytes ? "; anabranch.max-model-bytes sets the limit" : "";
}

/* Writes why the model of a key is not read to the server's log. */
static void log_refusal(RedisModuleIO *rdb, const AnbError *error)
{
    size_t size = 0;
    const RedisModuleString *key = RedisModule_GetKeyNameFromIO(rdb);
    const char *name = key ? RedisModule_StringPtrLen(key, &size) : "";
    RedisModule_LogIOError(rdb, "warning", "anabranch: the model at the key '%.*s' is refused: %s%s",
                           size < 200 ? (int)size : 200, name, error->message, anb_model_remedy(error));
}

static void *rdb_load(RedisModuleIO *rdb, int encoding)
{
    AnbError error = {0};
    size_t size;
    if (encoding > ENCODING) {
        anb_fail(&error, ANB_E_VERSION, "a newer version of the module saved it (encoding %d; %s knows up to %d)",
                 encoding, anb_version(), ENCODING);
        log_refusal(rdb, &error);
        return NULL;
    }
    char *blob = RedisModule_LoadStringBuffer(rdb, &size);
    if (!blob)
        return NULL;
    Model *model = anb_model_load(blob, size, &error);
    RedisModule_Free(blob);
    if (!model)
        log_refusal(rdb, &error);
    return model;
}

/* The module's encoding, once a file, before the keys: an older module refuses the file at its start. */
static void aux_save(RedisModuleIO *rdb, int when)
{
    (void)when;
    RedisModule_SaveUnsigned(rdb, ENCODING);
}

/* Writes nothing where no key is a model, so that a server without the module can load the file. */
static void aux_save_where_used(RedisModuleIO *rdb, int when)
{
    if (anb_plan_cache_models() > 0)
        aux_save(rdb, when);
}

static int aux_load(RedisModuleIO *rdb, int encoding, int when)
{
    uint64_t saved = RedisModule_LoadUnsigned(rdb);
    (void)encoding, (void)when;
    return RedisModule_IsIOError(rdb) || saved > ENCODING ? REDISMODULE_ERR : REDISMODULE_OK;
}

static void aof_rewrite(RedisModuleIO *aof, RedisModuleString *key, void *value)
{
    size_t size;
    char *blob = anb_model_blob(value, true, &size);
    if (blob)
        RedisModule_EmitAOF(aof, "ANB.RESTORE", "sb", key, blob, size);
    RedisModule_Free(blob);
}

static void digest(RedisModuleDigest *sum, void *value)
{
    size_t size;
    char *blob = anb_model_blob(value, false, &size);
    if (blob)
        RedisModule_DigestAddStringBuffer(sum, blob, size);
    RedisModule_DigestEndSequence(sum);
    RedisModule_Free(blob);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static size_t mem_usage(const void *value)
{
    const Model *model = value;
    size_t kept = model->kept ? model->kept->bytes : 0;
    kept += model->importance ? anb_importance_bytes(model->importance) : 0;
    kept += (model->ticket ? sizeof(Ticket) : 0) + (model->scores.held ? sizeof(Held) : 0);
    kept += (model->feeds ? model->feeds->n * sizeof(Feed) : 0) + anb_background_bytes(model->background);
    kept += anb_plan_cache_alone(model) ? anb_total_bytes(model->learner) : anb_clone_bytes(model->learner);
    return sizeof(Model) + kept;
}

/* Large models are freed by the background thread. */
static size_t free_effort(RedisModuleString *key, const void *value)
{
    (void)key;
    return 1 + mem_usage(value) / 65536;
}

static void *copy(RedisModuleString *from, RedisModuleString *to, const void *value)
{
    (void)from, (void)to;
    return anb_model_copy(value);
}

static void *move(void *memory, void *context)
{
    void *now = RedisModule_DefragAlloc(context, memory);
    anb_statistics.moved += now != NULL;
    return now;
}

/* There are at most three pieces, and the allocator moves only pieces of a few kilobytes, so there is no need to stop
 * half way. A ticket that a job also holds is not moved, nor is a learner that is being cloned. A worker's clone
 * belongs to no key, so it does not occur here. */
static int defrag(RedisModuleDefragCtx *ctx, RedisModuleString *key, void **value)
{
    Model *model = *value;
    (void)key;
    if (model->ticket && model->ticket->copying)
        return 0;
    *value = model = anb_plan_cache_relocate(model, move, ctx);
    Ticket *ticket = model->ticket && model->ticket->owners == 1 ? move(model->ticket, ctx) : NULL;
    model->ticket = ticket ? ticket : model->ticket;
    return 0;
}

/* ---- the type --------------------------------------------------------------------------------------------------- */

/* Leaves out what the server does not support. */
static void adapt(RedisModuleTypeMethods *methods)
{
    int version = RedisModule_GetTypeMethodVersion();
    methods->version = version < REDISMODULE_TYPE_METHODS ? (uint64_t)version : REDISMODULE_TYPE_METHODS;
    methods->defrag = RedisModule_DefragAlloc ? defrag : NULL;
    if (version >= REDISMODULE_TYPE_METHODS_AUX_SAVE2) {
        methods->aux_save = NULL;
        methods->aux_save2 = aux_save_where_used;
    }
}

int anb_register_type(RedisModuleCtx *ctx)
{
    static RedisModuleTypeMethods methods = {
        .rdb_load = rdb_load,
        .rdb_save = rdb_save,
        .aof_rewrite = aof_rewrite,
        .mem_usage = mem_usage,
        .digest = digest,
        .free = anb_model_free,
        .aux_load = aux_load,
        .aux_save = aux_save,
        .aux_save_triggers = REDISMODULE_AUX_BEFORE_RDB,
        .free_effort = free_effort,
        .copy = copy,
    };
    adapt(&methods);
    anb_model_type = RedisModule_CreateDataType(ctx, "anabranch", ENCODING, &methods);
    return anb_model_type ? 0 : -1;
}
