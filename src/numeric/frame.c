/* A frame that stands still between re-framings: frame.h has the rules. */
#include "frame.h"
#include "moments.h"
#include "src/simd/kernels.h"

enum {
    ROWS,
    NEXT,
    RELAX = 64,
    SOON = 100,
    RAW = 16
}; /* head; rows between falls of the limit; rows to a forced re-framing */
enum { COUNT, MEAN, M2, INV_SD, CENTRE, INVERSE, LIMIT };

static const double LEAST = 4, REACH = 8; /* limit at least; where the moments bound a value at least */

static double *part(double *state, size_t d, size_t which)
{
    return state + ANB_FRAME_HEAD + which * d;
}

static const double *part_const(const double *state, size_t d, size_t which)
{
    return state + ANB_FRAME_HEAD + which * d;
}

void anb_frame_init(double *state, size_t d)
{
    memset(state, 0, anb_frame_state(d) * sizeof *state);
    for (size_t j = 0; j < d; j++)
        part(state, d, LIMIT)[j] = LEAST;
}

static void set_next(double *state)
{
    state[NEXT] = state[ROWS] + 1 + floor(state[ROWS] / 32);
}

void anb_frame_settle(double *state, size_t d)
{
    for (size_t j = 0; j < d; j++) {
        double count = part(state, d, COUNT)[j];
        state[ROWS] = count > state[ROWS] ? floor(count) : state[ROWS];
        part(state, d, CENTRE)[j] = part(state, d, MEAN)[j];
        part(state, d, INVERSE)[j] = part(state, d, INV_SD)[j];
    }
    set_next(state);
}

void anb_frame_apply(const double *state, const double *x, size_t d, double *scratch)
{
    anb_standardize_within(x, part_const(state, d, CENTRE), part_const(state, d, INVERSE), part_const(state, d, LIMIT),
                           d, scratch);
}

/* Whether a cell lies at its limit or was left out. */
static bool any_outside(const double *z, const double *limit, size_t d)
{
    int any = 0;
    for (size_t j = 0; j < d; j++)
        any |= (fabs(z[j]) >= limit[j]) | (z[j] == 0);
    return any != 0;
}

/* A value beyond the limit: what the moments are shown of it. */
static double outside(double *state, size_t d, size_t j, double x)
{
    double centre = part(state, d, CENTRE)[j], inverse = part(state, d, INVERSE)[j], *limit = &part(state, d, LIMIT)[j];
    double z = (x - centre) * inverse, size = fabs(z), bound = *limit > REACH ? *limit : REACH;
    if (!(size >= *limit))
        return x;
    if (size > 2 * *limit) {
        *limit *= 1.015;
        part(state, d, COUNT)[j] *= .93;
        part(state, d, M2)[j] *= .93;
        if (*limit > 16 && state[NEXT] > state[ROWS] + SOON)
            state[NEXT] = state[ROWS] + SOON;
    } else
        *limit = size < 1.25 * *limit ? size : 1.25 * *limit;
    return size > bound ? centre + (z < 0 ? -bound : bound) / inverse : x;
}

/* The row as the moments count it. */
static const double *bounded(double *state, const double *x, size_t d, double *scratch)
{
    const double *limit = part(state, d, LIMIT), *z = scratch;
    double *to = scratch + d;
    if (state[ROWS] < RAW || !any_outside(z, limit, d))
        return x;
    for (size_t j = 0; j < d; j++)
        to[j] = outside(state, d, j, x[j]);
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

static void relax(double *limit, size_t d)
{
    for (size_t j = 0; j < d; j++)
        limit[j] = limit[j] * .9936 > LEAST ? limit[j] * .9936 : LEAST;
}

/* The frame takes over the moments. */
static void move(double *state, size_t d, double *scratch, AnbReframing *moved)
{
    double *alpha = scratch + d, *beta = alpha + d, *centre = part(state, d, CENTRE),
           *inverse = part(state, d, INVERSE);
    double *limit = part(state, d, LIMIT);
    const double *mean = part(state, d, MEAN), *inv_sd = part(state, d, INV_SD);
    for (size_t j = 0; j < d; j++) {
        double ratio = inverse[j] / inv_sd[j], shift = (mean[j] - centre[j]) * inverse[j];
        bool known = ratio > 1e-100 && ratio < 1e100 && shift - shift == 0;
        alpha[j] = known ? ratio : 1;
        beta[j] = known ? shift : 0;
        limit[j] = known && limit[j] / ratio > LEAST ? limit[j] / ratio : LEAST;
        centre[j] = mean[j];
        inverse[j] = inv_sd[j];
    }
    set_next(state);
    *moved = (AnbReframing){alpha, beta};
}

bool anb_frame_learn(double *state, const double *x, double weight, size_t d, double *scratch, uint64_t *restarts,
                     AnbReframing *moved)
{
    const double *row = bounded(state, x, d, scratch);
    if (!(anb_moments_update(part(state, d, COUNT), part(state, d, MEAN), part(state, d, M2), part(state, d, INV_SD),
                             row, weight, d) == 0))
        mend(state, d, restarts);
    state[ROWS] += 1;
    if (fmod(state[ROWS], RELAX) == 0)
        relax(part(state, d, LIMIT), d);
    if (state[ROWS] < state[NEXT])
        return false;
    move(state, d, scratch, moved);
    return true;
}

void anb_frame_reframe(double *state, size_t d, const double *alpha, const double *beta)
{
    for (size_t j = 0; j < d; j++) {
        part(state, d, MEAN)[j] = (part(state, d, MEAN)[j] - beta[j]) / alpha[j];
        part(state, d, CENTRE)[j] = (part(state, d, CENTRE)[j] - beta[j]) / alpha[j];
        part(state, d, M2)[j] /= alpha[j] * alpha[j];
        part(state, d, INV_SD)[j] *= alpha[j];
        part(state, d, INVERSE)[j] *= alpha[j];
    }
    if (!anb_frame_valid(state, d))
        anb_frame_init(state, d);
}

bool anb_frame_valid(const double *state, size_t d)
{
    const double *limit = part_const(state, d, LIMIT);
    bool fine = anb_nonfinite(state, anb_frame_state(d)) == 0 && state[ROWS] >= 0 &&
                anb_weights_valid(part_const(state, d, COUNT), d);
    for (size_t j = 0; j < d; j++)
        fine &= limit[j] >= LEAST;
    return fine;
}
