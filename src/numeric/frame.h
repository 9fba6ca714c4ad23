/*
 * A frame: the centre and the spread by which each feature is standardised, and the moments that they follow.
 *
 *     z_j = (x_j - centre_j) inverse_j, cut at +-bound_j
 *     z_j = 0 where x_j is missing, where |z_j| is beyond limit_j, and where the spread is 0
 *
 * Lengths below are in units of the spread, from the centre; the tail of a feature is what lies beyond `clip`.
 *
 * Re-framing. The moments follow the rows, while the frame changes only at times: after every row at first, later each
 * time the number of rows has grown by a 32nd, it is set to the moments. Learners that keep coefficients transform
 * them, so that their predictions stay the same:
 *
 *     old z_j = alpha_j new z_j + beta_j
 *
 * Reach. reach_j is how far out values of feature j have been, at least `clip`. A value up to limit_j raises it to
 * itself, or by a quarter at most where the tail is not passed on. A value beyond limit_j raises it by 1.5 %. It falls
 * by .01 % a row. So one sentinel is left out, and a level that has changed is reached within some hundred rows.
 *
 * Three readings of a tail.
 *
 *     cut         bound_j = 1.5 common_j, at least 2 and at most `clip`
 *     passed on   bound_j = `far` reach_j, or `trust` reach_j where the frame is `open`
 *     left out    cells in the tail are 0, as missing ones
 *
 * common_j is exceeded by about one |z_j| in a hundred: it grows by a quarter where |z_j| exceeds it and falls by .2 %
 * where it does not. A tail is cut at first. In a `whole` frame all tails are passed on, always. In one with `tails`
 * the reading is found by trials.
 *
 * Trials. On a row with a cell in a tail the learner below predicts twice: with the tail as it is read now, and with
 * another reading. A tail that is cut is compared with one that is passed on, in turns also with one that is left out
 * once evidence_j is at most 0. A tail that is passed on or left out is compared with one that is cut. The gain is the
 * squared error of the cut reading less that of the other, divided by the mean squared error of trials or (2.75
 * `level`)^2, whichever is less, and bounded to +-4. It is added to evidence_j (other reading: passed on) or junk_j
 * (left out), after that was multiplied by 31/32.
 *
 *     evidence_j >= 2    the tail is passed on         evidence_j <= -2    it is cut
 *     junk_j >= 4        a cut tail is left out        junk_j <= -2        it is no longer left out
 *
 * A cell beyond limit_j that would be within it if the tail were passed on is tested too, where the reach is above
 * `clip`.
 *
 * Limit. limit_j is `far` reach_j; `trust` reach_j where the tail is passed on, since a cell farther out than any
 * before is then more likely right than wrong; `clip` where the tail is left out. crowd_j counts cells in the tail
 * among the last 80 rows or so: more than 20 are a new level, and are not left out.
 *
 * Moments (Welford). Let b be 8, or reach_j where the tail is passed on and reach_j is above 8. A value with |z_j| >=
 * reach_j and |z_j| > b counts as one at +-b. A value beyond limit_j also multiplies the weight of all earlier values
 * by .93, so that the past is forgotten if such values keep coming. Cells that are left out do not count.
 *
 * Start. During the first 16 rows the moments are without the lowest and the highest value of each feature. The frame
 * takes these no further out than 8 deviations of the others (further while the others are fewer than 8), and they are
 * counted so at the end of the start. So one sentinel among the first rows makes no spread. A feature is 0 until two
 * values between the outermost differ.
 *
 * Rows of mostly zeros. In a frame of more than 512 features a row of which at most an eighth is not zero (NaN is not)
 * is learned by those other cells, one after the other. Its zeros are due: they are learned together, feature by
 * feature, before the next dense row, before the next re-framing, and every 64 rows. The moments join them as so many
 * values of 0 (Chan), common_j grows or falls as often, and where 0 is in the tail they count one by one. bound_j,
 * limit_j and crowd_j follow with a cell, or else then. There are no trials of zeros. The z are those of a dense row;
 * the z of a zero is stored for each feature. Such a row is always learned this way, so bits do not depend on how it
 * was passed; a stream of dense rows has the bits of a narrow frame. Cost: one pass over the row, a copy of the zeros'
 * z, the other cells, and a 64th of two dense rows.
 *
 * State: what AnbFrameState has, then
 *
 *     double    count d | mean d | m2 d | centre d | inverse d | bound d | common d
 *               reach d, negative where the tail is left out; during the start the lowest value
 *     of a wide one also [ z of a zero d | cells that were not zero since the zeros were learned d | their weight d
 *                     | 1 where the z of a zero are those of this frame | rows whose zeros are due | their weight ]
 *     uint64_t  evidence, 24 bits, junk, 24 bits, and crowd, 16 bits, of each feature: d; in their place during the
 *               start double: the highest value d
 *
 * limit_j follows from the reach, 1/sd from the moments. Evidence, junk and crowd are only compared with thresholds, so
 * fewer bits are enough for them: evidence and junk are in 2^-19, crowd in 1/512. Cost: two passes over a dense row.
 */
#ifndef ANB_NUMERIC_FRAME_H
#define ANB_NUMERIC_FRAME_H

#include <anabranch/type.h>

/* The constant parameters of a frame; may be made anew for each call. */
typedef struct AnbFrame {
    size_t d;
    double clip;       /* in deviations */
    double far, trust; /* in reaches; trust at least far */
    bool tails;        /* whether the reading of tails is found by trials */
    bool whole;        /* whether all tails are passed on from the first, without trials */
    bool open;         /* whether cells of a tail that is passed on are bounded by `trust` reaches; else by `far` */
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

/* Bytes of state for d features; doubles of scratch: the z come first in it, their place behind two more such rows. */
static inline size_t anb_frame_state(size_t d)
{
    return sizeof(AnbFrameState) + (anb_frame_numbers(d) + d) * sizeof(double);
}

static inline size_t anb_frame_scratch(size_t d)
{
    return 3 * d + 1 + (anb_frame_is_wide(d) ? 1 + (d / ANB_FRAME_SPARSE + ANB_FRAME_ROOM) / 2 : 0);
}

/* Initialises the state, whatever the memory holds; the 16 bits of the owner stay. */
void anb_frame_init(const AnbFrame *self, AnbFrameState *state);

/* Calls a visitor for every used field. */
void anb_frame_visit(const AnbFrame *self, AnbFrameState *state, AnbVisitor *visitor);

/* Reads the frame of the layouts 6 and 7 of `scale`. */
void anb_frame_read_apart(const AnbFrame *self, AnbFrameState *state, AnbVisitor *reader);

/* Reads the frame of one of the layouts 1 to 5 of `scale` into a fresh state. */
void anb_frame_read_older(const AnbFrame *self, AnbFrameState *state, unsigned layout, AnbVisitor *reader);

/* Writes z of x to the first d doubles of the scratch, and their place behind them. */
void anb_frame_apply(const AnbFrame *self, const AnbFrameState *state, const double *x, double *scratch);

/* Writes z of x to d doubles, of a frame that is not wide; returns their place. */
double anb_frame_apply_alone(const AnbFrame *self, const AnbFrameState *state, const double *x, double *z);

/* The place of the row in the scratch, when it was applied: 2 where some |z| had reached its bound or `clip`, else 1
 * where some z was 0, else 0. 2 also where it was not computed: during the start, and of a row of mostly zeros. */
static inline double anb_frame_place(const AnbFrame *self, const double *scratch)
{
    return scratch[3 * self->d];
}

/* A cell in the tail and its other reading. */
typedef struct AnbFrameTrial {
    size_t feature;
    double z;   /* whole or blank where the tail is cut, cut where it is whole or blank */
    bool blank; /* whether it is blank or cut, not whole or cut */
    bool cut;   /* whether z is the cut one */
} AnbFrameTrial;

/* Whether the row, whose z are in the scratch, has a cell for a trial; fills the trial. */
bool anb_frame_trial(const AnbFrame *self, const AnbFrameState *state, const double *x, const double *scratch,
                     AnbFrameTrial *trial);

/* Whether some z of a row of that place is beyond `clip`: a cell of a tail that is passed on. `z` is the scratch, or
 * what anb_frame_apply_alone wrote. */
bool anb_frame_in_tail(const AnbFrame *self, const AnbFrameState *state, const double *z, double place);

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

/* Whether a state from a file is valid. */
bool anb_frame_valid(const AnbFrame *self, const AnbFrameState *state);

#endif
