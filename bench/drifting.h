/* Made streams whose residual is autocorrelated, moves slowly or jumps: for bench/intervals and the tests. */
#ifndef ANB_BENCH_DRIFTING_H
#define ANB_BENCH_DRIFTING_H

#include "random.h"
#include <math.h>
#include <stddef.h>
#include <stdint.h>

enum { DRIFTING_FEATURES = 3, DRIFTING_KINDS = 4 };

typedef enum DriftingKind { DRIFTING_STEADY, DRIFTING_AUTOCORRELATED, DRIFTING_MOVING, DRIFTING_JUMPING } DriftingKind;

static const char *const drifting_names[DRIFTING_KINDS] = {"steady", "autocorrelated", "moving", "jumping"};

typedef struct Drifting {
    DriftingKind kind;
    uint64_t bits;
    double t, slow, level, scale;
    double x[DRIFTING_FEATURES], y;
} Drifting;

/* In [0, 1), of 32 bits. */
static inline double drifting_uniform(Drifting *d)
{
    return (double)(bits_of(&d->bits) >> 32) / 4294967296.0;
}

static inline double drifting_normal(Drifting *d)
{
    double radius = sqrt(-2 * log(1 - drifting_uniform(d)));
    return radius * cos(6.283185307179586 * drifting_uniform(d));
}

static inline Drifting drifting_start(DriftingKind kind, uint64_t seed)
{
    Drifting d = {.kind = kind, .bits = seed * 0x9e3779b97f4a7c15u + 1, .scale = 1};
    drifting_uniform(&d);
    return d;
}

/*
 * The next row: three normal features, and the target x0 - x1 / 2 plus
 *     steady          normal noise
 *     autocorrelated  an AR(1) with coefficient .99 and deviation 1, and normal noise of .3
 *     moving          x0 cos + x1 sin of an angle that turns once in 6,000 rows, and noise whose deviation goes from
 *                     .3 to 1.7 and back in 8,000 rows
 *     jumping         after 2,500 rows on average a new level (deviation 3) and a new scale of the noise (.3 to 3)
 */
static inline void drifting_next(Drifting *d)
{
    double noise = drifting_normal(d), turn = 6.283185307179586 * d->t / 6000;
    for (int j = 0; j < DRIFTING_FEATURES; j++)
        d->x[j] = drifting_normal(d);
    double base = d->x[0] - d->x[1] / 2, away = drifting_normal(d), chance = drifting_uniform(d);
    d->t++;
    d->slow = .99 * d->slow + sqrt(1 - .99 * .99) * away;
    if (chance < 1 / 2500.0) {
        d->level = 3 * away;
        d->scale = .3 * pow(10, drifting_uniform(d));
    }
    switch (d->kind) {
    case DRIFTING_AUTOCORRELATED:
        d->y = base + d->slow + .3 * noise;
        break;
    case DRIFTING_MOVING:
        d->y = d->x[0] * cos(turn) + d->x[1] * sin(turn) + (1 + .7 * sin(.75 * turn)) * noise;
        break;
    case DRIFTING_JUMPING:
        d->y = base + d->level + d->scale * noise;
        break;
    default:
        d->y = base + noise;
    }
}

/* What is to be known of the target of a row with features x from the stream as it was `ago` rows before it: mean,
 * deviation. */
static inline void drifting_told(const Drifting *then, const double *x, size_t ago, double *mean, double *deviation)
{
    double base = x[0] - x[1] / 2, turn = 6.283185307179586 * (then->t - 1) / 6000, kept = pow(.99, (double)ago);
    switch (then->kind) {
    case DRIFTING_AUTOCORRELATED:
        *mean = base + kept * then->slow;
        *deviation = sqrt(1 - kept * kept + .09);
        break;
    case DRIFTING_MOVING:
        *mean = x[0] * cos(turn) + x[1] * sin(turn);
        *deviation = 1 + .7 * sin(.75 * turn);
        break;
    case DRIFTING_JUMPING:
        *mean = base + then->level;
        *deviation = then->scale;
        break;
    default:
        *mean = base;
        *deviation = 1;
    }
}

#endif
