/*
 * The gate `softmax`: a softmax whose logits are the log-weights of a BOA and a linear function of the features.
 *
 *     p_i = w_i exp(G_i.(1, z)) / sum          w the BOA's weights, z the features standardised and clipped to +-4
 *     e = (y - sum p f) / s                    s the running root mean square of y - sum p f, discounted by .999
 *     G_i += rate sqrt(d + 1) / (1 + |z|^2) * e p_i (f_i - sum p f) / s (1, z)
 *
 * the gradient of the mixture's squared loss, with e clipped to +-4 and (f_i - sum p f) / s to +-5. What G can do is
 * tell experts apart by where the row lies; what the BOA does is to weigh them by their losses.
 *
 * State: [ sums of weights and squares, the weights' unit | BOA | G: K rows of d + 1 | moments of x unless a scale stands above ].
 * Cost: 2 K d multiply-adds to learn, K d to predict. Jordan & Jacobs 1994 (the gate); Wintenberger 2017 (BOA).
 */
#include "dense.h"
#include "src/simd/kernels.h"
#include "src/numeric/elementary.h"
#include "src/numeric/moments.h"
#include "src/numeric/weight_unit.h"
#include <anabranch/moe.h>

/* Sums of weights and of squared errors, the weights' unit. */
typedef struct Head {
    double weight, square;
    AnbWeightUnit unit;
} Head;

enum { HEAD = sizeof(Head) / sizeof(double) };
static const double FAR = 4, ERROR = 4, SIDE = 5, FADE = 0.999;

static const AnbParam params[] = {
    {"rate", ANB_REAL, offsetof(AnbRouterSoftmaxOptions, rate), 0.03, 0, 1, 0, NULL, "step of the linear term"},
    {"discount", ANB_REAL, offsetof(AnbRouterSoftmaxOptions, discount), 1, 0, 1, ANB_OPEN_MIN, NULL,
     "what the BOA's past regrets are multiplied by at each sample"},
    {0}};

/* Offsets in the state; the scratch holds (1, z) and K scores. */
typedef struct Form {
    size_t k, d, linear, moments, size;
    bool own;
} Form;

static Form form_of(const AnbNode *self)
{
    Form form = {.k = self->gate.k, .d = self->n_features, .own = !self->gate.standardized};
    form.linear = HEAD + anb_boa_size(form.k);
    form.moments = form.linear + form.k * (form.d + 1);
    form.size = form.moments + (form.own ? 4 * form.d : 0);
    return form;
}

static AnbNeed need(const AnbNode *self)
{
    Form form = form_of(self);
    return (AnbNeed){form.size * sizeof(double), 1 + form.d + form.k};
}

static int init(const AnbNode *self, void *state)
{
    Form form = form_of(self);
    memset(state, 0, form.size * sizeof(double));
    anb_boa_start((double *)state + HEAD, form.k);
    return 0;
}

/* p_i proportional to what it holds times e^score; as it is where that overflows or vanishes. */
static void tilt(double *p, const double *score, size_t k)
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
    Form form = form_of(self);
    const double *s = state, *mean = s + form.moments + form.d;
    double *z = scratch + 1, *score = z + form.d;
    scratch[0] = 1;
    if (form.own)
        anb_standardize(row->x, mean, mean + 2 * form.d, FAR, form.d, z);
    else
        memcpy(z, row->x, form.d * sizeof *z);
    anb_gemv(s + form.linear, form.d + 1, form.k, scratch, form.d + 1, score);
    anb_dense_gate(s + HEAD, gate);
    tilt(gate->p, score, form.k);
    memcpy(gate->weight, gate->p, form.k * sizeof *gate->p);
}

static double mix(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate, double *scratch)
{
    (void)self, (void)state, (void)row, (void)scratch;
    return anb_mix(gate->p, gate->f, gate->k);
}

static double clip(double v, double bound)
{
    return v > bound ? bound : v < -bound ? -bound : v;
}

/* Moves the linear term down the gradient; leaves the new scores in the scratch. */
static void follow(const Form *form, double *s, const AnbRouterSoftmaxOptions *options, const AnbGate *gate, double y,
                   double weight, double *scratch)
{
    double *score = scratch + 1 + form->d, mixed = anb_mix(gate->p, gate->f, gate->k), error = y - mixed, norm = 0;
    Head *h = (Head *)s;
    double scale = h->weight > 0 ? sqrt(h->square / h->weight) : 0, relative = anb_weight_relative(&h->unit, weight);
    for (size_t j = 0; j <= form->d; j++)
        norm += scratch[j] * scratch[j];
    double step = options->rate * sqrt((double)form->d + 1) / norm * (relative < 10 ? relative : 10);
    for (size_t i = 0; i < form->k; i++)
        score[i] = scale > 0 && gate->p[i] > 0
                       ? -step * clip(error / scale, ERROR) * gate->p[i] * clip((gate->f[i] - mixed) / scale, SIDE)
                       : 0;
    double bad = anb_rank1_gemv(s + form->linear, form->d + 1, form->k, score, scratch, form->d + 1, score);
    if (!(bad == 0))
        memset(s + form->linear, 0, form->k * (form->d + 1) * sizeof *s);
    h->weight = FADE * h->weight + weight;
    h->square = FADE * h->square + weight * (error * error);
    if (!(h->weight + h->square < 0x1p1000))
        h->weight = h->square = 0;
}

static void learn(const AnbNode *self, void *state, const AnbRow *row, AnbGate *gate, double y, double weight,
                  double *scratch)
{
    const AnbRouterSoftmaxOptions *options = self->options;
    Form form = form_of(self);
    double *s = state, *count = s + form.moments, *score = scratch + 1 + form.d;
    anb_boa_weights(s + HEAD, form.k, gate->asleep, gate->after);
    double base = anb_mix(gate->after, gate->f, form.k);
    y = anb_boa_learn(s + HEAD, form.k, options->discount, gate->asleep, gate->f, base, y, weight);
    follow(&form, s, options, gate, y, weight, scratch);
    anb_boa_weights(s + HEAD, form.k, gate->asleep, gate->after);
    tilt(gate->after, score, form.k);
    if (!form.own)
        return;
    size_t d = form.d;
    if (!(anb_moments_update(count, count + d, count + 2 * d, count + 3 * d, row->x, weight, d) == 0))
        memset(count, 0, 4 * d * sizeof *count);
}

static void forget(const AnbNode *self, void *state, size_t i)
{
    Form form = form_of(self);
    double *s = state;
    anb_boa_forget(s + HEAD, form.k, i);
    memset(s + form.linear + i * (form.d + 1), 0, (form.d + 1) * sizeof *s);
}

static void weights(const AnbNode *self, const void *state, AnbGateWeights *out)
{
    Form form = form_of(self);
    const double *s = state;
    *out = (AnbGateWeights){.k = form.k,
                            .d = form.d,
                            .stride = form.d + 1,
                            .weight = s + form.linear + 1,
                            .bias = anb_boa_log_weights(s + HEAD, form.k)};
}

static const AnbGateTable readable = {weights};

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    double *s = state;
    Form form = form_of(self);
    anb_visit(visitor, s, ANB_F64, offsetof(Head, unit) / sizeof *s);
    anb_weight_unit_visit(&((Head *)state)->unit, visitor);
    anb_visit(visitor, s + HEAD, ANB_F64, form.size - HEAD);
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    Form form = form_of(self);
    if (!anb_boa_valid((const double *)state + HEAD, form.k))
        return anb_fail(error, ANB_E_STATE, "the gate's weights are none");
    if (form.own && !anb_weights_valid((const double *)state + form.moments, form.d))
        return anb_fail(error, ANB_E_STATE, "the gate's moments are none");
    return anb_dense_validate(state, form.size, error);
}

const AnbRouterType anb_router_softmax = {
    .type = {.name = "softmax",
             .brief = "a softmax gate: log-weights of a BOA and a linear function of the features",
             .example = "softmax(rate=0.03)",
             .options_size = sizeof(AnbRouterSoftmaxOptions),
             .params = params,
             .flags = ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_READS_OLDER,
             .version = 2,
             .need = need,
             .init = init,
             .ranges = ranges,
             .validate = validate},
    .dense = true,
    .gate = gate,
    .mix = mix,
    .learn = learn,
    .forget = forget,
    .readable = &readable};
