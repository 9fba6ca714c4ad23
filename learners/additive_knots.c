/* The knots of `additive`: a reservoir (Vitter 1985), knots at quantiles of it, and terms carried over to new ones. */
#include "additive.h"
#include "src/numeric/sorter.h"

enum { FIRST = 20, WIDE = 64 };      /* rows before the first round; features that one sample has the work of one for */
static const double growth = 2.5;    /* of the rows from one round to the next */
static const uint64_t settled = 300; /* rows before pairs are chosen */

/* Sum over the terms of a kind. */
static const double line_prior = 0.6, line_floor = 0.03, pair_prior = 0.3, pair_floor = 0.05;

double anb_additive_prior(const AdditiveView *v, bool pair)
{
    return pair ? pair_prior / (double)v->pairs : line_prior / (double)v->d;
}

double anb_additive_floor(const AdditiveView *v, bool pair)
{
    return pair ? pair_floor / (double)(v->pairs ? v->pairs : 1) : line_floor / (double)v->d;
}

static void clear_pair(AdditiveView *v, size_t k, size_t left, size_t right)
{
    AdditiveCell *cell = v->cell + 1 + k * v->stride * v->stride;
    v->left[k] = (uint16_t)left;
    v->right[k] = (uint16_t)right;
    v->lifts[k] = 1;
    for (size_t i = 0; i < v->stride * v->stride; i++)
        cell[i] = (AdditiveCell){0, (float)anb_additive_prior(v, true)};
}

bool anb_additive_all_pairs(const AdditiveView *v)
{
    return v->pairs == v->d * (v->d - 1) / 2;
}

/* By the distance around the circle of all: every feature is in as many pairs as the others. */
static void first_pairs(AdditiveView *v)
{
    for (size_t k = 0; k < v->pairs; k++)
        clear_pair(v, k, k % v->d, (k % v->d + 1 + k / v->d) % v->d);
}

void anb_additive_start(AdditiveView *v)
{
    Additive *s = v->head;
    s->due = FIRST;
    s->turn = 3 * v->d;
    for (size_t i = 0; i < v->d * ANB_KNOTS; i++)
        v->knots[i] = (double)INFINITY;
    for (size_t j = 0; j < v->d; j++) {
        v->lift[j] = 1;
        v->line[j] = (AdditiveTerm){0, 2 * anb_additive_prior(v, false)};
    }
    for (size_t i = 0; i < v->d * ANB_NODES; i++)
        v->curve[i] = (AdditiveTerm){0, anb_additive_prior(v, false)};
    for (size_t k = v->pairs; k < (v->pairs + 7) / 8 * 8; k++)
        v->lifts[k] = 1;
    first_pairs(v);
}

/* ---- new knots --------------------------------------------------------------------------------------------------- */

/* Rows in the reserve. */
static size_t reserved(const AdditiveView *v)
{
    return v->head->seen < ANB_RESERVE ? (size_t)v->head->seen : ANB_RESERVE;
}

/* Sorts n values in the first buffer of `room`; where they are then. */
static const double *sort_values(const AnbSorterRoom *room, uint32_t n)
{
    AnbSorter sorter;
    anb_sorter_start(&sorter, n);
    while (anb_sorter_slice(&sorter, room, ANB_RESERVE) > 0)
        ;
    return anb_sorter_buffer(room, sorter.from);
}

/* Sorts a feature's part of the reserve in place, missing cells last. The order does not matter: the row that a later one replaces is
 * drawn at random. */
static void sort_reserve(const AdditiveView *v, size_t j)
{
    double work[2 * ANB_RESERVE], *value = v->reserve + j * ANB_RESERVE;
    const AnbSorterRoom room = {work, ANB_RESERVE};
    size_t rows = reserved(v);
    uint32_t n = 0;
    for (size_t i = 0; i < rows; i++) {
        work[n] = value[i];
        n += value[i] - value[i] == 0;
    }
    memcpy(value, sort_values(&room, n), n * sizeof *value);
    for (size_t i = n; i < rows; i++)
        value[i] = ANB_NAN;
}

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

/* Where a value is less than the one before, either may be out of place: both are taken out. */
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

/* Writes the values in the reserve that are not missing, sorted; returns how many. Most are sorted already (prepare); the few of rows
 * that came since are sorted apart and merged. */
static size_t sorted_values(const AdditiveView *v, size_t j, double *out)
{
    Drawn drawn;
    draw_apart(v->reserve + j * ANB_RESERVE, reserved(v), &drawn);
    const double *other = sort_values(&(AnbSorterRoom){drawn.others, ANB_RESERVE}, drawn.n_others),
                 *end = other + drawn.n_others, *rising = drawn.rising, *last = rising + drawn.n_rising;
    size_t n = drawn.n_rising + drawn.n_others;
    for (; other < end; *out++ = *other++) {
        for (; rising + BLOCK <= last && rising[BLOCK - 1] <= *other; rising += BLOCK, out += BLOCK)
            memcpy(out, rising, BLOCK * sizeof *out);
        while (rising < last && *rising <= *other)
            *out++ = *rising++;
    }
    memcpy(out, rising, (size_t)(last - rising) * sizeof *out);
    return n;
}

/* Every distinct value where they are few, else quantiles; without repetition. */
static uint32_t make_knots(const double *sorted, size_t n, double *knots)
{
    uint32_t kinds = 0, count = 0;
    for (size_t i = 0; i < n && kinds <= ANB_KNOTS; i++)
        kinds += i == 0 || sorted[i] > sorted[i - 1];
    size_t most = kinds <= ANB_KNOTS ? n : ANB_KNOTS;
    for (size_t i = 0; i < most; i++) {
        double value = sorted[most == n ? i : i * (n - 1) / (most - 1)];
        if (count == 0 || value > knots[count - 1])
            knots[count++] = value;
    }
    for (size_t i = count; i < ANB_KNOTS; i++)
        knots[i] = (double)INFINITY;
    return count;
}

/* Of ANB_KNOTS knots; behind the last one infinity is written. */
static uint32_t knots_below(const double *knots, double r)
{
    uint32_t n = 0;
    for (uint32_t step = 16; step > 0; step /= 2) {
        uint32_t to = n + step <= ANB_KNOTS ? n + step : n;
        n = to > n && knots[to - 1] < r ? to : n;
    }
    return n;
}

static AdditiveTerm between(const AdditiveTerm *a, const AdditiveTerm *b, double share)
{
    return (AdditiveTerm){a->w * (1 - share) + b->w * share, a->p * (1 - share) + b->p * share};
}

/* The curve says at the new knots what it said there. */
static void carry_curve(AdditiveTerm *curve, const double *old, uint32_t old_count, const double *knots, uint32_t count)
{
    AdditiveTerm made[ANB_KNOTS];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t n = knots_below(old, knots[i]), low = n > 0 ? n - 1 : 0, high = n < old_count ? n : low;
        double share = high > low ? (knots[i] - old[low]) / (old[high] - old[low]) : 0;
        made[i] = between(&curve[low], &curve[high], share > 0 && share <= 1 ? share : 0);
    }
    memcpy(curve, made, count * sizeof *made);
}

/* Where each band was before, by the knot in its middle. */
static void old_bands(const AdditiveView *v, const double *old, uint32_t old_count, const double *knots, uint32_t count,
                      uint32_t *from)
{
    uint32_t band_of[ANB_KNOTS + 2], low = 0;
    for (uint32_t i = 0; i <= count; i++)
        band_of[i] = anb_additive_band(i, count, v->bands);
    for (uint32_t band = 0; band < v->bands; band++) {
        while (low < count && band_of[low] < band)
            low++;
        uint32_t high = low;
        while (high + 1 < count && band_of[high + 1] == band)
            high++;
        uint32_t middle = low + (high - low) / 2;
        double r = count > 0 ? knots[middle < count ? middle : count - 1] : 0;
        from[band] = anb_additive_band(knots_below(old, r), old_count, v->bands);
    }
    from[v->bands] = (uint32_t)v->bands;
}

/* What is moved from one band to another: band to[i] gets what band from[i] had. */
typedef struct Moves {
    size_t n;
    uint32_t to[ANB_KNOTS + 1], from[ANB_KNOTS + 1];
} Moves;

static void add_move(Moves *m, uint32_t to, uint32_t from)
{
    m->to[m->n] = to;
    m->from[m->n++] = from;
}

/* In an order in which no band is overwritten before it is read. `from` rises with the band: so first the moves from higher
 * bands, lowest first, then those from lower bands, highest first. */
static Moves moves_of(const uint32_t *from, uint32_t bands)
{
    Moves m = {.n = 0};
    for (uint32_t b = 0; b < bands; b++)
        if (from[b] > b)
            add_move(&m, b, from[b]);
    for (uint32_t b = bands; b-- > 0;)
        if (from[b] < b)
            add_move(&m, b, from[b]);
    return m;
}

static void move_rows(AdditiveCell *cell, size_t stride, const Moves *moves)
{
    for (size_t i = 0; i < moves->n; i++)
        memcpy(cell + moves->to[i] * stride, cell + moves->from[i] * stride, stride * sizeof *cell);
}

/* Four rows at a time. */
static void move_columns(AdditiveCell *cell, size_t stride, const Moves *moves)
{
    size_t r = 0;
    for (; r + 4 <= stride; r += 4) {
        AdditiveCell *row = cell + r * stride, *row1 = row + stride, *row2 = row1 + stride, *row3 = row2 + stride;
        for (size_t i = 0; i < moves->n; i++) {
            const size_t to = moves->to[i], from = moves->from[i];
            row[to] = row[from];
            row1[to] = row1[from];
            row2[to] = row2[from];
            row3[to] = row3[from];
        }
    }
    for (AdditiveCell *row = cell + r * stride; r < stride; r++, row += stride)
        for (size_t i = 0; i < moves->n; i++)
            row[moves->to[i]] = row[moves->from[i]];
}

/* The tables of a feature whose bands were others. */
static void carry_tables(const AdditiveView *v, size_t j, const uint32_t *from)
{
    const Moves moves = moves_of(from, (uint32_t)v->bands);
    for (size_t k = 0; k < v->pairs && moves.n > 0; k++) {
        AdditiveCell *cell = v->cell + 1 + k * v->stride * v->stride;
        if (v->left[k] == j)
            move_rows(cell, v->stride, &moves);
        if (v->right[k] == j)
            move_columns(cell, v->stride, &moves);
    }
}

static void make_feature(AdditiveView *v, size_t j)
{
    double sorted[ANB_RESERVE], old[ANB_KNOTS], *knots = v->knots + j * ANB_KNOTS;
    uint32_t from[ANB_KNOTS + 1], old_count = v->count[j];
    size_t n = sorted_values(v, j, sorted);
    if (n == 0)
        return;
    memcpy(old, knots, sizeof old);
    v->count[j] = make_knots(sorted, n, knots);
    carry_curve(v->curve + j * ANB_NODES, old, old_count, knots, v->count[j]);
    old_bands(v, old, old_count, knots, v->count[j], from);
    carry_tables(v, j, from);
}

/* ---- the pairs of wide rows -------------------------------------------------------------------------------------- */

/* How much a feature moves the sum: the variance of its curve over its knots, and the square of its slope. */
static double strength(const AdditiveView *v, size_t j)
{
    double sum = 0, square = 0, n = v->count[j] > 0 ? v->count[j] : 1;
    for (uint32_t i = 0; i < v->count[j]; i++) {
        double w = v->lift[j] * v->curve[j * ANB_NODES + i].w;
        sum += w;
        square += w * w;
    }
    return square / n - (sum / n) * (sum / n) + v->line[j].w * v->line[j].w;
}

/* The feature takes its place in the order of all: the first of equals is the stronger one. */
static void rank(AdditiveView *v, size_t j)
{
    size_t place = 0;
    for (size_t i = 0; i < v->d; i++)
        place += v->strength[i] > v->strength[j] || (v->strength[i] == v->strength[j] && i < j);
    v->order[place] = (uint16_t)j;
}

/* Table k becomes that of the k-th pair in the triangle of the strongest features. */
static void choose(AdditiveView *v, size_t k)
{
    size_t b = (size_t)((1 + sqrt(1 + 8 * (double)k)) / 2);
    b -= b * (b - 1) / 2 > k;
    clear_pair(v, k, v->order[k - b * (b - 1) / 2], v->order[b]);
}

/* ---- rounds ------------------------------------------------------------------------------------------------------ */

static void remember(AdditiveView *v, const double *raw)
{
    Additive *s = v->head;
    uint64_t slot = s->seen++;
    if (slot >= ANB_RESERVE)
        slot = (uint64_t)(anb_random_uniform(&s->random) * (double)s->seen);
    if (slot < ANB_RESERVE)
        for (size_t j = 0; j < v->d; j++)
            v->reserve[j * ANB_RESERVE + slot] = raw[j];
}

/* One step of a round: knots of each feature; where pairs are to be chosen, its rank; then the tables. */
static void advance(AdditiveView *v)
{
    Additive *s = v->head;
    const size_t d = v->d, turn = (size_t)s->turn++;
    if (turn < d) {
        make_feature(v, turn);
        v->strength[turn] = strength(v, turn);
        if (turn + 1 == d && (s->chosen || s->seen < settled || anb_additive_all_pairs(v)))
            s->turn = 3 * d;
    } else if (turn < 2 * d) {
        rank(v, turn - d);
    } else {
        for (size_t k = turn - 2 * d; k < v->pairs; k += d)
            choose(v, k);
        s->chosen = turn + 1 == 3 * d;
    }
}

/* How many features are worked on with each sample. */
static size_t at_once(const AdditiveView *v)
{
    return 1 + v->d / WIDE;
}

/* Sorts the reserve during the samples before a round, as many as the round takes for the knots: sorting is half of its work. */
static void prepare(const AdditiveView *v)
{
    const Additive *s = v->head;
    size_t each = at_once(v), samples = (v->d + each - 1) / each;
    double left = ceil(s->due - (double)s->seen);
    if (!(left >= 1 && left <= (double)samples))
        return;
    size_t first = (samples - (size_t)left) * each;
    for (size_t j = first; j < v->d && j < first + each; j++)
        sort_reserve(v, j);
}

void anb_additive_see(AdditiveView *v, const double *raw)
{
    Additive *s = v->head;
    remember(v, raw);
    if (s->turn >= 3 * v->d && (double)s->seen >= s->due) {
        s->turn = 0;
        s->due = growth * (double)s->seen;
    }
    if (s->turn >= 3 * v->d)
        prepare(v);
    for (size_t i = 0; i < at_once(v) && s->turn < 3 * v->d; i++)
        advance(v);
}
