/* Prints the result of a run. */
#include "json.h"
#include "run.h"
#include "show.h"

static uint64_t rejected(const Run *run)
{
    const AnbCounters *c = anb_counters(run->model), *b = &run->before;
    return c->rejected_features - b->rejected_features + c->rejected_target - b->rejected_target + c->rejected_weight -
           b->rejected_weight;
}

void result_print_json(const Run *run, const char *stream_name)
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
    json_number(&json, "r2", fit_r2(&run->fit));
    json_number(&json, "rmse_second_half", r.rmse_second_half);
    json_count(&json, "scored", run->scored);
    json_count(&json, "rejected", rejected(run));
    json_count(&json, "of_weight_0", run->weightless);
    json_count(&json, "without_target", run->unlabelled);
    json_count(&json, "labels_after_end", run->delay.n);
    json_number(&json, "samples_per_second", n > 0 && run->learning > 0 ? (double)n / run->learning : ANB_NAN);
    json_count(&json, "state_bytes", anb_state_bytes(run->model));
    losses_print_json(&run->losses, &json);
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

static void print_rejected(const Run *run, uint64_t n, const char *what)
{
    char text[SHOW_SIZE];
    if (n > 0)
        fprintf(run->text, "                  %s rejected: %s\n", show_count(n, text), what);
}

/* Why rows were rejected. */
static void print_reasons(const Run *run)
{
    const AnbCounters *c = anb_counters(run->model), *b = &run->before;
    print_rejected(run, c->rejected_features - b->rejected_features,
                   "an infinite cell, or a missing one that the model does not take");
    print_rejected(run, c->rejected_target - b->rejected_target, "a target that is not finite");
    print_rejected(run, c->rejected_weight - b->rejected_weight, "a weight that is negative or not finite");
}

void result_print(const Run *run)
{
    char a[SHOW_SIZE], b[SHOW_SIZE];
    AnbScoreReport r;
    uint64_t n = anb_n_samples_seen(run->model) - run->before.trained;
    anb_score_report(run->score, &r);
    fprintf(run->text, "%slearner           %s\n", run->progress.shown ? "\n" : "", anb_expression(run->model));
    fprintf(run->text, "stream            %s: %zu feature%s, target \"%s\"\n", run->rows.table.name,
            run->rows.n_features, run->rows.n_features == 1 ? "" : "s", run->rows.names[run->rows.n_features]);
    fprintf(run->text, "rows              %s learned, %s rejected", show_count(n, a), show_count(rejected(run), b));
    if (run->weightless > 0)
        fprintf(run->text, ", %s of weight 0", show_count(run->weightless, a));
    fprintf(run->text, run->unlabelled ? ", %s without a target\n" : "\n", show_count(run->unlabelled, a));
    print_reasons(run);
    if (run->delay.n > 0)
        fprintf(run->text, "                  %s whose labels come after the end\n", show_count(run->delay.n, a));
    if (run->burn_in > 0)
        fprintf(run->text, "scored            %s, without the first %s\n", show_count(run->scored, a),
                show_count(run->burn_in, b));
    fprintf(run->text, "mae               %s\n", show_number(r.mae, a));
    fprintf(run->text, "rmse              %s (second half %s)\n", show_number(r.rmse, a),
            show_number(r.rmse_second_half, b));
    fprintf(run->text, "r2                %s\n", show_number(fit_r2(&run->fit), a));
    losses_print(&run->losses, run->text);
    fprintf(run->text, "speed             %s samples a second\n",
            run->learning > 0 ? show_count((uint64_t)((double)n / run->learning), a) : "-");
    fprintf(run->text, "state             %s\n", show_bytes(anb_state_bytes(run->model), a));
    print_experts(run);
    coverage_print(&run->coverage, run->text);
}
