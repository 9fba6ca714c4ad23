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
        bool more = b > 0 && from[a] <= from[middle + b - 1];
        low = more ? a + 1 : low;
        high = more ? high : a;
    }
    return low;
}

/* Where a merge stands in its two runs. */
typedef struct Front {
    size_t a, b;
} Front;

static Front front_of(const double *from, uint32_t middle, uint32_t n, uint32_t done)
{
    uint32_t a = taken_of_first(from, middle, n, done);
    return (Front){a, (size_t)middle + done - a};
}

/* The next number of a merge, without a branch; of equals that of the first run. last_of: the same from the end. */
static inline double next_of(const double *from, Front *at)
{
    double x = from[at->a], y = from[at->b];
    size_t second = y < x;
    at->a += 1 - second;
    at->b += second;
    return y < x ? y : x;
}

static inline double last_of(const double *from, Front *at)
{
    double x = from[at->a], y = from[at->b];
    size_t first = x > y;
    at->a -= first;
    at->b -= 1 - first;
    return x > y ? x : y;
}

/* Writes the numbers `done` to `end` of the merge; `at` is where they start in the two runs. */
static void merge_from(const double *from, uint32_t middle, uint32_t n, Front at, uint32_t done, uint32_t end,
                       double *to)
{
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
        to[2 * run - 1 - i] = last_of(from, &high);
    }
}

/* Two such pairs, one behind the other, four numbers at a time. */
static void merge_two_pairs(const double *from, uint32_t run, double *to)
{
    Front low = {0, run}, high = {run - 1, 2 * run - 1}, low2 = {2 * run, 3 * run}, high2 = {3 * run - 1, 4 * run - 1};
    for (uint32_t i = 0; i < run; i++) {
        to[i] = next_of(from, &low);
        to[2 * run - 1 - i] = last_of(from, &high);
        to[2 * run + i] = next_of(from, &low2);
        to[4 * run - 1 - i] = last_of(from, &high2);
    }
}

/* The numbers `done` to `end` of the merge of from[0 .. middle) and from[middle .. n). Four parts of them are merged
 * side by side while the last part has numbers left in both runs; the parts before it then have too. After that three:
 * where few values are different, the last part soon has numbers of one run only. */
static void merge(const double *from, uint32_t middle, uint32_t n, uint32_t done, uint32_t end, double *to)
{
    const uint32_t part = (end - done) / 4, second = done + part, third = second + part, last = third + part;
    Front a = front_of(from, middle, n, done), b = front_of(from, middle, n, second),
          c = front_of(from, middle, n, third), d = front_of(from, middle, n, last);
    size_t i = 0;
    for (; i < part && d.a < middle && d.b < n; i++) {
        to[done + i] = next_of(from, &a);
        to[second + i] = next_of(from, &b);
        to[third + i] = next_of(from, &c);
        to[last + i] = next_of(from, &d);
    }
    merge_from(from, middle, n, d, last + i, end, to);
    for (; i < part && c.a < middle && c.b < n; i++) {
        to[done + i] = next_of(from, &a);
        to[second + i] = next_of(from, &b);
        to[third + i] = next_of(from, &c);
    }
    merge_from(from, middle, n, a, done + i, second, to);
    merge_from(from, middle, n, b, second + i, third, to);
    merge_from(from, middle, n, c, third + i, last, to);
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

/* Two pairs of short runs, or one pair, or what is left of it, `most` numbers of it at most. */
static void advance_merge(AnbSorter *s, const double *from, double *to, uint32_t most)
{
    uint32_t pair = s->cursor / (2 * s->run) * (2 * s->run), left = s->n - pair, n = at_most(left, 2 * s->run);
    uint32_t done = s->cursor - pair, end = done + at_most(n - done, most);
    if (4 * s->run <= SLICE && left >= 4 * s->run) {
        merge_two_pairs(from + pair, s->run, to + pair);
        end = 4 * s->run;
    } else if (2 * s->run < SLICE && n == 2 * s->run)
        merge_even(from + pair, s->run, to + pair);
    else
        merge(from + pair, at_most(n, s->run), n, done, end, to + pair);
    s->cursor = pair + end;
}

/* The next part of the pass. */
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
    advance_merge(s, from, anb_sorter_buffer(room, !s->from), most);
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
