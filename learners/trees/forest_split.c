/*
 * Shapley values of a forest between two rows. As long as nothing is clipped a forest's prediction is a sum over its
 * trees, so the values are too.
 *
 *     f = origin + sum_t (w_t leaf_t + sum_r u_r / T correction_tr)      w, u: weights of trees and paces
 *
 * A leaf's linear model is treated as a constant, plus one term w_j (x_j - z_j) for each column j. For a column that is
 * not on the path the term is shared equally among j and the columns of A (tree_path.h).
 */
#include "online_forest.h"
#include "tree_path.h"
#include <math.h>

/* One tree between two rows. */
typedef struct Between {
    const AnbCartPlan *plan;
    AnbCart *tree;
    const AnbCartNode *nodes;
    const AnbPair *pair;
    double vote;                       /* of this tree's leaves */
    double correction[ANB_CART_RATES]; /* the votes of the paces, by trees */
    double share;
    AnbTreePath path;
    AnbShapleySum *out;
    double low, high; /* of what the tree adds */
    bool fine;
} Between;

/* A leaf's value as a constant and a share of its linear model. */
typedef struct Model {
    const double *w; /* NULL: a constant */
    double by;       /* factor of w */
    double start;    /* the model's value: the path's columns as decided, the others as in the other row */
    double rest;     /* its change where those are as in the explained row */
    double low, high;
} Model;

static Model model_of(const Between *b, const AnbCartLeaf *leaf, uint32_t index)
{
    size_t d = b->plan->features;
    double mean = leaf->mean_error, model = leaf->model_error, a = mean + model > 0 ? model / (mean + model) : 1;
    Model m = {.by = b->plan->leaf == ANB_LEAVES_LINEAR ? 1 : (1 - a) * (1 - a) / (a * a + (1 - a) * (1 - a))};
    if (b->plan->leaf == ANB_LEAVES_MEAN || m.by == 0 || leaf->low > leaf->high)
        return m;
    m.w = anb_cart_model(b->plan, b->tree, index);
    m.start = m.low = m.high = m.w[d];
    for (size_t j = 0; j < d; j++) {
        size_t at = anb_path_find(&b->path, j);
        double x = m.w[j] * b->pair->row.x[j], z = m.w[j] * b->pair->other.x[j];
        double base = at < b->path.n && b->path.own[at] ? x : z, gain = at == b->path.n ? x - z : 0;
        m.start += base;
        m.rest += gain;
        m.low += base + fmin(gain, 0);
        m.high += base + fmax(gain, 0);
    }
    return m;
}

static void add_rest(const Between *b, const Model *m, double by)
{
    double weight = by * anb_path_weight(b->path.a, b->path.n - b->path.a);
    for (size_t j = 0; j < b->plan->features; j++)
        if (anb_path_find(&b->path, j) == b->path.n)
            b->out->phi[j] += weight * (m->w[j] * (b->pair->row.x[j] - b->pair->other.x[j]));
}

/* `above`: the corrections on the way down. */
static void at_leaf(Between *b, uint32_t index, double above)
{
    const AnbCartLeaf *leaf = anb_cart_leaf(b->plan, b->tree, index);
    double mean = anb_leaf_mean(leaf), low, high;
    Model m = model_of(b, leaf, index);
    double value = b->vote * mean + above;
    low = high = value;
    if (m.w) {
        b->fine = b->fine && m.low >= leaf->low && m.high <= leaf->high;
        value = b->vote * (mean + m.by * (m.start - mean)) + above;
        low = value + b->vote * m.by * (m.low - m.start);
        high = value + b->vote * m.by * (m.high - m.start);
    }
    anb_path_leaf(&b->path, b->share * value, b->share * b->vote * m.by * m.rest, b->out->phi);
    if (m.w)
        add_rest(b, &m, b->share * b->vote * m.by);
    b->low = fmin(b->low, low);
    b->high = fmax(b->high, high);
}

static bool goes_right(const AnbCartNode *node, const double *raw)
{
    double v = raw[node->feature];
    return v == v ? !(v <= node->threshold) : !node->missing_left;
}

static void walk(Between *b, uint32_t at, double above)
{
    const AnbCartNode *node = b->nodes + at;
    for (int r = 0; r < ANB_CART_RATES; r++)
        above += b->correction[r] * node->correction[r];
    if (node->child == 0) {
        at_leaf(b, node->leaf, above);
        return;
    }
    bool mine = goes_right(node, b->pair->row.raw), others = goes_right(node, b->pair->other.raw);
    size_t found = anb_path_find(&b->path, node->feature);
    if (mine == others || found < b->path.n) {
        bool other = found < b->path.n && !b->path.own[found];
        walk(b, node->child + (other ? others : mine), above);
        return;
    }
    for (int own = 1; own >= 0; own--) {
        anb_path_push(&b->path, node->feature, own);
        walk(b, node->child + (own ? mine : others), above);
        anb_path_pop(&b->path);
    }
}

bool anb_online_forest_split(const AnbOnlineForestPlan *plan, const AnbOnlineForest *forest, const AnbPair *pair,
                             double share, AnbShapleySum *out)
{
    AnbOnlineForest *open = (AnbOnlineForest *)(uintptr_t)forest; /* read only */
    double pace[ANB_CART_RATES], low = 0, high = 0;
    if (plan->cart.leaf == ANB_LEAVES_RLS)
        return false;
    anb_online_forest_paces(forest, pace);
    for (size_t t = 0; t < plan->trees; t++) {
        AnbCart *tree = anb_online_forest_tree(plan, open, t, anb_online_forest_head(plan, open, t)->front);
        Between b = {.plan = &plan->cart, .tree = tree, .pair = pair, .share = share, .out = out, .fine = true};
        b.nodes = anb_cart_nodes(&plan->cart, tree);
        b.vote = anb_online_forest_vote(plan, forest, t);
        b.low = (double)INFINITY;
        b.high = -(double)INFINITY;
        for (int r = 0; r < ANB_CART_RATES; r++)
            b.correction[r] = pace[r] / (double)plan->trees;
        walk(&b, 0, 0);
        if (!b.fine || !(b.high - b.low < (double)INFINITY))
            return false;
        low += b.low;
        high += b.high;
    }
    out->low = low + forest->origin;
    out->high = high + forest->origin;
    return anb_range_spares(&forest->range, low, high);
}
