/*
 * Online standardisation around a child.
 *
 *     z_j = clip((x_j - mean_j) / sd_j, +-4)     0 where x_j is missing or sd_j is 0
 *
 * The moments are of what came before the row (Welford, over the cells that were there), for the prediction and for
 * learning alike. What the child says is clipped to the seen target range widened by 10 % on each side; before the
 * first target nothing is.
 *
 * State: the target's range, then per feature count, mean, sum of squared deviations and 1/sd. Scratch: z[d].
 * Cost: 2 passes over the row.
 */
#include "src/simd/kernels.h"
#include "src/numeric/moments.h"
#include <anabranch/learners.h>

enum { RANGE, COUNT, MEAN, M2, INV_SD };
static const AnbField fields[] = {
    [RANGE] = {ANB_STRUCT(AnbRange, anb_range_fields)}, /* of the target */
    [COUNT] = {.name = "count", .kind = ANB_F64, .count = anb_per_feature, .must = ANB_FINITE | ANB_NOT_NEGATIVE},
    [MEAN] = {.name = "mean", .kind = ANB_F64, .count = anb_per_feature, .must = ANB_FINITE},
    [M2] = {.name = "m2", .kind = ANB_F64, .count = anb_per_feature, .must = ANB_FINITE},
    [INV_SD] = {.name = "inv_sd", .kind = ANB_F64, .count = anb_per_feature, .must = ANB_FINITE},
    {0}};

/* The row as the child sees it. */
static const AnbField scratch_fields[] = {{.name = "z", .kind = ANB_F64, .count = anb_per_feature}, {0}};

static void standardize(const AnbNode *self, const void *state, const AnbRow *row, double *z)
{
    anb_standardize(row->x, anb_field_const(self, state, MEAN), anb_field_const(self, state, INV_SD), 4,
                    self->n_features, z);
}

/* The row as the child sees it. */
static AnbRow made_row(const AnbRow *row, const double *z)
{
    return (AnbRow){z, row->raw, row->importance, row->counters, row->outcome};
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    AnbRow inner = made_row(row, scratch);
    standardize(self, state, row, scratch);
    return anb_range_clip(anb_field_const(self, state, RANGE), anb_child_predict(self, 0, state, &inner, scratch));
}

/* A feature whose moments left the doubles starts again. */
static void reset_bad_features(const AnbNode *self, void *state, const AnbRow *row)
{
    double *count = anb_field(self, state, COUNT), *mean = anb_field(self, state, MEAN);
    double *m2 = anb_field(self, state, M2), *inv_sd = anb_field(self, state, INV_SD);
    for (size_t j = 0; j < self->n_features; j++)
        if (anb_nonfinite(&mean[j], 1) + anb_nonfinite(&m2[j], 1) != 0) {
            count[j] = mean[j] = m2[j] = inv_sd[j] = 0;
            anb_restart_part(row);
        }
}

static void learn_row(const AnbNode *self, void *state, const AnbRow *row, double y, double weight)
{
    double bad =
        anb_moments_update(anb_field(self, state, COUNT), anb_field(self, state, MEAN), anb_field(self, state, M2),
                           anb_field(self, state, INV_SD), row->x, weight, self->n_features);
    if (!(bad == 0))
        reset_bad_features(self, state, row);
    anb_range_add(anb_field(self, state, RANGE), y);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    AnbRow inner = made_row(row, scratch);
    anb_child_update(self, 0, state, &inner, y, weight, scratch);
    learn_row(self, state, row, y, weight);
}

static double step(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    AnbRow inner = made_row(row, scratch);
    standardize(self, state, row, scratch);
    double f =
        anb_range_clip(anb_field_const(self, state, RANGE), anb_child_step(self, 0, state, &inner, y, weight, scratch));
    learn_row(self, state, row, y, weight);
    return f;
}

static AnbRow shown(const AnbNode *self, const AnbRow *row, double *scratch)
{
    (void)self;
    return made_row(row, scratch);
}

static const AnbWrapperTable wrapper = {.row = shown};

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    return anb_range_valid(anb_field_const(self, state, RANGE))
               ? 0
               : anb_fail(error, ANB_E_STATE, "scale: the target range is not ordered");
}

const StreamingLearnerType anb_scale = {
    .name = "scale",
    .brief = "online standardisation around a learner, clipped to the seen target range",
    .example = "scale(linear)",
    .flags = ANB_READS_X | ANB_TAKES_MISSING | ANB_COMPLETES | ANB_WEIGHT_SCALED | ANB_CLIPPED,
    .version = 1,
    .min_children = 1,
    .max_children = 1,
    .fields = fields,
    .scratch = scratch_fields,
    .predict = predict,
    .update = update,
    .step = step,
    .wrapper = &wrapper,
    .validate = validate,
};
