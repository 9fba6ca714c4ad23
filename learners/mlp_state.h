/*
 * The state of mlp and its layout: its header, two to four copies of the weights, a ring of samples. mlp.c and
 * mlp_step.c learn.
 *
 * For rows of more than ANB_MLP_NARROW features, up to ANB_MLP_JUDGED, it also keeps evidence for each feature from
 * rows that are not learned yet. With c_j = x_j df/dx_j, and e the error there, c_j (c_j + e) has mean 0 for an
 * irrelevant feature, since c_j is not fitted to that row. The evidence is its running mean over the standard error of
 * that mean.
 */
#ifndef ANB_LEARNERS_MLP_STATE_H
#define ANB_LEARNERS_MLP_STATE_H

#include "src/numeric/clip.h"
#include "src/numeric/error_scale.h"
#include "src/numeric/kept_unit.h"
#include "src/numeric/moments.h"
#include "src/numeric/network.h"
#include "src/numeric/ring.h"
#include "src/numeric/weight_unit.h"
#include <anabranch/learners.h>

/* The scale of the outputs: a prediction is mean + sd o. */
typedef struct MlpScale {
    double mean, sd;
} MlpScale;

typedef struct Mlp {
    AnbRandom random;
    AnbRing ring;
    AnbMoments target;
    AnbErrorScale error; /* of the prediction */
    AnbWeightUnit unit;
    double square_power, mean_power; /* decay^t, momentum^t */
    double cross, spread;            /* discounted sums of e d and d^2 */
    AnbFaded quick, slow;            /* squared errors, over a short and a long memory */
    uint64_t steps, since;           /* since: the step at which the rate started to fall */
    uint64_t waiting, waited;        /* the newest rows, which no step has had; rows that once waited */
    MlpScale scale;                  /* of the target at the last step; sd 0: before the first */
} Mlp;

/* Pointers to the parts of a node's state. */
typedef struct View {
    const AnbNode *self;
    const AnbMlpOptions *o;
    AnbNetwork net;
    size_t d, size, memory; /* memory: slots of the ring */
    Mlp *s;
    AnbNetworkRows w;
    double *y;
    float *x;      /* the ring's rows, of feature j in units of its own: (x - origin[j]) inverse[j] is one of now */
    double *pulls; /* the features' mean pulls, and their mean squares */
    double *right, *noise;    /* means of c_j (c_j + e) and of (c_j e)^2; not for narrow rows */
    double *inverse, *origin; /* not without a ring */
    double *weights;          /* of the rows that wait, in units of the mean weight */
} View;

/* The fields: the header; the copies of the weights, where those are doubles; the ring; the features' pulls; the units
 * of the ring's rows; the copies of the weights, where those are floats; the means of c_j (c_j + e) and of (c_j e)^2,
 * where they are kept; the weights of the rows that wait. */
enum {
    MLP_HEAD,
    MLP_WEIGHTS,
    MLP_Y,
    MLP_X,
    MLP_PULLS,
    MLP_INVERSE,
    MLP_ORIGIN,
    MLP_SINGLES,
    MLP_RIGHT,
    MLP_NOISE,
    MLP_WAITING
};
/* o and o'; then of a batch: rows of d + 1, deltas, pulls of d + 1, traces; the units of remembered rows; df/dx_j, and
 * room to compute them. */
enum { MLP_OUTPUT, MLP_ROWS, MLP_DELTAS, MLP_PULL, MLP_TRACES, MLP_UNITS, MLP_SLOPES, MLP_ROOM };
/* Of MLP_OUTPUT, which is the scratch's first. */
enum { MLP_NEWEST, MLP_AVERAGED };

extern const AnbField anb_mlp_fields[], anb_mlp_scratch[];

static inline bool anb_mlp_single(const AnbMlpOptions *options)
{
    return options->precision == ANB_MLP_SINGLE;
}

static inline bool anb_mlp_adam(const AnbMlpOptions *options)
{
    return options->optimizer == ANB_MLP_ADAM;
}

/* Arrays of the network's size: weights, their average, and Adam's means. */
static inline size_t anb_mlp_copies(const AnbMlpOptions *options)
{
    return 2 + (size_t)anb_mlp_adam(options) + (size_t)(anb_mlp_adam(options) && options->momentum > 0);
}

/* The most rows of a step: those that share it and those that are learned again. */
static inline size_t anb_mlp_batch(const AnbNode *self)
{
    const AnbMlpOptions *o = self->options;
    return (size_t)o->every + (size_t)o->replay;
}

/* Of the plan alone. */
static inline AnbNetwork anb_mlp_network_of(const AnbNode *self)
{
    const AnbMlpOptions *o = self->options;
    return anb_network(self->n_features, (size_t)o->hidden, (AnbActivation)o->activation, anb_mlp_single(o));
}

/* Slots of the ring. */
static inline size_t anb_mlp_memory(const AnbMlpOptions *options)
{
    return (size_t)(options->replay > 0 ? options->memory : options->every - 1);
}

/* Inline, and one literal: a struct of this size is returned through memory, and copied. */
static inline View anb_mlp_view(const AnbNode *self, void *state)
{
    const AnbMlpOptions *o = self->options;
    const AnbNetwork net = anb_mlp_network_of(self);
    const size_t size = anb_network_size(&net);
    void *w = anb_field(self, state, anb_mlp_single(o) ? MLP_SINGLES : MLP_WEIGHTS);
    return (View){.self = self,
                  .o = o,
                  .net = net,
                  .d = self->n_features,
                  .size = size,
                  .memory = anb_mlp_memory(o),
                  .s = state,
                  .w = {w, anb_network_at(&net, w, size), anb_mlp_adam(o) ? anb_network_at(&net, w, 2 * size) : NULL,
                        anb_mlp_copies(o) == 4 ? anb_network_at(&net, w, 3 * size) : NULL},
                  .y = anb_field(self, state, MLP_Y),
                  .x = anb_field(self, state, MLP_X),
                  .pulls = anb_field(self, state, MLP_PULLS),
                  .inverse = anb_field(self, state, MLP_INVERSE),
                  .origin = anb_field(self, state, MLP_ORIGIN),
                  .right = anb_field(self, state, MLP_RIGHT),
                  .noise = anb_field(self, state, MLP_NOISE),
                  .weights = anb_field(self, state, MLP_WAITING)};
}

/* Rows of up to NARROW features learn at the full rate. Evidence is kept for rows of more features than that, up to
 * JUDGED, which is the most that `sift` takes. */
enum { ANB_MLP_NARROW = 16, ANB_MLP_JUDGED = 512 };

/* Features whose share is not 0; all where no shares are known. */
size_t anb_mlp_counting(const View *v, const double *shares);
/* Updates the means of the evidence with a row that was predicted and is not learned yet; `off`: output less target. */
void anb_mlp_judge(const View *v, const void *x, const void *trace, double off, double *scratch);
extern const AnbImportanceTable anb_mlp_importance;
extern const AnbNetworkTable anb_mlp_network;

/* Cells are clipped to +-this. */
static const double anb_mlp_bound = 1e6;

/* The share of the averaged weights' output. */
static inline double anb_mlp_share(const Mlp *s)
{
    return s->spread > 0 ? anb_clamp(s->cross / s->spread, 0, 1) : 0;
}

/* The output of both copies of the weights together, from those of each. */
static inline double anb_mlp_mixed(double share, double newest, double averaged)
{
    return newest + share * (averaged - newest);
}

/* The scale of the outputs of now. Before the first step, and behind a snapshot of before version 8, it is that of the
 * targets so far. */
static inline MlpScale anb_mlp_scale(const Mlp *s)
{
    return s->scale.sd > 0 ? s->scale : (MlpScale){s->target.mean, anb_moments_sd(&s->target)};
}

/* Whether the scale of the outputs is near the target's mean and deviation `sd` of now; not before the first step. No
 * row waits where it is not. */
static inline bool anb_mlp_scale_is_near(const Mlp *s, double sd)
{
    const double far = 16;
    return s->scale.sd > 0 && sd <= far * s->scale.sd && s->scale.sd <= far * sd &&
           fabs(s->target.mean - s->scale.mean) <= far * s->scale.sd;
}

/* The network's prediction from the outputs of both copies of the weights. */
static inline double anb_mlp_joined(MlpScale scale, double share, double newest, double averaged)
{
    double f = scale.mean + scale.sd * anb_mlp_mixed(share, newest, averaged);
    return f - f == 0 ? f : scale.mean;
}

/* As the type's predict_many (type.h). */
void anb_mlp_predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out);

/* Up to which factor the unit of new rows may be apart from that of the rows kept (kept_unit.h). */
static const double anb_mlp_far = 16;

int anb_mlp_init(const AnbNode *self, void *state);
int anb_mlp_validate(const AnbNode *self, const void *state, AnbError *error);

#endif
