/* What a command says beside its rows. */
#ifndef ANB_REDIS_OPTIONS_H
#define ANB_REDIS_OPTIONS_H

#include "sequence.h"

typedef struct Options {
    double weight;
    Sequence sequence;
    bool with_diag, with_interval, with_quantiles;
    double coverage; /* with_interval */
    unsigned given;   /* a bit for each option that was said */
} Options;

enum { OPTIONS_LEARNING = 1, OPTIONS_ONE_ROW = 2 }; /* what kind of command takes them */
/* 0; -1 with the error replied; 1 where something else than an option stands there. */
int anb_options_read(RedisModuleCtx *ctx, Options *options, unsigned of, RedisModuleString **argv, int argc);
/* How many arguments stand before the first option. */
int anb_before_options(RedisModuleString **argv, int argc, bool learning);

#endif
