/* Tables of `additive` carried over to new bands, compiled once per instruction set. A cell is moved as one double: 64
 * bits. */
#include "src/simd/lanes.h"
#include "additive.h"

typedef double CellBits __attribute__((may_alias, aligned(4)));
typedef double CellBlock __attribute__((vector_size(LANES_BYTES), may_alias, aligned(4)));

enum { BLOCK = LANES_BYTES / sizeof(AdditiveCell) };

/* n cells from one row to another: whole blocks, the last one from the end. */
LANES_INLINE void copy_row(AdditiveCell *to, const AdditiveCell *from, size_t n)
{
    size_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK)
        *(CellBlock *)(to + i) = *(const CellBlock *)(from + i);
    if (i < n && n >= BLOCK)
        *(CellBlock *)(to + n - BLOCK) = *(const CellBlock *)(from + n - BLOCK);
    else
        for (; i < n; i++)
            *(CellBits *)(to + i) = *(const CellBits *)(from + i);
}

static void rows(AdditiveCell *table, size_t stride, const AdditiveMoves *moves)
{
    for (size_t i = 0; i < moves->n; i++)
        copy_row(table + moves->to[i] * stride, table + moves->source[moves->to[i]] * stride, stride);
}

#if LANES_BYTES == 64
/* Eight cells of a new row, chosen from the three blocks of the old one. */
LANES_INLINE __m512d chosen(const __m512d *block, __m512i source)
{
    __m512d low = _mm512_permutex2var_pd(block[0], source, block[1]);
    return _mm512_mask_permutexvar_pd(low, _mm512_cmpgt_epu64_mask(source, _mm512_set1_epi64(15)), source, block[2]);
}

/* The cell of a missing value, the last of a row, stays. */
LANES_INLINE void columns_of(AdditiveCell *table, size_t stride, const AdditiveMoves *moves, const size_t blocks)
{
    const __mmask8 last = (__mmask8)(0xff >> (8 * blocks - (stride - 1)));
    __m512d block[3] = {_mm512_setzero_pd(), _mm512_setzero_pd(), _mm512_setzero_pd()};
    __m512i source[3];
    for (size_t b = 0; b < blocks; b++)
        source[b] = _mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)(moves->source + 8 * b)));
    for (double *row = (double *)table, *end = row + stride * stride; row < end; row += stride) {
        for (size_t b = 0; b < blocks; b++)
            block[b] = _mm512_maskz_loadu_pd(b + 1 < blocks ? 0xff : last, row + 8 * b);
        for (size_t b = 0; b < blocks; b++)
            _mm512_mask_storeu_pd(row + 8 * b, b + 1 < blocks ? 0xff : last, chosen(block, source[b]));
    }
}

static void columns(AdditiveCell *table, size_t stride, const AdditiveMoves *moves)
{
    if (stride <= 9)
        columns_of(table, stride, moves, 1);
    else if (stride <= 17)
        columns_of(table, stride, moves, 2);
    else
        columns_of(table, stride, moves, 3);
}
#else
/* Four rows at a time. */
static void columns(AdditiveCell *table, size_t stride, const AdditiveMoves *moves)
{
    CellBits *row = (CellBits *)table, *end = row + stride * stride;
    for (; row + 4 * stride <= end; row += 4 * stride)
        for (size_t i = 0; i < moves->n; i++) {
            const size_t to = moves->to[i], from = moves->source[to];
            row[to] = row[from];
            row[stride + to] = row[stride + from];
            row[2 * stride + to] = row[2 * stride + from];
            row[3 * stride + to] = row[3 * stride + from];
        }
    for (; row < end; row += stride)
        for (size_t i = 0; i < moves->n; i++)
            row[moves->to[i]] = row[moves->source[moves->to[i]]];
}
#endif

const AdditiveTableKernels ANB_PER_ISA(anb_additive_table_kernels) = {.rows = rows, .columns = columns};
ANB_ISA_REGISTER(AdditiveTableKernels, anb_additive_table_kernels)
