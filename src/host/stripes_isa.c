/* The loops of stripes.h, compiled once per instruction set. */
#include "src/simd/lanes.h"
#include "stripes.h"
#ifdef __SSE2__
#include "src/simd/four_bytes.h"
#endif

/* Adds what there is from the i-th sample of the part on. */
static void pick_one_by_one(const AnbStripePart *p, size_t i, AnbOwn *own)
{
    const AnbSamples *s = p->call;
    size_t before = own->n, found = before;
    for (; i < p->n; i++) {
        own->number[found] = p->from + (uint32_t)i;
        found += (uintptr_t)s->models[p->from + i] - p->low < p->size;
    }
    for (i = before; i < found; i++) {
        own->models[i] = s->models[own->number[i]];
        own->x[i] = s->x[own->number[i]];
    }
    for (i = before; s->y && i < found; i++)
        own->y[i] = s->y[own->number[i]];
    own->n = found;
}

#if LANES_BYTES == 64 && UINTPTR_MAX > UINT32_MAX
/* Some of eight values; the others are not read: a target may lie where another thread writes a prediction. */
LANES_INLINE void keep(const void *from, __mmask8 some, void *to)
{
    _mm512_storeu_si512(to, _mm512_maskz_compress_epi64(some, _mm512_maskz_loadu_epi64(some, from)));
}

static void pick(const AnbStripePart *part, AnbOwn *own)
{
    const AnbStripePart p = *part;
    const AnbSamples s = *p.call;
    const __m512i low = _mm512_set1_epi64((long long)p.low), size = _mm512_set1_epi64((long long)p.size);
    __m256i number = _mm256_add_epi32(_mm256_set1_epi32((int)p.from), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    size_t found = 0, i = 0;
    for (; i + 8 <= p.n; i += 8, number = _mm256_add_epi32(number, _mm256_set1_epi32(8))) {
        __m512i models = _mm512_loadu_si512(s.models + p.from + i);
        __mmask8 some = _mm512_cmplt_epu64_mask(_mm512_sub_epi64(models, low), size);
        _mm256_storeu_si256((__m256i *)(own->number + found), _mm256_maskz_compress_epi32(some, number));
        _mm512_storeu_si512(own->models + found, _mm512_maskz_compress_epi64(some, models));
        keep(s.x + p.from + i, some, own->x + found);
        if (s.y)
            keep(s.y + p.from + i, some, own->y + found);
        found += (size_t)__builtin_popcount(some);
    }
    own->n = found;
    pick_one_by_one(&p, i, own);
}
#elif LANES_BYTES == 32 && UINTPTR_MAX > UINT32_MAX
/* Which of four values are kept, by the bits that say so, and the halves that they consist of. */
static const uint8_t kept[16][4] = {{0}, {0},    {1},    {0, 1},    {2},    {0, 2},    {1, 2},    {0, 1, 2},
                                    {3}, {0, 3}, {1, 3}, {0, 1, 3}, {2, 3}, {0, 2, 3}, {1, 2, 3}, {0, 1, 2, 3}};
static const uint8_t kept_halves[16][8] = {{0},
                                           {0, 1},
                                           {2, 3},
                                           {0, 1, 2, 3},
                                           {4, 5},
                                           {0, 1, 4, 5},
                                           {2, 3, 4, 5},
                                           {0, 1, 2, 3, 4, 5},
                                           {6, 7},
                                           {0, 1, 6, 7},
                                           {2, 3, 6, 7},
                                           {0, 1, 2, 3, 6, 7},
                                           {4, 5, 6, 7},
                                           {0, 1, 4, 5, 6, 7},
                                           {2, 3, 4, 5, 6, 7},
                                           {0, 1, 2, 3, 4, 5, 6, 7}};

/* Some of four values; the others are not read: a target may lie where another thread writes a prediction. */
LANES_INLINE void keep(const void *from, __m256i some, __m256i halves, void *to)
{
    __m256i read = _mm256_maskload_epi64((const long long *)from, some);
    _mm256_storeu_si256((__m256i *)to, _mm256_permutevar8x32_epi32(read, halves));
}

/* Those of four addresses that lie in the stripe, as masks; AVX2 compares with signs. */
LANES_INLINE __m256i in_stripe(const void *const *models, __m256i low, __m256i size)
{
    const __m256i sign = _mm256_set1_epi64x(INT64_MIN);
    __m256i above =
        _mm256_xor_si256(_mm256_sub_epi64(_mm256_loadu_si256((const __m256i *)(const void *)models), low), sign);
    return _mm256_cmpgt_epi64(_mm256_xor_si256(size, sign), above);
}

static void pick(const AnbStripePart *part, AnbOwn *own)
{
    const AnbStripePart p = *part;
    const AnbSamples s = *p.call;
    const __m256i low = _mm256_set1_epi64x((long long)p.low), size = _mm256_set1_epi64x((long long)p.size);
    __m128i number = _mm_add_epi32(_mm_set1_epi32((int)p.from), _mm_setr_epi32(0, 1, 2, 3));
    size_t found = 0, i = 0;
    for (; i + 4 <= p.n; i += 4, number = _mm_add_epi32(number, _mm_set1_epi32(4))) {
        __m256i some = in_stripe((const void *const *)s.models + p.from + i, low, size);
        int bits = _mm256_movemask_pd(_mm256_castsi256_pd(some));
        __m256i halves = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)kept_halves[bits]));
        __m128i order = _mm_cvtepu8_epi32(anb_four_bytes(kept[bits]));
        __m128 numbers = _mm_permutevar_ps(_mm_castsi128_ps(number), order);
        _mm_storeu_ps((float *)(void *)(own->number + found), numbers);
        keep(s.models + p.from + i, some, halves, own->models + found);
        keep(s.x + p.from + i, some, halves, own->x + found);
        if (s.y)
            keep(s.y + p.from + i, some, halves, own->y + found);
        found += (size_t)__builtin_popcount((unsigned)bits);
    }
    own->n = found;
    pick_one_by_one(&p, i, own);
}
#else
static void pick(const AnbStripePart *part, AnbOwn *own)
{
    own->n = 0;
    pick_one_by_one(part, 0, own);
}
#endif

/* Zero less one borrows from the highest bit. */
static bool sure(const void *const *pointers, size_t n)
{
    uintptr_t borrowed = 0;
    for (size_t i = 0; i < n; i++)
        borrowed |= (uintptr_t)pointers[i] | ((uintptr_t)pointers[i] - 1);
    return borrowed >> (8 * sizeof borrowed - 1) == 0;
}

const AnbStripeKernels ANB_PER_ISA(anb_stripe_kernels) = {.pick = pick, .sure = sure};

ANB_ISA_REGISTER(AnbStripeKernels, anb_stripe_kernels)
