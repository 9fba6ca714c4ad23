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

typedef struct Scale {
    AnbRange range;
    double moments[]; /* count[d], mean[d], m2[d], inv_sd[d] */
} Scale;

static AnbNeed need(const AnbNode *self)
{
    return (AnbNeed){sizeof(Scale) + 4 * self->n_features * sizeof(double), self->n_features};
}

/* The row as the child sees it. */
static AnbRow made_row(const AnbRow *row, const double *z)
{
    return (AnbRow){z, row->raw, row->importance, row->counters, row->outcome};
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    size_t d = self->n_features;
    const Scale *s = state;
    AnbRow inner = made_row(row, scratch);
    anb_standardize(row->x, s->moments + d, s->moments + 3 * d, 4, d, scratch);
    return anb_range_clip(&s->range, anb_child_predict(self, 0, state, &inner, scratch));
}

/* A feature whose moments left the doubles starts again. */
static void reset_bad_features(double *moments, size_t d, const AnbRow *row)
{
    for (size_t j = 0; j < d; j++)
        if (anb_nonfinite(&moments[d + j], 1) + anb_nonfinite(&moments[2 * d + j], 1) != 0) {
            for (size_t part = 0; part < 4; part++)
                moments[part * d + j] = 0;
            anb_restart_part(row);
        }
}

static void learn_row(const AnbNode *self, Scale *s, const AnbRow *row, double y, double weight)
{
    size_t d = self->n_features;
    double *m = s->moments;
    if (!(anb_moments_update(m, m + d, m + 2 * d, m + 3 * d, row->x, weight, d) == 0))
        reset_bad_features(m, d, row);
    anb_range_add(&s->range, y);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    AnbRow inner = made_row(row, scratch);
    anb_child_update(self, 0, state, &inner, y, weight, scratch);
    learn_row(self, state, row, y, weight);
}

static double step(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    size_t d = self->n_features;
    Scale *s = state;
    AnbRow inner = made_row(row, scratch);
    anb_standardize(row->x, s->moments + d, s->moments + 3 * d, 4, d, scratch);
    double f = anb_range_clip(&s->range, anb_child_step(self, 0, state, &inner, y, weight, scratch));
    learn_row(self, s, row, y, weight);
    return f;
}

static AnbRow shown(const AnbNode *self, const AnbRow *row, double *scratch)
{
    (void)self;
    return made_row(row, scratch);
}

static const AnbWrapperTable wrapper = {.row = shown};

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    Scale *s = state;
    anb_range_visit(&s->range, visitor);
    anb_visit(visitor, s->moments, ANB_F64, 4 * self->n_features);
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const Scale *s = state;
    if (anb_nonfinite(s->moments, 4 * self->n_features) != 0 || !anb_weights_valid(s->moments, self->n_features))
        return anb_fail(error, ANB_E_STATE, "scale: the moments of a feature are none");
    return anb_range_valid(&s->range) ? 0 : anb_fail(error, ANB_E_STATE, "scale: not a target range");
}

const StreamingLearnerType anb_scale = {
    .name = "scale",
    .brief = "online standardisation around a learner, clipped to the seen target range",
    .example = "scale(linear)",
    .flags = ANB_READS_X | ANB_TAKES_MISSING | ANB_COMPLETES | ANB_WEIGHT_SCALED | ANB_CLIPPED,
    .version = 1,
    .min_children = 1,
    .max_children = 1,
    .need = need,
    .predict = predict,
    .update = update,
    .step = step,
    .wrapper = &wrapper,
    .ranges = ranges,
    .validate = validate,
};
