/* The number that a command's samples have at their source: nothing is learned twice. */
#ifndef ANB_REDIS_SEQUENCE_H
#define ANB_REDIS_SEQUENCE_H

#include "model.h"
#include <anabranch/sequence.h>

/* The number that a command's samples have at their source: `SEQ source n`, `SEQ=source:n`, or `@source:n` behind the
 * target of one row or the count of many. */
typedef struct Sequence {
    const char *source; /* its name in the command's own text, with no 0 behind it */
    size_t size;        /* of the name, below ANB_SOURCE_SIZE; 0: the command is not numbered */
    uint64_t n;
    int at; /* index of the source in the model; negative: unknown */
} Sequence;

/* Reads `source n`. Here and below: 0, or -1 with the error replied. */
int anb_sequence_apart(RedisModuleCtx *ctx, RedisModuleString **argv, Sequence *sequence);
/* Reads `SEQ=source:n`. */
int anb_sequence_joined(RedisModuleCtx *ctx, RedisModuleString *text, Sequence *sequence);
/* Whether the text begins with SEQ=. */
bool anb_sequence_is_joined(RedisModuleString *text);
/* Reads what anb_text_number does, with or without `@source:n` behind it; 1 where it is no number. */
int anb_sequence_behind(RedisModuleCtx *ctx, RedisModuleString *text, double *value, Sequence *sequence);
typedef enum SequenceFate { SEQUENCE_REPEATED, SEQUENCE_NEW, SEQUENCE_NO_ROOM, SEQUENCE_NO_NAME } SequenceFate;
/* Whether the model has learned this number before; finds the source. Without a number it is new. */
SequenceFate anb_sequence_look(Model *model, Sequence *sequence);
/* As anb_sequence_look; where the number is new the source's position moves to it. The learner is that of the same
 * model; or any one where `at` is negative: then the source is found or added. */
SequenceFate anb_sequence_take(StreamingLearner *learner, const Sequence *sequence);
int anb_sequence_reply(RedisModuleCtx *ctx, SequenceFate fate);
extern const char anb_no_room_for_source[];

#endif
