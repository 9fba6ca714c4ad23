/* Numbered commands: a number that a model has learned from a source is not learned again. */
#include "sequence.h"
#include "caller.h"
#include "model.h"
#include "reply.h"
#include "statistics.h"
#include "text.h"
#include <anabranch/anabranch.h>
#include <anabranch/number.h>
#include <anabranch/sequence.h>
#include <string.h>

const char anb_no_room_for_source[] =
    "ERR the model cannot keep another source: 64 are kept, or its memory is at its limit; nothing was learned";

enum { JOINED = 4 }; /* bytes of SEQ= */

/* ---- reading ----------------------------------------------------------------------------------------------------- */

bool anb_sequence_is_joined(RedisModuleString *text)
{
    size_t n;
    uint32_t start, wanted, lower;
    const char *at = RedisModule_StringPtrLen(text, &n);
    if (n < JOINED)
        return false;
    memcpy(&start, at, JOINED);
    memcpy(&wanted, "seq=", JOINED);
    memset(&lower, 'a' - 'A', JOINED); /* a bit that '=' has as well */
    return (start | lower) == wanted;
}

/* Reads the whole number at the end of a text, backwards. Returns where its digits start; NULL where there is none or
 * it is 2^63 or more. */
static const char *last_number(const char *text, const char *end, uint64_t *n)
{
    const ptrdiff_t most = 19; /* digits of numbers below 10^19 < 2^64; before them zeros alone */
    const char *at = end, *stop = end - text < most ? text : end - most;
    uint64_t sum = 0, unit = 1, digit;
    for (; at > stop && (digit = (uint64_t)(unsigned char)at[-1] - '0') <= 9; at--, unit *= 10)
        sum += digit * unit;
    while (at > text && at < end && at[-1] == '0')
        at--;
    *n = sum;
    return at < end && sum <= INT64_MAX ? at : NULL;
}

static int refuse_number(RedisModuleCtx *ctx, const char *form)
{
    return anb_reply_error(ctx, "%s: n is a whole number from 0 to about 9.2e18; nothing was learned", form), -1;
}

/* The name; its number has been read. Logs of older versions may have two numbers in a command: the last one counts. */
static int take_name(RedisModuleCtx *ctx, const char *form, const char *name, size_t size, Sequence *sequence)
{
    if (size == 0 || size >= ANB_SOURCE_SIZE)
        return anb_reply_error(ctx, "%s: the source's name is 1 to %d bytes; nothing was learned", form,
                               ANB_SOURCE_SIZE - 1),
               -1;
    if (sequence->size > 0 && anb_from_client(ctx))
        return anb_reply_error(ctx, "%s: the command is numbered twice; nothing was learned", form), -1;
    sequence->source = name;
    sequence->size = size;
    return 0;
}

int anb_sequence_apart(RedisModuleCtx *ctx, RedisModuleString **argv, Sequence *sequence)
{
    static const char form[] = "SEQ source n";
    size_t size, digits;
    const char *name = RedisModule_StringPtrLen(argv[0], &size), *n = RedisModule_StringPtrLen(argv[1], &digits);
    return last_number(n, n + digits, &sequence->n) == n ? take_name(ctx, form, name, size, sequence)
                                                         : refuse_number(ctx, form);
}

/* `source:n`: the last colon ends the name. */
static int read_joined(RedisModuleCtx *ctx, const char *form, const char *text, size_t size, Sequence *sequence)
{
    const char *digits = last_number(text, text + size, &sequence->n);
    if (digits && digits > text && digits[-1] == ':')
        return take_name(ctx, form, text, (size_t)(digits - text) - 1, sequence);
    return memchr(text, ':', size)
               ? refuse_number(ctx, form)
               : (anb_reply_error(ctx, "%s: a colon stands before n; nothing was learned", form), -1);
}

int anb_sequence_joined(RedisModuleCtx *ctx, RedisModuleString *text, Sequence *sequence)
{
    size_t size;
    const char *at = RedisModule_StringPtrLen(text, &size);
    return read_joined(ctx, "SEQ=source:n", at + JOINED, size - JOINED, sequence);
}

/* No number has an @, so the first one ends it. */
int anb_sequence_behind(RedisModuleCtx *ctx, RedisModuleString *text, double *value, Sequence *sequence)
{
    size_t n;
    const char *at = RedisModule_StringPtrLen(text, &n);
    int used = anb_number_parse(at, n, value);
    if (used == (int)n)
        return 0;
    const char *behind = used > 0 ? at + used : memchr(at, '@', n);
    if (!behind || *behind != '@')
        return anb_text_number(text, value) ? 0 : 1;
    if (used <= 0 && !anb_text_missing(at, (size_t)(behind - at)))
        return 1;
    if (used <= 0)
        *value = ANB_NAN;
    return read_joined(ctx, "@source:n", behind + 1, n - (size_t)(behind - at) - 1, sequence);
}

/* ---- the model's positions --------------------------------------------------------------------------------------- */

static bool is_named(const AnbSource *source, const Sequence *sequence)
{
    const char *end = source->name + sequence->size;
    return end[-1] && !*end && memcmp(source->name, sequence->source, sequence->size) == 0;
}

/* The source's index, or a code. The source of the previous command is compared first, since it is usually the same. */
static int find(Model *model, const Sequence *sequence, const AnbSource *sources, size_t n)
{
    if (model->source >= n || !is_named(&sources[model->source], sequence)) {
        int at = anb_source_find(model->learner, sequence->source, sequence->size);
        if (at < 0)
            return at;
        model->source = (unsigned)at;
    }
    return (int)model->source;
}

SequenceFate anb_sequence_look(Model *model, Sequence *sequence)
{
    const AnbSource *sources;
    if (sequence->size == 0)
        return SEQUENCE_NEW;
    size_t n = anb_sources(model->learner, &sources);
    sequence->at = find(model, sequence, sources, n);
    if (sequence->at >= 0)
        return sequence->n < sources[sequence->at].next ? SEQUENCE_REPEATED : SEQUENCE_NEW;
    if (memchr(sequence->source, 0, sequence->size))
        return SEQUENCE_NO_NAME;
    return n < ANB_SOURCES_MAX ? SEQUENCE_NEW : SEQUENCE_NO_ROOM;
}

SequenceFate anb_sequence_take(StreamingLearner *learner, const Sequence *sequence)
{
    if (sequence->size == 0)
        return SEQUENCE_NEW;
    int at = sequence->at >= 0 ? sequence->at : anb_source_add(learner, sequence->source, sequence->size, NULL);
    if (at < 0)
        return SEQUENCE_NO_ROOM;
    return anb_source_take(learner, at, sequence->n) ? SEQUENCE_NEW : SEQUENCE_REPEATED;
}

int anb_sequence_reply(RedisModuleCtx *ctx, SequenceFate fate)
{
    if (fate == SEQUENCE_REPEATED) {
        anb_statistics.repeated++;
        return RedisModule_ReplyWithSimpleString(ctx, "REPEATED");
    }
    anb_statistics.rejected++;
    return fate == SEQUENCE_NO_ROOM
               ? RedisModule_ReplyWithError(ctx, anb_no_room_for_source)
               : anb_reply_error(ctx, "the name of a source holds a zero byte; nothing was learned");
}
