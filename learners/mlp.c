/*
 * A network of one hidden layer, learned one sample at a time, with replay of earlier samples.
 *
 *     f(x) = mean + sd (o(x) + a (o'(x) - o(x)))
 *
 * o is the network with its newest weights, o' with their running average (share max(0.005, 10/t)); mean and sd are the
 * target's so far. a in [0, 1] is the share of o' with the least squared error lately: sum e d / sum d^2 with e the
 * error of o and d = o - o', discounted by .995. The newest weights are better on a stream that drifts, their average
 * on one that does not (Polyak & Juditsky 1992 on averaging); a measures which.
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
 * weight over their mean, which the step has. A change of concept is then looked for in the errors of f. Most of what
 * a step costs does not depend on its samples, and the first steps matter most.
 *
 * Moving targets. When mean and sd change, v and c are rescaled so that f does not change (Pop-Art, van Hasselt et al.
 * 2016). When the mean squared error of the last 100 samples is three times that of the last 500, the concept has
 * changed: the ring is emptied and the schedule of the rate restarts.
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
#include "learners/mlp_state.h"
#include "src/numeric/loss.h"
#include "src/simd/kernels.h"
#include <anabranch/learners.h>

enum {
    PAUSE = 500,  /* steps after a change of concept without a factor on the features */
    RECENT = 200, /* rows that replay draws from, at least, where the memory holds as many */
    DENSE = 2000, /* rows, also after a change of concept, that have a step each whatever `every` is */
    SOME = 200    /* rows before a change of concept is looked for */
};
static const double discount = 0.995, decay = 0.99, clip_at = 3;
/* A change of concept: the mean squared error of the last rows, discounted by `quick`, is `changed` times that of more
 * rows. */
static const double quick = 0.99, slow = 0.998, changed = 3;
/* The rate rises over `rise` steps and falls as 1 / sqrt(1 + t / fall); a step counts `most_weight` times at most. */
static const double rise = 100, fall = 5000, most_weight = 10;
/* The share of the newest weights in their average: 1 up to step 10, then 10 / t, at least `least_average`. */
static const double first_steps = 10, least_average = 0.005;

/* The option's value is used as the network's. */
_Static_assert((int)ANB_MLP_RELU == (int)ANB_RELU && (int)ANB_MLP_GEGLU == (int)ANB_GEGLU, "the same order of words");
_Static_assert(16 + 64 <= ANB_NETWORK_SAMPLES, "the largest batch");

static const AnbParam params[] = {
    {"hidden", ANB_COUNT, offsetof(AnbMlpOptions, hidden), 16, 1, 4096, 0, NULL, "hidden units"},
    {"replay", ANB_COUNT, offsetof(AnbMlpOptions, replay), 0, 0, 64, 0, NULL,
     "earlier samples learned again with each step"},
    {"memory", ANB_COUNT, offsetof(AnbMlpOptions, memory), 4000, 1, 1 << 20, 0, NULL, "samples that replay draws from"},
    {"activation", ANB_WORD, offsetof(AnbMlpOptions, activation), ANB_MLP_LEAKY, 0, 0, 0,
     "relu|leaky|gelu|swiglu|geglu", "activation of the hidden units"},
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

/* Row i of a batch. */
static void *row_of(const View *v, size_t i, double *scratch)
{
    return anb_network_at(&v->net, anb_scratch(v->self, scratch, MLP_ROWS), i * (v->d + 1));
}

static double *deltas_of(const View *v, double *scratch)
{
    return anb_scratch(v->self, scratch, MLP_DELTAS);
}

static void *trace_of(const View *v, size_t i, double *scratch)
{
    return anb_network_at(&v->net, anb_scratch(v->self, scratch, MLP_TRACES), i * anb_network_trace(&v->net));
}

/* The trace of the row that was predicted, with all its units. */
static void *shown_of(const View *v, double *scratch)
{
    return trace_of(v, v->o->dropout > 0 ? anb_mlp_batch(v->self) : 0, scratch);
}

static double output(const Mlp *s, const double *scratch)
{
    return anb_mlp_joined(s, anb_mlp_share(s), anb_moments_sd(&s->target), scratch[MLP_NEWEST], scratch[MLP_AVERAGED]);
}

/* Sets the cells of the features whose share is 0 to 0. */
static void leave_out(const View *v, const double *shares, void *cells)
{
    for (size_t j = 0; shares && j < v->d; j++)
        if (shares[j] == 0)
            anb_network_set(&v->net, cells, j, 0);
}

static void take_row(const View *v, const AnbRow *row, void *cells)
{
    anb_network_take_rows(&v->net, row->x, v->d, 1, anb_mlp_bound, cells);
    leave_out(v, row->importance, cells);
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    View v = anb_mlp_view(self, anb_view_of(state));
    void *x = row_of(&v, 0, scratch), *trace = shown_of(&v, scratch);
    take_row(&v, row, x);
    scratch[MLP_AVERAGED] = anb_network_forward(&v.net, v.w.averaged, x, trace);
    scratch[MLP_NEWEST] = anb_network_forward(&v.net, v.w.value, x, trace);
    return output(v.s, scratch);
}

/* The gradient of the loss where the output is off by so many of the target's deviations sd. */
static double gradient(const View *v, double off, double sd)
{
    const AnbLoss loss = {(AnbLossKind)v->o->loss, v->o->level};
    return -anb_pull_by(&loss, -anb_clip(off, clip_at), v->s->error.level / sd);
}

/* Updates the sums for a, the share of the average. */
static void weigh(const View *v, double y, double sd, const double *scratch)
{
    Mlp *s = v->s;
    double error = gradient(v, scratch[MLP_NEWEST] - (y - s->target.mean) / sd, sd);
    double apart = anb_clip(scratch[MLP_NEWEST] - scratch[MLP_AVERAGED], clip_at);
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
    void *trace = trace_of(v, 0, scratch);
    memcpy(trace, shown_of(v, scratch), anb_network_trace(&v->net) * v->net.cell);
    return anb_network_drop(&v->net, v->w.value, trace, v->o->dropout, &v->s->random);
}

/* The number of newest rows that replay draws from. */
static size_t reach(const View *v)
{
    size_t filled = anb_ring_size(&v->s->ring, v->memory), least = v->memory < RECENT ? v->memory : RECENT;
    size_t rows = least + (size_t)(anb_mlp_share(v->s) * (double)(v->memory - least));
    return rows < filled ? rows : filled;
}

/* A slot of the newest `rows`, the newest of all being in slot `head`. */
static size_t draw_slot(const View *v, size_t rows, size_t head)
{
    size_t back = anb_random_below(&v->s->random, (uint32_t)rows);
    return head >= back ? head - back : head + v->memory - back;
}

static void take_slot(const View *v, size_t slot, size_t i, double *scratch)
{
    anb_network_take_kept(&v->net, v->x + slot * v->d, anb_scratch(v->self, scratch, MLP_UNITS), anb_mlp_bound,
                          row_of(v, i, scratch));
}

/* The slot of row i of a batch: the rows that wait for a step come first. */
static size_t slot_of(const View *v, size_t i, size_t rows, size_t head)
{
    return i <= v->s->waiting ? anb_ring_back(&v->s->ring, v->memory, i - 1) : draw_slot(v, rows, head);
}

/* The outputs of rows 1 to batch - 1, which come out of the ring, and from which slot each is. */
static void draw_rows(const View *v, size_t batch, double *scratch, double *output, size_t *slot)
{
    size_t rows = reach(v), head = anb_ring_back(&v->s->ring, v->memory, 0);
    for (size_t i = 1; i < batch; i++) {
        slot[i] = slot_of(v, i, rows, head);
        __builtin_prefetch(v->x + slot[i] * v->d);
    }
    for (size_t i = 1; i < batch; i++)
        take_slot(v, slot[i], i, scratch);
    anb_network_forward_rows(&v->net, v->w.value, row_of(v, 1, scratch), batch - 1, trace_of(v, 1, scratch),
                             output + 1);
}

/* The same with dropout, one by one: units are drawn behind each row. */
static void draw_thinned_rows(const View *v, size_t batch, double *scratch, double *output, size_t *slot)
{
    size_t rows = reach(v), head = anb_ring_back(&v->s->ring, v->memory, 0);
    for (size_t i = 1; i < batch; i++) {
        void *trace = trace_of(v, i, scratch);
        slot[i] = slot_of(v, i, rows, head);
        take_slot(v, slot[i], i, scratch);
        anb_network_forward(&v->net, v->w.value, row_of(v, i, scratch), trace);
        output[i] = anb_network_drop(&v->net, v->w.value, trace, v->o->dropout, &v->s->random);
    }
}

/* Gradients of the rows behind the first, times `scale`; those that waited count `fresh` times their weight. */
static void recall(const View *v, size_t batch, double scale, double fresh, const double *shares, double *delta,
                   double *scratch)
{
    size_t slot[ANB_NETWORK_SAMPLES];
    double mean = v->s->target.mean, sd = anb_moments_sd(&v->s->target);
    void *units = anb_scratch(v->self, scratch, MLP_UNITS);
    if (batch == 1)
        return;
    anb_network_take_units(&v->net, v->inverse, v->origin, units);
    leave_out(v, shares, units); /* a unit of 0 makes every stored cell 0 */
    (v->o->dropout > 0 ? draw_thinned_rows : draw_rows)(v, batch, scratch, delta, slot);
    for (size_t i = 1; i < batch; i++)
        delta[i] = gradient(v, delta[i] - (v->y[slot[i]] - mean) / sd, sd) * scale *
                   (i <= v->s->waiting ? fresh * v->weights[v->s->waiting - i] : 1);
}

static AnbNetworkPace pace(const View *v, double weight, size_t features)
{
    Mlp *s = v->s;
    double t = (double)++s->steps, age = t - (double)s->since;
    s->square_power *= decay;
    s->mean_power *= v->o->momentum;
    AnbNetworkPace p = {.momentum = v->o->momentum, .decay = decay, .mean_scale = 1, .square_scale = 1};
    p.rate =
        v->o->rate * (t < rise ? t / rise : 1) / sqrt(1 + age / fall) * (weight < most_weight ? weight : most_weight);
    p.rate *= features > ANB_MLP_NARROW ? ANB_MLP_NARROW / (double)features : 1;
    p.average = t < first_steps / least_average ? (t < first_steps ? 1 : first_steps / t) : least_average;
    if (anb_mlp_adam(v->o)) {
        p.mean_scale = 1 / (1 - s->mean_power);
        p.square_scale = 1 / (1 - s->square_power);
    }
    return p;
}

/* Whether the last change of concept is long enough ago: right after one, pulls do not show which features are
 * relevant. */
static bool settled(const Mlp *s)
{
    return s->since == 0 || s->steps - s->since >= PAUSE;
}

/* Whether the new sample has a step; else it waits for that of a later one. */
static bool due(const View *v)
{
    size_t waiting = v->s->waiting;
    return waiting + 1 >= (size_t)v->o->every || waiting == v->memory || v->s->ring.pushed < DENSE;
}

/* Rows that the step learns again: where rows may share steps but each still has its own, half of `replay`, so that
 * these steps do not cost much more than later rows do. */
static size_t replayed_now(const View *v)
{
    size_t rows = anb_ring_size(&v->s->ring, v->memory) > 0 ? (size_t)v->o->replay : 0;
    return v->o->every > 1 && v->s->ring.pushed < DENSE ? (rows + 1) / 2 : rows;
}

/* The mean weight of the rows of a step; `weight` is the new one's. */
static double mean_weight(const View *v, double weight)
{
    double sum = weight;
    for (size_t i = 0; i < v->s->waiting; i++)
        sum += v->weights[i];
    return sum / (double)(v->s->waiting + 1);
}

/* One step on the new sample, whose output error is given, on those that wait and on the replayed ones. */
static void descend(const View *v, double error, double weight, const double *shares, double *scratch)
{
    size_t replayed = replayed_now(v), batch = 1 + v->s->waiting + replayed;
    double *delta = deltas_of(v, scratch), scale = 1 / sqrt((double)batch), fresh = replayed > 0 ? 3 : 1;
    double mean = mean_weight(v, weight);
    delta[0] = error * scale * fresh * (weight / mean);
    recall(v, batch, scale, fresh / mean, shares, delta, scratch);
    AnbNetworkPace step = pace(v, mean, anb_mlp_counting(v, shares));
    double *pull = anb_mlp_adam(v->o) && settled(v->s) ? anb_scratch(v->self, scratch, MLP_PULL) : NULL;
    anb_network_descend(&v->net, v->w, row_of(v, 0, scratch), trace_of(v, 0, scratch), delta, batch, &step, pull);
    if (pull)
        anb_network_rescale(&v->net, v->w, pull, v->pulls, &step);
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

/* Whether the sample waits; then its weight is kept. */
static bool waits(const View *v, double weight)
{
    if (due(v))
        return false;
    v->weights[v->s->waiting++] = weight;
    v->s->waited++;
    return true;
}

/* The target, bounded around the prediction, or around the mean where that is nearer to the target: a far-off output on
 * an unusual row must not move the target. */
static double bounded_target(Mlp *s, double f, double y)
{
    bool wild = fabs(y - f) > 20 * s->error.level && fabs(y - s->target.mean) < fabs(y - f);
    return anb_target_bounded(&s->error, wild ? s->target.mean : f, y);
}

/* The error of the output that was shown, times `ratio` plus `shift`. Where rows share steps, a step that makes the
 * newest weights wrong would do so for several rows, and look like a change of concept. */
static double shown_error(const Mlp *s, const double *scratch, double ratio, double shift)
{
    double apart = scratch[MLP_AVERAGED] - scratch[MLP_NEWEST];
    return (scratch[MLP_NEWEST] + anb_mlp_share(s) * apart) * ratio + shift;
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    View v = anb_mlp_view(self, state);
    Mlp *s = v.s;
    double mean = s->target.mean, sd = anb_moments_sd(&s->target);
    double relative = anb_weight_relative(&s->unit, weight);
    y = bounded_target(s, output(s, scratch), y);
    if (sd > 0)
        weigh(&v, y, sd, scratch);
    anb_moments_add(&s->target, y, weight);
    double new_sd = anb_moments_sd(&s->target), ratio = sd > 0 ? sd / new_sd : 1;
    if (!(scratch[MLP_NEWEST] - scratch[MLP_NEWEST] + scratch[MLP_AVERAGED] - scratch[MLP_AVERAGED] + new_sd - new_sd ==
          0)) {
        anb_restart(self, state, row);
        return;
    }
    if (new_sd > 0) {
        double shift = sd > 0 ? (mean - s->target.mean) / new_sd : 0;
        anb_network_move_output(&v.net, v.w.value, ratio, shift);
        anb_network_move_output(&v.net, v.w.averaged, ratio, shift);
        double wanted = (y - s->target.mean) / new_sd, off = scratch[MLP_NEWEST] * ratio + shift - wanted;
        anb_mlp_judge(&v, row_of(&v, 0, scratch), shown_of(&v, scratch), anb_clip(off, clip_at), scratch);
        watch(s, anb_clip(v.o->every > 1 ? shown_error(s, scratch, ratio, shift - wanted) : off, clip_at), row);
        if (!waits(&v, relative)) {
            off = v.o->dropout > 0 ? thinned(&v, scratch) - wanted : off;
            descend(&v, gradient(&v, off, new_sd), relative, row->importance, scratch);
            s->waiting = 0;
        }
    }
    if (!healthy(&v)) {
        anb_restart(self, state, row);
        return;
    }
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
    const void *h = shown_of(&v, scratch);
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
    .version = 7,
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
