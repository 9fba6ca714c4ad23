/*
 * Trees of random cuts over a window of rows: built in slices, and grown by each row that arrives later.
 *
 *     at a node with rows R: draw `cuts` pairs (feature, threshold half way between the values of two rows of R)
 *     where shares of the features are known, one of share s stays with probability d s + .1, else another is drawn,
 *       up to three times
 *     take the pair with the largest  SL^2 / WL + SR^2 / WR      S, W: sums of w (y - mean) and of w on its two sides
 *     a node with fewer than 2 `leaf` rows, or that no pair divides, predicts their mean
 *
 * Thresholds come from the rows, so the scale of a feature does not matter. A missing cell falls on the side that the
 * pair draws for it; of a missing and a present value the threshold is infinite. The row's arrival number may be one
 * more feature. Building costs about rows * log2(rows / leaf) * cuts units of work, in slices of a given number of
 * them.
 *
 * A leaf has a list of its rows, from the newest to the oldest: its head is in the leaf, the rest in `older` by the
 * row's slot. A new row is added to its leaf, which splits by the same rule once it holds 2 `leaf` rows. Rows are
 * identified by their arrival number modulo 2^32; a row that has left the window ends its list, since all behind it are
 * older.
 *
 * Geurts, Ernst & Wehenkel 2006 (extremely randomised trees).
 */
#ifndef ANB_TREES_RANDOM_TREE_H
#define ANB_TREES_RANDOM_TREE_H

#include "src/numeric/random.h"
#include <anabranch/type.h>

#define ANB_RANDOM_FLIP 0x80000000u /* the highest bit of a node's feature */

enum { ANB_RANDOM_CUTS = 16, ANB_RANDOM_STACK = 40, ANB_RANDOM_LEAF = 16 };

/* A view of the window: the row with arrival number i is in slot i modulo the capacity. */
typedef struct AnbRandomRows {
    const float *x;           /* capacity rows of d values; NaN: missing */
    const double *y;          /* capacity targets */
    const float *weight;      /* capacity weights > 0 */
    size_t d, capacity;       /* capacity: a power of two */
    uint64_t pushed;          /* rows so far */
    const double *importance; /* shares of the d features that add up to 1, or NULL: unknown */
} AnbRandomRows;

typedef struct AnbRandomRule {
    uint32_t leaf, cuts; /* rows in a leaf at least; pairs drawn at a node */
    bool time;           /* whether the arrival number is a feature */
} AnbRandomRule;

/* An inner node where `left` is not 0, else a leaf. */
typedef struct AnbRandomNode {
    double value;     /* threshold; of a leaf its mean */
    float weight;     /* of a leaf */
    uint32_t left;    /* the right child is the next one */
    uint32_t feature; /* d: the arrival; with ANB_RANDOM_FLIP what is below goes right */
    uint32_t newest;  /* of a leaf: the arrival of its newest row */
} AnbRandomNode;

/* Whether a value goes left at a node with this threshold and feature. */
static inline bool anb_random_left(double value, double threshold, uint32_t feature)
{
    return (value < threshold) != ((feature & ANB_RANDOM_FLIP) != 0);
}

/* One tree's memory: a header, then nodes, then `older`. */
typedef struct AnbRandomTree {
    uint64_t nodes, capacity; /* in use; in all */
    AnbRandomNode *node;
    uint32_t *older; /* of the row in a slot: the arrival of the next older one in its leaf */
} AnbRandomTree;

typedef struct AnbRandomSegment {
    double mean;         /* of its targets, nearly: sums are about it */
    uint32_t begin, end; /* of the builder's order of rows */
    uint32_t node, unused;
} AnbRandomSegment;

typedef struct AnbRandomCut {
    double threshold, sum, weight; /* sum and weight of the left side */
    uint32_t feature, rows;        /* with the bit of AnbRandomNode; rows on the left side */
} AnbRandomCut;

/* The cuts that a node tries. */
typedef struct AnbRandomTrial {
    double mean, sum, weight; /* of all rows: what sums are about, sum of w (y - mean), sum of w */
    AnbRandomCut cut[ANB_RANDOM_CUTS];
} AnbRandomTrial;

typedef enum AnbRandomPhase {
    ANB_RANDOM_IDLE,
    ANB_RANDOM_FILL,    /* writes the order of the rows */
    ANB_RANDOM_NEXT,    /* takes the next segment */
    ANB_RANDOM_SCORE,   /* sums over its rows for every cut drawn */
    ANB_RANDOM_SPLIT,   /* parts its rows by the best cut */
    ANB_RANDOM_CATCH_UP /* the rows that arrived meanwhile join */
} AnbRandomPhase;

/* A tree under construction; lies in a block. */
typedef struct AnbRandomBuilder {
    uint64_t phase, rows, depth; /* rows of the tree; segments on the stack */
    uint64_t at, boundary, best; /* row of the pass; end of the left side; the cut that was chosen */
    uint64_t next;               /* arrival of the next row to join */
    AnbRandomTrial trial;        /* of the segment at work */
    AnbRandomSegment segment[ANB_RANDOM_STACK];
} AnbRandomBuilder;

extern const AnbField anb_random_builder_fields[];

/* Nodes that a tree over so many rows may need, with room to grow. */
static inline size_t anb_random_tree_nodes(size_t rows, size_t leaf)
{
    return 3 * (rows / leaf + 2);
}

/* Starts a tree over the newest seven eighths of the window, so that none of its rows is overwritten before an eighth
 * of the window has arrived; `mean` is about that of their targets. */
void anb_random_tree_begin(AnbRandomBuilder *b, AnbRandomTree *tree, const AnbRandomRows *rows, double mean);

/**
 * Continues the tree under construction.
 *
 * @param b       the builder, begun
 * @param order   rows.capacity indices, the builder's own
 * @param budget  units of work; a slice uses at most a few hundred more
 * @return        whether the tree is finished
 */
bool anb_random_tree_slice(AnbRandomBuilder *b, AnbRandomTree *tree, const AnbRandomRows *rows,
                           const AnbRandomRule *rule, uint32_t *order, double budget, AnbRandom *random);

enum { ANB_RANDOM_ABREAST = 8 };

/* The leaves of a row in up to ANB_RANDOM_ABREAST trees, which are walked side by side so that their waits for memory
 * overlap. x: d values and the arrival number. */
void anb_random_tree_leaves(const AnbRandomTree *tree, size_t trees, const float *x, uint32_t *leaf);

/* The means of the leaves that up to ANB_ROWS rows, `stride` apart, reach in one tree are added to `sum`. */
void anb_random_tree_add(const AnbRandomTree *tree, const float *x, size_t stride, size_t rows, double *sum);

/* Adds the row with number `arrival`, newer than all rows of the tree, to the leaf that it reaches. */
void anb_random_tree_join(AnbRandomTree *tree, size_t leaf, const AnbRandomRows *rows, uint32_t arrival,
                          const AnbRandomRule *rule, AnbRandom *random);

/* Whether a tree and a builder from a file are valid. */
bool anb_random_tree_valid(const AnbRandomTree *tree, size_t d);
bool anb_random_builder_valid(const AnbRandomBuilder *b, const uint32_t *order, const AnbRandomTree *tree,
                              const AnbRandomRows *rows, const AnbRandomRule *rule);

#endif
