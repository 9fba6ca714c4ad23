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

static const AnbRlsForm form = {rls_of};

static size_t if_adaptive(const AnbNode *self)
{
    return ((const AnbRlsOptions *)self->options)->adaptive;
}

enum { RLS, BASE };
static const AnbField fields[] = {
    [RLS] = {.name = "rls", .part = &anb_rls_part, .form = &form},
    [BASE] = {.name = "base", .kind = ANB_F64, .count = if_adaptive, .must = ANB_FINITE | ANB_NOT_NEGATIVE},
    {0}};

static size_t work_size(const AnbNode *self)
{
    return anb_rls_scratch(self->n_features);
}

/* The prediction as it came; what src/numeric/rls.h works with. */
enum { RAW, WORK };
static const AnbField scratch_fields[] = {
    [RAW] = {.name = "raw", .kind = ANB_F64, .fixed = 1},
    [WORK] = {.name = "work", .kind = ANB_F64, .count = work_size, .must = ANB_ALIGNED},
    {0}};

static int init(const AnbNode *self, void *state)
{
    AnbRls rls = rls_of(self);
    anb_rls_init(&rls, state);
    if (if_adaptive(self))
        *(double *)anb_field(self, state, BASE) = 0;
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
    double *raw = anb_scratch(self, scratch, RAW);
    *raw = anb_rls_predict(&rls, state, row->x, anb_scratch(self, scratch, WORK));
    return finite_or_0(*raw);
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

/* Learns the row that predict left in the scratch; `error` is finite. Whether the weights still are. */
static inline bool learn(const AnbNode *self, const AnbRls *rls, void *state, double error, double y, double weight,
                         double *scratch)
{
    const AnbRlsOptions *o = self->options;
    double lambda = o->lambda;
    if (o->adaptive)
        lambda = adapted(lambda, anb_field(self, state, BASE), fabs(error), y);
    return anb_rls_update(rls, state, error, lambda, weight, anb_scratch(self, scratch, WORK));
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    AnbRls rls = rls_of(self);
    const double *raw = anb_scratch(self, scratch, RAW);
    double error = y - *raw;
    if (error - error != 0 || !learn(self, &rls, state, error, y, weight, scratch))
        anb_restart(self, state, row);
}

static double step(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    double f = predict(self, state, row, scratch);
    update(self, state, row, y, weight, scratch);
    return f;
}

/* Finite only where x is: a weight of 0 times infinity is not a number either. */
static double predict_direct(const AnbNode *self, const void *state, const double *x)
{
    return anb_rls_look(state, x, self->n_features);
}

static double step_direct(const AnbNode *self, void *state, const double *x, double y, double *scratch,
                          AnbCounters *counters)
{
    AnbRls rls = rls_of(self);
    double f = anb_rls_predict(&rls, state, x, anb_scratch(self, scratch, WORK)), error = y - f;
    if (error - error != 0)
        return ANB_NAN;
    if (!learn(self, &rls, state, error, y, 1, scratch))
        anb_restart(self, state, &(AnbRow){.counters = counters});
    return f;
}

static void predict_many_direct(const AnbNode *self, const void *state, const AnbRows *rows, double *out)
{
    anb_rls_look_many(state, rows->x, rows->x_stride, rows->n, self->n_features, out);
}

static const AnbDirectTable direct = {predict_direct, step_direct, predict_many_direct};

static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    (void)scratch;
    predict_many_direct(self, state, rows, out);
    for (size_t i = 0; i < rows->n; i++)
        out[i] = finite_or_0(out[i]);
}

static void refresh(const AnbNode *self, void *state, double factor)
{
    AnbRls rls = rls_of(self);
    anb_rls_refresh(&rls, state, factor);
}

static void reframe(const AnbNode *self, void *state, const double *alpha, const double *beta)
{
    AnbRls rls = rls_of(self);
    anb_rls_reframe(&rls, anb_field(self, state, RLS), alpha, beta);
}

/* Which share of the contributions w_j x_j is below a hundredth of the prediction. */
static double small_share(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const AnbRlsHead *head = state;
    const double *w = anb_rls_weights(state);
    size_t n = self->n_features, small = 0;
    (void)scratch;
    double bound = .01 * fabs(anb_dot(w, row->x, n) + head->w0);
    for (size_t j = 0; j < n; j++)
        small += fabs(w[j] * row->x[j]) < bound;
    return (double)small / (double)n;
}

static const AnbSparsityTable sparsity = {small_share};

static const double *slopes(const AnbNode *self, const void *state, double *unit)
{
    (void)self;
    *unit = 1;
    return (const double *)state + ANB_RLS_HEAD;
}

static const AnbAffineTable affine = {slopes};

const StreamingLearnerType anb_rls = {
    .name = "rls",
    .brief = "recursive least squares with exponential forgetting",
    .example = "rls(lambda=0.998)",
    .options_size = sizeof(AnbRlsOptions),
    .params = params,
    .flags = ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_SINCE_0_3,
    .version = 1,
    .fields = fields,
    .scratch = scratch_fields,
    .init = init,
    .predict = predict,
    .update = update,
    .step = step,
    .sparsity = &sparsity,
    .affine = &affine,
    .direct = &direct,
    .predict_many = predict_many,
    .reset = reset,
    .refresh = refresh,
    .reframe = reframe,
};
