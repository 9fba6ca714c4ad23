/* Who sent a command. */
#include "caller.h"

bool anb_may_block(RedisModuleCtx *ctx)
{
    int never = REDISMODULE_CTX_FLAGS_LUA | REDISMODULE_CTX_FLAGS_MULTI | REDISMODULE_CTX_FLAGS_LOADING |
                REDISMODULE_CTX_FLAGS_REPLICATED | REDISMODULE_CTX_FLAGS_DENY_BLOCKING |
                REDISMODULE_CTX_FLAGS_ASYNC_LOADING;
    return !(RedisModule_GetContextFlags(ctx) & never);
}

bool anb_from_client(RedisModuleCtx *ctx)
{
    int others = REDISMODULE_CTX_FLAGS_LOADING | REDISMODULE_CTX_FLAGS_REPLICATED | REDISMODULE_CTX_FLAGS_ASYNC_LOADING;
    return !(RedisModule_GetContextFlags(ctx) & others);
}
