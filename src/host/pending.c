/* Delayed labels, intervals, drift: what a model can do because of its outer nodes. */
#include "answers.h"
#include <anabranch/drift.h>
#include <anabranch/interval.h>
#include <anabranch/quantile.h>
#include <anabranch/pending.h>
#include <anabranch/reach.h>
#include <anabranch/schema.h>

static const AnbWaitingTable *waiting_of(const StreamingLearner *model)
{
    return model->plan->nodes[0].type->waiting;
}

bool anb_keeps_pending(const StreamingLearner *model)
{
    return waiting_of(model) != NULL;
}

double anb_predict_pending(StreamingLearner *model, uint64_t id, const double *x)
{
    const AnbNode *root = &model->plan->nodes[0];
    AnbRow row = {x, x, NULL, &model->counters, NULL};
    double f = anb_keeps_pending(model) ? anb_predict(model, x) : ANB_NAN;
    if (f == f)
        waiting_of(model)->keep(root, anb_block(model), &row, id, f, anb_scratch_kept(model));
    return f;
}

uint64_t anb_label_id(const char *text, size_t n)
{
    uint64_t id = 0;
    size_t i = 0;
    while (i < n && text[i] >= '0' && text[i] <= '9') {
        uint64_t digit = (uint64_t)(text[i++] - '0');
        if (id > (UINT64_MAX - digit) / 10)
            return (uint64_t)anb_category(text, n);
        id = 10 * id + digit;
    }
    return i == n ? id : (uint64_t)anb_category(text, n);
}

/* A label that could not be learned leaves its row pending. */
double anb_learn_label(StreamingLearner *model, uint64_t id, double y, double weight)
{
    const AnbNode *root = &model->plan->nodes[0];
    AnbAnswer then;
    if (!anb_keeps_pending(model) || !anb_accepts_target(model, y, weight))
        return ANB_NAN;
    const double *x = waiting_of(model)->find(root, anb_block(model), id, &model->counters, &then);
    if (!x || weight == 0)
        return x ? then.prediction : ANB_NAN;
    if (!anb_learn_row(model, x, y, weight, &then))
        return ANB_NAN; /* stored by a model from a forged snapshot */
    waiting_of(model)->learned(root, anb_block(model), id);
    return then.prediction;
}

AnbPendingFate anb_pending_fate(const StreamingLearner *model, uint64_t id)
{
    const AnbWaitingTable *table = waiting_of(model);
    return table ? (AnbPendingFate)table->fate(&model->plan->nodes[0], anb_block(model), id) : ANB_PENDING_UNKNOWN;
}

size_t anb_n_pending(const StreamingLearner *model)
{
    const AnbWaitingTable *table = waiting_of(model);
    return table ? table->count(&model->plan->nodes[0], anb_block(model)) : 0;
}

/* ---- intervals --------------------------------------------------------------------------------------------------- */

static int read_interval(const StreamingLearner *model, double *scratch, double coverage, double *low, double *high)
{
    AnbAsked at = anb_ask(&model->plan->nodes[0], anb_block(model), NULL, scratch);
    return anb_reach(&at, ANB_CAN_BOUND)
               ? at.node->type->interval->interval(at.node, at.state, at.scratch, coverage, low, high)
               : ANB_E_UNSUPPORTED;
}

size_t anb_interval_levels(const StreamingLearner *model, const double **coverage)
{
    AnbAsked at = anb_ask(&model->plan->nodes[0], anb_block(model), NULL, NULL);
    return anb_reach(&at, ANB_CAN_BOUND) ? at.node->type->interval->levels(at.node, coverage) : 0;
}

int anb_predict_interval(StreamingLearner *model, const double *x, double coverage, double *low, double *high)
{
    double f = anb_predict(model, x);
    return f != f ? ANB_E_INPUT : read_interval(model, anb_scratch_kept(model), coverage, low, high);
}

int anb_predict_interval_with(const StreamingLearner *model, AnbReader *reader, const double *x, double coverage,
                              double *low, double *high)
{
    double f = anb_predict_with(model, reader, x);
    return f != f ? ANB_E_INPUT : read_interval(model, reader->scratch, coverage, low, high);
}

int anb_answer_interval(const StreamingLearner *model, const AnbAnswer *answer, double coverage, double *low,
                        double *high)
{
    const double *level;
    if (!model || !answer || !low || !high)
        return ANB_E_ARGUMENT;
    size_t n = anb_interval_levels(model, &level);
    for (size_t i = 0; i < n; i++) {
        if (level[i] != coverage)
            continue;
        double limit = answer->scored < 0 ? (double)INFINITY : answer->limit[i];
        double half = limit < (double)INFINITY ? limit * answer->sigma : limit;
        *low = answer->prediction - half;
        *high = answer->prediction + half;
        return 0;
    }
    return n > 0 ? ANB_E_ARGUMENT : ANB_E_UNSUPPORTED;
}

/* ---- quantiles --------------------------------------------------------------------------------------------------- */

size_t anb_quantile_levels(const StreamingLearner *model, const double **level)
{
    AnbAsked at = anb_ask(&model->plan->nodes[0], anb_block(model), NULL, NULL);
    return anb_reach(&at, ANB_CAN_RANK) ? at.node->type->quantile->levels(at.node, level) : 0;
}

static int read_quantiles(const StreamingLearner *model, double *scratch, double *value)
{
    AnbAsked at = anb_ask(&model->plan->nodes[0], anb_block(model), NULL, scratch);
    const double *level;
    if (!anb_reach(&at, ANB_CAN_RANK) || at.node->type->quantile->levels(at.node, &level) == 0)
        return ANB_E_UNSUPPORTED;
    at.node->type->quantile->values(at.node, at.state, at.scratch, value);
    return 0;
}

int anb_predict_quantiles(StreamingLearner *model, const double *x, double *value)
{
    double f = anb_predict(model, x);
    return f != f ? ANB_E_INPUT : read_quantiles(model, anb_scratch_kept(model), value);
}

int anb_predict_quantiles_with(const StreamingLearner *model, AnbReader *reader, const double *x, double *value)
{
    double f = anb_predict_with(model, reader, x);
    return f != f ? ANB_E_INPUT : read_quantiles(model, reader->scratch, value);
}

int anb_drift_view(const StreamingLearner *model, AnbDriftView *view)
{
    if (!model || !view)
        return ANB_E_ARGUMENT;
    AnbAsked at = anb_ask(&model->plan->nodes[0], anb_block(model), NULL, NULL);
    if (!anb_reach(&at, ANB_CAN_DETECT))
        return ANB_E_UNSUPPORTED;
    at.node->type->drift->view(at.node, at.state, view);
    return 0;
}
