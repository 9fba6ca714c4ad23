/*
 * Growing one regression tree of limited depth on a sample of coded rows, a slice of the work at a time.
 *
 * begin, add rows (codes of some columns, a target), start, then slice until it says that the tree is grown: `cuts` and
 * `leaf` hold it. A node is cut where that adds most to sum^2 / (count + ridge) of its sides, with min_rows on either;
 * a leaf's value is sum / (count + ridge).
 *
 * Depth first: of two children the smaller one's histogram is filled, the larger one's is what remains of the parent's,
 * in its place; so one histogram a level is enough.
 *
 *     pack -> fill -> search -> divide -> refine, share -> fill the smaller -> subtract -> search ... -> grown
 *
 * refine: the best cut between bins is replaced by the best edge within the two bins beside it. Their rows were put
 * aside; share gives each its side.
 *
 * All state is flat and seen by anb_tree_builder_visit, a half-grown tree included: it goes on with the same bits after
 * a copy.
 *
 *     [ AnbTreeBuilder | leaf[2^depth] | gain[columns] | cells[rows] | histogram[depth][columns][64] | cuts[2^depth] |
 *       order[rows] | spare[rows] | edges[columns] | fine[columns] | codes[rows][stride] ]
 */
#ifndef ANB_LEARNERS_BOOST_TREE_BUILDER_H
#define ANB_LEARNERS_BOOST_TREE_BUILDER_H

#include "cuts.h"
#include "packed.h"

/* The room of a grower: fixed when its memory is made. */
typedef struct AnbTreeBuilderRoom {
    size_t rows;    /* up to 65,536 */
    size_t columns; /* up to 65,535 */
    unsigned depth; /* 1 to 8 */
} AnbTreeBuilderRoom;

typedef enum AnbTreeBuilderPhase {
    ANB_BUILD_ADDING,
    ANB_BUILD_PACK,
    ANB_BUILD_FILL,
    ANB_BUILD_SEARCH,
    ANB_BUILD_DIVIDE,
    ANB_BUILD_REFINE,
    ANB_BUILD_SHARE,
    ANB_BUILD_SUBTRACT,
    ANB_BUILD_DONE
} AnbTreeBuilderPhase;

/* A node and the rows order[begin .. end) that reach it. */
typedef struct AnbTreeBuilderNode {
    AnbPacked total;
    uint32_t heap, begin, end, level; /* `level` of its histogram */
} AnbTreeBuilderNode;

typedef struct AnbTreeBuilder {
    double largest, unit; /* greatest |target|; what packed targets are divided by */
    double ridge;
    AnbPackedCut best;       /* the cut; its code is the histogram's */
    AnbTreeBuilderNode node; /* that is filled, searched or divided */
    AnbTreeBuilderNode waiting[ANB_CUTS_DEPTH + 1];
    uint32_t n_waiting;
    uint32_t phase;         /* AnbTreeBuilderPhase */
    uint32_t rows, columns; /* in use */
    uint32_t min_rows;
    uint32_t cursor;                    /* in the phase: rows or columns done */
    uint32_t n_left, n_right, n_beside; /* rows of a division so far */
    uint32_t code;                      /* of the cut, by fine codes */
    AnbPacked beside[2 * ANB_FINE];     /* of the fine codes in the two bins beside the best cut, so far */
} AnbTreeBuilder;

/* Where everything lies. */
typedef struct AnbTreeBuilderView {
    AnbTreeBuilder *head;
    double *leaf, *gain, *cells;
    AnbPacked *histogram;
    AnbCut *cuts; /* features are columns, or columns + the room's where missing cells go left; no thresholds */
    uint16_t *order, *spare;
    uint8_t *edges; /* of each column's histogram */
    uint8_t *fine;  /* of each column: 1 where its codes lie finer than its histogram's */
    uint8_t *codes;
    size_t stride;
    AnbTreeBuilderRoom room;
} AnbTreeBuilderView;

/* Fills the view of a piece of memory, on a 64-byte boundary or NULL; returns the bytes that it takes. */
size_t anb_tree_builder_view(AnbTreeBuilderRoom room, void *memory, AnbTreeBuilderView *view);

static inline AnbPacked *anb_tree_builder_histogram(const AnbTreeBuilderView *view, uint32_t level)
{
    return view->histogram + level * view->room.columns * ANB_CODES;
}

/* The level of a node; that of the root is 0. */
static inline unsigned anb_tree_builder_level(uint32_t heap)
{
    unsigned level = 0;
    while (heap >>= 1)
        level++;
    return level;
}

/* A new tree on `columns` columns, whose histograms' edges are in view->edges (up to 62 each), and in
 * view->fine whether there are finer ones; no rows yet. */
void anb_tree_builder_begin(const AnbTreeBuilderView *view, size_t columns, double ridge, uint32_t min_rows);

/* Room for one more row: its codes go where this points, its target is finite. */
static inline uint8_t *anb_tree_builder_add(const AnbTreeBuilderView *view, double target)
{
    AnbTreeBuilder *head = view->head;
    double size = target < 0 ? -target : target;
    view->cells[head->rows] = target;
    if (size > head->largest)
        head->largest = size;
    return view->codes + head->rows++ * view->stride;
}

/* All rows are there: one at least. */
void anb_tree_builder_start(const AnbTreeBuilderView *view);

/**
 * Does a slice of the work: up to some 1,600 units.
 *
 * @return  what it cost, in half nanoseconds; ask head->phase for ANB_BUILD_DONE
 */
uint32_t anb_tree_builder_slice(const AnbTreeBuilderView *view);

void anb_tree_builder_visit(const AnbTreeBuilderView *view, AnbVisitor *visitor);
/* Whether a state from a file is valid, so that learning can continue. */
bool anb_tree_builder_valid(const AnbTreeBuilderView *view);

#endif
