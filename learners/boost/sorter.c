/* Merge sort from the bottom up, in slices. */
#include "sorter.h"
#include "src/numeric/sort.h"
#include "src/numeric/fields.h"

enum { RUN = 8, SLICE = 256 };

void anb_sorter_start(AnbSorter *s, uint32_t n)
{
    s->n = n;
    s->run = s->cursor = s->from = 0;
}

/* Merges from[0 .. middle) and from[middle .. n), the first of equals first. */
static void merge(const double *from, uint32_t middle, uint32_t n, double *to)
{
    uint32_t a = 0, b = middle;
    for (uint32_t i = 0; i < n; i++) {
        bool first = b >= n || (a < middle && from[a] <= from[b]);
        to[i] = first ? from[a] : from[b];
        a += first;
        b += !first;
    }
}

static uint32_t at_most(uint32_t n, uint32_t most)
{
    return n < most ? n : most;
}

/* The next part of the pass: a run or a pair of runs. */
static void advance(AnbSorter *s)
{
    uint32_t left = s->n - s->cursor;
    if (s->run == 0) {
        anb_sort_few(s->buffer[0] + s->cursor, at_most(left, RUN));
        s->cursor += at_most(left, RUN);
    } else {
        merge(s->buffer[s->from] + s->cursor, at_most(left, s->run), at_most(left, 2 * s->run),
              s->buffer[!s->from] + s->cursor);
        s->cursor += at_most(left, 2 * s->run);
    }
}

uint32_t anb_sorter_slice(AnbSorter *s)
{
    uint32_t start = s->cursor;
    while (!anb_sorter_done(s) && s->cursor < s->n && s->cursor - start < SLICE)
        advance(s);
    uint32_t moved = s->cursor - start;
    if (s->cursor == s->n && !anb_sorter_done(s)) {
        s->from = s->run ? !s->from : s->from;
        s->run = s->run ? 2 * s->run : RUN;
        s->cursor = 0;
    }
    return moved;
}

static const AnbField members[] = {{ANB_MEMBER(AnbSorter, n)},
                                   {ANB_MEMBER(AnbSorter, run)},
                                   {ANB_MEMBER(AnbSorter, cursor)},
                                   {ANB_MEMBER(AnbSorter, from)},
                                   {0}};

void anb_sorter_visit(AnbSorter *s, AnbVisitor *visitor)
{
    anb_struct_visit(members, s, visitor);
    if (!visitor->value) {
        s->n = at_most(s->n, ANB_SORTER_MOST);
        s->cursor = at_most(s->cursor, s->n);
        s->from = s->from != 0;
    }
    anb_visit(visitor, "buffer", s->buffer[s->from], ANB_F64, s->n);
    if (s->run)
        anb_visit(visitor, "merged", s->buffer[!s->from], ANB_F64, s->cursor);
}

bool anb_sorter_valid(const AnbSorter *s)
{
    bool power = s->run == 0 || (s->run >= RUN && s->run <= ANB_SORTER_MOST && (s->run & (s->run - 1)) == 0);
    uint32_t step = s->run ? 2 * s->run : RUN;
    return power && s->n <= ANB_SORTER_MOST && s->cursor <= s->n && (s->cursor % step == 0 || s->cursor == s->n) &&
           s->from <= 1;
}
