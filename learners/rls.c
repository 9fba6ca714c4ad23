/*
 * Recursive least squares with exponential forgetting.
 *
 *     k = P x    den = lambda / weight + x.k    w += k (y - f) / den    P <- P - k k' / den
 *
 * P is divided by lambda after that, and directions that no input excites keep their prior variance
 * (src/numeric/rls.h has the arithmetic). walk lets the intercept follow a level that moves: its variance grows by that
 * much a sample.
 *
 * adaptive: lambda follows the error r before the update by the ratio to its running mean,
 *
 *     base <- .99 base + .01 |r|     ratio = |r| / base in .1 to 10, 1 where base is lost in y's rounding
 *     lambda' = lambda * (1 - .001 (ratio - 1) in .99 to 1.001), in .95 to 1
 *
 * surprise: where the last errors, `quick`, are this many times the usual size m (src/numeric/error_size.h), P is
 * multiplied by 100, at most up to its prior trace: earlier samples then count a hundredth. Not in the first 100 rows,
 * and at most once in 3 (d + 1) rows;
 *
 *     quick <- quick + .2 (min(|r|, 4 m) - quick)
 *
 * With precision=single and more than eight features P is kept as a factor of floats (src/numeric/rls_single.h);
 * weights and errors stay doubles.
 *
 * State: head with base, w[d], the upper triangle of P. Cost: (d+1)^2 multiply-adds a sample, d to predict.
 */
#include "rls.h"
#include "linear_terms.h"
#include "src/numeric/rls.h"
#include "src/simd/kernels.h"
#include <anabranch/learners.h>
#include <string.h>

static const AnbParam params[] = {
    {"lambda", ANB_REAL, offsetof(AnbRlsOptions, lambda), .999, 0, 1, ANB_OPEN_MIN, NULL, "forgetting factor"},
    {"delta", ANB_REAL, offsetof(AnbRlsOptions, delta), 100, 0, 1e12, ANB_OPEN_MIN, NULL,
     "the initial P is delta times the identity"},
    {"intercept", ANB_BOOL, offsetof(AnbRlsOptions, intercept), 1, 0, 0, 0, NULL, "a constant feature"},
    {"walk", ANB_REAL, offsetof(AnbRlsOptions, walk), 0, 0, 1e12, 0, NULL,
     "variance of the intercept's random walk a sample"},
    {"adaptive", ANB_BOOL, offsetof(AnbRlsOptions, adaptive), 0, 0, 0, 0, NULL,
     "lambda follows the error's ratio to its running mean"},
    {"precision", ANB_WORD, offsetof(AnbRlsOptions, precision), ANB_RLS_DOUBLE, 0, 0, 0, "double|single",
     "of P; single takes half the memory, and from about 80 features on less time"},
    {"surprise", ANB_REAL, offsetof(AnbRlsOptions, surprise), 0, 0, 1000, 0, NULL,
     "ratio of the last errors to the usual size above which earlier samples count a hundredth; 0: never"},
    {"level", ANB_REAL, offsetof(AnbRlsOptions, level), 0, 0, 1e12, 0, NULL,
     "initial P of the intercept, so that a small delta restrains only the slopes; 0: delta"},
    {0}};

static const AnbRlsForm form = {anb_rls_of};

static size_t if_adaptive(const AnbNode *self)
{
    return ((const AnbRlsOptions *)self->options)->adaptive;
}

static size_t if_surprised(const AnbNode *self)
{
    return ((const AnbRlsOptions *)self->options)->surprise > 0 ? ANB_RLS_SURPRISE_SIZE : 0;
}

static const AnbField fields[] = {
    [ANB_RLS_STATE] = {.name = "rls", .part = &anb_rls_part, .form = &form},
    [ANB_RLS_BASE] = {.name = "base", .kind = ANB_F64, .count = if_adaptive, .must = ANB_FINITE | ANB_NOT_NEGATIVE},
    [ANB_RLS_SURPRISE] = {.name = "surprise",
                          .kind = ANB_F64,
                          .count = if_surprised,
                          .must = ANB_FINITE | ANB_NOT_NEGATIVE},
    {0}};

static size_t work_size(const AnbNode *self)
{
    return anb_rls_of(self).single ? anb_rls_single_scratch(self->n_features) : anb_rls_scratch(self->n_features);
}

static const AnbField scratch_fields[] = {
    [ANB_RLS_RAW] = {.name = "raw", .kind = ANB_F64, .fixed = 1},
    [ANB_RLS_WORK] = {.name = "work", .kind = ANB_F64, .count = work_size, .must = ANB_ALIGNED},
    {0}};

static int init(const AnbNode *self, void *state)
{
    AnbRls rls = anb_rls_of(self);
    anb_rls_init(&rls, state);
    if (if_adaptive(self))
        *(double *)anb_field(self, state, ANB_RLS_BASE) = 0;
    memset(anb_field(self, state, ANB_RLS_SURPRISE), 0, if_surprised(self) * sizeof(double));
    return 0;
}

static void reset(const AnbNode *self, void *state)
{
    init(self, state);
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    AnbRls rls = anb_rls_of(self);
    double *raw = anb_scratch(self, scratch, ANB_RLS_RAW);
    *raw = anb_rls_predict(&rls, state, row->x, anb_scratch(self, scratch, ANB_RLS_WORK));
    return anb_finite_or_0(*raw);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    AnbRls rls = anb_rls_of(self);
    const double *raw = anb_scratch(self, scratch, ANB_RLS_RAW);
    double error = y - *raw;
    if (error - error != 0 || !anb_rls_learn(self, &rls, state, error, y, weight, scratch))
        anb_restart(self, state, row);
}

static double step(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    double f = predict(self, state, row, scratch);
    update(self, state, row, y, weight, scratch);
    return f;
}

static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    (void)scratch;
    anb_rls_direct.predict_many(self, state, rows, out);
    anb_all_finite_or_0(out, rows->n);
}

static void refresh(const AnbNode *self, void *state, double factor)
{
    AnbRls rls = anb_rls_of(self);
    anb_rls_refresh(&rls, state, factor);
}

static void reframe(const AnbNode *self, void *state, const double *alpha, const double *beta)
{
    AnbRls rls = anb_rls_of(self);
    anb_rls_reframe(&rls, anb_field(self, state, ANB_RLS_STATE), alpha, beta);
}

static double small_share(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const AnbRlsHead *head = state;
    const double *w = anb_rls_weights(state, self->n_features);
    size_t n = self->n_features;
    (void)scratch;
    return anb_small_terms(w, 1, row->x, n, anb_dot(w, row->x, n) + head->w0);
}

static const AnbSparsityTable sparsity = {small_share};

static const double *slopes(const AnbNode *self, const void *state, double *unit)
{
    *unit = 1;
    return anb_rls_weights(state, self->n_features);
}

static const AnbAffineTable affine = {slopes};

const StreamingLearnerType anb_rls = {
    .name = "rls",
    .brief = "recursive least squares with exponential forgetting",
    .example = "rls(lambda=0.998)",
    .options_size = sizeof(AnbRlsOptions),
    .params = params,
    .flags = ANB_COMPACT | ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_ANY_ROWS |
             ANB_SINCE_0_3 | ANB_FALLS_BACK,
    .version = 1,
    .fields = fields,
    .scratch = scratch_fields,
    .init = init,
    .predict = predict,
    .update = update,
    .step = step,
    .sparsity = &sparsity,
    .affine = &affine,
    .direct = &anb_rls_direct,
    .predict_many = predict_many,
    .reset = reset,
    .refresh = refresh,
    .reframe = reframe,
};
