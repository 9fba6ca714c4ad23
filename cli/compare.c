/* anabranch compare: several learners over one stream in one pass, side by side, with a paired test of their losses. */
#include "cli.h"
#include "json.h"
#include "losses.h"
#include "model.h"
#include "output.h"
#include "paired.h"
#include "progress.h"
#include "reading.h"
#include "show.h"
#include "stop.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const Option options[] = {
    {'t', "target", "COLUMN", "the target's column, by name or number; default: the last one"},
    {0, "loss", "LOSS", "what is compared: squared (the default), absolute, huber:D, pinball:Q, poisson or log"},
    {0, "seed", "S", "what random choices are derived from; default 1"},
    {0, "weight", "COLUMN", "how many samples a row counts for; it is scored once, of weight 0 not at all"},
    {0, "burn-in", "N", "leave the first N targets out of the score; default 1, which a new model answers by 0"},
    {0, "limit", "N", "read at most N rows"},
    {0, "json", NULL, "print the result as one JSON object on one line"},
    {0}};

enum { MOST = 32 };

typedef struct Entry {
    StreamingLearner *model;
    AnbScore *score;
    AnbScoreReport report;
    int quantile; /* of the model, which the loss scores; -1: the prediction */
    double loss;  /* sum over the scored rows */
    double seconds;
} Entry;

typedef struct Comparison {
    Rows rows;
    Entry entry[MOST];
    size_t k;
    Paired paired;
    AnbLoss loss;
    char loss_name[64];
    uint64_t limit, burn_in, targets;
    uint64_t unanswered;             /* rows that not all could answer; they are not scored */
    uint64_t weightless, unlabelled; /* rows of weight 0, which have a target; rows without one */
    double *x;
} Comparison;

static int make_models(Comparison *c, const Arguments *a)
{
    int status = 0;
    for (size_t i = 0; i < c->k && !status; i++) {
        ModelOptions how = {a->operand[i + 1], option_value(a, "seed"), NULL};
        status = model_new(&c->rows, &how, &c->entry[i].model);
        c->entry[i].score = anb_score_new(NULL);
        if (!status && !c->entry[i].score)
            status = complain(BAD_DATA, "out of memory");
        c->entry[i].quantile = status ? -1 : loss_quantile(&c->loss, c->entry[i].model);
    }
    return status;
}

static int start(Comparison *c, const Arguments *a)
{
    RowsOptions columns = {.target = option_value(a, "target"), .weight = option_value(a, "weight")};
    c->k = (size_t)a->operands - 1;
    c->limit = UINT64_MAX;
    c->burn_in = 1;
    int status = option_value(a, "loss") ? loss_read(option_value(a, "loss"), &c->loss) : 0;
    anb_loss_format(&c->loss, c->loss_name, sizeof c->loss_name);
    status = status
                 ? status
                 : outputs_apart((const char *[]){option_value(a, "bad-rows")}, 1, (const char *[]){a->operand[0]}, 1);
    status = status ? status : reading_options(a, &columns);
    status = status ? status : count_option("limit", option_value(a, "limit"), 0, UINT64_MAX, &c->limit);
    status = status ? status : count_option("burn-in", option_value(a, "burn-in"), 0, UINT64_MAX, &c->burn_in);
    status = status ? status : rows_open(&c->rows, a->operand[0], &columns);
    if (!status && option_value(a, "print-schema"))
        return reading_print_schema(&c->rows);
    status = status ? status : make_models(c, a);
    if (status)
        return status;
    c->x = malloc(c->rows.n_features * sizeof *c->x);
    return c->x && paired_start(&c->paired, c->k) ? 0 : complain(BAD_DATA, "out of memory");
}

/* Scores a row; the loss is that of `scored`, a quantile or the prediction. */
static void score_row(Comparison *c, double y, const double *prediction, const double *scored)
{
    double loss[MOST];
    bool all = true;
    for (size_t i = 0; i < c->k; i++) {
        loss[i] = anb_loss(&c->loss, y, scored[i]);
        all &= isfinite(loss[i]);
    }
    if (c->targets++ < c->burn_in)
        return;
    if (!all) {
        c->unanswered++;
        return;
    }
    for (size_t i = 0; i < c->k; i++) {
        anb_observe(anb_score_observer(c->entry[i].score), NULL, NULL, y, prediction[i]);
        c->entry[i].loss += loss[i];
    }
    paired_add(&c->paired, loss);
}

/* Predicts the row, then learns it; *scored receives the quantile or the prediction that the loss scores. */
static double learn(Entry *e, const double *x, double y, double weight, double *scored)
{
    double quantile[ANB_LEVELS_MAX], from = progress_clock();
    bool ranked = e->quantile >= 0 && anb_predict_quantiles(e->model, x, quantile) == 0;
    double prediction = anb_train_one(e->model, x, y, weight);
    *scored = ranked ? quantile[e->quantile] : prediction;
    e->seconds += progress_clock() - from;
    return prediction;
}

static int stream(Comparison *c)
{
    double y, prediction[MOST], scored[MOST];
    int status = 0;
    while (c->rows.read < c->limit && !stop_requested() && (status = rows_next(&c->rows, c->x, &y)) == 0) {
        c->unlabelled += isnan(y);
        c->weightless += !isnan(y) && c->rows.weight == 0;
        if (isnan(y) || c->rows.weight == 0)
            continue;
        for (size_t i = 0; i < c->k; i++)
            prediction[i] = learn(&c->entry[i], c->x, y, c->rows.weight, &scored[i]);
        score_row(c, y, prediction, scored);
    }
    return status > 0 && !stop_requested() ? status : 0;
}

/* ---- the result -------------------------------------------------------------------------------------------------- */

static size_t best_of(const Comparison *c)
{
    size_t best = 0;
    for (size_t i = 1; i < c->k; i++)
        best = c->entry[i].loss < c->entry[best].loss ? i : best;
    return best;
}

/* Whether the table lacks the loss: mae and rmse stand in it. */
static bool is_extra(const Comparison *c)
{
    return c->loss.kind != ANB_LOSS_SQUARED && c->loss.kind != ANB_LOSS_ABSOLUTE;
}

static double mean_loss(const Comparison *c, size_t i)
{
    return c->paired.n > 0 ? c->entry[i].loss / (double)c->paired.n : ANB_NAN;
}

static void print_line(const Comparison *c, const char *text, size_t i, size_t best)
{
    const Entry *e = &c->entry[i];
    char mae[SHOW_SIZE], rmse[SHOW_SIZE], half[SHOW_SIZE], r2[SHOW_SIZE], p_text[24] = "best";
    double mean, p;
    paired_test(&c->paired, i, best, &mean, &p);
    if (i != best)
        snprintf(p_text, sizeof p_text, isnan(p) ? "-" : p < 1e-4 ? "< 0.0001" : "%.4f", p);
    if (is_extra(c))
        printf("%12s ", show_number(mean_loss(c, i), mae));
    printf("%10s %12s %12s %10s %9.2f %10s  %s\n", show_number(e->report.mae, mae), show_number(e->report.rmse, rmse),
           show_number(e->report.rmse_second_half, half), show_number(e->report.r2, r2),
           1e6 * e->seconds / (double)(c->rows.read > 0 ? c->rows.read : 1), p_text, text);
}

static void print_text(const Comparison *c, const Arguments *a, size_t best)
{
    char count[SHOW_SIZE], other[SHOW_SIZE];
    if (is_extra(c))
        printf("%12s ", c->loss_name);
    printf("%10s %12s %12s %10s %9s %10s  %s\n", "mae", "rmse", "second half", "r2", "us a row", "p", "learner");
    for (size_t i = 0; i < c->k; i++)
        print_line(c, a->operand[i + 1], i, best);
    printf("\n%s rows scored, target \"%s\"; the first %s left out", show_count(c->paired.n, count),
           c->rows.names[c->rows.n_features], show_count(c->burn_in, other));
    if (c->unanswered > 0)
        printf("; %s that not every learner could answer, too", show_count(c->unanswered, count));
    if (c->weightless > 0)
        printf("; %s of weight 0, too", show_count(c->weightless, count));
    if (c->unlabelled > 0)
        printf("; %s without a target, too", show_count(c->unlabelled, count));
    printf("\np: how likely a difference in %s from the best is as large by chance, errors near one another\nin time "
           "not taken for independent (Diebold and Mariano, Newey and West)\n",
           is_extra(c)                         ? c->loss_name
           : c->loss.kind == ANB_LOSS_ABSOLUTE ? "absolute error"
                                               : "squared error");
}

static void print_json(const Comparison *c, const Arguments *a, size_t best)
{
    Json json = {stdout, false};
    json_open(&json, NULL, '{');
    json_text(&json, "stream", a->operand[0]);
    json_count(&json, "n", c->paired.n);
    json_count(&json, "unanswered", c->unanswered);
    json_count(&json, "of_weight_0", c->weightless);
    json_count(&json, "without_target", c->unlabelled);
    json_count(&json, "best", best);
    json_text(&json, "loss", c->loss_name);
    json_open(&json, "learners", '[');
    for (size_t i = 0; i < c->k; i++) {
        double mean, p, z = paired_test(&c->paired, i, best, &mean, &p);
        json_open(&json, NULL, '{');
        json_text(&json, "learner", anb_expression(c->entry[i].model));
        json_number(&json, "mae", c->entry[i].report.mae);
        json_number(&json, "rmse", c->entry[i].report.rmse);
        json_number(&json, "rmse_second_half", c->entry[i].report.rmse_second_half);
        json_number(&json, "r2", c->entry[i].report.r2);
        json_number(&json, "seconds", c->entry[i].seconds);
        json_number(&json, "mean_loss", mean_loss(c, i));
        json_number(&json, "loss_above_best", mean);
        json_number(&json, "z", z);
        json_number(&json, "p", p);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_close(&json, '}');
    putchar('\n');
}

/* Without a score no learner is the best. */
static int check_scored(const Comparison *c, const Arguments *a)
{
    unsigned long long answerless = c->unanswered, weightless = c->weightless, unlabelled = c->unlabelled;
    if (c->paired.n > 0 || c->limit == 0 || stop_requested())
        return 0;
    if (c->rows.read == 0)
        return reading_nothing(BAD_DATA, &c->rows, a, "; nothing was compared");
    return complain(BAD_DATA,
                    "%s: none of %llu rows is scored: %llu without a target, %llu of weight 0, the first %llu others "
                    "(--burn-in), %llu that not every learner could answer",
                    c->rows.table.name, (unsigned long long)c->rows.read, unlabelled, weightless,
                    (unsigned long long)(c->targets - c->unanswered), answerless);
}

static int run_compare(const Arguments *a)
{
    Comparison c = {0};
    stop_arm();
    int status = start(&c, a);
    bool printed = option_value(a, "print-schema") != NULL;
    status = status || printed ? status : stream(&c);
    status = status || printed ? status : check_scored(&c, a);
    for (size_t i = 0; i < c.k && !status && !printed; i++)
        anb_score_report(c.entry[i].score, &c.entry[i].report);
    if (!status && !printed)
        (option_value(a, "json") ? print_json : print_text)(&c, a, best_of(&c));
    if (!status && stop_requested())
        fprintf(stderr, "interrupted: the result so far\n");
    reading_summary(&c.rows);
    int skipped = rows_close(&c.rows);
    for (size_t i = 0; i < c.k; i++) {
        anb_free(c.entry[i].model);
        anb_score_free(c.entry[i].score);
    }
    paired_end(&c.paired);
    free(c.x);
    return status ? status : skipped;
}

const Command command_compare = {"compare",
                                 "several learners over one stream, side by side: which is better?",
                                 "FILE|- EXPR EXPR...",
                                 options,
                                 3,
                                 1 + MOST,
                                 run_compare,
                                 reading_help,
                                 reading_table};
