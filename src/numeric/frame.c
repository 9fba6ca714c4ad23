/* A frame that stands still between re-framings: frame.h has the rules. */
#include "frame_wide.h"
#include "src/simd/kernels.h"

static const double FEW = 4;     /* values that are too few to estimate anything */
static const double UNKNOWN = 2; /* place */

void anb_frame_init(const AnbFrame *self, AnbFrameState *state)
{
    size_t d = self->d;
    anb_frame_put_progress(state, 0, true);
    state->tried = 0;
    state->left = 1;
    memset(state->part, 0, anb_frame_state(d) - sizeof *state);
    for (size_t j = 0; j < d; j++) {
        part(state, d, BOUND)[j] = part(state, d, COMMON)[j] = self->clip;
        part(state, d, LOW)[j] = DBL_MAX;
        highest_of(state, d)[j] = -DBL_MAX;
    }
}

/* Once in n rows, n a power of two. */
static bool every(const AnbFrameState *state, uint64_t n)
{
    return (anb_frame_rows(state) & (n - 1)) == 0;
}

/* Apart, so that the short way saves no registers for it. */
static __attribute__((noinline)) double apply_at_start(const AnbFrame *self, const AnbFrameState *state,
                                                       const double *x, double *z)
{
    for (size_t j = 0; j < self->d; j++)
        z[j] = anb_frame_z(self, state, j, x[j]);
    return UNKNOWN;
}

double anb_frame_apply_alone(const AnbFrame *self, const AnbFrameState *state, const double *x, double *z)
{
    return anb_frame_starting(state) ? apply_at_start(self, state, x, z) : anb_frame_standardize(self, state, x, z);
}

void anb_frame_apply(const AnbFrame *self, const AnbFrameState *state, const double *x, double *scratch)
{
    bool sparse = anb_frame_is_wide(self->d) && anb_frame_apply_cells(self, state, x, scratch);
    scratch[3 * self->d] = sparse ? UNKNOWN : anb_frame_apply_alone(self, state, x, scratch);
}

/* ---- the start --------------------------------------------------------------------------------------------------- */

/* A feature during the start: the moments of all values but the lowest and the highest, and those two; low > high
 * before the first value. */
typedef struct Sketch {
    AnbMoments inner;
    double low, high;
} Sketch;

static Sketch sketch_of(const AnbFrameState *state, size_t d, size_t j)
{
    return (Sketch){anb_frame_moments(state, d, j), part_const(state, d, LOW)[j], highest_of(anb_view_of(state), d)[j]};
}

/* Adds a value: the new outermost value stays outside of the moments, the former one goes into them. */
static void start_cell(AnbFrameState *state, size_t d, size_t j, double x, double weight)
{
    Sketch s = sketch_of(state, d, j);
    double *low = &part(state, d, LOW)[j], *high = &highest_of(state, d)[j], in = x;
    if (s.low > s.high) {
        *low = *high = x;
        return;
    }
    if (x < s.low) {
        in = s.low;
        *low = x;
    } else if (x > s.high) {
        in = s.high;
        *high = x;
    }
    if (s.low == s.high && in != x)
        return;
    anb_moments_add(&s.inner, in, weight);
    anb_frame_put_moments(state, d, j, &s.inner);
}

/* The moments of all values, the outermost two taken no further out than FAR_OUT deviations of the others, further
 * where those are fewer than eight. `whole`: as they are. */
static AnbMoments completed(const Sketch *s, double weight, bool whole)
{
    AnbMoments m = s->inner;
    double others = m.weight / weight, wide = others < 8 ? 8 / others : 1;
    double bound = m.square > 0 ? FAR_OUT * wide * anb_moments_sd(&m) : 0;
    if (s->low > s->high)
        return m;
    if (m.weight == 0)
        m.mean = s->low;
    double low = m.mean - bound, high = m.mean + bound;
    anb_moments_add(&m, whole || s->low > low ? s->low : low, weight);
    if (s->low < s->high)
        anb_moments_add(&m, whole || s->high < high ? s->high : high, weight);
    return m;
}

/* Ends the start: the moments become those of all values, with the outermost two bounded if there are enough others. */
static void end_start(const AnbFrame *self, AnbFrameState *state, double weight)
{
    size_t d = self->d;
    for (size_t j = 0; j < d; j++) {
        Sketch s = sketch_of(state, d, j);
        AnbMoments m = completed(&s, weight, s.inner.weight < FEW * weight);
        anb_frame_put_moments(state, d, j, &m);
        anb_frame_put_reach(state, d, j, self->clip, false);
    }
    memset(tails_of(state, d), 0, d * sizeof(uint64_t));
    anb_frame_put_progress(state, anb_frame_rows(state), false);
}

static void start(const AnbFrame *self, AnbFrameState *state, const double *x, double weight)
{
    size_t d = self->d;
    for (size_t j = 0; j < d; j++)
        if (x[j] == x[j])
            start_cell(state, d, j, x[j], weight);
    if (anb_frame_rows(state) + 1 >= START)
        end_start(self, state, weight);
}

/* The centre and the inverse that follow from the moments. */
static void aim(const AnbFrameState *state, size_t d, size_t j, double weight, double *centre, double *inverse)
{
    AnbMoments m = anb_frame_moments(state, d, j);
    if (anb_frame_starting(state)) {
        Sketch s = sketch_of(state, d, j);
        m = completed(&s, weight, false);
    }
    *centre = m.mean;
    *inverse = anb_frame_inverse_sd(&m);
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

/* The row as the moments count it. */
static const double *bounded(const AnbFrame *self, AnbFrameState *state, const double *x, double *scratch)
{
    size_t d = self->d;
    double *to = scratch + d;
    anb_follow_size(part(state, d, COMMON), scratch, UP, DOWN, LEAST_COMMON, d);
    if (every(state, BOUNDS))
        anb_frame_keep_bounds(self, state);
    if (anb_frame_place(self, scratch) == 0)
        return x;
    for (size_t j = 0; j < d; j++)
        to[j] = anb_frame_outside(self, state, j, x[j]);
    return to;
}

/* Restarts features whose moments are not finite. */
static void restart_feature(AnbFrameState *state, size_t d, uint64_t *restarts)
{
    for (size_t j = 0; j < d; j++)
        if (anb_nonfinite(&part(state, d, MEAN)[j], 1) + anb_nonfinite(&part(state, d, M2)[j], 1) != 0) {
            anb_frame_put_moments(state, d, j, &(AnbMoments){0});
            ++*restarts;
        }
}

/* Sets the reach, at least `clip`. During the start there is none. */
static void change_reach(const AnbFrame *self, AnbFrameState *state, size_t j, double reach)
{
    if (!anb_frame_starting(state))
        anb_frame_put_reach(state, self->d, j, reach > self->clip ? reach : self->clip,
                            anb_frame_blank(state, self->d, j));
}

static void relax(const AnbFrame *self, AnbFrameState *state)
{
    for (size_t j = 0; j < self->d; j++)
        change_reach(self, state, j, anb_frame_reach(self, state, j) * .9936);
    anb_frame_keep_bounds(self, state);
}

/* The frame takes over the moments. */
static void move(const AnbFrame *self, AnbFrameState *state, double weight, double *scratch, AnbReframing *moved)
{
    size_t d = self->d;
    double *alpha = scratch + d, *beta = alpha + d, *centre = part(state, d, CENTRE),
           *inverse = part(state, d, INVERSE), *common = part(state, d, COMMON);
    for (size_t j = 0; j < d; j++) {
        double mean, inv_sd;
        aim(state, d, j, weight, &mean, &inv_sd);
        double ratio = inverse[j] / inv_sd, shift = (mean - centre[j]) * inverse[j];
        bool known = ratio > 1e-100 && ratio < 1e100 && shift - shift == 0;
        alpha[j] = known ? ratio : 1;
        beta[j] = known ? shift : 0;
        change_reach(self, state, j, known ? anb_frame_reach(self, state, j) / ratio : self->clip);
        common[j] = known ? common[j] / ratio : self->clip;
        centre[j] = mean;
        inverse[j] = inv_sd;
    }
    anb_frame_keep_bounds(self, state);
    anb_frame_set_left(state);
    *moved = (AnbReframing){alpha, beta};
}

static void learn_dense(const AnbFrame *self, AnbFrameState *state, const double *x, double weight, double *scratch,
                        uint64_t *restarts)
{
    size_t d = self->d;
    const double *shown = bounded(self, state, x, scratch);
    if (!(anb_moments_update(part(state, d, COUNT), part(state, d, MEAN), part(state, d, M2), NULL, shown, weight, d) ==
          0))
        restart_feature(state, d, restarts);
}

static void learn_moments(const AnbFrame *self, AnbFrameState *state, const double *x, double weight, double *scratch,
                          uint64_t *restarts)
{
    if (anb_frame_starting(state)) {
        start(self, state, x, weight);
        restart_feature(state, self->d, restarts);
    } else if (anb_frame_is_sparse(self, state, scratch)) {
        anb_frame_learn_cells(self, state, x, weight, scratch, restarts);
        return;
    } else {
        anb_frame_catch_up(self, state, restarts);
        learn_dense(self, state, x, weight, scratch, restarts);
    }
    anb_frame_changed(self, state);
}

/* Does the periodic updates; returns whether the frame has moved. */
static bool keep_up(const AnbFrame *self, AnbFrameState *state, double weight, double *scratch, uint64_t *restarts,
                    AnbReframing *moved)
{
    bool relaxes = every(state, RELAX), moves = state->left == 0;
    if (!relaxes && !moves)
        return false;
    anb_frame_catch_up(self, state, restarts);
    anb_frame_changed(self, state);
    if (relaxes)
        relax(self, state);
    if (moves)
        move(self, state, weight, scratch, moved);
    return moves;
}

bool anb_frame_learn(const AnbFrame *self, AnbFrameState *state, const double *x, double weight, double *scratch,
                     uint64_t *restarts, AnbReframing *moved)
{
    learn_moments(self, state, x, weight, scratch, restarts);
    if (anb_frame_rows(state) < ROWS_MOST)
        state->progress += (uint64_t)1 << ANB_FRAME_ROWS_AT;
    state->left -= state->left > 0;
    bool moves = keep_up(self, state, weight, scratch, restarts, moved);
    if (anb_frame_is_sparse(self, state, scratch))
        anb_frame_renew(self, state);
    return moves;
}

/* Of the start the lowest and the highest value. */
static void reframe_outermost(AnbFrameState *state, size_t d, size_t j, double alpha, double beta)
{
    double *low = &part(state, d, LOW)[j], *high = &highest_of(state, d)[j];
    if (anb_frame_starting(state) && *low <= *high) {
        double a = (*low - beta) / alpha, b = (*high - beta) / alpha;
        *low = a < b ? a : b;
        *high = a < b ? b : a;
    }
}

void anb_frame_reframe(const AnbFrame *self, AnbFrameState *state, const double *alpha, const double *beta)
{
    size_t d = self->d;
    uint64_t restarts = 0;
    anb_frame_catch_up(self, state, &restarts);
    anb_frame_changed(self, state);
    for (size_t j = 0; j < d; j++) {
        part(state, d, MEAN)[j] = (part(state, d, MEAN)[j] - beta[j]) / alpha[j];
        part(state, d, CENTRE)[j] = (part(state, d, CENTRE)[j] - beta[j]) / alpha[j];
        part(state, d, M2)[j] /= alpha[j] * alpha[j];
        reframe_outermost(state, d, j, alpha[j], beta[j]);
        part(state, d, INVERSE)[j] *= alpha[j];
    }
    if (!anb_frame_valid(self, state))
        anb_frame_init(self, state);
}
