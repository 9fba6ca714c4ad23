/* The loops of fine_codes.h, compiled once per instruction set. */
#include "fine_codes.h"
#include "src/simd/lanes.h"

#if LANES_BYTES == 64
typedef __m512 Edges;

LANES_INLINE Edges edges_at(const float *edge)
{
    return _mm512_loadu_ps(edge);
}

/* How many of sixteen edges lie below x. */
LANES_INLINE unsigned below(Edges edges, float x)
{
    return (unsigned)_mm_popcnt_u32(_mm512_cmp_ps_mask(_mm512_set1_ps(x), edges, _CMP_GT_OQ));
}
#elif LANES_BYTES == 32
typedef struct Edges {
    __m256 low, high;
} Edges;

LANES_INLINE Edges edges_at(const float *edge)
{
    return (Edges){_mm256_loadu_ps(edge), _mm256_loadu_ps(edge + 8)};
}

LANES_INLINE unsigned below(Edges edges, float x)
{
    const __m256 all = _mm256_set1_ps(x);
    unsigned low = (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(all, edges.low, _CMP_GT_OQ));
    unsigned high = (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(all, edges.high, _CMP_GT_OQ));
    return (unsigned)_mm_popcnt_u32(low | high << 8);
}
#else
typedef const float *Edges;

LANES_INLINE Edges edges_at(const float *edge)
{
    return edge;
}

LANES_INLINE unsigned below(Edges edges, float x)
{
    unsigned n = 0;
    for (int i = 0; i < ANB_FINE_BLOCK; i++)
        n += edges[i] < x;
    return n;
}
#endif

/* The last coarse edge is +infinity: a value is above fifteen at most. */
LANES_INLINE uint8_t code_of(const AnbFineEdges *edges, Edges coarse, float x)
{
    unsigned first = ANB_FINE_BLOCK * below(coarse, x);
    return (uint8_t)(x == x ? first + below(edges_at(edges->edge + first), x) : ANB_FINE_MISSING);
}

static void cells(const AnbFineEdges *edges, const float *values, size_t n, size_t stride, uint8_t *codes)
{
    for (size_t j = 0; j < n; j++)
        codes[j * stride] = code_of(&edges[j], edges_at(edges[j].coarse), values[j]);
}

static void column(const AnbFineEdges *edges, const float *values, size_t n, uint8_t *codes)
{
    const Edges coarse = edges_at(edges->coarse);
    for (size_t i = 0; i < n; i++)
        codes[i] = code_of(edges, coarse, values[i]);
}

const AnbFineKernels ANB_PER_ISA(anb_fine_kernels) = {.cells = cells, .column = column};

ANB_ISA_REGISTER(AnbFineKernels, anb_fine_kernels)
