/* The options behind a command's rows: WEIGHT w, SEQ source n or SEQ=source:n, WITHDIAG, WITHINTERVAL coverage,
 * WITHQUANTILES, in any order. */
#include "options.h"
#include "caller.h"
#include "reply.h"
#include "sequence.h"
#include "text.h"

typedef struct Option {
    const char *word;
    int values;        /* behind the word */
    bool learning;     /* of commands that learn; else of those that predict */
    const char *alone; /* which command of one row alone takes it; or NULL */
    int (*take)(RedisModuleCtx *ctx, Options *options, RedisModuleString **values);
} Option;

static int take_weight(RedisModuleCtx *ctx, Options *options, RedisModuleString **values)
{
    double *weight = &options->weight;
    return anb_text_number(values[0], weight) && *weight >= 0 && *weight - *weight == 0
               ? 0
               : (anb_reply_error(ctx, "WEIGHT takes a finite number, at least 0; nothing was learned"), -1);
}

static int take_sequence(RedisModuleCtx *ctx, Options *options, RedisModuleString **values)
{
    return anb_sequence_apart(ctx, values, &options->sequence);
}

static int take_diagnostics(RedisModuleCtx *ctx, Options *options, RedisModuleString **values)
{
    (void)ctx, (void)values;
    options->with_diag = true;
    return 0;
}

static int take_interval(RedisModuleCtx *ctx, Options *options, RedisModuleString **values)
{
    options->with_interval = true;
    return anb_text_number(values[0], &options->coverage)
               ? 0
               : (anb_reply_error(ctx, "WITHINTERVAL takes a coverage, such as 0.9"), -1);
}

static int take_quantiles(RedisModuleCtx *ctx, Options *options, RedisModuleString **values)
{
    (void)ctx, (void)values;
    options->with_quantiles = true;
    return 0;
}

static const Option known[] = {{"SEQ", 2, true, NULL, take_sequence},
                               {"WEIGHT", 1, true, NULL, take_weight},
                               {"WITHDIAG", 0, true, "goes with ANB.TRAIN", take_diagnostics},
                               {"WITHINTERVAL", 1, false, "goes with ANB.PREDICT", take_interval},
                               {"WITHQUANTILES", 0, false, "goes with ANB.PREDICT", take_quantiles}};

static const Option *find(RedisModuleString *word, bool learning)
{
    size_t n;
    const char *text = RedisModule_StringPtrLen(word, &n);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].learning == learning && anb_word_is(text, n, known[i].word))
            return &known[i];
    return NULL;
}

int anb_before_options(RedisModuleString **argv, int argc, bool learning)
{
    for (int i = 0; i < argc; i++)
        if (find(argv[i], learning) || (learning && anb_sequence_is_joined(argv[i])))
            return i;
    return argc;
}

/* Why an option is refused whatever its values are, or NULL. In logs of older versions one may be given twice: the last
 * one counts. */
static const char *refusal(RedisModuleCtx *ctx, const Options *options, unsigned of, const Option *option, int argc)
{
    if (argc <= option->values)
        return option->values == 1 ? "takes a value" : "takes two values";
    if (option->alone && !(of & OPTIONS_ONE_ROW))
        return option->alone;
    bool again = options->given & 1U << (option - known);
    return again && anb_from_client(ctx) ? "is given twice" : NULL;
}

/* The option at argv[0]: how many arguments it took, 0 where none stands there, or -1 with the error replied. */
static int take(RedisModuleCtx *ctx, Options *options, unsigned of, RedisModuleString **argv, int argc)
{
    bool learning = of & OPTIONS_LEARNING;
    if (learning && anb_sequence_is_joined(argv[0]))
        return anb_sequence_joined(ctx, argv[0], &options->sequence) ? -1 : 1;
    const Option *option = find(argv[0], learning);
    if (!option)
        return 0;
    const char *why = refusal(ctx, options, of, option, argc);
    if (why)
        return anb_reply_error(ctx, "%s %s%s", option->word, why, learning ? "; nothing was learned" : ""), -1;
    options->given |= 1U << (option - known);
    return option->take(ctx, options, argv + 1) ? -1 : 1 + option->values;
}

int anb_options_read(RedisModuleCtx *ctx, Options *options, unsigned of, RedisModuleString **argv, int argc)
{
    for (int i = 0, taken; i < argc; i += taken)
        if ((taken = take(ctx, options, of, argv + i, argc - i)) <= 0)
            return taken < 0 ? -1 : 1;
    return 0;
}
