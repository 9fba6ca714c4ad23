/*
 * The functions of the types `tree` and `forest`: a forest of one tree or of many. The two differ in their plan only.
 * Both include this file after they have defined `plan_of`.
 */
#ifndef ANB_LEARNERS_TREES_TREE_LEARNER_H
#define ANB_LEARNERS_TREES_TREE_LEARNER_H

#include "cart_many.h"

static size_t trees_size(const AnbNode *self, const AnbField *field)
{
    (void)field;
    return plan_of(self).bytes;
}

static void trees_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    AnbOnlineForestPlan plan = plan_of(self);
    (void)field, (void)state;
    anb_online_forest_visit(&plan, part, visitor);
}

static int trees_validate(const AnbNode *self, const AnbField *field, const void *state, const void *part,
                          AnbError *error)
{
    AnbOnlineForestPlan plan = plan_of(self);
    (void)field, (void)state;
    return anb_online_forest_valid(&plan, part)
               ? 0
               : anb_fail(error, ANB_E_STATE, "%s: not trees that can have grown", self->type->name);
}

static const AnbPart trees_part = {trees_size, trees_visit, trees_validate};
static const AnbField fields[] = {{.name = "trees", .part = &trees_part}, {0}};

static size_t work_size(const AnbNode *self)
{
    return plan_of(self).scratch;
}

static const AnbField scratch_fields[] = {{.name = "work", .kind = ANB_F64, .count = work_size}, {0}};

static int init(const AnbNode *self, void *state)
{
    AnbOnlineForestPlan plan = plan_of(self);
    anb_online_forest_init(&plan, state, self->seed);
    return 0;
}

static void reset(const AnbNode *self, void *state)
{
    init(self, state);
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    AnbOnlineForestPlan plan = plan_of(self);
    return anb_online_forest_predict(&plan, state, row->x, row->raw, scratch);
}

static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    AnbOnlineForestPlan plan = plan_of(self);
    if (anb_cart_suits_many(&plan.cart) && rows->n > 2)
        anb_online_forest_predict_many(&plan, state, rows, out);
    else
        anb_predict_each(self, state, rows, scratch, out);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    AnbOnlineForestPlan plan = plan_of(self);
    if (anb_online_forest_learn(&plan, state, row->x, row->raw, y, weight, scratch, &row->counters->drifts))
        return;
    anb_restart(self, state, row);
    ((AnbOnlineForest *)state)->origin = y; /* its prediction until the next sample */
}

static void reframe(const AnbNode *self, void *state, const double *alpha, const double *beta)
{
    AnbOnlineForestPlan plan = plan_of(self);
    anb_online_forest_reframe(&plan, state, alpha, beta);
}

static int shares(const AnbNode *self, const void *state, double *share)
{
    AnbOnlineForestPlan plan = plan_of(self);
    anb_online_forest_importance(&plan, state, share);
    return 0;
}

static const AnbImportanceTable importance = {shares};

static bool split(const AnbNode *self, const void *state, const AnbPair *pair, double share, AnbShapleySum *out)
{
    AnbOnlineForestPlan plan = plan_of(self);
    return anb_online_forest_split(&plan, state, pair, share, out);
}

static const AnbShapleyTable shapley = {split};

#endif
