#include "boosted_shapley.h"
#include "learners/trees/tree_path.h"
#include <math.h>

/* One tree between two rows. */
typedef struct Between {
    const AnbCut *cuts;
    const AnbBoostLeaf *leaf;
    double trust, share;
    const AnbBoostPair *rows;
    size_t leaves;
    AnbTreePath path;
    AnbShapleySum *out;
    double low, high; /* of the leaves that are reached */
} Between;

static void walk_between(Between *b, size_t k);

static void walk_with(Between *b, size_t k, size_t column, bool own)
{
    anb_path_push(&b->path, column, own);
    walk_between(b, k);
    anb_path_pop(&b->path);
}

/* Walks down from node k; both ways where the two rows differ at a column that is not on the path yet. */
static void walk_between(Between *b, size_t k)
{
    while (k < b->leaves) {
        const AnbCut *cut = &b->cuts[k];
        size_t mine = b->rows->row[cut->feature] > cut->threshold,
               others = b->rows->other[cut->feature] > cut->threshold;
        size_t column = cut->feature % b->rows->columns, at = anb_path_find(&b->path, column);
        if (mine != others && at == b->path.n) {
            walk_with(b, 2 * k + mine, column, true);
            walk_with(b, 2 * k + others, column, false);
            return;
        }
        k = 2 * k + (at < b->path.n && !b->path.own[at] ? others : mine);
    }
    const AnbBoostLeaf *leaf = &b->leaf[k - b->leaves];
    double value = leaf->slow + b->trust * leaf->fast;
    anb_path_leaf(&b->path, b->share * value, 0, b->out->phi);
    b->low = fmin(b->low, value);
    b->high = fmax(b->high, value);
}

void anb_boosted_trees_split(const AnbBoostedTreesView *trees, const AnbBoostPair *rows, double trust, double share,
                             AnbShapleySum *out)
{
    for (size_t t = 0; t < trees->head->grown; t++) {
        Between b = {.cuts = trees->cuts + t * trees->leaves,
                     .leaf = trees->leaf + t * trees->leaves,
                     .trust = trust,
                     .share = share,
                     .rows = rows,
                     .leaves = trees->leaves,
                     .out = out,
                     .low = (double)INFINITY,
                     .high = -(double)INFINITY};
        walk_between(&b, 1);
        out->low += b.low;
        out->high += b.high;
    }
}
