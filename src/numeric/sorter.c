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

static uint32_t at_most(uint32_t n, uint32_t most)
{
    return n < most ? n : most;
}

/* How many of the first `done` numbers of a merge come from its first run: the first of equals comes first. */
static uint32_t taken_of_first(const double *from, uint32_t middle, uint32_t n, uint32_t done)
{
    uint32_t low = done > n - middle ? done - (n - middle) : 0, high = at_most(done, middle);
    while (low < high) {
        uint32_t a = low + (high - low) / 2, b = done - a;
        if (b > 0 && from[a] <= from[middle + b - 1])
            low = a + 1;
        else
            high = a;
    }
    return low;
}

/* Where a merge stands in its two runs. */
typedef struct Front {
    uint32_t a, b;
} Front;

static Front front_of(const double *from, uint32_t middle, uint32_t n, uint32_t done)
{
    uint32_t a = taken_of_first(from, middle, n, done);
    return (Front){a, middle + done - a};
}

static inline double next_of(const double *from, Front *at)
{
    double x = from[at->a], y = from[at->b];
    bool first = x <= y;
    at->a += first;
    at->b += !first;
    return first ? x : y;
}

static void merge_part(const double *from, uint32_t middle, uint32_t n, uint32_t done, uint32_t end, double *to)
{
    Front at = front_of(from, middle, n, done);
    for (; done < end && at.a < middle && at.b < n; done++)
        to[done] = next_of(from, &at);
    memcpy(to + done, from + (at.a < middle ? at.a : at.b), (end - done) * sizeof *to);
}

/* Two runs of one length, from both ends: neither comes to an end on the way, and two numbers are found at a time. */
static void merge_even(const double *from, uint32_t run, double *to)
{
    Front low = {0, run}, high = {run - 1, 2 * run - 1};
    for (uint32_t i = 0; i < run; i++) {
        to[i] = next_of(from, &low);
        double x = from[high.a], y = from[high.b];
        bool second = x <= y;
        to[2 * run - 1 - i] = second ? y : x;
        high.b -= second;
        high.a -= !second;
    }
}

/* The numbers `done` to `end` of the merge of from[0 .. middle) and from[middle .. n). */
static void merge(const double *from, uint32_t middle, uint32_t n, uint32_t done, uint32_t end, double *to)
{
    uint32_t half = (end - done) / 2, second = done + half;
    if (done == 0 && end == n && n == 2 * middle) {
        merge_even(from, middle, to);
        return;
    }
    Front at = front_of(from, middle, n, done), next = front_of(from, middle, n, second);
    while (half > 0 && next.a < middle && next.b < n && second < end) {
        to[done++] = next_of(from, &at);
        to[second++] = next_of(from, &next);
        half--;
    }
    merge_part(from, middle, n, done, done + half, to);
    merge_part(from, middle, n, second, end, to);
}

/* Two runs side by side. */
typedef double Two __attribute__((vector_size(16)));
typedef int64_t TwoBits __attribute__((vector_size(16)));

static inline void order(Two *v, int a, int b)
{
    Two x = v[a], y = v[b];
    TwoBits turn = y < x, mixed = ((TwoBits)x ^ (TwoBits)y) & turn;
    v[a] = (Two)((TwoBits)x ^ mixed);
    v[b] = (Two)((TwoBits)y ^ mixed);
}

/* Two runs by Batcher's network: no branch waits for a comparison. */
static void sort_two_runs(double *v)
{
    Two w[RUN];
    for (int i = 0; i < RUN; i++)
        w[i] = (Two){v[i], v[i + RUN]};
    order(w, 0, 1), order(w, 2, 3), order(w, 4, 5), order(w, 6, 7);
    order(w, 0, 2), order(w, 1, 3), order(w, 4, 6), order(w, 5, 7);
    order(w, 1, 2), order(w, 5, 6), order(w, 0, 4), order(w, 1, 5);
    order(w, 2, 6), order(w, 3, 7), order(w, 2, 4), order(w, 3, 5);
    order(w, 1, 2), order(w, 3, 4), order(w, 5, 6);
    for (int i = 0; i < RUN; i++) {
        v[i] = w[i][0];
        v[i + RUN] = w[i][1];
    }
}

/* The next part of the pass: two runs, or one, or what is left of a pair of runs, `most` numbers of it at most. */
static void advance(AnbSorter *s, const AnbSorterRoom *room, uint32_t most)
{
    double *from = anb_sorter_buffer(room, s->from);
    if (s->run == 0) {
        uint32_t left = s->n - s->cursor, n = left >= 2 * RUN ? 2 * RUN : at_most(left, RUN);
        if (n == 2 * RUN)
            sort_two_runs(from + s->cursor);
        else
            anb_sort_few(from + s->cursor, n);
        s->cursor += n;
        return;
    }
    uint32_t pair = s->cursor / (2 * s->run) * (2 * s->run), n = at_most(s->n - pair, 2 * s->run);
    uint32_t done = s->cursor - pair, end = done + at_most(n - done, most);
    merge(from + pair, at_most(n, s->run), n, done, end, anb_sorter_buffer(room, !s->from) + pair);
    s->cursor = pair + end;
}

uint32_t anb_sorter_slice(AnbSorter *s, const AnbSorterRoom *room, uint32_t most)
{
    uint32_t start = s->cursor;
    while (!anb_sorter_done(s) && s->cursor < s->n && s->cursor - start < SLICE)
        advance(s, room, most);
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

void anb_sorter_visit(AnbSorter *s, const AnbSorterRoom *room, AnbVisitor *visitor)
{
    anb_struct_visit(members, s, visitor);
    if (!visitor->value) {
        s->n = at_most(s->n, room->room);
        s->cursor = at_most(s->cursor, s->n);
        s->from = s->from != 0;
    }
    anb_visit(visitor, "buffer", anb_sorter_buffer(room, s->from), ANB_F64, s->n);
    if (s->run)
        anb_visit(visitor, "merged", anb_sorter_buffer(room, !s->from), ANB_F64, s->cursor);
}

bool anb_sorter_valid(const AnbSorter *s, uint32_t room, uint32_t most)
{
    bool power = s->run == 0 || (s->run >= RUN && s->run < 2 * room && (s->run & (s->run - 1)) == 0);
    uint32_t step = s->run ? 2 * s->run : RUN, piece = at_most(step, most);
    return power && s->n <= room && s->cursor <= s->n && (s->cursor % step % piece == 0 || s->cursor == s->n) &&
           s->from <= 1;
}
