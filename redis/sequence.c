/* Numbered commands: what a model learned from a source before is not learned again. */
#include "module.h"
#include <string.h>

const char anb_no_room_for_source[] =
    "ERR the model cannot keep another source: 64 are kept, or its memory is at its limit; nothing was learned";

enum { JOINED = 4 }; /* bytes of SEQ= */

bool anb_sequence_is_joined(RedisModuleString *text)
{
    size_t n;
    uint32_t start, wanted, lower;
    const char *at = RedisModule_StringPtrLen(text, &n);
    if (n < JOINED)
        return false;
    memcpy(&start, at, JOINED);
    memcpy(&wanted, "seq=", JOINED);
    memset(&lower, 'a' - 'A', JOINED); /* a bit that = has */
    return (start | lower) == wanted;
}

static bool parse_number(const char *at, size_t size, uint64_t *n)
{
    const size_t most = 19; /* digits of numbers below 10^19 < 2^64 */
    uint64_t sum = 0;
    for (; size > most && *at == '0'; size--)
        at++;
    for (size_t i = 0; i < size; i++) {
        uint64_t digit = (uint64_t)(unsigned char)at[i] - '0';
        if (digit > 9 || i == most)
            return false;
        sum = sum * 10 + digit;
    }
    *n = sum;
    return size > 0 && sum <= INT64_MAX;
}

/* The name and the number's digits. */
static int take(RedisModuleCtx *ctx, const char *name, size_t size, const char *digits, size_t n_digits,
                Sequence *sequence)
{
    if (size == 0 || size >= sizeof sequence->source || memchr(name, 0, size))
        return anb_reply_error(ctx, "SEQ source n: the source's name is 1 to %d bytes, none of them 0",
                               ANB_SOURCE_SIZE - 1),
               -1;
    if (!parse_number(digits, n_digits, &sequence->n))
        return anb_reply_error(ctx, "SEQ source n: n is a whole number from 0 to about 9.2e18"), -1;
    memcpy(sequence->source, name, size);
    sequence->size = size;
    return 0;
}

int anb_sequence_parse(RedisModuleCtx *ctx, RedisModuleString **argv, Sequence *sequence)
{
    size_t size, n_digits;
    const char *name = RedisModule_StringPtrLen(argv[0], &size);
    const char *digits = RedisModule_StringPtrLen(argv[1], &n_digits);
    return take(ctx, name, size, digits, n_digits, sequence);
}

/* The last colon ends the name. */
int anb_sequence_parse_joined(RedisModuleCtx *ctx, RedisModuleString *text, Sequence *sequence)
{
    size_t size;
    const char *name = RedisModule_StringPtrLen(text, &size) + JOINED, *end = name;
    size -= JOINED;
    for (end += size; end > name && end[-1] != ':';)
        end--;
    if (end == name)
        return anb_reply_error(ctx, "SEQ=source:n: a colon stands before the number"), -1;
    return take(ctx, name, (size_t)(end - name) - 1, end, size - (size_t)(end - name), sequence);
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
