/*
 * rff(child): random Fourier features for the child.
 *
 *     u = (x_1 .. x_d,  c cos(w_i . s(x) + b_i) for i = 1 .. features)      c = sqrt(2) / 3
 *     w_i ~ N(0, 1 / (bandwidth^2 d)) in each of d directions, b_i uniform on the circle
 *     s(x)_j = x_j sqrt(.9 d I_j + .02), I the row's importances; without them s(x) = x
 *
 * A linear child on u approximates a machine with a Gaussian kernel. The child brings the intercept.
 *
 * After a change of the features' unit (reframe in type.h) what the child keeps of x_1 .. x_d is converted. The
 * directions stay, since the bandwidth is in units of the present deviations, and so do the child's weights of the
 * cosines.
 *
 * State: w and b in full turns, a row for each feature, drawn once from the seed; room for a change of units.
 * Scratch: u, s(x).
 * Cost: features (d multiplications and additions, one cosine of some 30), then the child at d + features.
 * Rahimi & Recht 2007, Random features for large-scale kernel machines.
 */
#include "extended.h"
#include "src/simd/kernels.h"
#include "src/simd/layers.h"
#include "src/numeric/elementary.h"
#include "src/numeric/waves.h"
#include "src/numeric/random.h"
#include <anabranch/learners.h>

static const AnbParam params[] = {
    {"features", ANB_COUNT, offsetof(AnbRffOptions, features), 150, 1, 4096, 0, NULL, "random features"},
    {"bandwidth", ANB_REAL, offsetof(AnbRffOptions, bandwidth), 1, 1e-3, 1e3, 0, NULL,
     "width of the kernel in standard deviations, times sqrt(d)"},
    {"importance", ANB_BOOL, offsetof(AnbRffOptions, importance), 1, 0, 0, 0, NULL,
     "stretch the features by their importance, where it is given"},
    {"seed", ANB_SEED, offsetof(AnbRffOptions, seed), 0, 0, 0, 0, NULL, "of the directions; 0: the model's"},
    {0},
};

static size_t waves(const AnbNode *self)
{
    return (size_t)((const AnbRffOptions *)self->options)->features;
}

static size_t child_features(const AnbNode *self, size_t i)
{
    (void)i;
    return self->n_features + waves(self);
}

/* Doubles of w (and b, its last row). */
static size_t directions(const AnbNode *self)
{
    return (self->n_features + 1) * anb_layer_width(waves(self));
}

static size_t all_features(const AnbNode *self)
{
    return child_features(self, 0);
}

static size_t unit_room(const AnbNode *self)
{
    return 2 * all_features(self);
}

enum { DIRECTIONS, UNIT };
static const AnbField fields[] = {
    [DIRECTIONS] = {.name = "directions", .kind = ANB_F64, .count = directions, .must = ANB_FINITE},
    /* room for a change of the child's units: see reframe */
    [UNIT] = {.name = "unit", .kind = ANB_F64, .count = unit_room, .must = ANB_DERIVED},
    {0}};

/* The row as the child sees it; the features, stretched. */
enum { U, STRETCHED };
static const AnbField scratch_fields[] = {
    [U] = {.name = "u", .kind = ANB_F64, .count = all_features},
    [STRETCHED] = {.name = "stretched", .kind = ANB_F64, .count = anb_per_feature},
    {0}};

static int init(const AnbNode *self, void *state)
{
    size_t d = self->n_features, n = waves(self), width = anb_layer_width(n);
    const AnbRffOptions *options = self->options;
    double *w = state, scale = 1 / (2 * ANB_PI * options->bandwidth * sqrt((double)d));
    AnbRandom random;
    anb_random_seed(&random, self->seed);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < d; j++)
            w[j * width + i] = scale * anb_random_normal(&random);
        w[d * width + i] = anb_random_uniform(&random);
    }
    return 0;
}

static AnbRow made_row(const AnbRow *row, const double *u)
{
    return (AnbRow){u, u, NULL, row->counters, row->outcome};
}

/* Writes the row as the child sees it to u. */
static AnbRow map(const AnbNode *self, const void *state, const AnbRow *row, double *scratch, double *u)
{
    size_t d = self->n_features, n = waves(self), width = anb_layer_width(n);
    double *stretched = anb_scratch(self, scratch, STRETCHED);
    const double *w = state, *x = row->x, *share = row->importance;
    memcpy(u, x, d * sizeof *u);
    if (share && ((const AnbRffOptions *)self->options)->importance) {
        for (size_t j = 0; j < d; j++)
            stretched[j] = x[j] * sqrt(0.9 * (double)d * share[j] + 0.02);
        x = stretched;
    }
    anb_layer_forward(w, width, w + d * width, x, d, n, u + d);
    anb_cosine(u + d, n, 0.47140452079103168); /* sqrt(2) / 3 */
    return made_row(row, u);
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    AnbRow made = map(self, state, row, scratch, scratch);
    return anb_child_predict(self, 0, state, &made, scratch);
}

static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    double u[ANB_ROWS_ROOM];
    size_t width = self->children[0].n_features, most = anb_rows_fit(width);
    for (size_t at = 0; at < rows->n && most > 1; at += most) {
        AnbRows made = {u, u, rows->n - at < most ? rows->n - at : most, width, width, NULL, rows->counters};
        for (size_t i = 0; i < made.n; i++) {
            AnbRow row = anb_rows_at(rows, at + i);
            map(self, state, &row, scratch, u + i * width);
        }
        anb_child_predict_many(self, 0, state, &made, scratch, out + at);
    }
    if (most < 2)
        anb_predict_each(self, state, rows, scratch, out);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    AnbRow made = made_row(row, scratch);
    anb_child_update(self, 0, state, &made, y, weight, scratch);
}

static double step(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    AnbRow made = map(self, state, row, scratch, scratch);
    return anb_child_step(self, 0, state, &made, y, weight, scratch);
}

/* None: the child's importances are of other features. */
static int no_shares(const AnbNode *self, const void *state, double *share)
{
    (void)self, (void)state, (void)share;
    return ANB_E_UNSUPPORTED;
}

static AnbRow shown(const AnbNode *self, const AnbRow *row, double *scratch)
{
    (void)self;
    return made_row(row, scratch);
}

static void source(const AnbNode *self, size_t child, size_t i, AnbFeatureSource *out)
{
    (void)child;
    *out = i < self->n_features ? (AnbFeatureSource){.column = {i}, .n = 1}
                                : (AnbFeatureSource){.part = "wave", .number = i - self->n_features + 1};
}

static const AnbFeatureTable features = {source};
static const AnbWrapperTable wrapper = {.row = shown};
static const AnbImportanceTable importance = {no_shares};

/* Of the features alone: the directions are fixed, so the change has no counterpart in the waves. */
static void reframe(const AnbNode *self, void *state, const double *alpha, const double *beta)
{
    size_t all = all_features(self);
    double *unit = anb_field(self, state, UNIT);
    anb_extended_units(alpha, beta, self->n_features, all, unit);
    anb_node_reframe(&self->children[0], anb_child_state(&self->children[0], state), unit, unit + all);
}

const StreamingLearnerType anb_rff = {
    .name = "rff",
    .brief = "features and random cosines of them for a child",
    .example = "rff(linear(normalized=true), features=20)",
    .options_size = sizeof(AnbRffOptions),
    .params = params,
    .flags = ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_SINCE_0_3,
    .version = 1,
    .min_children = 1,
    .max_children = 1,
    .child_features = child_features,
    .fields = fields,
    .scratch = scratch_fields,
    .init = init,
    .predict = predict,
    .predict_many = predict_many,
    .update = update,
    .step = step,
    .wrapper = &wrapper,
    .importance = &importance,
    .features = &features,
    .reframe = reframe,
};
