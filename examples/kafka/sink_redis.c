/*
 * Learning at a Redis server with the module: ANB.TRAIN key y x1 .. SEQ TOPIC/PARTITION OFFSET, many commands under way
 * at a time. A server that goes away is connected to again; what was under way is asked for from its position on.
 */
#include "sink.h"
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { UNDER_WAY = 256, NUMBER = 32, TRIES = 600 };

typedef struct RedisSink {
    Sink base;
    const char *host, *key, *topic, *expression;
    int port;
    size_t features, under_way;
    redisContext *connection;
} RedisSink;

static int complain(const RedisSink *s, const char *what, const char *why)
{
    fprintf(stderr, "redis %s:%d: %s: %s\n", s->host, s->port, what, why);
    return -1;
}

static void key_of(const RedisSink *s, int32_t partition, char *out, size_t size)
{
    snprintf(out, size, "%s:%d", s->key, partition);
}

static void drop_connection(RedisSink *s)
{
    if (s->connection)
        redisFree(s->connection);
    s->connection = NULL;
    s->under_way = 0;
}

/* Waits for the server for a minute. */
static int need_connection(RedisSink *s)
{
    const struct timespec moment = {0, 100000000};
    const struct timeval patience = {30, 0};
    for (int i = 0; i < TRIES && (!s->connection || s->connection->err); i++) {
        drop_connection(s);
        s->connection = redisConnectWithTimeout(s->host, s->port, patience);
        redisReply *reply = s->connection && !s->connection->err ? redisCommand(s->connection, "PING") : NULL;
        bool ready = reply && reply->type == REDIS_REPLY_STATUS; /* an error while it loads */
        freeReplyObject(reply);
        if (ready)
            return 0;
        drop_connection(s);
        nanosleep(&moment, NULL);
    }
    return s->connection ? 0 : complain(s, "connecting", "no server answers");
}

/* ---- position ---------------------------------------------------------------------------------------------------- */

static const redisReply *value_of(const redisReply *map, const char *key)
{
    for (size_t i = 0; map && map->type == REDIS_REPLY_ARRAY && i + 1 < map->elements; i += 2)
        if (map->element[i]->type == REDIS_REPLY_STRING && strcmp(map->element[i]->str, key) == 0)
            return map->element[i + 1];
    return NULL;
}

static int make_model(RedisSink *s, const char *key)
{
    redisReply *reply = redisCommand(s->connection, "ANB.CREATE %s %s FEATURES %llu IFNOTEXISTS", key, s->expression,
                                     (unsigned long long)s->features);
    int code = !reply                             ? complain(s, key, s->connection->errstr)
               : reply->type == REDIS_REPLY_ERROR ? complain(s, key, reply->str)
                                                  : 0;
    freeReplyObject(reply);
    return code;
}

static int position(Sink *self, int32_t partition, int64_t *next)
{
    RedisSink *s = (RedisSink *)self;
    char key[256], source[LAST_BYTES];
    key_of(s, partition, key, sizeof key);
    source_name(source, sizeof source, s->topic, partition);
    if (need_connection(s) || make_model(s, key))
        return -1;
    redisReply *info = redisCommand(s->connection, "ANB.INFO %s", key);
    if (!info || info->type == REDIS_REPLY_ERROR) {
        int code = complain(s, key, info ? info->str : s->connection->errstr);
        freeReplyObject(info);
        return code;
    }
    const redisReply *last = value_of(value_of(info, "sources"), source);
    *next = last ? last->integer + 1 : -1;
    freeReplyObject(info);
    return 0;
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

static void count(RedisSink *s, const redisReply *reply)
{
    bool repeated = reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "REPEATED") == 0;
    s->base.repeated += repeated;
    s->base.refused += reply->type == REDIS_REPLY_ERROR;
    s->base.learned += !repeated && reply->type != REDIS_REPLY_ERROR;
    if (reply->type == REDIS_REPLY_ERROR)
        complain(s, "a sample is refused", reply->str);
}

static int settle(Sink *self)
{
    RedisSink *s = (RedisSink *)self;
    for (; s->under_way > 0; s->under_way--) {
        void *reply;
        if (redisGetReply(s->connection, &reply) != REDIS_OK) {
            complain(s, "learning", s->connection->errstr);
            drop_connection(s);
            return -1;
        }
        count(s, reply);
        freeReplyObject(reply);
    }
    return 0;
}

static int send_sample(RedisSink *s, const Sample *sample)
{
    static char text[SAMPLE_CELLS][NUMBER];
    static const char *argument[SAMPLE_CELLS + 5];
    char key[256], source[LAST_BYTES], offset[NUMBER];
    int n = 0;
    key_of(s, sample->partition, key, sizeof key);
    source_name(source, sizeof source, s->topic, sample->partition);
    snprintf(offset, sizeof offset, "%lld", (long long)sample->offset);
    argument[n++] = "ANB.TRAIN";
    argument[n++] = key;
    for (size_t i = 0; i < sample->n; i++) {
        snprintf(text[i], NUMBER, "%.17g", sample->cell[i]);
        argument[n++] = text[i];
    }
    argument[n++] = "SEQ";
    argument[n++] = source;
    argument[n++] = offset;
    return redisAppendCommandArgv(s->connection, n, argument, NULL);
}

static int take(Sink *self, const Sample *sample)
{
    RedisSink *s = (RedisSink *)self;
    if (sample->n != s->features + 1) {
        s->base.refused++;
        return 0;
    }
    if (!s->connection || send_sample(s, sample) != REDIS_OK)
        return -1;
    return ++s->under_way == UNDER_WAY ? settle(self) : 0;
}

static void release(Sink *self, int32_t partition)
{
    (void)self, (void)partition; /* the server has it */
}

static void free_sink(Sink *self)
{
    drop_connection((RedisSink *)self);
    free(self);
}

Sink *sink_redis(const char *host, int port, const char *key, const char *topic, const char *expression,
                 size_t features)
{
    RedisSink *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    *s = (RedisSink){.base = {position, take, settle, release, free_sink, 0, 0, 0},
                     .host = host,
                     .port = port,
                     .key = key,
                     .topic = topic,
                     .expression = expression,
                     .features = features};
    return &s->base;
}
