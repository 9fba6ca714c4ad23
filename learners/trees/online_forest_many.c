/* Several rows at once: one tree after the other, with the bits of anb_online_forest_predict. */
#include "online_forest.h"
#include "cart_many.h"
#include "forest_votes.h"

/* For each row, over the trees so far: the first tree's prediction; the weighted sum of the others' differences from
 * it; the sum of the corrections. */
typedef struct Sums {
    double first[ANB_ROWS], sum[ANB_ROWS], correction[ANB_ROWS][ANB_CART_RATES];
} Sums;

static void add_tree(Sums *sums, const AnbReachedRows *tree, double vote, size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        sums->sum[i] += vote * (tree->value[i] - sums->first[i]);
        for (int r = 0; r < ANB_CART_RATES; r++)
            sums->correction[i][r] += tree->correction[i][r];
    }
}

/* The votes of the paces, and their sum. */
typedef struct Paces {
    double vote[ANB_CART_RATES], total;
} Paces;

static Paces paces_of(const AnbOnlineForest *forest)
{
    Paces p = {.total = 0};
    double least = anb_votes_least_of_paces(forest);
    for (int r = 0; r < ANB_CART_RATES; r++)
        p.total += p.vote[r] = anb_votes_of_pace(forest, r, least);
    return p;
}

/* One row, from the mean of the trees on. */
static double mix_paces(const AnbOnlineForest *forest, const Paces *paces, double mean, const double *correction,
                        double trees)
{
    double pace[ANB_CART_RATES], sum = 0;
    for (int r = 0; r < ANB_CART_RATES; r++)
        pace[r] = mean + correction[r] / trees;
    for (int r = 0; r < ANB_CART_RATES; r++)
        sum += paces->vote[r] * (pace[r] - pace[0]);
    return anb_range_clip(&forest->range, pace[0] + sum / paces->total) + forest->origin;
}

void anb_online_forest_predict_many(const AnbOnlineForestPlan *plan, const AnbOnlineForest *forest, const AnbRows *rows,
                                    double *out)
{
    AnbOnlineForest *open = anb_view_of(forest);
    Sums sums = {0};
    AnbReachedRows tree;
    double least = anb_votes_least_of_trees(plan, open), total = 0;
    for (size_t t = 0; t < plan->trees; t++) {
        double vote = anb_votes_of_tree(plan, open, t, least);
        total += vote;
        anb_cart_reach_many(&plan->cart,
                            anb_online_forest_tree(plan, open, t, anb_online_forest_head(plan, open, t)->front), rows,
                            &tree);
        if (t == 0)
            memcpy(sums.first, tree.value, rows->n * sizeof(double));
        add_tree(&sums, &tree, vote, rows->n);
    }
    const Paces paces = paces_of(forest);
    for (size_t i = 0; i < rows->n; i++)
        out[i] =
            mix_paces(forest, &paces, sums.first[i] + sums.sum[i] / total, sums.correction[i], (double)plan->trees);
}
