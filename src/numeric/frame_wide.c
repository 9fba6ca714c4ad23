/* Rows of mostly zeros under a wide frame: frame.h has the rules. */
#include "frame_wide.h"
#include "src/simd/kernels.h"

enum { ZERO = ANB_FRAME_PARTS, TIMES, APART }; /* parts */
enum { FRESH, SINCE, WEIGHT };                 /* behind the parts */

static double *ledger(AnbFrameState *state, size_t d)
{
    return part(state, d, ANB_FRAME_PARTS + ANB_FRAME_WIDE_PARTS);
}

static const double *ledger_const(const AnbFrameState *state, size_t d)
{
    return part_const(state, d, ANB_FRAME_PARTS + ANB_FRAME_WIDE_PARTS);
}

/* The row's cells that are not zero: how many, or more than fit, and which. */
static double *cell_count(double *scratch, size_t d)
{
    return scratch + 3 * d + 1;
}

static uint32_t *cells(double *scratch, size_t d)
{
    return (uint32_t *)(scratch + 3 * d + 2);
}

static size_t most_cells(size_t d)
{
    return d / ANB_FRAME_SPARSE;
}

/* ---- a row ------------------------------------------------------------------------------------------------------- */

bool anb_frame_apply_cells(const AnbFrame *self, const AnbFrameState *state, const double *x, double *scratch)
{
    size_t d = self->d, most = most_cells(d);
    uint32_t *at = cells(scratch, d);
    size_t n = anb_positions(x, d, at, most);
    *cell_count(scratch, d) = (double)n;
    if (n > most || ledger_const(state, d)[FRESH] == 0)
        return false;
    memcpy(scratch, part_const(state, d, ZERO), d * sizeof *scratch);
    for (size_t i = 0; i < n; i++)
        scratch[at[i]] = anb_frame_z(self, state, at[i], x[at[i]]);
    return true;
}

bool anb_frame_row_is_sparse(const AnbFrame *self, const AnbFrameState *state, const double *scratch)
{
    size_t d = self->d;
    return !anb_frame_starting(state) && *cell_count(anb_view_of(scratch), d) <= (double)most_cells(d);
}

size_t anb_frame_cells(const AnbFrame *self, const double *scratch, const uint32_t **at)
{
    double *view = anb_view_of(scratch);
    *at = cells(view, self->d);
    return (size_t)*cell_count(view, self->d);
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

static void put_moments(AnbFrameState *state, size_t d, size_t j, const AnbMoments *m, uint64_t *restarts)
{
    bool fine = anb_moments_finite(m);
    anb_frame_put_moments(state, d, j, fine ? m : &(AnbMoments){0});
    *restarts += !fine;
}

static void add_moments(AnbFrameState *state, size_t d, size_t j, double value, double weight, uint64_t *restarts)
{
    AnbMoments m = anb_frame_moments(state, d, j);
    if (value != value)
        return;
    anb_moments_add(&m, value, weight);
    put_moments(state, d, j, &m, restarts);
}

static double followed(double common, double size)
{
    double next = common * (size > common ? UP : DOWN);
    return next > LEAST_COMMON ? next : LEAST_COMMON;
}

static void learn_cell(const AnbFrame *self, AnbFrameState *state, size_t j, double x, double z, double weight,
                       uint64_t *restarts)
{
    size_t d = self->d;
    double *common = &part(state, d, COMMON)[j];
    *common = followed(*common, fabs(z));
    double value = anb_frame_outside(self, state, j, x);
    anb_frame_keep_bound(self, state, j);
    add_moments(state, d, j, value, weight, restarts);
    part(state, d, TIMES)[j] += 1;
    part(state, d, APART)[j] += weight;
    anb_frame_renew_zero(self, state, j);
}

void anb_frame_learn_cells(const AnbFrame *self, AnbFrameState *state, const double *x, double weight,
                           const double *scratch, uint64_t *restarts)
{
    const uint32_t *at;
    size_t n = anb_frame_cells(self, scratch, &at);
    double *l = ledger(state, self->d);
    if (l[SINCE] >= RELAX)
        anb_frame_catch_up(self, state, restarts);
    for (size_t i = 0; i < n; i++)
        learn_cell(self, state, at[i], x[at[i]], scratch[at[i]], weight, restarts);
    l[SINCE] += 1;
    l[WEIGHT] += weight;
}

/* What is common of a feature after k cells of this size; fall: the powers of DOWN. */
static double followed_times(double common, double size, size_t k, const double *fall)
{
    double low = common * fall[k];
    if (size <= low)
        return low > LEAST_COMMON ? low : LEAST_COMMON;
    for (; k > 0; k--)
        common = followed(common, size);
    return common;
}

/* Of a feature that was always 0 only the weight grows. */
static void join_zeros(AnbFrameState *state, size_t d, size_t j, double weight, uint64_t *restarts)
{
    AnbMoments m = anb_frame_moments(state, d, j);
    if (m.mean == 0 && m.square == 0) {
        part(state, d, COUNT)[j] = m.weight + weight;
        return;
    }
    anb_moments_join(&m, &(AnbMoments){.weight = weight});
    put_moments(state, d, j, &m, restarts);
}

/* The k zeros of feature j that are due, of this weight. */
static void add_zeros(const AnbFrame *self, AnbFrameState *state, size_t j, size_t k, double weight, const double *fall,
                      uint64_t *restarts)
{
    size_t d = self->d;
    double *common = &part(state, d, COMMON)[j], z = part(state, d, CENTRE)[j] * part(state, d, INVERSE)[j];
    anb_frame_put_if_other(common, followed_times(*common, fabs(anb_frame_z(self, state, j, 0)), k, fall));
    if (fabs(z) > self->clip) { /* zeros of this feature are far out: one by one */
        for (size_t i = 0; i < k; i++)
            add_moments(state, d, j, anb_frame_outside(self, state, j, 0), weight / (double)k, restarts);
        return;
    }
    join_zeros(state, d, j, weight, restarts);
}

void anb_frame_learn_zeros(const AnbFrame *self, AnbFrameState *state, uint64_t *restarts)
{
    size_t d = self->d;
    double fall[RELAX + 1], *l = ledger(state, d);
    if (l[SINCE] == 0)
        return;
    fall[0] = 1;
    for (size_t k = 1; k <= RELAX; k++)
        fall[k] = fall[k - 1] * DOWN;
    for (size_t j = 0; j < d; j++) {
        double *times = &part(state, d, TIMES)[j], *apart = &part(state, d, APART)[j];
        size_t k = (size_t)(l[SINCE] - *times);
        if (k > 0)
            add_zeros(self, state, j, k, l[WEIGHT] - *apart, fall, restarts);
        anb_frame_put_if_other(times, 0);
        anb_frame_put_if_other(apart, 0);
        for (size_t row = BOUNDS; crowd_of(tails_of(state, d)[j]) > 0 && (double)row <= l[SINCE]; row += BOUNDS)
            anb_frame_thin_crowd(self, state, j);
        anb_frame_keep_bound(self, state, j);
    }
    l[SINCE] = l[WEIGHT] = 0;
}

/* ---- the zeros' z ------------------------------------------------------------------------------------------------ */

void anb_frame_renew_zero(const AnbFrame *self, AnbFrameState *state, size_t j)
{
    if (anb_frame_is_wide(self->d))
        part(state, self->d, ZERO)[j] = anb_frame_z(self, state, j, 0);
}

void anb_frame_make_stale(const AnbFrame *self, AnbFrameState *state)
{
    ledger(state, self->d)[FRESH] = 0;
}

void anb_frame_renew(const AnbFrame *self, AnbFrameState *state)
{
    size_t d = self->d;
    double *fresh = &ledger(state, d)[FRESH], *zero = part(state, d, ZERO);
    if (*fresh != 0)
        return;
    memset(zero, 0, d * sizeof *zero);
    anb_frame_standardize(self, state, zero, zero);
    *fresh = 1;
}

bool anb_frame_wide_valid(const AnbFrame *self, const AnbFrameState *state)
{
    size_t d = self->d;
    if (!anb_frame_is_wide(d))
        return true;
    const double *l = ledger_const(state, d);
    bool fine = (l[FRESH] == 0 || l[FRESH] == 1) && l[SINCE] >= 0 && l[SINCE] <= RELAX && l[WEIGHT] >= 0;
    for (size_t j = 0; j < d && fine; j++) {
        double times = part_const(state, d, TIMES)[j], apart = part_const(state, d, APART)[j];
        fine = times >= 0 && times <= l[SINCE] && floor(times) == times && apart >= 0;
        fine = fine && (l[FRESH] == 0 || part_const(state, d, ZERO)[j] == anb_frame_z(self, state, j, 0));
    }
    return fine;
}
