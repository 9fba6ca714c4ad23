/*
 * Random numbers from GSL's taus2 with its state in the caller's memory, so that a snapshot holds it and a clone goes
 * on with the same sequence. Uniforms are GSL's to the bit; normal and Poisson variates are our own, since GSL's call
 * the C library, whose results differ between processors.
 */
#ifndef ANB_NUMERIC_RANDOM_H
#define ANB_NUMERIC_RANDOM_H

#include <anabranch/type.h>
#include <stddef.h>
#include <stdint.h>

/* Lies in a block. Zeroed is not a valid state: seed it in init. */
typedef struct AnbRandom {
    uint64_t state[3];
} AnbRandom;

extern const AnbField anb_random_fields[];

/* Seeds the generator, as gsl_rng_set; only the low 32 bits count, and 0 is 1. */
void anb_random_seed(AnbRandom *random, uint64_t seed);

/* The next 32 bits: gsl_rng_get. */
uint32_t anb_random_bits(AnbRandom *random);

/* In [0, 1), a multiple of 2^-32: gsl_rng_uniform. */
double anb_random_uniform(AnbRandom *random);

/* In 0 .. n-1, each as likely: n from 1 to 2^32 - 1. Unlike gsl_rng_uniform_int it never tries again: one draw, and a
 * bias below n / 2^32. */
uint32_t anb_random_below(AnbRandom *random, uint32_t n);

/* Mean 0, standard deviation 1, by Box and Muller's transform: three draws. */
double anb_random_normal(AnbRandom *random);

/* Poisson with mean mu >= 0, by inversion: two draws for each 16 of mu; above 1,024 a rounded normal. */
unsigned anb_random_poisson(AnbRandom *random, double mu);

/* 64 bits, each of them set with probability 3/4: four draws. */
uint64_t anb_random_three_of_four(AnbRandom *random);

/* A shuffle of n indices in place: n - 1 draws. */
void anb_random_shuffle(AnbRandom *random, uint32_t *items, size_t n);

/* Calls a visitor for the state. */
void anb_random_visit(AnbRandom *random, AnbVisitor *visitor);

/* A seed for part `index` of what has `seed`: one step of splitmix64 (Steele, Lea & Flood 2014); never 0. */
uint64_t anb_seed_mix(uint64_t seed, uint64_t index);

/* One of `width` numbers from `from` on, always the same one, as if drawn: width from 1 to 2^32 - 1. For samples of an
 * array that may have a period. */
static inline size_t anb_one_of(size_t from, size_t width)
{
    uint64_t z = ((uint64_t)from + (uint64_t)width * 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 32) * 0x94d049bb133111eb;
    return from + (size_t)((z >> 32) * width >> 32);
}

#endif
