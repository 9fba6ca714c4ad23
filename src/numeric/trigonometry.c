/*
 * Cosine.
 *
 * x = k pi/2 + r + tail with |r| <= pi/4. Up to 2^19 by subtracting k pi/2 in four pieces (Cody & Waite 1980); above
 * that by multiplying the 53 bits of x with the 192 bits of 2/pi that matter to the fraction (Payne & Hanek 1983). Then
 * Taylor's series, exact to 2^-58 on that interval.
 */
#include "elementary.h"
#include <math.h>

__extension__ typedef unsigned __int128 Wide;

/* a + b as sum and rounding error (Knuth). */
static double two_sum(double a, double b, double *error)
{
    double sum = a + b, other = sum - a;
    *error = (a - (sum - other)) + (b - other);
    return sum;
}

/* Returns k mod 4. */
static unsigned reduce_small(double x, double *r, double *tail)
{
    const double shift = 0x1.8p52;
    double rounded = x * 0x1.45f306dc9c883p-1 + shift, k = rounded - shift, e1, e2;
    double first = x - k * 0x1.921fb54400000p+0;
    double second = two_sum(first, -(k * 0x1.0b4611a600000p-34), &e1);
    double third = two_sum(second, -(k * 0x1.3198a2e000000p-69), &e2);
    double rest = e1 + e2 - k * 0x1.b839a252049c1p-104;
    *r = third + rest;
    *tail = (third - *r) + rest;
    return anb_to_bits(rounded) & 3;
}

/* 64 bits of 2/pi from a bit behind the point; negative positions are zeros. */
static uint64_t two_over_pi(int position)
{
    static const uint64_t words[] = {0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
                                     0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484,
                                     0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f,
                                     0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d, 0x7527bac7ebe5f17b,
                                     0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab, 0xf0cfbc209af4361d};
    if (position < 0)
        return position <= -64 ? 0 : words[0] >> -position;
    int word = position / 64, bit = position % 64;
    return bit ? words[word] << bit | words[word + 1] >> (64 - bit) : words[word];
}

/* For |x| >= 2^19. x = m 2^e; bits of 2/pi that would make multiples of 4 are left out. Returns k mod 4. */
static unsigned reduce_large(double x, double *r, double *tail)
{
    uint64_t bits = anb_to_bits(x);
    int e = (int)(bits >> 52 & 0x7ff) - 1075, start = e - 2;
    uint64_t m = (bits & 0xfffffffffffff) | 0x10000000000000;
    uint64_t top = two_over_pi(start), middle = two_over_pi(start + 64), low = two_over_pi(start + 128);
    Wide product = (Wide)m * low;
    product = (product >> 64) + (Wide)m * middle + ((Wide)(m * top) << 64);
    /* product is a fraction of 4 quarter turns: its top two bits are k, the rest the distance to the next one */
    unsigned k = (unsigned)(product >> 126);
    Wide fraction = product << 2;
    bool up = fraction >> 127;
    if (up) {
        k++;
        fraction = -fraction;
    }
    double high = (double)(uint64_t)(fraction >> 64 & ~(Wide)0xfff) * 0x1p-64;
    double rest = (double)(uint64_t)(fraction >> 12 & ~(uint64_t)0) * 0x1p-116;
    double sum = high + rest, lost = (high - sum) + rest;
    /* times pi/2 in two pieces: sum is cut to 26 bits so that the first product is exact */
    double cut = anb_from_bits(anb_to_bits(sum) & ~(uint64_t)0x7ffffff);
    double first = cut * 0x1.921fb50000000p+0, others = cut * 0x1.110b4611a6263p-26 + (sum - cut + lost) * (ANB_PI / 2);
    double value = first + others, error = (first - value) + others;
    bool negative = (bits >> 63) != (uint64_t)up;
    *r = negative ? -value : value;
    *tail = negative ? -error : error;
    return bits >> 63 ? 4 - (k & 3) : k;
}

static unsigned reduce(double x, double *r, double *tail)
{
    return fabs(x) < 0x1p19 ? reduce_small(x, r, tail) : reduce_large(x, r, tail);
}

static double sine(double r, double tail)
{
    double z = r * r, z2 = z * z, z4 = z2 * z2;
    double a = (-1.0 / 6 + z * (1.0 / 120)) + z2 * (-1.0 / 5040 + z * (1.0 / 362880));
    double b = (-1.0 / 39916800 + z * (1.0 / 6227020800)) + z2 * (-1.0 / 1307674368000 + z * (1.0 / 355687428096000));
    return r + (r * z * (a + z4 * b) + tail * (1 - 0.5 * z));
}

static double cosine(double r, double tail)
{
    double z = r * r, z2 = z * z, z4 = z2 * z2;
    double a = (1.0 / 24 + z * (-1.0 / 720)) + z2 * (1.0 / 40320 + z * (-1.0 / 3628800));
    double b = (1.0 / 479001600 + z * (-1.0 / 87178291200)) + z2 * (1.0 / 20922789888000);
    double half = 0.5 * z, head = 1 - half;
    return head + (((1 - head) - half) + (z2 * (a + z4 * b) - r * tail));
}

double anb_cos(double x)
{
    double r, tail;
    if (!(fabs(x) < HUGE_VAL))
        return ANB_NAN;
    unsigned k = reduce(x, &r, &tail);
    double value = k & 1 ? sine(r, tail) : cosine(r, tail);
    return (k + 1) & 2 ? -value : value;
}
