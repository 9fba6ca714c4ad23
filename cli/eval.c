/*
 * anabranch eval: every row is predicted, then learned. Rows are read in blocks, so that the time of learning can be
 * told from that of reading.
 */
#include "cli.h"
#include "coverage.h"
#include "json.h"
#include "output.h"
#include "progress.h"
#include "reading.h"
#include "rows.h"
#include "saved.h"
#include "show.h"
#include "stop.h"
#include "watch.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const Option options[] = {
    {'l', "learner", "EXPR", "the model, e.g. 'scale(rls(lambda=0.99))'; default: see below"},
    {'m', "model", "MODEL", "start from a saved model instead, whose columns are found by name"},
    {0, "seed", "S", "what random choices are derived from; default 1"},
    {'t', "target", "COLUMN", "the target's column, by name or number; default: the last one"},
    {0, "limit", "N", "read at most N rows"},
    {0, "every", "N", "a row of the table every N rows, instead of at 100, 200, 400, ..."},
    {0, "predictions", "OUT.csv", "write row, target and prediction of every row; a file appears when all is done"},
    {0, "diag", "FILE", "write diagnostics as the run goes: CSV where FILE ends in .csv, else JSON Lines"},
    {0, "diag-every", "N", "a record of the diagnostics every N samples; default 1"},
    {0, "rules", "FILE", "predicates and rules for the audit in the diagnostics, in place of the usual six"},
    {0, "json", NULL, "print the result as one JSON object on one line"},
    {0}};

enum { BLOCK_ROWS = 256, BLOCK_CELLS = 1 << 16 };

typedef struct Run {
    Rows rows;
    Saved saved; /* with -m */
    StreamingLearner *model;
    AnbScore *score;
    Output predictions;
    Progress progress;
    Watch watch;
    Coverage coverage;
    uint64_t limit, scored, unlabelled;
    bool live;              /* rows may come later */
    AnbCounters before;     /* those of the saved model */
    double learning, start; /* seconds */
    size_t block;           /* rows of it */
    double *x, *y, *said;
    uint64_t *number; /* of the rows in the table */
    FILE *text;       /* where the table and the result go: stderr where rows go to standard output */
} Run;

static int start_new(Run *run, const Arguments *a, const RowsOptions *columns)
{
    AnbError error = {0};
    AnbModelOptions how = anb_model_defaults();
    int status = count_option("seed", option_value(a, "seed"), 0, UINT64_MAX, &how.seed);
    status = status ? status : rows_open(&run->rows, a->operand[0], columns);
    if (status)
        return status;
    const char *expression = option_value(a, "learner") ? option_value(a, "learner") : default_learner();
    run->model = anb_parse(run->rows.n_features, expression, &how, &error);
    if (!run->model)
        return complain_of_expression(&error, expression);
    return 0;
}

static int start_saved(Run *run, const Arguments *a, const RowsOptions *columns)
{
    if (option_value(a, "learner") || option_value(a, "seed"))
        return complain(BAD_USE, "eval: -m starts from a saved model; -l and --seed are for a new one");
    int status = saved_open(&run->saved, option_value(a, "model"));
    run->model = run->saved.model;
    return status ? status : saved_rows(&run->saved, &run->rows, a->operand[0], *columns, true);
}

static int check_outputs(const Arguments *a)
{
    const char *outputs[] = {option_value(a, "predictions"), option_value(a, "diag"), option_value(a, "bad-rows")};
    const char *inputs[] = {a->operand[0], option_value(a, "model"), option_value(a, "rules")};
    return outputs_apart(outputs, 3, inputs, 3);
}

/* What the rows and the answers need, and the files that they go to. */
static int start_outputs(Run *run, const Arguments *a, uint64_t every, uint64_t diag_every)
{
    size_t d = run->rows.n_features;
    const char *predictions = option_value(a, "predictions"), *diag = option_value(a, "diag");
    bool taken = (predictions && strcmp(predictions, "-") == 0) || (diag && strcmp(diag, "-") == 0);
    int status = 0;
    run->text = taken ? stderr : stdout;
    run->block = BLOCK_CELLS / d < 1 ? 1 : BLOCK_CELLS / d < BLOCK_ROWS ? BLOCK_CELLS / d : BLOCK_ROWS;
    run->x = malloc(run->block * d * sizeof *run->x);
    run->y = malloc(2 * run->block * sizeof *run->y);
    run->number = malloc(run->block * sizeof *run->number);
    run->said = run->y + run->block;
    run->score = anb_score_new(NULL);
    if (!run->x || !run->y || !run->number || !run->score)
        return complain(BAD_DATA, "out of memory");
    if (predictions)
        status = output_open(&run->predictions, predictions);
    if (!status && run->predictions.file)
        fprintf(run->predictions.file, "row,target,prediction\n");
    if (!status && diag)
        status = watch_start(&run->watch, diag, diag_every, option_value(a, "rules"), run->model);
    FILE *table = option_value(a, "json") ? (every ? stderr : NULL) : run->text;
    return status ? status : progress_start(&run->progress, table, every);
}

static int start(Run *run, const Arguments *a)
{
    uint64_t every = 0, diag_every = 1;
    RowsOptions columns = {.target = option_value(a, "target")};
    run->limit = UINT64_MAX;
    if (!option_value(a, "diag") && (option_value(a, "diag-every") || option_value(a, "rules")))
        return complain(BAD_USE, "eval: --diag-every and --rules are for --diag FILE");
    int status = check_outputs(a);
    status = status ? status : reading_options(a, &columns);
    status = status ? status : count_option("limit", option_value(a, "limit"), 0, UINT64_MAX, &run->limit);
    status = status ? status : count_option("every", option_value(a, "every"), 1, UINT64_MAX, &every);
    status = status ? status : count_option("diag-every", option_value(a, "diag-every"), 1, UINT64_MAX, &diag_every);
    if (!status)
        status = option_value(a, "model") ? start_saved(run, a, &columns) : start_new(run, a, &columns);
    if (status)
        return status;
    run->before = *anb_counters(run->model);
    coverage_start(&run->coverage, run->model);
    return start_outputs(run, a, every, diag_every);
}

static void end(Run *run)
{
    if (run->model != run->saved.model)
        anb_free(run->model);
    saved_close(&run->saved);
    anb_score_free(run->score);
    anb_score_free(run->progress.recent);
    free(run->x);
    free(run->y);
    free(run->number);
}

/* An empty target is predicted only. */
static void learn_rows(Run *run, size_t first, size_t n)
{
    size_t d = run->rows.n_features;
    double from = progress_clock();
    for (size_t i = first; i < first + n; i++) {
        const double *x = run->x + i * d;
        run->said[i] = isnan(run->y[i]) ? anb_predict(run->model, x) : anb_train_one(run->model, x, run->y[i], 1);
    }
    run->learning += progress_clock() - from;
}

/* What is asked before a row and written behind it is not the time of learning. */
static void learn_block(Run *run, size_t n)
{
    bool observed = run->coverage.n > 0 || run->watch.file;
    if (!observed)
        learn_rows(run, 0, n);
    for (size_t i = 0; i < n && observed; i++) {
        const double *x = run->x + i * run->rows.n_features;
        if (!isnan(run->y[i]))
            coverage_add(&run->coverage, run->model, x, run->y[i]);
        learn_rows(run, i, 1);
        if (run->watch.file && !isnan(run->y[i]))
            watch_sample(&run->watch, run->model, x, run->y[i], run->said[i]);
    }
}

static void write_prediction(FILE *file, uint64_t row, double y, double said)
{
    char target[ANB_NUMBER_SIZE] = "", prediction[ANB_NUMBER_SIZE] = "";
    if (!isnan(y))
        anb_number_format(y, target);
    if (!isnan(said))
        anb_number_format(said, prediction);
    fprintf(file, "%llu,%s,%s\n", (unsigned long long)row, target, prediction);
}

static void account_block(Run *run, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double y = run->y[i], said = run->said[i];
        if (run->predictions.file)
            write_prediction(run->predictions.file, run->number[i], y, said);
        run->unlabelled += isnan(y);
        if (isnan(y) || isnan(said))
            continue;
        anb_observe(anb_score_observer(run->score), NULL, NULL, y, said);
        progress_step(&run->progress, run->score, y, said, ++run->scored);
    }
}

/* Reads rows up to a block, but does not wait for one while others can be learned. */
static int read_block(Run *run, size_t *n)
{
    int status = 0;
    *n = 0;
    do {
        status = rows_next(&run->rows, run->x + *n * run->rows.n_features, run->y + *n);
        if (status == 0)
            run->number[(*n)++] = run->rows.number;
    } while (!status && *n < run->block && run->rows.read < run->limit && rows_ready(&run->rows));
    return status;
}

/* An answer is seen before the next row is waited for. */
static void flush_outputs(Run *run)
{
    if (!run->live || rows_ready(&run->rows))
        return;
    if (run->predictions.file)
        fflush(run->predictions.file);
    if (run->watch.file)
        fflush(run->watch.file);
    fflush(run->text);
}

/* An interrupt ends the stream as its end would; a row that came with it may be cut off, and is not learned. */
static int stream(Run *run)
{
    int status = 0;
    while (!status && run->rows.read < run->limit && !stop_requested()) {
        size_t n = 0;
        status = read_block(run, &n);
        if (stop_requested() && n > 0 && status == 0 && run->live)
            n--;
        learn_block(run, n);
        account_block(run, n);
        flush_outputs(run);
    }
    return status > 0 && !stop_requested() ? status : 0;
}

static uint64_t rejected(const Run *run)
{
    const AnbCounters *c = anb_counters(run->model), *b = &run->before;
    return c->rejected_features - b->rejected_features + c->rejected_target - b->rejected_target + c->rejected_weight -
           b->rejected_weight;
}

static void print_json(const Run *run, const char *stream_name)
{
    AnbScoreReport r;
    uint64_t n = anb_n_samples_seen(run->model) - run->before.trained;
    Json json = {run->text, false};
    anb_score_report(run->score, &r);
    json_open(&json, NULL, '{');
    json_text(&json, "learner", anb_expression(run->model));
    json_text(&json, "stream", stream_name);
    json_count(&json, "n", n);
    json_count(&json, "features", run->rows.n_features);
    json_number(&json, "mae", r.mae);
    json_number(&json, "rmse", r.rmse);
    json_number(&json, "r2", r.r2);
    json_number(&json, "rmse_second_half", r.rmse_second_half);
    json_count(&json, "rejected", rejected(run));
    json_number(&json, "samples_per_second", n > 0 && run->learning > 0 ? (double)n / run->learning : ANB_NAN);
    json_count(&json, "state_bytes", anb_state_bytes(run->model));
    coverage_print_json(&run->coverage, &json);
    json_number(&json, "seconds", progress_clock() - run->start);
    json_close(&json, '}');
    putc('\n', run->text);
}

/* How the experts of the first mixture shared the work. */
static void print_experts(const Run *run)
{
    AnbMixture mixture;
    char trained[SHOW_SIZE];
    if (anb_mixture(run->model, &mixture))
        return;
    fprintf(run->text, "\n%-20s %10s %12s %12s  %s\n", "expert", "share", "utilization", "trained", "");
    for (size_t i = 0; i < mixture.k; i++) {
        int bar = (int)(mixture.load[i] * 30 + 0.5);
        fprintf(run->text, "%-20s %9.1f%% %11.1f%% %12s  %.*s%s\n", anb_expert_name(run->model, i),
                100 * mixture.load[i], 100 * mixture.utilization[i], show_count(mixture.trained[i], trained),
                bar < 0    ? 0
                : bar > 30 ? 30
                           : bar,
                "##############################", mixture.dead[i] && !mixture.dense ? " dead" : "");
    }
}

static void print_result(const Run *run, const char *stream_name)
{
    char a[SHOW_SIZE], b[SHOW_SIZE];
    AnbScoreReport r;
    uint64_t n = anb_n_samples_seen(run->model) - run->before.trained;
    anb_score_report(run->score, &r);
    fprintf(run->text, "%slearner           %s\n", run->progress.shown ? "\n" : "", anb_expression(run->model));
    fprintf(run->text, "stream            %s: %zu features, target \"%s\"\n", stream_name, run->rows.n_features,
            run->rows.names[run->rows.n_features]);
    fprintf(run->text, "rows              %s learned, %s rejected", show_count(n, a), show_count(rejected(run), b));
    fprintf(run->text, run->unlabelled ? ", %s without a target\n" : "\n", show_count(run->unlabelled, a));
    fprintf(run->text, "mae               %s\n", show_number(r.mae, a));
    fprintf(run->text, "rmse              %s (second half %s)\n", show_number(r.rmse, a),
            show_number(r.rmse_second_half, b));
    fprintf(run->text, "r2                %s\n", show_number(r.r2, a));
    fprintf(run->text, "speed             %s samples a second\n",
            run->learning > 0 ? show_count((uint64_t)((double)n / run->learning), a) : "-");
    fprintf(run->text, "state             %s\n", show_bytes(anb_state_bytes(run->model), a));
    print_experts(run);
    coverage_print(&run->coverage, run->text);
}

static int run_eval(const Arguments *a)
{
    Run run = {.start = progress_clock()};
    stop_arm();
    int status = start(&run, a);
    if (!status) {
        run.live = table_is_live(&run.rows.table);
        status = stream(&run);
    }
    if (run.progress.recent)
        progress_end(&run.progress, run.score);
    int watched = watch_end(&run.watch, run.model, &run.rows, a->operand[0]);
    status = status ? status : watched;
    int written = output_close(&run.predictions, status == 0);
    status = status ? status : written;
    if (!status)
        option_value(a, "json") ? print_json(&run, a->operand[0]) : print_result(&run, a->operand[0]);
    if (!status && stop_requested())
        fprintf(stderr, "interrupted: the result so far\n");
    reading_summary(&run.rows);
    int skipped = rows_close(&run.rows);
    end(&run);
    return status ? status : skipped;
}

static void more_help(void)
{
    reading_help();
    printf("SIGINT and SIGTERM end the reading and print the result so far.\n\n"
           "Default learner: %s\n\nLearners (`anabranch learners NAME` lists the options of one):\n",
           default_learner());
    for (const StreamingLearnerType *const *type = anb_learner_types(); *type; type++)
        printf("  %-12s %s\n", (*type)->name, (*type)->brief);
}

const Command command_eval = {"eval",
                              "test, then train, over the rows of a file: how good is a learner there?",
                              "FILE|-",
                              options,
                              1,
                              1,
                              run_eval,
                              more_help,
                              reading_table};
