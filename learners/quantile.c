/*
 * Quantiles of the target given the row, for several levels at once, around any learner.
 *
 *     e = y - f                 f: the first child's prediction
 *     sigma                     sqrt(faded e^2 + spread^2), memory 50; spread: the child's own, if it reports one
 *     m                         the prediction of the second child, if there is one: it learns |e| / sigma
 *
 * Each level t has four or five candidates, from the last 1,000 samples:
 *
 *     even      f + the quantile of e
 *     scaled    f + sigma times the quantile of e / sigma
 *     fitted    scaled + sigma w.(1, u, v, z)     w by recursive least squares, where (t - 1{y below}) times the slope
 *               of a normal quantile function takes the place of the error (src/numeric/loss.h); u: f standardised, v:
 *               the log of the faded error over its long mean, z: the standardised features, up to 64 of them
 *     modelled  f + sigma m times the quantile of e / (sigma m)
 *     free      the quantile of y
 *
 * A BOA on their pinball losses mixes them (Wintenberger 2017). The mixes of the levels are then sorted, so that they
 * do not cross, which does not increase their losses (Chernozhukov, Fernandez-Val & Galichon 2010), and clipped to the
 * seen target range widened by 10 %. A wrong target widens that range by at most its width, and is forgotten.
 *
 * State: three or four lists of 1,000 scores (10 KB each), moments of the features; for each level a BOA and a
 * recursive least squares. Cost: the children, as many insertions into sorted lists, and (d + 3)^2 multiply-adds a
 * level.
 * Koenker & Bassett 1978 on quantile regression; He 1997 on location and scale.
 */
#include "quantile_level.h"
#include "src/numeric/elementary.h"
#include "src/numeric/fields.h"
#include "src/numeric/moments.h"
#include "src/numeric/scores.h"
#include "src/numeric/sort.h"
#include "src/numeric/weight_unit.h"
#include <anabranch/quantile.h>
#include <anabranch/reach.h>

enum { MEAN_CHILD, SCALE_CHILD };
enum { WIDEST = 64, OWN_FEATURES = 2, MOST_MODEL = 20 };
static const double LEAST_MODEL = .1; /* features up to which they are fitted; u and v */

typedef struct Quantile {
    AnbErrorScale error;  /* of f */
    AnbFaded quick, slow; /* e^2, of 50 and of 1,000 samples */
    AnbMoments target;
    AnbRange range;
    AnbWeightUnit unit;
} Quantile;

static const AnbField members[] = {{ANB_INNER(Quantile, error, AnbErrorScale, anb_error_scale_fields)},
                                   {ANB_INNER(Quantile, quick, AnbFaded, anb_faded_fields)},
                                   {ANB_INNER(Quantile, slow, AnbFaded, anb_faded_fields)},
                                   {ANB_INNER(Quantile, target, AnbMoments, anb_moments_fields)},
                                   {ANB_INNER(Quantile, range, AnbRange, anb_range_fields)},
                                   {ANB_INNER(Quantile, unit, AnbWeightUnit, anb_weight_unit_fields)},
                                   {0}};

static const AnbParam params[] = {{"levels", ANB_LEVELS, offsetof(AnbQuantileOptions, levels), 0, 1e-6, 1 - 1e-6, 0,
                                   "0.1, 0.5, 0.9", "shares of targets below each quantile, ascending"},
                                  {"level", ANB_REAL, offsetof(AnbQuantileOptions, level), 0, 0, 1, ANB_OPEN_MAX, NULL,
                                   "the level of a plain prediction; 0: the one nearest to 1/2"},
                                  {0}};

/* ---- the plan ---------------------------------------------------------------------------------------------------- */

static const AnbLevels *levels_of(const AnbNode *self)
{
    return &((const AnbQuantileOptions *)self->options)->levels;
}

static size_t level_count(const AnbNode *self)
{
    return (size_t)levels_of(self)->count;
}

/* Features of the row that are fitted. */
static size_t fitted_features(const AnbNode *self)
{
    return self->n_features <= WIDEST ? self->n_features : 0;
}

static size_t all_features(const AnbNode *self)
{
    return OWN_FEATURES + fitted_features(self);
}

/* Whether there is a second child. */
static bool is_modelled(const AnbNode *self)
{
    return self->n_children > SCALE_CHILD;
}

static AnbQuantileForm form_of(const AnbNode *self)
{
    return (AnbQuantileForm){all_features(self), is_modelled(self) ? ANB_CANDIDATES : ANB_MODELLED};
}

static size_t candidates(const AnbNode *self)
{
    return ANB_CANDIDATES * level_count(self);
}

static size_t work_size(const AnbNode *self)
{
    return level_count(self) * anb_rls_scratch(all_features(self));
}

/* The index of the level that a plain prediction uses; -1 where the option is none of the levels. */
static int plain_level(const AnbNode *self)
{
    const AnbQuantileOptions *o = self->options;
    double wanted = o->level > 0 ? o->level : .5;
    int nearest = 0;
    for (int i = 1; i < o->levels.count; i++)
        if (fabs(o->levels.value[i] - wanted) < fabs(o->levels.value[nearest] - wanted))
            nearest = i;
    return o->level > 0 && o->levels.value[nearest] != o->level ? -1 : nearest;
}

static int check(const AnbNode *self, AnbError *error)
{
    const AnbLevels *levels = levels_of(self);
    for (int i = 1; i < levels->count; i++)
        if (!(levels->value[i - 1] < levels->value[i]))
            return anb_fail(error, ANB_E_ARGUMENT, "quantile: its levels must ascend: %g stands before %g",
                            levels->value[i - 1], levels->value[i]);
    return plain_level(self) >= 0 ? 0
                                  : anb_fail(error, ANB_E_ARGUMENT, "quantile: its level must be one of its levels");
}

static size_t level_size(const AnbNode *self, const AnbField *field)
{
    (void)field;
    return level_count(self) * anb_quantile_level_size(form_of(self)) * sizeof(double);
}

static void level_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    AnbQuantileForm form = form_of(self);
    size_t size = anb_quantile_level_size(form);
    (void)field, (void)state;
    for (size_t i = 0; i < level_count(self); i++)
        anb_quantile_level_visit(form, (double *)part + i * size, visitor);
}

static int level_validate(const AnbNode *self, const AnbField *field, const void *state, const void *part,
                          AnbError *error)
{
    AnbQuantileForm form = form_of(self);
    size_t size = anb_quantile_level_size(form);
    int code = 0;
    (void)field, (void)state;
    for (size_t i = 0; i < level_count(self) && !code; i++)
        code = anb_quantile_level_validate(form, (const double *)part + i * size, error);
    return code;
}

static const AnbPart levels_part = {level_size, level_visit, level_validate};

enum { SCORES = 1000 };

static size_t score_count(const AnbNode *self)
{
    (void)self;
    return SCORES;
}

static size_t modelled_count(const AnbNode *self)
{
    return is_modelled(self) ? SCORES : 0;
}

static const AnbScoresForm scores_form = {score_count, 3}, modelled_form = {modelled_count, 3};

/* The scores of EVEN are e, of SCALED e / sigma, of FREE y, of MODELLED e / (sigma m). */
enum { HEAD, EVEN, SCALED, FREE, MODELLED, MOMENTS, LEVELS };
static const AnbField fields[] = {[HEAD] = {ANB_STRUCT(Quantile, members)},
                                  [EVEN] = {.name = "even", .part = &anb_scores_part, .form = &scores_form},
                                  [SCALED] = {.name = "scaled", .part = &anb_scores_part, .form = &scores_form},
                                  [FREE] = {.name = "free", .part = &anb_scores_part, .form = &scores_form},
                                  [MODELLED] = {.name = "modelled", .part = &anb_scores_part, .form = &modelled_form},
                                  [MOMENTS] = {.name = "moments",
                                               .record = anb_moments_fields,
                                               .stride = sizeof(AnbMoments),
                                               .count = fitted_features},
                                  [LEVELS] = {.name = "levels", .part = &levels_part},
                                  {0}};

/* The data that predict leaves for update. */
typedef struct Predicted {
    double f, sigma, model; /* model: the factor of sigma, m */
} Predicted;

enum { PREDICTED, VALUE, CANDIDATE, FEATURE, WORK };
static const AnbField scratch_fields[] = {
    [PREDICTED] = {ANB_SCRATCH_STRUCT(Predicted)},
    [VALUE] = {.name = "value", .kind = ANB_F64, .count = level_count},
    [CANDIDATE] = {.name = "candidate", .kind = ANB_F64, .count = candidates},
    [FEATURE] = {.name = "feature", .kind = ANB_F64, .count = all_features},
    [WORK] = {.name = "work", .kind = ANB_F64, .count = work_size, .must = ANB_ALIGNED},
    {0}};

static double *level_at(const AnbNode *self, const void *state, size_t i)
{
    void *at = anb_view_of(state);
    return (double *)anb_field(self, at, LEVELS) + i * anb_quantile_level_size(form_of(self));
}

static void add_score(const AnbNode *self, void *state, size_t field, double score)
{
    AnbScores scores = anb_scores_at(anb_field(self, state, field), SCORES);
    anb_scores_add(&scores, score);
}

static double between(const AnbNode *self, const void *state, size_t field, double level)
{
    AnbScores scores = anb_scores_at(anb_field(self, anb_view_of(state), field), SCORES);
    return anb_scores_between(&scores, level);
}

static double *work_at(const AnbNode *self, double *scratch, size_t i)
{
    return (double *)anb_scratch(self, scratch, WORK) + i * anb_rls_scratch(all_features(self));
}

static int init(const AnbNode *self, void *state)
{
    for (size_t i = 0; i < level_count(self); i++)
        anb_quantile_level_start(form_of(self), level_at(self, state, i));
    return 0;
}

/* ---- predicting -------------------------------------------------------------------------------------------------- */

/* The scale of the error at the row, from its past and the spread of the child. */
static double own_sigma(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const Quantile *s = state;
    AnbAsked at = anb_child_asked(self, MEAN_CHILD, state, row, scratch);
    bool has_spread = anb_reach(&at, ANB_CAN_SPREAD);
    double spread = has_spread ? at.node->type->spread->spread(at.node, at.state, &at.row, at.scratch) : 0;
    double sigma = sqrt(s->quick.mean + spread * spread);
    return sigma < (double)INFINITY ? sigma : sqrt(s->quick.mean);
}

/* The second child's prediction of |e| / sigma; 1 without such a child. */
static double model_of(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    double m = is_modelled(self) ? anb_child_predict(self, SCALE_CHILD, state, row, scratch) : 1;
    return m > LEAST_MODEL ? m < MOST_MODEL ? m : MOST_MODEL : LEAST_MODEL;
}

/* u, v and z. */
static void fill_features(const AnbNode *self, const void *state, const AnbRow *row, double f, double *out)
{
    const Quantile *s = state;
    const AnbMoments *moments = anb_field_const(self, state, MOMENTS);
    double sd = anb_moments_sd(&s->target), u = sd > 0 ? (f - s->target.mean) / sd : 0;
    double v = s->quick.mean > 0 && s->slow.mean > 0 ? anb_log(s->quick.mean / s->slow.mean) / 2 : 0;
    out[0] = u == u ? anb_clip(u, 5) : 0;
    out[1] = anb_clip(v, 3);
    for (size_t j = 0; j < fitted_features(self); j++) {
        double unit = anb_moments_sd(&moments[j]), z = unit > 0 ? (row->x[j] - moments[j].mean) / unit : 0;
        out[OWN_FEATURES + j] = z == z ? anb_clip(z, 4) : 0;
    }
}

/* The candidates of a level. */
static void offer(const AnbNode *self, const void *state, const Predicted *predicted, double level, double add,
                  double *out)
{
    const Quantile *s = state;
    double even = between(self, state, EVEN, level);
    double scaled = between(self, state, SCALED, level);
    out[ANB_EVEN] = predicted->f + even;
    out[ANB_SCALED] = predicted->f + predicted->sigma * scaled;
    out[ANB_FITTED] = predicted->f + predicted->sigma * (scaled + add);
    if (is_modelled(self))
        out[ANB_MODELLED] = predicted->f + predicted->sigma * predicted->model * between(self, state, MODELLED, level);
    out[ANB_FREE] = between(self, state, FREE, level);
    for (size_t c = 0; c < form_of(self).k; c++)
        out[c] = anb_range_clip(&s->range, out[c] - out[c] == 0 ? out[c] : predicted->f);
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const Quantile *s = state;
    Predicted *predicted = anb_scratch(self, scratch, PREDICTED);
    double *value = anb_scratch(self, scratch, VALUE), *candidate = anb_scratch(self, scratch, CANDIDATE);
    double *feature = anb_scratch(self, scratch, FEATURE);
    AnbQuantileForm form = form_of(self);
    predicted->f = anb_range_clip(&s->range, anb_child_predict(self, MEAN_CHILD, state, row, scratch));
    predicted->sigma = own_sigma(self, state, row, scratch);
    predicted->model = model_of(self, state, row, scratch);
    fill_features(self, state, row, predicted->f, feature);
    for (size_t i = 0; i < level_count(self); i++, candidate += ANB_CANDIDATES) {
        const double *level = level_at(self, state, i);
        double add = anb_quantile_level_fit(form, level, feature, work_at(self, scratch, i));
        offer(self, state, predicted, levels_of(self)->value[i], add, candidate);
        value[i] = anb_range_clip(&s->range, anb_quantile_level_mix(form, level, candidate));
    }
    anb_sort_few(value, level_count(self));
    return value[plain_level(self)];
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

static void learn_levels(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    const Predicted *predicted = anb_scratch(self, scratch, PREDICTED);
    const double *candidate = anb_scratch(self, scratch, CANDIDATE);
    AnbQuantileForm form = form_of(self);
    for (size_t i = 0; i < level_count(self); i++, candidate += ANB_CANDIDATES) {
        double off = predicted->sigma > 0 ? (y - candidate[ANB_FITTED]) / predicted->sigma : 0;
        AnbQuantileSample sample = {levels_of(self)->value[i], y, off, weight, candidate};
        if (!anb_quantile_level_learn(form, level_at(self, state, i), &sample, work_at(self, scratch, i)))
            anb_restart_part(row);
    }
}

static void learn_scores(const AnbNode *self, void *state, const Predicted *predicted, double y)
{
    double e = anb_within_doubles(y - predicted->f), z = e / predicted->sigma, m = z / predicted->model;
    add_score(self, state, EVEN, e);
    if (z - z == 0)
        add_score(self, state, SCALED, z);
    if (is_modelled(self) && m - m == 0)
        add_score(self, state, MODELLED, m);
    add_score(self, state, FREE, y);
}

static void learn_moments(const AnbNode *self, void *state, const AnbRow *row, double e, double y, double weight)
{
    Quantile *s = state;
    AnbMoments *moments = anb_field(self, state, MOMENTS);
    anb_range_follow(&s->range, y);
    anb_moments_add(&s->target, y, weight);
    if (!anb_moments_finite(&s->target))
        s->target = (AnbMoments){0};
    if (e * e < 0x1p1000) {
        anb_faded_add(&s->quick, e * e, 1, 1 - 1. / 50);
        anb_faded_add(&s->slow, e * e, 1, 1 - 1. / 1000);
    }
    for (size_t j = 0; j < fitted_features(self); j++) {
        if (row->x[j] == row->x[j])
            anb_moments_add(&moments[j], row->x[j], weight);
        if (!anb_moments_finite(&moments[j]))
            moments[j] = (AnbMoments){0};
    }
}

/* The second child learns |e| / sigma. */
static void learn_model(const AnbNode *self, void *state, const AnbRow *row, double e, double weight, double *scratch)
{
    const Predicted *predicted = anb_scratch(self, scratch, PREDICTED);
    AnbRow other = *row;
    double ratio = fabs(e) / predicted->sigma;
    other.outcome = NULL;
    if (is_modelled(self) && ratio == ratio)
        anb_child_update(self, SCALE_CHILD, state, &other, ratio < MOST_MODEL ? ratio : MOST_MODEL, weight, scratch);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    Quantile *s = state;
    const Predicted *predicted = anb_scratch(self, scratch, PREDICTED);
    double relative = anb_weight_relative(&s->unit, weight);
    double near = anb_range_target(&s->range, anb_target_bounded(&s->error, predicted->f, y), y),
           e = anb_within_doubles(near - predicted->f);
    learn_levels(self, state, row, near, relative, scratch);
    learn_scores(self, state, predicted, near);
    learn_model(self, state, row, e, weight, scratch);
    learn_moments(self, state, row, e, near, relative);
    anb_child_update(self, MEAN_CHILD, state, row, y, weight, scratch);
}

/* ---- read-outs --------------------------------------------------------------------------------------------------- */

static size_t asked_levels(const AnbNode *self, const double **level)
{
    *level = levels_of(self)->value;
    return level_count(self);
}

static void values(const AnbNode *self, const void *state, double *scratch, double *value)
{
    (void)state;
    memcpy(value, anb_scratch(self, scratch, VALUE), level_count(self) * sizeof *value);
}

/* The moments are converted, so that z stays the same. */
static void reframe(const AnbNode *self, void *state, const double *alpha, const double *beta)
{
    AnbMoments *moments = anb_field(self, state, MOMENTS);
    for (size_t j = 0; j < fitted_features(self); j++)
        anb_moments_reframe(&moments[j], alpha[j], beta[j]);
    for (size_t i = 0; i < self->n_children; i++)
        anb_node_reframe(&self->children[i], anb_child_state(&self->children[i], state), alpha, beta);
}

static const AnbQuantileTable table = {asked_levels, values};
static const AnbWrapperTable wrapper = {0};

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const Quantile *s = state;
    const AnbMoments *moments = anb_field_const(self, state, MOMENTS);
    bool fine = anb_range_valid(&s->range) && s->quick.mean >= 0 && s->slow.mean >= 0 && s->target.square >= 0;
    for (size_t j = 0; j < fitted_features(self); j++)
        fine = fine && moments[j].square >= 0 && moments[j].weight >= 0;
    return fine ? 0 : anb_fail(error, ANB_E_STATE, "quantile: an invalid range, mean square or moment of a feature");
}

const StreamingLearnerType anb_quantile = {
    .name = "quantile",
    .brief = "quantiles of the target, several levels at once",
    .example = "quantile(scale(linear), levels=[0.1, 0.5, 0.9])",
    .options_size = sizeof(AnbQuantileOptions),
    .params = params,
    .flags = ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_READS_X | ANB_TAKES_MISSING | ANB_WEIGHT_SCALED | ANB_CLIPPED |
             ANB_SINCE_0_3,
    .version = 3, /* 3: scores as in scores.h. Starts at 2: parts (src/numeric) read layout 1 as that of release 0.1 */
    .min_children = 1,
    .max_children = 2,
    .check = check,
    .fields = fields,
    .scratch = scratch_fields,
    .init = init,
    .predict = predict,
    .update = update,
    .reframe = reframe,
    .wrapper = &wrapper,
    .quantile = &table,
    .validate = validate,
    .upgrade = anb_fields_upgrade,
};
