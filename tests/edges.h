/* Edges of bins from a sample, at once. */
#ifndef TESTS_EDGES_H
#define TESTS_EDGES_H

#include "learners/trees/bins.h"
#include "src/numeric/sort.h"

/* Makes the edges from n values, which it sorts. */
static inline void make_edges_of(AnbEdges *edges, double *sample, size_t n)
{
    anb_sort(sample, n);
    anb_edges_init(edges);
    anb_edges_more(edges, sample, n, ANB_EDGES, ANB_CODES);
}

#endif
