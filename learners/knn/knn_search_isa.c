/* The loops of knn_search.h, compiled once per instruction set. */
#include "knn_words.h"

/* Rounded and bounded; `most` gathers the sizes. */
LANES_INLINE Words codes_of(const float *x, const float *factor, const float *offset, float limit, Reals *most)
{
    const Reals high = limit - (Reals){0}, low = -limit - (Reals){0};
    Reals v = (*(const RealsMemory *)x - *(const RealsMemory *)offset) * *(const RealsMemory *)factor;
    Reals size = (Reals)((Words)v & 0x7fffffff);
    *most = MORE_OF(size, *most);
    v = LESS_OF(v, high);
    return (Words)(MORE_OF(v, low) + 12582912.0f) - 0x4b400000;
}

LANES_INLINE void round_sixteen(const float *x, const float *factor, const float *offset, float limit, int16_t *rounded,
                                Reals *most)
{
#if LANES_BYTES == 64
    _mm256_storeu_si256((__m256i *)rounded, _mm512_cvtepi32_epi16((__m512i)codes_of(x, factor, offset, limit, most)));
#elif LANES_BYTES == 32
    __m256i low = (__m256i)codes_of(x, factor, offset, limit, most),
            high = (__m256i)codes_of(x + 8, factor + 8, offset + 8, limit, most);
    _mm256_storeu_si256((__m256i *)rounded, _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xd8));
#elif defined(__SSE2__)
    for (int p = 0; p < 16; p += 8) {
        __m128i low = (__m128i)codes_of(x + p, factor + p, offset + p, limit, most);
        __m128i high = (__m128i)codes_of(x + p + 4, factor + p + 4, offset + p + 4, limit, most);
        _mm_storeu_si128((__m128i *)(rounded + p), _mm_packs_epi32(low, high));
    }
#else
    for (int p = 0; p < 16; p += PART_ROWS)
        *(Shorts *)(rounded + p) =
            __builtin_convertvector(codes_of(x + p, factor + p, offset + p, limit, most), Shorts);
#endif
}

/* Four rows' words, four of each, turned into four words' rows; the first `words` of them. */
LANES_INLINE void turn_four(const int16_t *row, size_t words, uint32_t *code)
{
    const FourWords a = *(const FourWords *)row, b = *(const FourWords *)(row + 16), c = *(const FourWords *)(row + 32);
    const FourWords d = *(const FourWords *)(row + 48);
    const FourWords low = __builtin_shufflevector(a, b, 0, 4, 1, 5), high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const FourWords lower = __builtin_shufflevector(c, d, 0, 4, 1, 5),
                    higher = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *(FourWords *)code = __builtin_shufflevector(low, lower, 0, 1, 4, 5);
    if (words > 1)
        *(FourWords *)(code + ANB_KNN_SEARCH_ROWS) = __builtin_shufflevector(low, lower, 2, 3, 6, 7);
    if (words > 2)
        *(FourWords *)(code + 2 * ANB_KNN_SEARCH_ROWS) = __builtin_shufflevector(high, higher, 0, 1, 4, 5);
    if (words > 3)
        *(FourWords *)(code + 3 * ANB_KNN_SEARCH_ROWS) = __builtin_shufflevector(high, higher, 2, 3, 6, 7);
}

/* Sixteen features of four neighbouring rows of a block, or what there is of them. Two codes in a row are a word. */
LANES_INLINE void encode_four(const float *x, size_t d, const float *factor, const float *offset, float limit,
                              size_t pairs, uint32_t *code, Reals *most)
{
    int16_t rounded[4 * 16];
    for (size_t r = 0; r < 4; r++)
        round_sixteen(x + r * d, factor, offset, limit, rounded + 16 * r, most);
    turn_four(rounded, pairs, code);
    if (pairs > 4)
        turn_four(rounded + 8, pairs - 4, code + 4 * ANB_KNN_SEARCH_ROWS);
}

LANES_INLINE float largest_of(Reals sizes)
{
#if LANES_BYTES == 64
    return _mm512_reduce_max_ps((__m512)sizes);
#else
    float largest = 0;
    for (int p = 0; p < PART_ROWS; p++) {
        float size = sizes[p];
        largest = size > largest ? size : largest;
    }
    return largest;
#endif
}

static float encode(const float *window, size_t rows, size_t d, const float *factor, const float *offset, float limit,
                    uint32_t *code)
{
    size_t pairs = anb_knn_search_pairs(d), i = 0;
    Reals sizes = {0};
    for (; i + 4 <= rows; i += 4)
        for (size_t j = 0; j < pairs; j += 8)
            encode_four(window + i * d + 2 * j, d, factor + 2 * j, offset + 2 * j, limit, pairs - j,
                        code + anb_knn_search_word(i, d) + j * ANB_KNN_SEARCH_ROWS, &sizes);
    float largest = largest_of(sizes);
    for (; i < rows; i++) {
        float size = anb_knn_search_encode_row(window + i * d, d, factor, offset, limit,
                                               code + anb_knn_search_word(i, d), ANB_KNN_SEARCH_ROWS);
        largest = size > largest ? size : largest;
    }
    return largest;
}

/* Two codes in a row are a word. */
static float encode_query(const float *x, size_t d, const float *factor, const float *offset, float limit,
                          uint32_t *code)
{
    Reals sizes = {0};
    for (size_t j = 0; j < d; j += 16)
        round_sixteen(x + j, factor + j, offset + j, limit, (int16_t *)(code + j / 2), &sizes);
    return largest_of(sizes);
}

/* Distances of `blocks` neighbouring blocks, so that the query is spread once for all, and what each adds to a set's
 * minima. */
LANES_INLINE void block_distances(const uint32_t *code, size_t pairs, size_t blocks, const uint32_t *query,
                                  const bool by_vnni, int32_t *distance, int32_t *const *minima)
{
    Words sum[2 * PARTS];
    size_t apart = pairs * ANB_KNN_SEARCH_ROWS;
    for (size_t p = 0; p < blocks * PARTS; p++)
        sum[p] = (Words){0};
    for (size_t j = 0; j < pairs; j++, code += ANB_KNN_SEARCH_ROWS) {
        Words q = (int32_t)query[j] - (Words){0};
        for (size_t b = 0; b < blocks; b++)
            for (int p = 0; p < PARTS; p++) {
                Words off = pair_difference(q, LOAD(code + b * apart + p * PART_ROWS));
                sum[b * PARTS + p] = add_pair_product(sum[b * PARTS + p], off, off, by_vnni);
            }
    }
    for (size_t b = 0; b < blocks; b++)
        for (int p = 0; p < PARTS; p++) {
            int32_t *least = minima[b] + p * PART_ROWS;
            STORE(distance + b * ANB_KNN_SEARCH_ROWS + p * PART_ROWS, sum[b * PARTS + p]);
            STORE(least, LEAST(sum[b * PARTS + p], LOAD(least)));
        }
}

/* The last block, where it is not full. */
static void rest_distances(const uint32_t *code, size_t rows, size_t pairs, const uint32_t *query, int32_t *distance,
                           int32_t *minima)
{
    int32_t unused[ANB_KNN_SEARCH_ROWS] = {0}, *nowhere = unused;
    block_distances(code, pairs, 1, query, false, distance, &nowhere);
    for (size_t i = 0; i < ANB_KNN_SEARCH_ROWS; i++) {
        distance[i] = i < rows ? distance[i] : INT32_MAX;
        minima[i] = distance[i] < minima[i] ? distance[i] : minima[i];
    }
}

LANES_INLINE void distances_by(const uint32_t *code, size_t rows, size_t pairs, const uint32_t *query,
                               const bool by_vnni, int32_t *distance, int32_t *minima, size_t sets)
{
    size_t set = 0, full = rows / ANB_KNN_SEARCH_ROWS, apart = pairs * ANB_KNN_SEARCH_ROWS;
    for (size_t i = 0; i < sets * ANB_KNN_SEARCH_ROWS; i++)
        minima[i] = INT32_MAX;
    for (size_t b = 0; b < full;) {
        size_t next = set + 1 == sets ? 0 : set + 1, after = next + 1 == sets ? 0 : next + 1;
        int32_t *const to[2] = {minima + set * ANB_KNN_SEARCH_ROWS, minima + next * ANB_KNN_SEARCH_ROWS};
        if (b + 2 <= full)
            block_distances(code + b * apart, pairs, 2, query, by_vnni, distance + b * ANB_KNN_SEARCH_ROWS, to);
        else
            block_distances(code + b * apart, pairs, 1, query, by_vnni, distance + b * ANB_KNN_SEARCH_ROWS, to);
        set = b + 2 <= full ? after : next;
        b += b + 2 <= full ? 2 : 1;
    }
    if (full * ANB_KNN_SEARCH_ROWS < rows)
        rest_distances(code + full * apart, rows % ANB_KNN_SEARCH_ROWS, pairs, query,
                       distance + full * ANB_KNN_SEARCH_ROWS, minima + set * ANB_KNN_SEARCH_ROWS);
}

static void distances(const uint32_t *code, size_t rows, size_t pairs, const uint32_t *query, int32_t *distance,
                      int32_t *minima, size_t sets)
{
    if (has_vnni())
        distances_by(code, rows, pairs, query, true, distance, minima, sets);
    else
        distances_by(code, rows, pairs, query, false, distance, minima, sets);
}

/* The largest of some minima is the first guess. */
static int32_t bound(const int32_t *value, size_t n, size_t k)
{
    Words lowest = LOAD(value);
    for (size_t i = PART_ROWS; i < n; i += PART_ROWS)
        lowest = LEAST(lowest, LOAD(value + i));
    Narrowing s = narrowing(least_of(lowest), INT32_MAX, -least_of(-lowest), n);
    bool under_way = s.low < s.high;
    while (under_way)
        under_way = narrow(&s, count_within(value, n, s.middle), k, n);
    return s.high;
}

LANES_INLINE uint32_t mask_at(const void *distance, size_t at, int32_t bound)
{
    return mask_within((const int32_t *)distance + at, bound);
}

static size_t collect(const int32_t *distance, size_t rows, int32_t bound, uint32_t *index)
{
    return collect_within(distance, rows, bound, mask_at, index);
}

/* Rows that are measured together: their sums stay in registers, and are summed across at once. */
enum { GROUP = 8 };

/* Of `n` rows, 1 to GROUP; those that are missing repeat the first. `few`: one block of features. */
LANES_INLINE void far_group(const float *window, size_t d, const uint32_t *index, size_t n, const float *query,
                            const float *metric, const bool few, float *out)
{
    const float *row[GROUP];
    float sums[GROUP];
    Lanes sum[GROUP];
    for (size_t r = 0; r < GROUP; r++) {
        row[r] = window + index[r < n ? r : 0] * d;
        const Lanes u = lanes_sub(lanes_load(row[r]), lanes_load(query));
        sum[r] = lanes_mul(lanes_load(metric), lanes_mul(u, u));
    }
    for (size_t j = LANES; j < d && !few; j += LANES)
        for (size_t r = 0; r < GROUP; r++) {
            const Lanes u = lanes_sub(lanes_load(row[r] + j), lanes_load(query + j));
            sum[r] = lanes_add(sum[r], lanes_mul(lanes_load(metric + j), lanes_mul(u, u)));
        }
    if (n == GROUP) {
        lanes_sum8(sum, out);
        return;
    }
    lanes_sum8(sum, sums);
    for (size_t r = 0; r < n; r++)
        out[r] = sums[r];
}

static void far(const float *window, size_t d, const uint32_t *index, size_t n, const float *query, const float *metric,
                float *out)
{
    size_t i = 0;
    for (; i + GROUP <= n && d <= LANES; i += GROUP)
        far_group(window, d, index + i, GROUP, query, metric, true, out + i);
    for (; i + GROUP <= n; i += GROUP)
        far_group(window, d, index + i, GROUP, query, metric, false, out + i);
    if (i < n)
        far_group(window, d, index + i, n - i, query, metric, false, out + i);
}

/* The k-th least of n values >= 0: a rank is a count over all, with no branch to guess. */
LANES_INLINE float kth(const float *value, size_t n, size_t k)
{
    const Lanes one = lanes_all(1), none = lanes_zero(), most = lanes_all((float)k);
    Lanes last = none;
    for (size_t i = 0; i < n; i += LANES) {
        Lanes v = lanes_load_floats(value + i, n - i), before = none;
        for (size_t j = 0; j < n; j++)
            before = lanes_add(before, lanes_where_above(v, lanes_all(value[j]), one, none));
        last = lanes_max(last, lanes_where_above(most, before, v, none));
    }
    return lanes_top(last);
}

static size_t keep(const float *value, size_t n, size_t k, uint32_t *index, float *least)
{
    size_t taken = 0, ties = k;
    const float last = kth(value, n, k);
    for (size_t i = 0; i < n; i++)
        ties -= value[i] < last;
    for (size_t i = 0; i < n; i++) {
        size_t tie = (size_t)(value[i] == last) & (size_t)(ties > 0);
        index[taken] = index[i];
        least[taken] = value[i];
        ties -= tie;
        taken += tie | (size_t)(value[i] < last);
    }
    return taken;
}

const AnbKnnSearchKernels ANB_PER_ISA(anb_knn_search_kernels) = {
    .encode = encode,
    .encode_query = encode_query,
    .distances = distances,
    .bound = bound,
    .collect = collect,
    .far = far,
    .keep = keep,
};

ANB_ISA_REGISTER(AnbKnnSearchKernels, anb_knn_search_kernels)
