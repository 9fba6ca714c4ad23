/* The kernels of additive.h, compiled once per instruction set: lanes of floats that meet in one order. Several rows at once:
 * additive_many_isa.c. */
#include "src/simd/lanes.h"
#include "additive.h"

enum { EIGHT = 8 };
typedef float Eight __attribute__((vector_size(32), may_alias, aligned(4)));
typedef int32_t EightMask __attribute__((vector_size(32)));

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

static AdditiveSums say(const AdditiveCell *cell, const uint32_t *at, const float *lifts, size_t n, float *w, float *p)
{
    Eight f = {0}, variance = {0};
    for (size_t k = 0; k < n; k++) {
        w[k] = cell[at[k]].w;
        p[k] = cell[at[k]].p;
    }
    for (size_t k = 0; k < n; k += EIGHT) {
        Eight a = *(const Eight *)(lifts + k);
        f += a * *(const Eight *)(w + k);
        variance += a * a * *(const Eight *)(p + k);
    }
    return (AdditiveSums){eight_sum(f), eight_sum(variance)};
}

static void learn(AdditiveCell *cell, const uint32_t *at, float *lifts, size_t n, const float *w, const float *p,
                  const AdditivePace *pace)
{
    float new_w[EIGHT], new_p[EIGHT];
    const Eight step = eight_all(pace->step), shrink = eight_all(pace->shrink), lift = eight_all(pace->lift),
                least = eight_all(pace->least), one = eight_all(1);
    for (size_t k = 0; k < n; k += EIGHT) {
        Eight a = *(const Eight *)(lifts + k), u = *(const Eight *)(w + k), q = *(const Eight *)(p + k), aq = a * q;
        *(Eight *)new_w = u + step * aq;
        *(Eight *)new_p = eight_if(q > least, q - shrink * aq * aq, q);
        Eight by = one + eight_clip(lift * a * u, -(float)ANB_LIFT_STEP, (float)ANB_LIFT_STEP);
        *(Eight *)(lifts + k) = eight_clip(a * by, (float)ANB_LIFT_LEAST, (float)ANB_LIFT_MOST);
        for (size_t i = 0; i < EIGHT; i++)
            cell[at[k + i]] = (AdditiveCell){new_w[i], new_p[i]};
    }
}

const AdditiveKernels ANB_PER_ISA(anb_additive_kernels) = {find, say, learn};
ANB_ISA_REGISTER(AdditiveKernels, anb_additive_kernels)
