/* The loops of near.h, compiled once per instruction set. */
#include "lanes.h"
#include "near.h"
#ifdef __SSE2__
#include <immintrin.h>
#endif

enum { PARTS = ANB_NEAR_ROWS * 4 / LANES_BYTES, PART_ROWS = LANES_BYTES / 4 }; /* vectors to a block; words to one */

typedef float Reals __attribute__((vector_size(LANES_BYTES), may_alias));
typedef float RealsMemory __attribute__((vector_size(LANES_BYTES), may_alias, aligned(4)));
typedef int32_t Words __attribute__((vector_size(LANES_BYTES), may_alias));
typedef int32_t WordsMemory __attribute__((vector_size(LANES_BYTES), may_alias, aligned(4)));

#define LOAD(p) (*(const WordsMemory *)(p))
#define STORE(p, v) (*(WordsMemory *)(p) = (v))

LANES_INLINE Words choose(Words mask, Words yes, Words no)
{
    return (mask & yes) | (~mask & no);
}

LANES_INLINE Words least(Words a, Words b)
{
    return choose(a < b, a, b);
}

/* Rounded and bounded; `most` gathers the sizes, whose bits are in the order of the numbers. */
LANES_INLINE Words codes_of(const float *x, const float *factor, float limit, Words *most)
{
    const Words low = (Words)(-limit - (Reals){0}), high = (Words)(limit - (Reals){0});
    Reals v = *(const RealsMemory *)x * *(const RealsMemory *)factor;
    Words size = (Words)v & 0x7fffffff;
    *most = choose(size > *most, size, *most);
    Words bounded = choose(v > (Reals)high, high, choose(v < (Reals)low, low, (Words)v));
    return (Words)((Reals)bounded + 12582912.0f) - 0x4b400000;
}

/* Sixteen features of a row, or what there is of them: rounded side by side, then two to a word. */
LANES_INLINE void encode_sixteen(const float *x, const float *factor, float limit, size_t pairs, uint32_t *code,
                                 Words *most)
{
    int32_t rounded[16];
    for (int p = 0; p < 16; p += PART_ROWS)
        STORE(rounded + p, codes_of(x + p, factor + p, limit, most));
    for (size_t j = 0; j < pairs; j++)
        code[j * ANB_NEAR_ROWS] = ((uint32_t)rounded[2 * j] & 0xffff) | (uint32_t)rounded[2 * j + 1] << 16;
}

static float encode(const float *window, size_t rows, size_t d, const float *factor, float limit, uint32_t *code)
{
    size_t pairs = anb_near_pairs(d);
    Words most = {0};
    for (size_t i = 0; i < rows; i++) {
        uint32_t *out = code + anb_near_word(i, d);
        for (size_t j = 0; j < pairs; j += 8, out += 8 * ANB_NEAR_ROWS)
            encode_sixteen(window + i * d + 2 * j, factor + 2 * j, limit, pairs - j < 8 ? pairs - j : 8, out, &most);
    }
    float largest = 0;
    for (int i = 0; i < PART_ROWS; i++) {
        float size = ((Reals)most)[i];
        largest = size > largest ? size : largest;
    }
    return largest;
}

/* Both halves' differences, squared and added. */
LANES_INLINE Words pair_square(Words a, Words b)
{
#if LANES_BYTES == 64
    __m512i off = _mm512_sub_epi16((__m512i)a, (__m512i)b);
    return (Words)_mm512_madd_epi16(off, off);
#elif LANES_BYTES == 32
    __m256i off = _mm256_sub_epi16((__m256i)a, (__m256i)b);
    return (Words)_mm256_madd_epi16(off, off);
#elif defined(__SSE2__)
    __m128i off = _mm_sub_epi16((__m128i)a, (__m128i)b);
    return (Words)_mm_madd_epi16(off, off);
#else
    Words low = (Words)((a << 16) >> 16) - ((b << 16) >> 16), high = (a >> 16) - (b >> 16);
    return low * low + high * high;
#endif
}

/* Distances of `blocks` neighbouring blocks, so that the query is spread once for all. */
LANES_INLINE void block_distances(const uint32_t *code, size_t pairs, size_t blocks, const uint32_t *query,
                                  int32_t *distance)
{
    Words sum[2 * PARTS];
    size_t apart = pairs * ANB_NEAR_ROWS;
    for (size_t p = 0; p < blocks * PARTS; p++)
        sum[p] = (Words){0};
    for (size_t j = 0; j < pairs; j++, code += ANB_NEAR_ROWS) {
        Words q = (int32_t)query[j] - (Words){0};
        for (size_t b = 0; b < blocks; b++)
            for (int p = 0; p < PARTS; p++)
                sum[b * PARTS + p] += pair_square(q, LOAD(code + b * apart + p * PART_ROWS));
    }
    for (size_t p = 0; p < blocks * PARTS; p++)
        STORE(distance + p * PART_ROWS, sum[p]);
}

LANES_INLINE void block_minima(const int32_t *distance, int32_t *minima)
{
    for (int p = 0; p < PARTS; p++)
        STORE(minima + p * PART_ROWS, least(LOAD(distance + p * PART_ROWS), LOAD(minima + p * PART_ROWS)));
}

static void distances(const uint32_t *code, size_t rows, size_t pairs, const uint32_t *query, int32_t *distance,
                      int32_t *minima, size_t sets)
{
    size_t set = 0, blocks = anb_near_blocks(rows), apart = pairs * ANB_NEAR_ROWS, b = 0;
    for (; b + 2 <= blocks; b += 2)
        block_distances(code + b * apart, pairs, 2, query, distance + b * ANB_NEAR_ROWS);
    if (b < blocks)
        block_distances(code + b * apart, pairs, 1, query, distance + b * ANB_NEAR_ROWS);
    for (size_t i = rows; i < blocks * ANB_NEAR_ROWS; i++)
        distance[i] = INT32_MAX;
    for (size_t i = 0; i < sets * ANB_NEAR_ROWS; i++)
        minima[i] = INT32_MAX;
    for (b = 0; b < blocks; b++) {
        block_minima(distance + b * ANB_NEAR_ROWS, minima + set * ANB_NEAR_ROWS);
        set = set + 1 == sets ? 0 : set + 1;
    }
}

LANES_INLINE size_t count_within(const int32_t *value, size_t n, int32_t bound)
{
    Words count = {0};
    for (size_t i = 0; i < n; i += PART_ROWS)
        count -= LOAD(value + i) <= bound;
    size_t sum = 0;
    for (int i = 0; i < PART_ROWS; i++)
        sum += (size_t)count[i];
    return sum;
}

/* By halving the range of the bound. */
static int32_t bound(const int32_t *value, size_t n, size_t k)
{
    Words lowest = LOAD(value);
    for (size_t i = PART_ROWS; i < n; i += PART_ROWS)
        lowest = least(lowest, LOAD(value + i));
    int32_t low = lowest[0], high = INT32_MAX;
    for (int i = 1; i < PART_ROWS; i++)
        low = lowest[i] < low ? lowest[i] : low;
    /* At most 2 low mostly holds enough: look there first. */
    int32_t first = low < 0x3fffffff ? 2 * low + 1 : INT32_MAX;
    while (low < high) {
        int32_t middle = first < high && first >= low ? first : low + (high - low) / 2;
        size_t within = count_within(value, n, middle);
        first = within < k && middle < 0x3fffffff ? 2 * middle + 1 : -1;
        if (within >= k && within <= k + k / 8)
            return middle;
        if (within >= k)
            high = middle;
        else
            low = middle + 1;
    }
    return high;
}

/* Which of 32 rows are within the bound, as bits. */
LANES_INLINE uint32_t mask_within(const int32_t *distance, int32_t bound)
{
    uint32_t mask = 0;
#if LANES_BYTES == 64
    __m512i most = _mm512_set1_epi32(bound);
    for (int p = 0; p < PARTS; p++)
        mask |= (uint32_t)_mm512_cmple_epi32_mask(_mm512_loadu_si512(distance + 16 * p), most) << 16 * p;
#elif LANES_BYTES == 32
    for (int p = 0; p < PARTS; p++)
        mask |= (uint32_t)_mm256_movemask_ps((__m256)(LOAD(distance + 8 * p) <= bound)) << 8 * p;
#elif defined(__SSE2__)
    for (int p = 0; p < PARTS; p++)
        mask |= (uint32_t)_mm_movemask_ps((__m128)(LOAD(distance + 4 * p) <= bound)) << 4 * p;
#else
    for (int i = 0; i < ANB_NEAR_ROWS; i++)
        mask |= (uint32_t)(distance[i] <= bound) << i;
#endif
    return mask;
}

static size_t collect(const int32_t *distance, size_t rows, int32_t bound, uint32_t *index)
{
    size_t found = 0;
    for (size_t at = 0; at < rows; at += ANB_NEAR_ROWS)
        for (uint32_t mask = mask_within(distance + at, bound); mask; mask &= mask - 1)
            index[found++] = (uint32_t)at + (uint32_t)__builtin_ctz(mask);
    return found;
}

typedef float LanesFloats __attribute__((vector_size(LANES_BYTES / 2), may_alias, aligned(4)));

LANES_INLINE Lanes lanes_of_floats(const float *from)
{
    Lanes l;
#define LANES_OP(p, at) l.p = __builtin_convertvector(*(const LanesFloats *)(from + at), LanesPart);
    LANES_EACH(LANES_OP)
#undef LANES_OP
    return l;
}

static void far(const float *window, size_t d, const uint32_t *index, size_t n, const double *query,
                const double *metric, double *out)
{
    for (size_t i = 0; i < n; i++) {
        const float *x = window + index[i] * d;
        Lanes sum = lanes_zero();
        for (size_t j = 0; j < d; j += LANES) {
            Lanes u = lanes_sub(lanes_of_floats(x + j), lanes_load(query + j));
            sum = lanes_add(sum, lanes_mul(lanes_load(metric + j), lanes_mul(u, u)));
        }
        out[i] = lanes_sum(sum);
    }
}

/* Each value's rank is a count over all: no branch to guess. */
static size_t keep(const double *value, size_t n, size_t k, uint32_t *index, double *distance)
{
    size_t taken = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t before = 0;
        double v = value[i];
        for (size_t j = 0; j < n; j++)
            before += value[j] < v;
        for (size_t j = 0; j < i; j++)
            before += value[j] == v;
        index[taken] = index[i];
        distance[taken] = v;
        taken += before < (int64_t)k && taken < k;
    }
    for (size_t i = 0; i < k; i++)
        distance[i] = __builtin_sqrt(distance[i]);
    return taken;
}

static void offsets(const float *window, size_t d, const uint32_t *index, size_t n, const double *query, double *u,
                    size_t stride)
{
    for (size_t i = 0; i < n; i++) {
        const float *x = window + index[i] * d;
        for (size_t j = 0; j < d; j += LANES)
            lanes_store(u + i * stride + j, lanes_sub(lanes_of_floats(x + j), lanes_load(query + j)));
    }
}

const AnbNearKernels ANB_PER_ISA(anb_near_kernels) = {
    .encode = encode,
    .distances = distances,
    .bound = bound,
    .collect = collect,
    .far = far,
    .keep = keep,
    .offsets = offsets,
};
