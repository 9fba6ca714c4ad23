/* Who sent a command. */
#ifndef ANB_REDIS_CALLER_H
#define ANB_REDIS_CALLER_H

#include "api.h"
#include <stdbool.h>

/* Whether the command may block its client: not inside MULTI, scripts, replication and loading. */
bool anb_may_block(RedisModuleCtx *ctx);
/* Whether a client or a script sent it: not a master, not a file. Commands of those were accepted before, perhaps by an
 * older version, and are not refused for what is checked since. */
bool anb_from_client(RedisModuleCtx *ctx);

#endif
