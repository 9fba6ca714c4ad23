/*
 * The learners that are trees, and the options of each. learners.h includes this header; the terms of the comments are
 * explained at its beginning.
 *
 * Since 0.1: everything that does not say otherwise. A header of its own since 0.17.
 */
#ifndef ANABRANCH_TREES_H
#define ANABRANCH_TREES_H

#include <anabranch/type.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The models in the leaves of a tree: the values of `leaf`. */
typedef enum AnbLeaves { ANB_LEAVES_ADAPTIVE, ANB_LEAVES_MEAN, ANB_LEAVES_LINEAR, ANB_LEAVES_RLS } AnbLeaves;

/**
 * An incremental regression tree of at most 999 nodes; after a drift a new tree replaces it. Thresholds are on the raw
 * features and route missing cells; leaf models read x. Predicts within the seen target range widened by 10 %.
 * Weight class: scaled (counts, histograms and steps are multiplied; a correction never goes beyond the target).
 */
typedef struct AnbTreeOptions {
    size_t size; /* of this struct; set by the defaults */
    /* ANB_LEAVES_ADAPTIVE; AnbLeaves: adaptive (a constant and a linear model, weighed by their errors), mean, linear,
     * or rls (an RLS in each growing leaf) */
    int leaf;
    uint64_t seed; /* 0: derived from the model's */
} AnbTreeOptions;
ANB_API extern const StreamingLearnerType anb_tree;
ANB_DEFAULTS(AnbTreeOptions, anb_tree)

/**
 * A forest of incremental trees with random sample weights and features. The trees correct each other's residuals, and
 * a tree that drifts is replaced. Reads rows as a tree does and predicts within the same bounds. Weight class: scaled,
 * as a tree.
 */
typedef struct AnbForestOptions {
    size_t size;   /* of this struct; set by the defaults */
    int trees;     /* 10; 1 to 200; up to as many replacements may grow beside them */
    int leaf;      /* ANB_LEAVES_ADAPTIVE; AnbLeaves, as a tree's */
    uint64_t seed; /* 0: derived from the model's */
} AnbForestOptions;
ANB_API extern const StreamingLearnerType anb_forest;
ANB_DEFAULTS(AnbForestOptions, anb_forest)

/**
 * Extremely randomised trees (Geurts, Ernst & Wehenkel 2006) over a window of the last rows. One new tree is always
 * being built; every row is added to the leaves of all trees at once. Memory: (trees + 1)(72 / leaf + 4) + 4 d + 16
 * bytes a row of the window. Cost: twice `trees` walks of about log2(window / leaf) steps, and `budget`. Reads raw
 * values, missing cells included. Weight class: scaled (exact in means). Since 0.2.
 */
typedef struct AnbExtraTreesOptions {
    size_t size;   /* of this struct; set by the defaults */
    int window;    /* 8,192; rows stored, 16 to 1,048,576, rounded up to a power of two */
    int trees;     /* 15; 1 to 1,024 */
    int leaf;      /* 2; least number of rows in a leaf, 1 to 16 */
    int cuts;      /* 8; random pairs of feature and threshold that are compared at a node, 1 to 16 */
    int budget;    /* 2,000; work on the next tree that is done at each sample, in units of about 3 ns */
    bool time;     /* true; the arrival number is one more feature */
    uint64_t seed; /* 0: derived from the model's; of the cuts */
} AnbExtraTreesOptions;
ANB_API extern const StreamingLearnerType anb_extra_trees;
ANB_DEFAULTS(AnbExtraTreesOptions, anb_extra_trees)

/**
 * Gradient boosted trees over a window of the last samples. The oldest tree is continually replaced by a new one,
 * fitted to the residual of all trees; between fits the leaves are updated by each sample and by replayed earlier ones.
 * The work is spread evenly over the samples. After an abrupt drift samples from before it are dropped from the window
 * (counted in drifts). Reads raw values, missing cells included. Faster settings: window 2048, trees 40, depth 4, rate
 * .15, budget 1500. Memory: about 1 MB at the defaults and 12 features. Weight class: scaled (the steps, and how many
 * places of the window a row takes: at most four).
 */
typedef struct AnbSgbtOptions {
    size_t size;   /* of this struct; set by the defaults */
    int window;    /* 4096; samples that trees are fitted to, 64 to 65,536, rounded up to a multiple of 64 */
    int trees;     /* 100; 1 to 1,024 */
    int depth;     /* 5; cuts from root to leaf, 1 to 8 */
    double rate;   /* 0.08; shrinkage: the share of the residual that a tree fits, 0 to 1; larger with fewer trees */
    double budget; /* 4000; work done at each sample, in units of about half a nanosecond, from 1 */
    double eta;    /* 0.3; largest step of the leaves between fits, 0 to 1; with the squared loss divided by up to 6
                      where leaves follow noise */
    double replay; /* 4; samples of the window that the leaves learn again with each sample, 0 to 64 */
    uint64_t seed; /* 0: derived from the model's; of the rows and columns that a tree is fitted to */
    double level;  /* 0.5; of ANB_LOSS_QUANTILE, (0, 1). Since 0.3 */
    int loss;      /* ANB_LOSS_SQUARED; AnbLossKind up to ANB_LOSS_QUANTILE; only the squared loss has the fast part of
                      leaves. Since 0.3 */
} AnbSgbtOptions;
ANB_API extern const StreamingLearnerType anb_sgbt;
ANB_DEFAULTS(AnbSgbtOptions, anb_sgbt)

#ifdef __cplusplus
}
#endif
#endif
