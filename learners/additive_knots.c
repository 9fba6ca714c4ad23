/* The knots of `additive`, at quantiles of the reserve, and terms carried over to new ones. */
#include "additive.h"

enum { FIRST = 20 };                 /* rows before the first round */
static const double growth = 2.5;    /* of the rows from one round to the next */
static const uint64_t settled = 300; /* rows before pairs are chosen */

/* Sum over the terms of a kind. */
static const double line_prior = 0.6, line_floor = 0.03, pair_prior = 0.3, pair_floor = 0.05;

/* The variance that a new term of a pair, or of a single feature, starts with. */
static double prior_of(const AdditiveView *v, bool pair)
{
    return pair ? pair_prior / (double)v->pairs : line_prior / (double)v->d;
}

double anb_additive_floor(const AdditiveView *v, bool pair)
{
    return pair ? pair_floor / (double)(v->pairs ? v->pairs : 1) : line_floor / (double)v->d;
}

/* After each row the errors' level is near the unit, but for levels that no unit is near. */
static bool unit_valid(const Additive *s)
{
    double level = s->error.level;
    return level < 0x1p-1019 || (level < 0x1p20 * s->unit && level > 0x1p-20 * s->unit);
}

/* Variances only fall, and those of new knots lie between two old ones. */
bool anb_additive_valid(const AdditiveView *v)
{
    const double own = 1.001 * prior_of(v, false), pair = 1.001 * prior_of(v, true);
    bool fine = unit_valid(v->head);
    for (size_t j = 0; j < v->d; j++)
        fine &= v->line[j].p <= 2 * own && v->lift[j] >= ANB_LIFT_LEAST && v->lift[j] <= ANB_LIFT_MOST;
    for (size_t i = 0; i < v->d * ANB_NODES; i++)
        fine &= v->curve[i].p <= own;
    for (size_t k = 0; k < v->pairs; k++)
        fine &= v->lifts[k] >= (float)ANB_LIFT_LEAST && v->lifts[k] <= (float)ANB_LIFT_MOST;
    for (size_t i = 0; i < v->pairs * v->stride * v->stride; i++)
        fine &= (double)v->cell[1 + i].p <= pair;
    return fine;
}

static void clear_pair(AdditiveView *v, size_t k, size_t left, size_t right)
{
    AdditiveCell *cell = v->cell + 1 + k * v->stride * v->stride;
    v->left[k] = (uint16_t)left;
    v->right[k] = (uint16_t)right;
    v->lifts[k] = 1;
    for (size_t i = 0; i < v->stride * v->stride; i++)
        cell[i] = (AdditiveCell){0, (float)prior_of(v, true)};
}

/* Whether every pair of features has a table. */
static bool has_all_pairs(const AdditiveView *v)
{
    return v->pairs == v->d * (v->d - 1) / 2;
}

/* The pairs at the start: neighbours in a circle of all features, so that each feature is in equally many pairs. */
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
        v->line[j] = (AdditiveTerm){0, 2 * prior_of(v, false)};
    }
    for (size_t i = 0; i < v->d * ANB_NODES; i++)
        v->curve[i] = (AdditiveTerm){0, prior_of(v, false)};
    for (size_t k = v->pairs; k < (v->pairs + 7) / 8 * 8; k++)
        v->lifts[k] = 1;
    first_pairs(v);
}

/* ---- new knots --------------------------------------------------------------------------------------------------- */

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

/* How many of ANB_KNOTS knots are below r. Unused knots are infinite. */
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

/* Sets the weights at the new knots to the old curve's values there. */
static void carry_curve(AdditiveTerm *curve, const double *old, uint32_t old_count, const AdditiveNext *next)
{
    AdditiveTerm made[ANB_KNOTS];
    for (uint32_t i = 0; i < next->count; i++) {
        uint32_t n = next->below[i], low = n > 0 ? n - 1 : 0, high = n < old_count ? n : low;
        double share = high > low ? (next->knots[i] - old[low]) / (old[high] - old[low]) : 0;
        made[i] = between(&curve[low], &curve[high], share > 0 && share <= 1 ? share : 0);
    }
    memcpy(curve, made, next->count * sizeof *made);
}

/* Finds the old band of each new band, by the knot in its middle. */
static void old_bands(const AdditiveView *v, uint32_t old_count, AdditiveNext *next)
{
    const uint32_t count = next->count;
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
        next->from[band] = anb_additive_band(next->below[middle < count ? middle : count - 1], old_count, v->bands);
    }
}

/* In an order in which no band is overwritten before it is read. `from` rises with the band: so first the moves from
 * higher bands, lowest first, then those from lower bands, highest first. */
static AdditiveMoves moves_of(const uint32_t *from, uint32_t bands)
{
    AdditiveMoves m = {.n = 0};
    memcpy(m.source, from, bands * sizeof *from);
    for (uint32_t b = 0; b < bands; b++)
        if (from[b] > b)
            m.to[m.n++] = b;
    for (uint32_t b = bands; b-- > 0;)
        if (from[b] < b)
            m.to[m.n++] = b;
    return m;
}

/* The tables of a feature whose bands were others. */
static void carry_tables(const AdditiveView *v, size_t j, const uint32_t *from)
{
    const AdditiveMoves moves = moves_of(from, (uint32_t)v->bands);
    for (size_t k = 0; k < v->pairs && moves.n > 0; k++) {
        AdditiveCell *table = v->cell + 1 + k * v->stride * v->stride;
        if (v->left[k] == j)
            anb_additive_table_kernels.rows(table, v->stride, &moves);
        if (v->right[k] == j)
            anb_additive_table_kernels.columns(table, v->stride, &moves);
    }
}

/* Starts to read a part of the feature's tables into the cache; ANB_PASSES parts are all of them. */
static void fetch_tables(const AdditiveView *v, size_t j, size_t part)
{
    const size_t size = v->stride * v->stride, end = (part + 1) * v->pairs / ANB_PASSES;
    for (size_t k = part * v->pairs / ANB_PASSES; k < end; k++)
        for (size_t i = 0; i < size && (v->left[k] == j || v->right[k] == j); i += 64 / sizeof(AdditiveCell))
            __builtin_prefetch(v->cell + 1 + k * size + i, 1);
}

/* Makes the next knots of a feature. Returns how many; 0 where all its values are missing. */
static uint32_t make_next(const AdditiveView *v, size_t j)
{
    double sorted[ANB_RESERVE];
    const double *old = v->knots + j * ANB_KNOTS;
    AdditiveNext *next = &v->head->next;
    size_t n = anb_additive_sorted(v, j, sorted);
    *next = (AdditiveNext){0};
    if (n > 0)
        next->count = make_knots(sorted, n, next->knots);
    for (uint32_t i = 0; i < next->count && v->count[j] > 0; i++)
        next->below[i] = knots_below(old, next->knots[i]);
    if (v->count[j] > 0)
        old_bands(v, v->count[j], next);
    return next->count;
}

static void use_next(const AdditiveView *v, size_t j)
{
    AdditiveNext *next = &v->head->next;
    double *knots = v->knots + j * ANB_KNOTS;
    carry_curve(v->curve + j * ANB_NODES, knots, v->count[j], next);
    carry_tables(v, j, next->from);
    memcpy(knots, next->knots, sizeof next->knots);
    v->count[j] = next->count;
    next->count = 0;
}

/* ---- the pairs of wide rows -------------------------------------------------------------------------------------- */

/* The strength of a feature: the variance of its curve over its knots, plus the square of its slope. */
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

/* Inserts the feature into the order by strength; equal ones in order of index. */
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

/* Costs of the steps of a round, in passes of the sorting; each sample does a cost of one, with wide rows more. */
enum { PASS = 1, MAKE = 1, USE = 2, PAIRS = 4, WIDE = 16 };

static size_t time_of(const AdditiveView *v)
{
    return 1 + v->d / WIDE;
}

/* Ends the steps of one feature and turns to the next. */
static void finish(AdditiveView *v, size_t j)
{
    Additive *s = v->head;
    s->turn++;
    if (j + 1 == v->d && (s->chosen || s->seen < settled || has_all_pairs(v)))
        s->turn = 3 * v->d;
}

/* The next step for a feature: sort its values, make its knots, or put these into use. */
static size_t advance_feature(AdditiveView *v, size_t j)
{
    Additive *s = v->head;
    if (s->next.count == 0 && anb_additive_unsorted(v)) {
        fetch_tables(v, j, s->sorting.done);
        anb_additive_sort(v, j);
        return PASS;
    }
    if (s->next.count == 0) {
        s->sorting = (AdditiveSorting){0};
        if (make_next(v, j) == 0)
            finish(v, j);
        return MAKE;
    }
    use_next(v, j);
    finish(v, j);
    return USE;
}

/* One step of a round: knots of each feature; where pairs are to be chosen, its rank; then the tables. Returns its
 * cost. */
static size_t advance(AdditiveView *v)
{
    Additive *s = v->head;
    const size_t d = v->d, turn = (size_t)s->turn;
    if (turn < d)
        return advance_feature(v, turn);
    s->turn++;
    for (size_t j = 0; j < d && turn == d; j++)
        v->strength[j] = strength(v, j);
    if (turn < 2 * d) {
        rank(v, turn - d);
        return PAIRS;
    }
    for (size_t k = turn - 2 * d; k < v->pairs; k += d)
        choose(v, k);
    s->chosen = turn + 1 == 3 * d;
    return PAIRS;
}

/* Whether a round of new knots begins. It begins before the row that it is due at, so that most features have their new
 * knots by that row; but not before two thirds of that many rows, since too few rows make poor knots. A later start is
 * no help: variances of curves fall before their knots are made. */
static bool due(const AdditiveView *v)
{
    const double rows = v->head->due < ANB_RESERVE ? v->head->due : ANB_RESERVE;
    const double ahead = (double)(v->d * (anb_additive_passes((size_t)rows) + MAKE)) / (double)time_of(v);
    return (double)v->head->seen + fmin(ahead, rows / 3) >= v->head->due;
}

void anb_additive_see(AdditiveView *v, const double *raw)
{
    Additive *s = v->head;
    anb_additive_remember(v, raw);
    if (s->turn >= 3 * v->d && due(v)) {
        s->turn = 0;
        s->due = growth * fmax(s->due, (double)s->seen);
    }
    for (size_t left = time_of(v), cost; s->turn < 3 * v->d && left > 0; left -= cost < left ? cost : left)
        cost = advance(v);
}
