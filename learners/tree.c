/*
 * An incremental regression tree.
 *
 * One tree (learners/trees/cart.h). A leaf splits when a histogram of its samples shows a clear gain. It predicts by a
 * constant and a linear model, and corrections are learned in the nodes of each path, at four rates
 * (learners/trees/online_forest.h). The first splits are possible after 100 rows, when the bins are made. When ADWIN
 * sees the tree's error rise, another one is grown in the background; it replaces the old one once its squared error is
 * below .7 of the old one's.
 *
 * State: learners/trees/online_forest.h; with the background tree about 1.3 MB at 12 features, 5.5 MB at 128. Cost: the
 * tree's depth to predict, about 300 ns to learn at 12 features.
 * Ikonomovska, Gama & Dzeroski 2011 on incremental model trees; Hulten, Spencer & Domingos 2001 on growing them.
 */
#include "learners/trees/online_forest.h"
#include <anabranch/learners.h>

enum { NODES = 1000, SLOTS = 32 };

static const AnbParam params[] = {{"leaf", ANB_WORD, offsetof(AnbTreeOptions, leaf), ANB_LEAVES_ADAPTIVE, 0, 0, 0,
                                   "adaptive|mean|linear|rls", "what a leaf predicts by"},
                                  {"seed", ANB_SEED, offsetof(AnbTreeOptions, seed), 0, 0, 9007199254740992., 0, NULL,
                                   "of the features that leaves try"},
                                  {0}};

static AnbOnlineForestPlan plan_of(const AnbNode *self)
{
    const AnbTreeOptions *o = self->options;
    AnbOnlineForestPlan plan = {.trees = 1,
                                .background = true,
                                .cart = {.features = self->n_features,
                                         .share = 1,
                                         .nodes = NODES - 1,
                                         .slots = SLOTS,
                                         .look = 2,
                                         .leaf = (AnbLeaves)o->leaf,
                                         .bag = 1,
                                         .min_f = 12,
                                         .memory = 200}};
    anb_online_forest_layout(&plan);
    return plan;
}

#include "learners/trees/tree_learner.h"

const StreamingLearnerType anb_tree = {
    .name = "tree",
    .brief = "an incremental regression tree with a model in each leaf",
    .example = "tree(leaf=linear)",
    .options_size = sizeof(AnbTreeOptions),
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
