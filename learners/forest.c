/*
 * A forest of incremental trees that correct each other, and replaces those that drift.
 *
 * Trees (parts/cart.h) on Poisson weights of mean 6, every second one grown on what the forest left over. They vote by
 * 1 / error^2, and a joint correction on every node of the way down moves at four paces (parts/grove.h). Where ADWIN sees
 * a tree's error rise, a new one grows behind it and takes over once it is better. Every leaf tries all features, up to
 * 32: on the test streams that was better than a random 60 %, the corrections keep the trees apart.
 *
 * State: parts/grove.h; 10 trees take 9 MB at 12 features, 31 MB at 128. Cost: some 4 us a sample with 10 trees of 12
 * features. Gomes et al. 2017 (adaptive random forests), Oza & Russell 2001 (online bagging), Ren et al. 2015 (global
 * refinement of a forest's leaves).
 */
#include "parts/grove.h"
#include <anabranch/learners.h>

enum { NODES = 1000, SLOTS = 24 };

static const AnbParam params[] = {
    {"trees", ANB_COUNT, offsetof(AnbForestOptions, trees), 10, 1, 200, 0, NULL, "how many"},
    {"leaf", ANB_WORD, offsetof(AnbForestOptions, leaf), ANB_LEAF_ADAPTIVE, 0, 0, 0, "adaptive|mean|linear|rls",
     "what a leaf predicts by"},
    {"seed", ANB_SEED, offsetof(AnbForestOptions, seed), 0, 0, 9007199254740992., 0, NULL,
     "of the weights and of the features that leaves try"},
    {0}};

static AnbGrovePlan plan_of(const AnbNode *self)
{
    const AnbForestOptions *o = self->options;
    AnbGrovePlan plan = {.trees = (size_t)o->trees, .background = true, .chase_f = 10,
                         .cart = {.features = self->n_features, .share = 1, .nodes = NODES - 1, .slots = SLOTS,
                                  .leaf = (AnbLeafKind)o->leaf, .bag = 6, .min_f = 20, .memory = 50}};
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
    return anb_grove_valid(&plan, state) ? 0 : anb_fail(error, ANB_E_STATE, "forest: not trees that can have grown");
}

AnbForestOptions anb_forest_defaults(void)
{
    AnbForestOptions o;
    anb_options_defaults(&anb_forest, &o);
    return o;
}

const StreamingLearnerType anb_forest = {
    .name = "forest",
    .brief = "incremental trees that vote, correct each other, and are replaced where they drift",
    .example = "forest(trees=3)",
    .options_size = sizeof(AnbForestOptions),
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
