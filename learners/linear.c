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
    double w[];
} Linear;

static const AnbParam params[] = {
    {"rate", ANB_REAL, offsetof(AnbLinearOptions, rate), .01, 0, 1e6, 0, NULL, "step size"},
    {"normalized", ANB_BOOL, offsetof(AnbLinearOptions, normalized), 0, 0, 0, 0, NULL,
     "standardise the target and divide the step by the row's square"},
    {0}};

static AnbNeed need(const AnbNode *self)
{
    return (AnbNeed){sizeof(Linear) + self->n_features * sizeof(double), 2};
}

/* A restarted model says 0: so does one that is about to be. */
static double finite_or_0(double f)
{
    return f - f == 0 ? f : 0;
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const AnbLinearOptions *o = self->options;
    const Linear *s = state;
    scratch[0] = anb_dot(s->w, row->x, self->n_features) + s->b;
    if (!o->normalized)
        return finite_or_0(scratch[0]);
    scratch[1] = anb_moments_sd(&s->target);
    return finite_or_0(s->target.mean + scratch[1] * scratch[0]);
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
                              const double *scratch)
{
    double d = (double)self->n_features;
    if (scratch[1] > 0) {
        double error = clip((y - s->target.mean) / scratch[1] - scratch[0], 4);
        double rate = .1 * sqrt(d + 1) / (1 + anb_dot(row->x, row->x, self->n_features));
        move(self, s, row, 2 * rate * weight * error);
    }
    anb_moments_add(&s->target, y, weight);
    if (anb_nonfinite(&s->target.weight, 3) != 0)
        anb_restart(self, s, row);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    const AnbLinearOptions *o = self->options;
    if (o->normalized)
        update_normalized(self, state, row, y, weight, scratch);
    else
        move(self, state, row, 2 * o->rate * weight * (y - scratch[0]));
}

static double step(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    double f = predict(self, state, row, scratch);
    update(self, state, row, y, weight, scratch);
    return f;
}

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    Linear *s = state;
    anb_visit(visitor, &s->b, ANB_F64, 1);
    anb_moments_visit(&s->target, visitor);
    anb_visit(visitor, s->w, ANB_F64, self->n_features);
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const Linear *s = state;
    bool fine = anb_nonfinite(state, sizeof(Linear) / sizeof(double) + self->n_features) == 0 &&
                s->target.weight >= 0 && s->target.square >= 0;
    return fine ? 0 : anb_fail(error, ANB_E_STATE, "linear: a weight is not finite");
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
    .need = need,
    .predict = predict,
    .update = update,
    .step = step,
    .sparsity = &sparsity,
    .ranges = ranges,
    .validate = validate,
};
