/*
 * The last rows of a stream: their values as floats, and codes of bins that are remade in slices.
 *
 * Bin edges are made from up to 1,024 rows of the ring: after 20, 40, 80 ... rows, and once the ring is full, each time
 * all its rows were replaced. Remaking goes feature by feature: gather, sort, edges, then recode the ring. Meanwhile
 * new rows are coded by the edges that their feature has at the time. Code that needs all codes to be by the same edges
 * waits for the end.
 *
 *     value[f][slot]                     feature by feature, missing cells NaN
 *     codes[slot / 64][f][slot % 64]     in blocks of 64 rows, what byte kernels read (cuts.h). The last column is the
 *                                        arrival index; its bins are equal steps through the ring as of the last
 *                                        anb_window_mark. It is coded block by block, when asked for
 *
 * Flat, without pointers, [ AnbWindow | AnbFineEdges[f] | value | codes ], zeroed at first.
 */
#ifndef ANB_LEARNERS_BOOST_WINDOW_H
#define ANB_LEARNERS_BOOST_WINDOW_H

#include "cuts.h"
#include "src/numeric/sorter.h"

typedef struct AnbWindowRoom {
    size_t rows; /* a multiple of 64, up to 65,536 */
    size_t features;
} AnbWindowRoom;

enum { ANB_WINDOW_SORTED = 1024 /* cells of a feature that its edges are made from, at most */ };

typedef enum AnbWindowPhase { ANB_WINDOW_IDLE, ANB_WINDOW_SORT, ANB_WINDOW_CODE } AnbWindowPhase;

typedef struct AnbWindow {
    uint64_t pushed;   /* rows ever: the next one goes to slot pushed % rows */
    uint64_t due;      /* rows seen when bins are remade next */
    uint64_t from;     /* rows before this index are dropped: still in the ring, but not used */
    uint64_t first;    /* at the last mark: index of the oldest row in use */
    uint64_t gap;      /* rows that share an arrival code; 0: never marked */
    uint32_t arrivals; /* edges between arrival codes: up to ANB_EDGES */
    uint32_t phase;    /* AnbWindowPhase */
    uint32_t feature;  /* that is being remade */
    uint32_t cursor;   /* slots coded again */
    AnbSorter sorter;
    double sorted[2][ANB_WINDOW_SORTED]; /* its buffers */
} AnbWindow;

typedef struct AnbWindowView {
    AnbWindow *head;
    AnbFineEdges *edges;
    float *value;
    uint8_t *codes;
    AnbWindowRoom room;
} AnbWindowView;

enum { ANB_WINDOW_FIRST = 20 }; /* rows seen when bins are first made */

/* Fills the view of a piece of memory, on a 64-byte boundary or NULL; returns the bytes that it takes. */
size_t anb_window_view(AnbWindowRoom room, void *memory, AnbWindowView *view);
void anb_window_init(const AnbWindowView *view);

/* Rows in the ring. */
static inline size_t anb_window_size(const AnbWindowView *view)
{
    return view->head->pushed < view->room.rows ? (size_t)view->head->pushed : view->room.rows;
}

/* Blocks of 64 slots in use. */
static inline size_t anb_window_blocks(const AnbWindowView *view)
{
    return (anb_window_size(view) + ANB_CUTS_BLOCK - 1) / ANB_CUTS_BLOCK;
}

/* The codes of 64 slots: column f's are 64 bytes at f * 64. */
static inline uint8_t *anb_window_block(const AnbWindowView *view, size_t block)
{
    return view->codes + block * (view->room.features + 1) * ANB_CUTS_BLOCK;
}

/* Rows in the ring that are not dropped. */
static inline size_t anb_window_live(const AnbWindowView *view)
{
    size_t size = anb_window_size(view), since = (size_t)(view->head->pushed - view->head->from);
    return since < size ? since : size;
}

/* Drops all rows but the last `keep`. */
static inline void anb_window_forget(const AnbWindowView *view, size_t keep)
{
    if (anb_window_live(view) > keep)
        view->head->from = view->head->pushed - keep;
}

/* Keeps a row: `features` floats, NaN = missing. Returns its slot. */
size_t anb_window_push(const AnbWindowView *view, const float *row);

/* Which of all rows ever pushed a slot holds. */
static inline uint64_t anb_window_index(const AnbWindowView *view, size_t slot)
{
    uint64_t last = view->head->pushed - 1, rows = view->room.rows;
    return last - (last % rows + rows - slot) % rows;
}

/* Whether bins have to be remade, or are being remade: then slices are due until this is false. */
static inline bool anb_window_due(const AnbWindowView *view)
{
    return view->head->phase != ANB_WINDOW_IDLE || view->head->pushed >= view->head->due;
}

/* Sets the arrival bins by the live rows that are in the ring now: one at least. */
void anb_window_mark(const AnbWindowView *view);

/* Codes the arrivals of a block by the last mark: rows that came since have the last code, dropped ones
 * ANB_FINE_MISSING. */
void anb_window_arrivals(const AnbWindowView *view, size_t block);

/* How many edges a histogram of a column has: of a feature, or of the arrivals (column `features`). */
static inline size_t anb_window_edges(const AnbWindowView *view, size_t column)
{
    return column < view->room.features ? anb_coarse(view->edges[column].count) : view->head->arrivals;
}

/* Whether codes of a column lie finer than its histogram's. */
static inline bool anb_window_fine(const AnbWindowView *view, size_t column)
{
    return column < view->room.features && view->edges[column].fine;
}

/* The float t for which "value > t" is "code > `code`"; of arrivals counted from `origin`, at most their first. */
float anb_window_threshold(const AnbWindowView *view, size_t column, size_t code, uint64_t origin);

/* A slice of the remaking: up to some 2,000 units of half a nanosecond. Returns its cost. */
uint32_t anb_window_slice(const AnbWindowView *view);

void anb_window_visit(const AnbWindowView *view, AnbVisitor *visitor);
/* Whether a state from a file is valid, so that learning can continue. */
bool anb_window_valid(const AnbWindowView *view);

#endif
