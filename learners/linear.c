/*
 * Linear regression by stochastic gradient descent.
 *
 *     f = w.x + b     w += 2 rate weight (y - f) x     b += 2 rate weight (y - f)
 *
 * normalized: y is standardised by its running mean and deviation s from before the row, its error is clipped to +-4,
 * and
 *
 *     rate = 0.1 sqrt(min(d, 24) + 1) / (1 + |x|^2)     f = mean + s (w.x + b)
 *
 * so that a step changes the prediction of its own row by at most the error, at every width.
 *
 * bounded: the factor in front of (y - f) x is at most 1 / (1 + |x|^2), for the same reason. With a fixed rate, long
 * rows or large weights would make it diverge (Nagumo & Noda 1967; Karampatziakis & Langford 2011 on weights).
 *
 * With another loss the pull (src/numeric/loss.h) takes the place of the error; its step is always bounded.
 *
 * weight is in units of the mean weight (src/numeric/weight_unit.h): 1 if all weights are equal.
 *
 * State: b, the target's moments, the unit of weights, w[d]. Cost: d multiply-adds to predict, d to learn.
 * Without `bounded`, on features that are not scaled, it may diverge. It then restarts, which is counted, and predicts
 * 0 until the next sample is learned.
 */
#include "linear.h"
#include "linear_terms.h"
#include "src/numeric/clip.h"
#include "src/numeric/kept_slope.h"
#include "src/simd/kernels.h"
#include "src/numeric/loss.h"

enum { WIDE = 24 };           /* features up to which the normalised step grows */
enum { OUT_OF_REACH = 2048 }; /* features beyond which row and weights do not fit a first-level cache of 32 KiB */

static const AnbField members[] = {{ANB_MEMBER(Linear, b), .must = ANB_FINITE},
                                   {ANB_INNER(Linear, target, AnbMoments, anb_moments_fields)},
                                   {ANB_INNER(Linear, unit, AnbWeightUnit, anb_weight_unit_fields), .since = 2},
                                   {0}};

/* The number of weights, padded by zeros to whole vectors. */
static size_t padded(const AnbNode *self)
{
    return (self->n_features + 7) / 8 * 8;
}

static size_t weights(const AnbNode *self, const void *state)
{
    (void)state;
    return self->n_features;
}

static size_t if_other_loss(const AnbNode *self)
{
    return anb_loss_other(((const AnbLinearOptions *)self->options)->loss);
}

/* errors: the scale of the errors, of other losses than the squared one. */
enum { HEAD, W, ERRORS };
static const AnbField fields[] = {
    [HEAD] = {ANB_STRUCT(Linear, members)},
    [W] = {.name = "w", .kind = ANB_F64, .count = padded, .used = weights, .must = ANB_FINITE},
    [ERRORS] = {.name = "errors",
                .record = anb_error_scale_fields,
                .stride = sizeof(AnbErrorScale),
                .count = if_other_loss},
    {0}};

/* The unchecked output for the row, the target's deviation, and |x|^2 of a long row. */
typedef struct Output {
    double f, sd, square;
} Output;

static const AnbField scratch_fields[] = {{ANB_SCRATCH_STRUCT(Output)}, {0}};

static const AnbParam params[] = {
    {"rate", ANB_REAL, offsetof(AnbLinearOptions, rate), .01, 0, 1e6, 0, NULL, "step size"},
    {"normalized", ANB_BOOL, offsetof(AnbLinearOptions, normalized), 0, 0, 0, 0, NULL,
     "standardise the target and divide the step by the row's square"},
    {"bounded", ANB_BOOL, offsetof(AnbLinearOptions, bounded), 1, 0, 0, 0, NULL,
     "a step never passes the target of its own row"},
    ANB_LOSS_PARAMS(AnbLinearOptions),
    {0}};

/* w . x. For a long row |x|^2 is computed in the same pass: reading the row a second time costs more. */
static double product(const AnbNode *self, const Linear *s, const AnbRow *row, Output *out)
{
    size_t n = self->n_features;
    return n > OUT_OF_REACH ? anb_dot_and_square(s->w, row->x, n, &out->square) : anb_dot(s->w, row->x, n);
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const AnbLinearOptions *o = self->options;
    const Linear *s = state;
    Output *out = (Output *)scratch;
    out->f = product(self, s, row, out) + s->b;
    if (!o->normalized)
        return anb_finite_or_0(out->f);
    out->sd = anb_moments_sd(&s->target);
    return anb_finite_or_0(s->target.mean + out->sd * out->f);
}

static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    (void)scratch;
    anb_linear_direct.predict_many(self, state, rows, out);
    anb_all_finite_or_0(out, rows->n);
}

static inline void move(const AnbNode *self, Linear *s, const AnbRow *row, double by)
{
    double bad = anb_axpy(s->w, by, row->x, self->n_features);
    s->b += by;
    if (!(bad + (s->b - s->b) == 0))
        anb_restart(self, s, row);
}

/* The factor of the row in the step of w, for an error; both in one unit. With the pull of another loss a step changes
 * the prediction of its own row by at most a share of the pull: .1 for the median, less for outer quantiles, whose
 * pulls are larger. A step that stopped at the target would be a step by the error again, and would converge to the
 * mean. */
static double stride(const AnbNode *self, Linear *s, double step, double error, double square)
{
    const AnbLinearOptions *o = self->options;
    if (!anb_loss_other(o->loss))
        return anb_linear_bounded(o, step, square) * error;
    AnbErrorScale *errors = anb_field(self, s, ERRORS);
    const AnbLoss loss = {(AnbLossKind)o->loss, o->level};
    double level = loss.kind == ANB_LOSS_QUANTILE ? o->level : .5, share = .4 * level * (1 - level);
    double most = (loss.kind == ANB_LOSS_HUBER ? 1 : share) / square;
    double by = (step < most ? step : most) * anb_pull_by(&loss, error, errors->level);
    anb_error_bounded(errors, error);
    return by;
}

static void update_normalized(const AnbNode *self, Linear *s, const AnbRow *row, double y, double weight, double square,
                              const Output *out)
{
    double relative = anb_weight_relative(&s->unit, weight);
    double d = (double)(self->n_features < WIDE ? self->n_features : WIDE);
    if (out->sd > 0) {
        double error = anb_clip((y - s->target.mean) / out->sd - out->f, 4);
        double rate = .1 * sqrt(d + 1) / square;
        move(self, s, row, stride(self, s, 2 * rate * relative, error, square));
    }
    anb_moments_add(&s->target, y, weight);
    if (!anb_moments_finite(&s->target))
        anb_restart(self, s, row);
}

static void update_plain(const AnbNode *self, Linear *s, const AnbRow *row, double y, double weight, double square,
                         const Output *out)
{
    const AnbLinearOptions *o = self->options;
    double relative = anb_weight_relative(&s->unit, weight);
    move(self, s, row, stride(self, s, 2 * o->rate * relative, y - out->f, square));
}

/* 1 + |x|^2 where a step depends on it, else 1. */
static double row_square(const AnbNode *self, const AnbRow *row, const Output *out)
{
    const AnbLinearOptions *o = self->options;
    size_t n = self->n_features;
    if (!o->normalized && !o->bounded && !anb_loss_other(o->loss))
        return 1;
    return 1 + (n > OUT_OF_REACH ? out->square : anb_dot(row->x, row->x, n));
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    const AnbLinearOptions *o = self->options;
    const Output *out = (const Output *)scratch;
    double square = row_square(self, row, out);
    if (o->normalized)
        update_normalized(self, state, row, y, weight, square, out);
    else
        update_plain(self, state, row, y, weight, square, out);
}

static double step(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    double f = predict(self, state, row, scratch);
    update(self, state, row, y, weight, scratch);
    return f;
}

static void reframe(const AnbNode *self, void *state, const double *alpha, const double *beta)
{
    Linear *s = state;
    anb_slopes_keep(s->w, &s->b, alpha, beta, self->n_features);
    if (!(anb_nonfinite(&s->b, 1) + anb_nonfinite(s->w, self->n_features) == 0))
        anb_node_reset_own(self, state);
}

static double small_share(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const AnbLinearOptions *o = self->options;
    const Linear *s = state;
    size_t n = self->n_features;
    (void)scratch;
    double f = anb_dot(s->w, row->x, n) + s->b, unit = o->normalized ? anb_moments_sd(&s->target) : 1;
    return anb_small_terms(s->w, unit, row->x, n, o->normalized ? s->target.mean + unit * f : f);
}

static const AnbSparsityTable sparsity = {small_share};

static const double *slopes(const AnbNode *self, const void *state, double *unit)
{
    const AnbLinearOptions *o = self->options;
    const Linear *s = state;
    *unit = o->normalized ? anb_moments_sd(&s->target) : 1;
    return s->w;
}

static const AnbAffineTable affine = {slopes};

const StreamingLearnerType anb_linear = {
    .name = "linear",
    .brief = "linear regression by stochastic gradient descent",
    .example = "linear(rate=0.02)",
    .options_size = sizeof(AnbLinearOptions),
    .params = params,
    .flags = ANB_COMPACT | ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_READS_OLDER |
             ANB_ANY_ROWS | ANB_SINCE_0_3 | ANB_STEPS_MANY | ANB_FALLS_BACK,
    .version = 2,
    .fields = fields,
    .scratch = scratch_fields,
    .predict = predict,
    .update = update,
    .step = step,
    .sparsity = &sparsity,
    .affine = &affine,
    .direct = &anb_linear_direct,
    .predict_many = predict_many,
    .reframe = reframe,
};
