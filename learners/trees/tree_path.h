/*
 * Interventional Shapley values of a tree between two rows, leaf by leaf (Lundberg et al. 2020).
 *
 * On the path to a leaf, let A be the columns whose cells in the explained row lead there while those of the other row
 * do not, and B the columns for which it is the other way round. A coalition of columns taken from the explained row
 * reaches the leaf if it holds all of A and none of B. With a = |A| and b = |B|, the leaf's value v adds
 *
 *     (a - 1)! b! / (a + b)! v        to each column of A
 *     - a! (b - 1)! / (a + b)! v      to each column of B
 */
#ifndef ANB_LEARNERS_TREES_TREE_PATH_H
#define ANB_LEARNERS_TREES_TREE_PATH_H

#include <stdbool.h>
#include <stddef.h>

enum { ANB_PATH_MOST = 64 /* columns on one way down */ };

/* The columns on the path at which the two rows go different ways. Starts zeroed. */
typedef struct AnbTreePath {
    size_t n, a; /* columns; those of A */
    size_t column[ANB_PATH_MOST];
    bool own[ANB_PATH_MOST]; /* of A */
} AnbTreePath;

/* Where a column stands on the path; n: nowhere. */
static inline size_t anb_path_find(const AnbTreePath *path, size_t column)
{
    size_t i = 0;
    while (i < path->n && path->column[i] != column)
        i++;
    return i;
}

static inline void anb_path_push(AnbTreePath *path, size_t column, bool own)
{
    path->column[path->n] = column;
    path->own[path->n++] = own;
    path->a += own;
}

static inline void anb_path_pop(AnbTreePath *path)
{
    path->a -= path->own[--path->n];
}

/* a! b! / (a + b + 1)! */
static inline double anb_path_weight(size_t a, size_t b)
{
    double w = 1 / (double)(a + b + 1);
    for (size_t k = 1; k <= b; k++)
        w = w * (double)k / (double)(a + k);
    return w;
}

/**
 * Adds the contributions of a leaf at the end of the path to the path's columns.
 *
 * @param constant  the leaf's value with every column off the path as in the other row
 * @param rest      its change where these are as in the explained row; the caller adds each column's part of it, times
 *                  anb_path_weight(a, n - a)
 */
static inline void anb_path_leaf(const AnbTreePath *path, double constant, double rest, double *phi)
{
    size_t a = path->a, b = path->n - a;
    double mine = a ? constant * anb_path_weight(a - 1, b) + rest * anb_path_weight(a, b) : 0;
    double other = b ? constant * anb_path_weight(a, b - 1) + rest * anb_path_weight(a + 1, b - 1) : 0;
    for (size_t i = 0; i < path->n; i++)
        phi[path->column[i]] += path->own[i] ? mine : -other;
}

#endif
