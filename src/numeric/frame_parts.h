/*
 * The parts of a frame's state and what frame.c and frame_tails.c share: no business of those who use a frame.
 */
#ifndef ANB_NUMERIC_FRAME_PARTS_H
#define ANB_NUMERIC_FRAME_PARTS_H

#include "frame.h"
#include "moments.h"

enum { ROWS, NEXT, TRIED, STARTING }; /* head */
enum { COUNT, MEAN, M2, INV_SD, CENTRE, INVERSE, REACH, BOUND, EVIDENCE, COMMON, LIMIT, JUNK, CROWD };
enum { LOW = INV_SD, HIGH = EVIDENCE }; /* the same parts during the start */

/* Rows between falls of the reach; to a forced re-framing; of the start; between new bounds. */
enum { RELAX = 64, SOON = 100, START = 16, BOUNDS = 8 };

static const double UP = 1.25, DOWN = .998, LEAST_COMMON = 1e-3; /* what a hundredth of the cells exceeds */
enum { ANB_FRAME_MOST = 8 };                                     /* evidence at most */
static const double FAR_OUT = 8;                                 /* where the moments bound a value at least */
static const double CROWDED = 20;                                /* cells beyond clip, of some 80, that are no tail */

static inline double *part(double *state, size_t d, size_t which)
{
    return state + ANB_FRAME_HEAD + which * d;
}

static inline const double *part_const(const double *state, size_t d, size_t which)
{
    return state + ANB_FRAME_HEAD + which * d;
}

/* Whether the cells of feature j beyond `clip` are left out. */
static inline bool anb_frame_blank(const AnbFrame *self, const double *state, size_t j)
{
    return part_const(state, self->d, LIMIT)[j] <= self->clip;
}

/* The bound of a tail that is whole follows the reach, of others what is common; the limit the reach; the crowd thins. Once in
 * 8 rows, and where the reach has changed. Of one feature, without its crowd. */
void anb_frame_keep_bound(const AnbFrame *self, double *state, size_t j);
void anb_frame_keep_bounds(const AnbFrame *self, double *state);

/* Where the tail of feature j begins that is cut. */
double anb_frame_cut(const AnbFrame *self, const double *state, size_t j);

/* So many cells beyond `clip` are what feature j is now: they are not left out. Once in 8 rows. */
void anb_frame_thin_crowd(const AnbFrame *self, double *state, size_t j);

/* What the moments are shown of a value of feature j: nothing, not a number, where it is left out, at most what bounds it beyond
 * the reach, which follows. */
double anb_frame_outside(const AnbFrame *self, double *state, size_t j, double x);

static inline double anb_frame_inverse_sd(const AnbMoments *m)
{
    double square = m->square > 0 ? m->weight / m->square : 0;
    return square < DBL_MAX ? sqrt(square) : 0;
}

#endif
