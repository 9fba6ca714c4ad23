/*
 * Exponential, logarithm and what follows from them. The cosine is in trigonometry.c.
 *
 * log: x = 2^k (1 + f) with 1 + f between sqrt(1/2) and sqrt(2), s = f/(2 + f), log(1 + f) = 2s + s R(s^2), written as
 * f - (f^2/2 - s (f^2/2 + R)) so that the leading term is exact. Tang 1990 has the analysis. R is an
 * interpolation at Chebyshev points, computed with 80 digits.
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

double anb_sigmoid(double x)
{
    double e = anb_exp(-fabs(x));
    if (x != x)
        return ANB_NAN;
    return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

double anb_softmax(const double *z, size_t k, double *p)
{
    AnbSoftmax what = anb_gate_softmax(z, k, p);
    return what.top + anb_log(what.sum);
}
