/*
 * One incremental regression tree over flat memory: nodes, leaf models, and the histograms of the leaves that may
 * split.
 *
 *     [ AnbCart | importance: double[d] | AnbCartNode[nodes] | AnbCartLeaf[leaves] | model: double[leaves][d + 1]
 *       | AnbSlot[slots] | next: uint32[slots] | index: uint32[slots][d] | AnbBin[slots][tried][ANB_CODES]
 *       | rls: double[slots][...] ]
 *
 * Nodes and leaves are only ever added, in order: the first `nodes_used` and `leaves_used` are in use.
 *
 * Splits. A leaf may split while it holds a slot: a histogram of the samples that reach it, over `tried` features drawn
 * at random, at most 32 (others are drawn if 1,000 samples led to no split). Every 50 units of weight it takes the best
 * split if
 *
 *     F = G / (SSE - G) (n / bag - 2) > min_f       G: reduction of the sum of squares, 5 samples on either side
 *
 * The best split is searched in `look` features a sample, so that no sample pays for all of them.
 *
 * Slots. If all are taken, a leaf with 1.5 times the loss per sample of the poorest leaf with a slot takes that one's.
 * New edges of the bins (bins.h) empty the histograms, nothing else. A full tree keeps its structure: its leaves give
 * their slots back and go on learning. Leaf models: cart_leaf.c.
 */
#ifndef ANB_LEARNERS_TREES_CART_H
#define ANB_LEARNERS_TREES_CART_H

#include "bins.h"
#include "histogram.h"
#include "slot_pool.h"
#include "src/numeric/random.h"
#include "src/numeric/rls.h"
#include <anabranch/learners.h>

enum { ANB_CART_RATES = 4, ANB_CART_DEPTH = 60 };
#define ANB_NO_SLOT UINT32_MAX
#define ANB_SLOT_FRESH (UINT64_MAX - 1) /* `made` of a slot before its first sample, which clears the histogram */

/* The constant parameters of a tree and its layout; anb_cart_layout fills the members below the line. */
typedef struct AnbCartPlan {
    size_t features;
    double share;   /* of the features that a leaf tries, (0, 1]; at most 32 are tried */
    uint32_t nodes; /* at most, odd */
    uint32_t slots; /* growing leaves at most; of rls leaves fewer where they are large */
    uint32_t look;  /* features that a sample looks at for a split, > 0 */
    AnbLeaves leaf;
    double bag; /* mean weight of a sample */
    double min_f;
    double memory; /* largest number of samples that a linear leaf counts */
    /* ---- */
    size_t tried, stride;
    AnbRls rls;
    size_t rls_size; /* doubles of one leaf's */
    size_t at_importance, at_nodes, at_leaves, at_model, at_slots, at_next, at_index, at_bins, at_rls, bytes;
} AnbCartPlan;

typedef struct AnbCart {
    uint64_t clock; /* samples learned */
    uint32_t nodes_used, leaves_used;
    AnbPool pool; /* of the slots */
    uint64_t unused[4];
} AnbCart;

/* x[feature] <= threshold goes to `child`, else to child + 1; 0 = a leaf. 64 bytes. */
typedef struct AnbCartNode {
    double threshold;
    uint32_t child, parent, feature, leaf;
    uint32_t missing_left, depth;
    double correction[ANB_CART_RATES]; /* the ensemble's: added for rows that pass the node */
} AnbCartNode;

typedef struct AnbCartLeaf {
    double count, mean, prior;      /* weight and mean of the targets; the parent's shrunk mean */
    double low, high;               /* their range; low > high: none yet */
    double mean_error, model_error; /* faded squared errors of the shrunk mean and of the model */
    double model_count;             /* samples that the model counts for */
    double since, loss;             /* weight since the last test for a split; squared error since `start` */
    uint64_t start;
    uint32_t node, slot;
} AnbCartLeaf;

typedef struct AnbSlot {
    double count, sum, squares;  /* of the samples in the histogram */
    double reference;            /* targets are taken about it */
    double offset;               /* an rls model's targets as well */
    uint64_t made, born;         /* version of the bins' edges; the tree's clock when it started */
    double gain;                 /* of the search for a split: the best so far, a unit of weight */
    uint32_t leaf, looked, best; /* features searched so far; the best of them */
    uint32_t unused;
} AnbSlot;

/* A leaf and its prediction for a row. */
typedef struct AnbReached {
    uint32_t node, leaf;
    double mean, model, value;
    double correction[ANB_CART_RATES]; /* summed over the path */
} AnbReached;

/* What a tree learns from. */
typedef struct AnbCartSample {
    const double *x, *raw; /* complete, for models; as given, for thresholds */
    const unsigned char *codes;
    const AnbBins *bins;
    const double *white;   /* the whitened row (whiten.h), d entries; NULL: a cell is missing, models do not learn */
    double white0, energy; /* the constant's entry; the product of row and whitened row, about d + 1 */
    double y, weight;      /* weight > 0, bagging in */
    bool chasing;          /* histograms sum `residual` in place of y: splits go where an ensemble has errors */
    double residual;
    double limit; /* errors are clipped to it in linear models */
    double min_f;
    AnbRandom *random;
    double *scratch; /* that of reach */
} AnbCartSample;

void anb_cart_layout(AnbCartPlan *plan);
/* Initialises a tree of one leaf without samples, whatever the memory holds. */
void anb_cart_init(const AnbCartPlan *plan, AnbCart *cart);

/* Finds the leaf of a row and its prediction. `scratch`: anb_rls_scratch(features) doubles where leaves are rls. */
AnbReached anb_cart_reach(const AnbCartPlan *plan, const AnbCart *cart, const double *x, const double *raw,
                          double *scratch);
/* Learns a sample in the leaf where reach has just found it. Cost: some 100 ns at 12 features. */
void anb_cart_learn(const AnbCartPlan *plan, AnbCart *cart, const AnbReached *at, const AnbCartSample *sample);

/* The histograms start again, with other features where not all are tried; the tree stays. */
void anb_cart_empty(const AnbCartPlan *plan, AnbCart *cart);

/* The features in x change their unit, old x_j = alpha_j new x_j + beta_j; thresholds are of raw ones. */
void anb_cart_reframe(const AnbCartPlan *plan, AnbCart *cart, const double *alpha, const double *beta);

void anb_cart_visit(const AnbCartPlan *plan, AnbCart *cart, AnbVisitor *visitor);
bool anb_cart_valid(const AnbCartPlan *plan, const AnbCart *cart);

/* For each feature the sum of the gains of its splits, less the least gain that was accepted. */
static inline double *anb_cart_importance(const AnbCartPlan *plan, AnbCart *cart)
{
    return (double *)((char *)cart + plan->at_importance);
}

static inline AnbCartNode *anb_cart_nodes(const AnbCartPlan *plan, AnbCart *cart)
{
    return (AnbCartNode *)((char *)cart + plan->at_nodes);
}

static inline AnbCartLeaf *anb_cart_leaf(const AnbCartPlan *plan, AnbCart *cart, uint32_t leaf)
{
    return (AnbCartLeaf *)((char *)cart + plan->at_leaves) + leaf;
}

/* A leaf's linear model: `features` weights and the constant. */
static inline double *anb_cart_model(const AnbCartPlan *plan, AnbCart *cart, uint32_t leaf)
{
    return (double *)((char *)cart + plan->at_model) + leaf * plan->stride;
}

static inline AnbSlot *anb_cart_slot(const AnbCartPlan *plan, AnbCart *cart, uint32_t slot)
{
    return (AnbSlot *)((char *)cart + plan->at_slots) + slot;
}

/* The pool's links. */
static inline uint32_t *anb_cart_next(const AnbCartPlan *plan, AnbCart *cart)
{
    return (uint32_t *)((char *)cart + plan->at_next);
}

static inline uint32_t *anb_cart_index(const AnbCartPlan *plan, AnbCart *cart, uint32_t slot)
{
    return (uint32_t *)((char *)cart + plan->at_index) + slot * plan->features;
}

static inline AnbBin *anb_cart_bins(const AnbCartPlan *plan, AnbCart *cart, uint32_t slot)
{
    return (AnbBin *)((char *)cart + plan->at_bins) + slot * plan->tried * ANB_CODES;
}

static inline double *anb_cart_rls(const AnbCartPlan *plan, AnbCart *cart, uint32_t slot)
{
    return (double *)((char *)cart + plan->at_rls) + slot * plan->rls_size;
}

/* ---- between the parts of a tree ------------------------------------------------------------------------------- */

/* Samples that the prior of a leaf's mean counts for. */
#define ANB_LEAF_SHRINK 10.0

/* cart_leaf.c: how a leaf predicts and learns, and the initial models of its two children. */
void anb_leaf_predict(const AnbCartPlan *plan, const AnbCart *cart, uint32_t leaf, const double *x, double *scratch,
                      AnbReached *out);
void anb_leaf_learn(const AnbCartPlan *plan, AnbCart *cart, const AnbReached *at, const AnbCartSample *sample);
double anb_leaf_mean(const AnbCartLeaf *leaf);
void anb_leaf_inherit(const AnbCartPlan *plan, AnbCart *cart, uint32_t from, uint32_t to);

/* cart_grow.c: histograms and splits. */
void anb_cart_grow(const AnbCartPlan *plan, AnbCart *cart, uint32_t leaf, const AnbCartSample *sample);

#endif
