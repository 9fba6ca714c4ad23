/* Numbered commands: what a model learned from a source before is not learned again. */
#include "module.h"
#include <string.h>

const char anb_no_room_for_source[] =
    "ERR the model cannot keep another source: 64 are kept, or its memory is at its limit; nothing was learned";

static bool parse_number(RedisModuleString *text, uint64_t *n)
{
    size_t size;
    const char *at = RedisModule_StringPtrLen(text, &size);
    *n = 0;
    for (size_t i = 0; i < size; i++) {
        if (at[i] < '0' || at[i] > '9' || *n > (INT64_MAX - 9) / 10)
            return false;
        *n = *n * 10 + (uint64_t)(at[i] - '0');
    }
    return size > 0;
}

int anb_sequence_parse(RedisModuleCtx *ctx, RedisModuleString **argv, Sequence *sequence)
{
    size_t size;
    const char *name = RedisModule_StringPtrLen(argv[0], &size);
    if (size == 0 || size >= sizeof sequence->source || memchr(name, 0, size))
        return anb_reply_error(ctx, "SEQ source n: the source's name is 1 to %d bytes, none of them 0",
                               ANB_SOURCE_SIZE - 1),
               -1;
    if (!parse_number(argv[1], &sequence->n))
        return anb_reply_error(ctx, "SEQ source n: n is a whole number from 0 to about 9.2e18"), -1;
    memcpy(sequence->source, name, size);
    sequence->size = size;
    return 0;
}

SequenceFate anb_sequence_look(const StreamingLearner *learner, const Sequence *sequence)
{
    const AnbSource *sources;
    if (sequence->size == 0)
        return SEQUENCE_NEW;
    size_t n = anb_sources(learner, &sources);
    int at = anb_source_find(learner, sequence->source, sequence->size);
    if (at >= 0)
        return sequence->n < sources[at].next ? SEQUENCE_REPEATED : SEQUENCE_NEW;
    return n < ANB_SOURCES_MAX ? SEQUENCE_NEW : SEQUENCE_NO_ROOM;
}

SequenceFate anb_sequence_take(StreamingLearner *learner, const Sequence *sequence)
{
    if (sequence->size == 0)
        return SEQUENCE_NEW;
    int at = anb_source_find(learner, sequence->source, sequence->size);
    if (at < 0 && (at = anb_source_add(learner, sequence->source, sequence->size, NULL)) < 0)
        return SEQUENCE_NO_ROOM;
    return anb_source_take(learner, at, sequence->n) ? SEQUENCE_NEW : SEQUENCE_REPEATED;
}

int anb_sequence_reply(RedisModuleCtx *ctx, SequenceFate fate)
{
    if (fate == SEQUENCE_NO_ROOM) {
        anb_statistics.rejected++;
        return RedisModule_ReplyWithError(ctx, anb_no_room_for_source);
    }
    anb_statistics.repeated++;
    return RedisModule_ReplyWithSimpleString(ctx, "REPEATED");
}
