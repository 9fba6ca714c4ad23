/*
 * Running statistics of a scalar, in a few doubles that may lie zeroed in a block.
 *
 *     AnbMoments   weighted mean and variance, all samples alike      Welford 1962, West 1979
 *     AnbFaded     mean with a discount a sample, exact from the first one on
 *     anb_ewma     s <- s + a (v - s), from 0
 *     AnbRange     smallest and largest value; clips to it widened by a tenth. anb_range_follow takes a value no
 *                  further outside than its width, and narrows it by 2^-16 of its width a value, so that one wrong
 *                  value has no lasting effect
 */
#ifndef ANB_NUMERIC_MOMENTS_H
#define ANB_NUMERIC_MOMENTS_H

#include "clip.h"
#include "fields.h"
#include <float.h>
#include <math.h>

/* The members of AnbMoments, AnbFaded and AnbRange. */
extern const AnbField anb_moments_fields[], anb_faded_fields[], anb_range_fields[];

/* Replaces an infinite number by the largest double of its sign. */
static inline double anb_within_doubles(double v)
{
    return anb_clip(v, DBL_MAX);
}

/* A mean that goes a share of the way, 0 to 1, toward a value; value - mean may be beyond the doubles. */
static inline double anb_toward(double mean, double value, double share)
{
    double next = mean + (value * share - mean * share);
    return next - next == 0 ? next : anb_within_doubles(mean * (1 - share) + value * share);
}

typedef struct AnbMoments {
    double weight, mean, square; /* sum of weights, mean, weighted sum of squared deviations */
} AnbMoments;

static inline void anb_moments_add(AnbMoments *m, double value, double weight)
{
    if (weight <= 0)
        return;
    double total = m->weight + weight, away = value - m->mean, step = away * (weight / total);
    m->square += m->weight * away * step;
    m->mean += step;
    m->weight = total;
}

/* Whether all three are finite. */
static inline bool anb_moments_finite(const AnbMoments *m)
{
    return m->weight - m->weight + (m->mean - m->mean) + (m->square - m->square) == 0;
}

/* The values change their unit, old = alpha new + beta. Moments that would not be finite start again. */
static inline void anb_moments_reframe(AnbMoments *m, double alpha, double beta)
{
    m->mean = m->weight > 0 ? (m->mean - beta) / alpha : 0;
    m->square /= alpha * alpha;
    if (!anb_moments_finite(m))
        *m = (AnbMoments){0};
}

/* Joins other into m: as if m had seen the values of both. */
static inline void anb_moments_join(AnbMoments *m, const AnbMoments *other)
{
    if (other->weight <= 0)
        return;
    double total = m->weight + other->weight, away = other->mean - m->mean;
    m->square += other->square + away * away * (m->weight * (other->weight / total));
    m->mean += away * (other->weight / total);
    m->weight = total;
}

/* Whether n sums of weights from a file are valid. */
static inline bool anb_weights_valid(const double *weight, size_t n)
{
    bool fine = true;
    for (size_t i = 0; i < n; i++)
        fine &= weight[i] >= 0 && weight[i] < (double)INFINITY;
    return fine;
}

/* Population variance; 0 before there is any weight. */
static inline double anb_moments_variance(const AnbMoments *m)
{
    return m->weight > 0 ? m->square / m->weight : 0;
}

static inline double anb_moments_sd(const AnbMoments *m)
{
    return sqrt(anb_moments_variance(m));
}

static inline void anb_moments_visit(AnbMoments *m, AnbVisitor *visitor)
{
    anb_struct_visit(anb_moments_fields, m, visitor);
}

typedef struct AnbFaded {
    double weight, mean; /* discounted sum of weights; mean */
} AnbFaded;

/* Adds a value; earlier ones are discounted by `discount`, in (0, 1]. */
static inline void anb_faded_add(AnbFaded *f, double value, double weight, double discount)
{
    double total = discount * f->weight + weight;
    if (weight <= 0)
        return;
    f->mean += (value - f->mean) * (weight / total);
    f->weight = total;
}

static inline double anb_ewma(double average, double value, double rate)
{
    return average + rate * (value - average);
}

typedef struct AnbRange {
    double low, high;
    uint64_t seen; /* values; 0: low and high mean nothing yet */
} AnbRange;

enum { ANB_RANGE_SURE = 64 }; /* values after which `seen` changes nothing more */

static inline void anb_range_add(AnbRange *range, double value)
{
    range->low = range->seen == 0 || value < range->low ? value : range->low;
    range->high = range->seen == 0 || value > range->high ? value : range->high;
    range->seen++;
}

/* Half the width. */
static inline double anb_range_half(const AnbRange *range)
{
    return .5 * range->high - .5 * range->low;
}

/* A value no further outside the range than it is wide; a range of one value bounds nothing. */
static inline double anb_range_bounded(const AnbRange *range, double value)
{
    double half = anb_range_half(range);
    double least = anb_within_doubles(range->low - half - half);
    double most = anb_within_doubles(range->high + half + half);
    if (!(half > 0))
        return value;
    return anb_clamp(value, least, most);
}

/* Learns a value that may be wrong, bounded after the first 64, from when on the range narrows from both sides by 2^-16
 * of its width a value. */
static inline void anb_range_follow(AnbRange *range, double value)
{
    double half = anb_range_half(range);
    if (range->seen >= ANB_RANGE_SURE && half > 0) {
        value = anb_range_bounded(range, value);
        range->low += 0x1p-15 * half;
        range->high -= 0x1p-15 * half;
    }
    anb_range_add(range, value);
}

/* The bounds that values are clipped to: the range and a tenth of its width on both sides, as far as doubles go. */
static inline double anb_range_floor(const AnbRange *range)
{
    return anb_within_doubles(range->low - (0.1 * range->high - 0.1 * range->low));
}

static inline double anb_range_ceiling(const AnbRange *range)
{
    return anb_within_doubles(range->high + (0.1 * range->high - 0.1 * range->low));
}

/* Limits the move of a far target y toward the prediction, to `bounded`: the result lies in the range, or between it
 * and y, since a prediction may lie beyond the range. A target beyond the limits too follows an open outlook
 * (outlook.h) and is not changed. */
static inline double anb_range_target(const AnbRange *range, double bounded, double y)
{
    if (bounded == y)
        return y;
    double low = y < range->low ? y : range->low, high = y > range->high ? y : range->high;
    bool limited = bounded >= anb_range_floor(range) && bounded <= anb_range_ceiling(range);
    return range->seen > 0 && limited ? anb_clamp(bounded, low, high) : bounded;
}

/* Clips; before the first value nothing is clipped. A value that is not a number stays. */
static inline double anb_range_clip(const AnbRange *range, double value)
{
    double clipped = anb_clamp(value, anb_range_floor(range), anb_range_ceiling(range));
    return range->seen ? clipped : value;
}

/* Whether anb_range_clip leaves every value from low to high as it is. */
static inline bool anb_range_spares(const AnbRange *range, double low, double high)
{
    return !range->seen || (anb_range_floor(range) <= low && high <= anb_range_ceiling(range));
}

/* Whether a range from a file is valid. */
static inline bool anb_range_valid(const AnbRange *range)
{
    bool finite = range->low - range->low == 0 && range->high - range->high == 0;
    return finite && range->low <= range->high;
}

static inline void anb_range_visit(AnbRange *range, AnbVisitor *visitor)
{
    anb_struct_visit(anb_range_fields, range, visitor);
}

#endif
