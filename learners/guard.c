/*
 * Keeps a learner near the running mean of the targets where the features carry no signal, and weighs it against simple
 * learners.
 *
 * The child. Its prediction f is one of three candidates of a BOA:
 *
 *     d = f - mean     A += d (y - mean)     B += d^2     a = A / B clipped to 0 .. 1
 *     output = BOA over { mean, mean + a d, f }, its memory growing with the stream (boa.h)
 *
 * mean is that of the targets before the row. a shrinks predictions that vary more than their correlation with the
 * targets justifies. Where the three differ, the best one has nearly all weight after some hundred samples, and the
 * output's loss exceeds that of the best one by at most the BOA's regret.
 *
 * Rivals. Further children are simple learners that may be better in the first rows, or throughout. o_0 is the output
 * above, o_1 .. o_k are the rivals' predictions, clipped to the range of the targets unless their type does that
 * itself. The prediction is sum w_i o_i. At each row but the first, with t the number of such rows before it and g =
 * min(0.998, t / (t + 1)):
 *
 *     S_i <- g S_i + weight (y - o_i)^2     W <- g W + weight     V <- g V + weight^2     m = W^2 / V
 *     w_i proportional to p_i (S_i + c)^(-m/2)     c = 10^-12 of the sum of S
 *
 * The prior p is 0.6 for o_0; the rivals share the rest evenly. w is the posterior of "the errors of i are normal,
 * their variance is unknown", with a memory that grows to 500 rows. m is the number of rows in memory if their weights
 * are equal, and less if a few rows have most of the weight.
 *
 * Units. S is stored in units of u^2, u being a power of two near the largest sqrt(weight) |y - o_i| so far. So the
 * units of targets and of weights do not change the prediction. The state has m in place of V: with s = weight / W
 * after the row,
 *
 *     1 / m <- (1 - s)^2 / (g m) + s^2
 *
 * State: range, mean, A, B, a BOA of 3; with rivals u, t, W, m and S. Cost: about 60 ns; with rivals 120 ns and the
 * rivals' own.
 */
#include "src/numeric/boa.h"
#include "src/numeric/elementary.h"
#include "src/simd/kernels.h"
#include "src/numeric/moments.h"
#include "src/numeric/outlook.h"
#include <anabranch/learners.h>
#include <anabranch/reach.h>

enum { OFFERS = 3, MOST = 4 /* children */ };
static const double own_prior = 0.6, longest = 0.998, least_share = 1e-12;

typedef struct Guard {
    AnbRange range;
    double weight, mean, along, square; /* sum of weights, running mean, A, B */
} Guard;

static const AnbField members[] = {{ANB_INNER(Guard, range, AnbRange, anb_range_fields)},
                                   {ANB_MEMBER(Guard, weight), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_MEMBER(Guard, mean), .must = ANB_FINITE},
                                   {ANB_MEMBER(Guard, along), .must = ANB_FINITE},
                                   {ANB_MEMBER(Guard, square), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {0}};

static size_t offers(const AnbNode *self)
{
    (void)self;
    return OFFERS;
}

static const AnbBoaForm boa_form = {offers};

/* With rivals: u, t, W and m, then S of the child and of each rival. */
enum { UNIT, ROWS, MASS, COUNT, SQUARE };

static size_t evidence_room(const AnbNode *self)
{
    return self->n_children > 1 ? SQUARE + self->n_children : 0;
}

static size_t sides(const AnbNode *self)
{
    return self->n_children > 1 ? self->n_children : 0;
}

enum { HEAD, BOA, EVIDENCE };
static const AnbField fields[] = {
    [HEAD] = {ANB_STRUCT(Guard, members)},
    [BOA] = {.name = "boa", .part = &anb_boa_part, .form = &boa_form},
    [EVIDENCE] = {.name = "rivals", .kind = ANB_F64, .count = evidence_room, .must = ANB_FINITE | ANB_NOT_NEGATIVE},
    {0}};

/* The BOA's candidates and weights; the predictions of the guarded child and of the rivals, and their weights. */
enum { OFFER, WEIGHT, PREDICTION, TAKEN };
static const AnbField scratch_fields[] = {[OFFER] = {.name = "offer", .kind = ANB_F64, .fixed = OFFERS},
                                          [WEIGHT] = {.name = "weight", .kind = ANB_F64, .fixed = OFFERS},
                                          [PREDICTION] = {.name = "said", .kind = ANB_F64, .count = sides},
                                          [TAKEN] = {.name = "taken", .kind = ANB_F64, .count = sides},
                                          {0}};

/* The three candidates. */
enum { MEAN, SHRUNK, CHILD };

static int init(const AnbNode *self, void *state)
{
    (void)self;
    anb_boa_start(anb_field(self, state, BOA), OFFERS);
    return 0;
}

/* a: the factor of the child's distance from the mean. */
static double shrink_of(const Guard *s)
{
    double share = s->square > 0 ? s->along / s->square : 1;
    return share > 1 ? 1 : share > 0 ? share : 0;
}

/* The mix of the three candidates, whose weights are in the scratch. */
static double offered(const AnbNode *self, const Guard *s, double share, double prediction, double *scratch)
{
    double f = anb_child_limited(self, 0, &s->range, prediction);
    scratch[MEAN] = s->range.seen ? s->mean : f;
    scratch[SHRUNK] = anb_within_doubles(scratch[MEAN] * (1 - share) + f * share);
    scratch[CHILD] = f;
    return anb_mix(anb_scratch(self, scratch, WEIGHT), scratch, OFFERS);
}

/* ---- rivals ------------------------------------------------------------------------------------------------------ */

/* The weights of the guarded child and of each rival. */
static void weigh(const AnbNode *self, const void *state, double *taken)
{
    const double *evidence = anb_field_const(self, state, EVIDENCE), *square = evidence + SQUARE;
    const size_t n = self->n_children;
    double all = 0, floor, sum = 0, least = square[0], power[MOST], top = -HUGE_VAL;
    for (size_t i = 0; i < n; i++) {
        all += square[i];
        least = square[i] < least ? square[i] : least;
    }
    floor = least_share * all;
    for (size_t i = 0; i < n; i++) {
        double prior = i == 0 ? own_prior : (1 - own_prior) / (double)(n - 1);
        double over = floor > 0 ? anb_log((square[i] + floor) / (least + floor)) : 0;
        power[i] = anb_log(prior) - .5 * evidence[COUNT] * over;
        top = power[i] > top ? power[i] : top;
    }
    for (size_t i = 0; i < n; i++)
        sum += taken[i] = anb_exp(power[i] - top);
    for (size_t i = 0; i < n; i++)
        taken[i] /= sum;
}

/* The prediction from that of the guarded child, `own`, and those of the rivals in the scratch. If all are equal it is,
 * to the bit, that value. */
static double answered(const AnbNode *self, const Guard *s, double own, double *scratch)
{
    const double *taken = anb_scratch(self, scratch, TAKEN);
    double *f = anb_scratch(self, scratch, PREDICTION), sum = own;
    f[0] = own;
    for (size_t i = 1; i < self->n_children; i++) {
        f[i] = f[i] == f[i] ? anb_child_limited(self, i, &s->range, f[i]) : own;
        sum += taken[i] * anb_within_doubles(f[i] - own);
    }
    return anb_within_doubles(sum);
}

/* Changes the unit of S if needed, so that an error of this size is less than two units. */
static void fit(const AnbNode *self, double *evidence, double size)
{
    const double power = anb_power_below(size), unit = power > 0 ? power : 0x1p-1022, ratio = evidence[UNIT] / unit;
    if (size == 0 || unit <= evidence[UNIT])
        return;
    evidence[UNIT] = unit;
    for (size_t i = 0; i < self->n_children; i++)
        evidence[SQUARE + i] *= ratio * ratio;
}

/* Counts a row of this weight; earlier rows are discounted by `keep`. */
static void count_row(double *evidence, double keep, double weight)
{
    const double mass = keep * evidence[MASS] + weight, share = mass > 0 ? weight / mass : 0;
    const double past = keep * evidence[COUNT], other = 1 - share;
    evidence[COUNT] = past > 0 ? 1 / (other * other / past + share * share) : 1;
    evidence[MASS] = mass;
    evidence[ROWS] += 1;
}

static void judge_sides(const AnbNode *self, void *state, double y, double weight, double *scratch)
{
    double *evidence = anb_field(self, state, EVIDENCE), *error = anb_scratch(self, scratch, PREDICTION), largest = 0;
    const double grown = evidence[ROWS] / (evidence[ROWS] + 1), keep = grown < longest ? grown : longest;
    for (size_t i = 0; i < self->n_children; i++) {
        error[i] = anb_within_doubles(sqrt(weight) * fabs(anb_within_doubles(y - error[i])));
        largest = error[i] > largest ? error[i] : largest;
    }
    fit(self, evidence, largest);
    for (size_t i = 0; i < self->n_children; i++) {
        const double part = evidence[UNIT] > 0 ? error[i] / evidence[UNIT] : 0;
        evidence[SQUARE + i] = keep * evidence[SQUARE + i] + part * part;
    }
    count_row(evidence, keep, weight);
}

/* A rival that restarts does not restart the guard: its outcome is discarded. */
static void teach_rivals(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    AnbRow shown = *row;
    shown.outcome = NULL;
    for (size_t i = 1; i < self->n_children; i++)
        anb_child_update(self, i, state, &shown, y, weight, scratch);
}

/* ---- a row ------------------------------------------------------------------------------------------------------- */

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    double f = anb_child_predict(self, 0, state, row, scratch), *rivals = anb_scratch(self, scratch, PREDICTION);
    anb_boa_weights(anb_field_const(self, state, BOA), OFFERS, NULL, anb_scratch(self, scratch, WEIGHT));
    f = offered(self, state, shrink_of(state), f, scratch);
    if (self->n_children == 1)
        return f;
    for (size_t i = 1; i < self->n_children; i++)
        rivals[i] = anb_child_predict(self, i, state, row, scratch);
    weigh(self, state, anb_scratch(self, scratch, TAKEN));
    return answered(self, state, f, scratch);
}

static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    double share = shrink_of(state), f[MOST][ANB_ROWS], *rivals = anb_scratch(self, scratch, PREDICTION);
    anb_child_predict_many(self, 0, state, rows, scratch, out);
    anb_boa_weights(anb_field_const(self, state, BOA), OFFERS, NULL, anb_scratch(self, scratch, WEIGHT));
    for (size_t k = 1; k < self->n_children; k++)
        anb_child_predict_many(self, k, state, rows, scratch, f[k]);
    if (self->n_children > 1)
        weigh(self, state, anb_scratch(self, scratch, TAKEN));
    for (size_t i = 0; i < rows->n; i++) {
        out[i] = offered(self, state, share, out[i], scratch);
        for (size_t k = 1; k < self->n_children; k++)
            rivals[k] = f[k][i];
        if (self->n_children > 1)
            out[i] = answered(self, state, out[i], scratch);
    }
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    Guard *s = state;
    double d = scratch[CHILD] - scratch[MEAN], mix = anb_mix(anb_scratch(self, scratch, WEIGHT), scratch, OFFERS);
    double *boa = anb_field(self, state, BOA), discount = anb_boa_growing(boa, OFFERS, 1);
    const AnbBoaSample sample = {scratch, mix, y, weight};
    y = anb_range_target(&s->range, anb_boa_learn(boa, OFFERS, discount, &sample), y);
    if (self->n_children > 1 && s->range.seen)
        judge_sides(self, state, y, weight, scratch);
    s->along += weight * (d * (y - scratch[MEAN]));
    s->square += weight * (d * d);
    if (!(fabs(s->along) + s->square < 0x1p1000))
        s->along = s->square = 0;
    s->weight += weight;
    s->mean = anb_toward(s->mean, y, weight / s->weight);
    anb_range_follow(&s->range, y);
    anb_child_update(self, 0, state, row, y, weight, scratch);
    teach_rivals(self, state, row, y, weight, scratch);
}

static const AnbWrapperTable wrapper = {.child = anb_asks_but_ranks};

/* The output is affine in the child's prediction as long as that is not clipped. Not supported with rivals. */
static bool split(const AnbNode *self, const void *state, const AnbPair *pair, double share, AnbShapleySum *out)
{
    const Guard *s = state;
    const double *weight = anb_scratch(self, pair->scratch, WEIGHT);
    double shrink = shrink_of(s), taken = weight[CHILD] + weight[SHRUNK] * shrink;
    taken = s->range.seen ? taken : 1;
    if (self->n_children > 1)
        return false;
    if (!anb_child_split(self, 0, state, pair, share * taken, out) || !anb_range_spares(&s->range, out->low, out->high))
        return false;
    double constant = s->range.seen ? s->mean * (1 - taken) : 0;
    out->low = constant + taken * out->low;
    out->high = constant + taken * out->high;
    return true;
}

static const AnbShapleyTable shapley = {split};

/* Whether the sums are possible: the memory is 500 rows, with errors of less than two units. */
static bool evidence_valid(const AnbNode *self, const double *evidence)
{
    const double most = 1.001 / (1 - longest);
    bool valid = evidence[COUNT] <= most;
    for (size_t i = 0; i < self->n_children; i++)
        valid &= evidence[SQUARE + i] <= 4 * most;
    return valid;
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const Guard *s = state;
    if (!anb_range_valid(&s->range))
        return anb_fail(error, ANB_E_STATE, "guard: the target range is not ordered");
    if (self->n_children > 1 && !evidence_valid(self, anb_field_const(self, state, EVIDENCE)))
        return anb_fail(error, ANB_E_STATE, "guard: more evidence than its memory holds");
    return 0;
}

const StreamingLearnerType anb_guard = {
    .name = "guard",
    .brief = "keeps a learner close to the running mean where there is no signal",
    .example = "guard(scale(linear))",
    .flags = ANB_COMPACT | ANB_SEEDLESS | ANB_TAKES_MISSING | ANB_WEIGHT_SCALED | ANB_READS_OLDER | ANB_CLIPPED |
             ANB_SINCE_0_3,
    .version = 2,
    .min_children = 1,
    .max_children = MOST,
    .fields = fields,
    .scratch = scratch_fields,
    .init = init,
    .predict = predict,
    .predict_many = predict_many,
    .update = update,
    .wrapper = &wrapper,
    .shapley = &shapley,
    .validate = validate,
};
