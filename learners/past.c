/*
 * past(child): the last L targets are further features of the child, behind the row's own.
 *
 *     u = (x, (y_{t-1} - m) / s, ..., (y_{t-L} - m) / s)      L = lags; each clipped to +-6, 0 while it is not known
 *
 * m and s are the mean and the deviation of the targets so far. residual_ar corrects every prediction by past errors
 * with the same coefficients. A nonlinear child of `past` can learn that the effect of a past target depends on the
 * features: at some hours traffic persists, at others it reverses. Use it where targets are known by the time of the
 * next row.
 *
 * A target is clipped to 20 running scales of the errors around the prediction (src/numeric/error_scale.h), so that one
 * wrong number becomes neither a feature of that size nor part of the unit of the others.
 *
 * State: the moments, L targets, room for a change of units. Cost: d + L copies, then the child at that many features.
 */
#include "extended.h"
#include "src/numeric/error_scale.h"
#include "src/numeric/moments.h"
#include <anabranch/learners.h>
#include <anabranch/reach.h>

enum { MOST = 32 };
static const double FAR = 6; /* deviations */

typedef struct Past {
    AnbMoments target;
    AnbErrorScale error; /* of the child's predictions */
    uint64_t known;      /* of the targets that are kept, the newest first */
} Past;

static size_t lags(const AnbNode *self)
{
    return (size_t)((const AnbPastOptions *)self->options)->lags;
}

static uint64_t most_known(const AnbNode *self)
{
    return lags(self);
}

static const AnbField members[] = {{ANB_INNER(Past, target, AnbMoments, anb_moments_fields)},
                                   {ANB_INNER(Past, error, AnbErrorScale, anb_error_scale_fields)},
                                   {ANB_MEMBER(Past, known), .most = most_known},
                                   {0}};

static const AnbParam params[] = {
    {"lags", ANB_COUNT, offsetof(AnbPastOptions, lags), 1, 1, MOST, 0, NULL, "number of past targets"}, {0}};

static size_t width(const AnbNode *self)
{
    return self->n_features + lags(self);
}

static size_t child_features(const AnbNode *self, size_t i)
{
    (void)i;
    return width(self);
}

static size_t unit_room(const AnbNode *self)
{
    return 2 * width(self);
}

enum { HEAD, TARGETS, UNIT };
static const AnbField fields[] = {[HEAD] = {ANB_STRUCT(Past, members)},
                                  [TARGETS] = {.name = "targets", .kind = ANB_F64, .count = lags, .must = ANB_FINITE},
                                  [UNIT] = {.name = "unit", .kind = ANB_F64, .count = unit_room, .must = ANB_DERIVED},
                                  {0}};

/* The child's prediction; x, raw and shares of the child's row. */
enum { PREDICTION, X, RAW, SHARE };
static const AnbField scratch_fields[] = {[PREDICTION] = {.name = "said", .kind = ANB_F64, .fixed = 1},
                                          [X] = {.name = "x", .kind = ANB_F64, .count = width},
                                          [RAW] = {.name = "raw", .kind = ANB_F64, .count = width},
                                          [SHARE] = {.name = "share", .kind = ANB_F64, .count = width},
                                          {0}};

static AnbRow shown(const AnbNode *self, const AnbRow *row, double *scratch)
{
    const double *share =
        anb_extended_shares(row->importance, self->n_features, width(self), anb_scratch(self, scratch, SHARE));
    return (AnbRow){anb_scratch(self, scratch, X), anb_scratch(self, scratch, RAW), share, row->counters, row->outcome};
}

/* The features that follow the row's own: the same for every row until the next target. */
static void write_past(const AnbNode *self, const void *state, double *out)
{
    const Past *s = state;
    const double *y = anb_field_const(self, state, TARGETS);
    double sd = anb_moments_sd(&s->target), inverse = sd > 0 ? 1 / sd : 0;
    for (size_t i = 0, n = lags(self); i < n; i++)
        out[i] = i < s->known ? anb_standing(y[i], s->target.mean, inverse, FAR) : 0;
}

/* x or raw as the child sees it. */
static void extend(const AnbNode *self, const double *cells, const double *past, double *out)
{
    size_t d = self->n_features;
    memcpy(out, cells, d * sizeof *out);
    memcpy(out + d, past, lags(self) * sizeof *out);
}

static AnbRow extended(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    double past[MOST];
    write_past(self, state, past);
    extend(self, row->x, past, anb_scratch(self, scratch, X));
    extend(self, row->raw, past, anb_scratch(self, scratch, RAW));
    return shown(self, row, scratch);
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    AnbRow made = extended(self, state, row, scratch);
    return scratch[PREDICTION] = anb_child_predict(self, 0, state, &made, scratch);
}

static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    double past[MOST], x[ANB_ROWS_ROOM], raw[ANB_ROWS_ROOM];
    size_t all = width(self), most = anb_rows_fit(all);
    const double *share =
        anb_extended_shares(rows->importance, self->n_features, all, anb_scratch(self, scratch, SHARE));
    write_past(self, state, past);
    for (size_t at = 0; at < rows->n && most > 0; at += most) {
        AnbRows part = anb_rows_part(rows, at, most);
        for (size_t i = 0; i < part.n; i++) {
            AnbRow row = anb_rows_at(&part, i);
            extend(self, row.x, past, x + i * all);
            extend(self, row.raw, past, raw + i * all);
        }
        const AnbRows made = {x, raw, part.n, all, all, share, rows->counters};
        anb_child_predict_many(self, 0, state, &made, scratch, out + at);
    }
    if (most == 0)
        anb_predict_each(self, state, rows, scratch, out);
}

/* Stores the target of the row whose prediction was f. */
static void remember(const AnbNode *self, void *state, const AnbRow *row, double f, double y, double weight)
{
    Past *s = state;
    double *kept = anb_field(self, state, TARGETS);
    size_t n = lags(self);
    y = anb_within_doubles(anb_target_bounded(&s->error, f, y));
    anb_moments_add(&s->target, y, weight);
    if (!anb_moments_finite(&s->target)) {
        anb_node_reset_own(self, state);
        anb_restart_part(row); /* only the past targets, not the child */
        return;
    }
    memmove(kept + 1, kept, (n - 1) * sizeof *kept);
    kept[0] = y;
    s->known += s->known < n;
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    AnbRow made = shown(self, row, scratch);
    double f = scratch[PREDICTION];
    anb_child_update(self, 0, state, &made, y, weight, scratch);
    remember(self, state, row, f, y, weight);
}

static double step(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    AnbRow made = extended(self, state, row, scratch);
    double f = anb_child_step(self, 0, state, &made, y, weight, scratch);
    remember(self, state, row, f, y, weight);
    return f;
}

/* The past targets keep their unit. */
static void reframe(const AnbNode *self, void *state, const double *alpha, const double *beta)
{
    size_t all = width(self);
    double *unit = anb_field(self, state, UNIT);
    anb_extended_units(alpha, beta, self->n_features, all, unit);
    anb_node_reframe(&self->children[0], anb_child_state(&self->children[0], state), unit, unit + all);
}

static void source(const AnbNode *self, size_t child, size_t i, AnbFeatureSource *out)
{
    (void)child;
    if (i < self->n_features)
        *out = (AnbFeatureSource){.column = {i}, .n = 1};
    else
        *out = (AnbFeatureSource){.part = "target", .number = i - self->n_features + 1};
}

/* The child's importances of the row's features, without the past targets. */
static int shares(const AnbNode *self, const void *state, double *out)
{
    double all[ANB_ROWS_ROOM], sum = 0;
    size_t d = self->n_features;
    int code = width(self) <= ANB_ROWS_ROOM ? anb_child_importance(self, 0, state, all) : ANB_E_UNSUPPORTED;
    if (code != 0)
        return code;
    for (size_t j = 0; j < d; j++)
        sum += all[j];
    for (size_t j = 0; j < d; j++)
        out[j] = sum > 0 ? all[j] / sum : 1 / (double)d;
    return 0;
}

static const AnbFeatureTable features = {source};
static const AnbWrapperTable wrapper = {.row = shown, .child = anb_asks_but_ranks};
static const AnbImportanceTable importance = {shares};

const StreamingLearnerType anb_past = {
    .name = "past",
    .brief = "the last targets are features for the child",
    .example = "past(rls, lags=2)",
    .options_size = sizeof(AnbPastOptions),
    .params = params,
    .flags = ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_SINCE_0_3,
    .version = 2, /* starts at 2: parts (src/numeric) read layout 1 as that of release 0.1 */
    .min_children = 1,
    .max_children = 1,
    .child_features = child_features,
    .fields = fields,
    .scratch = scratch_fields,
    .predict = predict,
    .predict_many = predict_many,
    .update = update,
    .step = step,
    .reframe = reframe,
    .wrapper = &wrapper,
    .importance = &importance,
    .features = &features,
};
