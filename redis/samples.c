/*
 * Training and predicting: one row, many rows as arguments, many rows packed. Every row is checked before the first is
 * learned. Commands that learn are replicated unchanged, or packed where the worker did them.
 */
#include "background.h"
#include "batch.h"
#include "caller.h"
#include "cells.h"
#include "commands.h"
#include "explain.h"
#include "model.h"
#include "options.h"
#include "reply.h"
#include "sequence.h"
#include "statistics.h"
#include "text.h"
#include "worker.h"
#include <anabranch/quantile.h>
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
    batch->rows = room(batch->n * (anb_batch_stride(batch) + 2));
    batch->out = batch->rows + batch->n * anb_batch_stride(batch);
    batch->bound = (unsigned *)(batch->out + batch->n);
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

static const char *consequence(const Batch *batch)
{
    return batch->learn ? "; nothing was learned" : "";
}

static Cells cells_of(const Model *model, const Batch *batch)
{
    return (Cells){.d = batch->d, .schema = model->schema, .consequence = consequence(batch)};
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
            anb_reply_error(ctx, "row %zu: feature %ld is %s%s", i + 1, j + !batch->learn, what, consequence(batch));
        return -1;
    }
    return 0;
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

/* Whether the batch goes to the worker: where it would take long, and longer than the copy that is made under the lock;
 * or where it writes and other batches of the model are queued. */
static bool for_worker(RedisModuleCtx *ctx, const Model *model, const Batch *batch)
{
    double expected_us = model->row_ns * anb_batch_work(batch) / 1000, copy_us = anb_copy_ns(model) / 1000;
    bool behind = batch->learn && anb_ticket_queued(model) > 0;
    bool long_enough = expected_us > (double)anb_inline_us && (expected_us > copy_us || anb_inline_us == 0);
    return (behind || long_enough) && !batch->options.with_diag && anb_may_block(ctx);
}

static void measure(Model *model, const Batch *batch, uint64_t ns)
{
    double work = anb_batch_work(batch);
    float row = (float)((double)ns / (work > 0 ? work : 1));
    model->row_ns += (row - model->row_ns) / 16;
    anb_statistics.inline_ns += ns;
    if (ns > anb_statistics.longest_inline_ns)
        anb_statistics.longest_inline_ns = ns;
}

static int run(RedisModuleCtx *ctx, RedisModuleString *name, Model *model, Batch *batch)
{
    if (check_rows(ctx, batch, model->learner))
        return REDISMODULE_OK;
    batch->fate = anb_sequence_look(model, &batch->options.sequence);
    if (batch->fate != SEQUENCE_NEW)
        return anb_sequence_reply(ctx, batch->fate);
    if ((batch->handed = for_worker(ctx, model, batch)))
        return anb_worker_queue(ctx, name, model, batch);
    if (batch->learn)
        anb_settle(model);
    uint64_t start = anb_now_ns();
    batch->observer = model->importance ? anb_importance_observer(model->importance) : NULL;
    anb_batch_run(batch, model->learner);
    measure(model, batch, anb_now_ns() - start);
    if (batch->fate != SEQUENCE_NEW)
        return anb_sequence_reply(ctx, batch->fate);
    anb_batch_count(batch);
    model->answers = batch->learn ? false : model->answers || !batch->explainer;
    if (batch->options.with_diag)
        anb_mixture(model->learner, &batch->mixture);
    if (batch->learn && batch->n > 0) {
        anb_batch_score(batch, model);
        RedisModule_ReplicateVerbatim(ctx);
        anb_touch(ctx, name, model, "anb.train");
    }
    return anb_batch_reply(ctx, batch);
}

/* ---- one row ----------------------------------------------------------------------------------------------------- */

static int wrong_rows(RedisModuleCtx *ctx, const Batch *batch, int given)
{
    size_t wanted = batch->n * anb_batch_stride(batch);
    anb_statistics.rejected++;
    return anb_reply_error(ctx, "%zu rows of this model are %zu values, not %d%s", batch->n, wanted, given,
                           consequence(batch)),
           -1;
}

static int read_options(RedisModuleCtx *ctx, Batch *batch, RedisModuleString **argv, int argc)
{
    unsigned of = (batch->learn ? OPTIONS_LEARNING : 0) | (batch->single ? OPTIONS_ONE_ROW : 0);
    return argc > 0 ? anb_options_read(ctx, &batch->options, of, argv, argc) : 0;
}

/* The one row and the options behind it. 0, or -1 with the error replied. */
static int parse_row(RedisModuleCtx *ctx, Batch *batch, const Model *model, RedisModuleString **argv, int argc)
{
    Cells cells = cells_of(model, batch);
    if (batch->learn && anb_cells_target(ctx, &cells, argv[0], batch->rows, &batch->options.sequence))
        return -1;
    argv += batch->learn;
    argc -= batch->learn;
    int taken = anb_cells_read(ctx, &cells, argv, argc, batch->rows + batch->learn);
    if (taken < 0)
        return -1;
    int code = read_options(ctx, batch, argv + taken, argc - taken);
    return code > 0 ? anb_cells_width(ctx, &cells, (size_t)anb_before_options(argv, argc, batch->learn)) : code;
}

static int check_coverage(RedisModuleCtx *ctx, const Batch *batch, const Model *model)
{
    const double *level;
    size_t n = anb_interval_levels(model->learner, &level);
    if (n == 0)
        return anb_reply_error(ctx, "this model has no intervals: its expression has to start with interval(...)"), -1;
    for (size_t i = 0; i < n; i++)
        if (level[i] == batch->options.coverage)
            return 0;
    return anb_reply_error(ctx, "the model has no interval of this coverage, but one of %g%s", level[0],
                           n > 1 ? " and others: interval(.., coverage=[..])" : ""),
           -1;
}

/* WITHDIAG, WITHINTERVAL and WITHQUANTILES need a model with a mixture, intervals or quantiles. */
static int check_options(RedisModuleCtx *ctx, Batch *batch, const Model *model)
{
    AnbMixture mixture;
    const double *level;
    if (batch->options.with_diag && anb_mixture(model->learner, &mixture))
        return anb_reply_error(ctx, "WITHDIAG: this model holds no mixture"), -1;
    if (batch->options.with_interval && batch->options.with_quantiles)
        return anb_reply_error(ctx, "WITHINTERVAL and WITHQUANTILES exclude each other"), -1;
    batch->levels = batch->options.with_quantiles ? anb_quantile_levels(model->learner, &level) : 0;
    if (batch->options.with_quantiles && batch->levels == 0)
        return anb_reply_error(ctx, "this model has no quantiles: its expression has to start with quantile(...)"), -1;
    return batch->options.with_interval ? check_coverage(ctx, batch, model) : 0;
}

static int one(RedisModuleCtx *ctx, RedisModuleString *name, Batch *batch, RedisModuleString **row, int argc)
{
    int mode = batch->learn ? REDISMODULE_READ | REDISMODULE_WRITE : REDISMODULE_READ;
    Model *model = anb_model_at(ctx, name, mode);
    if (!model)
        return REDISMODULE_OK;
    batch->single = true;
    batch->options.weight = 1;
    batch->n = 1;
    batch->d = anb_n_features(model->learner);
    take_room(batch);
    if (parse_row(ctx, batch, model, row, argc) || check_options(ctx, batch, model))
        return REDISMODULE_OK;
    return run(ctx, name, model, batch);
}

int anb_command_train(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    Batch batch = {.learn = true};
    return argc < 4 ? RedisModule_WrongArity(ctx) : one(ctx, argv[1], &batch, argv + 2, argc - 2);
}

int anb_command_predict(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    Batch batch = {.learn = false};
    return argc < 3 ? RedisModule_WrongArity(ctx) : one(ctx, argv[1], &batch, argv + 2, argc - 2);
}

/* key coverage x1 .. xn */
int anb_command_interval(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    Batch batch = {.options = {.with_interval = true}, .only_interval = true};
    if (argc < 4)
        return RedisModule_WrongArity(ctx);
    if (!anb_text_number(argv[2], &batch.options.coverage))
        return anb_reply_error(ctx, "the coverage is a number, such as 0.9");
    return one(ctx, argv[1], &batch, argv + 3, argc - 3);
}

/* Explains the row inline, or passes it to the worker, which then owns what the explanation needs. */
static int explain(RedisModuleCtx *ctx, RedisModuleString *name, Model *model, Batch *batch)
{
    batch->explainer = anb_background_explainer(model);
    batch->schema = model->schema ? anb_schema_keep(model->schema) : NULL;
    int code = batch->explainer ? run(ctx, name, model, batch) : anb_reply_error(ctx, "out of memory");
    if (!batch->handed)
        anb_batch_clear(batch);
    return code;
}

/* key x1 .. xn */
int anb_command_explain(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    Batch batch = {.single = true, .options = {.weight = 1}, .n = 1};
    if (argc < 3)
        return RedisModule_WrongArity(ctx);
    Model *model = anb_model_at(ctx, argv[1], REDISMODULE_READ);
    if (!model)
        return REDISMODULE_OK;
    if (anb_background_used(model->background) == 0)
        return anb_reply_error(ctx, "no rows are kept to compare with: ANB.BACKGROUND key rows keeps some of those "
                                    "that are learned from then on");
    batch.d = anb_n_features(model->learner);
    take_room(&batch);
    if (parse_row(ctx, &batch, model, argv + 2, argc - 2))
        return REDISMODULE_OK;
    if (batch.options.with_interval || batch.options.with_quantiles)
        return anb_reply_error(ctx, "EXPLAIN takes the row alone");
    return explain(ctx, argv[1], model, &batch);
}

const double *anb_parse_features(RedisModuleCtx *ctx, const Model *model, RedisModuleString **argv, int argc)
{
    Batch batch = {.n = 1, .d = anb_n_features(model->learner)};
    Cells cells = cells_of(model, &batch);
    take_room(&batch);
    int taken = anb_cells_read(ctx, &cells, argv, argc, batch.rows);
    if (taken >= 0 && taken != argc)
        taken = anb_cells_width(ctx, &cells, (size_t)argc);
    return taken < 0 || check_rows(ctx, &batch, model->learner) ? NULL : batch.rows;
}

/* ---- many rows --------------------------------------------------------------------------------------------------- */

static int parse_rows(RedisModuleCtx *ctx, Batch *batch, const Model *model, RedisModuleString **argv)
{
    Cells cells = cells_of(model, batch);
    for (; cells.row < batch->n; cells.row++) {
        double *row = batch->rows + cells.row * anb_batch_stride(batch);
        if (batch->learn && anb_cells_target(ctx, &cells, *argv++, row, NULL))
            return -1;
        if (anb_cells_read(ctx, &cells, argv, (int)batch->d, row + batch->learn) < 0)
            return -1;
        argv += batch->d;
    }
    return 0;
}

/* 0, or -1 with the error replied. */
static int read_count(RedisModuleCtx *ctx, Batch *batch, RedisModuleString *text)
{
    double count;
    int code = batch->learn ? anb_sequence_behind(ctx, text, &count, &batch->options.sequence)
                            : !anb_text_number(text, &count);
    if (code < 0)
        return -1;
    if (code || !(count >= 1 && count <= PACKED_ROWS_MAX) || count != (double)(long)count)
        return anb_reply_error(ctx, "the count of rows is a whole number from 1 to %d", PACKED_ROWS_MAX), -1;
    batch->n = (size_t)count;
    return 0;
}

/* key count row...: as many values as count rows have. */
static int many(RedisModuleCtx *ctx, RedisModuleString **argv, int argc, bool learn)
{
    Batch batch = {.learn = learn, .options = {.weight = 1}};
    if (argc < 4)
        return RedisModule_WrongArity(ctx);
    Model *model = anb_model_at(ctx, argv[1], learn ? REDISMODULE_READ | REDISMODULE_WRITE : REDISMODULE_READ);
    if (!model || read_count(ctx, &batch, argv[2]))
        return REDISMODULE_OK;
    batch.d = anb_n_features(model->learner);
    argv += 3;
    argc -= 3;
    size_t wanted = batch.n * anb_batch_stride(&batch);
    int code = (size_t)argc < wanted ? 1 : read_options(ctx, &batch, argv + wanted, argc - (int)wanted);
    if (code > 0)
        wrong_rows(ctx, &batch, anb_before_options(argv, argc, learn));
    if (code)
        return REDISMODULE_OK;
    take_room(&batch);
    return parse_rows(ctx, &batch, model, argv) ? REDISMODULE_OK : run(ctx, argv[-2], model, &batch);
}

int anb_command_mtrain(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    return many(ctx, argv, argc, true);
}

int anb_command_mpredict(RedisModuleCtx *ctx, RedisModuleString **argv, int argc)
{
    return many(ctx, argv, argc, false);
}

/* key blob: rows of little-endian doubles, the format of all machines that this library supports. */
static int packed(RedisModuleCtx *ctx, RedisModuleString **argv, int argc, bool learn)
{
    Batch batch = {.learn = learn, .packed = true, .options = {.weight = 1}};
    size_t size;
    if (argc < 3)
        return RedisModule_WrongArity(ctx);
    Model *model = anb_model_at(ctx, argv[1], learn ? REDISMODULE_READ | REDISMODULE_WRITE : REDISMODULE_READ);
    int code = model ? read_options(ctx, &batch, argv + 3, argc - 3) : -1;
    if (code)
        return code > 0 ? RedisModule_WrongArity(ctx) : REDISMODULE_OK;
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
