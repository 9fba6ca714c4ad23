/*
 * A frame: the centre and the spread by which each feature is standardised, and the moments that they follow.
 *
 *     z_j = clip((x_j - centre_j) inverse_j, +-limit_j)      0 where x_j is missing or beyond twice the limit,
 *                                                            and where the spread is 0
 *
 * The frame stands still between re-framings, which come after every row at first and each time the rows have grown by
 * a 32nd later on. At one it takes over the moments, and learners that remember coefficients are told how (alpha, beta)
 * so that they go on predicting the same:
 *
 *     old z_j = alpha_j new z_j + beta_j
 *
 * limit_j, at least 4, is how far out feature j is known to reach. It follows a value up to twice as far at once, by a
 * quarter at most; one farther out raises it by 1.5 %, and it falls back by .01 % a row. A tail that values fill
 * is thus passed on whole, a sentinel is not, and a level that has changed is reached within some hundred rows.
 *
 * The moments (Welford) count a value beyond the limit as one at the limit, or at 8 where that is more. One beyond twice
 * the limit takes .07 of the weight of what the feature has seen: where such values keep coming the past is forgotten.
 *
 * State in doubles: [ rows | next re-framing | count d | mean d | m2 d | 1/sd d | centre d | inverse d | limit d ]
 * Cost: two passes over the row.
 */
#ifndef ANB_NUMERIC_FRAME_H
#define ANB_NUMERIC_FRAME_H

#include <anabranch/type.h>

enum { ANB_FRAME_HEAD = 2, ANB_FRAME_PARTS = 7 };

/* Doubles of state for d features, and of scratch: the z come first in it. */
static inline size_t anb_frame_state(size_t d)
{
    return ANB_FRAME_HEAD + ANB_FRAME_PARTS * d;
}

static inline size_t anb_frame_scratch(size_t d)
{
    return 3 * d;
}

/* The state of a frame that has seen nothing, from any. */
void anb_frame_init(double *state, size_t d);

/* Takes over the moments as they stand, for a state whose counts, means, m2 and 1/sd have been written by the caller. */
void anb_frame_settle(double *state, size_t d);

/* z of x into the first d doubles of the scratch. */
void anb_frame_apply(const double *state, const double *x, size_t d, double *scratch);

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
bool anb_frame_learn(double *state, const double *x, double weight, size_t d, double *scratch, uint64_t *restarts,
                     AnbReframing *moved);

/* The features themselves are now given in another unit, old x_j = alpha_j new x_j + beta_j: z stays the same. */
void anb_frame_reframe(double *state, size_t d, const double *alpha, const double *beta);

/* Whether a state from a file is one. */
bool anb_frame_valid(const double *state, size_t d);

#endif
