/* Batches that take long are run by threads beside the server's. */
#ifndef ANB_REDIS_WORKER_H
#define ANB_REDIS_WORKER_H

#include "batch.h"

int anb_worker_start(RedisModuleCtx *ctx);
/* The expected time of a copy of the model, from earlier ones. */
double anb_copy_ns(const Model *model);
/* Takes a copy of the batch and blocks the client. */
int anb_worker_queue(RedisModuleCtx *ctx, RedisModuleString *name, Model *model, const Batch *batch);

#endif
