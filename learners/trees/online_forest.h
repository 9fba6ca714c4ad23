/*
 * One or many incremental trees (cart.h) over shared bins and a shared whitening, which correct each other.
 *
 *     f_t     the prediction of tree t                  w_t proportional to 1 / (its faded squared error)^2
 *     p_r   = sum w_t f_t + mean over t of c_r(path)    c_r(path): the corrections of pace r along tree t's path, added
 *     p     = sum u_r p_r                               u_r proportional to 1 / (p_r's faded squared error)^10
 *
 * Corrections. Every node has a correction for each of four paces r, which differ in rate_r. After a sample the nodes
 * of a path together move by rate_r (y - p_r), so that the four p_r move by .02, .08, .3 and 1 of their error; the
 * weights u_r select the pace that suits the stream. A node's part of the move is proportional to lean_r^(steps above
 * the leaf): slow paces correct single leaves, fast paces inner nodes, which hold what their leaves have in common.
 *
 * Of many trees every second one learns the residual y - p in place of y, so that it splits where the forest is wrong.
 * Each tree sees a sample a Poisson number of times, with mean `bag` (Oza & Russell 2001). When ADWIN sees a tree's
 * error rise, a new tree is grown in the background, and replaces the old one once its squared error is below .7 of the
 * old one's. (Gomes et al. 2017 replace it when a second detector says so.)
 *
 *     [ AnbOnlineForest | AnbTreeHead[trees] | AnbWhitener ... | AnbBins ... | the trees: front and back in turn ]
 */
#ifndef ANB_LEARNERS_TREES_ONLINE_FOREST_H
#define ANB_LEARNERS_TREES_ONLINE_FOREST_H

#include "src/numeric/adwin.h"
#include "src/numeric/error_scale.h"
#include "cart.h"
#include "whiten.h"
#include "src/numeric/moments.h"
#include "src/numeric/weight_unit.h"

/* The constant parameters of a forest; anb_online_forest_layout fills the members below the line. */
typedef struct AnbOnlineForestPlan {
    AnbCartPlan cart;
    size_t trees;
    bool background; /* whether new trees are grown in the background */
    double chase_f;  /* F of a split in trees that learn residuals; 0: there are none */
    /* ---- */
    size_t at_heads, at_whitener, at_bins, at_trees, bytes;
    size_t at_codes, at_scratch, each_scratch, scratch; /* doubles */
} AnbOnlineForestPlan;

typedef struct AnbTreeHead {
    AnbFaded error[2];    /* of the two trees */
    uint32_t front, back; /* which of the two predicts; whether the other one is growing */
    AnbAdwin alarm;
} AnbTreeHead;

typedef struct AnbOnlineForest {
    uint64_t samples;
    uint64_t making; /* the bins' edges are being remade: features left */
    AnbMoments target;
    AnbRange range;      /* of targets less the origin */
    double origin;       /* the first target, which is subtracted from all */
    AnbErrorScale error; /* of the prediction */
    AnbWeightUnit unit;
    AnbFaded rate_error[ANB_CART_RATES];
    AnbRandom random;
} AnbOnlineForest;

void anb_online_forest_layout(AnbOnlineForestPlan *plan);
void anb_online_forest_init(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, uint64_t seed);

/* The forest's prediction for a row; `scratch` holds plan->scratch doubles. */
double anb_online_forest_predict(const AnbOnlineForestPlan *plan, const AnbOnlineForest *forest, const double *x,
                                 const double *raw, double *scratch);

/* The same of several rows, with the same bits and without scratch; leaves may not be rls (anb_cart_suits_many). */
void anb_online_forest_predict_many(const AnbOnlineForestPlan *plan, const AnbOnlineForest *forest, const AnbRows *rows,
                                    double *out);

/**
 * Learns from a sample.
 *
 * @param scratch  as predict has just left it for this row
 * @param drifts   counts trees that were replaced
 * @return         false where a squared error is not finite: the forest has to be initialised again
 */
bool anb_online_forest_learn(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, const double *x,
                             const double *raw, double y, double weight, double *scratch, uint64_t *drifts);

/* The features in x change their unit, old x_j = alpha_j new x_j + beta_j; raw ones do not. */
void anb_online_forest_reframe(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, const double *alpha,
                               const double *beta);

/* Shares of the split gains, features of them, that sum to 1. */
void anb_online_forest_importance(const AnbOnlineForestPlan *plan, const AnbOnlineForest *forest, double *out);

/* The weight of tree t; the weight of a pace: both sum to 1. */
double anb_online_forest_vote(const AnbOnlineForestPlan *plan, const AnbOnlineForest *forest, size_t tree);
void anb_online_forest_paces(const AnbOnlineForest *forest, double *share);

/**
 * The Shapley values between two rows, both predicted before.
 *
 * @param share  what they are multiplied by before they are added to out->phi
 * @return       false where a bound may act: of a leaf on its linear model, of the seen targets on the sum; or a leaf
 *               is an rls
 */
bool anb_online_forest_split(const AnbOnlineForestPlan *plan, const AnbOnlineForest *forest, const AnbPair *pair,
                             double share, AnbShapleySum *out);

void anb_online_forest_visit(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, AnbVisitor *visitor);
bool anb_online_forest_valid(const AnbOnlineForestPlan *plan, const AnbOnlineForest *forest);

static inline AnbTreeHead *anb_online_forest_head(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, size_t tree)
{
    return (AnbTreeHead *)((char *)forest + plan->at_heads) + tree;
}

/* One of the two of tree t. */
static inline AnbCart *anb_online_forest_tree(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, size_t tree,
                                              size_t which)
{
    size_t index = plan->background ? 2 * tree + which : tree;
    return (AnbCart *)((char *)forest + plan->at_trees + index * plan->cart.bytes);
}

static inline AnbWhitener *anb_online_forest_whitener(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest)
{
    return (AnbWhitener *)((char *)forest + plan->at_whitener);
}

static inline AnbBins *anb_online_forest_bins(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest)
{
    return (AnbBins *)((char *)forest + plan->at_bins);
}

#endif
