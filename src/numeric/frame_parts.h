/*
 * The parts of a frame's state and what frame.c and frame_tails.c share: no business of those who use a frame.
 */
#ifndef ANB_NUMERIC_FRAME_PARTS_H
#define ANB_NUMERIC_FRAME_PARTS_H

#include "frame.h"

enum { ROWS, NEXT, TRIED, STARTING }; /* head */
enum { COUNT, MEAN, M2, INV_SD, CENTRE, INVERSE, REACH, BOUND, EVIDENCE, COMMON, LIMIT, JUNK, CROWD };
enum { LOW = INV_SD, HIGH = EVIDENCE }; /* the same parts during the start */

static const double CROWDED = 20; /* cells beyond clip, of some 80, that are no tail */

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

/* The bound of a tail that is whole follows the reach, of others what is common; the limit the reach. Once in 8 rows, and
 * where the reach has changed. */
void anb_frame_keep_bounds(const AnbFrame *self, double *state);

#endif
