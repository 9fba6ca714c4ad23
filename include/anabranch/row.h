/*
 * The inputs of a node: one sample, several rows at once, or the two rows of a Shapley value.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_ROW_H
#define ANABRANCH_ROW_H

#include <anabranch/capability.h>
#include <anabranch/types.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What an update reports about its node. */
typedef struct AnbOutcome {
    bool restarted; /* the node was reset to its initial state */
} AnbOutcome;

/*
 * One sample as a node sees it. A wrapper such as `scale` passes its own `outcome` to its child: where the child
 * restarts, the wrapper counts as restarted. A mixture passes each expert an outcome of its own, or NULL: an expert
 * that restarts does not restart the mixture.
 */
struct AnbRow {
    const double *x;          /* n_features values, complete: standardised by a scale above, or as given */
    const double *raw;        /* n_features values as given, NaN = missing cell */
    const double *importance; /* n_features shares summing to 1, or NULL; 0: the feature is irrelevant (`sift`) */
    AnbCounters *counters;    /* the model's while it learns, the reader's in anb_predict_with, a thread's in a pool */
    AnbOutcome *outcome;      /* for update to fill; NULL: not asked for */
};

/**
 * Several rows. Row i starts at x + i * x_stride and at raw + i * raw_stride; the other members are as in AnbRow. Since
 * 0.3, as are the functions below.
 */
enum { ANB_ROWS = 32 };
struct AnbRows {
    const double *x, *raw;
    size_t n; /* 1 to ANB_ROWS; up to 8 ANB_ROWS for a type with ANB_ANY_ROWS, where it is the root */
    size_t x_stride, raw_stride;
    const double *importance;
    AnbCounters *counters;
};

/** How many doubles a type may take on the stack for rows that it makes, and how many rows of a width fit into them. */
enum { ANB_ROWS_ROOM = 1024 };
static inline size_t anb_rows_fit(size_t width)
{
    size_t rows = ANB_ROWS_ROOM / width;
    return rows < ANB_ROWS ? rows : (size_t)ANB_ROWS;
}

/** Row i. */
static inline AnbRow anb_rows_at(const AnbRows *rows, size_t i)
{
    AnbRow row = {rows->x + i * rows->x_stride, rows->raw + i * rows->raw_stride, rows->importance, rows->counters,
                  NULL};
    return row;
}

/** Rows first to first + n - 1, or to the last row; first <= rows->n. */
static inline AnbRows anb_rows_part(const AnbRows *rows, size_t first, size_t n)
{
    AnbRows part = *rows;
    part.x += first * rows->x_stride;
    part.raw += first * rows->raw_stride;
    part.n = n < rows->n - first ? n : rows->n - first;
    return part;
}

/** The two rows of a Shapley value, each with the scratch that predict left for it. */
struct AnbPair {
    AnbRow row, other;
    double *scratch, *other_scratch;
};

/** The result of AnbShapleyTable. */
struct AnbShapleySum {
    double *phi;      /* n_features sums that are added to */
    double low, high; /* bounds of the node's prediction over all coalitions, not multiplied by the share */
};

#ifdef __cplusplus
}
#endif
#endif
