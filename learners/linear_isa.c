/*
 * The direct table of `linear` (AnbDirectTable), compiled once per instruction set: one pass over the row to predict,
 * two to learn. The weights end the state, whose size is a multiple of 64 bytes, so they are read and written in whole
 * blocks: a masked store is slow with AVX2, and a load after it has to wait.
 */
#include "linear.h"
#include "src/numeric/fallback.h"
#include "src/numeric/loss.h"
#include "src/simd/lanes_few.h"
#include "src/simd/lanes_rows.h"

static double in_units(const Linear *s, double f)
{
    return s->target.mean + anb_moments_sd(&s->target) * f;
}

/* Not inlined: for its square root the compiler would save registers in every call. */
static __attribute__((noinline)) double in_units_or(const Linear *s, double f, const double *x, AnbFallback fallback)
{
    return anb_finite_or(in_units(s, f), s, x, fallback);
}

/* Finite only where x is: a weight of 0 times infinity is not a number either. */
ANB_ON_A_LINE static double predict_or(const AnbNode *self, const void *state, const double *x, AnbFallback fallback)
{
    const AnbLinearOptions *o = self->options;
    const Linear *s = state;
    size_t n = self->n_features;
    double f = n <= 2 * LANES ? lanes_short_affine(s->w, s->b, x, n) : lanes_dot(s->w, x, n) + s->b;
    return o->normalized ? in_units_or(s, f, x, fallback) : anb_finite_or(f, s, x, fallback);
}

static double predict(const AnbNode *self, const void *state, const double *x)
{
    return predict_or(self, state, x, anb_unsure);
}

LANES_INLINE void move_lanes(double *w, Lanes by, Lanes x)
{
    lanes_store(w, lanes_add(lanes_load(w), lanes_mul(by, x)));
}

/* w += by x, the bits of anb_axpy; whole blocks of w are written, zeros behind the last. */
LANES_INLINE void move(double *w, double by, const double *x, size_t n)
{
    const Lanes factor = lanes_all(by);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        move_lanes(w + i, factor, lanes_load(x + i));
    if (i < n)
        move_lanes(w + i, factor, lanes_load_tail(x + i, n - i));
}

/* No step of at most 2^500 makes a finite weight infinite: half the last place of the largest double is 2^970. Larger
 * ones may: 0 or not a number. */
static __attribute__((noinline)) double sick(const Linear *s, size_t n)
{
    double bad = s->b - s->b;
    for (size_t i = 0; i < n; i++)
        bad += s->w[i] - s->w[i];
    return bad;
}

static __attribute__((noinline)) void restart(const AnbNode *self, Linear *s, AnbCounters *counters)
{
    anb_restart(self, s, &(AnbRow){.counters = counters});
}

/* Whether the plain step can learn: all weights were 1 so far, nothing is standardised, the loss is the squared one. */
LANES_INLINE bool plain(const AnbLinearOptions *o, const Linear *s)
{
    return !o->normalized && !anb_loss_other(o->loss) && s->unit.mean == 1;
}

/* The step of an error, where x . x + 1 is `square`. */
LANES_INLINE double factor_of(const AnbLinearOptions *o, double square)
{
    return anb_linear_bounded(o, 2 * o->rate, square);
}

/* Restarts the learner where a step by `by` has left a weight that is not finite. */
LANES_INLINE void settle(const AnbNode *self, Linear *s, double by, double square, AnbCounters *counters)
{
    anb_weight_repeated(&s->unit);
    if (!(by * by * square < 0x1p1000) && sick(s, self->n_features) != 0)
        restart(self, s, counters);
}

/* The plain step of up to eight features. */
LANES_INLINE double step_few(const AnbNode *self, const AnbLinearOptions *o, Linear *s, const double *x, double y,
                             size_t n, AnbCounters *counters)
{
    const Few w = few_load(s->w), row = n == LANES ? few_load(x) : few_load_tail(x, n);
    const FewPart f = few_sum(few_mul(w, row), n) + few_all(few_constant(s->b)), error = few_all(y) - f;
    double square = 1 + few_sum(few_mul(row, row), n)[0];
    if (!plain(o, s) || error[0] - error[0] != 0)
        return ANB_NAN;
    const FewPart by = few_all(factor_of(o, square)) * error;
    s->b += by[0];
    few_move(s->w, w, by, row);
    settle(self, s, by[0], square, counters);
    return f[0];
}

/* A step for any number of features. */
LANES_INLINE double step_any(const AnbNode *self, const AnbLinearOptions *o, Linear *s, const double *x, double y,
                             size_t n, AnbCounters *counters)
{
    double square, f = lanes_dot_and_square(s->w, x, n, true, &square) + s->b, error = y - f;
    if (!plain(o, s) || error - error != 0)
        return ANB_NAN;
    square += 1;
    double by = factor_of(o, square) * error;
    s->b += by;
    move(s->w, by, x, n);
    settle(self, s, by, square, counters);
    return f;
}

LANES_INLINE double step_of(const AnbNode *self, const AnbLinearOptions *o, void *state, const double *x, double y,
                            size_t n, AnbCounters *counters)
{
    return n <= LANES ? step_few(self, o, state, x, y, n, counters) : step_any(self, o, state, x, y, n, counters);
}

static double step(const AnbNode *self, void *state, const double *x, double y, double *scratch, AnbCounters *counters)
{
    (void)scratch;
    return step_of(self, self->options, state, x, y, self->n_features, counters);
}

/* Rows and models may lie far apart in memory, so they are prefetched so many samples ahead. */
enum { AHEAD = 8 };

/* Prefetches the row of sample `at`, which takes one or two cache lines, and its model: head, state, and the weights,
 * which start on the second line of the state. */
LANES_INLINE void bring_near(const AnbSteps *steps, uint32_t at, size_t n)
{
    const char *model = steps->models[at];
    __builtin_prefetch(steps->x[at]);
    __builtin_prefetch(steps->x[at] + n - 1);
    __builtin_prefetch(model);
    __builtin_prefetch(model + steps->state);
    __builtin_prefetch(model + steps->state + offsetof(Linear, w));
}

/* Of n features. Options and what else is the same for all samples are copied: for all that the compiler knows, a
 * weight that is written could be one of them. */
LANES_INLINE size_t step_each(const AnbNode *self, const AnbSteps *steps, size_t n, double *out)
{
    const AnbSteps s = *steps;
    const AnbLinearOptions o = *(const AnbLinearOptions *)self->options;
    for (size_t i = 0; i < s.n; i++) {
        const uint32_t at = s.number[i];
        char *model = s.models[at];
        if (*(const void *const *)(const void *)model != s.first)
            return i;
        if (n <= LANES && i + AHEAD < s.n)
            bring_near(&s, s.number[i + AHEAD], n);
        AnbCounters *counters = (AnbCounters *)(void *)(model + s.counters);
        double f = step_of(self, &o, model + s.state, s.x[at], s.y[at], n, counters);
        if (f - f != 0)
            return i;
        counters->trained++;
        out[i] = f;
    }
    return s.n;
}

static size_t step_many(const AnbNode *self, const AnbSteps *steps, double *out)
{
    const size_t n = self->n_features;
    return n == LANES ? step_each(self, steps, LANES, out) : step_each(self, steps, n, out);
}

static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *out)
{
    const AnbLinearOptions *o = self->options;
    const Linear *s = state;
    lanes_affine_rows(s->w, s->b, rows->x, rows->x_stride, rows->n, self->n_features, false, out);
    for (size_t i = 0; i < rows->n && o->normalized; i++)
        out[i] = in_units(s, out[i]);
}

const AnbDirectTable ANB_PER_ISA(anb_linear_direct) = {predict, step, predict_many, step_many, predict_or};

ANB_ISA_REGISTER(AnbDirectTable, anb_linear_direct)
