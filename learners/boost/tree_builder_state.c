/* Saving and checking a tree under construction: see tree_builder.h. */
#include "tree_builder.h"

static const AnbField node_fields[] = {{ANB_MEMBER(AnbTreeBuilderNode, total)}, {ANB_MEMBER(AnbTreeBuilderNode, heap)},
                                       {ANB_MEMBER(AnbTreeBuilderNode, begin)}, {ANB_MEMBER(AnbTreeBuilderNode, end)},
                                       {ANB_MEMBER(AnbTreeBuilderNode, level)}, {0}};

static const AnbField cut_fields[] = {{ANB_MEMBER(AnbPackedCut, gain)},         {ANB_MEMBER(AnbPackedCut, left)},
                                      {ANB_MEMBER(AnbPackedCut, column)},       {ANB_MEMBER(AnbPackedCut, code)},
                                      {ANB_MEMBER(AnbPackedCut, missing_left)}, {0}};

static const AnbField head_fields[] = {{ANB_MEMBER(AnbTreeBuilder, largest)},
                                       {ANB_MEMBER(AnbTreeBuilder, unit)},
                                       {ANB_MEMBER(AnbTreeBuilder, ridge)},
                                       {ANB_INNER(AnbTreeBuilder, best, AnbPackedCut, cut_fields)},
                                       {ANB_MEMBER(AnbTreeBuilder, n_waiting)},
                                       {ANB_MEMBER(AnbTreeBuilder, phase)},
                                       {ANB_MEMBER(AnbTreeBuilder, rows)},
                                       {ANB_MEMBER(AnbTreeBuilder, columns)},
                                       {ANB_MEMBER(AnbTreeBuilder, min_rows)},
                                       {ANB_MEMBER(AnbTreeBuilder, cursor)},
                                       {ANB_MEMBER(AnbTreeBuilder, n_left)},
                                       {ANB_MEMBER(AnbTreeBuilder, n_right)},
                                       {ANB_MEMBER(AnbTreeBuilder, n_beside), .since = 4},
                                       {ANB_MEMBER(AnbTreeBuilder, code), .since = 4},
                                       {0}};

/* Before version 4 no cut was refined: there were two phases fewer. */
static uint32_t phase_of_older(uint32_t phase)
{
    const uint32_t more = ANB_BUILD_SUBTRACT - ANB_BUILD_REFINE;
    return phase <= ANB_BUILD_DIVIDE ? phase : phase <= ANB_BUILD_DONE - more ? phase + more : UINT32_MAX;
}

static void visit_head(AnbTreeBuilder *h, AnbTreeBuilderRoom room, AnbVisitor *visitor)
{
    anb_struct_visit(head_fields, h, visitor);
    if (!anb_visits_since(visitor, 4))
        h->phase = phase_of_older(h->phase);
    if (!visitor->value) {
        h->n_waiting = h->n_waiting < ANB_CUTS_DEPTH ? h->n_waiting : ANB_CUTS_DEPTH;
        h->rows = h->rows < room.rows ? h->rows : (uint32_t)room.rows;
        h->columns = h->columns < room.columns ? h->columns : (uint32_t)room.columns;
    }
    anb_struct_visit(node_fields, &h->node, visitor);
    for (uint32_t i = 0; i < h->n_waiting; i++)
        anb_struct_visit(node_fields, &h->waiting[i], visitor);
}

static void visit_histogram(const AnbTreeBuilderView *v, uint32_t level, AnbVisitor *visitor)
{
    if (level < v->room.depth)
        anb_visit(visitor, "histogram", anb_tree_builder_histogram(v, level), ANB_U64,
                  (size_t)v->head->columns * ANB_CODES);
}

/* Whether rows that are divided are in `spare`. */
static bool divides(const AnbTreeBuilder *h)
{
    return h->phase >= ANB_BUILD_DIVIDE && h->phase <= ANB_BUILD_SHARE;
}

/* Whether all were, and some are aside. */
static bool aside(const AnbTreeBuilder *h)
{
    return h->phase == ANB_BUILD_REFINE || h->phase == ANB_BUILD_SHARE;
}

static uint32_t at_most(uint32_t n, uint32_t most)
{
    return n < most ? n : most;
}

/* Visits only what will be read again, so that a copy made from these fields and the original stay equal. */
void anb_tree_builder_visit(const AnbTreeBuilderView *v, AnbVisitor *visitor)
{
    AnbTreeBuilder *h = v->head;
    const size_t nodes = (size_t)1 << v->room.depth;
    visit_head(h, v->room, visitor);
    anb_visit(visitor, "leaf", v->leaf, ANB_F64, nodes);
    anb_visit(visitor, "gain", v->gain, ANB_F64, h->columns);
    if (!anb_visits_since(visitor, 4) && h->phase == ANB_BUILD_DIVIDE && h->best.column < h->columns)
        v->gain[h->best.column] -=
            h->best.gain; /* older layouts added it before rows were divided; now it is added after */
    anb_cuts_visit(v->cuts, nodes, visitor);
    if (h->phase >= ANB_BUILD_DONE)
        return;
    anb_visit(visitor, "edges", v->edges, ANB_U8, h->columns);
    if (anb_visits_since(visitor, 4))
        anb_visit(visitor, "fine", v->fine, ANB_U8, h->columns);
    else
        memset(v->fine, 0, h->columns);
    if (h->phase == ANB_BUILD_REFINE)
        anb_visit(visitor, "beside_sums", h->beside, ANB_U64, 2 * ANB_FINE);
    anb_visit(visitor, "cells", v->cells, ANB_U64,
              h->rows); /* doubles or words: eight bytes that are kept as they are */
    anb_visit(visitor, "codes", v->codes, ANB_U8, h->rows * v->stride);
    if (!anb_visits_since(visitor, 4))
        anb_fine_codes(v->codes, h->rows * v->stride);
    anb_visit(visitor, "order", v->order, ANB_U16,
              h->phase < ANB_BUILD_PACK    ? 0
              : h->phase == ANB_BUILD_PACK ? at_most(h->cursor, h->rows)
                                           : h->rows);
    anb_visit(visitor, "spare", v->spare, ANB_U16, divides(h) ? at_most(h->n_right, h->rows) : 0);
    if (divides(h) && anb_visits_since(visitor, 4)) {
        const uint32_t n = at_most(h->n_beside, h->rows);
        anb_visit(visitor, "beside_rows", v->spare + h->rows - n, ANB_U16, n);
    }
    for (uint32_t i = 0; i < h->n_waiting; i++)
        visit_histogram(v, h->waiting[i].level, visitor);
    if (h->phase > ANB_BUILD_FILL || (h->phase == ANB_BUILD_FILL && h->cursor))
        visit_histogram(v, h->node.level, visitor);
}

static bool valid_node(const AnbTreeBuilderView *v, const AnbTreeBuilderNode *node)
{
    return node->heap >= 1 && node->heap < 1u << v->room.depth && node->level < v->room.depth &&
           node->level <= anb_tree_builder_level(node->heap) && node->begin <= node->end && node->end <= v->head->rows;
}

static bool all_below(const uint8_t *v, size_t n, unsigned bound)
{
    bool fine = true;
    for (size_t i = 0; i < n; i++)
        fine &= v[i] < bound;
    return fine;
}

static bool rows_below(const uint16_t *v, size_t n, uint32_t bound)
{
    bool fine = true;
    for (size_t i = 0; i < n; i++)
        fine &= v[i] < bound;
    return fine;
}

/* Whether the cut can be gone on with. */
static bool valid_cut(const AnbTreeBuilderView *v)
{
    const AnbTreeBuilder *h = v->head;
    const AnbPackedCut *best = &h->best;
    return best->column < h->columns && best->code <= v->edges[best->column] && best->missing_left <= 1 &&
           best->gain >= 0 && best->gain < (double)INFINITY && h->code < ANB_FINE_MISSING;
}

/* Each row that was looked at is on one side, or aside. */
static bool valid_division(const AnbTreeBuilder *h, uint32_t rows)
{
    const uint32_t seen = h->phase == ANB_BUILD_DIVIDE ? h->cursor : rows;
    const uint32_t shared = h->phase == ANB_BUILD_SHARE ? h->cursor : 0;
    return h->n_left <= rows && h->n_right <= rows && h->n_beside <= rows &&
           h->n_left + h->n_right + h->n_beside == seen + shared;
}

static bool valid_counts(const AnbTreeBuilderView *v)
{
    const AnbTreeBuilder *h = v->head;
    uint32_t rows = h->node.end - h->node.begin;
    uint32_t bound = h->phase == ANB_BUILD_PACK     ? h->rows
                     : h->phase == ANB_BUILD_SEARCH ? h->columns
                     : aside(h)                     ? h->n_beside
                                                    : rows;
    bool busy = h->phase > ANB_BUILD_ADDING && h->phase < ANB_BUILD_DONE;
    if (h->phase > ANB_BUILD_DONE || !(h->largest >= 0 && h->largest < (double)INFINITY) || h->unit - h->unit != 0)
        return false;
    if (busy && !(h->unit > 0))
        return false;
    if (h->phase == ANB_BUILD_ADDING && (h->cursor > 0 || h->n_waiting > 0))
        return false; /* anb_tree_builder_start goes on from none of either */
    if (h->phase == ANB_BUILD_ADDING && h->columns > 0 && (h->min_rows == 0 || !(h->ridge > 0)))
        return false;
    if (busy && (h->min_rows == 0 || !(h->ridge > 0) || h->columns == 0 || h->rows == 0))
        return false;
    if (busy && (!valid_node(v, &h->node) || h->cursor > bound))
        return false;
    return !divides(h) || (valid_division(h, rows) && valid_cut(v));
}

/* Each node that waits is deeper than the one below it, which bounds their number. */
static bool valid_waiting(const AnbTreeBuilderView *v)
{
    const AnbTreeBuilder *h = v->head;
    unsigned above = 0;
    for (uint32_t i = 0; i < h->n_waiting; i++) {
        unsigned level = anb_tree_builder_level(h->waiting[i].heap);
        if (!valid_node(v, &h->waiting[i]) || level <= above)
            return false;
        above = level;
    }
    bool sibling = h->phase == ANB_BUILD_SUBTRACT ||
                   (h->node.heap > 1 && (h->phase == ANB_BUILD_PACK || h->phase == ANB_BUILD_FILL));
    return sibling ? h->n_waiting > 0 && anb_tree_builder_level(h->node.heap) >= above : true;
}

bool anb_tree_builder_valid(const AnbTreeBuilderView *v)
{
    const AnbTreeBuilder *h = v->head;
    bool valid = valid_counts(v) && (h->phase == ANB_BUILD_ADDING || h->phase >= ANB_BUILD_DONE || valid_waiting(v));
    const size_t nodes = (size_t)1 << v->room.depth;
    valid = valid && anb_cuts_valid(v->cuts, nodes, v->room.columns);
    for (size_t i = 0; i < nodes; i++)
        valid &= v->leaf[i] - v->leaf[i] == 0;
    for (size_t k = 0; k < h->columns; k++)
        valid &= v->gain[k] >= 0 && v->gain[k] < (double)INFINITY;
    if (!valid || h->phase >= ANB_BUILD_DONE)
        return valid;
    size_t ordered = h->phase < ANB_BUILD_PACK ? 0 : h->phase == ANB_BUILD_PACK ? h->cursor : h->rows;
    const uint32_t right = divides(h) ? h->n_right : 0, beside = divides(h) ? h->n_beside : 0;
    return all_below(v->edges, h->columns, ANB_EDGES + 1) && all_below(v->fine, h->columns, 2) &&
           rows_below(v->order, ordered, h->rows) && rows_below(v->spare, right, h->rows) &&
           rows_below(v->spare + h->rows - beside, beside, h->rows);
}
