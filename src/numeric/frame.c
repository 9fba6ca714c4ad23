/* A frame that stands still between re-framings: frame.h has the rules. */
#include "frame.h"
#include "moments.h"
#include "src/simd/kernels.h"

enum { ROWS, NEXT, TRIED };                                                /* head */
enum { COUNT, MEAN, M2, INV_SD, CENTRE, INVERSE, REACH, BOUND, EVIDENCE }; /* parts */
enum { RELAX = 64, SOON = 100, RAW = 16 }; /* rows between falls of the reach; to a forced re-framing; as they come */

static const double FAR_OUT = 8;                           /* where the moments bound a value at least */
static const double ENOUGH = 2, MOST = 8, FADE = 31. / 32; /* evidence for a change, at most; its discount a trial */

static double *part(double *state, size_t d, size_t which)
{
    return state + ANB_FRAME_HEAD + which * d;
}

static const double *part_const(const double *state, size_t d, size_t which)
{
    return state + ANB_FRAME_HEAD + which * d;
}

void anb_frame_init(const AnbFrame *self, double *state)
{
    memset(state, 0, anb_frame_state(self->d) * sizeof *state);
    for (size_t j = 0; j < self->d; j++)
        part(state, self->d, REACH)[j] = part(state, self->d, BOUND)[j] = self->clip;
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
    }
    set_next(state);
}

void anb_frame_apply(const AnbFrame *self, const double *state, const double *x, double *scratch)
{
    size_t d = self->d;
    anb_standardize_within(x, part_const(state, d, CENTRE), part_const(state, d, INVERSE), part_const(state, d, BOUND),
                           part_const(state, d, REACH), self->far, d, scratch);
}

/* ---- tails --------------------------------------------------------------------------------------------------------- */

static double clip(double v, double bound)
{
    return v > bound ? bound : v < -bound ? -bound : v;
}

bool anb_frame_trial(const AnbFrame *self, const double *state, const double *x, const double *scratch,
                     AnbFrameTrial *trial)
{
    size_t d = self->d, first = self->tails && d > 0 ? (size_t)fmod(state[ROWS], (double)d) : 0;
    const double *reach = part_const(state, d, REACH), *bound = part_const(state, d, BOUND);
    for (size_t i = 0; i < d && self->tails; i++) {
        size_t j = first + i < d ? first + i : first + i - d;
        if (fabs(scratch[j]) >= self->clip && reach[j] > self->clip) {
            double z = (x[j] - part_const(state, d, CENTRE)[j]) * part_const(state, d, INVERSE)[j];
            bool whole = bound[j] == self->clip;
            *trial = (AnbFrameTrial){j, clip(z, whole ? self->far * reach[j] : self->clip), whole};
            return true;
        }
    }
    return false;
}

void anb_frame_judge(const AnbFrame *self, double *state, const AnbFrameTrial *trial, double error, double other)
{
    size_t d = self->d, j = trial->feature;
    double *evidence = &part(state, d, EVIDENCE)[j], *bound = &part(state, d, BOUND)[j], *mean = &state[TRIED];
    double here = error * error, there = other * other, least = here < there ? here : there;
    if (!(here + there < 0x1p1000))
        return;
    *mean = *mean > 0 ? *mean + .01 * ((least < 16 * *mean ? least : 16 * *mean) - *mean) : here;
    double gain = *mean > 0 ? clip((trial->whole ? here - there : there - here) / *mean, 4) : 0;
    *evidence = clip(FADE * *evidence + gain, MOST);
    if (*evidence >= ENOUGH)
        *bound = self->far * part(state, d, REACH)[j];
    else if (*evidence <= -ENOUGH)
        *bound = self->clip;
}

/* The bound of a tail that is whole follows the reach. */
static void keep_bounds(const AnbFrame *self, double *state)
{
    double *bound = part(state, self->d, BOUND);
    const double *reach = part(state, self->d, REACH);
    for (size_t j = 0; j < self->d; j++)
        bound[j] = bound[j] > self->clip ? self->far * reach[j] : self->clip;
}

/* ---- learning ------------------------------------------------------------------------------------------------------ */

/* Whether a cell lies in the tail or was left out. */
static bool any_outside(const double *z, double clip, size_t d)
{
    int any = 0;
    for (size_t j = 0; j < d; j++)
        any |= (fabs(z[j]) >= clip) | (z[j] == 0);
    return any != 0;
}

/* A value beyond the reach: what the moments are shown of it. */
static double outside(const AnbFrame *self, double *state, size_t j, double x)
{
    size_t d = self->d;
    double centre = part(state, d, CENTRE)[j], inverse = part(state, d, INVERSE)[j], *reach = &part(state, d, REACH)[j];
    double z = (x - centre) * inverse, size = fabs(z), bound = *reach > FAR_OUT ? *reach : FAR_OUT;
    if (!(size >= *reach))
        return x;
    if (size > self->far * *reach) {
        *reach *= 1.015;
        part(state, d, COUNT)[j] *= .93;
        part(state, d, M2)[j] *= .93;
        if (*reach > 4 * self->clip && state[NEXT] > state[ROWS] + SOON)
            state[NEXT] = state[ROWS] + SOON;
    } else
        *reach = size < 1.25 * *reach || part(state, d, BOUND)[j] > self->clip ? size : 1.25 * *reach;
    return size > bound ? centre + (z < 0 ? -bound : bound) / inverse : x;
}

/* The row as the moments count it. */
static const double *bounded(const AnbFrame *self, double *state, const double *x, double *scratch)
{
    size_t d = self->d;
    double *to = scratch + d;
    if (state[ROWS] < RAW || !any_outside(scratch, self->clip, d))
        return x;
    for (size_t j = 0; j < d; j++)
        to[j] = outside(self, state, j, x[j]);
    keep_bounds(self, state);
    return to;
}

/* A feature whose moments left the doubles starts again. */
static void mend(double *state, size_t d, uint64_t *restarts)
{
    for (size_t j = 0; j < d; j++)
        if (anb_nonfinite(&part(state, d, MEAN)[j], 1) + anb_nonfinite(&part(state, d, M2)[j], 1) != 0) {
            for (size_t which = COUNT; which <= INV_SD; which++)
                part(state, d, which)[j] = 0;
            ++*restarts;
        }
}

static void relax(const AnbFrame *self, double *state)
{
    double *reach = part(state, self->d, REACH);
    for (size_t j = 0; j < self->d; j++)
        reach[j] = reach[j] * .9936 > self->clip ? reach[j] * .9936 : self->clip;
    keep_bounds(self, state);
}

/* The frame takes over the moments. */
static void move(const AnbFrame *self, double *state, double *scratch, AnbReframing *moved)
{
    size_t d = self->d;
    double *alpha = scratch + d, *beta = alpha + d, *centre = part(state, d, CENTRE),
           *inverse = part(state, d, INVERSE);
    double *reach = part(state, d, REACH);
    const double *mean = part(state, d, MEAN), *inv_sd = part(state, d, INV_SD);
    for (size_t j = 0; j < d; j++) {
        double ratio = inverse[j] / inv_sd[j], shift = (mean[j] - centre[j]) * inverse[j];
        bool known = ratio > 1e-100 && ratio < 1e100 && shift - shift == 0;
        alpha[j] = known ? ratio : 1;
        beta[j] = known ? shift : 0;
        reach[j] = known && reach[j] / ratio > self->clip ? reach[j] / ratio : self->clip;
        centre[j] = mean[j];
        inverse[j] = inv_sd[j];
    }
    keep_bounds(self, state);
    set_next(state);
    *moved = (AnbReframing){alpha, beta};
}

bool anb_frame_learn(const AnbFrame *self, double *state, const double *x, double weight, double *scratch,
                     uint64_t *restarts, AnbReframing *moved)
{
    size_t d = self->d;
    const double *row = bounded(self, state, x, scratch);
    if (!(anb_moments_update(part(state, d, COUNT), part(state, d, MEAN), part(state, d, M2), part(state, d, INV_SD),
                             row, weight, d) == 0))
        mend(state, d, restarts);
    state[ROWS] += 1;
    if (fmod(state[ROWS], RELAX) == 0)
        relax(self, state);
    if (state[ROWS] < state[NEXT])
        return false;
    move(self, state, scratch, moved);
    return true;
}

void anb_frame_reframe(const AnbFrame *self, double *state, const double *alpha, const double *beta)
{
    size_t d = self->d;
    for (size_t j = 0; j < d; j++) {
        part(state, d, MEAN)[j] = (part(state, d, MEAN)[j] - beta[j]) / alpha[j];
        part(state, d, CENTRE)[j] = (part(state, d, CENTRE)[j] - beta[j]) / alpha[j];
        part(state, d, M2)[j] /= alpha[j] * alpha[j];
        part(state, d, INV_SD)[j] *= alpha[j];
        part(state, d, INVERSE)[j] *= alpha[j];
    }
    if (!anb_frame_valid(self, state))
        anb_frame_init(self, state);
}

bool anb_frame_valid(const AnbFrame *self, const double *state)
{
    size_t d = self->d;
    const double *reach = part_const(state, d, REACH), *bound = part_const(state, d, BOUND);
    bool fine = anb_nonfinite(state, anb_frame_state(d)) == 0 && state[ROWS] >= 0 && state[TRIED] >= 0 &&
                anb_weights_valid(part_const(state, d, COUNT), d);
    for (size_t j = 0; j < d; j++)
        fine &= reach[j] >= self->clip && bound[j] >= self->clip && bound[j] <= self->far * reach[j];
    return fine;
}
