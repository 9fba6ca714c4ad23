/* The loops of stripes.h, compiled once per instruction set. */
#include "src/simd/lanes.h"
#include "stripes.h"

static size_t list_one_by_one(const void *const *models, uint32_t from, size_t n, unsigned place, uint64_t stripes,
                              uint32_t *own)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        own[found] = from + (uint32_t)i;
        found += stripes >> anb_stripe_of(models[i], place) & 1;
    }
    return found;
}

#if LANES_BYTES == 64 && UINTPTR_MAX > UINT32_MAX
/* Eight models' bits. */
LANES_INLINE __mmask8 own_of(const void *const *models, __m128i place, __m512i stripes)
{
    __m512i key = _mm512_srl_epi64(_mm512_loadu_si512(models), place);
    __m512i product = _mm512_mul_epu32(key, _mm512_set1_epi64(ANB_STRIPE_FACTOR));
    __m512i stripe = _mm512_srli_epi64(_mm512_slli_epi64(product, 32), 32 + ANB_STRIPE_SHIFT);
    return _mm512_test_epi64_mask(_mm512_srlv_epi64(stripes, stripe), _mm512_set1_epi64(1));
}

static size_t list(const void *const *models, uint32_t from, size_t n, unsigned place, uint64_t stripes, uint32_t *own)
{
    const __m512i mine = _mm512_set1_epi64((long long)stripes);
    __m512i index = _mm512_add_epi32(_mm512_set1_epi32((int)from),
                                     _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0, 0, 0, 0, 0));
    size_t found = 0, i = 0;
    for (; i + 8 <= n; i += 8, index = _mm512_add_epi32(index, _mm512_set1_epi32(8))) {
        __mmask8 own_bits = own_of(models + i, _mm_cvtsi32_si128((int)place), mine);
        __m512i some = _mm512_maskz_compress_epi32(own_bits, index);
        _mm256_storeu_si256((__m256i *)(own + found), _mm512_castsi512_si256(some));
        found += (size_t)__builtin_popcount(own_bits);
    }
    return found + list_one_by_one(models + i, from + (uint32_t)i, n - i, place, stripes, own + found);
}
#else
static size_t list(const void *const *models, uint32_t from, size_t n, unsigned place, uint64_t stripes, uint32_t *own)
{
    return list_one_by_one(models, from, n, place, stripes, own);
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

const AnbStripeKernels ANB_PER_ISA(anb_stripe_kernels) = {.list = list, .sure = sure};

ANB_ISA_REGISTER(AnbStripeKernels, anb_stripe_kernels)
