/* What may follow a command's rows: WEIGHT w, SEQ source n or SEQ=source:n, WITHDIAG, WITHINTERVAL coverage, WITHQUANTILES, in any order. */
#include "module.h"

typedef struct Option {
    const char *word;
    int values;    /* behind the word */
    bool learning; /* of commands that learn; else of those that predict */
    int (*take)(RedisModuleCtx *ctx, Batch *batch, RedisModuleString **values);
} Option;

bool anb_weight_parse(RedisModuleString *text, double *weight)
{
    return anb_text_number(text, weight) && *weight >= 0 && *weight - *weight == 0;
}

static int take_weight(RedisModuleCtx *ctx, Batch *batch, RedisModuleString **values)
{
    return anb_weight_parse(values[0], &batch->weight)
               ? 0
               : (anb_reply_error(ctx, "WEIGHT takes a finite number, at least 0"), -1);
}

static int take_sequence(RedisModuleCtx *ctx, Batch *batch, RedisModuleString **values)
{
    return anb_sequence_parse(ctx, values, &batch->sequence);
}

static int take_diagnostics(RedisModuleCtx *ctx, Batch *batch, RedisModuleString **values)
{
    (void)values;
    if (!batch->single)
        return anb_reply_error(ctx, "WITHDIAG goes with ANB.TRAIN"), -1;
    batch->with_diag = true;
    return 0;
}

static int take_interval(RedisModuleCtx *ctx, Batch *batch, RedisModuleString **values)
{
    if (!batch->single)
        return anb_reply_error(ctx, "WITHINTERVAL goes with ANB.PREDICT"), -1;
    batch->with_interval = true;
    return anb_text_number(values[0], &batch->coverage)
               ? 0
               : (anb_reply_error(ctx, "WITHINTERVAL takes a coverage, such as 0.9"), -1);
}

static int take_quantiles(RedisModuleCtx *ctx, Batch *batch, RedisModuleString **values)
{
    (void)values;
    if (!batch->single)
        return anb_reply_error(ctx, "WITHQUANTILES goes with ANB.PREDICT"), -1;
    batch->with_quantiles = true;
    return 0;
}

static const Option known[] = {{"SEQ", 2, true, take_sequence},
                               {"WEIGHT", 1, true, take_weight},
                               {"WITHDIAG", 0, true, take_diagnostics},
                               {"WITHINTERVAL", 1, false, take_interval},
                               {"WITHQUANTILES", 0, false, take_quantiles}};

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

int anb_take_options(RedisModuleCtx *ctx, Batch *batch, RedisModuleString **argv, int argc)
{
    for (int i = 0; i < argc;) {
        if (batch->learn && anb_sequence_is_joined(argv[i])) {
            if (anb_sequence_parse_joined(ctx, argv[i++], &batch->sequence))
                return -1;
            continue;
        }
        const Option *option = find(argv[i], batch->learn);
        if (!option || i + option->values >= argc)
            return option ? (anb_reply_error(ctx, "%s takes %d values", option->word, option->values), -1) : 1;
        if (option->take(ctx, batch, argv + i + 1))
            return -1;
        i += 1 + option->values;
    }
    return 0;
}
