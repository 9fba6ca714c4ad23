/* Internals of an explainer: explain.c keeps rows and explains, explain_sample.c predicts coalitions of columns. */
#ifndef ANB_OBSERVE_EXPLAIN_H
#define ANB_OBSERVE_EXPLAIN_H

#include "src/host/model.h"
#include "src/numeric/random.h"
#include <anabranch/explain.h>
#include <anabranch/moe.h>

enum { ANB_COUNTED = 4 /* columns that differ, up to which all coalitions are asked */ };

/* One prediction being explained. */
typedef struct AnbWalk {
    const StreamingLearner *model;
    AnbReader *reader;
    size_t d;
    int pairs;
    const double *x, *other; /* the row, and the kept row that it is compared with */
    double f, f_other;       /* their predictions */
    AnbRandom random;
    double *phi;             /* d sums over kept rows: of values */
    double *square, *fourth; /* likewise: of the variances of their means, of the squares of these variances */
    double *mixed;           /* d: the row of a coalition */
    double *asked;           /* ANB_ROWS of these, of which `waiting` are not predicted yet */
    double *said;            /* of the asked rows: anb_walk_said of them at most */
    size_t waiting, n_said;
    double *once, *sum; /* d: values by one pair of orders; their sum over the pairs */
    double *squares;    /* d: the sum of their squares */
    uint32_t *order;    /* d */
    uint64_t predictions;
    bool exact; /* nothing was sampled so far */
} AnbWalk;

/* Predictions for coalitions that are kept at a time: those of a pair of orders, or of all coalitions. */
static inline size_t anb_walk_said(size_t d)
{
    size_t counted = 1 << ANB_COUNTED;
    return 2 * d > counted ? 2 * d : counted;
}

/* The k-th of an order of n columns, in reverse or not. */
static inline uint32_t anb_order_at(const uint32_t *order, size_t n, bool back, size_t k)
{
    return order[back ? n - 1 - k : k];
}

/* Adds the values of x against `other` to walk->phi, and their variances to walk->square. */
void anb_walk_pair(AnbWalk *walk);

/* Rows kept out of a stream: the n-th with probability `rows` / min(n, span), in the place of one drawn at random. */
typedef struct AnbKept {
    double *row; /* capacity rows of `width` doubles */
    size_t width, capacity, used;
    double span;
    uint64_t seen;
    AnbRandom random;
} AnbKept;

/* The place for the next row, or NULL if it is not kept. */
double *anb_kept_place(AnbKept *kept);

#endif
