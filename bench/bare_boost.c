/* Bare boosting. */
#include "bare_experts.h"
#include "learners/boost/boost.h"

/* ---- sgbt: the ensemble's sum, its moves, four rows again, and the slices that a sample pays for ----------------- */

typedef struct Boosted {
    AnbBoostView view;
    AnbBoostRule rule;
    double budget, credit;
    float *row;
    uint8_t leaf[1024];
} Boosted;

static void *boosted_make(AnbBoostRoom room, double budget)
{
    double *at;
    AnbBoostView size;
    anb_boost_view(room, NULL, &size);
    Boosted *b = bare_piece(sizeof *b, size.bytes / 8 + room.features + 1, &at);
    anb_boost_view(room, bare_next(&at, size.bytes / 8), &b->view);
    b->row = (float *)bare_next(&at, room.features + 1);
    b->rule = (AnbBoostRule){.aim = {.base = 15, .rate = .08, .inherit = .7}, .ridge = 2, .min_rows = 5};
    b->budget = budget;
    anb_boost_init(&b->view, 1);
    return b;
}

static void *boosted_default(size_t d)
{
    return boosted_make((AnbBoostRoom){4096, d, 100, 5}, 4000);
}

static void *boosted_small(size_t d)
{
    return boosted_make((AnbBoostRoom){2048, d, 20, 4}, 1500);
}

static double boosted_train(void *self, const double *x, double y)
{
    Boosted *b = self;
    const AnbBoostedTreesView *trees = &b->view.trees;
    const AnbWindowView *window = &b->view.window;
    const double n = (double)trees->room.trees;
    AnbBoostLeaf sum;
    anb_boost_row(&b->view, x, b->row);
    anb_cuts_descend(trees->cuts, trees->head->grown, trees->room.depth, b->row, b->leaf);
    anb_boosted_trees_sum(trees, b->leaf, &sum);
    double error = y - b->rule.aim.base - sum.slow, f = y - error + sum.fast, slow = .3 * error / n;
    anb_boosted_trees_move(trees, b->leaf, slow, .8, (error - sum.fast) / n);
    b->credit -= anb_boost_keep(&b->view, b->row, b->leaf, y, sum.slow + slow * trees->head->grown);
    size_t live = anb_window_live(window), groups = anb_window_size(window) / ANB_REPLAYED;
    if (live < ANB_WINDOW_FIRST)
        return f;
    uint64_t row = window->head->pushed - 1 - anb_random_below(&b->view.head->random, (uint32_t)live);
    size_t group = row % window->room.rows / ANB_REPLAYED, slot = ANB_REPLAYED * (group < groups ? group : 0);
    b->credit -= anb_boost_settle(&b->view, slot);
    anb_boosted_trees_replay(trees, slot, b->rule.aim.base, .05 / n, &b->rule.aim.pull);
    for (b->credit += b->budget * (4 - 3 * (double)live / (double)window->room.rows); b->credit > 0;)
        b->credit -= anb_boost_slice(&b->view, &b->rule);
    return f;
}

const BareExpert bare_sgbt = {"sgbt",
                              "descend, sum, move, four rows again, slices paid for; no trust, alarm or weights",
                              boosted_default, boosted_train};

const BareExpert bare_small_sgbt = {"sgbt(window=2048, trees=20, depth=4, budget=1500)", "the same, smaller",
                                    boosted_small, boosted_train};
