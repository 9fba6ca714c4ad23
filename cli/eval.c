/* anabranch eval: every row is predicted, then learned. */
#include "cli.h"
#include "model.h"
#include "reading.h"
#include "run.h"
#include "stop.h"
#include <stdio.h>
#include <string.h>

static const Option options[] = {
    {'l', "learner", "EXPR", "the model, e.g. 'scale(rls(lambda=0.99))'; default: see below"},
    {'m', "model", "MODEL", "start from a saved model instead, whose columns are found by name"},
    {0, "seed", "S", "what random choices are derived from; default 1"},
    {'t', "target", "COLUMN", "the target's column, by name or number; default: the last one"},
    {0, "weight", "COLUMN", "how many samples a row counts for; it is scored once, of weight 0 not at all"},
    {0, "label-after", "COLUMN", "when a row's label is known, to be learned: how many rows later, or a time"},
    {0, "now", "COLUMN", "with --label-after by time: the feature with the row's own time; default: the first time"},
    {0, "burn-in", "N", "leave the first N targets out of the score"},
    {0, "limit", "N", "read at most N rows"},
    {0, "missing-columns", NULL, "a feature of the model without a column is missing in every row, no error"},
    {0, "every", "N", "a row of the table every N rows, instead of at 100, 200, 400, ..."},
    {0, "predictions", "OUT.csv", "write row, target and prediction of every row; a file appears when all is done"},
    {0, "interval", "C", "score the interval of coverage C, e.g. 0.9; with --predictions its low and high"},
    {0, "quantiles", NULL, "with --predictions: the model's quantiles, a column a level (q0.1, q0.5, ...)"},
    {0, "loss", "LOSS", "report this mean loss as well: mae, huber:D, pinball:Q, poisson or log; again for more", true},
    {0, "keep", "A,B", "with --predictions: columns to write behind, as they stand, e.g. an id", true},
    {0, "diag", "FILE", "write diagnostics as the run goes: CSV where FILE ends in .csv, else JSON Lines"},
    {0, "diag-every", "N", "a record of the diagnostics every N samples; default 1"},
    {0, "importance", "N",
     "with --diag: how much each column matters, measured in every N-th row; some 5 predictions a column"},
    {0, "explain", "N", "with --diag: why the last N rows are predicted so, 0 to 8; default 8"},
    {0, "rules", "FILE", "predicates and rules for the audit in the diagnostics, in place of the usual six"},
    {0, "threads", "N",
     "threads that share a mixture's experts; 0: one for each core; default 1; the result is the same"},
    {0, "json", NULL, "print the result as one JSON object on one line"},
    {0}};

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

/* Opens the output files. */
static int start_outputs(Run *run, const Arguments *a, uint64_t every, const WatchOptions *how)
{
    const char *predictions = option_value(a, "predictions"), *diag = how->path;
    const char *bad = option_value(a, "bad-rows");
    const AnswersWanted wanted = {option_value(a, "interval"), option_value(a, "quantiles") != NULL};
    bool taken = (predictions && strcmp(predictions, "-") == 0) || (diag && strcmp(diag, "-") == 0) ||
                 (bad && strcmp(bad, "-") == 0);
    int status = predictions ? output_open(&run->predictions, predictions) : 0;
    run->text = taken ? stderr : stdout;
    if (!status)
        status = answers_start(&run->answers, run->predictions.file, true, &wanted, run->model, &run->rows);
    status = status ? status : run_start(run);
    if (!status && diag)
        status = watch_start(&run->watch, how, run->model, &run->rows);
    FILE *table = option_value(a, "json") ? (every ? stderr : NULL) : run->text;
    return status ? status : progress_start(&run->progress, table, every);
}

static int read_counts(Run *run, const Arguments *a, uint64_t *every, WatchOptions *how)
{
    *how = (WatchOptions){
        .explained = LAST_ROWS_MOST, .path = option_value(a, "diag"), .every = 1, .rules = option_value(a, "rules")};
    run->limit = UINT64_MAX;
    int status = count_option("limit", option_value(a, "limit"), 0, UINT64_MAX, &run->limit);
    status = status ? status : count_option("every", option_value(a, "every"), 1, UINT64_MAX, every);
    status = status ? status : count_option("burn-in", option_value(a, "burn-in"), 0, UINT64_MAX, &run->burn_in);
    status =
        status ? status : count_option("importance", option_value(a, "importance"), 1, INT32_MAX, &how->importance);
    status = status ? status : count_option("explain", option_value(a, "explain"), 0, LAST_ROWS_MOST, &how->explained);
    return status ? status : count_option("diag-every", option_value(a, "diag-every"), 1, UINT64_MAX, &how->every);
}

static int start(Run *run, const Arguments *a)
{
    uint64_t every = 0;
    WatchOptions how;
    RowsOptions columns = {.target = option_value(a, "target"),
                           .weight = option_value(a, "weight"),
                           .after = option_value(a, "label-after"),
                           .clock = option_value(a, "now"),
                           .missing_columns = option_value(a, "missing-columns") != NULL,
                           .names = option_value(a, "diag") != NULL,
                           .keep = option_value(a, "keep")};
    if (!option_value(a, "diag") && (option_value(a, "diag-every") || option_value(a, "rules") ||
                                     option_value(a, "importance") || option_value(a, "explain")))
        return complain(BAD_USE, "eval: --diag-every, --importance, --explain and --rules are for --diag FILE");
    if (!option_value(a, "predictions") && columns.keep)
        return complain(BAD_USE, "eval: --keep is for --predictions OUT.csv");
    if (!option_value(a, "predictions") && option_value(a, "quantiles"))
        return complain(BAD_USE, "eval: --quantiles is for --predictions OUT.csv");
    int status = check_outputs(a);
    status = status ? status : reading_options(a, &columns);
    status = status ? status : read_counts(run, a, &every, &how);
    if (!status)
        status = option_value(a, "model") ? start_saved(run, a, &columns)
                                          : model_start(&run->rows, a, &columns, &run->model);
    if (status || option_value(a, "print-schema"))
        return status;
    status = model_use_threads(run->model, option_value(a, "threads"));
    run->before = *anb_counters(run->model);
    coverage_start(&run->coverage, run->model);
    status = status ? status : losses_start(&run->losses, option_value(a, "loss"), run->model);
    return status ? status : start_outputs(run, a, every, &how);
}

static int run_eval(const Arguments *a)
{
    Run run = {.start = progress_clock()};
    stop_arm();
    int status = start(&run, a);
    bool printed = option_value(a, "print-schema") != NULL;
    if (!status && !printed) {
        run.live = table_is_live(&run.rows.table);
        status = run_stream(&run);
        if (!status && run.rows.read == 0 && run.limit > 0 && !stop_requested())
            status = reading_nothing(BAD_DATA, &run.rows, a, "; nothing was scored");
    }
    if (run.progress.recent)
        progress_end(&run.progress, run.score, &run.fit);
    bool finished = !status; /* a file that cannot be written takes nothing from the result */
    int watched = watch_end(&run.watch, run.model, &run.rows, a->operand[0]);
    status = status ? status : watched;
    int written = output_close(&run.predictions, finished);
    status = status ? status : written;
    if (finished && !printed)
        option_value(a, "json") ? result_print_json(&run, a->operand[0]) : result_print(&run);
    if (finished && stop_requested())
        fprintf(stderr, "interrupted: the result so far\n");
    reading_summary(&run.rows);
    int skipped = rows_close(&run.rows);
    run_end(&run);
    return status ? status : skipped;
}

static void more_help(void)
{
    reading_help();
    printf("r2 leaves out the first answer of a new model, which is 0. SIGINT, SIGTERM and SIGHUP end the reading and "
           "print "
           "the result so far.\n\n"
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
