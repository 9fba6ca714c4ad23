/* The weights of the trees and of the paces of a forest: (least error / own error)^2 of a tree, ^10 of a pace. */
#ifndef ANB_LEARNERS_TREES_FOREST_VOTES_H
#define ANB_LEARNERS_TREES_FOREST_VOTES_H

#include "online_forest.h"

/* The lesser of a faded mean of errors and another one. */
static inline double anb_votes_least(const AnbFaded *error, double other)
{
    return error->mean < other ? error->mean : other;
}

static inline double anb_votes_ratio(double least, const AnbFaded *error)
{
    return error->mean > 0 ? least / error->mean : 1;
}

/* The error of the predicting one of tree t's two versions. */
static inline const AnbFaded *anb_votes_error(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, size_t t)
{
    const AnbTreeHead *head = anb_online_forest_head(plan, forest, t);
    return &head->error[head->front];
}

static inline double anb_votes_least_of_trees(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest)
{
    double least = INFINITY;
    for (size_t t = 0; t < plan->trees; t++)
        least = anb_votes_least(anb_votes_error(plan, forest, t), least);
    return least;
}

static inline double anb_votes_of_tree(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, size_t t, double least)
{
    double r = anb_votes_ratio(least, anb_votes_error(plan, forest, t));
    return r * r;
}

static inline double anb_votes_least_of_paces(const AnbOnlineForest *forest)
{
    double least = INFINITY;
    for (int r = 0; r < ANB_CART_RATES; r++)
        least = anb_votes_least(&forest->rate_error[r], least);
    return least;
}

static inline double anb_votes_of_pace(const AnbOnlineForest *forest, int pace, double least)
{
    double r = anb_votes_ratio(least, &forest->rate_error[pace]), r2 = r * r, r4 = r2 * r2;
    return r4 * r4 * r2;
}

#endif
