/*
 * A network of one hidden layer, learned one sample at a time, with replay.
 *
 *     f(x) = mean + sd (o(x) + a (o'(x) - o(x)))
 *
 * o is the network with its newest weights, o' with their running average (share max(0.005, 10/t)), mean and sd are the
 * target's so far, and a in [0, 1] is the share of o' that was best lately: sum e d / sum d^2 with e the error of o and
 * d = o - o', discounted .995. The newest weights follow a stream that drifts; their average is far better on one that
 * does not, and a says which it is (Polyak & Juditsky 1992 on averaging).
 *
 * A step: the new sample, counted three times where there is replay, and `replay` others drawn from a ring of the last
 * `memory` ones; errors in units of sd, clipped to +-3; their gradients' sum over sqrt(1 + replay) moves the weights by
 * Adam (Kingma & Ba 2015) with decay .99, or as it is. The rate rises over the first 100 steps and falls as 1/sqrt(1 +
 * t/5000); beyond 16 features it is 16/d of that. momentum = 0 is Adam without its mean gradient: on streams a step
 * that comes ten samples late costs more than the noise it takes out. When mean and sd move, v and c are rescaled so
 * that f does not (Pop-Art, van Hasselt et al. 2016). Where the mean squared error of the last 100 samples is three
 * times that of the last 500, the concept has changed: the ring is emptied and the rate starts to fall anew.
 *
 * Cells beyond +-1e6 are taken as that; x should be standardised. A weight multiplies the step, ten at most.
 *
 * State: the header, two to four copies of the weights (src/numeric/network.h), the ring. Scratch: rows and traces of a
 * batch. Cost: (3 + 2 replay)(d + 2) hidden multiply-adds, and some 20 operations a weight.
 */
#include "src/simd/kernels.h"
#include "src/numeric/moments.h"
#include "src/numeric/network.h"
#include "src/numeric/ring.h"
#include <anabranch/learners.h>

typedef struct Mlp {
    AnbRandom random;
    AnbRing ring;
    AnbMoments target;
    double square_power, mean_power; /* decay^t, momentum^t */
    double cross, spread;            /* discounted sums of e d and d^2 */
    AnbFaded quick, slow;            /* squared errors of o, of lately and of long */
    uint64_t steps, since;           /* since: the step at which the rate started to fall */
} Mlp;

enum { WEIGHTS = (sizeof(Mlp) + 63) / 64 * 64 };
enum { NEWEST, AVERAGED, HEAD }; /* scratch: o, o', then rows and traces */

static const double discount = 0.995, decay = 0.99, clip_at = 3, bound = 1e6;

/* The option hands on its value as the network's. */
_Static_assert((int)ANB_MLP_RELU == (int)ANB_RELU && (int)ANB_MLP_GEGLU == (int)ANB_GEGLU, "the same order of words");

static const AnbParam params[] = {
    {"hidden", ANB_COUNT, offsetof(AnbMlpOptions, hidden), 16, 1, 4096, 0, NULL, "hidden units"},
    {"replay", ANB_COUNT, offsetof(AnbMlpOptions, replay), 0, 0, 64, 0, NULL, "earlier samples learned again a step"},
    {"memory", ANB_COUNT, offsetof(AnbMlpOptions, memory), 4000, 1, 1 << 20, 0, NULL, "samples that replay draws from"},
    {"activation", ANB_WORD, offsetof(AnbMlpOptions, activation), ANB_MLP_LEAKY, 0, 0, 0,
     "relu|leaky|gelu|swiglu|geglu", "activation of the hidden units"},
    {"optimizer", ANB_WORD, offsetof(AnbMlpOptions, optimizer), ANB_MLP_ADAM, 0, 0, 0, "adam|sgd",
     "how a step is made"},
    {"rate", ANB_REAL, offsetof(AnbMlpOptions, rate), 0.01, 0, 1, 0, NULL, "step size"},
    {"momentum", ANB_REAL, offsetof(AnbMlpOptions, momentum), 0, 0, 1, ANB_OPEN_MAX, NULL,
     "Adam's discount of the mean gradient; 0: none"},
    {"seed", ANB_SEED, offsetof(AnbMlpOptions, seed), 0, 0, 0, 0, NULL, "of the weights and of replay; 0: the model's"},
    {0},
};

/* Where everything of one node lies. */
typedef struct View {
    const AnbMlpOptions *o;
    AnbNetwork net;
    size_t d, size, memory; /* memory: slots of the ring */
    Mlp *s;
    AnbNetworkRows w;
    double *y;
    float *x;
} View;

static bool adam(const AnbMlpOptions *o)
{
    return o->optimizer == ANB_MLP_ADAM;
}

static size_t copies(const AnbMlpOptions *o)
{
    return 2 + (size_t)adam(o) + (size_t)(adam(o) && o->momentum > 0);
}

/* Sizes, from the plan alone. */
static View plan(const AnbNode *self)
{
    const AnbMlpOptions *o = self->options;
    View v = {.o = o, .d = self->n_features};
    v.net = anb_network(v.d, (size_t)o->hidden, (AnbActivation)o->activation);
    v.size = anb_network_size(&v.net);
    v.memory = o->replay > 0 ? (size_t)o->memory : 0;
    return v;
}

static View view(const AnbNode *self, void *state)
{
    View v = plan(self);
    const AnbMlpOptions *o = v.o;
    v.s = state;
    double *w = (double *)((char *)state + WEIGHTS);
    v.w = (AnbNetworkRows){w, w + v.size, adam(o) ? w + 2 * v.size : NULL, copies(o) == 4 ? w + 3 * v.size : NULL};
    v.y = w + copies(o) * v.size;
    v.x = (float *)(v.y + v.memory);
    return v;
}

static AnbNeed need(const AnbNode *self)
{
    const AnbMlpOptions *o = self->options;
    View v = plan(self);
    size_t batch = 1 + (size_t)o->replay;
    return (AnbNeed){WEIGHTS + copies(o) * v.size * sizeof(double) + v.memory * (sizeof(double) + v.d * sizeof(float)),
                     HEAD + batch * (v.d + 2 + anb_network_trace(&v.net))};
}

static int init(const AnbNode *self, void *state)
{
    View v = view(self, state);
    anb_random_seed(&v.s->random, self->seed);
    anb_network_draw(&v.net, v.w.value, &v.s->random);
    memcpy(v.w.averaged, v.w.value, v.size * sizeof(double));
    v.s->square_power = v.s->mean_power = 1;
    return 0;
}

static double clip(double value, double most)
{
    return value > most ? most : value < -most ? -most : value;
}

/* Scratch behind the head: rows of d + 1, deltas, traces. */
static double *rows_of(double *scratch)
{
    return scratch + HEAD;
}

static double *deltas_of(const View *v, double *scratch)
{
    return rows_of(scratch) + (1 + (size_t)v->o->replay) * (v->d + 1);
}

static double *traces_of(const View *v, double *scratch)
{
    return deltas_of(v, scratch) + 1 + (size_t)v->o->replay;
}

/* The share of the averaged weights' output. */
static double share(const Mlp *s)
{
    double a = s->spread > 0 ? s->cross / s->spread : 0;
    return a < 0 ? 0 : a > 1 ? 1 : a;
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    View v = view(self, (void *)state);
    double *x = rows_of(scratch), *trace = traces_of(&v, scratch);
    for (size_t j = 0; j < v.d; j++)
        x[j] = clip(row->x[j], bound);
    x[v.d] = 1;
    scratch[AVERAGED] = anb_network_forward(&v.net, v.w.averaged, x, trace);
    scratch[NEWEST] = anb_network_forward(&v.net, v.w.value, x, trace);
    double o = scratch[NEWEST] + share(v.s) * (scratch[AVERAGED] - scratch[NEWEST]);
    double f = v.s->target.mean + anb_moments_sd(&v.s->target) * o;
    return f - f == 0 ? f : v.s->target.mean;
}

/* How far the average was the better one. */
static void weigh(Mlp *s, double y, double sd, const double *scratch)
{
    double error = clip(scratch[NEWEST] - (y - s->target.mean) / sd, clip_at);
    double apart = clip(scratch[NEWEST] - scratch[AVERAGED], clip_at);
    s->cross = discount * s->cross + error * apart;
    s->spread = discount * s->spread + apart * apart;
}

/* Errors far above their level: what is remembered is of another concept, and the rate starts to fall anew. */
static void watch(Mlp *s, double error, const AnbRow *row)
{
    anb_faded_add(&s->quick, error * error, 1, 0.99);
    anb_faded_add(&s->slow, error * error, 1, 0.998);
    if (s->slow.weight < 200 || s->quick.mean < 3 * s->slow.mean)
        return;
    s->ring.pushed = 0;
    s->since = s->steps;
    s->quick = s->slow = (AnbFaded){0};
    row->counters->drifts++;
}

/* The target's mean and deviation moved: so do v and c, that the output stays. */
static void rescale(const View *v, double *w, double ratio, double shift)
{
    double *out = w + anb_network_output(&v->net);
    for (size_t h = 0; h <= v->net.width; h++)
        out[h] *= ratio;
    out[v->net.width] += shift;
}

/* Sample i of the batch out of the ring; returns its error. */
static double recall(const View *v, size_t i, double *scratch)
{
    size_t slot = anb_random_below(&v->s->random, (uint32_t)anb_ring_size(&v->s->ring, v->memory));
    double *x = rows_of(scratch) + i * (v->d + 1);
    for (size_t j = 0; j < v->d; j++)
        x[j] = (double)v->x[slot * v->d + j];
    x[v->d] = 1;
    double o = anb_network_forward(&v->net, v->w.value, x, traces_of(v, scratch) + i * anb_network_trace(&v->net));
    return clip(o - (v->y[slot] - v->s->target.mean) / anb_moments_sd(&v->s->target), clip_at);
}

static AnbNetworkPace pace(const View *v, double weight)
{
    Mlp *s = v->s;
    double t = (double)++s->steps, age = t - (double)s->since;
    s->square_power *= decay;
    s->mean_power *= v->o->momentum;
    AnbNetworkPace p = {.momentum = v->o->momentum, .decay = decay, .mean_scale = 1, .square_scale = 1};
    p.rate = v->o->rate * (t < 100 ? t / 100 : 1) / sqrt(1 + age / 5000) * (weight < 10 ? weight : 10);
    p.rate *= v->d > 16 ? 16 / (double)v->d : 1;
    p.average = t < 2000 ? (t < 10 ? 1 : 10 / t) : 0.005;
    if (adam(v->o)) {
        p.mean_scale = 1 / (1 - s->mean_power);
        p.square_scale = 1 / (1 - s->square_power);
    }
    return p;
}

/* One step on the new sample, whose output error is given, and on what replay recalls. */
static void descend(const View *v, double error, double weight, double *scratch)
{
    size_t batch = anb_ring_size(&v->s->ring, v->memory) > 0 ? 1 + (size_t)v->o->replay : 1;
    double *delta = deltas_of(v, scratch), scale = 1 / sqrt((double)batch);
    delta[0] = error * scale * (batch > 1 ? 3 : 1);
    for (size_t i = 1; i < batch; i++)
        delta[i] = recall(v, i, scratch) * scale;
    AnbNetworkPace step = pace(v, weight);
    anb_network_descend(&v->net, v->w, rows_of(scratch), traces_of(v, scratch), delta, batch, &step);
}

static void remember(const View *v, const double *x, double y)
{
    if (v->memory == 0)
        return;
    size_t slot = anb_ring_push(&v->s->ring, v->memory);
    for (size_t j = 0; j < v->d; j++)
        v->x[slot * v->d + j] = (float)x[j];
    v->y[slot] = y;
}

/* Whether the step left numbers. Adam's are short, so there only what rescale multiplies can go. */
static bool healthy(const View *v)
{
    size_t at = adam(v->o) ? anb_network_output(&v->net) : 0;
    return anb_nonfinite(v->w.value + at, v->size - at) + anb_nonfinite(v->w.averaged + at, v->size - at) == 0;
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    View v = view(self, state);
    Mlp *s = v.s;
    double mean = s->target.mean, sd = anb_moments_sd(&s->target);
    if (sd > 0)
        weigh(s, y, sd, scratch);
    anb_moments_add(&s->target, y, weight);
    double new_sd = anb_moments_sd(&s->target), ratio = sd > 0 ? sd / new_sd : 1;
    if (!(scratch[NEWEST] - scratch[NEWEST] + scratch[AVERAGED] - scratch[AVERAGED] + new_sd - new_sd == 0)) {
        anb_restart(self, state, row);
        return;
    }
    if (new_sd > 0) {
        double shift = sd > 0 ? (mean - s->target.mean) / new_sd : 0;
        rescale(&v, v.w.value, ratio, shift);
        rescale(&v, v.w.averaged, ratio, shift);
        double error = clip(scratch[NEWEST] * ratio + shift - (y - s->target.mean) / new_sd, clip_at);
        watch(s, error, row);
        descend(&v, error, weight, scratch);
    }
    if (!healthy(&v)) {
        anb_restart(self, state, row);
        return;
    }
    remember(&v, rows_of(scratch), y);
}

static void matrix(const AnbNode *self, const void *state, AnbMatrix *out)
{
    View v = view(self, (void *)state);
    size_t at = anb_network_gated(&v.net) ? (v.d + 1) * v.net.width : 0;
    *out = (AnbMatrix){v.d, v.net.hidden, v.net.width, v.w.value + at};
}

/* Which share of the hidden units is near zero. */
static double small_share(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    View v = view(self, (void *)state);
    const double *h = traces_of(&v, scratch);
    size_t small = 0;
    (void)row;
    for (size_t i = 0; i < v.net.hidden; i++)
        small += fabs(h[i]) < 0.01;
    return (double)small / (double)v.net.hidden;
}

static const AnbSparsityTable sparsity = {small_share};
static const AnbNetworkTable network = {matrix};

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    View v = view(self, state);
    Mlp *s = v.s;
    anb_random_visit(&s->random, visitor);
    anb_ring_visit(&s->ring, visitor);
    anb_moments_visit(&s->target, visitor);
    anb_visit(visitor, &s->square_power, ANB_F64, 4);
    anb_faded_visit(&s->quick, visitor);
    anb_faded_visit(&s->slow, visitor);
    anb_visit(visitor, &s->steps, ANB_U64, 2);
    anb_visit(visitor, v.w.value, ANB_F64, copies(v.o) * v.size);
    size_t used = anb_ring_size(&s->ring, v.memory);
    anb_visit(visitor, v.y, ANB_F64, used);
    anb_visit(visitor, v.x, ANB_F32, used * v.d);
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    View v = view(self, (void *)state);
    size_t used = anb_ring_size(&v.s->ring, v.memory);
    double sick = anb_nonfinite(&v.s->target.weight, 3) + anb_nonfinite(&v.s->square_power, 4) +
                  anb_nonfinite(v.w.value, copies(v.o) * v.size) + anb_nonfinite(v.y, used);
    for (size_t i = 0; i < used * v.d; i++)
        sick += (double)(v.x[i] - v.x[i]);
    if (!(sick == 0) || !anb_ring_valid(&v.s->ring) || !(v.s->target.weight >= 0) || !(v.s->target.square >= 0))
        return anb_fail(error, ANB_E_STATE, "mlp: a number is not finite or a count too large");
    return 0;
}

const StreamingLearnerType anb_mlp = {
    .name = "mlp",
    .brief = "a network of one hidden layer, with replay",
    .example = "mlp(hidden=8, replay=2, memory=100)",
    .options_size = sizeof(AnbMlpOptions),
    .params = params,
    .flags = ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED,
    .version = 1,
    .need = need,
    .init = init,
    .predict = predict,
    .update = update,
    .sparsity = &sparsity,
    .network = &network,
    .ranges = ranges,
    .validate = validate,
};
