/*
 * anabranch train: learns the rows of a file and saves the model. An interrupt saves as well: what was learned is never
 * lost, and the file is the old model or the whole new one at every moment. Where it cannot be written the model goes
 * elsewhere.
 */
#include "cli.h"
#include "columns.h"
#include "delay.h"
#include "model.h"
#include "output.h"
#include "progress.h"
#include "reading.h"
#include "saved.h"
#include "show.h"
#include "stop.h"
#include <anabranch/sequence.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const Option options[] = {
    {'l', "learner", "EXPR", "a new model, e.g. 'scale(rls(lambda=0.99))'; default: that of eval"},
    {'m', "model", "MODEL", "go on with a saved model, whose columns are found by name"},
    {'o', "output", "MODEL", "where the model is saved; may be the same file"},
    {0, "seed", "S", "of a new model: what random choices are derived from; default 1"},
    {'t', "target", "COLUMN", "the target's column, by name or number; default: the model's, or the last one"},
    {0, "interval", "C", "of a new model: intervals of coverage C, e.g. 0.9; several with commas"},
    {0, "weight", "COLUMN", "how many samples a row counts for"},
    {0, "label-after", "COLUMN", "when a row's label is known: how many rows later, or a time"},
    {0, "now", "COLUMN", "with --label-after by time: the feature with the row's own time; default: the first time"},
    {0, "cursor", "COLUMN", "each row's number in its log: rows at or before the model's last are skipped"},
    {0, "limit", "N", "read at most N rows"},
    {0, "missing-columns", NULL, "a feature of the model without a column is missing in every row, no error"},
    {0, "add-columns", NULL, "with -m: add columns that the model does not have; see docs/tables.md"},
    {0, "threads", "N",
     "threads that share a mixture's experts; 0: one for each core; default 1; the result is the same"},
    {0, "save-every", "N", "save after every N rows, too"},
    {0}};

typedef struct Training {
    Rows rows;
    Saved saved; /* with -m */
    StreamingLearner *model;
    uint64_t limit, save_every;
    uint64_t before;     /* rows that the saved model had learned from */
    uint64_t learned;    /* rows with a target and a weight above 0 */
    uint64_t weightless; /* rows with a target and of weight 0 */
    bool weighted;
    int source;        /* of the model: how far the log was learned; -1: no --cursor */
    uint64_t repeated; /* rows that were skipped, since they were learned before */
    Delay delay;       /* labels that come later */
    uint64_t newest;   /* row that was learned, as rows.read counted it */
    const char *output;
    double *x;
} Training;

static int check_use(const Arguments *a)
{
    if (!option_value(a, "output"))
        return complain(BAD_USE, "train: -o MODEL is missing: where is the model to be saved?");
    if (option_value(a, "model") &&
        (option_value(a, "learner") || option_value(a, "seed") || option_value(a, "interval")))
        return complain(BAD_USE, "train: -m goes on with a model; -l, --seed and --interval are for a new one");
    if (option_value(a, "cursor") && option_value(a, "label-after"))
        return complain(BAD_USE, "train: --cursor and --label-after do not go together: a row that waits is not saved");
    if (!option_value(a, "model") && (option_value(a, "add-columns") || option_value(a, "missing-columns")))
        return complain(BAD_USE, "train: --add-columns and --missing-columns are for a saved model: -m MODEL");
    const char *outputs[] = {option_value(a, "output"), option_value(a, "bad-rows")};
    return outputs_apart(outputs, 2, (const char *[]){a->operand[0]}, 1);
}

static int check_output(const char *path)
{
    if (strcmp(path, "-") == 0)
        return complain(BAD_USE, "train: -o wants a file; a snapshot is not written to standard output");
    return save_possible(path) ? 0 : complain(BAD_USE, "cannot write %s: %s", path, strerror(errno));
}

/* The model for its own columns and those that are new. */
static int widen(Training *t)
{
    AnbError error = {0};
    if (t->rows.n_features == anb_n_features(t->saved.model))
        return 0;
    t->model = anb_widen(t->saved.model, t->rows.schema, NULL, &error);
    return t->model ? 0 : complain(BAD_DATA, "the model cannot be widened: %s", error.message);
}

static int start_saved(Training *t, const Arguments *a, const RowsOptions *columns)
{
    int status = saved_open(&t->saved, option_value(a, "model"));
    if (status)
        return status;
    const char *rows = anb_snapshot_note(t->saved.snapshot, "rows");
    t->model = t->saved.model;
    t->before = rows ? strtoull(rows, NULL, 10) : 0;
    status = saved_rows(&t->saved, &t->rows, a->operand[0], *columns, true);
    return status ? status : widen(t);
}

/* Rows that are sent again would be learned again. */
static void warn_cursor(const Training *t)
{
    const Table *table = &t->rows.table;
    char word[64];
    for (size_t i = 0; i < table->columns; i++)
        if (t->rows.place[i] == SIZE_MAX && anb_source_find(t->model, table->names[i], strlen(table->names[i])) >= 0)
            complain(0,
                     "%s: the model was trained with --cursor %s; without it rows that were learned before are learned "
                     "again",
                     table->name, columns_word(table, i, word));
}

/* The model keeps how far it has got under the column's name. */
static int start_cursor(Training *t, const char *column)
{
    AnbError error = {0};
    if (!column)
        warn_cursor(t);
    t->source = column ? anb_source_add(t->model, column, strlen(column), &error) : -1;
    return column && t->source < 0 ? complain(BAD_USE, "--cursor %s: %s", column, error.message) : 0;
}

static int start(Training *t, const Arguments *a)
{
    RowsOptions columns = {.target = option_value(a, "target"),
                           .weight = option_value(a, "weight"),
                           .after = option_value(a, "label-after"),
                           .clock = option_value(a, "now"),
                           .cursor = option_value(a, "cursor"),
                           .missing_columns = option_value(a, "missing-columns") != NULL,
                           .add_columns = option_value(a, "add-columns") != NULL,
                           .distinct = true,
                           .names = true};
    int status = check_use(a);
    status = status ? status : check_output(option_value(a, "output"));
    status = status ? status : reading_options(a, &columns);
    t->limit = UINT64_MAX;
    t->weighted = columns.weight != NULL;
    t->output = option_value(a, "output");
    status = status ? status : count_option("limit", option_value(a, "limit"), 0, UINT64_MAX, &t->limit);
    status = status ? status : count_option("save-every", option_value(a, "save-every"), 1, UINT64_MAX, &t->save_every);
    if (!status)
        status = option_value(a, "model") ? start_saved(t, a, &columns) : model_start(&t->rows, a, &columns, &t->model);
    t->source = -1;
    if (!status && t->model)
        status = start_cursor(t, columns.cursor);
    if (!status && t->model)
        status = model_use_threads(t->model, option_value(a, "threads"));
    if (status || !t->model)
        return status;
    t->x = malloc(t->rows.n_features * sizeof *t->x);
    return t->x ? 0 : complain(BAD_DATA, "out of memory");
}

/* How many rows a run that goes on skips: those before the first one that waits for its label, unless some row behind
 * that one has been learned. */
static uint64_t done(const Training *t)
{
    uint64_t first = t->rows.read + 1;
    for (size_t i = 0; i < t->delay.n; i++)
        first = t->delay.heap[i].row < first ? t->delay.heap[i].row : first;
    return first > t->newest ? first - 1 : t->rows.read;
}

static int save_to(const void *training, const char *path)
{
    const Training *t = training;
    return save_with_names(t->model, &t->rows, t->before + done(t) - t->repeated, path);
}

/* Where it fails the run ends. */
static int save(const Training *t)
{
    int status = save_to(t, t->output);
    if (status && !save_elsewhere(t->output, save_to, t))
        complain(0, "%s: what was learned is lost", t->output);
    return status;
}

/* A row that came while an interrupt did may be cut off: it is not learned. -1 at the end. */
static int next_row(Training *t, double *y)
{
    if (stop_requested() || t->rows.read == t->limit)
        return -1;
    int status = rows_next(&t->rows, t->x, y);
    if (!stop_requested())
        return status;
    t->rows.read -= status == 0;
    return -1;
}

static void learn_row(Training *t, uint64_t row, const double *x, double y, double weight)
{
    t->newest = row > t->newest ? row : t->newest;
    t->learned += !isnan(anb_train_one(t->model, x, y, weight)) && weight > 0;
    t->weightless += !isnan(y) && weight == 0;
}

/* Whether the row was learned before; -1 where the cursor holds no valid number. */
static int is_repeated(Training *t)
{
    double n = t->rows.cursor;
    if (t->source < 0)
        return 0;
    if (!(n >= 0 && n < 0x1p53) || n != (double)(uint64_t)n)
        return complain(BAD_DATA, "%s:%llu: --cursor: the row's number is not a whole one from 0 to 2^53",
                        t->rows.table.name, (unsigned long long)t->rows.table.line),
               -1;
    return !anb_source_take(t->model, t->source, (uint64_t)n);
}

static void learn_due(Training *t, double now)
{
    Delayed late;
    while (delay_due(&t->delay, now, &late))
        learn_row(t, late.row, late.x, late.y, late.weight);
}

/* The row, or the labels that come with it. */
static int learn_with_delay(Training *t, double y)
{
    int status = 0;
    learn_due(t, t->rows.due_before);
    if (!isnan(y) && t->rows.due > t->rows.now)
        status = delay_add(&t->delay, t->rows.read, t->rows.due, t->x, y, t->rows.weight);
    else if (!isnan(y))
        learn_row(t, t->rows.read, t->x, y, t->rows.weight);
    learn_due(t, t->rows.due_behind);
    return status;
}

static int learn(Training *t)
{
    double y;
    int status;
    delay_start(&t->delay, t->rows.n_features);
    while ((status = next_row(t, &y)) == 0) {
        int repeated = is_repeated(t);
        t->repeated += repeated > 0;
        status = repeated < 0 ? BAD_DATA : repeated ? 0 : learn_with_delay(t, y);
        if (!status && t->save_every > 0 && t->rows.read % t->save_every == 0)
            status = save(t);
        if (status)
            return status;
    }
    return status > 0 ? status : 0;
}

static void report(const Training *t, double seconds)
{
    char a[SHOW_SIZE], b[SHOW_SIZE];
    const AnbCounters *c = anb_counters(t->model);
    uint64_t rejected = c->rejected_features + c->rejected_target + c->rejected_weight;
    fprintf(stderr, "%s%s row%s in %.1f s, %s learned in all, %s rejected; saved to %s\n",
            stop_requested() ? "interrupted after " : "", show_count(t->rows.read, a), t->rows.read == 1 ? "" : "s",
            seconds, show_count(anb_n_samples_seen(t->model), b), show_count(rejected, (char[SHOW_SIZE]){0}),
            t->output);
    if (t->weightless > 0)
        fprintf(stderr, "%s of weight 0 %s not learned\n", show_count(t->weightless, a),
                t->weightless > 1 ? "were" : "was");
    if (t->repeated > 0)
        fprintf(stderr, "%s %s learned before and skipped\n", show_count(t->repeated, a),
                t->repeated > 1 ? "rows were" : "row was");
    if (t->delay.n > 0)
        fprintf(stderr, "%zu %s after the end %s not learned\n", t->delay.n,
                t->delay.n > 1 ? "rows whose labels come" : "row whose label comes", t->delay.n > 1 ? "were" : "was");
}

/* A model that learned nothing is not saved as if all were well. */
static int check_learned(const Training *t, const Arguments *a)
{
    if (t->rows.read == 0 && !t->saved.model && !stop_requested())
        return reading_nothing(BAD_DATA, &t->rows, a, "; nothing was saved");
    if (t->rows.read == t->repeated || t->learned > 0 || stop_requested())
        return 0;
    return complain(BAD_DATA, "%s: none of %llu rows has a target that can be learned, \"%s\"%s; nothing was saved",
                    t->rows.table.name, (unsigned long long)t->rows.read, t->rows.names[t->rows.n_features],
                    t->weighted ? ", and a weight above 0" : "");
}

static int run_train(const Arguments *a)
{
    Training t = {0};
    double from = progress_clock();
    int status = start(&t, a);
    if (!status && t.model) {
        stop_arm();
        status = learn(&t);
        if (!status)
            status = check_learned(&t, a);
        if (!status)
            status = save(&t);
        if (!status)
            report(&t, progress_clock() - from);
    }
    if (t.model != t.saved.model)
        anb_free(t.model);
    saved_close(&t.saved);
    delay_end(&t.delay);
    reading_summary(&t.rows);
    int skipped = rows_close(&t.rows);
    free(t.x);
    return status ? status : skipped;
}

static void more_help(void)
{
    reading_help();
    printf("SIGINT, SIGTERM and SIGHUP end the reading and save. Bad data end the run without "
           "saving, but for\n"
           "what --save-every saved before. The snapshot keeps the columns' names and, as the note \"rows\", how many "
           "rows were\n"
           "read. Where MODEL cannot be written, as on a full disk, what was learned is saved below TMPDIR, or /tmp; "
           "the\n"
           "message says where.\n");
}

const Command command_train = {
    "train",      "learn the rows of a file and save the model", "FILE|-", options, 1, 1, run_train, more_help,
    reading_table};
