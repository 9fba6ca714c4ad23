/*
 * Exponential, logarithm and what follows from them; the trigonometric ones are in trigonometry.c.
 *
 * log: x = 2^k (1 + f) with 1 + f between sqrt(1/2) and sqrt(2), s = f/(2 + f), log(1 + f) = 2s + s R(s^2), written as
 * f - (f^2/2 - s (f^2/2 + R)) so that the leading term is exact. Tang 1990 has the analysis. R, and the polynomials of
 * erf, are interpolations at Chebyshev points computed with 80 digits.
 */
#include "elementary.h"
#include "src/simd/kernels.h"
#include <math.h>

ANB_DEFINE_LOG_CORE(static, double, log_core)

/* x = 2^k m with m between sqrt(1/2) and sqrt(2); x is normal and positive. */
static double split(double x, double *k)
{
    const uint64_t root_half = 0x3fe6a09e667f3bcd;
    uint64_t bits = anb_to_bits(x) - root_half;
    *k = (double)(int64_t)(bits >> 52) - (bits >> 63 ? 4096 : 0);
    return anb_from_bits((bits & 0xfffffffffffff) + root_half);
}

double anb_log(double x)
{
    double k, scale = 0;
    if (!(x > 0))
        return x == 0 ? -HUGE_VAL : ANB_NAN;
    if (x == HUGE_VAL)
        return x;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        scale = 54;
    }
    double m = split(x, &k);
    return log_core(m - 1, k - scale, 0);
}

double anb_log1p(double x)
{
    double k, sum = 1 + x;
    if (!(sum > 0) || sum == HUGE_VAL)
        return anb_log(sum);
    if (fabs(x) < 0x1p-54)
        return x;
    if (x > -0.29 && x < 0.41)
        return log_core(x, 0, 0);
    double lost = x > 1 ? 1 - (sum - x) : x - (sum - 1);
    double m = split(sum, &k);
    return log_core(m - 1, k, lost / sum);
}

double anb_expm1(double x)
{
    int64_t k;
    double tail;
    if (!(fabs(x) < 700))
        return x > 0 ? anb_exp(x) : x < 0 ? -1 : ANB_NAN;
    if (fabs(x) < 0x1p-54)
        return x;
    double r = anb_exp_reduce(x, &k, &tail);
    double less_one = r + (r * r * anb_exp_series(r) + tail);
    if (k == 0)
        return less_one;
    double power = anb_power_of_two(k);
    return k < 54 ? power * less_one + (power - 1) : power * less_one + power - 1;
}

double anb_tanh(double x)
{
    double size = fabs(x), value;
    if (x != x)
        return ANB_NAN;
    if (size < 0x1p-28)
        return x;
    if (size > 22)
        value = 1;
    else if (size >= 1)
        value = 1 - 2 / (anb_expm1(2 * size) + 2);
    else
        value = anb_expm1(-2 * size), value = -value / (value + 2);
    return x < 0 ? -value : value;
}

double anb_sigmoid(double x)
{
    double e = anb_exp(-fabs(x));
    if (x != x)
        return ANB_NAN;
    return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

static double horner(const double *c, size_t n, double x)
{
    double sum = c[n - 1];
    for (size_t i = n - 1; i-- > 0;)
        sum = sum * x + c[i];
    return sum;
}

/* Below 1: x + x P(x^2). Above: 1 - exp(-x^2) Q(u) with u = (x - 2.25)/(x + 2.25). */
double anb_erf(double x)
{
    static const double p[] = {0x1.06eba8214db69p-3,   -0x1.812746b0379e6p-2,  0x1.ce2f21a042b30p-4,
                               -0x1.b82ce31284e00p-6,  0x1.565bcd0dbaa38p-8,   -0x1.c02db3dac435fp-11,
                               0x1.f9a321d5b8e1ep-14,  -0x1.f4d1e3183f7aep-17, 0x1.b9df224ca4b97p-20,
                               -0x1.5f1ecb6f0764cp-23, 0x1.f7b4bf3b13964p-27,  -0x1.389d4f2641625p-30,
                               0x1.05ffd737fb32ep-34};
    static const double q[] = {
        0x1.d94446d627932p-3,  -0x1.97beed129e290p-2, 0x1.ff4e7f92624c4p-3,   -0x1.ae49942a7e024p-4,
        0x1.635951a6b250fp-6,  0x1.bcc257e6a8d7cp-9,  -0x1.6accfc49dd6d6p-9,  -0x1.86ce272c24004p-13,
        0x1.8ff330a4ec03ap-12, 0x1.7e222fc04cc29p-15, -0x1.e89a2147a37bfp-15, -0x1.16db9979067e5p-16,
        0x1.05ca96a51f90ap-17, 0x1.572ddfaeeecdap-18, -0x1.bfd1f0d21f085p-22, -0x1.394c5aa2a023dp-20};
    double size = fabs(x), value = 1;
    if (x != x)
        return ANB_NAN;
    if (size < 1)
        return x + x * horner(p, sizeof p / sizeof *p, x * x);
    if (size < 6)
        value = 1 - anb_exp(-size * size) * horner(q, sizeof q / sizeof *q, (size - 2.25) / (size + 2.25));
    return x < 0 ? -value : value;
}

double anb_softmax(const double *z, size_t k, double *p)
{
    AnbSoftmax what = anb_gate_softmax(z, k, p);
    return what.top + anb_log(what.sum);
}
