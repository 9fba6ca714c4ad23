/* Rows that wait for their labels, intervals, drift: what a model can do because of its outer nodes. */
#include "learners/pending.h"
#include "model.h"
#include <anabranch/drift.h>
#include <anabranch/interval.h>

static bool is_pending(const StreamingLearner *model)
{
    return model->plan->nodes[0].type == &anb_pending;
}

double anb_predict_pending(StreamingLearner *model, uint64_t id, const double *x)
{
    const AnbNode *root = &model->plan->nodes[0];
    AnbRow row = {x, x, NULL, &model->counters};
    double f = is_pending(model) ? anb_predict(model, x) : ANB_NAN;
    if (f == f)
        anb_pending_keep(root, model->block, &row, id, f, model->scratch);
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

double anb_learn_label(StreamingLearner *model, uint64_t id, double y, double weight)
{
    const AnbNode *root = &model->plan->nodes[0];
    AnbAnswer then;
    if (!is_pending(model) || !acceptable(model, y, weight))
        return ANB_NAN;
    const double *x = anb_pending_find(root, model->block, id, &model->counters, &then);
    if (!x || weight == 0)
        return x ? then.prediction : ANB_NAN;
    AnbRow row = {x, x, NULL, &model->counters};
    uint64_t missing;
    if (anb_refuses_row(model->plan, x, &model->counters, &missing))
        return ANB_NAN; /* kept by a model that was tampered with */
    root->type->predict(root, model->block, &row, model->scratch);
    root->type->query(root, model->block, &row, model->scratch, ANB_QUERY_ANSWERED, &then);
    root->type->update(root, model->block, &row, y, anb_weight_within(weight), model->scratch);
    anb_pending_learned(root, model->block, id);
    model->counters.missing_cells += missing;
    model->counters.trained++;
    return then.prediction;
}

AnbPendingFate anb_pending_fate(const StreamingLearner *model, uint64_t id)
{
    return is_pending(model) ? anb_pending_entry_fate(&model->plan->nodes[0], model->block, id) : ANB_PENDING_UNKNOWN;
}

size_t anb_n_pending(const StreamingLearner *model)
{
    return is_pending(model) ? anb_pending_waiting(&model->plan->nodes[0], model->block) : 0;
}

/* ---- intervals --------------------------------------------------------------------------------------------------- */

static int ask_interval(const StreamingLearner *model, double *scratch, AnbCounters *counters, const double *x,
                        double coverage, double *low, double *high)
{
    const AnbNode *root = &model->plan->nodes[0];
    AnbRow row = {x, x, NULL, counters};
    AnbIntervalQuery q = {.coverage = coverage};
    int code = root->type->query ? root->type->query(root, model->block, &row, scratch, ANB_QUERY_INTERVAL, &q)
                                 : ANB_E_UNSUPPORTED;
    if (!code) {
        *low = q.low;
        *high = q.high;
    }
    return code;
}

size_t anb_interval_levels(const StreamingLearner *model, const double **coverage)
{
    const AnbNode *node = &model->plan->nodes[0];
    if (is_pending(model))
        node = &node->children[0];
    if (node->type != &anb_interval)
        return 0;
    const AnbIntervalOptions *o = node->options;
    *coverage = o->coverage.value;
    return (size_t)o->coverage.count;
}

int anb_predict_interval(StreamingLearner *model, const double *x, double coverage, double *low, double *high)
{
    double f = anb_predict(model, x);
    return f != f ? ANB_E_INPUT : ask_interval(model, model->scratch, &model->counters, x, coverage, low, high);
}

int anb_predict_interval_with(const StreamingLearner *model, AnbReader *reader, const double *x, double coverage,
                              double *low, double *high)
{
    double f = anb_predict_with(model, reader, x);
    return f != f ? ANB_E_INPUT : ask_interval(model, reader->scratch, &reader->counters, x, coverage, low, high);
}

int anb_drift_view(const StreamingLearner *model, AnbDriftView *view)
{
    const AnbNode *root = &model->plan->nodes[0];
    return root->type->query ? root->type->query(root, model->block, NULL, NULL, ANB_QUERY_DRIFT, view)
                             : ANB_E_UNSUPPORTED;
}
