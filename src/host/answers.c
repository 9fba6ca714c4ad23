/* Answers that are stored outside of the model: read from the scratch, and written back to be scored. */
#include "answers.h"
#include "src/numeric/answer.h"
#include <anabranch/reach.h>

/* ---- giving ------------------------------------------------------------------------------------------------------ */

/* From the scratch of the last pass. False where no node scores answers. */
static bool given(const StreamingLearner *model, double *scratch, AnbAnswer *answer)
{
    AnbAsked at = anb_ask(&model->plan->nodes[0], anb_block(model), NULL, scratch);
    if (!anb_reach(&at, ANB_CAN_RESCORE))
        return false;
    at.node->type->answer->given(at.node, at.scratch, answer);
    return true;
}

int anb_answer_with(const StreamingLearner *model, AnbReader *reader, const double *x, AnbAnswer *answer)
{
    double f = anb_predict_with(model, reader, x);
    *answer = (AnbAnswer){.prediction = f, .scored = -1};
    if (f != f)
        return ANB_E_INPUT;
    given(model, reader->scratch, answer);
    answer->prediction = f;
    return 0;
}

int anb_last_answer(const StreamingLearner *model, AnbAnswer *answer)
{
    if (!model || !answer)
        return ANB_E_ARGUMENT;
    return given(model, anb_scratch_kept(model), answer) ? 0 : ANB_E_UNSUPPORTED;
}

/* ---- taking back ------------------------------------------------------------------------------------------------- */

bool anb_accepts_target(StreamingLearner *model, double y, double weight)
{
    bool bad_weight = weight - weight != 0 || weight < 0;
    model->counters.rejected_target += y - y != 0;
    model->counters.rejected_weight += y - y == 0 && bad_weight;
    return y - y == 0 && !bad_weight;
}

/* Predicts the row, then replaces its answer in the scratch by the given one. False: the row is rejected. */
static bool recall(StreamingLearner *model, const AnbRow *row, const AnbAnswer *then, double *scratch)
{
    const AnbNode *root = &model->plan->nodes[0];
    uint64_t missing;
    if (anb_refuses_row(model->plan, row->raw, &model->counters, &missing))
        return false;
    root->type->predict(root, anb_block(model), row, scratch);
    AnbAsked at = anb_ask(root, anb_block(model), NULL, scratch);
    if (anb_reach(&at, ANB_CAN_RESCORE))
        at.node->type->answer->restore(at.node, at.scratch, then);
    return true;
}

static uint64_t missing_cells(const double *x, size_t n)
{
    uint64_t missing = 0;
    for (size_t j = 0; j < n; j++)
        missing += x[j] != x[j];
    return missing;
}

bool anb_learn_row(StreamingLearner *model, const double *x, double y, double weight, const AnbAnswer *then)
{
    const AnbNode *root = &model->plan->nodes[0];
    AnbRow row = {x, x, NULL, &model->counters, NULL};
    AnbRoom room;
    double *scratch = anb_scratch_in(model, &room);
    if (!recall(model, &row, then, scratch))
        return false;
    if (anb_sits_out(root, &row, weight))
        return true;
    root->type->update(root, anb_block(model), &row, y, anb_weight_within(weight), scratch);
    model->counters.missing_cells += missing_cells(x, root->n_features);
    model->counters.trained++;
    return true;
}

double anb_train_answered(StreamingLearner *model, const double *x, double y, double weight, const AnbAnswer *answer)
{
    if (!anb_answer_valid(answer) || !anb_accepts_target(model, y, weight))
        return ANB_NAN;
    if (weight == 0) {
        double now = anb_predict(model, x);
        return now == now ? answer->prediction : ANB_NAN;
    }
    return anb_learn_row(model, x, y, weight, answer) ? answer->prediction : ANB_NAN;
}

double anb_keep_answered(StreamingLearner *model, uint64_t id, const double *x, const AnbAnswer *answer)
{
    const AnbNode *root = &model->plan->nodes[0];
    AnbRow row = {x, x, NULL, &model->counters, NULL};
    double *scratch = anb_scratch_kept(model);
    if (!root->type->waiting || !anb_answer_valid(answer) || !recall(model, &row, answer, scratch))
        return ANB_NAN;
    root->type->waiting->keep(root, anb_block(model), &row, id, answer->prediction, scratch);
    return answer->prediction;
}
