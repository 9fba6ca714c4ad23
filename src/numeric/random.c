/* GSL's generator over state bytes of our own; variates by inversion and by Box and Muller. */
#include "random.h"
#include "fields.h"
#include "elementary.h"
#include <gsl/gsl_rng.h>

/* The generator that GSL would have allocated, around our state. */
static gsl_rng around(AnbRandom *random)
{
    return (gsl_rng){gsl_rng_taus2, random->state};
}

void anb_random_seed(AnbRandom *random, uint64_t seed)
{
    gsl_rng rng = around(random);
    gsl_rng_set(&rng, (unsigned long)seed);
}

uint32_t anb_random_bits(AnbRandom *random)
{
    gsl_rng rng = around(random);
    return (uint32_t)gsl_rng_get(&rng);
}

double anb_random_uniform(AnbRandom *random)
{
    return anb_random_bits(random) * 0x1p-32;
}

uint32_t anb_random_below(AnbRandom *random, uint32_t n)
{
    return (uint32_t)((uint64_t)anb_random_bits(random) * n >> 32);
}

/* In (0, 1), an odd multiple of 2^-54. */
static double fine_uniform(AnbRandom *random)
{
    uint64_t high = anb_random_bits(random) >> 5, low = anb_random_bits(random) >> 6;
    return ((double)(high << 26 | low) + 0.5) * 0x1p-53;
}

double anb_random_normal(AnbRandom *random)
{
    double radius = sqrt(-2 * anb_log(fine_uniform(random)));
    return radius * anb_cos(2 * ANB_PI * anb_random_uniform(random));
}

/* mu <= 16; the terms beyond 128 are far below the resolution of the draw. */
static unsigned small_poisson(AnbRandom *random, double mu)
{
    double term = anb_exp(-mu), sum = term, u = fine_uniform(random);
    unsigned k = 0;
    while (u > sum && k < 128) {
        k++;
        term *= mu / k;
        sum += term;
    }
    return k;
}

unsigned anb_random_poisson(AnbRandom *random, double mu)
{
    unsigned sum = 0;
    if (!(mu > 0))
        return 0;
    if (mu > 1024) {
        double value = floor(mu + sqrt(mu) * anb_random_normal(random) + 0.5);
        return value < 0 ? 0 : value > 4e9 ? 4000000000u : (unsigned)value;
    }
    while (mu > 16) {
        sum += small_poisson(random, 16);
        mu -= 16;
    }
    return sum + small_poisson(random, mu);
}

void anb_random_shuffle(AnbRandom *random, uint32_t *items, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = anb_random_below(random, (uint32_t)i);
        uint32_t kept = items[i - 1];
        items[i - 1] = items[j];
        items[j] = kept;
    }
}

const AnbField anb_random_fields[] = {{ANB_MEMBER(AnbRandom, state)}, {0}};

void anb_random_visit(AnbRandom *random, AnbVisitor *visitor)
{
    anb_struct_visit(anb_random_fields, random, visitor);
}

uint64_t anb_seed_mix(uint64_t seed, uint64_t index)
{
    uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    z ^= z >> 31;
    return z ? z : 1;
}

uint64_t anb_random_three_of_four(AnbRandom *random)
{
    uint64_t bits = 0;
    for (int half = 0; half < 2; half++) {
        uint32_t a = anb_random_bits(random), b = anb_random_bits(random);
        bits = bits << 32 | a | b;
    }
    return bits;
}
