/*
 * A sum of trees over a ring of rows: the leaves that every row reaches, and what the trees say of it.
 *
 *     output of a row = sum of the `slow` values of its leaves, as of when it was last looked at
 *
 * A tree is replaced in two steps, so that no sample waits for a whole ring: swap puts the new tree in its place at
 * once, and marks all blocks of 64 rows; settle then moves a block's rows from the old tree's leaves to the new one's.
 * A block that is marked must be settled before anything else here touches its rows.
 *
 *     path[slot / 64][tree][slot % 64]   a row's leaves; one tree's over a block are 64 bytes, and rows replayed
 *     together
 *                                        share cache lines
 *
 * Flat, without pointers, zeroed on arrival: [ AnbEnsemble | leaf | before | cuts | unsettled | output | target | path
 * ].
 */
#ifndef ANB_PARTS_ENSEMBLE_H
#define ANB_PARTS_ENSEMBLE_H

#include "cuts.h"

enum { ANB_REPLAYED = 4 /* neighbouring rows that are replayed at a time */ };

typedef struct AnbEnsembleRoom {
    size_t rows;     /* of the ring, a multiple of 64 */
    size_t trees;
    size_t features; /* of a row: cuts name 0 to 2 features - 1 */
    unsigned depth;  /* 1 to 8 */
} AnbEnsembleRoom;

typedef struct AnbLeaf {
    double slow; /* fitted, then moved by every error */
    double fast; /* follows the last errors only */
} AnbLeaf;

typedef struct AnbEnsemble {
    uint32_t grown;  /* trees so far: 0 to the room's */
    uint32_t oldest; /* the next to be replaced once all are grown */
    uint32_t last;   /* the one swapped in last */
    uint32_t unused;
} AnbEnsemble;

typedef struct AnbEnsembleView {
    AnbEnsemble *head;
    AnbLeaf *leaf;           /* trees x leaves */
    double *before;          /* leaf values of the tree that was replaced last */
    double *output, *target; /* of the rows */
    AnbCut *cuts;            /* padded trees x leaves */
    uint8_t *unsettled;      /* of each block: 1 until it is settled */
    uint8_t *path;
    size_t leaves;           /* of a tree */
    AnbEnsembleRoom room;
} AnbEnsembleView;

size_t anb_ensemble_bytes(AnbEnsembleRoom room);
AnbEnsembleView anb_ensemble_view(AnbEnsembleRoom room, void *memory);

/* The sums of the values in the leaves of one row (anb_cuts_descend). */
void anb_ensemble_sum(const AnbEnsembleView *view, const uint8_t *leaf, AnbLeaf *sum);

/* slow += `slow`, fast = keep * fast + `fast` in the leaves of one row. */
void anb_ensemble_move(const AnbEnsembleView *view, const uint8_t *leaf, double slow, double keep, double fast);

/* Puts a row with its leaves into a slot whose block is settled. */
void anb_ensemble_keep(const AnbEnsembleView *view, size_t slot, const uint8_t *leaf, double target, double output);

/* A step for each of four rows from `slot`, a multiple of 4, in a settled block: slow += rate * (target - base -
 * output) in its leaves, its output made anew first. */
void anb_ensemble_replay(const AnbEnsembleView *view, size_t slot, double base, double rate);

/* The tree that the next swap replaces: a new one while there is room, then the oldest. */
static inline uint32_t anb_ensemble_next(const AnbEnsembleView *view)
{
    return view->head->grown < view->room.trees ? view->head->grown : view->head->oldest;
}

/* What the next tree should say of 64 rows: `rate` times what all trees leave of their targets less `base`, plus
 * `inherit` times what the tree says that it will replace. */
void anb_ensemble_aim(const AnbEnsembleView *view, size_t block, double base, double rate, double inherit, double *aim);

/* Puts in a tree: its cuts, with thresholds, and its leaves' values (those not finite count as 0). `blocks` of the ring
 * are in use. */
void anb_ensemble_swap(const AnbEnsembleView *view, const AnbCut *cuts, const double *value, size_t blocks);

static inline bool anb_ensemble_unsettled(const AnbEnsembleView *view, size_t block)
{
    return view->unsettled[block];
}

/* Settles a block; `codes` are its rows' codes: column f's at f * 64. */
void anb_ensemble_settle(const AnbEnsembleView *view, size_t block, const uint8_t *codes);

/* `rows` of the ring are in use. */
void anb_ensemble_visit(const AnbEnsembleView *view, size_t rows, AnbVisitor *visitor);
/* Whether a state that was read from a file can be gone on with. */
bool anb_ensemble_valid(const AnbEnsembleView *view, size_t rows);

#endif
