/* The kernels of cuts.h, compiled once per instruction set. */
#include "cuts.h"
#include "src/simd/lanes.h"
#ifdef __AVX2__
#include <immintrin.h>
#endif

enum { TOGETHER = 8 }; /* trees walked interleaved: each waits for its own loads only */

static void descend(const AnbCut *cuts, size_t trees, unsigned depth, const float *row, uint8_t *leaf)
{
    size_t size = (size_t)1 << depth;
    for (size_t t = 0; t < trees; t += TOGETHER, cuts += TOGETHER * size) {
        uint32_t k[TOGETHER];
        for (size_t u = 0; u < TOGETHER; u++)
            k[u] = 1;
        for (unsigned level = 0; level < depth; level++)
            for (size_t u = 0; u < TOGETHER; u++) {
                const AnbCut *cut = cuts + u * size + k[u];
                k[u] = 2 * k[u] + (row[cut->feature] > cut->threshold);
            }
        for (size_t u = 0; u < TOGETHER; u++)
            leaf[t + u] = (uint8_t)(k[u] - size);
    }
}

#ifdef __AVX2__
/* All cuts of a tree are compared, from the lowest level up; each node keeps, a byte a row, the leaf that its rows
 * reach. Until the end rows are in the order in which packing the comparisons leaves them. */
#if LANES_BYTES == 64
typedef __mmask32 Right;

LANES_INLINE Right goes_right(const float *column, float threshold)
{
    const __m512 t = _mm512_set1_ps(threshold);
    __mmask16 low = _mm512_cmp_ps_mask(_mm512_loadu_ps(column), t, _CMP_GT_OQ);
    __mmask16 high = _mm512_cmp_ps_mask(_mm512_loadu_ps(column + 16), t, _CMP_GT_OQ);
    return _mm512_kunpackw(high, low);
}

LANES_INLINE __m256i pick(Right right, __m256i yes, __m256i no)
{
    return _mm256_mask_blend_epi8(right, no, yes);
}

LANES_INLINE __m256i in_order(__m256i rows)
{
    return rows;
}
#else
typedef __m256i Right;

LANES_INLINE Right goes_right(const float *column, float threshold)
{
    const __m256 t = _mm256_set1_ps(threshold);
    __m256i part[4];
    for (int i = 0; i < 4; i++)
        part[i] = (__m256i)_mm256_cmp_ps(_mm256_loadu_ps(column + 8 * i), t, _CMP_GT_OQ);
    return _mm256_packs_epi16(_mm256_packs_epi32(part[0], part[1]), _mm256_packs_epi32(part[2], part[3]));
}

LANES_INLINE __m256i pick(Right right, __m256i yes, __m256i no)
{
    return _mm256_blendv_epi8(no, yes, right);
}

LANES_INLINE __m256i in_order(__m256i rows)
{
    return _mm256_permutevar8x32_epi32(rows, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}
#endif

LANES_INLINE void tree_rows(const AnbCut *cuts, unsigned depth, const float *columns, uint8_t *leaf)
{
    __m256i reached[1 << (ANB_CUTS_DEPTH - 1)];
    size_t width = (size_t)1 << (depth - 1);
    for (size_t k = 0; k < width; k++) {
        AnbCut cut = cuts[width + k];
        Right right = goes_right(columns + (size_t)cut.feature * ANB_CUTS_ROWS, cut.threshold);
        reached[k] = pick(right, _mm256_set1_epi8((char)(2 * k + 1)), _mm256_set1_epi8((char)(2 * k)));
    }
    while (width /= 2)
        for (size_t k = 0; k < width; k++) {
            AnbCut cut = cuts[width + k];
            Right right = goes_right(columns + (size_t)cut.feature * ANB_CUTS_ROWS, cut.threshold);
            reached[k] = pick(right, reached[2 * k + 1], reached[2 * k]);
        }
    _mm256_storeu_si256((__m256i *)leaf, in_order(reached[0]));
}
#else
/* Eight rows walk interleaved. */
LANES_INLINE void tree_rows(const AnbCut *cuts, unsigned depth, const float *columns, uint8_t *leaf)
{
    size_t size = (size_t)1 << depth;
    for (size_t i = 0; i < ANB_CUTS_ROWS; i += TOGETHER) {
        uint32_t k[TOGETHER];
        for (size_t u = 0; u < TOGETHER; u++)
            k[u] = 1;
        for (unsigned level = 0; level < depth; level++)
            for (size_t u = 0; u < TOGETHER; u++) {
                const AnbCut *cut = cuts + k[u];
                k[u] = 2 * k[u] + (columns[cut->feature * ANB_CUTS_ROWS + i + u] > cut->threshold);
            }
        for (size_t u = 0; u < TOGETHER; u++)
            leaf[i + u] = (uint8_t)(k[u] - size);
    }
}
#endif

static void descend_rows(const AnbCut *cuts, size_t trees, unsigned depth, const float *columns, uint8_t *leaf)
{
    for (size_t t = 0; t < trees; t++, cuts += (size_t)1 << depth, leaf += ANB_CUTS_ROWS)
        tree_rows(cuts, depth, columns, leaf);
}

typedef uint8_t Bytes __attribute__((vector_size(LANES_BYTES), may_alias));
typedef uint8_t BytesMemory __attribute__((vector_size(LANES_BYTES), may_alias, aligned(1)));

/* Bits of LANES_BYTES rows at one level: all ones where a row stands at node `path` of the level and goes right. */
LANES_INLINE Bytes right_at(AnbCut cut, const uint8_t *codes, size_t features, Bytes path, unsigned node)
{
    size_t feature = cut.feature < features ? cut.feature : cut.feature - features;
    Bytes code = *(const BytesMemory *)(codes + feature * ANB_CUTS_BLOCK);
    code = code + cut.missing_left; /* 255 + 1 is 0: left of everything */
    return (Bytes)(code > (uint8_t)(cut.code + cut.missing_left)) & (Bytes)(path == (uint8_t)node);
}

static void apply(const AnbCut *cuts, unsigned depth, const uint8_t *codes, size_t features, uint8_t *leaf)
{
    for (size_t i = 0; i < ANB_CUTS_BLOCK; i += LANES_BYTES) {
        Bytes path = {0};
        for (unsigned level = 0; level < depth; level++) {
            Bytes right = {0};
            for (unsigned node = 0; node < 1u << level; node++) {
                AnbCut cut = cuts[(1u << level) + node];
                if (cut.code < ANB_FINE_MISSING)
                    right |= right_at(cut, codes + i, features, path, node);
            }
            path = path + path + (right & 1);
        }
        *(BytesMemory *)(leaf + i) = path;
    }
}

const AnbCutsKernels ANB_PER_ISA(anb_cuts_kernels) = {
    .descend = descend,
    .descend_rows = descend_rows,
    .apply = apply,
};

ANB_ISA_REGISTER(AnbCutsKernels, anb_cuts_kernels)
