/*
 * Internal to frame*.c: the parts of a frame's state, and functions that these files share.
 */
#ifndef ANB_NUMERIC_FRAME_PARTS_H
#define ANB_NUMERIC_FRAME_PARTS_H

#include "frame.h"
#include "moments.h"
#include "src/simd/kernels.h"
#include "src/text/bits.h"

enum { COUNT, MEAN, M2, CENTRE, INVERSE, BOUND, COMMON, REACH };
enum { LOW = REACH }; /* the same part during the start */

/* Rows between falls of the reach; to a forced re-framing; of the start; between new bounds. */
enum { RELAX = 64, SOON = 100, START = 16, BOUNDS = 8 };

static const double UP = 1.25, DOWN = .998, LEAST_COMMON = 1e-3; /* factors and least value of common_j */
enum { ANB_FRAME_MOST = 8 };                                     /* evidence at most */
static const double FAR_OUT = 8;                                 /* where the moments bound a value at least */
enum { CELL = 512, CROWD_MOST = UINT16_MAX };                    /* of a crowd: one cell; most */
enum { CROWDED = 20 * CELL };                                    /* cells beyond clip, of some 80, that are no tail */

static const uint64_t ROWS_MOST = ((uint64_t)1 << 47) - 1;

static inline void anb_frame_put_progress(AnbFrameState *state, uint64_t rows, bool starting)
{
    state->progress = rows << ANB_FRAME_ROWS_AT | (uint64_t)starting << ANB_FRAME_OWN_BITS | anb_frame_own(state);
}

/* The mean squared error of trials. */
static inline double anb_frame_tried(const AnbFrameState *state)
{
    return anb_from_bits((uint64_t)state->tried << 32);
}

static inline void anb_frame_put_tried(AnbFrameState *state, double value)
{
    state->tried = (uint32_t)((anb_to_bits(value) + ((uint64_t)1 << 31)) >> 32);
}

static inline double *part(AnbFrameState *state, size_t d, size_t which)
{
    return state->part + which * d;
}

static inline const double *part_const(const AnbFrameState *state, size_t d, size_t which)
{
    return state->part + which * d;
}

/* Evidence, junk and crowd of each feature (frame.h), in one word; not during the start. */
static inline uint64_t *tails_of(AnbFrameState *state, size_t d)
{
    return (uint64_t *)(state->part + anb_frame_numbers(d));
}

/* Where the parts of such a word begin; the crowd is its lowest bits. */
enum { EVIDENCE = 16, JUNK = 40, DOUBT_BITS = 24 };
static const double DOUBT_UNIT = 0x1p-19;
_Static_assert((int)ANB_FRAME_MOST << 19 < 1 << (DOUBT_BITS - 1), "the largest evidence fits");

/* The evidence, or the junk, of a tail. */
static inline double doubt_of(uint64_t tail, int at)
{
    return DOUBT_UNIT * (double)((int64_t)(tail << (64 - DOUBT_BITS - at)) >> (64 - DOUBT_BITS));
}

/* At most ANB_FRAME_MOST in size. */
static inline void put_doubt(uint64_t *tail, int at, double value)
{
    const uint64_t mask = (((uint64_t)1 << DOUBT_BITS) - 1) << at;
    *tail = (*tail & ~mask) | ((uint64_t)(int64_t)floor(value / DOUBT_UNIT + .5) << at & mask);
}

static inline unsigned crowd_of(uint64_t tail)
{
    return (unsigned)(tail & UINT16_MAX);
}

static inline void put_crowd(uint64_t *tail, unsigned crowd)
{
    *tail = (*tail & ~(uint64_t)UINT16_MAX) | crowd;
}

/* The highest values, during the start. */
static inline double *highest_of(AnbFrameState *state, size_t d)
{
    return state->part + anb_frame_numbers(d);
}

/* Stores a number only if it changes, since most do not: a cache line that is not written need not be written back. */
static inline void anb_frame_put_if_other(double *to, double value)
{
    if (*to != value)
        *to = value;
}

/* The moments of feature j. */
static inline AnbMoments anb_frame_moments(const AnbFrameState *state, size_t d, size_t j)
{
    return (AnbMoments){part_const(state, d, COUNT)[j], part_const(state, d, MEAN)[j], part_const(state, d, M2)[j]};
}

static inline void anb_frame_put_moments(AnbFrameState *state, size_t d, size_t j, const AnbMoments *m)
{
    part(state, d, COUNT)[j] = m->weight;
    part(state, d, MEAN)[j] = m->mean;
    part(state, d, M2)[j] = m->square;
}

/* Whether the cells of feature j beyond `clip` are left out. */
static inline bool anb_frame_blank(const AnbFrameState *state, size_t d, size_t j)
{
    return !anb_frame_starting(state) && part_const(state, d, REACH)[j] < 0;
}

/* How far from the centre values of feature j have been. */
static inline double anb_frame_reach(const AnbFrame *self, const AnbFrameState *state, size_t j)
{
    return anb_frame_starting(state) ? self->clip : fabs(part_const(state, self->d, REACH)[j]);
}

/* Sets the reach of feature j, and whether its tail is left out. Not during the start. */
static inline void anb_frame_put_reach(AnbFrameState *state, size_t d, size_t j, double reach, bool blank)
{
    part(state, d, REACH)[j] = blank ? -reach : reach;
}

/* The limit of feature j where its tail is passed on. */
static inline double anb_frame_trusted(const AnbFrame *self, const AnbFrameState *state, size_t j)
{
    return self->trust * anb_frame_reach(self, state, j);
}

/* The bound of feature j where its tail is passed on. */
static inline double anb_frame_whole(const AnbFrame *self, const AnbFrameState *state, size_t j)
{
    return (self->open ? self->trust : self->far) * anb_frame_reach(self, state, j);
}

/* From where on a cell of feature j is 0. */
static inline double anb_frame_limit(const AnbFrame *self, const AnbFrameState *state, size_t j)
{
    if (anb_frame_blank(state, self->d, j))
        return self->clip;
    bool whole = part_const(state, self->d, BOUND)[j] > self->clip;
    return whole ? anb_frame_trusted(self, state, j) : self->far * anb_frame_reach(self, state, j);
}

/* z of one cell before it is bounded. */
static inline double anb_frame_unbounded(const AnbFrameState *state, size_t d, size_t j, double x)
{
    return (x - part_const(state, d, CENTRE)[j]) * part_const(state, d, INVERSE)[j];
}

/* z of one cell: the bits of anb_frame_apply. */
static inline double anb_frame_z(const AnbFrame *self, const AnbFrameState *state, size_t j, double x)
{
    size_t d = self->d;
    double z = anb_frame_unbounded(state, d, j, x);
    return fabs(z) <= anb_frame_limit(self, state, j) ? anb_clip(z, part_const(state, d, BOUND)[j]) : 0;
}

/* The bound of feature j where its tail is cut, if it ever is. */
static inline double anb_frame_cut(const AnbFrame *self, const AnbFrameState *state, size_t j)
{
    if (self->whole)
        return anb_frame_whole(self, state, j);
    const double margin = 1.5, nearest = 2; /* times common; no nearer than that */
    double cut = margin * part_const(state, self->d, COMMON)[j], least = nearest < self->clip ? nearest : self->clip;
    return cut > self->clip ? self->clip : cut > least ? cut : least;
}

/* Sets the bound of feature j: from the reach where the tail is passed on, else from what is common. Once in 8 rows,
 * and where the reach has changed. */
static inline void anb_frame_keep_bound(const AnbFrame *self, AnbFrameState *state, size_t j)
{
    double *bound = &part(state, self->d, BOUND)[j];
    double next = *bound > self->clip ? anb_frame_whole(self, state, j) : anb_frame_cut(self, state, j);
    anb_frame_put_if_other(bound, next);
}

/* The bounds of all features; their crowds thin. */
void anb_frame_keep_bounds(const AnbFrame *self, AnbFrameState *state);

/* Where many cells of feature j are beyond `clip` they are a new level, and are not left out. Called once in 8 rows;
 * without a crowd it does nothing. */
void anb_frame_thin_crowd(const AnbFrame *self, AnbFrameState *state, size_t j);

/* The value of feature j for the moments: NaN where it is left out, bounded where it is beyond the reach. Updates the
 * reach. */
double anb_frame_outside(const AnbFrame *self, AnbFrameState *state, size_t j, double x);

/* z of a row, after the start; returns their place (frame.h). */
static inline double anb_frame_standardize(const AnbFrame *self, const AnbFrameState *state, const double *x, double *z)
{
    size_t d = self->d;
    const double *centre = part_const(state, d, CENTRE), *inverse = part_const(state, d, INVERSE);
    const double *bound = part_const(state, d, BOUND), *reach = part_const(state, d, REACH);
    return anb_standardize_within(x, centre, inverse, bound, reach, self->far, self->trust, self->clip, d, z);
}

/* Sets the number of rows to the next re-framing. */
static inline void anb_frame_set_left(AnbFrameState *state)
{
    uint64_t left = 1 + anb_frame_rows(state) / 32;
    state->left = left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
}

static inline double anb_frame_inverse_sd(const AnbMoments *m)
{
    double square = m->square > 0 ? m->weight / m->square : 0;
    return square < DBL_MAX ? sqrt(square) : 0;
}

#endif
