/* The state of a `scale`: the target's range, the errors' scale and an outlook, then a frame (src/numeric/frame.h). */
#ifndef ANB_LEARNERS_SCALE_STATE_H
#define ANB_LEARNERS_SCALE_STATE_H

#include "src/numeric/error_scale.h"
#include "src/numeric/frame.h"
#include "src/numeric/moments.h"
#include "src/numeric/outlook.h"
#include <anabranch/learners.h>

/* The head of the state; the frame follows, whose own bits hold the numbers of targets and errors. */
typedef struct Scale {
    double low, high;       /* the target's range */
    double level, evidence; /* the errors' scale */
    AnbOutlook outlook;
} Scale;

static inline AnbFrame frame_of(const AnbNode *self, const void *state)
{
    const AnbScaleOptions *o = self->options;
    const Scale *s = state;
    double trust = o->trust > o->far ? o->trust : o->far;
    return (AnbFrame){.d = self->n_features,
                      .clip = o->clip,
                      .far = o->far,
                      .trust = trust,
                      .tails = o->tails,
                      .whole = o->whole,
                      .open = anb_outlook_open(&s->outlook),
                      .level = s->level};
}

/* The numbers of targets and of errors so far, in the frame's own bits as targets + COUNTS errors. Each stops at the
 * number from which on it makes no difference. */
enum { COUNTS = 128 };
enum { OUTLOOK_SINCE = 7, LAYOUT = 8 }; /* of the state */
_Static_assert((int)ANB_RANGE_SURE < (int)COUNTS, "the number of targets fits");
_Static_assert((int)ANB_ERRORS_SETTLED < (1 << ANB_FRAME_OWN_BITS) / (int)COUNTS, "the number of errors fits");

static inline AnbFrameState *frame_in(const void *state)
{
    return anb_view_of((const Scale *)state + 1);
}

static inline unsigned targets_seen(const void *state)
{
    return anb_frame_own(frame_in(state)) % COUNTS;
}

static inline unsigned errors_seen(const void *state)
{
    return anb_frame_own(frame_in(state)) / COUNTS;
}

static inline void put_counts(void *state, unsigned targets, unsigned errors)
{
    anb_frame_put_own(frame_in(state), targets + COUNTS * errors);
}

static inline AnbRange range_of(const void *state)
{
    const Scale *s = state;
    return (AnbRange){s->low, s->high, targets_seen(state)};
}

static inline void put_range(void *state, const AnbRange *range)
{
    Scale *s = state;
    s->low = range->low;
    s->high = range->high;
    put_counts(state, range->seen < ANB_RANGE_SURE ? (unsigned)range->seen : ANB_RANGE_SURE, errors_seen(state));
}

static inline AnbErrorScale errors_of(const void *state)
{
    const Scale *s = state;
    return (AnbErrorScale){s->level, errors_seen(state), s->evidence};
}

static inline void put_errors(void *state, const AnbErrorScale *errors)
{
    Scale *s = state;
    s->level = errors->level;
    s->evidence = errors->evidence;
    put_counts(state, targets_seen(state),
               errors->seen < ANB_ERRORS_SETTLED ? (unsigned)errors->seen : ANB_ERRORS_SETTLED);
}

#endif
