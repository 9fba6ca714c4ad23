/*
 * The reservoir of `additive` (Vitter 1985): a uniform sample of the rows so far, each feature's values in an order of
 * its own.
 *
 * The order does not matter, since the row that a later one replaces is drawn at random. So the values of a feature are
 * sorted in place before knots are made of them, one pass of the sorting a sample. Between two passes they must not
 * change: a row that arrives then does not enter the reservoir of that feature.
 */
#include "additive.h"
#include "src/numeric/sorter.h"

enum {
    FIRST_RUN = 8, /* values that the first pass of the sorting puts in order */
    SMALL = 32     /* values that are sorted where knots are made of them */
};

/* Rows in the reservoir. */
static size_t reserved(const AdditiveView *v)
{
    return v->head->seen < ANB_RESERVE ? (size_t)v->head->seen : ANB_RESERVE;
}

/* ---- a feature's values, sorted some passes at a time ------------------------------------------------------------ */

/* How many passes a sample does, for more than SMALL rows. */
static uint32_t at_once(uint32_t rows)
{
    return ANB_RESERVE / rows;
}

/* The length of the sorted runs after so many passes. */
static uint32_t run_after(uint32_t passes)
{
    return passes > 0 ? (uint32_t)FIRST_RUN << (passes - 1) : 0;
}

uint32_t anb_additive_passes(size_t rows)
{
    uint32_t passes = 0;
    while (run_after(passes) < rows)
        passes++;
    return rows > SMALL ? (passes + at_once((uint32_t)rows) - 1) / at_once((uint32_t)rows) : 0;
}

/* Copies the values that are not missing and returns how many. */
static uint32_t present(const double *value, size_t rows, double *out)
{
    uint32_t n = 0;
    for (size_t i = 0; i < rows; i++) {
        out[n] = value[i];
        n += value[i] - value[i] == 0;
    }
    return n;
}

/* Puts n values, ascending, before the missing ones. */
static void put_back(double *value, size_t rows, const double *sorted, size_t n)
{
    memcpy(value, sorted, n * sizeof *value);
    for (size_t i = n; i < rows; i++)
        value[i] = ANB_NAN;
}

void anb_additive_sort(AdditiveView *v, size_t j)
{
    double work[2 * ANB_RESERVE], *value = v->reserve + j * ANB_RESERVE;
    const AnbSorterRoom room = {work, ANB_RESERVE};
    AdditiveSorting *at = &v->head->sorting;
    AnbSorter sorter;
    if (at->done == 0)
        at->rows = (uint32_t)reserved(v);
    anb_sorter_start(&sorter, present(value, at->rows, work));
    sorter.run = run_after(at->done);
    for (uint32_t pass = at_once(at->rows); pass > 0 && anb_sorter_slice(&sorter, &room, ANB_RESERVE) > 0; pass--)
        at->done++;
    put_back(value, at->rows, anb_sorter_buffer(&room, sorter.from), sorter.n);
}

bool anb_additive_unsorted(const AdditiveView *v)
{
    const AdditiveSorting *at = &v->head->sorting;
    uint32_t rows = at->done > 0 ? at->rows : (uint32_t)reserved(v);
    return rows > SMALL && run_after(at->done) < rows;
}

void anb_additive_remember(AdditiveView *v, const double *raw)
{
    Additive *s = v->head;
    uint64_t slot = s->seen++;
    if (slot >= ANB_RESERVE)
        slot = (uint64_t)(anb_random_uniform(&s->random) * (double)s->seen);
    const size_t amid = slot < s->sorting.rows ? (size_t)s->turn : v->d;
    for (size_t j = 0; j < v->d && slot < ANB_RESERVE; j++)
        if (j != amid)
            v->reserve[j * ANB_RESERVE + slot] = raw[j];
}

/* ---- all of them, sorted ----------------------------------------------------------------------------------------- */

/* A sequence of ascending values, and the values taken out of it to make it so. */
typedef struct Drawn {
    double rising[ANB_RESERVE], others[2 * ANB_RESERVE];
    uint32_t n_rising, n_others;
} Drawn;

enum { BLOCK = 8 };

/* The length of the ascending, finite start of n values, at least one. */
static size_t until_fall(const double *v, size_t n)
{
    size_t i = 1;
    for (; i + BLOCK <= n; i += BLOCK) {
        bool rises = true;
        for (size_t k = 0; k < BLOCK; k++)
            rises &= (v[i + k - 1] <= v[i + k]) & (v[i + k] <= DBL_MAX);
        if (!rises)
            break;
    }
    while (i < n && v[i - 1] <= v[i] && v[i] <= DBL_MAX)
        i++;
    return i;
}

/* Where a value is less than the one before it, both are taken out, since either may be out of place. */
static void draw_apart(const double *value, size_t rows, Drawn *out)
{
    uint32_t n = 0, others = 0;
    for (size_t i = 0; i < rows;) {
        double x = value[i];
        if (x - x != 0) {
            i++;
        } else if (n == 0 || x >= out->rising[n - 1]) {
            size_t run = until_fall(value + i, rows - i);
            memcpy(out->rising + n, value + i, run * sizeof x);
            n += (uint32_t)run;
            i += run;
        } else {
            out->others[others++] = out->rising[--n];
            out->others[others++] = x;
            i++;
        }
    }
    out->n_rising = n;
    out->n_others = others;
}

/* Two ascending sequences as one. */
static void merge(const Drawn *drawn, const double *other, double *out)
{
    const double *end = other + drawn->n_others, *rising = drawn->rising, *last = rising + drawn->n_rising;
    for (; other < end; *out++ = *other++) {
        for (; rising + BLOCK <= last && rising[BLOCK - 1] <= *other; rising += BLOCK, out += BLOCK)
            memcpy(out, rising, BLOCK * sizeof *out);
        while (rising < last && *rising <= *other)
            *out++ = *rising++;
    }
    memcpy(out, rising, (size_t)(last - rising) * sizeof *out);
}

/* Most values are in order already: the others, of rows that came since, are sorted apart and merged. Few values are
 * sorted directly. */
size_t anb_additive_sorted(const AdditiveView *v, size_t j, double *out)
{
    const double *value = v->reserve + j * ANB_RESERVE;
    const size_t rows = reserved(v);
    Drawn drawn;
    drawn.n_rising = 0;
    AnbSorter sorter;
    if (rows > SMALL)
        draw_apart(value, rows, &drawn);
    else
        drawn.n_others = present(value, rows, drawn.others);
    const AnbSorterRoom room = {drawn.others, ANB_RESERVE};
    anb_sorter_start(&sorter, drawn.n_others);
    while (anb_sorter_slice(&sorter, &room, ANB_RESERVE) > 0)
        ;
    merge(&drawn, anb_sorter_buffer(&room, sorter.from), out);
    return drawn.n_rising + drawn.n_others;
}
