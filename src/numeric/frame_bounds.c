/* The reach of a feature, and the bounds that follow from it: frame.h has the rules. */
#include "frame_parts.h"

void anb_frame_thin_crowd(const AnbFrame *self, AnbFrameState *state, size_t j)
{
    uint64_t *tail = &tails_of(state, self->d)[j];
    unsigned crowd = crowd_of(*tail);
    if (crowd > CROWDED) {
        put_doubt(tail, JUNK, -ANB_FRAME_MOST);
        anb_frame_put_reach(state, self->d, j, anb_frame_reach(self, state, j), false);
    }
    put_crowd(tail, (crowd * 9 + 5) / 10); /* nine tenths */
}

void anb_frame_keep_bounds(const AnbFrame *self, AnbFrameState *state)
{
    const uint64_t *tail = tails_of(state, self->d);
    bool started = !anb_frame_starting(state);
    for (size_t j = 0; j < self->d; j++) {
        if (started && crowd_of(tail[j]) > 0)
            anb_frame_thin_crowd(self, state, j);
        anb_frame_keep_bound(self, state, j);
    }
}

/* ---- a cell ------------------------------------------------------------------------------------------------------ */

/* Lowers the weight of a feature's earlier values, which differ from the present ones. */
static void forget(AnbFrameState *state, size_t d, size_t j)
{
    part(state, d, COUNT)[j] *= .93;
    part(state, d, M2)[j] *= .93;
}

static void move_soon(AnbFrameState *state)
{
    if (state->left > SOON)
        state->left = SOON;
}

/* The reach after a value that far out. */
static void follow_reach(const AnbFrame *self, AnbFrameState *state, size_t j, double size)
{
    size_t d = self->d;
    double reach = anb_frame_reach(self, state, j);
    bool blank = anb_frame_blank(state, d, j);
    if (size > anb_frame_limit(self, state, j) && size > self->far * reach) {
        reach *= 1.015;
        if (!blank)
            forget(state, d, j);
        if (reach > 4 * self->clip)
            move_soon(state);
    } else
        reach = size < 1.25 * reach || part(state, d, BOUND)[j] > self->clip ? size : 1.25 * reach;
    anb_frame_put_reach(state, d, j, reach, blank);
}

/* A value beyond `clip`, counted. Where they crowd within the reach, which others made, the moments are wrong. */
static void count_out(AnbFrameState *state, size_t d, size_t j, bool reached)
{
    uint64_t *tail = &tails_of(state, d)[j];
    unsigned crowd = crowd_of(*tail);
    crowd = crowd < CROWD_MOST - CELL ? crowd + CELL : CROWD_MOST;
    put_crowd(tail, crowd);
    if (crowd > CROWDED && !reached) {
        forget(state, d, j);
        move_soon(state);
    }
}

double anb_frame_outside(const AnbFrame *self, AnbFrameState *state, size_t j, double x)
{
    size_t d = self->d;
    double centre = part(state, d, CENTRE)[j], inverse = part(state, d, INVERSE)[j];
    double reach = anb_frame_reach(self, state, j);
    double z = (x - centre) * inverse, size = fabs(z),
           bound = part(state, d, BOUND)[j] > self->clip && reach > FAR_OUT ? reach : FAR_OUT;
    bool out = size > self->clip, blank = anb_frame_blank(state, d, j);
    if (out)
        count_out(state, d, j, size >= reach);
    if (size >= reach)
        follow_reach(self, state, j, size);
    if (out && blank)
        return (double)NAN;
    return size >= reach && size > bound ? centre + (z < 0 ? -bound : bound) / inverse : x;
}
