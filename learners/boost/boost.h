/*
 * Boosted trees over a window of rows. One tree is always under construction, a slice of the work at each sample.
 *
 *     idle: remake bins if due, else mark -> gather the sample -> grow -> swap the tree in -> settle the ring, 64 rows
 *     at a time
 *
 * The sample is 3/4 of the live rows and 4/5 of the columns, the arrival index being one more column; its targets are
 * those of anb_boosted_trees_aim. Between slices rows may arrive, leaf values may change, and the whole state may be
 * copied.
 *
 * Flat, without pointers, zeroed at first: [ AnbBoost | importance | column | ensemble | window | grower ].
 */
#ifndef ANB_LEARNERS_BOOST_BOOST_H
#define ANB_LEARNERS_BOOST_BOOST_H

#include "boosted_trees.h"
#include "tree_builder.h"
#include "src/numeric/random.h"
#include "window.h"

enum {
    ANB_BOOST_FEATURES = 32766, /* at most: cuts number them, and the arrival index, twice in 16 bits */
    ANB_BOOST_COLUMNS = 64      /* of one tree, at most */
};

typedef struct AnbBoostRoom {
    size_t rows;     /* of the window: a multiple of 64, up to 65,536 */
    size_t features; /* up to ANB_BOOST_FEATURES */
    size_t trees;
    unsigned depth; /* 1 to 8 */
} AnbBoostRoom;

typedef enum AnbBoostPhase { ANB_BOOST_IDLE, ANB_BOOST_GATHER, ANB_BOOST_GROW, ANB_BOOST_SETTLE } AnbBoostPhase;

typedef struct AnbBoost {
    AnbRandom random;
    uint64_t origin; /* subtracted from arrival indices, which are floats to the cuts */
    uint32_t phase;  /* AnbBoostPhase */
    uint32_t cursor; /* blocks done in the phase */
} AnbBoost;

typedef struct AnbBoostView {
    AnbBoost *head;
    double *importance; /* of each feature: split gains, faded by 0.99 a tree */
    uint16_t *column;   /* a permutation of features + 1; the first `columns` are the fit's */
    size_t columns;
    AnbBoostedTreesView trees;
    AnbWindowView window;
    AnbTreeBuilderView grow;
    size_t bytes;
    AnbBoostRoom room;
} AnbBoostView;

/* How trees are fitted. */
typedef struct AnbBoostRule {
    AnbBoostAim aim;
    double ridge; /* added to the counts of nodes */
    uint32_t min_rows;
} AnbBoostRule;

/* Fills the view: it is too large to be returned and copied with each sample. Memory NULL: for `bytes` only. */
void anb_boost_view(AnbBoostRoom room, void *memory, AnbBoostView *view);
void anb_boost_init(const AnbBoostView *view, uint64_t seed);

/* Writes the row for the cuts: 2 (features + 1) floats, the last feature being the row's arrival index. */
void anb_boost_row(const AnbBoostView *view, const double *raw, float *row);

/* The same for up to ANB_ROWS rows, as columns of ANB_CUTS_ROWS cells; missing rows repeat the first one. */
void anb_boost_rows(const AnbBoostView *view, const AnbRows *rows, float *columns);

/* Stores a row that anb_boost_row made (its missing cells become NaN) with its leaves; returns the cost of settling. */
uint32_t anb_boost_keep(const AnbBoostView *view, float *row, const uint8_t *leaf, double target, double output);

/* Settles the block of a slot, so that it can be read between slices; returns the cost. */
uint32_t anb_boost_settle(const AnbBoostView *view, size_t slot);

/* Does the next slice of work: up to about 1,600 units of half a nanosecond. There has to be a live row. Returns its
 * cost, > 0. */
uint32_t anb_boost_slice(const AnbBoostView *view, const AnbBoostRule *rule);

void anb_boost_visit(const AnbBoostView *view, AnbVisitor *visitor);
/* Whether a state from a file is valid, so that learning can continue. */
bool anb_boost_valid(const AnbBoostView *view);

#endif
