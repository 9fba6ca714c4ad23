/* A frame that stands still between re-framings: frame.h has the rules. */
#include "frame_wide.h"
#include "src/simd/kernels.h"

static const double FEW = 4; /* values that tell nothing yet */

void anb_frame_init(const AnbFrame *self, double *state)
{
    memset(state, 0, anb_frame_state(self->d) * sizeof *state);
    state[STARTING] = 1;
    for (size_t j = 0; j < self->d; j++) {
        part(state, self->d, REACH)[j] = part(state, self->d, BOUND)[j] = part(state, self->d, COMMON)[j] = self->clip;
        part(state, self->d, LIMIT)[j] = self->far * self->clip;
        part(state, self->d, LOW)[j] = DBL_MAX;
        part(state, self->d, HIGH)[j] = -DBL_MAX;
    }
}

/* Once in n rows, n a power of two. */
static bool every(const double *state, uint64_t n)
{
    return state[ROWS] < 0x1p53 && ((uint64_t)state[ROWS] & (n - 1)) == 0;
}

static void set_next(double *state)
{
    state[NEXT] = state[ROWS] + 1 + floor(state[ROWS] / 32);
}

void anb_frame_settle(const AnbFrame *self, double *state)
{
    size_t d = self->d;
    for (size_t j = 0; j < d; j++) {
        double count = part(state, d, COUNT)[j];
        state[ROWS] = count > state[ROWS] ? floor(count) : state[ROWS];
        part(state, d, CENTRE)[j] = part(state, d, MEAN)[j];
        part(state, d, INVERSE)[j] = part(state, d, INV_SD)[j];
        part(state, d, EVIDENCE)[j] = 0;
    }
    state[STARTING] = 0;
    set_next(state);
    anb_frame_changed(self, state);
}

void anb_frame_resume(const AnbFrame *self, double *state)
{
    for (size_t j = 0; j < self->d; j++)
        part(state, self->d, LIMIT)[j] = self->far * part(state, self->d, REACH)[j];
    anb_frame_changed(self, state);
}

void anb_frame_apply(const AnbFrame *self, const double *state, const double *x, double *scratch)
{
    size_t d = self->d;
    if (anb_frame_is_wide(d) && anb_frame_apply_cells(self, state, x, scratch))
        return;
    anb_standardize_within(x, part_const(state, d, CENTRE), part_const(state, d, INVERSE), part_const(state, d, BOUND),
                           part_const(state, d, LIMIT), 1, d, scratch);
}

/* ---- the start ----------------------------------------------------------------------------------------------------- */

/* What is known of a feature during the start: the moments of all values but the lowest and the highest, and those two;
 * low > high before the first value. */
typedef struct Sketch {
    AnbMoments inner;
    double low, high;
} Sketch;

static Sketch sketch_of(const double *state, size_t d, size_t j)
{
    return (Sketch){{part_const(state, d, COUNT)[j], part_const(state, d, MEAN)[j], part_const(state, d, M2)[j]},
                    part_const(state, d, LOW)[j],
                    part_const(state, d, HIGH)[j]};
}

static void put_moments(double *state, size_t d, size_t j, const AnbMoments *m)
{
    part(state, d, COUNT)[j] = m->weight;
    part(state, d, MEAN)[j] = m->mean;
    part(state, d, M2)[j] = m->square;
}

/* The value that is outermost now stays outside, the one that was goes in. */
static void start_cell(double *state, size_t d, size_t j, double x, double weight)
{
    Sketch s = sketch_of(state, d, j);
    double *low = &part(state, d, LOW)[j], *high = &part(state, d, HIGH)[j], in = x;
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
    put_moments(state, d, j, &s.inner);
}

/* The moments of all values, the outermost two taken no further out than FAR_OUT deviations of the others, further where
 * those are fewer than eight. `whole`: as they are. */
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

/* The last row of the start: the moments are those of all values. Few others tell nothing of what lies far out. */
static void end_start(double *state, size_t d, double weight)
{
    for (size_t j = 0; j < d; j++) {
        Sketch s = sketch_of(state, d, j);
        AnbMoments m = completed(&s, weight, s.inner.weight < FEW * weight);
        put_moments(state, d, j, &m);
        part(state, d, INV_SD)[j] = anb_frame_inverse_sd(&m);
        part(state, d, EVIDENCE)[j] = 0;
    }
    state[STARTING] = 0;
}

static void start(double *state, const double *x, size_t d, double weight)
{
    for (size_t j = 0; j < d; j++)
        if (x[j] == x[j])
            start_cell(state, d, j, x[j], weight);
    if (state[ROWS] + 1 >= START)
        end_start(state, d, weight);
}

/* The centre and the inverse that the moments ask for. */
static void aim(const double *state, size_t d, size_t j, double weight, double *centre, double *inverse)
{
    *centre = part_const(state, d, MEAN)[j];
    *inverse = part_const(state, d, INV_SD)[j];
    if (state[STARTING] != 0) {
        Sketch s = sketch_of(state, d, j);
        AnbMoments m = completed(&s, weight, false);
        *centre = m.mean;
        *inverse = anb_frame_inverse_sd(&m);
    }
}

/* ---- learning ------------------------------------------------------------------------------------------------------ */

/* The row as the moments count it. */
static const double *bounded(const AnbFrame *self, double *state, const double *x, double *scratch)
{
    size_t d = self->d;
    double *to = scratch + d;
    anb_follow_size(part(state, d, COMMON), scratch, UP, DOWN, LEAST_COMMON, d);
    if (every(state, BOUNDS))
        anb_frame_keep_bounds(self, state);
    if (anb_outermost(scratch, part(state, d, BOUND), self->clip, d) == 0)
        return x;
    for (size_t j = 0; j < d; j++)
        to[j] = anb_frame_outside(self, state, j, x[j]);
    return to;
}

/* A feature whose moments, up to part `last`, left the doubles starts again. */
static void mend(double *state, size_t d, size_t last, uint64_t *restarts)
{
    for (size_t j = 0; j < d; j++)
        if (anb_nonfinite(&part(state, d, MEAN)[j], 1) + anb_nonfinite(&part(state, d, M2)[j], 1) != 0) {
            for (size_t which = COUNT; which <= last; which++)
                part(state, d, which)[j] = 0;
            ++*restarts;
        }
}

static void relax(const AnbFrame *self, double *state)
{
    double *reach = part(state, self->d, REACH);
    for (size_t j = 0; j < self->d; j++)
        reach[j] = reach[j] * .9936 > self->clip ? reach[j] * .9936 : self->clip;
    anb_frame_keep_bounds(self, state);
}

/* The frame takes over the moments. */
static void move(const AnbFrame *self, double *state, double weight, double *scratch, AnbReframing *moved)
{
    size_t d = self->d;
    double *alpha = scratch + d, *beta = alpha + d, *centre = part(state, d, CENTRE),
           *inverse = part(state, d, INVERSE), *reach = part(state, d, REACH), *common = part(state, d, COMMON);
    for (size_t j = 0; j < d; j++) {
        double mean, inv_sd;
        aim(state, d, j, weight, &mean, &inv_sd);
        double ratio = inverse[j] / inv_sd, shift = (mean - centre[j]) * inverse[j];
        bool known = ratio > 1e-100 && ratio < 1e100 && shift - shift == 0;
        alpha[j] = known ? ratio : 1;
        beta[j] = known ? shift : 0;
        bool far = known && state[STARTING] == 0 && reach[j] / ratio > self->clip;
        reach[j] = far ? reach[j] / ratio : self->clip;
        common[j] = known ? common[j] / ratio : self->clip;
        centre[j] = mean;
        inverse[j] = inv_sd;
    }
    anb_frame_keep_bounds(self, state);
    set_next(state);
    *moved = (AnbReframing){alpha, beta};
}

static void learn_dense(const AnbFrame *self, double *state, const double *x, double weight, double *scratch,
                        uint64_t *restarts)
{
    size_t d = self->d;
    if (!(anb_moments_update(part(state, d, COUNT), part(state, d, MEAN), part(state, d, M2), part(state, d, INV_SD),
                             bounded(self, state, x, scratch), weight, d) == 0))
        mend(state, d, INV_SD, restarts);
}

static void learn_moments(const AnbFrame *self, double *state, const double *x, double weight, double *scratch,
                          uint64_t *restarts)
{
    size_t d = self->d;
    if (state[STARTING] != 0) {
        start(state, x, d, weight);
        mend(state, d, state[STARTING] != 0 ? M2 : INV_SD, restarts);
    } else if (anb_frame_is_sparse(self, state, scratch)) {
        anb_frame_learn_cells(self, state, x, weight, scratch, restarts);
        return;
    } else {
        anb_frame_catch_up(self, state, restarts);
        learn_dense(self, state, x, weight, scratch, restarts);
    }
    anb_frame_changed(self, state);
}

/* What changes from time to time; whether the frame has moved. */
static bool keep_up(const AnbFrame *self, double *state, double weight, double *scratch, uint64_t *restarts,
                    AnbReframing *moved)
{
    bool relaxes = every(state, RELAX), moves = !(state[ROWS] < state[NEXT]);
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

bool anb_frame_learn(const AnbFrame *self, double *state, const double *x, double weight, double *scratch,
                     uint64_t *restarts, AnbReframing *moved)
{
    learn_moments(self, state, x, weight, scratch, restarts);
    state[ROWS] += 1;
    bool moves = keep_up(self, state, weight, scratch, restarts, moved);
    if (anb_frame_is_sparse(self, state, scratch))
        anb_frame_renew(self, state);
    return moves;
}

/* Of the start the lowest and the highest value, after it 1/sd. */
static void reframe_outermost(double *state, size_t d, size_t j, double alpha, double beta)
{
    double *low = &part(state, d, LOW)[j], *high = &part(state, d, HIGH)[j];
    if (state[STARTING] == 0)
        part(state, d, INV_SD)[j] *= alpha;
    else if (*low <= *high) {
        double a = (*low - beta) / alpha, b = (*high - beta) / alpha;
        *low = a < b ? a : b;
        *high = a < b ? b : a;
    }
}

void anb_frame_reframe(const AnbFrame *self, double *state, const double *alpha, const double *beta)
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

bool anb_frame_valid(const AnbFrame *self, const double *state)
{
    size_t d = self->d;
    const double *reach = part_const(state, d, REACH), *bound = part_const(state, d, BOUND);
    const double *common = part_const(state, d, COMMON);
    const double *limit = part_const(state, d, LIMIT), *crowd = part_const(state, d, CROWD);
    bool fine = anb_nonfinite(state, anb_frame_state(d)) == 0 && state[ROWS] >= 0 && state[TRIED] >= 0 &&
                (state[STARTING] == 0 || state[STARTING] == 1) && anb_weights_valid(part_const(state, d, COUNT), d);
    for (size_t j = 0; j < d; j++)
        fine &= reach[j] >= self->clip && (limit[j] == self->clip || limit[j] == self->far * reach[j]) &&
                crowd[j] >= 0 && bound[j] > 0 && bound[j] <= self->far * reach[j] && common[j] > 0;
    return fine && anb_frame_wide_valid(self, state);
}
