/* Rows that wait for their labels, intervals, drift: what a model can do because of its outer nodes. */
#include "model.h"
#include <anabranch/drift.h>
#include <anabranch/interval.h>
#include <anabranch/pending.h>
#include <anabranch/reach.h>

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
        waiting_of(model)->keep(root, model->block, &row, id, f, model->scratch);
    return f;
}

/* A label that could not be learned leaves its row waiting. */
static bool acceptable(StreamingLearner *model, double y, double weight)
{
    bool bad_weight = weight - weight != 0 || weight < 0;
    model->counters.rejected_target += y - y != 0;
    model->counters.rejected_weight += y - y == 0 && bad_weight;
    return y - y == 0 && !bad_weight;
}

/* What was answered then is what the update shall score, where some node scores answers. */
static void restore_answer(StreamingLearner *model, const AnbAnswer *then)
{
    AnbAsked at = anb_ask(&model->plan->nodes[0], model->block, NULL, model->scratch);
    if (anb_reach(&at, ANB_CAN_RESCORE))
        at.node->type->answer->restore(at.node, at.scratch, then);
}

double anb_learn_label(StreamingLearner *model, uint64_t id, double y, double weight)
{
    const AnbNode *root = &model->plan->nodes[0];
    AnbAnswer then;
    if (!anb_keeps_pending(model) || !acceptable(model, y, weight))
        return ANB_NAN;
    const double *x = waiting_of(model)->find(root, model->block, id, &model->counters, &then);
    if (!x || weight == 0)
        return x ? then.prediction : ANB_NAN;
    AnbRow row = {x, x, NULL, &model->counters, NULL};
    uint64_t missing;
    if (anb_refuses_row(model->plan, x, &model->counters, &missing))
        return ANB_NAN; /* kept by a model that was tampered with */
    root->type->predict(root, model->block, &row, model->scratch);
    restore_answer(model, &then);
    root->type->update(root, model->block, &row, y, anb_weight_within(weight), model->scratch);
    waiting_of(model)->learned(root, model->block, id);
    model->counters.missing_cells += missing;
    model->counters.trained++;
    return then.prediction;
}

AnbPendingFate anb_pending_fate(const StreamingLearner *model, uint64_t id)
{
    const AnbWaitingTable *table = waiting_of(model);
    return table ? (AnbPendingFate)table->fate(&model->plan->nodes[0], model->block, id) : ANB_PENDING_UNKNOWN;
}

size_t anb_n_pending(const StreamingLearner *model)
{
    const AnbWaitingTable *table = waiting_of(model);
    return table ? table->count(&model->plan->nodes[0], model->block) : 0;
}

/* ---- intervals --------------------------------------------------------------------------------------------------- */

static int ask_interval(const StreamingLearner *model, double *scratch, double coverage, double *low, double *high)
{
    AnbAsked at = anb_ask(&model->plan->nodes[0], model->block, NULL, scratch);
    return anb_reach(&at, ANB_CAN_BOUND)
               ? at.node->type->interval->interval(at.node, at.state, at.scratch, coverage, low, high)
               : ANB_E_UNSUPPORTED;
}

size_t anb_interval_levels(const StreamingLearner *model, const double **coverage)
{
    AnbAsked at = anb_ask(&model->plan->nodes[0], model->block, NULL, NULL);
    return anb_reach(&at, ANB_CAN_BOUND) ? at.node->type->interval->levels(at.node, coverage) : 0;
}

int anb_predict_interval(StreamingLearner *model, const double *x, double coverage, double *low, double *high)
{
    double f = anb_predict(model, x);
    return f != f ? ANB_E_INPUT : ask_interval(model, model->scratch, coverage, low, high);
}

int anb_predict_interval_with(const StreamingLearner *model, AnbReader *reader, const double *x, double coverage,
                              double *low, double *high)
{
    double f = anb_predict_with(model, reader, x);
    return f != f ? ANB_E_INPUT : ask_interval(model, reader->scratch, coverage, low, high);
}

int anb_drift_view(const StreamingLearner *model, AnbDriftView *view)
{
    AnbAsked at = anb_ask(&model->plan->nodes[0], model->block, NULL, NULL);
    if (!anb_reach(&at, ANB_CAN_DETECT))
        return ANB_E_UNSUPPORTED;
    at.node->type->drift->view(at.node, at.state, view);
    return 0;
}
