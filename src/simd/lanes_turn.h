/* Eight rows of eight doubles turned into eight columns, for files compiled once per instruction set. */
#ifndef ANB_SIMD_LANES_TURN_H
#define ANB_SIMD_LANES_TURN_H

#include "quads.h"

#if LANES_BYTES == 64
/* Columns c, c + 2, c + 4 and c + 6 from the pairs of rows 0 and 1, 2 and 3, 4 and 5, 6 and 7: a pair has lane c of
 * both rows side by side, then lane c + 2 of both, and so on. */
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
LANES_INLINE void lanes_turn(const Lanes row[8], Lanes column[8])
{
    Quad low[8], high[8]; /* columns 0 to 3 of each row; columns 4 to 7 */
    for (size_t r = 0; r < 8; r++) {
        low[r] = row[r].a;
        high[r] = row[r].b;
    }
    for (size_t r = 0; r < 8; r += 4) {
        quad_turn(low + r, low + r + 1, low + r + 2, low + r + 3);
        quad_turn(high + r, high + r + 1, high + r + 2, high + r + 3);
    }
    for (size_t c = 0; c < 4; c++) {
        column[c] = (Lanes){low[c], low[c + 4]};
        column[c + 4] = (Lanes){high[c], high[c + 4]};
    }
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
