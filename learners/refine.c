/*
 * refine(mixture, learner, ...): second stages. Each further child learns the residual of a mixture from the row and
 * from how far each expert's prediction is from the mixture's.
 *
 *     m = the mixture's prediction      s = running rms of y - m, discounted by .999
 *     q = (x, clip((f_i - m) / s, +-5) for each expert i; 0 for inactive ones)
 *         with `last` also (clip(e' / s, +-5), clip((y' - m) / s, +-5)): the last y - m, the last target
 *     every stage b learns from q to y - m
 *     a_b = 3 A / (B + 8 s^2) clipped to 0 .. 1      A, B = sums of b(q) (y - m) and of b(q)^2, discounted by .99
 *     output = BOA(discount) over { m, m + a_1 b_1(q), m + a_2 b_2(q), ... }, each within the seen target range widened
 *              by 10 %
 *
 * A gate weights experts by their errors so far; a second stage learns in which part of the space which expert is
 * right. A network of a few units learns that within hundreds of samples. The BOA gives a stage no weight where there
 * is nothing to learn.
 *
 * a_b: at first a stage's output is mostly noise. A / B is the factor of it that fits the residuals best, and the 8 s^2
 * act as eight rows of pure noise. From a third on the whole output is used. The memory of the BOA grows with the
 * stream up to that of its discount (boa.h).
 *
 * With `last` past targets are inputs: use it where they are known by the time of the next row. The stages can then
 * learn that successive errors are alike in one part of the space only; residual_ar around the whole cannot.
 *
 * State: range, scale, a BOA, A and B of each stage. Cost: the second stages at d + K features, and K operations.
 * Wolpert 1992, Stacked generalization; Wintenberger 2017 (BOA).
 */
#include "extended.h"
#include "src/numeric/boa.h"
#include "src/numeric/scheduler.h"
#include "src/numeric/fields.h"
#include "src/numeric/moments.h"
#include <anabranch/moe.h>
#include <anabranch/reach.h>

enum { MOST = 8 };
static const double FADE = 0.999, SIDE = 5;
/* Chosen on the streams of docs/accuracy.md, which has others: the rows of doubt, what A / B is multiplied by, the
 * discount. */
static const double DOUBT = 8, BELIEF = 3, TRIAL = 0.99;

typedef struct Refine {
    AnbRange range;
    double weight, square; /* discounted sums: of weights, of (y - m)^2 */
} Refine;

static const AnbField members[] = {{ANB_INNER(Refine, range, AnbRange, anb_range_fields)},
                                   {ANB_MEMBER(Refine, weight), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_MEMBER(Refine, square), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {0}};

static const AnbParam params[] = {{"discount", ANB_REAL, offsetof(AnbRefineOptions, discount), 0.999, 0, 1,
                                   ANB_OPEN_MIN, NULL, "factor of the BOA's past regrets at each sample"},
                                  {"last", ANB_BOOL, offsetof(AnbRefineOptions, last), 0, 0, 1, 0, NULL,
                                   "the last residual and the last target are features of the stages"},
                                  {0}};

static int check(const AnbNode *self, AnbError *error)
{
    if (self->children[0].type->mixture)
        return 0;
    return anb_fail(error, ANB_E_ARGUMENT, "refine: its first child is %s, and has to be a mixture",
                    self->children[0].type->name);
}

/* Of the last sample, with `last`: y - m and y. */
enum { RESIDUAL, TARGET, PAST };

static size_t past_count(const AnbNode *self)
{
    return ((const AnbRefineOptions *)self->options)->last ? PAST : 0;
}

static size_t child_features(const AnbNode *self, size_t i)
{
    return self->n_features + (i > 0 ? self->children[0].n_children + past_count(self) : 0);
}

static size_t offers(const AnbNode *self)
{
    return self->n_children;
}

static const AnbBoaForm boa_form = {offers};

static size_t stage_features(const AnbNode *self)
{
    return child_features(self, 1);
}

static size_t unit_room(const AnbNode *self)
{
    return 2 * stage_features(self);
}

/* n, the discounted number of samples; then A and B of each stage. */
static size_t trust_count(const AnbNode *self)
{
    return 1 + 2 * (self->n_children - 1);
}

enum { HEAD, BOA, UNIT, LAST, TRUST };
static const AnbField fields[] = {
    [HEAD] = {ANB_STRUCT(Refine, members)},
    [BOA] = {.name = "boa", .part = &anb_boa_part, .form = &boa_form},
    /* room for a change of the features' units: see reframe */
    [UNIT] = {.name = "unit", .kind = ANB_F64, .count = unit_room, .must = ANB_DERIVED},
    [LAST] = {.name = "last", .kind = ANB_F64, .count = past_count, .must = ANB_FINITE},
    [TRUST] = {.name = "trust", .kind = ANB_F64, .count = trust_count, .must = ANB_FINITE, .since = 3},
    {0}};

/* The candidates of the BOA and their weights; x, raw and shares of the stages' row; the mixture's scheduler
 * (src/numeric/scheduler.h); the outputs of the stages. */
enum { OFFER, WEIGHT, X, RAW, SCHEDULER, SHARE, OUTPUT };
static const AnbField scratch_fields[] = {[OFFER] = {.name = "offer", .kind = ANB_F64, .count = offers},
                                          [WEIGHT] = {.name = "weight", .kind = ANB_F64, .count = offers},
                                          [X] = {.name = "x", .kind = ANB_F64, .count = stage_features},
                                          [RAW] = {.name = "raw", .kind = ANB_F64, .count = stage_features},
                                          [SCHEDULER] = {.name = "scheduler", .part = &anb_scheduler_part},
                                          [SHARE] = {.name = "share", .kind = ANB_F64, .count = stage_features},
                                          [OUTPUT] = {.name = "said", .kind = ANB_F64, .count = offers},
                                          {0}};

static AnbRow made_row(const AnbNode *self, const AnbRow *row, double *scratch)
{
    const double *share =
        anb_extended_shares(row->importance, self->n_features, stage_features(self), anb_scratch(self, scratch, SHARE));
    return (AnbRow){anb_scratch(self, scratch, X), anb_scratch(self, scratch, RAW), share, row->counters, NULL};
}

static int init(const AnbNode *self, void *state)
{
    anb_boa_start(anb_field(self, state, BOA), self->n_children);
    return 0;
}

/* The row, the predictions `expert` of the mixture's experts relative to m, and with `last` the residual and target
 * before. */
static void extend(const AnbNode *self, const Refine *s, const AnbRow *row, double m, const double *expert, double *x,
                   double *raw)
{
    size_t d = self->n_features, k = self->children[0].n_children;
    double inverse = s->square > 0 ? 1 / sqrt(s->square / s->weight) : 0;
    const double *last = anb_field_const(self, s, LAST);
    memcpy(x, row->x, d * sizeof *x);
    memcpy(raw, row->raw, d * sizeof *x);
    for (size_t i = 0; i < k; i++)
        x[d + i] = raw[d + i] = anb_standing(expert[i], m, inverse, SIDE);
    if (past_count(self) == 0)
        return;
    x[d + k + RESIDUAL] = raw[d + k + RESIDUAL] = anb_standing(last[RESIDUAL], 0, inverse, SIDE);
    x[d + k + TARGET] = raw[d + k + TARGET] = anb_standing(last[TARGET], m, inverse, SIDE);
}

/* The features that the stages see in addition keep their unit. */
static void reframe(const AnbNode *self, void *state, const double *alpha, const double *beta)
{
    size_t width = stage_features(self);
    double *unit = anb_field(self, state, UNIT);
    anb_extended_units(alpha, beta, self->n_features, width, unit);
    anb_node_reframe(&self->children[0], anb_child_state(&self->children[0], state), alpha, beta);
    for (size_t i = 1; i < self->n_children; i++)
        anb_node_reframe(&self->children[i], anb_child_state(&self->children[i], state), unit, unit + width);
}

/* The predictions of the mixture's experts for the last row. */
static const double *experts_of(const AnbNode *self, const void *state, double *scratch)
{
    AnbMixture mixture = {0};
    const AnbNode *mixing = &self->children[0];
    mixing->type->mixture->view(mixing, anb_child_state_const(mixing, state), scratch + mixing->scratch_offset,
                                &mixture);
    return mixture.expert;
}

/* a: the factor of stage i's output. */
static double trust_of(const AnbNode *self, const Refine *s, size_t i)
{
    const double *trust = anb_field_const(self, s, TRUST), *own = trust + 2 * i - 1;
    double most = own[1] + (trust[0] > 0 ? DOUBT * s->square / trust[0] : 0);
    double share = most > 0 ? BELIEF * own[0] / most : 0;
    return share > 1 ? 1 : share > 0 ? share : 0;
}

/* The BOA's candidate for a stage with output f and factor `trust`. */
static double corrected(const Refine *s, double trust, double m, double f)
{
    f *= trust;
    return m + f - (m + f) == 0 ? anb_range_clip(&s->range, m + f) : m;
}

static double mixed(const AnbNode *self, const void *state, double *scratch)
{
    anb_boa_weights(anb_field_const(self, state, BOA), self->n_children, NULL, anb_scratch(self, scratch, WEIGHT));
    return anb_mix(anb_scratch(self, scratch, WEIGHT), scratch, self->n_children);
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const Refine *s = state;
    double m = anb_range_clip(&s->range, anb_child_predict(self, 0, state, row, scratch));
    extend(self, s, row, m, experts_of(self, state, scratch), anb_scratch(self, scratch, X),
           anb_scratch(self, scratch, RAW));
    AnbRow made = made_row(self, row, scratch);
    double *output = anb_scratch(self, scratch, OUTPUT);
    scratch[0] = m;
    for (size_t i = 1; i < self->n_children; i++)
        scratch[i] =
            corrected(s, trust_of(self, s, i), m, output[i] = anb_child_predict(self, i, state, &made, scratch));
    return mixed(self, state, scratch);
}

/* Predicts rows for which out holds the mixture's predictions, and `experts` the K predictions of its experts a row. */
static void predict_stages(const AnbNode *self, const void *state, const AnbRows *rows, const double *experts,
                           double *scratch, double *out)
{
    double x[ANB_ROWS_ROOM], raw[ANB_ROWS_ROOM], f[MOST][ANB_ROWS], trust[MOST];
    size_t width = stage_features(self), k = self->children[0].n_children, n = self->n_children;
    for (size_t r = 0; r < rows->n; r++) {
        AnbRow row = anb_rows_at(rows, r);
        extend(self, state, &row, out[r], experts + r * k, x + r * width, raw + r * width);
    }
    const double *share =
        anb_extended_shares(rows->importance, self->n_features, width, anb_scratch(self, scratch, SHARE));
    const AnbRows made = {x, raw, rows->n, width, width, share, rows->counters};
    for (size_t i = 1; i < n; i++) {
        anb_child_predict_many(self, i, state, &made, scratch, f[i]);
        trust[i] = trust_of(self, state, i);
    }
    for (size_t r = 0; r < rows->n; r++) {
        scratch[0] = out[r];
        for (size_t i = 1; i < n; i++)
            scratch[i] = corrected(state, trust[i], out[r], f[i][r]);
        out[r] = mixed(self, state, scratch);
    }
}

static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    const Refine *s = state;
    double experts[ANB_ROWS_ROOM];
    const AnbNode *mixing = &self->children[0];
    size_t most = anb_rows_fit(stage_features(self)), k = mixing->n_children;
    bool known = anb_since_0_3(mixing->type) && mixing->type->mixture->experts_many && most > 1;
    for (size_t at = 0; at < rows->n && known; at += most) {
        AnbRows part = anb_rows_part(rows, at, most);
        known = part.n * k <= ANB_ROWS_ROOM &&
                mixing->type->mixture->experts_many(mixing, anb_child_state_const(mixing, state), &part,
                                                    scratch + mixing->scratch_offset, out + at, experts);
        for (size_t i = 0; i < part.n && known; i++)
            out[at + i] = anb_range_clip(&s->range, out[at + i]);
        if (known)
            predict_stages(self, state, &part, experts, scratch, out + at);
    }
    if (!known)
        anb_predict_each(self, state, rows, scratch, out);
}

/* The arguments of a step of the stages. */
typedef struct Training {
    const AnbNode *self;
    void *state;
    const AnbRow *row;
    double e, weight, *scratch;
} Training;

static void train_stage(void *context, size_t i, AnbCounters *counters)
{
    const Training *training = context;
    AnbRow made = made_row(training->self, training->row, training->scratch);
    made.counters = counters;
    anb_child_update(training->self, i + 1, training->state, &made, training->e, training->weight, training->scratch);
}

/* The mixture learns y, the stages its residual: in any order, since they are independent. */
static void train_all(const Training *training, double y)
{
    const AnbNode *self = training->self;
    AnbScheduler *scheduler = anb_scheduler_of(self, training->scratch, SCHEDULER);
    size_t stages = training->e - training->e == 0 ? self->n_children - 1 : 0;
    if (scheduler)
        scheduler->put_aside(scheduler, &(AnbWork){train_stage, anb_view_of(training), stages});
    /* if the mixture restarts, this node counts as restarted */
    anb_child_update(self, 0, training->state, training->row, y, training->weight, training->scratch);
    if (scheduler)
        scheduler->finish(scheduler, training->row->counters);
    for (size_t i = 0; i < stages && !scheduler; i++)
        train_stage(anb_view_of(training), i, training->row->counters);
}

/* Updates the sums A and B of each stage. */
static void follow_stages(const AnbNode *self, void *state, double e, double weight, double *scratch)
{
    double *trust = anb_field(self, state, TRUST), *own = trust + 1;
    const double *output = anb_scratch(self, scratch, OUTPUT);
    trust[0] = FADE * trust[0] + 1;
    for (size_t i = 1; i < self->n_children; i++, own += 2) {
        own[0] = TRIAL * own[0] + weight * (output[i] * e);
        own[1] = TRIAL * own[1] + weight * (output[i] * output[i]);
        if (!(fabs(own[0]) + own[1] < 0x1p1000))
            own[0] = own[1] = 0;
    }
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    const AnbRefineOptions *options = self->options;
    Refine *s = state;
    size_t n = self->n_children;
    double before = anb_mix(anb_scratch(self, scratch, WEIGHT), scratch, n);
    double *boa = anb_field(self, state, BOA), discount = anb_boa_growing(boa, n, options->discount);
    double near = anb_boa_learn(boa, n, discount, &(AnbBoaSample){scratch, before, y, weight}), e = near - scratch[0];
    follow_stages(self, state, e, weight, scratch);
    train_all(&(Training){self, state, row, e, weight, scratch}, y);
    s->weight = FADE * s->weight + weight;
    s->square = FADE * s->square + weight * (e * e);
    if (!(s->weight + s->square < 0x1p1000))
        s->weight = s->square = 0;
    if (past_count(self) > 0) {
        double *last = anb_field(self, state, LAST);
        last[RESIDUAL] = anb_within_doubles(e);
        last[TARGET] = anb_within_doubles(near);
    }
    anb_range_follow(&s->range, y);
}

/* Read-outs are those of the mixture. The stages' importances are of other features. */
static void source(const AnbNode *self, size_t child, size_t i, AnbFeatureSource *out)
{
    (void)child;
    size_t d = self->n_features, k = self->children[0].n_children;
    *out = i < d       ? (AnbFeatureSource){.column = {i}, .n = 1}
           : i < d + k ? (AnbFeatureSource){.part = self->children[0].children[i - d].label}
                       : (AnbFeatureSource){.part = i == d + k + RESIDUAL ? "residual" : "target"};
}

static const AnbFeatureTable features = {source};
static const AnbWrapperTable wrapper = {.child = anb_asks_but_ranks};

/* Before version 3 a stage's factor was 1. The sums start so that it is 1 now, and new samples change it gradually. */
static int upgrade(const AnbNode *self, unsigned from, const unsigned char *bytes, size_t size, void *state)
{
    const Refine *s = state;
    double *trust = anb_field(self, state, TRUST);
    memset(trust, 0, trust_count(self) * sizeof *trust);
    int code = anb_fields_upgrade(self, from, bytes, size, state);
    trust[0] = 1 / (1 - FADE);
    for (size_t i = 1; i < trust_count(self); i++)
        trust[i] = s->square;
    return code;
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const Refine *s = state;
    (void)self;
    if (!anb_range_valid(&s->range))
        return anb_fail(error, ANB_E_STATE, "refine: the target range is not ordered");
    return 0;
}

const StreamingLearnerType anb_refine = {
    .name = "refine",
    .brief = "learns a mixture's residual from the row and its experts' predictions",
    .example = "refine(moe(linear, mean, rls, router=boa), linear(normalized=true))",
    .options_size = sizeof(AnbRefineOptions),
    .params = params,
    .flags = ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_CLIPPED | ANB_SINCE_0_3,
    .version = 3,
    .min_children = 2,
    .max_children = MOST,
    .check = check,
    .child_features = child_features,
    .fields = fields,
    .scratch = scratch_fields,
    .init = init,
    .predict = predict,
    .predict_many = predict_many,
    .update = update,
    .reframe = reframe,
    .wrapper = &wrapper,
    .features = &features,
    .upgrade = upgrade,
    .validate = validate,
};
