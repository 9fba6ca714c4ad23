/*
 * ANB.FEED key STREAM s [COUNT n] [BLOCK ms] [TARGET field]: learns the entries of a stream behind the model's cursor,
 * which is part of the model. It runs in the main thread, for about anabranch.inline-microseconds at a time, and
 * replies whether there is more.
 *
 * It is replicated with the last id that it reached (UPTO id): replicas and the log have the same stream, so they learn
 * the same entries. An entry that cannot be learned is skipped and counted, and its id is stored.
 */
#include "background.h"
#include "beside.h"
#include "caller.h"
#include "cells.h"
#include "commands.h"
#include "model.h"
#include "reply.h"
#include "statistics.h"
#include "text.h"
#include <anabranch/anabranch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXCLUSIVE = 1, ID_SIZE = 48 };

typedef struct Feeding {
    Model *model;
    Feed *feed;
    RedisModuleString *stream;
    const char *target;
    size_t target_size;
    uint64_t count;
    long long block; /* -1: not */
    bool has_end;
    RedisModuleStreamID end;
    double *row, *blank;         /* a row; one of missing cells */
    uint64_t learned, bad, gaps; /* by this command */
    bool more;
    RedisModuleStreamID last; /* where it got to */
} Feeding;

static void id_print(RedisModuleStreamID id, char *text)
{
    snprintf(text, ID_SIZE, "%llu-%llu", (unsigned long long)id.ms, (unsigned long long)id.seq);
}

static bool id_parse(RedisModuleString *text, RedisModuleStreamID *id)
{
    size_t n;
    unsigned long long ms, seq;
    int end = 0;
    const char *at = RedisModule_StringPtrLen(text, &n);
    bool ok = sscanf(at, "%llu-%llu%n", &ms, &seq, &end) == 2 && (size_t)end == n;
    *id = ok ? (RedisModuleStreamID){ms, seq} : (RedisModuleStreamID){0, 0};
    return ok;
}

/* ---- one entry --------------------------------------------------------------------------------------------------- */

/* One field of an entry. 0, 1 for the target, -1 where its value cannot be read. Others than the model's are
 * ignored. */
static int take_field(const Feeding *f, RedisModuleString *name, RedisModuleString *value, double *y)
{
    size_t n;
    const char *text = RedisModule_StringPtrLen(name, &n);
    const AnbSchema *schema = f->model->schema;
    if (n == f->target_size && memcmp(text, f->target, n) == 0)
        return anb_text_number(value, y) && *y - *y == 0 ? 1 : -1;
    ptrdiff_t column = anb_schema_find(schema, text, n);
    return column >= 0 && anb_cell_read(schema, (size_t)column, value, &f->row[column], NULL) ? -1 : 0;
}

/* Reads the entry's fields. Whether there is a row and a target to learn. */
static bool read_entry(const Feeding *f, RedisModuleKey *key, long fields, double *y)
{
    size_t d = anb_n_features(f->model->learner);
    bool good = true, target = false;
    memcpy(f->row, f->blank, d * sizeof(double));
    for (long i = 0; i < fields; i++) {
        RedisModuleString *name, *value;
        if (RedisModule_StreamIteratorNextField(key, &name, &value) != REDISMODULE_OK)
            return false;
        int code = good ? take_field(f, name, value, y) : 0;
        good &= code >= 0;
        target |= code > 0;
        RedisModule_FreeString(NULL, name);
        RedisModule_FreeString(NULL, value);
    }
    return good && target;
}

static void learn_entry(Feeding *f, RedisModuleKey *key, RedisModuleStreamID id, long fields)
{
    double y = 0, prediction = ANB_NAN;
    uint64_t trained = anb_n_samples_seen(f->model->learner);
    if (read_entry(f, key, fields, &y))
        prediction = anb_train_one(f->model->learner, f->row, y, 1);
    f->feed->last = id;
    if (anb_n_samples_seen(f->model->learner) > trained) {
        anb_beside_score(&f->model->scores, y, prediction, anb_beside_bound(f->model->learner, y));
        anb_background_add(f->model->background, f->row);
        if (f->model->importance)
            anb_observe(anb_importance_observer(f->model->importance), f->model->learner, f->row, y, prediction);
        f->learned++;
        f->feed->learned++;
        return;
    }
    f->bad++;
    f->feed->bad++;
    f->feed->bad_id = id;
}

/* ---- the stream -------------------------------------------------------------------------------------------------- */

/* The iterator goes on to the next entry only behind the last field. */
static void skip_fields(RedisModuleKey *key, long fields)
{
    RedisModuleString *name, *value;
    for (long i = 0; i < fields && RedisModule_StreamIteratorNextField(key, &name, &value) == REDISMODULE_OK; i++) {
        RedisModule_FreeString(NULL, name);
        RedisModule_FreeString(NULL, value);
    }
}

static bool same(RedisModuleStreamID a, RedisModuleStreamID b)
{
    return a.ms == b.ms && a.seq == b.seq;
}

/* Whether the command has to stop: at its count, or, without an UPTO, at its time limit. */
static bool enough(const Feeding *f, uint64_t start)
{
    uint64_t done = f->learned + f->bad;
    if (done >= f->count)
        return true;
    return !f->has_end && done > 0 && done % 8 == 0 && anb_now_ns() - start > (uint64_t)anb_inline_us * 1000;
}

/* Learns the entries from the cursor on. The cursor's own entry is skipped; if it does not exist, others may have been
 * lost too. */
static void learn_entries(Feeding *f, RedisModuleKey *key)
{
    RedisModuleStreamID id, cursor = f->feed->last;
    bool first = true, begun = cursor.ms > 0 || cursor.seq > 0;
    uint64_t start = anb_now_ns();
    long fields;
    while (RedisModule_StreamIteratorNextID(key, &id, &fields) == REDISMODULE_OK) {
        bool own = first && begun && same(id, cursor);
        bool gap = first && begun && !own;
        first = false;
        if (own) {
            skip_fields(key, fields);
            continue;
        }
        if ((f->more = enough(f, start)))
            return;
        f->gaps += gap;
        f->feed->gaps += gap;
        learn_entry(f, key, id, fields);
    }
}

/* 0, or -1 with the error replied. */
static int read_stream(RedisModuleCtx *ctx, Feeding *f)
{
    RedisModuleKey *key = RedisModule_OpenKey(ctx, f->stream, REDISMODULE_READ);
    int type = key ? RedisModule_KeyType(key) : REDISMODULE_KEYTYPE_EMPTY, code = 0;
    if (type == REDISMODULE_KEYTYPE_STREAM) {
        RedisModuleStreamID from = f->feed->last;
        if (RedisModule_StreamIteratorStart(key, 0, &from, f->has_end ? &f->end : NULL) == REDISMODULE_OK) {
            learn_entries(f, key);
            RedisModule_StreamIteratorStop(key);
        }
    } else if (type != REDISMODULE_KEYTYPE_EMPTY)
        code = (RedisModule_ReplyWithError(ctx, "WRONGTYPE the key behind STREAM holds no stream"), -1);
    RedisModule_CloseKey(key);
    return code;
}

/* Rows for the command; the blank one has a missing cell everywhere. 0 or -1. */
static int make_rows(Feeding *f)
{
    size_t d = anb_n_features(f->model->learner);
    f->row = RedisModule_Alloc(2 * d * sizeof(double));
    f->blank = f->row + d;
    for (size_t j = 0; j < d; j++)
        if (anb_cell_read(f->model->schema, j, NULL, &f->blank[j], NULL))
            return -1;
    return 0;
}

static void publish(RedisModuleCtx *ctx, RedisModuleString *name, const Feeding *f)
{
    char id[ID_SIZE];
    id_print(f->last, id);
    RedisModule_Replicate(ctx, "ANB.FEED", "scscbcc", name, "STREAM", f->stream, "TARGET", f->target, f->target_size,
                          "UPTO", id);
    anb_touch(ctx, name, f->model, "anb.feed");
    f->model->answers = false;
    anb_statistics.trained += f->learned;
    anb_statistics.rejected += f->bad;
}

static void reply(RedisModuleCtx *ctx, const Feeding *f)
{
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {{"learned", f->learned}, {"bad", f->bad}, {"gaps", f->gaps}, {"more", f->more}};
    char id[ID_SIZE];
    anb_reply_map(ctx, 5);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        anb_reply_text(ctx, counts[i].name);
        RedisModule_ReplyWithLongLong(ctx, (long long)counts[i].value);
    }
    id_print(f->last, id);
    anb_reply_text(ctx, "last_id");
    anb_reply_text(ctx, id);
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

static int parse_option(RedisModuleCtx *ctx, RedisModuleString **argv, Feeding *f)
{
    double value;
    if (anb_text_is(argv[0], "TARGET")) {
        f->target = RedisModule_StringPtrLen(argv[1], &f->target_size);
        return 0;
    }
    if (anb_text_is(argv[0], "UPTO"))
        return (f->has_end = id_parse(argv[1], &f->end)) ? 0 : (anb_reply_error(ctx, "UPTO takes an id like 5-0"), -1);
    bool block = anb_text_is(argv[0], "BLOCK");
    if (!block && !anb_text_is(argv[0], "COUNT"))
        return anb_reply_error(ctx, "FEED takes STREAM s, COUNT n, BLOCK ms and TARGET field"), -1;
    if (!anb_text_number(argv[1], &value) || !(value >= !block && value <= 1e15) || value != (double)(long long)value)
        return anb_reply_error(ctx, "%s takes a whole number, at least %d", block ? "BLOCK" : "COUNT", !block), -1;
    if (block)
        f->block = (long long)value;
    else
        f->count = (uint64_t)value;
    return 0;
}

/* Whether the option at argv[at] was given before, from argv[4] on. */
static bool is_given_before(RedisModuleString **argv, int at)
{
    size_t n;
    for (int i = 4; i < at; i += 2)
        if (anb_text_is(argv[i], RedisModule_StringPtrLen(argv[at], &n)))
            return true;
    return false;
}

static int parse(RedisModuleCtx *ctx, RedisModuleString **argv, int argc, Feeding *f)
{
    *f = (Feeding){.model = anb_model_at(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE), .stream = argv[3]};
    if (!f->model)
        return -1;
    f->count = UINT64_MAX;
    f->block = -1;
    f->target = f->model->kept ? f->model->kept->extras.target : NULL;
    f->target_size = f->target ? strlen(f->target) : 0;
    for (int i = 4; i < argc; i += 2)
        if (i + 1 == argc)
            return RedisModule_WrongArity(ctx), -1;
        else if (is_given_before(argv, i))
            return anb_reply_error(ctx, "FEED takes each option once"), -1;
        else if (parse_option(ctx, argv + i, f))
            return -1;
    if (!f->model->schema)
        return anb_reply_error(ctx, "FEED needs the names of the columns: ANB.CREATE .. COLUMNS name[:kind] .."), -1;
    if (!f->target)
        return anb_reply_error(ctx, "which field is the target? ANB.CREATE .. TARGET name, or FEED .. TARGET field"),
               -1;
    size_t n;
    const char *stream = RedisModule_StringPtrLen(argv[3], &n);
    f->feed = anb_feed_add(f->model, stream, n);
    return f->feed ? 0
                   : (anb_reply_error(ctx, "a model reads up to %d streams, with names of 1 to %d bytes without a 0",
                                      FEEDS_MAX, FEED_NAME - 1),
                      -1);
}

/* Learns and replies, for blocked clients as well. 1, without a reply, where there was nothing to learn. */
static int feed(RedisModuleCtx *ctx, RedisModuleString **argv, int argc, Feeding *f)
{
    if (parse(ctx, argv, argc, f))
        return 0;
    anb_settle(f->model);
    int code = make_rows(f) ? 0 : read_stream(ctx, f);
    RedisModule_Free(f->row);
    f->last = f->feed->last;
    if (f->learned + f->bad == 0)
        anb_feed_drop_unread(f->model);
    if (code || f->learned + f->bad == 0)
        return !code;
    publish(ctx, argv[1], f);
    reply(ctx, f);
    return 0;
}

static int on_entries(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    Feeding f;
    return feed(ctx, argv, argc, &f) ? REDISMODULE_ERR : REDISMODULE_OK;
}

static int on_timeout(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    Feeding f;
    if (feed(ctx, argv, argc, &f))
        reply(ctx, &f);
    return REDISMODULE_OK;
}

/* Declares the places of the keys, which are not adjacent, to a server of version 7 or later that routes commands to
 * nodes and slots. Without this it would only consider the model's key. */
static int declare_keys(RedisModuleCtx *ctx, int argc)
{
    RedisModule_KeyAtPos(ctx, 1);
    if (argc > 3)
        RedisModule_KeyAtPos(ctx, 3);
    return REDISMODULE_OK;
}

int anb_command_feed(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    Feeding f;
    if (RedisModule_IsKeysPositionRequest(ctx))
        return declare_keys(ctx, argc);
    if (argc < 4 || !anb_text_is(argv[2], "STREAM"))
        return RedisModule_WrongArity(ctx);
    if (!RedisModule_StreamIteratorStart)
        return anb_reply_error(ctx, "this server gives modules no access to streams");
    if (!feed(ctx, argv, argc, &f))
        return REDISMODULE_OK;
    if (f.block < 0 || !anb_may_block(ctx))
        reply(ctx, &f);
    else
        RedisModule_BlockClientOnKeys(ctx, on_entries, on_timeout, NULL, f.block, &argv[3], 1, NULL);
    return REDISMODULE_OK;
}
