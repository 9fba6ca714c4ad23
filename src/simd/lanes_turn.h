/* Eight rows of eight doubles turned into eight columns, for files compiled once per instruction set. */
#ifndef ANB_SIMD_LANES_TURN_H
#define ANB_SIMD_LANES_TURN_H

#include "lanes.h"

#if LANES_BYTES == 64
/* Columns c, c + 2, c + 4 and c + 6 from the pairs of rows 0 and 1, 2 and 3, 4 and 5, 6 and 7: a pair has lane c of both rows side
 * by side, then lane c + 2 of both, and so on. */
LANES_INLINE void lanes_turn_pairs(__m512d p, __m512d q, __m512d r, __m512d s, Lanes *column)
{
    __m512d pq = _mm512_shuffle_f64x2(p, q, 0x88), rs = _mm512_shuffle_f64x2(r, s, 0x88);
    __m512d pq2 = _mm512_shuffle_f64x2(p, q, 0xdd), rs2 = _mm512_shuffle_f64x2(r, s, 0xdd);
    column[0].a = (LanesPart)_mm512_shuffle_f64x2(pq, rs, 0x88);
    column[2].a = (LanesPart)_mm512_shuffle_f64x2(pq2, rs2, 0x88);
    column[4].a = (LanesPart)_mm512_shuffle_f64x2(pq, rs, 0xdd);
    column[6].a = (LanesPart)_mm512_shuffle_f64x2(pq2, rs2, 0xdd);
}

#define LANES_PAIR(half, i) _mm512_unpack##half##_pd((__m512d)row[i].a, (__m512d)row[(i) + 1].a)
LANES_INLINE void lanes_turn(const Lanes row[8], Lanes column[8])
{
    lanes_turn_pairs(LANES_PAIR(lo, 0), LANES_PAIR(lo, 2), LANES_PAIR(lo, 4), LANES_PAIR(lo, 6), column);
    lanes_turn_pairs(LANES_PAIR(hi, 0), LANES_PAIR(hi, 2), LANES_PAIR(hi, 4), LANES_PAIR(hi, 6), column + 1);
}
#undef LANES_PAIR
#elif LANES_BYTES == 32
/* Four rows of four. */
LANES_INLINE void lanes_turn_part(LanesPart p, LanesPart q, LanesPart r, LanesPart s, LanesPart column[4])
{
    __m256d low = _mm256_unpacklo_pd((__m256d)p, (__m256d)q), low2 = _mm256_unpacklo_pd((__m256d)r, (__m256d)s);
    __m256d high = _mm256_unpackhi_pd((__m256d)p, (__m256d)q), high2 = _mm256_unpackhi_pd((__m256d)r, (__m256d)s);
    column[0] = (LanesPart)_mm256_permute2f128_pd(low, low2, 0x20);
    column[1] = (LanesPart)_mm256_permute2f128_pd(high, high2, 0x20);
    column[2] = (LanesPart)_mm256_permute2f128_pd(low, low2, 0x31);
    column[3] = (LanesPart)_mm256_permute2f128_pd(high, high2, 0x31);
}

LANES_INLINE void lanes_turn(const Lanes row[8], Lanes column[8])
{
    LanesPart low[8], high[8];
    lanes_turn_part(row[0].a, row[1].a, row[2].a, row[3].a, low);
    lanes_turn_part(row[0].b, row[1].b, row[2].b, row[3].b, low + 4);
    lanes_turn_part(row[4].a, row[5].a, row[6].a, row[7].a, high);
    lanes_turn_part(row[4].b, row[5].b, row[6].b, row[7].b, high + 4);
    for (size_t c = 0; c < 8; c++)
        column[c] = (Lanes){low[c], high[c]};
}
#else
LANES_INLINE void lanes_turn(const Lanes row[8], Lanes column[8])
{
#define LANES_OP(p, at)                                                                                                \
    for (size_t c = 0; c < 2; c++)                                                                                     \
        column[at + c] = (Lanes){{row[0].p[c], row[1].p[c]},                                                           \
                                 {row[2].p[c], row[3].p[c]},                                                           \
                                 {row[4].p[c], row[5].p[c]},                                                           \
                                 {row[6].p[c], row[7].p[c]}};
    LANES_EACH (LANES_OP)
#undef LANES_OP
}
#endif

#endif
