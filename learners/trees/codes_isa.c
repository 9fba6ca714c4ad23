/* The loops of bins.h that make codes, compiled once per instruction set. */
#include "bins.h"
#include "src/simd/lanes.h"

#if LANES_BYTES > 16
/* How many of eight edges lie below the value that all lanes of x hold. */
LANES_INLINE unsigned below(Lanes edges, Lanes x)
{
#if LANES_BYTES == 64
    return (unsigned)_mm_popcnt_u32(_mm512_cmp_pd_mask((__m512d)x.a, (__m512d)edges.a, _CMP_GT_OQ));
#else
    __m256i low = _mm256_castpd_si256(_mm256_cmp_pd((__m256d)x.a, (__m256d)edges.a, _CMP_GT_OQ));
    __m256i high = _mm256_castpd_si256(_mm256_cmp_pd((__m256d)x.b, (__m256d)edges.b, _CMP_GT_OQ));
    return (unsigned)_mm_popcnt_u32((unsigned)_mm256_movemask_epi8(_mm256_packs_epi32(low, high))) / 4;
#endif
}

/* anb_code, with the coarse edges in registers. */
LANES_INLINE uint8_t code_of(const AnbEdges *edges, Lanes coarse, double x)
{
    const Lanes all = lanes_all(x);
    unsigned first = 8 * (below(coarse, all) & 7);
    unsigned code = first + below(lanes_load(edges->edge + first), all);
    return (uint8_t)(x == x ? code : ANB_MISSING);
}
#else
LANES_INLINE uint8_t code_of(const AnbEdges *edges, Lanes coarse, double x)
{
    (void)coarse;
    return (uint8_t)anb_code(edges, x);
}
#endif

static void row(const AnbEdges *edges, const double *values, size_t n, uint8_t *codes)
{
    for (size_t j = 0; j < n; j++)
        codes[j] = code_of(&edges[j], lanes_load(edges[j].coarse), values[j]);
}

const AnbCodeKernels ANB_PER_ISA(anb_code_kernels) = {.row = row};

ANB_ISA_REGISTER(AnbCodeKernels, anb_code_kernels)
