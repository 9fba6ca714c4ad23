/* The options of a command with rows. */
#ifndef ANB_REDIS_OPTIONS_H
#define ANB_REDIS_OPTIONS_H

#include "sequence.h"

typedef struct Options {
    double weight;
    Sequence sequence;
    bool with_diag, with_interval, with_quantiles;
    double coverage; /* with_interval */
    unsigned given;  /* a bit for each option that was given */
} Options;

enum { OPTIONS_LEARNING = 1, OPTIONS_ONE_ROW = 2 }; /* what kind of command takes them */
/* 0; -1 with the error replied; 1 where the argument is not an option. */
int anb_options_read(RedisModuleCtx *ctx, Options *options, unsigned of, RedisModuleString **argv, int argc);
/* How many arguments stand before the first option. */
int anb_before_options(RedisModuleString **argv, int argc, bool learning);

#endif
