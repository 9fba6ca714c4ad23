/*
 * An incremental regression tree.
 *
 * One tree (parts/cart.h) that splits where a histogram of a leaf's samples shows a clear gain, with a constant and a
 * linear model in each leaf, and corrections on the way down at four paces (parts/grove.h). The first splits are
 * possible after 100 rows, when the bins are made. Where ADWIN sees its error rise another one grows behind it and takes
 * over once its squared error is below .7 of the old one's.
 *
 * State: parts/grove.h; some 0.6 MB at 12 features, 4 MB at 128. Cost: the tree's depth to predict, some 300 ns to learn
 * at 12 features.
 * Ikonomovska, Gama & Dzeroski 2011 on incremental model trees; Hulten, Spencer & Domingos 2001 on growing them.
 */
#include "parts/grove.h"
#include <anabranch/learners.h>

enum { NODES = 1000, SLOTS = 32 };

static const AnbParam params[] = {
    {"leaf", ANB_WORD, offsetof(AnbTreeOptions, leaf), ANB_LEAF_ADAPTIVE, 0, 0, 0, "adaptive|mean|linear|rls",
     "what a leaf predicts by"},
    {"seed", ANB_SEED, offsetof(AnbTreeOptions, seed), 0, 0, 9007199254740992., 0, NULL,
     "of the features that leaves try"},
    {0}};

static AnbGrovePlan plan_of(const AnbNode *self)
{
    const AnbTreeOptions *o = self->options;
    AnbGrovePlan plan = {.trees = 1, .background = true,
                         .cart = {.features = self->n_features, .share = 1, .nodes = NODES - 1, .slots = SLOTS,
                                  .leaf = (AnbLeafKind)o->leaf, .bag = 1, .min_f = 12, .memory = 200}};
    anb_grove_layout(&plan);
    return plan;
}

static AnbNeed need(const AnbNode *self)
{
    AnbGrovePlan plan = plan_of(self);
    return (AnbNeed){plan.bytes, plan.scratch};
}

static int init(const AnbNode *self, void *state)
{
    AnbGrovePlan plan = plan_of(self);
    anb_grove_init(&plan, state, self->seed);
    return 0;
}

static void reset(const AnbNode *self, void *state)
{
    init(self, state);
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    AnbGrovePlan plan = plan_of(self);
    return anb_grove_predict(&plan, state, row->x, row->raw, scratch);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    AnbGrovePlan plan = plan_of(self);
    if (!anb_grove_learn(&plan, state, row->x, row->raw, y, weight, scratch, &row->counters->drifts))
        anb_restart(self, state, row);
}

static int query(const AnbNode *self, const void *state, const AnbRow *row, double *scratch, AnbQuery what, void *out)
{
    AnbGrovePlan plan = plan_of(self);
    (void)row;
    (void)scratch;
    if (what != ANB_QUERY_IMPORTANCE)
        return ANB_E_UNSUPPORTED;
    anb_grove_importance(&plan, state, out);
    return 0;
}

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    AnbGrovePlan plan = plan_of(self);
    anb_grove_visit(&plan, state, visitor);
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    AnbGrovePlan plan = plan_of(self);
    return anb_grove_valid(&plan, state) ? 0 : anb_fail(error, ANB_E_STATE, "tree: not a tree that can have grown");
}

AnbTreeOptions anb_tree_defaults(void)
{
    AnbTreeOptions o;
    anb_options_defaults(&anb_tree, &o);
    return o;
}

const StreamingLearnerType anb_tree = {
    .name = "tree",
    .brief = "an incremental regression tree with a model in each leaf",
    .example = "tree(leaf=linear)",
    .options_size = sizeof(AnbTreeOptions),
    .params = params,
    .flags = ANB_READS_X | ANB_READS_RAW | ANB_TAKES_MISSING | ANB_WEIGHT_SCALED | ANB_CLIPPED,
    .version = 1,
    .need = need,
    .init = init,
    .predict = predict,
    .update = update,
    .query = query,
    .reset = reset,
    .ranges = ranges,
    .validate = validate,
};
