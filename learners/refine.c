/*
 * refine(mixture, learner, ...): a second stage. What a mixture leaves over is learned from the row and from where its
 * experts stand around what it said.
 *
 *     m = the mixture's prediction      s = running rms of y - m, discounted by .999
 *     q = (x, clip((f_i - m) / s, +-5) for each expert i; 0 for inactive ones)
 *     every learner b: from q to y - m
 *     output = BOA(discount) over { m, m + b_1(q), m + b_2(q), ... }, each within the seen target range widened by 10 %
 *
 * A gate weighs experts by how they did; a second stage sees where one is right and another is not. A network of a few
 * units finds that from hundreds of samples on, and the BOA leaves it out where there is nothing to find.
 *
 * State: range, scale, a BOA. Cost: the second stage's, at d + K features, and K operations.
 * Wolpert 1992, Stacked generalization; Wintenberger 2017 (BOA).
 */
#include "src/numeric/boa.h"
#include "src/numeric/moments.h"
#include <anabranch/moe.h>

enum { MOST = 8, BOA = 40 };
static const double FADE = 0.999, SIDE = 5;

typedef struct Refine {
    AnbRange range;
    double weight, square; /* discounted sums: of weights, of (y - m)^2 */
    double boa[BOA];
} Refine;

static const AnbParam params[] = {{"discount", ANB_REAL, offsetof(AnbRefineOptions, discount), 0.999, 0, 1,
                                   ANB_OPEN_MIN, NULL, "what the gate's past is multiplied by at each sample"},
                                  {0}};

static int check(const AnbNode *self, AnbError *error)
{
    if (self->children[0].type->mixture)
        return 0;
    return anb_fail(error, ANB_E_ARGUMENT, "refine: its first child is %s, and has to be a mixture",
                    self->children[0].type->name);
}

static size_t child_features(const AnbNode *self, size_t i)
{
    return self->n_features + (i > 0 ? self->children[0].n_children : 0);
}

/* The scratch: what is on offer, its weights, x and raw as the second stage sees them. */
static double *row_of(double *scratch)
{
    return scratch + (size_t)2 * MOST;
}

static AnbNeed need(const AnbNode *self)
{
    return (AnbNeed){sizeof(Refine), (size_t)2 * MOST + 2 * child_features(self, 1)};
}

static int init(const AnbNode *self, void *state)
{
    anb_boa_start(((Refine *)state)->boa, self->n_children);
    return 0;
}

static AnbRow made_row(const AnbNode *self, const AnbRow *row, double *scratch)
{
    double *x = row_of(scratch);
    return (AnbRow){x, x + child_features(self, 1), NULL, row->counters, NULL};
}

static double standing(double f, double m, double inverse)
{
    double q = (f - m) * inverse;
    return q != q ? 0 : q > SIDE ? SIDE : q < -SIDE ? -SIDE : q;
}

/* The row and where the mixture's experts stand. */
static void extend(const AnbNode *self, const void *state, const AnbRow *row, double m, double *scratch)
{
    const Refine *s = state;
    AnbMixture mixture = {0};
    size_t d = self->n_features, all = child_features(self, 1);
    double *x = row_of(scratch), *raw = x + all, inverse = s->square > 0 ? 1 / sqrt(s->square / s->weight) : 0;
    const AnbNode *mixing = &self->children[0];
    mixing->type->mixture->view(mixing, anb_child_state_const(mixing, state), scratch + mixing->scratch_offset,
                                &mixture);
    memcpy(x, row->x, d * sizeof *x);
    memcpy(raw, row->raw, d * sizeof *x);
    for (size_t i = 0; i < self->children[0].n_children; i++)
        x[d + i] = raw[d + i] = standing(mixture.expert[i], m, inverse);
}

static double mixed(const AnbNode *self, const Refine *s, double *scratch)
{
    anb_boa_weights(s->boa, self->n_children, NULL, scratch + MOST);
    return anb_mix(scratch + MOST, scratch, self->n_children);
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const Refine *s = state;
    double m = anb_range_clip(&s->range, anb_child_predict(self, 0, state, row, scratch));
    extend(self, state, row, m, scratch);
    AnbRow made = made_row(self, row, scratch);
    scratch[0] = m;
    for (size_t i = 1; i < self->n_children; i++) {
        double f = m + anb_child_predict(self, i, state, &made, scratch);
        scratch[i] = f - f == 0 ? anb_range_clip(&s->range, f) : m;
    }
    return mixed(self, s, scratch);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    const AnbRefineOptions *options = self->options;
    Refine *s = state;
    AnbRow made = made_row(self, row, scratch);
    size_t n = self->n_children;
    double e = y - scratch[0], before = anb_mix(scratch + MOST, scratch, n);
    anb_boa_learn(s->boa, n, options->discount, NULL, scratch, before, y, weight);
    anb_child_update(self, 0, state, row, y, weight, scratch); /* its new beginning is the whole's */
    for (size_t i = 1; i < n && e - e == 0; i++)
        anb_child_update(self, i, state, &made, e, weight, scratch);
    s->weight = FADE * s->weight + weight;
    s->square = FADE * s->square + weight * (e * e);
    if (!(s->weight + s->square < 0x1p1000))
        s->weight = s->square = 0;
    anb_range_add(&s->range, y);
}

/* Read-outs are the mixture's; which features matter, the second stage does not say of this row. */
static const AnbWrapperTable wrapper = {0};

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    Refine *s = state;
    anb_range_visit(&s->range, visitor);
    anb_visit(visitor, &s->weight, ANB_F64, 2);
    anb_boa_visit(s->boa, self->n_children, visitor);
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const Refine *s = state;
    bool fine = s->weight >= 0 && s->square >= 0 && s->weight < HUGE_VAL && s->square < HUGE_VAL;
    if (!fine || !anb_range_valid(&s->range) || !anb_boa_valid(s->boa, self->n_children))
        return anb_fail(error, ANB_E_STATE, "refine: a sum is not finite or the weights are none");
    return 0;
}

const StreamingLearnerType anb_refine = {
    .name = "refine",
    .brief = "learns what a mixture leaves over from the row and where its experts stand",
    .example = "refine(moe(linear, mean, rls, router=boa), linear(normalized=true))",
    .options_size = sizeof(AnbRefineOptions),
    .params = params,
    .flags = ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_CLIPPED,
    .version = 1,
    .min_children = 2,
    .max_children = MOST,
    .check = check,
    .child_features = child_features,
    .need = need,
    .init = init,
    .predict = predict,
    .update = update,
    .wrapper = &wrapper,
    .ranges = ranges,
    .validate = validate,
};
