/*
 * How far beyond the range of the targets so far a prediction may go.
 *
 * Normally a prediction is clipped to the range of the targets so far, widened by a tenth (moments.h). The outlook g is
 * the prediction of a learner without that clip. It replaces the clipped prediction once such outlooks have had smaller
 * errors:
 *
 *     limits  of the range; where g is within them, mean +- 3 standard deviations of the targets
 *     e = |y - the prediction clipped to the limits|     r = 3 |y - g|     s = the errors' scale
 *     u = (e - r) / (e + r + s)                          times three where g left the range
 *     gain <- .97 gain + u, within +-5                   on each row where g is outside the limits; open from .5 on
 *
 * Targets beyond the range are rare: their number grows with the logarithm of the rows. So rows where g is only outside
 * the closer limits count too, and one good prediction of a new extreme is enough to open. The factor 3 in r means that
 * g must have less than a third of the error of the clipped prediction.
 *
 * When open: if the prediction without limits leaves the range on the same side as g, g is used as it is. If it stays
 * within the range, as that of a mixture does when few of its experts extrapolate, the prediction moves gain^2 /
 * (gain^2 + 4) of the way to g, so that one good record is not enough for all of it. g is limited to twice the range's
 * width beyond the range. A target that an outlook has predicted is not treated as a wrong one: it is not clipped on
 * that side.
 *
 * Mean and variance are those of the targets learned, over about the last 1,000.
 * The constants were chosen on syn_skewed, flights_arr and guns of bench/more_streams.py and on seven made relations.
 */
#ifndef ANB_NUMERIC_OUTLOOK_H
#define ANB_NUMERIC_OUTLOOK_H

#include "moments.h"
#include <anabranch/type.h>

typedef struct AnbOutlook {
    double gain, mean, variance; /* all 0 before the first target */
} AnbOutlook;

extern const AnbField anb_outlook_fields[];

enum { ANB_OUTLOOK_WIDTHS = 2, ANB_OUTLOOK_NEAR = 3, ANB_OUTLOOK_SPAN = 1000, ANB_OUTLOOK_HALF = 2 };

static inline bool anb_outlook_open(const AnbOutlook *outlook)
{
    return outlook->gain >= 0.5;
}

/* g no further outside the range than twice its width. */
static inline double anb_outlook_bounded(const AnbRange *range, double g)
{
    double half = anb_range_half(range), room = anb_within_doubles(2 * ANB_OUTLOOK_WIDTHS * half);
    return anb_clamp(g, anb_within_doubles(range->low - room), anb_within_doubles(range->high + room));
}

/* How far a prediction within the range goes to an open outlook beyond it. */
static inline double anb_outlook_share(const AnbOutlook *outlook)
{
    double gain = outlook->gain * outlook->gain;
    return gain / (gain + ANB_OUTLOOK_HALF * ANB_OUTLOOK_HALF);
}

/* The prediction, where the learner predicts f, and g without limits; g is NaN where there is no outlook. */
static inline double anb_outlook_limit(const AnbRange *range, const AnbOutlook *outlook, double f, double g)
{
    double limited = anb_range_clip(range, f);
    double bound = anb_range_clip(range, g);
    if (range->seen < ANB_RANGE_SURE || g - g != 0 || bound == g || !anb_outlook_open(outlook))
        return limited;
    return anb_toward(limited, anb_outlook_bounded(range, g), limited == bound ? 1 : anb_outlook_share(outlook));
}

/* Whether g is outside of the limits; else it is not used. */
static inline bool anb_outlook_leaves(const AnbRange *range, const AnbOutlook *outlook, double g)
{
    double away = g - outlook->mean;
    return away * away > ANB_OUTLOOK_NEAR * ANB_OUTLOOK_NEAR * outlook->variance || !anb_range_spares(range, g, g);
}

/* Learns from the target of a row with an outlook; scale is that of the errors. */
void anb_outlook_judge(AnbOutlook *outlook, const AnbRange *range, double scale, double f, double g, double y);

/* The target y, which would be moved to `bounded`: not moved as far as it is up to g. */
static inline double anb_outlook_target(const AnbRange *range, double g, double bounded, double y)
{
    double far = anb_outlook_bounded(range, g);
    if (bounded < y && bounded < far)
        return y < far ? y : far;
    if (bounded > y && bounded > far)
        return y > far ? y : far;
    return bounded;
}

/* Learns the mean and the variance; the target is the n-th, from 1. */
static inline void anb_outlook_follow(AnbOutlook *outlook, double n, double y)
{
    double share = 1 / (n < ANB_OUTLOOK_SPAN ? n : ANB_OUTLOOK_SPAN), away = y - outlook->mean;
    double variance = (1 - share) * (outlook->variance + share * (away * away));
    outlook->variance = variance < 0x1p1000 ? variance : 0;
    outlook->mean = anb_toward(outlook->mean, y, share);
}

/* Sets mean and variance from the range of the targets, for states without them. */
static inline void anb_outlook_guess(AnbOutlook *outlook, const AnbRange *range)
{
    double half = anb_range_half(range), variance = .25 * half * half;
    *outlook = (AnbOutlook){0, range->low + half, variance < 0x1p1000 ? variance : 0};
}

/* Clips the prediction f of child i to the range, unless the child clips its predictions itself: then it may have a
 * reason to leave the range. */
static inline double anb_child_limited(const AnbNode *self, size_t i, const AnbRange *range, double f)
{
    return self->children[i].type->flags & ANB_CLIPPED ? f : anb_range_clip(range, f);
}

/* Whether an outlook from a file is valid. */
static inline bool anb_outlook_valid(const AnbOutlook *outlook)
{
    return anb_struct_valid(anb_outlook_fields, outlook);
}

#endif
