/*
 * A frame: the centre and the spread by which each feature is standardised, and the moments that they follow.
 *
 *     z_j = clip((x_j - centre_j) inverse_j, +-bound_j)      0 where x_j is missing or |z_j| beyond limit_j,
 *                                                            and where the spread is 0
 *
 * The frame stands still between re-framings, which come after every row at first and each time the rows have grown by
 * a 32nd later on. At one it takes over the moments, and learners that remember coefficients are told how (alpha, beta)
 * so that they go on predicting the same:
 *
 *     old z_j = alpha_j new z_j + beta_j
 *
 * reach_j, at least `clip`, is how far from the centre values of feature j have been. It follows a value up to limit_j at
 * once, by a quarter at most unless the tail is passed on; one farther out raises it by 1.5 %, and it falls back by .01 %
 * a row. A sentinel is thus left out, and a level that has changed is reached within some hundred rows.
 *
 * common_j is what about a hundredth of the |z_j| exceeds: it grows by a quarter where one does and falls by .002 where none
 * does. The tail is cut at 1.5 common_j, at 2 at least and `clip` at most: a feature that fills +-1.7 has no values at 4.
 *
 * bound_j is that cut, or `far` reach_j where the tail beyond `clip` carries the target, `trust` reach_j where the frame is `open`; or the cells beyond `clip` are left
 * out, as missing ones are, where they mislead. That is tried out: on a row with a cell in the tail the learner below is
 * asked twice, with the tail cut and with it whole, or with it cut and with the cell left out, and the difference of the
 * squared errors, in units of their running mean, (2.75 `level`)^2 at most, and within +-4, goes into evidence_j or junk_j
 * (discounted by 1/32 a trial). The tail is passed on from evidence 2 on, and cut again from -2 on; a tail that is cut is left out from junk 4 on
 * and cut again from -2 on. Both are tried in turns while the evidence is below 0, before that the whole tail alone. A `whole` frame
 * passes all tails on and tries nothing out. A cell
 * that is 0 since it is beyond limit_j, of a feature whose reach is above `clip`, is tried as one of a tail that is passed on.
 *
 * limit_j, from where on a cell is 0, is `far` reach_j, `trust` reach_j where the tail is passed on: there a cell farther out
 * than any before is more likely one of the tail than a wrong one. It is `clip` where the tail is left out. crowd_j counts cells
 * beyond `clip` among some 80 rows: from 20 on they are a new level, and are not left out.
 *
 * The moments (Welford) count a value beyond 8 as one at 8; where the tail is passed on, one beyond the reach as one there.
 * One beyond limit_j takes .07 of the weight of what the feature has seen: where such values keep coming the past is
 * forgotten. Cells that are left out do not count.
 *
 * During the first 16 rows the moments leave out the lowest and the highest value of each feature, and the frame takes
 * them no further out than 8 deviations of the others (further as long as those are fewer than 8). They are counted so
 * at the end of the start. One sentinel among the first rows is thus no spread, and a feature that did not move but once
 * stays 0. A feature is 0 until two values between the outermost differ.
 *
 * Rows of mostly zeros. In a frame of more than 512 features a row of which no more than an eighth is not zero (NaN is not)
 * is learned by its other cells, one after the other; its zeros are due, and each feature's are learned together, before
 * the next row that is dense, the next re-framing, and every 64 rows: the moments join them as so many values of 0 (Chan),
 * common_j falls or grows as often, and where 0 is beyond `clip` they count one by one. bound_j, limit_j and crowd_j follow with
 * the cell, else then, and zeros are not tried out. The z are those of a dense row, a zero's kept for each feature. This is the
 * only way such a row is learned, so bits do not depend on how it was handed in; a stream of dense rows has the bits of a narrow
 * frame. Cost: one pass over the row, a copy of the zeros' z, the other cells, and a 64th of two dense rows.
 *
 * State: what AnbFrameState has, then
 *
 *     double    count d | mean d | m2 d | centre d | inverse d | bound d | common d
 *               reach d, negative where the tail is left out; during the start the lowest value
 *     of a wide one also [ z of a zero d | cells that were not zero since the zeros were learned d | their weight d
 *                     | 1 where the z of a zero are those of this frame | rows whose zeros are due | their weight ]
 *     uint64_t  evidence, 24 bits, junk, 24 bits, and crowd, 16 bits, of each feature: d; in their place during the start
 *               double: the highest value d
 *
 * limit_j follows from the reach, 1/sd from the moments. Evidence, junk and crowd are only compared with thresholds, so fewer bits
 * are enough for them: evidence and junk are in 2^-19, crowd in 1/512.
 * Cost: two passes over a dense row.
 */
#ifndef ANB_NUMERIC_FRAME_H
#define ANB_NUMERIC_FRAME_H

#include <anabranch/type.h>

/* What never changes. Make it anew for each call if that is handy. */
typedef struct AnbFrame {
    size_t d;
    double clip;       /* in deviations */
    double far, trust; /* in reaches; trust at least far */
    bool tails;        /* whether tails are tried out */
    bool whole;        /* whether all tails are passed on from the first, without trials */
    bool open;         /* whether a tail that is passed on is so as far as cells are trusted; else to `far` */
    double level;      /* the scale of the errors of the learner below; 0: unknown */
} AnbFrame;

/* How the state starts; the arrays follow in the same memory. Small numbers share a word. */
typedef struct AnbFrameState {
    uint64_t progress; /* rows, up to 2^47 - 1; a bit, 1 during the start; 16 bits for the owner of the frame */
    uint32_t left;     /* rows to the next re-framing */
    uint32_t tried;    /* mean squared error of trials: the upper half of a double */
    double part[];
} AnbFrameState;

enum { ANB_FRAME_OWN_BITS = 16, ANB_FRAME_ROWS_AT = ANB_FRAME_OWN_BITS + 1 };

static inline uint64_t anb_frame_rows(const AnbFrameState *state)
{
    return state->progress >> ANB_FRAME_ROWS_AT;
}

static inline bool anb_frame_starting(const AnbFrameState *state)
{
    return state->progress >> ANB_FRAME_OWN_BITS & 1;
}

/* The 16 bits that the owner of the frame uses as it likes; 0 to 2^16 - 1. */
static inline unsigned anb_frame_own(const AnbFrameState *state)
{
    return (unsigned)(state->progress & UINT16_MAX);
}

static inline void anb_frame_put_own(AnbFrameState *state, unsigned own)
{
    state->progress = (state->progress & ~(uint64_t)UINT16_MAX) | own;
}

enum { ANB_FRAME_PARTS = 8, ANB_FRAME_WIDE_PARTS = 3, ANB_FRAME_LEDGER = 3 };
enum { ANB_FRAME_NARROW = 512, ANB_FRAME_SPARSE = 8, ANB_FRAME_ROOM = 18 };

/* Whether rows of mostly zeros are learned by their other cells. */
static inline bool anb_frame_is_wide(size_t d)
{
    return d > ANB_FRAME_NARROW;
}

/* Doubles behind the head. */
static inline size_t anb_frame_numbers(size_t d)
{
    return anb_frame_is_wide(d) ? (ANB_FRAME_PARTS + ANB_FRAME_WIDE_PARTS) * d + ANB_FRAME_LEDGER : ANB_FRAME_PARTS * d;
}

/* Bytes of state for d features; doubles of scratch: the z come first in it. */
static inline size_t anb_frame_state(size_t d)
{
    return sizeof(AnbFrameState) + (anb_frame_numbers(d) + d) * sizeof(double);
}

static inline size_t anb_frame_scratch(size_t d)
{
    return anb_frame_is_wide(d) ? 3 * d + 1 + (d / ANB_FRAME_SPARSE + ANB_FRAME_ROOM) / 2 : 3 * d;
}

/* The state of a frame that has seen nothing, whatever is in the memory; the 16 bits of the owner stay. */
void anb_frame_init(const AnbFrame *self, AnbFrameState *state);

/* Shows a visitor every used field. */
void anb_frame_visit(const AnbFrame *self, AnbFrameState *state, AnbVisitor *visitor);

/* Reads what the layouts 6 and 7 of `scale` showed of its frame. */
void anb_frame_read_apart(const AnbFrame *self, AnbFrameState *state, AnbVisitor *reader);

/* Reads what one of the layouts 1 to 5 of `scale` showed of its frame into a fresh state. */
void anb_frame_read_older(const AnbFrame *self, AnbFrameState *state, unsigned layout, AnbVisitor *reader);

/* z of x into the first d doubles of the scratch. */
void anb_frame_apply(const AnbFrame *self, const AnbFrameState *state, const double *x, double *scratch);

/* A cell in the tail and its other reading. */
typedef struct AnbFrameTrial {
    size_t feature;
    double z;   /* whole or blank where the tail is cut, cut where it is whole or blank */
    bool blank; /* whether it is blank or cut, not whole or cut */
    bool cut;   /* whether z is the cut one */
} AnbFrameTrial;

/* Whether the row, whose z are in the scratch, has a cell to be tried out; fills the trial. */
bool anb_frame_trial(const AnbFrame *self, const AnbFrameState *state, const double *x, const double *scratch,
                     AnbFrameTrial *trial);

/* Whether some z of the row in the scratch is beyond `clip`: a cell of a tail that is passed on. */
bool anb_frame_in_tail(const AnbFrame *self, const AnbFrameState *state, const double *scratch);

/* The errors of the learner below on the row as it was and on its other reading. */
void anb_frame_judge(const AnbFrame *self, AnbFrameState *state, const AnbFrameTrial *trial, double error,
                     double other);

/* How a frame has moved. */
typedef struct AnbReframing {
    const double *alpha, *beta; /* d each: old z = alpha new z + beta */
} AnbReframing;

/**
 * Learns a row, the scratch being the one that anb_frame_apply filled for it.
 *
 * @param restarts  counts features whose moments left the doubles and start again
 * @param moved     filled where the frame has moved; points into the scratch
 * @return          whether it has
 */
bool anb_frame_learn(const AnbFrame *self, AnbFrameState *state, const double *x, double weight, double *scratch,
                     uint64_t *restarts, AnbReframing *moved);

/* The features themselves are now given in another unit, old x_j = alpha_j new x_j + beta_j: z stays the same. */
void anb_frame_reframe(const AnbFrame *self, AnbFrameState *state, const double *alpha, const double *beta);

/* Whether a state from a file is one. */
bool anb_frame_valid(const AnbFrame *self, const AnbFrameState *state);

#endif
