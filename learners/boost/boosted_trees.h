/*
 * A sum of trees over a ring of rows: which leaf of each tree every row reaches, and the sum of those leaves.
 *
 *     output of a row = sum of the `slow` values of its leaves, as of when it was last computed
 *
 * A tree is replaced in two steps, so that no sample waits for the whole ring. `swap` puts the new tree in its place at
 * once and marks all blocks of 64 rows. `settle` then moves one block's rows from the old tree's leaves to the new
 * one's. A marked block must be settled before any other function here touches its rows.
 *
 *     path[slot / 64][tree][slot % 64]   the leaf of a row in a tree; a tree's leaves of one block are 64 bytes side by
 *                                        side, so that rows replayed together share cache lines
 *
 * Flat, without pointers, zeroed at first:
 *
 *     [ AnbBoostedTrees | leaf | before | cuts | unsettled | output | target | path ]
 */
#ifndef ANB_LEARNERS_BOOST_BOOSTED_TREES_H
#define ANB_LEARNERS_BOOST_BOOSTED_TREES_H

#include "cuts.h"
#include "src/numeric/loss.h"

enum { ANB_REPLAYED = 4 /* neighbouring rows that are replayed at a time */ };

typedef struct AnbBoostedTreesRoom {
    size_t rows; /* of the ring, a multiple of 64 */
    size_t trees;
    size_t features; /* of a row: cuts name 0 to 2 features - 1 */
    unsigned depth;  /* 1 to 8 */
} AnbBoostedTreesRoom;

typedef struct AnbBoostLeaf {
    double slow; /* fitted, then changed by every error */
    double fast; /* follows the last errors only */
} AnbBoostLeaf;

typedef struct AnbBoostedTrees {
    uint32_t grown;  /* trees so far: 0 to the room's */
    uint32_t oldest; /* the next to be replaced once all are grown */
    uint32_t last;   /* the one swapped in last */
    uint32_t unused;
} AnbBoostedTrees;

typedef struct AnbBoostedTreesView {
    AnbBoostedTrees *head;
    AnbBoostLeaf *leaf;      /* trees x leaves */
    double *before;          /* leaf values of the tree that was replaced last */
    double *output, *target; /* of the rows */
    AnbCut *cuts;            /* padded trees x leaves */
    uint8_t *unsettled;      /* of each block: 1 until it is settled */
    uint8_t *path;
    size_t leaves; /* of a tree */
    AnbBoostedTreesRoom room;
} AnbBoostedTreesView;

/* Fills the view of a piece of memory, on a 64-byte boundary or NULL; returns the bytes that it takes. */
size_t anb_boosted_trees_view(AnbBoostedTreesRoom room, void *memory, AnbBoostedTreesView *view);

/* The sums of the values in the leaves of one row (anb_cuts_descend). */
void anb_boosted_trees_sum(const AnbBoostedTreesView *view, const uint8_t *leaf, AnbBoostLeaf *sum);
/* The same for n <= ANB_CUTS_ROWS rows, given by columns (anb_cuts_descend_rows). */
void anb_boosted_trees_sum_rows(const AnbBoostedTreesView *view, const float *columns, size_t n, AnbBoostLeaf *sum);

/* slow += `slow`, fast = keep * fast + `fast` in the leaves of one row. */
void anb_boosted_trees_move(const AnbBoostedTreesView *view, const uint8_t *leaf, double slow, double keep,
                            double fast);

/* Puts a row with its leaves into a slot whose block is settled. */
void anb_boosted_trees_keep(const AnbBoostedTreesView *view, size_t slot, const uint8_t *leaf, double target,
                            double output);

/* A step for each of four rows from `slot`, a multiple of 4, in a settled block: slow += rate * (target - base -
 * output) in its leaves, after its output is computed anew. `pull` replaces that difference. */
void anb_boosted_trees_replay(const AnbBoostedTreesView *view, size_t slot, double base, double rate,
                              const AnbPull *pull);

/* The tree that the next swap replaces: a new one while there is room, then the oldest. */
static inline uint32_t anb_boosted_trees_next(const AnbBoostedTreesView *view)
{
    return view->head->grown < view->room.trees ? view->head->grown : view->head->oldest;
}

/* How the targets of the next tree are computed. */
typedef struct AnbBoostAim {
    double base;    /* subtracted from targets */
    double rate;    /* share of the residual that a tree takes */
    double inherit; /* share of the replaced tree's output in its target */
    AnbPull pull;   /* replaces the residual */
} AnbBoostAim;

/* The targets of the next tree for 64 rows: `rate` times the residual of all trees, plus `inherit` times the output of
 * the tree that it will replace. */
void anb_boosted_trees_aim(const AnbBoostedTreesView *view, size_t block, const AnbBoostAim *how, double *aim);

/* Adds a tree: its cuts, with thresholds, and its leaves' values (values that are not finite become 0). `blocks` of the
 * ring are in use. */
void anb_boosted_trees_swap(const AnbBoostedTreesView *view, const AnbCut *cuts, const double *value, size_t blocks);

static inline bool anb_boosted_trees_unsettled(const AnbBoostedTreesView *view, size_t block)
{
    return view->unsettled[block];
}

/* Settles a block; `codes` are its rows' codes, those of column f from f * 64 on. */
void anb_boosted_trees_settle(const AnbBoostedTreesView *view, size_t block, const uint8_t *codes);

/* `rows` of the ring are in use. */
void anb_boosted_trees_visit(const AnbBoostedTreesView *view, size_t rows, AnbVisitor *visitor);
/* Whether a state from a file is valid, so that learning can continue. */
bool anb_boosted_trees_valid(const AnbBoostedTreesView *view, size_t rows);

#endif
