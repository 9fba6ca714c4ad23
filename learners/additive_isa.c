/* The kernels of additive.h, compiled once per instruction set: lanes of floats that meet in one order. Several rows at once:
 * additive_many_isa.c. */
#include "src/simd/lanes.h"
#include "additive.h"

enum { EIGHT = 8 };
typedef float Eight __attribute__((vector_size(32), may_alias, aligned(4)));
typedef int32_t EightMask __attribute__((vector_size(32)));
typedef double CellBits __attribute__((may_alias, aligned(4)));
typedef double FourCells __attribute__((vector_size(32)));

LANES_INLINE Eight eight_all(float v)
{
    return v - (Eight){0};
}

/* Of each lane `then` where the mask is set, else `other`. */
LANES_INLINE Eight eight_if(EightMask mask, Eight then, Eight other)
{
    EightMask bits = ((EightMask)then & mask) | ((EightMask)other & ~mask);
    return (Eight)bits;
}

LANES_INLINE Eight eight_clip(Eight v, float low, float high)
{
    Eight least = eight_all(low), most = eight_all(high);
    v = eight_if(v < least, least, v);
    return eight_if(v > most, most, v);
}

LANES_INLINE double eight_sum(Eight v)
{
    return (((double)v[0] + (double)v[4]) + ((double)v[2] + (double)v[6])) +
           (((double)v[1] + (double)v[5]) + ((double)v[3] + (double)v[7]));
}

static void find(const double *knots, const double *raw, size_t d, uint8_t *below)
{
    for (size_t j = 0; j < d; j++, knots += ANB_KNOTS) {
        unsigned n = 0;
        for (size_t i = 0; i < ANB_KNOTS; i++)
            n += knots[i] < raw[j];
        below[j] = (uint8_t)(raw[j] == raw[j] ? n : ANB_KNOTS + 1);
    }
}

/* Cells k to k + 7 of a list: their weights and their variances. A cell is moved as one double: 64 bits. */
LANES_INLINE void gather(const AdditiveCell *cell, const uint32_t *at, Eight *w, Eight *p)
{
#if LANES_BYTES > 16
    const CellBits *from = (const CellBits *)cell;
    FourCells low = {from[at[0]], from[at[1]], from[at[4]], from[at[5]]};
    FourCells high = {from[at[2]], from[at[3]], from[at[6]], from[at[7]]};
    *w = __builtin_shufflevector((Eight)low, (Eight)high, 0, 2, 8, 10, 4, 6, 12, 14);
    *p = __builtin_shufflevector((Eight)low, (Eight)high, 1, 3, 9, 11, 5, 7, 13, 15);
#else
    for (size_t i = 0; i < EIGHT; i++) {
        (*w)[i] = cell[at[i]].w;
        (*p)[i] = cell[at[i]].p;
    }
#endif
}

LANES_INLINE void scatter(AdditiveCell *cell, const uint32_t *at, Eight w, Eight p)
{
#if LANES_BYTES > 16
    CellBits *to = (CellBits *)cell;
    FourCells low = (FourCells)__builtin_shufflevector(w, p, 0, 8, 1, 9, 4, 12, 5, 13);
    FourCells high = (FourCells)__builtin_shufflevector(w, p, 2, 10, 3, 11, 6, 14, 7, 15);
    to[at[0]] = low[0];
    to[at[1]] = low[1];
    to[at[2]] = high[0];
    to[at[3]] = high[1];
    to[at[4]] = low[2];
    to[at[5]] = low[3];
    to[at[6]] = high[2];
    to[at[7]] = high[3];
#else
    for (size_t i = 0; i < EIGHT; i++)
        cell[at[i]] = (AdditiveCell){w[i], p[i]};
#endif
}

static AdditiveSums say(const AdditiveCell *cell, const uint32_t *at, const float *lifts, size_t n, float *w, float *p)
{
    Eight f = {0}, variance = {0};
    for (size_t k = 0; k < n; k += EIGHT) {
        Eight a = *(const Eight *)(lifts + k), u, q;
        gather(cell, at + k, &u, &q);
        *(Eight *)(w + k) = u;
        *(Eight *)(p + k) = q;
        f += a * u;
        variance += a * a * q;
    }
    return (AdditiveSums){eight_sum(f), eight_sum(variance)};
}

static void learn(AdditiveCell *cell, const uint32_t *at, float *lifts, size_t n, const float *w, const float *p,
                  const AdditivePace *pace)
{
    const Eight step = eight_all(pace->step), shrink = eight_all(pace->shrink), lift = eight_all(pace->lift),
                least = eight_all(pace->least), one = eight_all(1);
    for (size_t k = 0; k < n; k += EIGHT) {
        Eight a = *(const Eight *)(lifts + k), u = *(const Eight *)(w + k), q = *(const Eight *)(p + k), aq = a * q;
        scatter(cell, at + k, u + step * aq, eight_if(q > least, q - shrink * aq * aq, q));
        Eight by = one + eight_clip(lift * a * u, -(float)ANB_LIFT_STEP, (float)ANB_LIFT_STEP);
        *(Eight *)(lifts + k) = eight_clip(a * by, (float)ANB_LIFT_LEAST, (float)ANB_LIFT_MOST);
    }
}

const AdditiveKernels ANB_PER_ISA(anb_additive_kernels) = {find, say, learn};
ANB_ISA_REGISTER(AdditiveKernels, anb_additive_kernels)
