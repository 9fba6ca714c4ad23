/*
 * A link function: the child learns z = g(y), and its prediction is transformed back to the range of y.
 *
 *     log     z = log y          y > 0           log1p   z = log(1 + y)     y >= 0
 *     sqrt    z = sqrt y         y >= 0          logit   z = log(y/(1-y))   0 < y < 1
 *     positive   z = y           y >= 0, the inverse cut at 0
 *
 * The inverse h of a mean of z is not the mean of y: the exponential of a mean is a geometric mean, below the
 * arithmetic one. Three estimates of the mean of y, each a value of h and so within the range, are mixed by a BOA on
 * their squared errors of y:
 *
 *     plain     h(f)
 *     scaled    c h(f), c = (faded mean of y) / (faded mean of h(f)), 1/4 to 4     (for logit the odds are multiplied)
 *     fitted    h(f + a + b (f - mean z) / sd z), a and b by recursive least squares on the error of y, linearised at
 *               the present a and b
 *
 * f is clipped to the seen range of z and the output to the seen range of y, both widened by 10 %. A target outside the
 * range of g is replaced: for log1p, sqrt and positive, whose range includes its bound, by the bound; for log and logit
 * by the point halfway between the bound and the nearest target seen inside (for log: half the smallest).
 *
 * State: ranges, moments, faded means, a BOA of 3, a recursive least squares of 2.
 * Cost: about 2,300 instructions besides the child.
 * McCullagh & Nelder 1989, Generalized Linear Models (links); Duan 1983, "Smearing estimate" (the bias of the inverse);
 * Wintenberger 2017 (BOA).
 */
#include "src/numeric/boa.h"
#include "src/numeric/elementary.h"
#include "src/numeric/moments.h"
#include "src/numeric/rls.h"
#include "src/numeric/weight_unit.h"
#include <anabranch/learners.h>
#include <anabranch/reach.h>

enum { PLAIN, SCALED, FITTED, OFFERS };

static const double memory = 0.999, most_ratio = 4; /* of the ratio: a lognormal error of deviation 1.7 needs 4 */

typedef struct Link {
    AnbRange z, y;
    AnbMoments moments;  /* of z */
    AnbFaded came, said; /* y and h(f) */
    AnbErrorScale error; /* of the fitted estimate */
    AnbWeightUnit unit;
} Link;

static const AnbField members[] = {{ANB_INNER(Link, z, AnbRange, anb_range_fields)},
                                   {ANB_INNER(Link, y, AnbRange, anb_range_fields)},
                                   {ANB_INNER(Link, moments, AnbMoments, anb_moments_fields)},
                                   {ANB_INNER(Link, came, AnbFaded, anb_faded_fields)},
                                   {ANB_INNER(Link, said, AnbFaded, anb_faded_fields)},
                                   {ANB_INNER(Link, error, AnbErrorScale, anb_error_scale_fields)},
                                   {ANB_INNER(Link, unit, AnbWeightUnit, anb_weight_unit_fields)},
                                   {0}};

static size_t offers(const AnbNode *self)
{
    (void)self;
    return OFFERS;
}

static const AnbBoaForm boa_form = {offers};

/* The RLS of a and b, which start at 0 with a prior deviation of .3 in units of z. */
static AnbRls rls_of(const AnbNode *self)
{
    (void)self;
    return (AnbRls){.n = 2, .intercept = false, .delta = .1};
}

static const AnbRlsForm rls_form = {rls_of};

static size_t work_size(const AnbNode *self)
{
    return anb_rls_scratch(rls_of(self).n);
}

enum { HEAD, BOA, FIT };
static const AnbField fields[] = {[HEAD] = {ANB_STRUCT(Link, members)},
                                  [BOA] = {.name = "boa", .part = &anb_boa_part, .form = &boa_form},
                                  [FIT] = {.name = "fit", .part = &anb_rls_part, .form = &rls_form},
                                  {0}};

/* The data that predict leaves for update. */
typedef struct Predicted {
    double f;     /* the child's, clipped */
    double slope; /* of h where the fitted estimate was taken */
} Predicted;

enum { PREDICTED, OFFER, WEIGHT, WORK };
static const AnbField scratch_fields[] = {
    [PREDICTED] = {ANB_SCRATCH_STRUCT(Predicted)},
    [OFFER] = {.name = "offer", .kind = ANB_F64, .fixed = OFFERS},
    [WEIGHT] = {.name = "weight", .kind = ANB_F64, .fixed = OFFERS},
    [WORK] = {.name = "work", .kind = ANB_F64, .count = work_size, .must = ANB_ALIGNED},
    {0}};

static const AnbParam params[] = {{"f", ANB_WORD, offsetof(AnbLinkOptions, f), ANB_LINK_LOG, 0, 0, 0,
                                   "log|log1p|sqrt|logit|positive", "the function of the target that the child learns"},
                                  {0}};

static AnbLinkFunction function_of(const AnbNode *self)
{
    return (AnbLinkFunction)((const AnbLinkOptions *)self->options)->f;
}

static int init(const AnbNode *self, void *state)
{
    AnbRls rls = rls_of(self);
    anb_boa_start(anb_field(self, state, BOA), OFFERS);
    anb_rls_init(&rls, anb_field(self, state, FIT));
    return 0;
}

/* ---- the functions ----------------------------------------------------------------------------------------------- */

static double forward(AnbLinkFunction f, double y)
{
    switch (f) {
    case ANB_LINK_LOG:
        return anb_log(y);
    case ANB_LINK_LOG1P:
        return anb_log1p(y);
    case ANB_LINK_SQRT:
        return sqrt(y);
    case ANB_LINK_POSITIVE:
        return y;
    default:
        return anb_log(y) - anb_log1p(-y);
    }
}

static double inverse(AnbLinkFunction f, double z)
{
    double from = z > 0 ? z : 0;
    switch (f) {
    case ANB_LINK_LOG:
        return anb_within_doubles(anb_exp(z));
    case ANB_LINK_LOG1P:
        return anb_within_doubles(anb_expm1(from));
    case ANB_LINK_SQRT:
        return anb_within_doubles(from * from);
    case ANB_LINK_POSITIVE:
        return from;
    default:
        return anb_sigmoid(z);
    }
}

/* The derivative of the inverse where its value is y. */
static double slope_at(AnbLinkFunction f, double y)
{
    switch (f) {
    case ANB_LINK_LOG:
        return y;
    case ANB_LINK_LOG1P:
        return y + 1;
    case ANB_LINK_SQRT:
        return 2 * sqrt(y);
    case ANB_LINK_POSITIVE:
        return 1;
    default:
        return y * (1 - y);
    }
}

/* Whether the function is finite there. */
static bool inside(AnbLinkFunction f, double y)
{
    return f == ANB_LINK_LOGIT ? y > 0 && y < 1 : f == ANB_LINK_LOG ? y > 0 : y >= 0;
}

/* The target, or what a target outside of the function's domain counts as. */
static double admitted(AnbLinkFunction f, const AnbRange *seen, double y)
{
    if (inside(f, y))
        return y;
    if (f != ANB_LINK_LOG && f != ANB_LINK_LOGIT)
        return 0;
    double low = seen->seen ? seen->low : f == ANB_LINK_LOG ? 2 : .5, high = seen->seen ? seen->high : .5;
    double moved = y > 0 ? high + (1 - high) / 2 : low / 2;
    return inside(f, moved) ? moved : low;
}

/* ---- predicting -------------------------------------------------------------------------------------------------- */

/* c h(f) */
static double scaled(AnbLinkFunction f, const Link *s, double plain)
{
    bool odds = f == ANB_LINK_LOGIT;
    double came = s->came.mean, said = s->said.mean;
    double ratio = odds ? came * (1 - said) / (said * (1 - came)) : came / said;
    if (!(ratio > 0 && ratio < (double)INFINITY))
        return plain;
    ratio = anb_clamp(ratio, 1 / most_ratio, most_ratio);
    return odds ? ratio * plain / (ratio * plain + (1 - plain)) : anb_within_doubles(ratio * plain);
}

/* How far f is from the mean of z, in deviations. */
static double away_of(const Link *s, double f)
{
    double sd = anb_moments_sd(&s->moments), u = sd > 0 ? (f - s->moments.mean) / sd : 0;
    return anb_clip(u, 5);
}

static double fitted(const AnbNode *self, const void *state, double f)
{
    const Link *s = state;
    const double *w = anb_rls_weights(anb_field_const(self, state, FIT), rls_of(self).n);
    double moved = f + w[0] + w[1] * away_of(s, f);
    return inverse(function_of(self), anb_range_clip(&s->z, moved - moved == 0 ? moved : f));
}

/* The mix, within the three whatever the sum's rounding: they are within the range. */
static double mixed(const double *weight, const double *offer)
{
    double low = fmin(offer[PLAIN], fmin(offer[SCALED], offer[FITTED]));
    double high = fmax(offer[PLAIN], fmax(offer[SCALED], offer[FITTED]));
    return fmax(low, fmin(high, anb_mix(weight, offer, OFFERS)));
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const Link *s = state;
    AnbLinkFunction link = function_of(self);
    Predicted *predicted = anb_scratch(self, scratch, PREDICTED);
    double *offer = anb_scratch(self, scratch, OFFER), *weight = anb_scratch(self, scratch, WEIGHT);
    predicted->f = anb_range_clip(&s->z, anb_child_predict(self, 0, state, row, scratch));
    offer[PLAIN] = inverse(link, predicted->f);
    offer[SCALED] = scaled(link, s, offer[PLAIN]);
    offer[FITTED] = fitted(self, state, predicted->f);
    predicted->slope = slope_at(link, offer[FITTED]);
    for (int i = 0; i < OFFERS; i++)
        offer[i] = anb_range_clip(&s->y, offer[i]);
    anb_boa_weights(anb_field_const(self, state, BOA), OFFERS, NULL, weight);
    return mixed(weight, offer);
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

/* One step of Gauss and Newton for a and b, in units of the error's scale. */
static void fit(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    Link *s = state;
    AnbRls rls = rls_of(self);
    const Predicted *predicted = anb_scratch(self, scratch, PREDICTED);
    double *own = anb_field(self, state, FIT), *work = anb_scratch(self, scratch, WORK);
    double said_y = ((double *)anb_scratch(self, scratch, OFFER))[FITTED], unit = s->error.level;
    double error = anb_error_bounded(&s->error, y - said_y) / unit, steep = predicted->slope / unit;
    const double in[] = {steep, steep * away_of(s, predicted->f)};
    if (!(unit > 0) || !(error - error + (in[0] - in[0]) + (in[1] - in[1]) == 0))
        return;
    anb_rls_predict(&rls, own, in, work);
    if (!anb_rls_update(&rls, own, error, memory, weight, work)) {
        anb_rls_init(&rls, own);
        anb_restart_part(row);
    }
}

/* Updates the range of targets, which one wrong target widens little. The ends that replace targets outside of the
 * function's domain do not move inwards: the lower one of a logarithm, both of a logit. */
static void follow_targets(AnbLinkFunction f, AnbRange *range, double y)
{
    double least = range->seen > 0 && range->low < y ? range->low : y;
    if (f == ANB_LINK_LOGIT)
        anb_range_add(range, y);
    else
        anb_range_follow(range, y);
    if (f == ANB_LINK_LOG)
        range->low = least;
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    Link *s = state;
    AnbLinkFunction link = function_of(self);
    double *offer = anb_scratch(self, scratch, OFFER);
    double relative = anb_weight_relative(&s->unit, weight), taken = admitted(link, &s->y, y);
    double z = forward(link, taken), mix = mixed(anb_scratch(self, scratch, WEIGHT), offer);
    const AnbBoaSample sample = {offer, mix, taken, relative};
    double bounded = anb_boa_learn(anb_field(self, state, BOA), OFFERS, 1, &sample);
    fit(self, state, row, bounded, relative, scratch);
    anb_faded_add(&s->came, bounded, relative, memory);
    anb_faded_add(&s->said, offer[PLAIN], relative, memory);
    if (!(s->came.mean - s->came.mean + (s->said.mean - s->said.mean) == 0))
        s->came = s->said = (AnbFaded){0};
    anb_moments_add(&s->moments, z, relative);
    if (!anb_moments_finite(&s->moments))
        s->moments = (AnbMoments){0};
    anb_range_follow(&s->z, z);
    follow_targets(link, &s->y, taken);
    anb_child_update(self, 0, state, row, z, weight, scratch);
}

/* ---- read-outs --------------------------------------------------------------------------------------------------- */

/* The child's spread in units of y: half of what h makes of it around the child's prediction. */
static double spread(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    AnbLinkFunction link = function_of(self);
    const Predicted *predicted = anb_scratch(self, scratch, PREDICTED);
    AnbAsked at = anb_child_asked(self, 0, state, row, scratch);
    if (!anb_reach(&at, ANB_CAN_SPREAD))
        return 0;
    double by = at.node->type->spread->spread(at.node, at.state, &at.row, at.scratch);
    double both = inverse(link, predicted->f + by) - inverse(link, predicted->f - by);
    return both > 0 ? anb_within_doubles(both) / 2 : 0;
}

/* h is monotone, so the quantiles of y are h of those of z. */
static size_t quantile_levels(const AnbNode *self, const double **level)
{
    const AnbNode *node = anb_node_that_can(&self->children[0], ANB_CAN_RANK);
    return node ? node->type->quantile->levels(node, level) : 0;
}

static void quantiles(const AnbNode *self, const void *state, double *scratch, double *value)
{
    const double *level;
    const Link *s = state;
    AnbAsked at = anb_child_asked(self, 0, state, NULL, scratch);
    if (!anb_reach(&at, ANB_CAN_RANK))
        return;
    at.node->type->quantile->values(at.node, at.state, at.scratch, value);
    for (size_t i = at.node->type->quantile->levels(at.node, &level); i-- > 0;)
        value[i] = anb_range_clip(&s->y, inverse(function_of(self), anb_range_clip(&s->z, value[i])));
}

/* No capability is passed on to the child, whose predictions are in another unit. */
static size_t asked(const AnbNode *self, AnbCapability what)
{
    return what == ANB_CAN_FORESEE ? self->n_children : 0;
}

static const AnbWrapperTable wrapper = {.child = asked};
static const AnbQuantileTable quantile_table = {quantile_levels, quantiles};
static const AnbSpreadTable spread_table = {spread};

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const Link *s = state;
    (void)self;
    bool fine = anb_range_valid(&s->z) && anb_range_valid(&s->y) && s->z.seen == s->y.seen;
    return fine ? 0 : anb_fail(error, ANB_E_STATE, "link: an invalid range of targets");
}

const StreamingLearnerType anb_link = {
    .name = "link",
    .brief = "a learner of the logarithm, root or logit of the target",
    .example = "link(scale(linear), f=log1p)",
    .options_size = sizeof(AnbLinkOptions),
    .params = params,
    .flags = ANB_COMPACT | ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_TAKES_MISSING | ANB_WEIGHT_SCALED | ANB_SINCE_0_3,
    .version = 2, /* starts at 2: parts (src/numeric) read layout 1 as that of release 0.1 */
    .min_children = 1,
    .max_children = 1,
    .fields = fields,
    .scratch = scratch_fields,
    .init = init,
    .predict = predict,
    .update = update,
    .wrapper = &wrapper,
    .spread = &spread_table,
    .quantile = &quantile_table,
    .validate = validate,
};
