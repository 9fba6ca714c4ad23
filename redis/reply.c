#include "reply.h"
#include <anabranch/number.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void anb_reply_map(RedisModuleCtx *ctx, long pairs)
{
    if (RedisModule_ReplyWithMap)
        RedisModule_ReplyWithMap(ctx, pairs);
    else
        RedisModule_ReplyWithArray(ctx, 2 * pairs);
}

/* The shortest text that reads back as the same double; a double where the client's protocol has them. */
void anb_reply_number(RedisModuleCtx *ctx, double value)
{
    char text[ANB_NUMBER_SIZE];
    if (RedisModule_GetContextFlags(ctx) & REDISMODULE_CTX_FLAGS_RESP3)
        RedisModule_ReplyWithDouble(ctx, value);
    else
        RedisModule_ReplyWithStringBuffer(ctx, text, anb_number_format(value, text));
}

void anb_reply_text(RedisModuleCtx *ctx, const char *text)
{
    RedisModule_ReplyWithStringBuffer(ctx, text, strlen(text));
}

int anb_reply_error(RedisModuleCtx *ctx, const char *format, ...)
{
    char text[400] = "ERR ";
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + 4, sizeof text - 4, format, arguments);
    va_end(arguments);
    for (char *at = text; *at; at++)
        *at = (char)(*at == '\n' || *at == '\r' ? ' ' : *at); /* the protocol ends an error there */
    return RedisModule_ReplyWithError(ctx, text);
}

void anb_reply_pair(RedisModuleCtx *ctx, const char *key, double value)
{
    anb_reply_text(ctx, key);
    anb_reply_number(ctx, value);
}

void anb_reply_mixture(RedisModuleCtx *ctx, const AnbMixture *m)
{
    anb_reply_text(ctx, "samples");
    RedisModule_ReplyWithLongLong(ctx, (long long)m->samples);
    anb_reply_pair(ctx, "prediction", m->prediction);
    anb_reply_pair(ctx, "target", m->target);
    anb_reply_pair(ctx, "error", m->error);
    anb_reply_pair(ctx, "disagreement", m->disagreement);
    anb_reply_pair(ctx, "gate_entropy", m->gate_entropy);
    anb_reply_pair(ctx, "alignment", m->alignment);
    anb_reply_text(ctx, "active");
    RedisModule_ReplyWithArray(ctx, (long)m->n_active);
    for (size_t a = 0; a < m->n_active; a++)
        RedisModule_ReplyWithLongLong(ctx, m->active[a]);
    anb_reply_text(ctx, "dead");
    RedisModule_ReplyWithLongLong(ctx, (long long)m->n_dead);
}
