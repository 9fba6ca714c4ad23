#include "api.h"
#include <string.h>

#define DEFINE(name, result, arguments) result(*RedisModule_##name) arguments;
ANB_REDIS_REQUIRED(DEFINE)
ANB_REDIS_OPTIONAL(DEFINE)
#undef DEFINE

bool anb_redis_is_valkey;

typedef int (*GetApi)(const char *name, void *target);

int anb_redis_resolve(RedisModuleCtx *ctx)
{
    GetApi get_api;
    memcpy(&get_api, ctx, sizeof get_api); /* the context starts with the function that looks up all others */
#define RESOLVE(name, result, arguments)                                                                               \
    if (get_api("RedisModule_" #name, (void *)&RedisModule_##name) != REDISMODULE_OK)                                  \
        return -1;
    ANB_REDIS_REQUIRED(RESOLVE)
#undef RESOLVE
#define RESOLVE(name, result, arguments)                                                                               \
    if (get_api("RedisModule_" #name, (void *)&RedisModule_##name) != REDISMODULE_OK)                                  \
        RedisModule_##name = NULL;
    ANB_REDIS_OPTIONAL(RESOLVE)
#undef RESOLVE
    void *unused;
    anb_redis_is_valkey = get_api("ValkeyModule_Alloc", (void *)&unused) == REDISMODULE_OK;
    return 0;
}
