/* Edges of codes of eight bits: see fine_codes.h. */
#include "cuts.h"

static void finish(AnbFineEdges *edges)
{
    for (size_t i = edges->count; i < ANB_FINE_BLOCK * ANB_FINE_BLOCK; i++)
        edges->edge[i] = INFINITY;
    for (size_t i = 0; i < ANB_FINE_BLOCK; i++)
        edges->coarse[i] = edges->edge[ANB_FINE_BLOCK * i + ANB_FINE_BLOCK - 1];
    edges->fine = 0;
    for (size_t i = 0; i < edges->count; i++)
        edges->fine |= edges->edge[i] < edges->edge[i / ANB_FINE * ANB_FINE + ANB_FINE - 1];
}

void anb_fine_edges_init(AnbFineEdges *edges)
{
    edges->count = 0;
    finish(edges);
}

/* Puts n edges into one group of four for each bin but the last: up to three within the bin, then the one that ends it.
 * Where a bin has fewer than three, the first edge of its group is repeated. Behind them are up to three edges within
 * the last bin. */
static void spread(AnbFineEdges *edges, const double *edge, size_t n)
{
    const size_t groups = n < ANB_EDGES ? n : ANB_EDGES, more = n - groups;
    const size_t each = more / (groups + 1), rest = more % (groups + 1);
    size_t at = 0, left = 0; /* left: the remainder of g * more by groups + 1 */
    edges->count = 0;
    for (size_t g = 0; g <= groups; g++) {
        left += rest;
        const bool one_more = left > groups;
        left -= one_more ? groups + 1 : 0;
        size_t own = each + one_more + (g < groups);
        for (size_t i = own; g < groups && i < ANB_FINE; i++)
            edges->edge[edges->count++] = anb_cuts_threshold(edge[at]);
        for (size_t i = 0; i < own; i++)
            edges->edge[edges->count++] = anb_cuts_threshold(edge[at++]);
    }
    finish(edges);
}

void anb_fine_edges_make(AnbFineEdges *edges, const double *sorted, size_t n, size_t most)
{
    double edge[ANB_FINE_EDGES];
    spread(edges, edge, anb_quantile_edges(edge, sorted, n, most < ANB_FINE_EDGES ? most : ANB_FINE_EDGES));
}

/* Edges of six-bit codes. */
static void read_older(AnbFineEdges *edges, AnbVisitor *visitor)
{
    AnbEdges older;
    anb_edges_init(&older);
    anb_edges_visit(&older, visitor);
    spread(edges, older.edge, (size_t)older.count);
}

void anb_fine_edges_visit(AnbFineEdges *edges, AnbVisitor *visitor)
{
    if (!anb_visits_since(visitor, 4)) {
        read_older(edges, visitor);
        return;
    }
    anb_visit(visitor, "count", &edges->count, ANB_U32, 1);
    if (edges->count > ANB_FINE_EDGES)
        edges->count = ANB_FINE_EDGES;
    anb_visit(visitor, "edge", edges->edge, ANB_F32, edges->count);
    if (!visitor->value)
        finish(edges);
}
