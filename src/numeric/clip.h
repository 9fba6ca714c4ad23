/* Clipping. NaN stays NaN. */
#ifndef ANB_NUMERIC_CLIP_H
#define ANB_NUMERIC_CLIP_H

/* v, or the nearer end where it lies outside low to high. */
static inline double anb_clamp(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

/* v within +-bound; bound is at least 0. */
static inline double anb_clip(double v, double bound)
{
    return v > bound ? bound : v < -bound ? -bound : v;
}

#endif
