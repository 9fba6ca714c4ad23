/*
 * A forest of incremental trees that correct each other. Trees that drift are replaced.
 *
 * Each tree (learners/trees/cart.h) sees a sample a Poisson number of times, with mean 6. Every second tree learns the
 * residual of the forest. Trees are weighted by 1 / error^2, and a joint correction is learned in the nodes of each
 * path, at four rates (learners/trees/online_forest.h). When ADWIN sees a tree's error rise, a new tree is grown in the
 * background; it replaces the old one once it is better. Every leaf tries all features, up to 32: on the test streams
 * that was better than a random 60 %, since the corrections already keep the trees different.
 *
 * State: learners/trees/online_forest.h; 10 trees take 9 MB at 12 features, 31 MB at 128.
 * Cost: about 4 us a sample with 10 trees of 12 features.
 * Gomes et al. 2017 (adaptive random forests), Oza & Russell 2001 (online bagging), Ren et al. 2015 (global refinement
 * of a forest's leaves).
 */
#include "learners/trees/online_forest.h"
#include <anabranch/learners.h>

enum { NODES = 1000, SLOTS = 24 };

static const AnbParam params[] = {
    {"trees", ANB_COUNT, offsetof(AnbForestOptions, trees), 10, 1, 200, 0, NULL, "how many"},
    {"leaf", ANB_WORD, offsetof(AnbForestOptions, leaf), ANB_LEAVES_ADAPTIVE, 0, 0, 0, "adaptive|mean|linear|rls",
     "the model in the leaves"},
    {"seed", ANB_SEED, offsetof(AnbForestOptions, seed), 0, 0, 9007199254740992., 0, NULL,
     "of the weights and of the features that leaves try"},
    {0}};

static AnbOnlineForestPlan plan_of(const AnbNode *self)
{
    const AnbForestOptions *o = self->options;
    AnbOnlineForestPlan plan = {.trees = (size_t)o->trees,
                                .background = true,
                                .chase_f = 10,
                                .cart = {.features = self->n_features,
                                         .share = 1,
                                         .nodes = NODES - 1,
                                         .slots = SLOTS,
                                         .look = UINT32_MAX,
                                         .leaf = (AnbLeaves)o->leaf,
                                         .bag = 6,
                                         .min_f = 20,
                                         .memory = 50}};
    anb_online_forest_layout(&plan);
    return plan;
}

#include "learners/trees/tree_learner.h"

const StreamingLearnerType anb_forest = {
    .name = "forest",
    .brief = "incremental trees, weighted by their errors, that correct each other and are replaced after drifts",
    .example = "forest(trees=3)",
    .options_size = sizeof(AnbForestOptions),
    .params = params,
    .flags = ANB_SIZED_OPTIONS | ANB_READS_X | ANB_READS_RAW | ANB_TAKES_MISSING | ANB_WEIGHT_SCALED | ANB_READS_OLDER |
             ANB_CLIPPED | ANB_SINCE_0_3,
    .version = 4,
    .fields = fields,
    .scratch = scratch_fields,
    .init = init,
    .predict = predict,
    .predict_many = predict_many,
    .update = update,
    .importance = &importance,
    .shapley = &shapley,
    .reset = reset,
    .reframe = reframe,
};
