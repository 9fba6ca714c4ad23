/*
 * Linear regression by stochastic gradient descent.
 *
 *     f = w.x + b     w += 2 rate weight (y - f) x     b += 2 rate weight (y - f)
 *
 * normalized: y is standardised by its running mean and deviation s (of what came before), the error clipped to +-4,
 *
 *     rate = 0.1 sqrt(d + 1) / (1 + |x|^2)     f = mean + s (w.x + b)
 *
 * State: b, the target's moments, w[d]. Cost: d multiply-adds to predict, d to learn.
 * With a fixed rate and features that nobody scaled it diverges: it then starts again, counted, and says 0 meanwhile.
 */
#include "src/simd/kernels.h"
#include "src/numeric/moments.h"
#include <anabranch/learners.h>

typedef struct Linear {
    double b;
    AnbMoments target; /* where normalized */
    double unused[4];  /* w starts on a cache line */
    double w[];        /* the field behind this struct */
} Linear;

static const AnbField members[] = {
    {ANB_MEMBER(Linear, b), .must = ANB_FINITE}, {ANB_INNER(Linear, target, AnbMoments, anb_moments_fields)}, {0}};

static const AnbField fields[] = {
    {ANB_STRUCT(Linear, members)}, {.name = "w", .kind = ANB_F64, .count = anb_per_feature, .must = ANB_FINITE}, {0}};

/* The model's output for the row as it came, and the target's deviation. */
typedef struct Output {
    double f, sd;
} Output;

static const AnbField scratch_fields[] = {{ANB_SCRATCH_STRUCT(Output)}, {0}};

static const AnbParam params[] = {
    {"rate", ANB_REAL, offsetof(AnbLinearOptions, rate), .01, 0, 1e6, 0, NULL, "step size"},
    {"normalized", ANB_BOOL, offsetof(AnbLinearOptions, normalized), 0, 0, 0, 0, NULL,
     "standardise the target and divide the step by the row's square"},
    {0}};

/* A restarted model says 0: so does one that is about to be. */
static double finite_or_0(double f)
{
    return f - f == 0 ? f : 0;
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const AnbLinearOptions *o = self->options;
    const Linear *s = state;
    Output *out = (Output *)scratch;
    out->f = anb_dot(s->w, row->x, self->n_features) + s->b;
    if (!o->normalized)
        return finite_or_0(out->f);
    out->sd = anb_moments_sd(&s->target);
    return finite_or_0(s->target.mean + out->sd * out->f);
}

static inline void move(const AnbNode *self, Linear *s, const AnbRow *row, double by)
{
    double bad = anb_axpy(s->w, by, row->x, self->n_features);
    s->b += by;
    if (!(bad + (s->b - s->b) == 0))
        anb_restart(self, s, row);
}

static double clip(double v, double bound)
{
    return v > bound ? bound : v < -bound ? -bound : v;
}

static void update_normalized(const AnbNode *self, Linear *s, const AnbRow *row, double y, double weight,
                              const Output *out)
{
    double d = (double)self->n_features;
    if (out->sd > 0) {
        double error = clip((y - s->target.mean) / out->sd - out->f, 4);
        double rate = .1 * sqrt(d + 1) / (1 + anb_dot(row->x, row->x, self->n_features));
        move(self, s, row, 2 * rate * weight * error);
    }
    anb_moments_add(&s->target, y, weight);
    if (!anb_moments_finite(&s->target))
        anb_restart(self, s, row);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    const AnbLinearOptions *o = self->options;
    const Output *out = (const Output *)scratch;
    if (o->normalized)
        update_normalized(self, state, row, y, weight, out);
    else
        move(self, state, row, 2 * o->rate * weight * (y - out->f));
}

static double step(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    double f = predict(self, state, row, scratch);
    update(self, state, row, y, weight, scratch);
    return f;
}

/* Which share of the contributions w_j x_j is below a hundredth of the prediction. */
static double small_share(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const AnbLinearOptions *o = self->options;
    const Linear *s = state;
    (void)scratch;
    size_t n = self->n_features, small = 0;
    double f = anb_dot(s->w, row->x, n) + s->b;
    double unit = o->normalized ? anb_moments_sd(&s->target) : 1;
    double bound = .01 * fabs(o->normalized ? s->target.mean + unit * f : f);
    for (size_t j = 0; j < n; j++)
        small += fabs(unit * s->w[j] * row->x[j]) < bound;
    return (double)small / (double)n;
}

static const AnbSparsityTable sparsity = {small_share};

const StreamingLearnerType anb_linear = {
    .name = "linear",
    .brief = "linear regression by stochastic gradient descent",
    .example = "linear(rate=0.02)",
    .options_size = sizeof(AnbLinearOptions),
    .params = params,
    .flags = ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED,
    .version = 1,
    .fields = fields,
    .scratch = scratch_fields,
    .predict = predict,
    .update = update,
    .step = step,
    .sparsity = &sparsity,
};
