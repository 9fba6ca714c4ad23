/* The commands, as docs/redis.md describes them; command_table.c registers them. */
#ifndef ANB_REDIS_COMMANDS_H
#define ANB_REDIS_COMMANDS_H

#include "api.h"

int anb_register_commands(RedisModuleCtx *ctx);

int anb_command_create(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_info(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_diag(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_experts(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_reset(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_clone(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_save(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_restore(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_version(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);

int anb_command_interval(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_explain(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_train(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_mtrain(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_trainb(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_predict(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_mpredict(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_predictb(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);

int anb_command_feed(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_importance(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_pending(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_label(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);
int anb_command_background(RedisModuleCtx *ctx, RedisModuleString **argv, int argc);

#endif
