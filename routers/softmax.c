/*
 * The router `softmax`: a softmax whose logits are the log-weights of a BOA plus a linear function of the features.
 *
 *     p_i = w_i exp(G_i.(1, z)) / sum          w: the BOA's weights, z: the features standardised and clipped to +-4
 *     e = (y - sum p f) / s                    s: the running root mean square of y - sum p f, discounted by .999
 *     G_i += rate sqrt(d + 1) / (1 + |z|^2) * e p_i (f_i - sum p f) / s (1, z)
 *
 * This is a step along the gradient of the mixture's squared loss, with e clipped to +-4 and (f_i - sum p f) / s to
 * +-5. The BOA weights the experts by their losses over the stream; G adds where in the feature space each one is
 * better.
 *
 * G is the same numbers after a change of the features' unit (reframe in type.h): converted, it was no better
 * (docs/experiments.md).
 *
 * State: [ sums of weights and squares, the weights' unit | BOA | G: K rows of d + 1 | moments of x unless a scale
 * stands above ]. Cost: 2 K d multiply-adds to learn, K d to predict.
 * Jordan & Jacobs 1994 (the gate); Wintenberger 2017 (BOA).
 */
#include "dense.h"
#include "gate_row.h"
#include "src/numeric/clip.h"
#include "src/simd/kernels.h"
#include "src/numeric/elementary.h"
#include "src/numeric/weight_unit.h"
#include <anabranch/moe.h>

/* Sums of weights and of squared errors, the weights' unit. */
typedef struct Head {
    double weight, square;
    AnbWeightUnit unit;
} Head;

static const double ERROR = 4, SIDE = 5, FADE = 0.999;

static const AnbParam params[] = {
    {"rate", ANB_REAL, offsetof(AnbRouterSoftmaxOptions, rate), 0.03, 0, 1, 0, NULL, "step of the linear term"},
    {"discount", ANB_REAL, offsetof(AnbRouterSoftmaxOptions, discount), 1, 0, 1, ANB_OPEN_MIN, NULL,
     "factor of the BOA's past regrets at each sample"},
    {0}};

static bool standardizes(const AnbNode *self)
{
    return !self->gate.standardized;
}

static size_t boa_size(const AnbNode *self)
{
    return anb_boa_size(self->gate.k);
}

static size_t weight_count(const AnbNode *self)
{
    return self->gate.k * (self->n_features + 1);
}

static size_t moment_count(const AnbNode *self)
{
    return standardizes(self) ? self->n_features : 0;
}

static size_t row_size(const AnbNode *self)
{
    return self->n_features + 1;
}

static const AnbField members[] = {{ANB_MEMBER(Head, weight), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_MEMBER(Head, square), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_INNER(Head, unit, AnbWeightUnit, anb_weight_unit_fields)},
                                   {0}};

/* boa: its padding included, as release 0.1 wrote it. g: K rows of d + 1, the first of each the constant's. */
enum { HEAD, BOA, G, MOMENTS };
static const AnbField fields[] = {
    [HEAD] = {ANB_STRUCT(Head, members)},
    [BOA] = {.name = "boa", .kind = ANB_F64, .count = boa_size, .must = ANB_FINITE | ANB_ALIGNED},
    [G] = {.name = "g", .kind = ANB_F64, .count = weight_count, .must = ANB_FINITE | ANB_ALIGNED},
    ANB_GATE_MOMENTS(moment_count),
    {0}};

/* row: (1, z). */
enum { ROW, SCORE };
static const AnbField scratch_fields[] = {[ROW] = {.name = "row", .kind = ANB_F64, .count = row_size},
                                          [SCORE] = {.name = "score", .kind = ANB_F64, .count = anb_per_expert},
                                          {0}};

typedef struct State {
    Head *head;
    double *boa, *g;
    AnbGateMoments moments; /* where it standardises the features */
    double *row, *score;    /* in the scratch */
    size_t k, d;
} State;

static State state_of(const AnbNode *self, const void *state, double *scratch)
{
    void *at = anb_view_of(state);
    return (State){.head = at,
                   .boa = anb_field(self, at, BOA),
                   .g = anb_field(self, at, G),
                   .moments = anb_gate_moments(self, at, MOMENTS),
                   .row = scratch ? anb_scratch(self, scratch, ROW) : NULL,
                   .score = scratch ? anb_scratch(self, scratch, SCORE) : NULL,
                   .k = self->gate.k,
                   .d = self->n_features};
}

static int init(const AnbNode *self, void *state)
{
    memset(state, 0, self->state_size);
    anb_boa_start(anb_field(self, state, BOA), self->gate.k);
    return 0;
}

/* p_i proportional to what it holds times e^score; as it is where that overflows or vanishes. */
static void reweight(double *p, const double *score, size_t k)
{
    double top = -HUGE_VAL, sum = 0;
    for (size_t i = 0; i < k; i++)
        top = p[i] > 0 && score[i] > top ? score[i] : top;
    for (size_t i = 0; i < k; i++)
        sum += p[i] > 0 ? p[i] * anb_exp(score[i] - top) : 0;
    if (!(sum > 0x1p-1000))
        return;
    for (size_t i = 0; i < k; i++)
        p[i] = p[i] > 0 ? p[i] * anb_exp(score[i] - top) / sum : 0;
}

static void gate(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate, double *scratch)
{
    const State s = state_of(self, state, scratch);
    s.row[0] = 1;
    if (standardizes(self))
        anb_gate_standardize(&s.moments, row->x, s.d, s.row + 1);
    else
        memcpy(s.row + 1, row->x, s.d * sizeof *s.row);
    anb_gemv(s.g, s.d + 1, s.k, s.row, s.d + 1, s.score);
    anb_dense_gate(s.boa, gate);
    reweight(gate->p, s.score, s.k);
    memcpy(gate->weight, gate->p, s.k * sizeof *gate->p);
}

/* Moves the linear term down the gradient; leaves the new scores in the scratch. */
static void descend(const State *s, const AnbRouterSoftmaxOptions *options, const AnbGate *gate, double y,
                    double weight)
{
    Head *h = s->head;
    double mixed = anb_mix(gate->p, gate->f, gate->k), error = y - mixed, norm = 0;
    double scale = h->weight > 0 ? sqrt(h->square / h->weight) : 0, relative = anb_weight_relative(&h->unit, weight);
    double pull = anb_pull_by(&gate->loss, error, scale);
    for (size_t j = 0; j <= s->d; j++)
        norm += s->row[j] * s->row[j];
    double step = options->rate * sqrt((double)s->d + 1) / norm * (relative < 10 ? relative : 10);
    for (size_t i = 0; i < s->k; i++)
        s->score[i] = scale > 0 && gate->p[i] > 0 ? -step * anb_clip(pull / scale, ERROR) * gate->p[i] *
                                                        anb_clip((gate->f[i] - mixed) / scale, SIDE)
                                                  : 0;
    double bad = anb_rank1_gemv(s->g, s->d + 1, s->k, s->score, s->row, s->d + 1, s->score);
    if (!(bad == 0))
        memset(s->g, 0, s->k * (s->d + 1) * sizeof *s->g);
    h->weight = FADE * h->weight + weight;
    h->square = FADE * h->square + weight * (error * error);
    if (!(h->weight + h->square < 0x1p1000))
        h->weight = h->square = 0;
}

static void learn(const AnbNode *self, void *state, const AnbRow *row, AnbGate *gate, double y, double weight,
                  double *scratch)
{
    const AnbRouterSoftmaxOptions *options = self->options;
    const State s = state_of(self, state, scratch);
    anb_boa_weights(s.boa, s.k, gate->asleep, gate->after);
    double base = anb_mix(gate->after, gate->f, s.k);
    y = anb_dense_learn(s.boa, options->discount, gate, base, y, weight);
    descend(&s, options, gate, y, weight);
    anb_boa_weights(s.boa, s.k, gate->asleep, gate->after);
    reweight(gate->after, s.score, s.k);
    if (standardizes(self))
        anb_gate_moments_learn(&s.moments, row->x, weight, s.d);
}

static void forget(const AnbNode *self, void *state, size_t i)
{
    const State s = state_of(self, state, NULL);
    anb_boa_forget(s.boa, s.k, i);
    memset(s.g + i * (s.d + 1), 0, (s.d + 1) * sizeof *s.g);
}

static void weights(const AnbNode *self, const void *state, AnbGateWeights *out)
{
    const State s = state_of(self, state, NULL);
    *out = (AnbGateWeights){
        .k = s.k, .d = s.d, .stride = s.d + 1, .weight = s.g + 1, .bias = anb_boa_log_weights(s.boa, s.k)};
}

static const AnbGateTable readable = {weights};

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    if (anb_boa_valid(anb_field_const(self, state, BOA), self->gate.k))
        return 0;
    return anb_fail(error, ANB_E_STATE, "router softmax: the weights of the experts do not sum to 1");
}

const AnbRouterType anb_router_softmax = {
    .type = {.name = "softmax",
             .brief = "a softmax gate: log-weights of a BOA and a linear function of the features",
             .example = "softmax(rate=0.03)",
             .options_size = sizeof(AnbRouterSoftmaxOptions),
             .params = params,
             .flags = ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_READS_OLDER,
             .version = 2,
             .fields = fields,
             .scratch = scratch_fields,
             .init = init,
             .validate = validate},
    .dense = true,
    .gate = gate,
    .mix = anb_dense_mix,
    .learn = learn,
    .forget = forget,
    .readable = &readable};
