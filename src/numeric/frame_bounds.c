/* How far out the cells of a feature may be: its reach, and what follows from it. frame.h has the rules. */
#include "frame_parts.h"

static const double MARGIN = 1.5, LEAST = 2; /* times common a tail is cut, no nearer than this */
static const double THIN = .9;               /* what remains of the crowd from one time to the next */

double anb_frame_cut(const AnbFrame *self, const double *state, size_t j)
{
    double cut = MARGIN * part_const(state, self->d, COMMON)[j], least = LEAST < self->clip ? LEAST : self->clip;
    return cut > self->clip ? self->clip : cut > least ? cut : least;
}

void anb_frame_thin_crowd(const AnbFrame *self, double *state, size_t j)
{
    double *crowd = &part(state, self->d, CROWD)[j];
    if (*crowd > CROWDED) {
        part(state, self->d, JUNK)[j] = -ANB_FRAME_MOST;
        part(state, self->d, LIMIT)[j] = HUGE_VAL;
    }
    *crowd *= THIN;
}

void anb_frame_keep_bound(const AnbFrame *self, double *state, size_t j)
{
    double *bound = &part(state, self->d, BOUND)[j], *limit = &part(state, self->d, LIMIT)[j];
    double far = self->far * part(state, self->d, REACH)[j];
    *bound = *bound > self->clip ? far : anb_frame_cut(self, state, j);
    *limit = *limit > self->clip ? far : self->clip;
}

void anb_frame_keep_bounds(const AnbFrame *self, double *state)
{
    for (size_t j = 0; j < self->d; j++) {
        anb_frame_thin_crowd(self, state, j);
        anb_frame_keep_bound(self, state, j);
    }
}

/* ---- a cell -------------------------------------------------------------------------------------------------------- */

/* What a feature has seen is not what it shows now: it counts less. */
static void forget(double *state, size_t d, size_t j)
{
    part(state, d, COUNT)[j] *= .93;
    part(state, d, M2)[j] *= .93;
}

static void move_soon(double *state)
{
    if (state[NEXT] > state[ROWS] + SOON)
        state[NEXT] = state[ROWS] + SOON;
}

/* The reach and the limit after a value that far out. */
static void follow_reach(const AnbFrame *self, double *state, size_t j, double size)
{
    size_t d = self->d;
    double *reach = &part(state, d, REACH)[j], *limit = &part(state, d, LIMIT)[j];
    if (size > self->far * *reach) {
        *reach *= 1.015;
        if (!anb_frame_blank(self, state, j))
            forget(state, d, j);
        if (*reach > 4 * self->clip)
            move_soon(state);
    } else
        *reach = size < 1.25 * *reach || part(state, d, BOUND)[j] > self->clip ? size : 1.25 * *reach;
    *limit = anb_frame_blank(self, state, j) ? self->clip : self->far * *reach;
}

/* A value beyond `clip`, counted. Where they crowd within the reach, which others made, the moments are wrong. */
static void count_out(double *state, size_t d, size_t j, bool reached)
{
    double *crowd = &part(state, d, CROWD)[j];
    *crowd += 1;
    if (*crowd > CROWDED && !reached) {
        forget(state, d, j);
        move_soon(state);
    }
}

double anb_frame_outside(const AnbFrame *self, double *state, size_t j, double x)
{
    size_t d = self->d;
    double centre = part(state, d, CENTRE)[j], inverse = part(state, d, INVERSE)[j], reach = part(state, d, REACH)[j];
    double z = (x - centre) * inverse, size = fabs(z),
           bound = part(state, d, BOUND)[j] > self->clip && reach > FAR_OUT ? reach : FAR_OUT;
    bool out = size > self->clip, blank = anb_frame_blank(self, state, j);
    if (out)
        count_out(state, d, j, size >= reach);
    if (size >= reach)
        follow_reach(self, state, j, size);
    if (out && blank)
        return (double)NAN;
    return size >= reach && size > bound ? centre + (z < 0 ? -bound : bound) / inverse : x;
}
