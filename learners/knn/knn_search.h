/*
 * The k nearest rows of a window. A first pass over all rows in 16-bit whole numbers finds candidates, among which are
 * all of the k nearest; the distances of the candidates are then computed in floats.
 *
 * The window is rows of d floats, with ANB_KNN_SEARCH_SLACK finite ones behind the last. Beside it lie the codes,
 * bounded to +-limit, two features to a word, in blocks of 32 rows:
 *
 *     code[(i / 32 * pairs + j / 2) * 32 + i % 32] = low half: feature j even, high half: feature j + 1
 *
 * A code is round(factor[j] (x_ij - offset[j])). The offset keeps the codes of time, which grows, small. With factor[j]
 * = s sqrt(m_j) the distance of two codes is s times the distance by the metric m, up to an error of one unit a
 * feature: sqrt(d) in all (anb_knn_search_widen), unless a code was bounded. Whole numbers are not rounded, so every
 * instruction set (isa.h) gives the same result; the limit is such that no sum overflows.
 *
 *     anb_knn_search_distances -> anb_knn_search_bound(minima, k) -> anb_knn_search_widen -> anb_knn_search_collect
 *                              -> exact distances of those
 */
#ifndef ANB_LEARNERS_KNN_KNN_SEARCH_H
#define ANB_LEARNERS_KNN_KNN_SEARCH_H

#include "src/simd/isa.h"
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANB_KNN_SEARCH_ROWS = 32 }; /* rows of a block */
enum { ANB_KNN_SEARCH_SLACK = 16, ANB_KNN_SEARCH_SPARE = 15 };

typedef struct AnbKnnSearchKernels {
    float (*encode)(const float *window, size_t rows, size_t d, const float *factor, const float *offset, float limit,
                    uint32_t *code);
    float (*encode_query)(const float *x, size_t d, const float *factor, const float *offset, float limit,
                          uint32_t *code);
    void (*distances)(const uint32_t *code, size_t rows, size_t pairs, const uint32_t *query, int32_t *distance,
                      int32_t *minima, size_t sets);
    int32_t (*bound)(const int32_t *value, size_t n, size_t k);
    size_t (*collect)(const int32_t *distance, size_t rows, int32_t bound, uint32_t *index);
    void (*far)(const float *window, size_t d, const uint32_t *index, size_t n, const float *query, const float *metric,
                float *out);
    size_t (*keep)(const float *value, size_t n, size_t k, uint32_t *index, float *least);
} AnbKnnSearchKernels;

ANB_ISA_TABLE(AnbKnnSearchKernels, anb_knn_search_kernels);

/* n rounded up, for the arrays that are read by sixteens. */
static inline size_t anb_knn_search_padded(size_t n)
{
    return (n + 15) / 16 * 16;
}

static inline size_t anb_knn_search_blocks(size_t rows)
{
    return (rows + ANB_KNN_SEARCH_ROWS - 1) / ANB_KNN_SEARCH_ROWS;
}

/* Words of a row's codes. */
static inline size_t anb_knn_search_pairs(size_t d)
{
    return (d + 1) / 2;
}

/* d differences of twice as much, squared, are 2^31 at most. */
static inline double anb_knn_search_half(size_t d)
{
    return sqrt(0x1p29 / (double)(2 * anb_knn_search_pairs(d)));
}

/* The largest code: d differences of twice that, squared, stay below 2^31. */
static inline float anb_knn_search_limit(size_t d)
{
    double most = ceil(anb_knn_search_half(d)) - 1;
    return most < 16000 ? (float)most : 16000.0f;
}

/* The largest code of a row in a snapshot: up to 0.9.0 the limit was larger by 1 where anb_knn_search_half is a whole
 * number (7, 8, 31, 32, .. features). No query's code is above the limit of now, so that distances from such codes stay
 * below 2^31 as well. */
static inline float anb_knn_search_kept_limit(size_t d)
{
    double most = floor(anb_knn_search_half(d));
    return most < 16000 ? (float)most : 16000.0f;
}

/* Where the codes of row i start; its words are 32 apart. */
static inline size_t anb_knn_search_word(size_t i, size_t d)
{
    return i / ANB_KNN_SEARCH_ROWS * anb_knn_search_pairs(d) * ANB_KNN_SEARCH_ROWS + i % ANB_KNN_SEARCH_ROWS;
}

/* A word of two codes, and the codes of a word. */
static inline uint32_t anb_knn_search_pair(int32_t low, int32_t high)
{
    return ((uint32_t)low & 0xffff) | (uint32_t)high << 16;
}

static inline int anb_knn_search_low(uint32_t word)
{
    return (int16_t)(word & 0xffff);
}

static inline int anb_knn_search_high(uint32_t word)
{
    return (int16_t)(word >> 16);
}

/**
 * Codes of one row.
 *
 * @param x       d values
 * @param factor  d factors >= 0; |factor (x - offset)| < 3e38
 * @param offset  d offsets
 * @param code    out: anb_knn_search_pairs(d) words, `stride` apart
 * @return        the largest |factor (x - offset)|: above the limit something was bounded
 */
float anb_knn_search_encode_row(const float *x, size_t d, const float *factor, const float *offset, float limit,
                                uint32_t *code, size_t stride);

/* The same for the first rows of a window; factor and offset have zeros up to anb_knn_search_padded(d). */
static inline float anb_knn_search_encode(const float *window, size_t rows, size_t d, const float *factor,
                                          const float *offset, float limit, uint32_t *code)
{
    return anb_knn_search_kernels.encode(window, rows, d, factor, offset, limit, code);
}

/* The codes of one row side by side, as anb_knn_search_encode_row: of x, factor, offset and what they are rounded to
 * whole lanes are used, zeros behind d. */
static inline float anb_knn_search_encode_query(const float *x, size_t d, const float *factor, const float *offset,
                                                float limit, uint32_t *code)
{
    return anb_knn_search_kernels.encode_query(x, d, factor, offset, limit, code);
}

/**
 * Squared distances of the codes, and minima over disjoint groups of rows.
 *
 * @param rows      rows in use; others of the last block get INT32_MAX
 * @param query     a row's codes, side by side
 * @param distance  out: anb_knn_search_blocks(rows) * 32
 * @param minima    out: sets * 32; entry s * 32 + r is the least distance of rows r of the blocks b with b % sets == s
 * @param sets      >= 1; with k <= sets * 32 and sets <= blocks the k-th least of the minima bounds the k-th distance
 *
 * Cost: 3 operations for two features of 16 rows with AVX-512.
 */
static inline void anb_knn_search_distances(const uint32_t *code, size_t rows, size_t pairs, const uint32_t *query,
                                            int32_t *distance, int32_t *minima, size_t sets)
{
    anb_knn_search_kernels.distances(code, rows, pairs, query, distance, minima, sets);
}

/* A bound that at least k of n values >= 0 do not exceed, and at most k + k/8, or k + k/2 after some steps, where they
 * differ enough. n a multiple of 32, 1 <= k <= n. */
static inline int32_t anb_knn_search_bound(const int32_t *value, size_t n, size_t k)
{
    return anb_knn_search_kernels.bound(value, n, k);
}

/* How far the codes' distance of a row may be from that of one within a bound whose true distance is no smaller. */
static inline double anb_knn_search_margin(size_t d)
{
    return 2.01 * sqrt((double)d) + 1;
}

static inline int32_t anb_knn_search_widen_by(int32_t bound, double margin)
{
    double root = sqrt((double)bound) + margin;
    return root * root < 2147483646 ? (int32_t)(root * root) : 2147483646;
}

/* What the codes' squared distance of a row may be whose true distance is no larger than that of one within `bound`. */
static inline int32_t anb_knn_search_widen(int32_t bound, size_t d)
{
    return anb_knn_search_widen_by(bound, anb_knn_search_margin(d));
}

/* Rows with distance <= bound, ascending; returns how many. `index` has room for ANB_KNN_SEARCH_SPARE more. */
static inline size_t anb_knn_search_collect(const int32_t *distance, size_t rows, int32_t bound, uint32_t *index)
{
    return anb_knn_search_kernels.collect(distance, rows, bound, index);
}

/* Squared distances of n rows by the metric; query and metric have zeros up to anb_knn_search_padded(d). A difference
 * of cells is a float to its last digit, so a distance is exact to some 1e-6 of itself; one of less than 1e-19 in
 * features of metric 1 is 0. */
static inline void anb_knn_search_far(const float *window, size_t d, const uint32_t *index, size_t n,
                                      const float *query, const float *metric, float *out)
{
    anb_knn_search_kernels.far(window, d, index, n, query, metric, out);
}

/* The k least of n values >= 0, ties in order, into `least`, and index reduced to them. `least` has room for k + 1.
 * Cost: n^2 comparisons, sixteen at a time with AVX-512; for n up to 100 or so. */
static inline size_t anb_knn_search_keep(const float *value, size_t n, size_t k, uint32_t *index, float *least)
{
    return anb_knn_search_kernels.keep(value, n, k, index, least);
}

/* A window to search by a metric. Rows from `older` on may still have codes by other factors. */
typedef struct AnbKnnSearch {
    size_t rows, d; /* in use; features */
    const float *window;
    const uint32_t *code;
    const float *metric; /* m_j > 0, and zeros up to anb_knn_search_padded(d) */
    bool bounded;        /* some code was bounded: all rows are looked at */
    size_t older;        /* a multiple of ANB_KNN_SEARCH_ROWS; from `rows` on: none */
    double least, most;  /* of the squares of factor / older factor */
} AnbKnnSearch;

/* A query's codes: by the factors, and by those of the older rows where there are any. */
typedef struct AnbKnnSearchQuery {
    const float *x; /* d values, and zeros up to anb_knn_search_padded(d) */
    const uint32_t *code, *older;
    bool bounded; /* some code of it was */
} AnbKnnSearchQuery;

/* Work space of a search. */
typedef struct AnbKnnSearchWork {
    int32_t *distance, *minima; /* anb_knn_search_blocks(window) * 32; (sets + 1) * 32 */
    float *far;                 /* 3 floats for each of the window's rows and 2, where a double may lie */
    size_t sets;                /* about k / 4 gives a good bound */
} AnbKnnSearchWork;

/**
 * The k nearest rows by distances in floats (anb_knn_search_far), in the order of the window; of equals at the k-th
 * distance the first ones.
 *
 * @param near      the window
 * @param query     the row whose neighbours are searched
 * @param k         1 to near->rows
 * @param index     out: k rows; room for all of the window's and ANB_KNN_SEARCH_SPARE more
 * @param square    out: k squared distances; room for k + 1
 * @param work      work space
 */
void anb_knn_search_search(const AnbKnnSearch *near, const AnbKnnSearchQuery *query, size_t k, uint32_t *index,
                           float *square, const AnbKnnSearchWork *work);

/* All rows that may be among the k nearest, in order; none where codes were bounded: then all of them may. Returns how
 * many. `index` has room for all of the window's and ANB_KNN_SEARCH_SPARE more. */
size_t anb_knn_search_candidates(const AnbKnnSearch *near, const AnbKnnSearchQuery *query, size_t k, uint32_t *index,
                                 const AnbKnnSearchWork *work);

/* The second half of a search: the k nearest of the `found` rows in `index`, of all where there are none. */
void anb_knn_search_nearest(const AnbKnnSearch *near, const float *x, size_t found, size_t k, uint32_t *index,
                            float *square, const AnbKnnSearchWork *work);

/* The k-th least of n values, k from 1; rearranges them. */
double anb_knn_search_kth(double *value, size_t n, size_t k);

#endif
