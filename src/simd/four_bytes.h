/* Four bytes in the lowest word of a vector. For code for x86 alone. */
#ifndef ANB_SIMD_FOUR_BYTES_H
#define ANB_SIMD_FOUR_BYTES_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

/* _mm_loadu_si32, which older compilers lack, or have with the word in another place (gcc 11.1). */
static inline __m128i anb_four_bytes(const uint8_t *from)
{
    int bytes;
    memcpy(&bytes, from, sizeof bytes);
    return _mm_cvtsi32_si128(bytes);
}

#endif
