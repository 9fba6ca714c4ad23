/*
 * Recursive least squares with exponential forgetting.
 *
 *     k = P x    den = lambda / weight + x.k    w += k (y - f) / den    P <- P - k k' / den
 *
 * P is divided by lambda after that, and directions that no input excites keep their prior variance
 * (src/numeric/rls.h has the arithmetic). walk lets the intercept follow a level that moves: its variance grows by that much a sample.
 *
 * adaptive: lambda follows the error r before the update by the ratio to its running mean,
 *
 *     base <- .99 base + .01 |r|     ratio = |r| / base in .1 to 10, 1 where base is lost in y's rounding
 *     lambda' = lambda * (1 - .001 (ratio - 1) in .99 to 1.001), in .95 to 1
 *
 * State: head with base, w[d], the upper triangle of P. Cost: (d+1)^2 multiply-adds a sample, d to predict.
 */
#include "src/numeric/rls.h"
#include "src/simd/kernels.h"
#include <anabranch/learners.h>

enum { BASE = ANB_RLS_OWN };

static const AnbParam params[] = {
    {"lambda", ANB_REAL, offsetof(AnbRlsOptions, lambda), .999, 0, 1, ANB_OPEN_MIN, NULL, "forgetting factor"},
    {"delta", ANB_REAL, offsetof(AnbRlsOptions, delta), 100, 0, 1e12, ANB_OPEN_MIN, NULL,
     "P starts as delta times the identity"},
    {"intercept", ANB_BOOL, offsetof(AnbRlsOptions, intercept), 1, 0, 0, 0, NULL, "a constant feature"},
    {"walk", ANB_REAL, offsetof(AnbRlsOptions, walk), 0, 0, 1e12, 0, NULL,
     "variance of the intercept's random walk a sample"},
    {"adaptive", ANB_BOOL, offsetof(AnbRlsOptions, adaptive), 0, 0, 0, 0, NULL,
     "lambda follows the error's ratio to its running mean"},
    {0}};

static AnbRls rls_of(const AnbNode *self)
{
    const AnbRlsOptions *o = self->options;
    return (AnbRls){.n = self->n_features, .intercept = o->intercept, .delta = o->delta, .walk = o->walk};
}

/* Scratch: the prediction as it came, then that of src/numeric/rls.h on a 64-byte boundary. */
enum { RAW = 0, WORK = 8 };

static AnbNeed need(const AnbNode *self)
{
    return (AnbNeed){anb_rls_state(self->n_features) * sizeof(double), WORK + anb_rls_scratch(self->n_features)};
}

static int init(const AnbNode *self, void *state)
{
    AnbRls rls = rls_of(self);
    anb_rls_init(&rls, state);
    return 0;
}

static void reset(const AnbNode *self, void *state)
{
    init(self, state);
}

static double finite_or_0(double f)
{
    return f - f == 0 ? f : 0;
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    AnbRls rls = rls_of(self);
    scratch[RAW] = anb_rls_predict(&rls, state, row->x, scratch + WORK);
    return finite_or_0(scratch[RAW]);
}

static double clamp(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

/* The forgetting factor for an error of this size. A base below 1e-15 of y is rounding: then nothing is surprising. */
static double adapted(double lambda, double *base, double size, double y)
{
    *base = .99 * *base + .01 * size;
    double ratio = *base <= 1e-15 * fabs(y) ? 1 : clamp(size / *base, .1, 10);
    return clamp(lambda * clamp(1 - .001 * (ratio - 1), .99, 1.001), .95, 1);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    const AnbRlsOptions *o = self->options;
    AnbRls rls = rls_of(self);
    double error = y - scratch[RAW], *s = state, lambda = o->lambda;
    bool finite = error - error == 0;
    if (finite && o->adaptive)
        lambda = adapted(lambda, &s[BASE], fabs(error), y);
    if (!finite || !anb_rls_update(&rls, s, error, lambda, weight, scratch + WORK))
        anb_restart(self, state, row);
}

static double step(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    double f = predict(self, state, row, scratch);
    update(self, state, row, y, weight, scratch);
    return f;
}

static void refresh(const AnbNode *self, void *state, double factor)
{
    AnbRls rls = rls_of(self);
    anb_rls_refresh(&rls, state, factor);
}

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    const AnbRlsOptions *o = self->options;
    AnbRls rls = rls_of(self);
    anb_rls_visit(&rls, state, visitor);
    if (o->adaptive)
        anb_visit(visitor, (double *)state + BASE, ANB_F64, 1);
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    AnbRls rls = rls_of(self);
    if (((const double *)state)[BASE] < 0)
        return anb_fail(error, ANB_E_STATE, "rls: the running mean of the errors' size is negative");
    return anb_rls_validate(&rls, state, error);
}

/* Which share of the contributions w_j x_j is below a hundredth of the prediction. */
static double small_share(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const double *s = state, *w = anb_rls_weights(state);
    size_t n = self->n_features, small = 0;
    (void)scratch;
    double bound = .01 * fabs(anb_dot(w, row->x, n) + s[ANB_RLS_W0]);
    for (size_t j = 0; j < n; j++)
        small += fabs(w[j] * row->x[j]) < bound;
    return (double)small / (double)n;
}

static const AnbSparsityTable sparsity = {small_share};

const StreamingLearnerType anb_rls = {
    .name = "rls",
    .brief = "recursive least squares with exponential forgetting",
    .example = "rls(lambda=0.998)",
    .options_size = sizeof(AnbRlsOptions),
    .params = params,
    .flags = ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED,
    .version = 1,
    .need = need,
    .init = init,
    .predict = predict,
    .update = update,
    .step = step,
    .sparsity = &sparsity,
    .reset = reset,
    .refresh = refresh,
    .ranges = ranges,
    .validate = validate,
};
