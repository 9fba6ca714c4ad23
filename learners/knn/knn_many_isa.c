/* The loops of knn_many.h, compiled once per instruction set. */
#include "knn_many.h"
#include "knn_turned.h"
#include "knn_words.h"
#ifdef __SSE2__
#include "src/simd/four_bytes.h"
#endif
#include <string.h>

enum {
    MANY = ANB_KNN_MANY,          /* queries */
    COLUMNS = ANB_KNN_MANY_D + 2, /* of a plane */
    TOGETHER = 4,                 /* neighbours that are added at once */
    COUNTS = 4                    /* values that are counted at once */
};

/* ---- candidates -------------------------------------------------------------------------------------------------- */

static void turn(const float *value, size_t next, size_t n, float *out)
{
    const float *row[LANES];
    for (size_t q = 0; q < LANES; q++)
        row[q] = value + q * next;
    for (size_t i = 0; i < n; i += 4) {
        Lanes column[4];
        turned(row, i, column);
        for (size_t c = 0; c < 4; c++)
            lanes_store(out + (i + c) * LANES, column[c]);
    }
}

#if LANES_BYTES == 64
static void pick(const float *value, const uint32_t *index, size_t n, float bound, uint32_t *picked, float *least)
{
    for (size_t i = 0, found = 0; i < n; i += LANES) {
        const __m512 v = _mm512_loadu_ps(value + i);
        const __mmask16 mask = _mm512_cmp_ps_mask(v, _mm512_set1_ps(bound), _CMP_LE_OQ);
        _mm512_storeu_si512(picked + found, _mm512_maskz_compress_epi32(mask, _mm512_loadu_si512(index + i)));
        _mm512_storeu_ps(least + found, _mm512_maskz_compress_ps(mask, v));
        found += (size_t)__builtin_popcount(mask);
    }
}
#else
#if LANES_BYTES == 32
/* Four values and their entries of `index`, those of the bits of a mask first; returns how many those are. */
LANES_INLINE size_t pick_four(__m128 value, const uint32_t *index, unsigned mask, uint32_t *picked, float *least)
{
    static const uint8_t place[16][4] = {{0}, {0},    {1},    {0, 1},    {2},    {0, 2},    {1, 2},    {0, 1, 2},
                                         {3}, {0, 3}, {1, 3}, {0, 1, 3}, {2, 3}, {0, 2, 3}, {1, 2, 3}, {0, 1, 2, 3}};
    const __m128i order = _mm_cvtepu8_epi32(anb_four_bytes(place[mask]));
    _mm_storeu_ps(least, _mm_permutevar_ps(value, order));
    _mm_storeu_ps((float *)picked, _mm_permutevar_ps(_mm_loadu_ps((const float *)index), order));
    return (size_t)__builtin_popcount(mask);
}
#endif

static void pick(const float *value, const uint32_t *index, size_t n, float bound, uint32_t *picked, float *least)
{
    size_t found = 0;
#if LANES_BYTES == 32
    for (size_t i = 0; i < n; i += 4) {
        const __m128 v = _mm_loadu_ps(value + i);
        const int mask = _mm_movemask_ps(_mm_cmp_ps(v, _mm_set1_ps(bound), _CMP_LE_OQ));
        found += pick_four(v, index + i, (unsigned)mask, picked + found, least + found);
    }
#else
    for (size_t i = 0; i < n; i++) {
        picked[found] = index[i];
        least[found] = value[i];
        found += value[i] <= bound;
    }
#endif
}
#endif

/* count + 1 where v is above the bound. */
LANES_INLINE Lanes count_above(Lanes count, Lanes v, Lanes bound)
{
    const Lanes one = lanes_all(1);
#if LANES_BYTES == 64
    const __mmask16 above = _mm512_cmp_ps_mask((__m512)v.a, (__m512)bound.a, _CMP_GT_OQ);
    return (Lanes){(LanesPart)_mm512_mask_add_ps((__m512)count.a, above, (__m512)count.a, (__m512)one.a)};
#else
#define LANES_OP(p, at) count.p += (LanesPart)((LanesBits)(v.p > bound.p) & (LanesBits)one.p);
    LANES_EACH (LANES_OP)
#undef LANES_OP
        return count;
#endif
}

/* How many of n values, a multiple of COUNTS, are not above the bound. */
LANES_INLINE Lanes count_up_to(const float *value, size_t n, Lanes bound)
{
    Lanes above[COUNTS] = {lanes_zero(), lanes_zero(), lanes_zero(), lanes_zero()};
    for (size_t i = 0; i < n; i += COUNTS)
        for (size_t b = 0; b < COUNTS; b++)
            above[b] = count_above(above[b], lanes_load(value + (i + b) * LANES), bound);
    return lanes_sub(lanes_all((float)n), lanes_add(lanes_add(above[0], above[1]), lanes_add(above[2], above[3])));
}

/* Which lanes are the same, as bits. */
static uint32_t same_lanes(Lanes l, Lanes r)
{
    float left[LANES], right[LANES];
    uint32_t mask = 0;
    lanes_store(left, l);
    lanes_store(right, r);
    for (size_t q = 0; q < LANES; q++)
        mask |= (uint32_t)(left[q] == right[q]) << q;
    return mask;
}

/* Halves the range of all queries together, until each has its bound or none gets nearer to it. */
static uint32_t bound(const float *value, size_t n, size_t k, float *bound)
{
    enum { MOST = 40 };
    const Lanes wanted = lanes_all((float)k), half = lanes_all(.5f), zero = lanes_zero(), most = lanes_all(1e37f);
    Lanes low = lanes_load(value), high = zero;
    for (size_t i = 0; i < n; i++) {
        Lanes v = lanes_load(value + i * LANES);
        low = lanes_min(v, low);
        high = lanes_max(lanes_where_above(v, most, zero, v), high);
    }
    Lanes middle = high, before = lanes_all(-1), within = zero;
    for (int step = 0; step < MOST && !lanes_same(middle, before); step++) {
        within = count_up_to(value, n, middle);
        high = lanes_where_above(wanted, within, high, middle);
        if (lanes_same(within, wanted))
            break;
        low = lanes_where_above(wanted, within, middle, low);
        before = middle;
        Lanes halved = lanes_mul(half, lanes_add(low, high));
        middle = lanes_where_above(within, wanted, halved, lanes_where_above(wanted, within, halved, middle));
    }
    const uint32_t found = same_lanes(within, wanted);
    lanes_store(bound, high);
    return found;
}

/* ---- the moments of the nearest ---------------------------------------------------------------------------------- */

LANES_INLINE void rows_at(const AnbKnnNearest *n, size_t i, const float *row[MANY])
{
    for (size_t q = 0; q < MANY; q++)
        row[q] = n->window + n->index[q * ANB_KNN_MANY_NEXT + i] * n->row;
}

/* The first neighbour of each query, and what its offsets are multiplied by. */
typedef struct Frame {
    _Alignas(64) float origin[(COLUMNS + 4) * LANES];
    float factor[(COLUMNS + 4) * LANES];
} Frame;

/* One neighbour of each query as a row of its moments: the offsets, the target, and 1; and all of it times
 * the weight. */
typedef struct Moment {
    _Alignas(64) float value[COLUMNS * LANES];
    float weighted[COLUMNS * LANES];
} Moment;

LANES_INLINE void put(Moment *m, size_t column, Lanes value, Lanes weight)
{
    lanes_store(m->value + column * LANES, value);
    lanes_store(m->weighted + column * LANES, lanes_mul(weight, value));
}

/* (x - origin) factor of features j to j + n of one neighbour of each query, n up to four. */
LANES_INLINE void put_offsets(const float *const row[MANY], const Frame *frame, size_t j, const size_t n, Lanes weight,
                              Moment *m)
{
    Lanes x[4];
    turned(row, j, x);
    for (size_t f = 0; f < n; f++) {
        const size_t at = (j + f) * LANES;
        const Lanes off = lanes_sub(x[f], lanes_load(frame->origin + at));
        put(m, j + f, lanes_mul(off, lanes_load(frame->factor + at)), weight);
    }
}

/* Of all features. */
LANES_INLINE void offsets_of_all(const float *const row[MANY], size_t d, const Frame *frame, Lanes weight, Moment *m)
{
    size_t j = 0;
    for (; j + 4 <= d; j += 4)
        put_offsets(row, frame, j, 4, weight, m);
    if (d - j == 1)
        put_offsets(row, frame, j, 1, weight, m);
    else if (d - j == 2)
        put_offsets(row, frame, j, 2, weight, m);
    else if (d - j == 3)
        put_offsets(row, frame, j, 3, weight, m);
}

/* The plane's features of one row of each query; four neighbouring ones are read at once. */
LANES_INLINE void some_of(const AnbKnnNearest *n, const float *const row[MANY], float *value)
{
    _Alignas(64) float four[4 * LANES];
    size_t from = SIZE_MAX;
    for (size_t p = 0; p < n->d; p++) {
        const size_t j = n->which[p], first = j / 4 * 4;
        if (first != from) {
            Lanes x[4];
            turned(row, first, x);
            for (size_t f = 0; f < 4; f++)
                lanes_store(four + f * LANES, x[f]);
            from = first;
        }
        lanes_store(value + p * LANES, lanes_load(four + j % 4 * LANES));
    }
}

LANES_INLINE void offsets_of_some(const AnbKnnNearest *n, const float *const row[MANY], const Frame *frame,
                                  Lanes weight, Moment *m)
{
    some_of(n, row, m->value);
    for (size_t p = 0; p < n->d; p++) {
        Lanes u = lanes_sub(lanes_load(m->value + p * LANES), lanes_load(frame->origin + p * LANES));
        put(m, p, lanes_mul(u, lanes_load(frame->factor + p * LANES)), weight);
    }
}

/* The plane's features of one row of each query as they are, in columns of up to three more. */
LANES_INLINE void features_of(const AnbKnnNearest *n, const float *const row[MANY], float *value)
{
    if (n->which)
        some_of(n, row, value);
    else
        for (size_t j = 0; j < n->d; j += 4) {
            Lanes x[4];
            turned(row, j, x);
            for (size_t f = 0; f < 4; f++)
                lanes_store(value + (j + f) * LANES, x[f]);
        }
}

/* p_j of each query as well, by 1 / distance_k. */
static void begin_frame(const AnbKnnNearest *n, Lanes near, Frame *frame, float *place)
{
    const float *row[MANY];
    rows_at(n, 0, row);
    features_of(n, row, frame->origin);
    features_of(n, n->query, place);
    for (size_t j = 0; j < (n->d + 3) / 4 * 4; j++) {
        const Lanes factor = lanes_mul(lanes_all(n->root[j]), near);
        const Lanes off = lanes_sub(lanes_load(place + j * LANES), lanes_load(frame->origin + j * LANES));
        lanes_store(frame->factor + j * LANES, factor);
        lanes_store(place + j * LANES, lanes_mul(off, factor));
    }
}

/* The weights of the i-th neighbours of all queries; nothing is written where there are fewer neighbours. */
LANES_INLINE void weigh(const AnbKnnNearest *n, size_t i, Lanes near, float soft, float *weight)
{
    if (i < n->k)
        lanes_store(weight + i * LANES,
                    weight_of(lanes_root(lanes_mul(lanes_load(n->square + i * LANES), near)), soft));
}

LANES_INLINE void moment_of(const AnbKnnNearest *n, size_t i, const Frame *frame, const float *weights, Moment *m)
{
    const Lanes weight = lanes_load(weights + i * LANES);
    const float *row[MANY];
    const size_t d = n->d;
    rows_at(n, i, row);
    if (n->which)
        offsets_of_some(n, row, frame, weight, m);
    else
        offsets_of_all(row, d, frame, weight, m);
    put(m, d, lanes_load(n->target + i * LANES), weight);
    put(m, d + 1, lanes_all(1), weight);
}

/* Adds `rows` neighbours, 1 to TOGETHER, one after the other to row j of the upper triangle and what is behind it, or
 * to 0 if they are the first. Returns where row j + 1 starts. */
LANES_INLINE float *add_row(float *many, size_t j, size_t d, const Moment *m, const size_t rows, const bool first)
{
    Lanes by[TOGETHER];
    for (size_t r = 0; r < rows; r++)
        by[r] = lanes_load(m[r].value + j * LANES);
    for (size_t c = j; c < d + 2; c++, many += LANES) {
        Lanes sum = first ? lanes_zero() : lanes_load(many);
        for (size_t r = 0; r < rows; r++)
            sum = lanes_add(sum, lanes_mul(by[r], lanes_load(m[r].weighted + c * LANES)));
        lanes_store(many, sum);
    }
    return many;
}

/* TOGETHER neighbours from i on. The weights of the next ones are computed between the rows of the triangle: their
 * roots and divisions take long, and the sums here do not need them. */
LANES_INLINE void add_together(const AnbKnnNearest *n, size_t i, const Moment *m, Lanes near, float soft, float *weight,
                               const bool first, float *many)
{
    const size_t d = n->d;
    for (size_t j = 0; j < d; j++) {
        if (j < TOGETHER)
            weigh(n, i + TOGETHER + j, near, soft, weight);
        many = add_row(many, j, d, m, TOGETHER, first);
    }
    for (size_t j = d; j < TOGETHER; j++)
        weigh(n, i + TOGETHER + j, near, soft, weight);
}

static void add_each(const Moment *m, size_t rows, size_t d, float *many)
{
    for (size_t r = 0; r < rows; r++) {
        float *at = many;
        for (size_t j = 0; j < d; j++)
            at = add_row(at, j, d, m + r, 1, false);
    }
}

/* anb_knn_plane_near of the largest. */
LANES_INLINE Lanes near_of(const AnbKnnNearest *n)
{
    const Lanes zero = lanes_zero();
    Lanes last = zero;
    for (size_t i = 0; i < n->k; i++)
        last = lanes_max(lanes_load(n->square + i * LANES), last);
    Lanes near = lanes_where_above(lanes_all(knn_far_most), last, lanes_div(lanes_all(1), last), zero);
    return lanes_where_above(last, lanes_all(1 / knn_far_most), near, zero);
}

static void moments(const AnbKnnNearest *n, float soft, float *many, float *place)
{
    enum { MOST = ANB_KNN_MANY_K };
    Frame frame;
    Moment m[TOGETHER];
    _Alignas(64) float weight[MOST * LANES];
    const size_t d = n->d, k = n->k;
    const Lanes near = near_of(n);
    float *sums = many + anb_ridge_plane_cell(d, d, d) * LANES;
    Lanes weights = lanes_zero(), targets = lanes_zero();
    if (k < TOGETHER)
        memset(many, 0, (size_t)(sums - many) * sizeof *many);
    begin_frame(n, lanes_root(near), &frame, place);
    for (size_t i = 0; i < TOGETHER; i++)
        weigh(n, i, near, soft, weight);
    for (size_t i = 0; i < k; i += TOGETHER) {
        const size_t rows = k - i < TOGETHER ? k - i : TOGETHER;
        for (size_t r = 0; r < rows; r++) {
            moment_of(n, i + r, &frame, weight, &m[r]);
            weights = lanes_add(weights, lanes_load(weight + (i + r) * LANES));
            targets = lanes_add(targets, lanes_load(m[r].weighted + d * LANES));
        }
        if (rows == TOGETHER && i == 0)
            add_together(n, i, m, near, soft, weight, true, many);
        else if (rows == TOGETHER)
            add_together(n, i, m, near, soft, weight, false, many);
        else
            add_each(m, rows, d, many);
    }
    lanes_store(sums, weights);
    lanes_store(sums + LANES, targets);
}

const AnbKnnManyKernels ANB_PER_ISA(anb_knn_many_kernels) = {
    .turn = turn, .pick = pick, .bound = bound, .moments = moments};

ANB_ISA_REGISTER(AnbKnnManyKernels, anb_knn_many_kernels)
