/* The loops of knn_many.h, compiled once per instruction set. */
#include "src/simd/lanes.h"
#include "knn_many.h"
#include "knn_words.h"
#include "ridge_plane.h"
#include "src/simd/lanes_turn.h"
#include <string.h>

enum { COLUMNS = ANB_KNN_MANY_D + 2, TOGETHER = 4, COUNTS = 4 }; /* of a plane; neighbours; sums at once */

/* Four features of eight rows as doubles, the rows side by side. */
#if LANES_BYTES > 16
#define BOTH(low, high)                                                                                                \
    _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps((low) + j)), _mm_loadu_ps((high) + j), 1)

LANES_INLINE Lanes doubled(__m256 l)
{
#if LANES_BYTES == 64
    return (Lanes){(LanesPart)_mm512_cvtps_pd(l)};
#else
    return (Lanes){(LanesPart)_mm256_cvtps_pd(_mm256_castps256_ps128(l)),
                   (LanesPart)_mm256_cvtps_pd(_mm256_extractf128_ps(l, 1))};
#endif
}

/* Rows four apart share a vector, so that nothing crosses its halves. */
LANES_INLINE void turned(const float *const row[ANB_KNN_MANY], size_t j, Lanes out[4])
{
    const __m256 a = BOTH(row[0], row[4]), b = BOTH(row[1], row[5]), c = BOTH(row[2], row[6]), d = BOTH(row[3], row[7]);
    const __m256 ab = _mm256_unpacklo_ps(a, b), cd = _mm256_unpacklo_ps(c, d);
    const __m256 ab2 = _mm256_unpackhi_ps(a, b), cd2 = _mm256_unpackhi_ps(c, d);
    out[0] = doubled(_mm256_shuffle_ps(ab, cd, 0x44));
    out[1] = doubled(_mm256_shuffle_ps(ab, cd, 0xee));
    out[2] = doubled(_mm256_shuffle_ps(ab2, cd2, 0x44));
    out[3] = doubled(_mm256_shuffle_ps(ab2, cd2, 0xee));
}
#else
LANES_INLINE void turned(const float *const row[ANB_KNN_MANY], size_t j, Lanes out[4])
{
    for (size_t f = 0; f < 4; f++)
        out[f] = (Lanes){{(double)row[0][j + f], (double)row[1][j + f]},
                         {(double)row[2][j + f], (double)row[3][j + f]},
                         {(double)row[4][j + f], (double)row[5][j + f]},
                         {(double)row[6][j + f], (double)row[7][j + f]}};
}
#endif

/* How far one row of each query lies from it in features j to j + 3. What is behind the last feature is a number. */
LANES_INLINE void offsets_of(const float *const row[ANB_KNN_MANY], size_t j, const double *query, Lanes u[4])
{
    turned(row, j, u);
    for (size_t f = 0; f < 4; f++)
        u[f] = lanes_sub(u[f], lanes_load(query + (j + f) * LANES));
}

LANES_INLINE void rows_at(const float *window, size_t d, const uint32_t *index, const float *row[ANB_KNN_MANY])
{
    for (size_t q = 0; q < ANB_KNN_MANY; q++)
        row[q] = window + index[q] * d;
}

/* ---- candidates -------------------------------------------------------------------------------------------------- */

static void turn(const double *value, size_t next, size_t n, double *out)
{
    for (size_t i = 0; i < n; i += LANES) {
        Lanes row[LANES], column[LANES];
        for (size_t q = 0; q < LANES; q++)
            row[q] = lanes_load(value + q * next + i);
        lanes_turn(row, column);
        for (size_t c = 0; c < LANES; c++)
            lanes_store(out + (i + c) * LANES, column[c]);
    }
}

/* Which of eight values are not above the bound, as bits. */
LANES_INLINE uint64_t within_eight(const double *value, double bound)
{
#if LANES_BYTES == 64
    return _mm512_cmp_pd_mask(_mm512_loadu_pd(value), _mm512_set1_pd(bound), _CMP_LE_OQ);
#elif LANES_BYTES == 32
    const __m256d most = _mm256_set1_pd(bound);
    int low = _mm256_movemask_pd(_mm256_cmp_pd(_mm256_loadu_pd(value), most, _CMP_LE_OQ));
    int high = _mm256_movemask_pd(_mm256_cmp_pd(_mm256_loadu_pd(value + 4), most, _CMP_LE_OQ));
    return (uint64_t)(low | high << 4);
#else
    uint64_t mask = 0;
    for (size_t i = 0; i < LANES; i++)
        mask |= (uint64_t)(value[i] <= bound) << i;
    return mask;
#endif
}

static size_t within(const double *value, size_t n, double bound, uint32_t *place)
{
    size_t found = 0;
    for (size_t from = 0; from < n; from += 64) {
        uint64_t mask = 0;
        for (size_t i = from; i < n && i < from + 64; i += LANES)
            mask |= within_eight(value + i, bound) << (i - from);
        found += list_rows(mask, (uint32_t)from, place + found);
    }
    return found;
}

/* count + 1 where v is above the bound. */
LANES_INLINE Lanes count_above(Lanes count, Lanes v, Lanes bound)
{
    const Lanes one = lanes_all(1);
#if LANES_BYTES == 64
    const __mmask8 above = _mm512_cmp_pd_mask((__m512d)v.a, (__m512d)bound.a, _CMP_GT_OQ);
    return (Lanes){(LanesPart)_mm512_mask_add_pd((__m512d)count.a, above, (__m512d)count.a, (__m512d)one.a)};
#else
#define LANES_OP(p, at) count.p += (LanesPart)((LanesBits)(v.p > bound.p) & (LanesBits)one.p);
    LANES_EACH (LANES_OP)
#undef LANES_OP
        return count;
#endif
}

/* How many of n values, a multiple of COUNTS, are not above the bound. */
LANES_INLINE Lanes count_up_to(const double *value, size_t n, Lanes bound)
{
    Lanes above[COUNTS] = {lanes_zero(), lanes_zero(), lanes_zero(), lanes_zero()};
    for (size_t i = 0; i < n; i += COUNTS)
        for (size_t b = 0; b < COUNTS; b++)
            above[b] = count_above(above[b], lanes_load(value + (i + b) * LANES), bound);
    return lanes_sub(lanes_all((double)n), lanes_add(lanes_add(above[0], above[1]), lanes_add(above[2], above[3])));
}

/* By halving the range, all queries in step. */
static bool bound(const double *value, size_t n, size_t k, double *bound)
{
    enum { MOST = 40 };
    const Lanes wanted = lanes_all((double)k), half = lanes_all(.5), zero = lanes_zero(), most = lanes_all(1e300);
    Lanes low = lanes_load(value), high = zero;
    for (size_t i = 0; i < n; i++) {
        Lanes v = lanes_load(value + i * LANES);
        low = lanes_min(v, low);
        high = lanes_max(lanes_where_above(v, most, zero, v), high);
    }
    Lanes middle = high;
    for (int step = 0; step < MOST; step++) {
        Lanes within = count_up_to(value, n, middle);
        if (lanes_same(within, wanted)) {
            lanes_store(bound, middle);
            return true;
        }
        Lanes next_high = lanes_where_above(wanted, within, high, middle);
        low = lanes_where_above(wanted, within, middle, low);
        high = next_high;
        Lanes halved = lanes_mul(half, lanes_add(low, high));
        middle = lanes_where_above(within, wanted, halved, lanes_where_above(wanted, within, halved, middle));
    }
    return false;
}

/* The largest of the distances. */
LANES_INLINE Lanes farthest(const double *square, size_t k)
{
    Lanes last = lanes_zero();
    for (size_t i = 0; i < k; i++)
        last = lanes_max(lanes_load(square + i * LANES), last);
    return lanes_sqrt(last);
}

/* The weight of neighbour i in place of its squared distance, if there is one. */
LANES_INLINE void weigh(const AnbKnnNearest *near, size_t i, Lanes last, double soft)
{
    const Lanes zero = lanes_zero();
    if (i >= near->k)
        return;
    Lanes share = lanes_div(lanes_sqrt(lanes_load(near->weight + i * LANES)), last);
    share = lanes_where_above(last, zero, share, zero);
    lanes_store(near->weight + i * LANES, lanes_div(lanes_all(1), lanes_add(lanes_all(soft), share)));
}

/* One neighbour of each query as a row of its moments: the offsets, the target about `middle`, and 1; and all of it times
 * the weight. */
typedef struct Moment {
    _Alignas(64) double value[COLUMNS * LANES + 4 * LANES];
    double weighted[COLUMNS * LANES];
} Moment;

/* The plane has all features. */
LANES_INLINE void offsets_of_all(const AnbKnnNearest *near, const float *const row[ANB_KNN_MANY], double *value)
{
    for (size_t j = 0; j < near->d; j += 4) {
        Lanes u[4];
        offsets_of(row, j, near->query, u);
        for (size_t f = 0; f < 4; f++)
            lanes_store(value + (j + f) * LANES, lanes_mul(u[f], lanes_all(near->inverse[j + f])));
    }
}

/* It has some of them: four neighbouring ones are read at once. */
LANES_INLINE void offsets_of_some(const AnbKnnNearest *near, const float *const row[ANB_KNN_MANY], double *value)
{
    _Alignas(64) double four[4 * LANES];
    size_t from = SIZE_MAX;
    for (size_t p = 0; p < near->d; p++) {
        const size_t j = near->which[p], first = j / 4 * 4;
        if (first != from) {
            Lanes u[4];
            turned(row, first, u);
            for (size_t f = 0; f < 4; f++)
                lanes_store(four + f * LANES, u[f]);
            from = first;
        }
        Lanes u = lanes_sub(lanes_load(four + j % 4 * LANES), lanes_load(near->query + p * LANES));
        lanes_store(value + p * LANES, lanes_mul(u, lanes_all(near->inverse[p])));
    }
}

LANES_INLINE void moment_of(const AnbKnnNearest *near, size_t i, Lanes middle, Moment *m)
{
    const Lanes weight = lanes_load(near->weight + i * LANES);
    const float *row[ANB_KNN_MANY];
    const size_t d = near->d;
    rows_at(near->window, near->row, near->index + i * ANB_KNN_MANY, row);
    if (near->which)
        offsets_of_some(near, row, m->value);
    else
        offsets_of_all(near, row, m->value);
    lanes_store(m->value + d * LANES, lanes_sub(lanes_load(near->y + i * LANES), middle));
    lanes_store(m->value + (d + 1) * LANES, lanes_all(1));
    for (size_t c = 0; c < d + 2; c++)
        lanes_store(m->weighted + c * LANES, lanes_mul(weight, lanes_load(m->value + c * LANES)));
}

/* Adds `rows` neighbours, 1 to TOGETHER, one after the other to row j of the upper triangle and what is behind it. Returns
 * where row j + 1 starts. */
LANES_INLINE double *add_row(double *many, size_t j, size_t d, const Moment *m, const size_t rows)
{
    Lanes by[TOGETHER];
    for (size_t r = 0; r < rows; r++)
        by[r] = lanes_load(m[r].value + j * LANES);
    for (size_t c = j; c < d + 2; c++, many += LANES) {
        Lanes sum = lanes_load(many);
        for (size_t r = 0; r < rows; r++)
            sum = lanes_add(sum, lanes_mul(by[r], lanes_load(m[r].weighted + c * LANES)));
        lanes_store(many, sum);
    }
    return many;
}

/* The sums beside the triangle. */
typedef struct Sides {
    Lanes weight, y, least, most;
} Sides;

LANES_INLINE void add_sides(Sides *s, const AnbKnnNearest *near, size_t i, const Moment *m)
{
    Lanes target = lanes_load(near->y + i * LANES);
    s->least = lanes_min(target, s->least);
    s->most = lanes_max(target, s->most);
    s->weight = lanes_add(s->weight, lanes_load(near->weight + i * LANES));
    s->y = lanes_add(s->y, lanes_load(m->weighted + near->d * LANES));
}

/* TOGETHER neighbours from i on. The weights of the next ones are computed between the rows of the triangle: their roots and
 * divisions take long, and the sums here do not need them. */
LANES_INLINE void add_together(const AnbKnnNearest *near, size_t i, const Moment *m, Lanes last, double soft,
                               double *many)
{
    for (size_t j = 0; j < near->d; j++) {
        if (j < TOGETHER)
            weigh(near, i + TOGETHER + j, last, soft);
        many = add_row(many, j, near->d, m, TOGETHER);
    }
    for (size_t j = near->d; j < TOGETHER; j++)
        weigh(near, i + TOGETHER + j, last, soft);
}

static void moments(const AnbKnnNearest *near, double soft, double *many, double *low, double *high)
{
    Moment m[TOGETHER];
    const size_t d = near->d, k = near->k;
    const Lanes middle = lanes_load(near->y), last = farthest(near->weight, k);
    Sides sides = {lanes_zero(), lanes_zero(), middle, middle};
    double *sums = many + anb_ridge_plane_cell(d, d, d) * LANES;
    memset(many, 0, (size_t)(sums - many) * sizeof *many);
    for (size_t i = 0; i < TOGETHER; i++)
        weigh(near, i, last, soft);
    for (size_t i = 0; i < k; i += TOGETHER) {
        const size_t rows = k - i < TOGETHER ? k - i : TOGETHER;
        for (size_t r = 0; r < rows; r++) {
            moment_of(near, i + r, middle, &m[r]);
            add_sides(&sides, near, i + r, &m[r]);
        }
        if (rows == TOGETHER)
            add_together(near, i, m, last, soft, many);
        else
            for (size_t r = 0; r < rows; r++) {
                double *at = many;
                for (size_t j = 0; j < d; j++)
                    at = add_row(at, j, d, m + r, 1);
            }
    }
    lanes_store(sums, sides.weight);
    lanes_store(sums + LANES, sides.y);
    lanes_store(sums + 2 * LANES, middle);
    lanes_store(low, sides.least);
    lanes_store(high, sides.most);
}

const AnbKnnManyKernels ANB_PER_ISA(anb_knn_many_kernels) = {
    .turn = turn, .within = within, .bound = bound, .moments = moments};

ANB_ISA_REGISTER(AnbKnnManyKernels, anb_knn_many_kernels)
