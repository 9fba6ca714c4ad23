/*
 * A network of one hidden layer, learned one sample at a time, with replay of earlier samples.
 *
 *     f(x) = mean + sd (o(x) + a (o'(x) - o(x)))
 *
 * o is the network with its newest weights, o' with their running average (share max(0.005, 10/t)); mean and sd are the
 * target's at the last step. a in [0, 1] is the share of o' with the least squared error lately: sum e d / sum d^2 with
 * e the error of o and d = o - o', discounted by .995. The newest weights are better on a stream that drifts, their
 * average on one that does not (Polyak & Juditsky 1992 on averaging); a measures which.
 *
 * A step. The new sample, counted three times if there is replay, and `replay` samples drawn from a ring of the last
 * `memory` ones: from the newest 200 + a (memory - 200), since a small a means that old rows are outdated. Errors are
 * in units of sd, clipped to +-3. The sum of their gradients over the root of the number of samples moves the weights
 * by Adam (Kingma & Ba 2015) with decay .99, or as it is. The rate rises over the first 100 steps and then falls as
 * 1/sqrt(1 + t/5000); beyond 16 features it is 16/d of that. momentum = 0 is Adam without its mean gradient: on streams
 * a step that is ten samples late costs more than the noise that averaging removes.
 *
 * every = n: n rows share a step, but for the first 2,000, and the first 2,000 after a change of concept, which have
 * one each, with half of the replayed samples. Rows wait in the ring; the step counts each as a new sample, times its
 * weight over their mean, which the step has. A row that moves the target's mean or deviation far from those of the
 * last step has one at once. A change of concept is then looked for in the errors of f; the row that shows it may wait
 * for the step of the next one. Most of what a step costs does not depend on its samples, and the first steps matter
 * most.
 *
 * Moving targets. When a step changes mean and sd, v and c are rescaled so that f does not change (Pop-Art, van Hasselt
 * et al. 2016). When the mean squared error of the last 100 samples is three times that of the last 500, the concept
 * has changed: the ring is emptied and the schedule of the rate restarts.
 *
 * Irrelevant features. With Adam the weights of each feature are also scaled together, along the gradient by the log of
 * a factor on the feature (anb_network_rescale), except in the 500 steps after a change of concept: weights of an
 * irrelevant feature shrink. A feature whose share is 0 (importance in row.h) is left out, in remembered rows as well.
 * For rows of more than 16 features the network keeps evidence of which features are relevant (mlp_state.h).
 *
 * Dropout p: in each row of a step, replayed ones included, each hidden unit (of gated forms the product) is left out
 * with probability p and the others are divided by 1 - p. Predictions use all units (Srivastava et al. 2014).
 *
 * Another loss: its pull (src/numeric/loss.h) takes the place of the error, also in a.
 *
 * Units. After a change of the features' unit (reframe in type.h) the first layer and the means of the gradients
 * follow. The ring keeps a feature's cells in the unit that they arrived in, until the present one is far from it; a
 * recalled row is converted when it is read.
 *
 * Bounds. x should be standardised; cells are clipped to +-1e6. A weight multiplies the step, in units of the mean
 * weight, ten of them at most. An error is clipped to 20 times the running scale of the errors
 * (src/numeric/error_scale.h).
 *
 * With precision=single the weights, their moments, rows and traces are floats (src/numeric/network_single_isa.c); the
 * target's mean and deviation, errors, and what is kept of each feature stay doubles.
 *
 * State: the header, two to four copies of the weights (src/numeric/network.h), the ring. Scratch: rows and traces of a
 * batch. Cost: 2 (d + 2) hidden multiply-adds a sample; a step half of that 2 (every + replay) - 1 times, and about 22
 * operations a weight.
 */
#include "mlp_batch.h"
#include "src/simd/kernels.h"
#include <anabranch/learners.h>

enum {
    SOME = 200 /* rows before a change of concept is looked for */
};
static const double discount = 0.995;
/* A change of concept: the mean squared error of the last rows, discounted by `quick`, is `changed` times that of more
 * rows. */
static const double quick = 0.99, slow = 0.998, changed = 3;
/* The option's value is used as the network's. */
_Static_assert((int)ANB_MLP_RELU == (int)ANB_RELU && (int)ANB_MLP_HARDGELU == (int)ANB_HARDGELU, "the same order");

static const AnbParam params[] = {
    {"hidden", ANB_COUNT, offsetof(AnbMlpOptions, hidden), 16, 1, 4096, 0, NULL, "hidden units"},
    {"replay", ANB_COUNT, offsetof(AnbMlpOptions, replay), 0, 0, 64, 0, NULL,
     "earlier samples learned again with each step"},
    {"memory", ANB_COUNT, offsetof(AnbMlpOptions, memory), 4000, 1, 1 << 20, 0, NULL, "samples that replay draws from"},
    {"activation", ANB_WORD, offsetof(AnbMlpOptions, activation), ANB_MLP_LEAKY, 0, 0, 0,
     "relu|leaky|gelu|swiglu|geglu|hardgelu", "activation of the hidden units"},
    {"optimizer", ANB_WORD, offsetof(AnbMlpOptions, optimizer), ANB_MLP_ADAM, 0, 0, 0, "adam|sgd",
     "how a step is made"},
    {"rate", ANB_REAL, offsetof(AnbMlpOptions, rate), 0.01, 0, 1, 0, NULL, "step size"},
    {"momentum", ANB_REAL, offsetof(AnbMlpOptions, momentum), 0, 0, 1, ANB_OPEN_MAX, NULL,
     "Adam's discount of the mean gradient; 0: none"},
    {"seed", ANB_SEED, offsetof(AnbMlpOptions, seed), 0, 0, 0, 0, NULL,
     "of the weights, of replay and of dropout; 0: the model's"},
    {"dropout", ANB_REAL, offsetof(AnbMlpOptions, dropout), 0, 0, 1, ANB_OPEN_MAX, NULL,
     "probability that a hidden unit is left out of the step of a row"},
    ANB_LOSS_PARAMS(AnbMlpOptions),
    {"precision", ANB_WORD, offsetof(AnbMlpOptions, precision), ANB_MLP_DOUBLE, 0, 0, 0, "double|single",
     "of the network's numbers; single takes half the memory and about half the time"},
    {"every", ANB_COUNT, offsetof(AnbMlpOptions, every), 1, 1, 16, 0, NULL,
     "rows that share a step; the first 2,000, and as many after a drift, have one each with half the replay"},
    {0},
};

static double output(const Mlp *s, const double *scratch)
{
    return anb_mlp_joined(anb_mlp_scale(s), anb_mlp_share(s), scratch[MLP_NEWEST], scratch[MLP_AVERAGED]);
}

static void take_row(const View *v, const AnbRow *row, void *cells)
{
    anb_network_take_rows(&v->net, row->x, v->d, 1, anb_mlp_bound, cells);
    anb_mlp_leave_out(v, row->importance, cells);
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    View v = anb_mlp_view(self, anb_view_of(state));
    void *x = anb_mlp_row(&v, 0, scratch);
    take_row(&v, row, x);
    anb_network_forward_both(&v.net, v.w.value, v.size, x, anb_mlp_shown(&v, scratch), anb_mlp_unread(&v, scratch),
                             scratch + MLP_NEWEST);
    return output(v.s, scratch);
}

/* Updates the sums for a, the share of the average. */
static void weigh(const View *v, double y, MlpScale scale, const double *scratch)
{
    Mlp *s = v->s;
    double error = anb_mlp_gradient(v, scratch[MLP_NEWEST] - (y - scale.mean) / scale.sd, scale.sd);
    double apart = anb_clip(scratch[MLP_NEWEST] - scratch[MLP_AVERAGED], anb_mlp_clip);
    s->cross = discount * s->cross + error * apart;
    s->spread = discount * s->spread + apart * apart;
}

/* Where errors are far above their level, the concept has changed: empties the ring and restarts the rate's
 * schedule. */
static void watch(Mlp *s, double error, const AnbRow *row)
{
    anb_faded_add(&s->quick, error * error, 1, quick);
    anb_faded_add(&s->slow, error * error, 1, slow);
    if (s->slow.weight < SOME || s->quick.mean < changed * s->slow.mean)
        return;
    s->ring.pushed = s->waiting = 0;
    s->since = s->steps;
    s->quick = s->slow = (AnbFaded){0};
    row->counters->drifts++;
}

/* The output of the row that was predicted with some of its units left out. */
static double thinned(const View *v, double *scratch)
{
    void *trace = anb_mlp_trace(v, 0, scratch);
    memcpy(trace, anb_mlp_shown(v, scratch), anb_network_trace(&v->net) * v->net.cell);
    return anb_network_drop(&v->net, v->w.value, trace, v->o->dropout, &v->s->random);
}

static void remember(const View *v, const double *x, double y)
{
    if (v->memory == 0)
        return;
    size_t slot = anb_ring_push(&v->s->ring, v->memory);
    anb_keep_cells(x, anb_mlp_bound, v->inverse, v->origin, v->d, v->x + slot * v->d);
    v->y[slot] = y;
}

/* Whether the weights are still finite. Steps of Adam are bounded, so with it only the output's weights, which are
 * multiplied as mean and sd move, have to be checked. */
static bool healthy(const View *v)
{
    size_t at = anb_mlp_adam(v->o) ? anb_network_output(&v->net) : 0;
    return anb_network_finite(&v->net, v->w.value, at) && anb_network_finite(&v->net, v->w.averaged, at);
}

/* The target, bounded around the prediction, or around the mean where that is nearer to the target: a far-off output on
 * an unusual row must not move the target. */
static double bounded_target(Mlp *s, double f, double y)
{
    bool wild = fabs(y - f) > 20 * s->error.level && fabs(y - s->target.mean) < fabs(y - f);
    return anb_target_bounded(&s->error, wild ? s->target.mean : f, y);
}

/* The target's mean and deviation of now become the scale of the outputs, which change so that predictions do not. */
static void renew_scale(const View *v, MlpScale before, double sd, double *scratch)
{
    Mlp *s = v->s;
    s->scale = (MlpScale){s->target.mean, sd};
    if (!(sd > 0))
        return;
    double ratio = before.sd > 0 ? before.sd / sd : 1, shift = before.sd > 0 ? (before.mean - s->scale.mean) / sd : 0;
    anb_network_move_output(&v->net, v->w.value, ratio, shift);
    anb_network_move_output(&v->net, v->w.averaged, ratio, shift);
    scratch[MLP_NEWEST] = scratch[MLP_NEWEST] * ratio + shift;
    scratch[MLP_AVERAGED] = scratch[MLP_AVERAGED] * ratio + shift;
}

/* The error of the newest weights; where rows share steps, of the output that was shown: a step that makes the newest
 * weights wrong would do so for several rows, and look like a change of concept. */
static double watched(const View *v, double wanted, const double *scratch)
{
    double newest = scratch[MLP_NEWEST];
    return (v->o->every > 1 ? anb_mlp_mixed(anb_mlp_share(v->s), newest, scratch[MLP_AVERAGED]) : newest) - wanted;
}

/* Learns the row's target, in the scale of the outputs: at once with a step, or in that of a later row. */
static void learn(const View *v, const AnbRow *row, double wanted, double weight, bool steps, double *scratch)
{
    double off = scratch[MLP_NEWEST] - wanted;
    anb_mlp_judge(v, anb_mlp_row(v, 0, scratch), anb_mlp_shown(v, scratch), anb_clip(off, anb_mlp_clip), scratch);
    watch(v->s, anb_clip(watched(v, wanted, scratch), anb_mlp_clip), row);
    if (!steps) {
        anb_mlp_wait(v, weight);
        return;
    }
    off = v->o->dropout > 0 ? thinned(v, scratch) - wanted : off;
    anb_mlp_descend(v, anb_mlp_gradient(v, off, v->s->scale.sd), weight, row->importance, scratch);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    View v = anb_mlp_view(self, state);
    Mlp *s = v.s;
    MlpScale scale = anb_mlp_scale(s);
    double relative = anb_weight_relative(&s->unit, weight);
    y = bounded_target(s, output(s, scratch), y);
    if (scale.sd > 0)
        weigh(&v, y, scale, scratch);
    anb_moments_add(&s->target, y, weight);
    double sd = anb_moments_sd(&s->target);
    double newest = scratch[MLP_NEWEST], averaged = scratch[MLP_AVERAGED];
    bool finite = newest - newest + averaged - averaged + sd - sd == 0, steps = anb_mlp_due(&v, sd);
    if (finite && steps)
        renew_scale(&v, scale, sd, scratch);
    if (finite && s->scale.sd > 0)
        learn(&v, row, (y - s->scale.mean) / s->scale.sd, relative, steps, scratch);
    if (!finite || (steps && !healthy(&v)))
        anb_restart(self, state, row);
    else
        remember(&v, row->x, y);
}

/* Another unit of the features. Cells are converted where it is so far off that floats would lose digits, or the ring
 * is empty. */
static void reframe_ring(const View *v, const double *alpha, const double *beta)
{
    size_t n = anb_ring_size(&v->s->ring, v->memory);
    for (size_t j = 0; j < v->d; j++) {
        anb_kept_move(&v->inverse[j], &v->origin[j], alpha[j], beta[j]);
        if (v->s->ring.pushed == 0 || !anb_kept_is_near(v->inverse[j], v->origin[j], anb_mlp_far))
            anb_kept_turn(&v->inverse[j], &v->origin[j], v->x + j, n, v->d, anb_mlp_bound);
    }
}

static void reframe(const AnbNode *self, void *state, const double *alpha, const double *beta)
{
    View v = anb_mlp_view(self, state);
    anb_network_reframe(&v.net, v.w, alpha, beta);
    if (v.memory > 0)
        reframe_ring(&v, alpha, beta);
    bool finite = true;
    for (size_t i = 0; i < anb_mlp_copies(v.o); i++)
        finite = finite && anb_network_finite(&v.net, anb_network_at(&v.net, v.w.value, i * v.size), 0);
    if (!finite)
        anb_node_reset_own(self, state);
}

/* Which share of the hidden units is near zero. */
static double small_share(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    View v = anb_mlp_view(self, anb_view_of(state));
    const void *h = anb_mlp_shown(&v, scratch);
    size_t small = 0;
    (void)row;
    for (size_t i = 0; i < v.net.hidden; i++)
        small += fabs(anb_network_cell(&v.net, h, i)) < 0.01;
    return (double)small / (double)v.net.hidden;
}

static const AnbSparsityTable sparsity = {small_share};

const StreamingLearnerType anb_mlp = {
    .name = "mlp",
    .brief = "a network of one hidden layer, with replay",
    .example = "mlp(hidden=8, replay=2, memory=100)",
    .options_size = sizeof(AnbMlpOptions),
    .params = params,
    .flags = ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_READS_OLDER | ANB_GIVES_EVIDENCE | ANB_ANY_ROWS |
             ANB_SINCE_0_3,
    .version = 8,
    .fields = anb_mlp_fields,
    .validate = anb_mlp_validate,
    .scratch = anb_mlp_scratch,
    .init = anb_mlp_init,
    .predict = predict,
    .predict_many = anb_mlp_predict_many,
    .update = update,
    .reframe = reframe,
    .sparsity = &sparsity,
    .network = &anb_mlp_network,
    .importance = &anb_mlp_importance,
};
