/* ADWIN: the exponential histogram, and where to cut it. */
#include "adwin.h"
#include "elementary.h"
#include "fields.h"

/* The sum of squares about the common mean, from those of two disjoint parts about their own means. */
static double pooled(double squares0, double sum0, double n0, double squares1, double sum1, double n1)
{
    double gap = sum0 / n0 - sum1 / n1;
    return squares0 + squares1 + gap * gap * (n0 * n1 / (n0 + n1));
}

static double squares_without(double squares, double sum, double n, const AnbAdwinBucket *gone, double size)
{
    double gap = (sum - gone->sum) / (n - size) - gone->sum / size;
    double rest = squares - gone->squares - gap * gap * ((n - size) * size / n);
    return rest > 0 ? rest : 0;
}

static void shift(AnbAdwin *w, int row, int count)
{
    w->filled[row] = (uint8_t)(w->filled[row] - count);
    memmove(w->bucket[row], w->bucket[row] + count, w->filled[row] * sizeof(AnbAdwinBucket));
}

static int oldest_row(const AnbAdwin *w)
{
    int row = ANB_ADWIN_ROWS - 1;
    while (row > 0 && w->filled[row] == 0)
        row--;
    return row;
}

static void drop_oldest(AnbAdwin *w)
{
    int row = oldest_row(w);
    double n = (double)w->n, size = (double)(UINT64_C(1) << row);
    if (n <= size) {
        *w = (AnbAdwin){.ticks = w->ticks};
        return;
    }
    w->squares = squares_without(w->squares, w->sum, n, w->bucket[row], size);
    w->sum -= w->bucket[row][0].sum;
    w->n -= UINT64_C(1) << row;
    shift(w, row, 1);
}

/* Merges the two oldest buckets of each row that holds one too many into the newest one of the next row. */
static void merge(AnbAdwin *w)
{
    for (int row = 0; row < ANB_ADWIN_ROWS && w->filled[row] > ANB_ADWIN_WIDTH; row++) {
        const AnbAdwinBucket *a = w->bucket[row], *b = a + 1;
        double size = (double)(UINT64_C(1) << row);
        if (row == ANB_ADWIN_ROWS - 1) {
            drop_oldest(w);
            return;
        }
        w->bucket[row + 1][w->filled[row + 1]++] = (AnbAdwinBucket){
            .sum = a->sum + b->sum, .squares = pooled(a->squares, a->sum, size, b->squares, b->sum, size)};
        shift(w, row, 2);
    }
}

static void insert(AnbAdwin *w, double value)
{
    if (w->n > 0)
        w->squares = pooled(w->squares, w->sum, (double)w->n, 0, value, 1);
    w->sum += value;
    w->n++;
    w->ticks++;
    w->bucket[0][w->filled[0]++] = (AnbAdwinBucket){.sum = value};
    merge(w);
}

/* The sign of the first cut, from the old end, at which the means differ by more than the bound of adwin.h; 0: there is
 * none. With 1/m = 1/n0 + 1/n1 and l = ln(2 ln n / delta), |gap| > sqrt(2/m variance l) + 2/(3m) l is tested without
 * the root. */
static int find_cut(const AnbAdwin *w, double delta)
{
    double n = (double)w->n, n0 = 0, sum0 = 0, variance = w->squares / n;
    double l = anb_log(2 * anb_log(n) / delta);
    for (int row = oldest_row(w); row >= 0; row--)
        for (int i = 0; i < w->filled[row]; i++) {
            n0 += (double)(UINT64_C(1) << row);
            sum0 += w->bucket[row][i].sum;
            double n1 = n - n0;
            if (n1 < 1)
                return 0;
            double gap = (w->sum - sum0) / n1 - sum0 / n0, inverse = 1 / n0 + 1 / n1;
            double past = fabs(gap) - 2.0 / 3 * inverse * l;
            if (past > 0 && past * past > 2 * inverse * variance * l)
                return gap > 0 ? 1 : -1;
        }
    return 0;
}

int anb_adwin_add(AnbAdwin *window, double value, double delta)
{
    int change = 0;
    insert(window, value);
    if (window->ticks % ANB_ADWIN_PERIOD != 0)
        return 0;
    for (int tries = 0; tries < ANB_ADWIN_ROWS * ANB_ADWIN_WIDTH && window->n >= 10; tries++) {
        int sign = find_cut(window, delta);
        if (sign == 0)
            break;
        change = sign;
        drop_oldest(window);
    }
    return change;
}

static const AnbField members[] = {{ANB_MEMBER(AnbAdwin, n)},      {ANB_MEMBER(AnbAdwin, ticks)},
                                   {ANB_MEMBER(AnbAdwin, sum)},    {ANB_MEMBER(AnbAdwin, squares)},
                                   {ANB_MEMBER(AnbAdwin, filled)}, {0}};
static const AnbField bucket[] = {{ANB_MEMBER(AnbAdwinBucket, sum)}, {ANB_MEMBER(AnbAdwinBucket, squares)}, {0}};

void anb_adwin_visit(AnbAdwin *window, AnbVisitor *visitor)
{
    anb_struct_visit(members, window, visitor);
    for (int row = 0; row < ANB_ADWIN_ROWS; row++) {
        if (window->filled[row] > ANB_ADWIN_WIDTH)
            window->filled[row] = ANB_ADWIN_WIDTH;
        for (int i = 0; i < window->filled[row]; i++)
            anb_struct_visit(bucket, &window->bucket[row][i], visitor);
    }
}

bool anb_adwin_valid(const AnbAdwin *window)
{
    uint64_t n = 0;
    for (int row = 0; row < ANB_ADWIN_ROWS; row++)
        for (int i = 0; i < window->filled[row]; i++) {
            n += UINT64_C(1) << row;
            if (!isfinite(window->bucket[row][i].sum) || !(window->bucket[row][i].squares >= 0))
                return false;
        }
    return n == window->n && isfinite(window->sum) && window->squares >= 0;
}

/* ---- as a part of a state ---------------------------------------------------------------------------------------- */

static size_t part_size(const AnbNode *self, const AnbField *field)
{
    (void)self, (void)field;
    return sizeof(AnbAdwin);
}

static void part_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    (void)self, (void)field, (void)state;
    anb_adwin_visit(part, visitor);
}

static int part_validate(const AnbNode *self, const AnbField *field, const void *state, const void *part,
                         AnbError *error)
{
    (void)state;
    return anb_adwin_valid(part) ? 0
                                 : anb_fail(error, ANB_E_STATE, "%s: %s is no window", self->type->name, field->name);
}

const AnbPart anb_adwin_part = {part_size, part_visit, part_validate};
