/* Shapley values of boosted trees between two rows (learners/trees/tree_path.h). */
#ifndef ANB_LEARNERS_BOOST_BOOSTED_SHAPLEY_H
#define ANB_LEARNERS_BOOST_BOOSTED_SHAPLEY_H

#include "boosted_trees.h"
#include <anabranch/capability.h>

/* The explained row and the other one, as anb_boost_row makes them: twice `columns` cells. */
typedef struct AnbBoostPair {
    const float *row, *other;
    size_t columns;
} AnbBoostPair;

/* Adds `share` times the values of slow + trust fast to out->phi, and the smallest and largest sum of the trees over
 * all coalitions of the two rows to out->low and out->high. */
void anb_boosted_trees_split(const AnbBoostedTreesView *trees, const AnbBoostPair *rows, double trust, double share,
                             AnbShapleySum *out);

#endif
