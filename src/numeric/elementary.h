/*
 * Elementary functions from + - * / and sqrt alone: the same bits on every processor, within 1 to 2 units in the last
 * place. The C library's own differ between processors, and a log that replays samples must rebuild the same model.
 */
#ifndef ANB_NUMERIC_ELEMENTARY_H
#define ANB_NUMERIC_ELEMENTARY_H

#include "src/simd/formulas.h"
#include "src/text/bits.h"
#include <anabranch/type.h>
#include <stddef.h>

#define ANB_PI 3.14159265358979323846

/* 2^k for k from -1022 to 1023. */
static inline double anb_power_of_two(int64_t k)
{
    return anb_from_bits((uint64_t)(k + 1023) << 52);
}

/* The greatest power of two that is not above x >= 0; 0 where x is smaller than a normal number, infinite where it is
 * not finite. */
static inline double anb_power_below(double x)
{
    return anb_from_bits(anb_to_bits(x) & UINT64_C(0x7ff) << 52);
}

/* x = k ln 2 + r with |r| <= ln 2 / 2: r as the sum of r and tail. |x| <= 1100. */
static inline double anb_exp_reduce(double x, int64_t *k, double *tail)
{
    const double shift = 0x1.8p52;
    double rounded = x * 0x1.71547652b82fep+0 + shift;
    double n = rounded - shift;
    double head = x - n * ANB_LN2_HIGH, rest = n * ANB_LN2_LOW;
    double r = head - rest;
    *k = (int64_t)(anb_to_bits(rounded) - anb_to_bits(shift));
    *tail = (head - r) - rest;
    return r;
}

ANB_DEFINE_EXP_SERIES(static inline, double, anb_exp_series)

/* e^x; infinite above 709.78, 0 below -745.13. Free of branches, so that a loop of them becomes vector code. */
static inline double anb_exp(double x)
{
    int64_t k;
    double tail;
    double bounded = x > 710 ? 710 : x < -746 ? -746 : x;
    double r = anb_exp_reduce(bounded, &k, &tail);
    double value = 1 + (r + (r * r * anb_exp_series(r) + tail));
    int64_t half = (k + 4096) / 2 - 2048;
    value = value * anb_power_of_two(half) * anb_power_of_two(k - half);
    return x != x ? ANB_NAN : value;
}

/* e^x - 1, exact to the last places near 0 too. */
double anb_expm1(double x);
/* The natural logarithm: -inf at 0, ANB_NAN below. */
double anb_log(double x);
/* log(1 + x), exact to the last places near 0 too. */
double anb_log1p(double x);
/* Cosine of any finite x in radians, the largest ones reduced exactly; ANB_NAN otherwise. */
double anb_cos(double x);
/* 1 / (1 + e^-x); within 2.5 units. */
double anb_sigmoid(double x);

/**
 * Softmax with the maximum subtracted; uniform where the sum of exponentials is below 1e-16 or not a number.
 *
 * @param z  k logits
 * @param k  at least 1
 * @param p  k probabilities out; may be z
 * @return   log of the sum of exp(z)
 */
double anb_softmax(const double *z, size_t k, double *p);

#endif
