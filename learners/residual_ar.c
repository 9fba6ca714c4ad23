/*
 * residual_ar(child): corrects the child's prediction by its last errors.
 *
 *     e = y - f(x)      s = running rms of e, discounted by .999
 *     q = (0.1, last e / s, EWMA(.2) of e / s, EWMA(.03) of e / s), the last three clipped to +-5
 *     v: recursive least squares(.999) from q to e / s, clipped to +-6
 *     output = BOA(.999) over { f, f + s v.q }, each within the seen target range widened by 10 %. An f outside that
 *              range, of a child with an outlook (outlook.h), is used uncorrected
 *
 * With `last` the last target y' is an input too: q has a fifth feature (y' - f) / s, the BOA a third candidate y', and
 * the output is f until the mix of the BOA has been shown to be better (gain_test.h):
 *
 *     u = ((y - f)^2 - (y - mix)^2) / s^2      D = sum of u, discounted by .999      V = sum of u^2, by .998
 *     the mix is used from D > 1.5 sqrt(V) on, until D < 0
 *
 * Past targets are inputs: use it where they are known by the time of the next row. It gains much on autocorrelated
 * targets; on others the BOA and the test keep its cost in accuracy small. For the first 10 samples the output is the
 * child's.
 *
 * State: range, scale, three residuals, a BOA, an RLS of 4 or 5.
 * Cost: about 1,600 instructions, 1,800 with `last`, most of them those of the BOA and the RLS.
 */
#include "src/numeric/boa.h"
#include "src/numeric/gain_test.h"
#include "src/numeric/moments.h"
#include "src/numeric/outlook.h"
#include "src/numeric/rls.h"
#include "src/numeric/weight_unit.h"
#include <anabranch/learners.h>
#include <anabranch/reach.h>

enum { LAGS = 5, FIRST = 10, OFFERS = 3 }; /* at most */
static const double FADE = 0.999, FAST = 0.2, SLOW = 0.03, NEAR = 5, FAR = 6;
static const double CLEAR = 1.5; /* standard deviations of the gain that the test requires */

static const AnbParam params[] = {
    {"last", ANB_BOOL, offsetof(AnbResidualArOptions, last), 0, 0, 1, 0, NULL,
     "the last target is an input too, and corrections start only once they have reduced errors"},
    {0}};

static bool takes_last(const AnbNode *self)
{
    return ((const AnbResidualArOptions *)self->options)->last;
}

typedef struct ResidualAr {
    AnbRange range;
    double weight, square;   /* discounted sums: of weights, of e^2 */
    double last, fast, slow; /* residuals */
} ResidualAr;

static const AnbField members[] = {{ANB_INNER(ResidualAr, range, AnbRange, anb_range_fields)},
                                   {ANB_MEMBER(ResidualAr, weight), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_MEMBER(ResidualAr, square), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_MEMBER(ResidualAr, last), .must = ANB_FINITE},
                                   {ANB_MEMBER(ResidualAr, fast), .must = ANB_FINITE},
                                   {ANB_MEMBER(ResidualAr, slow), .must = ANB_FINITE},
                                   {0}};

static size_t offers(const AnbNode *self)
{
    return takes_last(self) ? OFFERS : OFFERS - 1;
}

static const AnbBoaForm boa_form = {offers};

static AnbRls rls_of(const AnbNode *self)
{
    return (AnbRls){.n = takes_last(self) ? LAGS : LAGS - 1, .intercept = false, .delta = 1, .walk = 0};
}

static const AnbRlsForm form = {rls_of};

/* The last target, and the test of whether the mix is better than the child. */
typedef struct Trial {
    double last; /* y' */
    AnbGainTest test;
} Trial;

static size_t trial_count(const AnbNode *self)
{
    return takes_last(self) ? sizeof(Trial) / sizeof(double) : 0;
}

/* BOA: of the child, the corrected child and the last target. */
enum { HEAD, BOA, UNIT, RLS, TRIAL };
static const AnbField fields[] = {
    [HEAD] = {ANB_STRUCT(ResidualAr, members)},
    [BOA] = {.name = "boa", .part = &anb_boa_part, .form = &boa_form},
    [UNIT] = {ANB_STRUCT(AnbWeightUnit, anb_weight_unit_fields), .since = 3},
    [RLS] = {.name = "rls", .part = &anb_rls_part, .form = &form},
    [TRIAL] = {.name = "trial", .kind = ANB_F64, .count = trial_count, .must = ANB_FINITE},
    {0}};

static size_t work_size(const AnbNode *self)
{
    return anb_rls_scratch(rls_of(self).n);
}

/* What predict leaves for update: the candidates of the BOA, their weights and their mix; the output and the features
 * of the RLS. */
typedef struct Sample {
    double f[OFFERS], w[OFFERS], mix, correction_fit, q[LAGS];
} Sample;

enum { SAMPLE, WORK };
static const AnbField scratch_fields[] = {
    [SAMPLE] = {ANB_SCRATCH_STRUCT(Sample)},
    [WORK] = {.name = "work", .kind = ANB_F64, .count = work_size, .must = ANB_ALIGNED},
    {0}};

static int init(const AnbNode *self, void *state)
{
    AnbRls rls = rls_of(self);
    anb_boa_start(anb_field(self, state, BOA), offers(self));
    anb_rls_init(&rls, anb_field(self, state, RLS));
    return 0;
}

static double scale_of(const ResidualAr *s)
{
    return s->weight > 0 ? sqrt(s->square / s->weight) : 0;
}

/* The correction: the RLS's prediction of the next residual from the last ones and the last target. */
static double correction(const AnbNode *self, const void *state, double f, double scale, Sample *sample, double *work)
{
    const ResidualAr *s = state;
    const Trial *trial = anb_field_const(self, state, TRIAL);
    AnbRls rls = rls_of(self);
    double q[LAGS] = {0.1, anb_clip(s->last / scale, NEAR), anb_clip(s->fast / scale, NEAR),
                      anb_clip(s->slow / scale, NEAR),
                      takes_last(self) ? anb_clip((trial->last - f) / scale, NEAR) : 0};
    memcpy(sample->q, q, sizeof q);
    sample->correction_fit = anb_rls_predict(&rls, anb_field_const(self, state, RLS), sample->q, work);
    return scale * sample->correction_fit;
}

/* The output where the child predicts f. */
static double answer(const AnbNode *self, const void *state, double f, double scale, double *scratch)
{
    const ResidualAr *s = state;
    const Trial *trial = anb_field_const(self, state, TRIAL);
    Sample *sample = anb_scratch(self, scratch, SAMPLE);
    sample->f[0] = sample->f[1] = f;
    sample->f[2] = takes_last(self) && s->range.seen > 0 ? trial->last : f;
    if (scale > 0) {
        double corrected = f + correction(self, state, f, scale, sample, anb_scratch(self, scratch, WORK));
        if (s->range.seen >= FIRST && corrected - corrected == 0)
            sample->f[1] = anb_range_spares(&s->range, f, f) ? anb_range_clip(&s->range, corrected) : f;
    }
    anb_boa_weights(anb_field_const(self, state, BOA), offers(self), NULL, sample->w);
    sample->mix = anb_mix(sample->w, sample->f, offers(self));
    return takes_last(self) && !(trial->test.open > 0) ? f : sample->mix;
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const ResidualAr *s = state;
    double f = anb_child_limited(self, 0, &s->range, anb_child_predict(self, 0, state, row, scratch));
    return answer(self, state, f, scale_of(s), scratch);
}

static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    const ResidualAr *s = state;
    const Trial *trial = anb_field_const(self, state, TRIAL);
    bool child = takes_last(self) && !(trial->test.open > 0);
    double scale = scale_of(s);
    anb_child_predict_many(self, 0, state, rows, scratch, out);
    for (size_t i = 0; i < rows->n; i++) {
        double f = anb_child_limited(self, 0, &s->range, out[i]);
        out[i] = child ? f : answer(self, state, f, scale, scratch);
    }
}

/* Updates the test: the child's error is e, the mix's e - moved. */
static void judge(Trial *trial, double e, double moved, double y)
{
    anb_gain_test_learn(&trial->test, e * e - (e - moved) * (e - moved), CLEAR);
    trial->last = y;
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    ResidualAr *s = state;
    const Sample *sample = anb_scratch(self, scratch, SAMPLE);
    AnbRls rls = rls_of(self);
    double scale = scale_of(s);
    bool fine = true;
    weight = anb_weight_relative(anb_field(self, state, UNIT), weight);
    const AnbBoaSample boa_sample = {sample->f, sample->mix, y, weight};
    double bounded = anb_boa_learn(anb_field(self, state, BOA), offers(self), FADE, &boa_sample);
    y = anb_range_target(&s->range, bounded, y);
    double e = y - sample->f[0];
    if (takes_last(self))
        judge(anb_field(self, state, TRIAL), scale > 0 ? e / scale : 0,
              scale > 0 ? (sample->mix - sample->f[0]) / scale : 0, y);
    if (scale > 0)
        fine = anb_rls_update(&rls, anb_field(self, state, RLS), anb_clip(e / scale, FAR) - sample->correction_fit,
                              FADE, weight, anb_scratch(self, scratch, WORK));
    s->weight = FADE * s->weight + weight;
    s->square = FADE * s->square + weight * (e * e);
    s->last = e;
    s->fast = anb_ewma(s->fast, e, FAST);
    s->slow = anb_ewma(s->slow, e, SLOW);
    anb_range_follow(&s->range, y);
    fine = fine && s->square < 0x1p1000 && s->weight < 0x1p1000 && fabs(s->fast) + fabs(s->slow) < 0x1p1000;
    if (!fine) {
        AnbRange range = s->range;
        anb_node_reset_own(self, s);
        anb_restart_part(row); /* only this node, not the child */
        s->range = range;
    }
    anb_child_update(self, 0, state, row, y, weight, scratch);
}

static void refresh(const AnbNode *self, void *state, double factor)
{
    AnbRls rls = rls_of(self);
    anb_rls_refresh(&rls, anb_field(self, state, RLS), factor);
}

static const AnbWrapperTable wrapper = {.child = anb_asks_but_ranks};

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const ResidualAr *s = state;
    (void)self;
    if (!anb_range_valid(&s->range))
        return anb_fail(error, ANB_E_STATE, "residual_ar: the target range is not ordered");
    return 0;
}

const StreamingLearnerType anb_residual_ar = {
    .name = "residual_ar",
    .brief = "corrects a learner by its residuals at the samples before",
    .example = "residual_ar(scale(linear))",
    .options_size = sizeof(AnbResidualArOptions),
    .params = params,
    .flags = ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_TAKES_MISSING | ANB_WEIGHT_SCALED | ANB_READS_OLDER | ANB_CLIPPED |
             ANB_SINCE_0_3,
    .version = 3,
    .min_children = 1,
    .max_children = 1,
    .fields = fields,
    .scratch = scratch_fields,
    .init = init,
    .predict = predict,
    .predict_many = predict_many,
    .update = update,
    .wrapper = &wrapper,
    .refresh = refresh,
    .validate = validate,
};
