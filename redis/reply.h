/* What commands reply. */
#ifndef ANB_REDIS_REPLY_H
#define ANB_REDIS_REPLY_H

#include "api.h"
#include <anabranch/anabranch.h>

void anb_reply_map(RedisModuleCtx *ctx, long pairs);
void anb_reply_number(RedisModuleCtx *ctx, double value);
void anb_reply_text(RedisModuleCtx *ctx, const char *text);
void anb_reply_pair(RedisModuleCtx *ctx, const char *key, double value);
int anb_reply_error(RedisModuleCtx *ctx, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Replies a mixture's state as ANB_MIXTURE_PAIRS pairs of a map that has been opened. */
enum { ANB_MIXTURE_PAIRS = 9 };
void anb_reply_mixture(RedisModuleCtx *ctx, const AnbMixture *mixture);

#endif
