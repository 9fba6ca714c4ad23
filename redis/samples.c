/*
 * Training and predicting, one row, many rows as arguments, many rows packed. Every row is checked before the first is
 * learned; what is learned is replicated as it came, or packed where the worker learned it.
 */
#include "module.h"
#include <string.h>

enum { PACKED_ROWS_MAX = 1 << 24 };

/* Memory for the rows and answers of the batches of the main thread. It grows, and shrinks again after a large batch.
 */
static double *buffer;
static size_t buffer_size;

static double *room(size_t doubles)
{
    enum { KEPT = 1 << 17 };
    if (doubles > buffer_size || (buffer_size > KEPT && doubles <= KEPT)) {
        RedisModule_Free(buffer);
        buffer_size = doubles <= KEPT / 2 ? 2 * doubles : doubles;
        buffer = RedisModule_Alloc(buffer_size * sizeof(double));
    }
    return buffer;
}

static void take_room(Batch *batch)
{
    batch->rows = room(batch->n * (anb_batch_stride(batch) + 1));
    batch->out = batch->rows + batch->n * anb_batch_stride(batch);
}

/* ---- checks ----------------------------------------------------------------------------------------------------- */

/* The first number of a row that the model would reject, or -1. A missing target is as wrong as an infinite one. */
static long bad_cell(const Batch *batch, const double *row, bool takes_missing)
{
    if (batch->learn && row[0] - row[0] != 0)
        return 0;
    for (size_t j = batch->learn; j < anb_batch_stride(batch); j++)
        if (row[j] - row[j] != 0 && !(row[j] != row[j] && takes_missing))
            return (long)j;
    return -1;
}

static int check_rows(RedisModuleCtx *ctx, const Batch *batch, const StreamingLearner *learner)
{
    bool takes_missing = anb_takes_missing(learner);
    for (size_t i = 0; i < batch->n; i++) {
        const double *row = batch->rows + i * anb_batch_stride(batch);
        long j = bad_cell(batch, row, takes_missing);
        if (j < 0)
            continue;
        anb_statistics.rejected++;
        const char *what = row[j] != row[j] ? "missing, which this model does not take" : "infinite";
        if (batch->learn && j == 0)
            anb_reply_error(ctx, "row %zu: the target is not a finite number; nothing was learned", i + 1);
        else
            anb_reply_error(ctx, "row %zu: feature %ld is %s; nothing was learned", i + 1, j + !batch->learn, what);
        return -1;
    }
    return 0;
}

static int parse_rows(RedisModuleCtx *ctx, const Batch *batch, RedisModuleString **argv)
{
    for (size_t i = 0; i < batch->n * anb_batch_stride(batch); i++)
        if (!anb_text_number(argv[i], &batch->rows[i])) {
            size_t n;
            const char *text = RedisModule_StringPtrLen(argv[i], &n);
            anb_statistics.rejected++;
            return anb_reply_error(ctx, "row %zu: '%.*s' is not a number; nothing was learned",
                                   i / anb_batch_stride(batch) + 1, (int)(n < 40 ? n : 40), text),
                   -1;
        }
    return 0;
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

static bool may_block(RedisModuleCtx *ctx)
{
    int never = REDISMODULE_CTX_FLAGS_LUA | REDISMODULE_CTX_FLAGS_MULTI | REDISMODULE_CTX_FLAGS_LOADING |
                REDISMODULE_CTX_FLAGS_REPLICATED | REDISMODULE_CTX_FLAGS_DENY_BLOCKING |
                REDISMODULE_CTX_FLAGS_ASYNC_LOADING;
    return !(RedisModule_GetContextFlags(ctx) & never);
}

/* Whether the batch goes to the worker: it would take long, longer than the copy that is made under the lock as well;
 * or it writes behind others that wait there. */
static bool for_worker(RedisModuleCtx *ctx, const Model *model, const Batch *batch)
{
    double expected_us = model->row_ns * (double)batch->n / 1000, copy_us = anb_copy_ns(model) / 1000;
    bool behind = batch->learn && model->ticket->queued > 0;
    bool long_enough = expected_us > (double)anb_inline_us && (expected_us > copy_us || anb_inline_us == 0);
    return (behind || long_enough) && !batch->with_diag && may_block(ctx);
}

static void measure(Model *model, const Batch *batch, uint64_t ns)
{
    float row = (float)ns / (float)(batch->n > 0 ? batch->n : 1);
    model->row_ns += (row - model->row_ns) / 16;
    anb_statistics.inline_ns += ns;
    if (ns > anb_statistics.longest_inline_ns)
        anb_statistics.longest_inline_ns = ns;
}

static int run(RedisModuleCtx *ctx, RedisModuleString *name, Model *model, Batch *batch)
{
    if (check_rows(ctx, batch, model->learner))
        return REDISMODULE_OK;
    batch->fate = anb_sequence_look(model->learner, &batch->sequence);
    if (batch->fate != SEQUENCE_NEW)
        return anb_sequence_reply(ctx, batch->fate);
    if (for_worker(ctx, model, batch))
        return anb_worker_queue(ctx, name, model, batch);
    uint64_t start = anb_now_ns();
    anb_batch_run(batch, model->learner);
    measure(model, batch, anb_now_ns() - start);
    if (batch->fate != SEQUENCE_NEW)
        return anb_sequence_reply(ctx, batch->fate);
    anb_batch_count(batch);
    if (batch->with_diag)
        anb_mixture(model->learner, &batch->mixture);
    if (batch->learn && batch->n > 0) {
        RedisModule_ReplicateVerbatim(ctx);
        anb_touch(ctx, name, model, "anb.train");
    }
    return anb_batch_reply(ctx, batch);
}

/* ---- commands --------------------------------------------------------------------------------------------------- */

/* Takes `WEIGHT w`, `SEQ source n` and `WITHDIAG` off the arguments' end. */
static int take_options(RedisModuleCtx *ctx, Batch *batch, RedisModuleString **argv, int *argc, int least)
{
    batch->weight = 1;
    for (;;) {
        if (*argc > least && anb_text_is(argv[*argc - 1], "WITHDIAG")) {
            batch->with_diag = true;
            *argc -= 1;
        } else if (*argc > least + 1 && anb_text_is(argv[*argc - 2], "WEIGHT")) {
            if (!anb_text_number(argv[*argc - 1], &batch->weight) || !(batch->weight >= 0) ||
                batch->weight - batch->weight != 0)
                return anb_reply_error(ctx, "WEIGHT takes a finite number, at least 0"), -1;
            *argc -= 2;
        } else if (batch->learn && *argc > least + 2 && anb_text_is(argv[*argc - 3], "SEQ")) {
            if (anb_sequence_parse(ctx, argv + *argc - 2, &batch->sequence))
                return -1;
            *argc -= 3;
        } else
            return 0;
    }
}

static int wrong_width(RedisModuleCtx *ctx, const Batch *batch, size_t given)
{
    anb_statistics.rejected++;
    return anb_reply_error(ctx, "the model has %zu features, the row %zu; nothing was learned", batch->d, given);
}

static int with_diagnostics_possible(RedisModuleCtx *ctx, const Batch *batch, const Model *model)
{
    AnbMixture mixture;
    if (batch->with_diag && anb_mixture(model->learner, &mixture))
        return anb_reply_error(ctx, "WITHDIAG: this model holds no mixture"), -1;
    return 0;
}

int anb_command_train(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    Batch batch = {.learn = true, .single = true, .n = 1};
    if (argc < 4)
        return RedisModule_WrongArity(ctx);
    Model *model = anb_model_at(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
    if (!model || take_options(ctx, &batch, argv, &argc, 4))
        return REDISMODULE_OK;
    batch.d = anb_n_features(model->learner);
    if ((size_t)argc != batch.d + 3)
        return wrong_width(ctx, &batch, (size_t)argc - 3);
    take_room(&batch);
    if (parse_rows(ctx, &batch, argv + 2) || with_diagnostics_possible(ctx, &batch, model))
        return REDISMODULE_OK;
    return run(ctx, argv[1], model, &batch);
}

const double *anb_parse_features(RedisModuleCtx *ctx, const StreamingLearner *learner, RedisModuleString **argv)
{
    Batch batch = {.n = 1, .d = anb_n_features(learner)};
    take_room(&batch);
    return parse_rows(ctx, &batch, argv) || check_rows(ctx, &batch, learner) ? NULL : batch.rows;
}

int anb_command_predict(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    Batch batch = {.single = true, .n = 1};
    if (argc < 3)
        return RedisModule_WrongArity(ctx);
    Model *model = anb_model_at(ctx, argv[1], REDISMODULE_READ);
    if (!model)
        return REDISMODULE_OK;
    batch.d = anb_n_features(model->learner);
    if ((size_t)argc != batch.d + 2)
        return wrong_width(ctx, &batch, (size_t)argc - 2);
    take_room(&batch);
    return parse_rows(ctx, &batch, argv + 2) ? REDISMODULE_OK : run(ctx, argv[1], model, &batch);
}

/* key count row...: as many numbers as count rows have. */
static int many(RedisModuleCtx *ctx, RedisModuleString **argv, int argc, bool learn)
{
    Batch batch = {.learn = learn};
    double count;
    if (argc < 4)
        return RedisModule_WrongArity(ctx);
    Model *model = anb_model_at(ctx, argv[1], learn ? REDISMODULE_READ | REDISMODULE_WRITE : REDISMODULE_READ);
    if (!model || take_options(ctx, &batch, argv, &argc, 4))
        return REDISMODULE_OK;
    if (batch.with_diag)
        return anb_reply_error(ctx, "WITHDIAG goes with ANB.TRAIN");
    if (!anb_text_number(argv[2], &count) || !(count >= 1 && count <= PACKED_ROWS_MAX) || count != (double)(long)count)
        return anb_reply_error(ctx, "the count of rows is a whole number from 1 to %d", PACKED_ROWS_MAX);
    batch.n = (size_t)count;
    batch.d = anb_n_features(model->learner);
    if ((size_t)(argc - 3) != batch.n * anb_batch_stride(&batch))
        return anb_reply_error(ctx, "%zu rows of this model are %zu numbers, not %d; nothing was learned", batch.n,
                               batch.n * anb_batch_stride(&batch), argc - 3);
    take_room(&batch);
    return parse_rows(ctx, &batch, argv + 3) ? REDISMODULE_OK : run(ctx, argv[1], model, &batch);
}

int anb_command_mtrain(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    return many(ctx, argv, argc, true);
}

int anb_command_mpredict(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    return many(ctx, argv, argc, false);
}

/* key blob: rows of little-endian doubles, which is what every machine that this library runs on holds. */
static int packed(RedisModuleCtx *ctx, RedisModuleString **argv, int argc, bool learn)
{
    Batch batch = {.learn = learn, .packed = true};
    size_t size;
    if (argc < 3)
        return RedisModule_WrongArity(ctx);
    Model *model = anb_model_at(ctx, argv[1], learn ? REDISMODULE_READ | REDISMODULE_WRITE : REDISMODULE_READ);
    if (!model || take_options(ctx, &batch, argv, &argc, 3))
        return REDISMODULE_OK;
    if (argc != 3 || batch.with_diag)
        return RedisModule_WrongArity(ctx);
    const char *blob = RedisModule_StringPtrLen(argv[2], &size);
    batch.d = anb_n_features(model->learner);
    batch.n = size / (anb_batch_stride(&batch) * sizeof(double));
    if (batch.n == 0 || batch.n > PACKED_ROWS_MAX || size != batch.n * anb_batch_stride(&batch) * sizeof(double))
        return anb_reply_error(ctx, "a row of this model is %zu bytes, which %zu bytes are no multiple of",
                               anb_batch_stride(&batch) * sizeof(double), size);
    take_room(&batch);
    memcpy(batch.rows, blob, size);
    return run(ctx, argv[1], model, &batch);
}

int anb_command_trainb(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    return packed(ctx, argv, argc, true);
}

int anb_command_predictb(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    return packed(ctx, argv, argc, false);
}
