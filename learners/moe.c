/*
 * The mixture of experts behind a gate.
 *
 *     gate -> predictions of the active experts, once each -> mix -> [learning:] best expert, disagreement, alignment,
 *     experts learn, gate learns, utilization and entropy of the gate's new probabilities, dead experts reset
 *
 * A dense router uses every expert. It sees their predictions clipped to the seen target range widened by 10 %, and the
 * mixture's output is clipped as well. The linear router never clips.
 *
 * An expert that was reset or has restarted has weight 0 for its warmup with a dense router ("asleep"). With the linear
 * router it has a penalty on its logit, which fades as it learns.
 *
 * With loss=quantile the best expert is the one with the least pinball loss, and the gates learn by that loss's
 * gradient; clipping is the same.
 *
 * Every 256 samples the mixture averages the experts' importances of the features and passes the mean to all of them.
 *
 * State: head, utilization[K] padded to eights, trained[K], importance[d], asleep[K].
 * Cost: one predict and one update of each active expert, the gate's own, and about a dozen operations an expert.
 */
#include "moe_state.h"
#include "src/numeric/clip.h"
#include "src/simd/kernels.h"
#include "src/numeric/elementary.h"

enum { GATHER_EVERY = 256 }; /* samples between two means of the experts' importances */
static const double least_share = 1e-300;
static const double alignment_rate = 0.05, entropy_rate = 0.01; /* of running means for diagnostics */

static const AnbParam params[] = {
    {"router", ANB_ROUTER, offsetof(AnbMoeOptions, router), 0, 0, 0, 0, "linear", "the gate"},
    {"utilization_span", ANB_COUNT, offsetof(AnbMoeOptions, utilization_span), 500, 1, 1e9, 0, NULL,
     "samples of the utilization's running mean"},
    {"utilization_threshold", ANB_REAL, offsetof(AnbMoeOptions, utilization_threshold), .01, 0, 1,
     ANB_OPEN_MIN | ANB_OPEN_MAX, NULL, "an expert with less utilization after more than span samples is dead"},
    {"reset_dead", ANB_WORD, offsetof(AnbMoeOptions, reset_dead), ANB_AUTO, 0, 0, 0, "false|true|auto",
     "reset dead experts; auto: with the linear router only"},
    ANB_LOSS_PARAMS(AnbMoeOptions),
    {0}};

static uint64_t one(const AnbNode *self)
{
    (void)self;
    return 1;
}

static size_t per_expert(const AnbNode *self)
{
    return self->n_children;
}

static size_t padded(const AnbNode *self)
{
    return anb_gate_padded(self->n_children);
}

static size_t experts_used(const AnbNode *self, const void *state)
{
    (void)state;
    return self->n_children;
}

static const AnbField members[] = {{ANB_MEMBER(Moe, samples)},
                                   {ANB_MEMBER(Moe, warming), .most = one},
                                   {ANB_MEMBER(Moe, knows_importance), .most = one},
                                   {ANB_MEMBER(Moe, prediction), .must = ANB_FINITE},
                                   {ANB_MEMBER(Moe, change), .must = ANB_FINITE},
                                   {ANB_MEMBER(Moe, earlier_change), .must = ANB_FINITE},
                                   {ANB_MEMBER(Moe, alignment), .must = ANB_FINITE},
                                   {ANB_MEMBER(Moe, entropy), .must = ANB_FINITE},
                                   {ANB_MEMBER(Moe, disagreement), .must = ANB_FINITE},
                                   {ANB_INNER(Moe, range, AnbRange, anb_range_fields)},
                                   {ANB_MEMBER(Moe, utilization_rate), .must = ANB_DERIVED},
                                   {ANB_MEMBER(Moe, entropy_unit), .must = ANB_DERIVED},
                                   {0}};

static const AnbField fields[] = {[MOE_HEAD] = {ANB_STRUCT(Moe, members)},
                                  [MOE_UTILIZATION] = {.name = "utilization",
                                                       .kind = ANB_F64,
                                                       .count = padded,
                                                       .used = experts_used,
                                                       .must = ANB_FINITE | ANB_ALIGNED},
                                  [MOE_TRAINED] = {.name = "trained", .kind = ANB_U64, .count = per_expert},
                                  [MOE_IMPORTANCE] = {.name = "importance",
                                                      .kind = ANB_F64,
                                                      .count = anb_per_feature,
                                                      .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                  [MOE_ASLEEP] = {.name = "asleep", .kind = ANB_U8, .count = per_expert, .most = one},
                                  {0}};

static const AnbField scratch_fields[] = {
    [MOE_LAST] = {ANB_SCRATCH_STRUCT(MoeLast)},
    [MOE_P] = {.name = "p", .kind = ANB_F64, .count = padded, .must = ANB_ALIGNED},
    [MOE_WEIGHT] = {.name = "weight", .kind = ANB_F64, .count = padded, .must = ANB_ALIGNED},
    [MOE_F] = {.name = "f", .kind = ANB_F64, .count = padded, .must = ANB_ALIGNED},
    [MOE_AFTER] = {.name = "after", .kind = ANB_F64, .count = padded, .must = ANB_ALIGNED},
    [MOE_PENALTY] = {.name = "penalty", .kind = ANB_F64, .count = padded, .must = ANB_ALIGNED},
    [MOE_PROGRESS] = {.name = "progress", .kind = ANB_F64, .count = padded, .must = ANB_ALIGNED},
    [MOE_ANSWER] = {.name = "answer", .kind = ANB_F64, .count = anb_per_feature},
    [MOE_ACTIVE] = {.name = "active", .kind = ANB_U32, .count = per_expert},
    [MOE_DEAD] = {.name = "dead", .kind = ANB_U8, .count = per_expert},
    [MOE_RESET] = {.name = "reset", .kind = ANB_U8, .count = per_expert},
    [MOE_RESTARTED] = {.name = "restarted", .kind = ANB_U8, .count = per_expert},
    [MOE_SCHEDULER] = {.name = "scheduler", .part = &anb_scheduler_part},
    [MOE_UNLIMITED] = {.name = "unlimited", .kind = ANB_F64, .count = per_expert},
    {0}};

static bool any_warming(const AnbNode *self, const uint64_t *trained)
{
    for (size_t i = 0; i < self->n_children; i++)
        if (trained[i] < (uint64_t)self->children[i].warmup)
            return true;
    return false;
}

static int init(const AnbNode *self, void *state)
{
    const AnbMoeOptions *o = self->options;
    Moe *s = state;
    s->warming = any_warming(self, arrays_of(self, state).trained);
    s->utilization_rate = 2 / ((double)o->utilization_span + 1);
    s->entropy_unit = 1 / anb_log((double)self->n_children);
    return 0;
}

/* ---- predicting -------------------------------------------------------------------------------------------------- */

static void penalise(const AnbNode *self, const Moe *s, double *penalty)
{
    const uint64_t *trained = arrays_of(self, s).trained;
    for (size_t i = 0; i < self->n_children; i++)
        penalty[i] = -5 * (1 - progress_of(&self->children[i], trained[i]));
}

/* A prediction of an expert or of the mixture, clipped to the gate's bounds where it has some. */
static double bounded(const AnbGate *gate, double f)
{
    return gate->low <= gate->high ? anb_clamp(f, gate->low, gate->high) : f;
}

static void predict_experts(MoeCall *c)
{
    AnbGate *gate = &c->gate;
    bool dense = router_of(c->self)->dense;
    if (c->w.scheduler && dense) {
        anb_moe_predict_shared(c);
        return;
    }
    if (!dense)
        for (size_t i = 0; i < gate->k; i += ANB_GATE_BLOCK)
            for (size_t j = 0; j < ANB_GATE_BLOCK; j++)
                gate->f[i + j] = ANB_NAN;
    for (size_t a = 0; a < gate->n_active; a++) {
        unsigned i = gate->active[a];
        c->w.unlimited[i] = anb_child_predict(c->self, i, c->state, c->row, c->scratch);
        gate->f[i] = bounded(gate, c->w.unlimited[i]);
    }
}

static double *router_scratch(const MoeCall *c)
{
    return c->scratch + c->self->router->scratch_offset;
}

/* Computes the gate's probabilities, the predictions of the active experts, and the mix. */
static double route_and_mix(MoeCall *c)
{
    const AnbNode *self = c->self;
    const AnbRouterType *router = router_of(self);
    const void *at_gate = anb_child_state_const(self->router, c->state);
    AnbGate *gate = &c->gate;
    if (gate->penalty)
        penalise(self, c->state, c->w.penalty);
    router->gate(self->router, at_gate, c->row, gate, router_scratch(c));
    predict_experts(c);
    double f = router->mix(self->router, at_gate, c->row, gate, router_scratch(c));
    gate->prediction = router->dense ? bounded(gate, f) : anb_within_doubles(f);
    c->w.last->prediction = gate->prediction;
    c->w.last->n_active = gate->n_active;
    return gate->prediction;
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    MoeCall call;
    begin_call(&call, self, state, row, scratch);
    return route_and_mix(&call);
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

/* The cost by which experts are ranked. All losses but the quantile's grow with |e| on both sides alike. */
static double cost(const AnbGate *gate, double error)
{
    bool even = gate->loss.kind != ANB_LOSS_QUANTILE;
    return even ? fabs(error) : error > 0 ? gate->loss.level * error : (gate->loss.level - 1) * error;
}

static unsigned nearest(const AnbGate *gate, double y)
{
    unsigned best = gate->active[0];
    double least = cost(gate, y - gate->f[best]);
    for (size_t a = 1; a < gate->n_active; a++) {
        double next = cost(gate, y - gate->f[gate->active[a]]);
        best = next < least ? gate->active[a] : best;
        least = next < least ? next : least;
    }
    return best;
}

static int sign_with_margin(double v)
{
    const double margin = 1e-15;
    return (v > margin) - (v < -margin);
}

/* Updates the alignment: whether the last two second differences of the prediction have the same sign. */
static void align(Moe *s, double prediction)
{
    double change = anb_within_doubles(prediction - s->prediction);
    if (s->samples >= 1) {
        int now = sign_with_margin(change - s->change), before = sign_with_margin(s->change - s->earlier_change);
        s->alignment += alignment_rate * (now * before - s->alignment);
    }
    s->earlier_change = s->change;
    s->change = change;
    s->prediction = prediction;
}

/* Called when expert i has restarted, or was reset because it was dead. */
static void on_expert_restart(const AnbNode *self, void *state, size_t i)
{
    MoeArrays a = arrays_of(self, state);
    a.trained[i] = 0;
    a.asleep[i] = self->children[i].warmup > 0;
    if (router_of(self)->forget)
        router_of(self)->forget(self->router, router_state(self, state), i);
}

/* Called when expert i has learned. */
static void on_expert_trained(const AnbNode *self, void *state, size_t i, bool restarted)
{
    Moe *s = state;
    MoeArrays a = arrays_of(self, state);
    a.trained[i]++;
    if (restarted) {
        on_expert_restart(self, state, i);
        s->warming |= self->children[i].warmup > 0;
    } else if (a.asleep[i] && a.trained[i] >= (uint64_t)self->children[i].warmup)
        a.asleep[i] = 0;
}

/* `row`: the call's, with an outcome of its own. */
static void train_expert(const MoeCall *c, size_t i, const AnbRow *row)
{
    row->outcome->restarted = false;
    anb_child_update(c->self, i, c->state, row, c->y, c->weight, c->scratch);
    on_expert_trained(c->self, c->state, i, row->outcome->restarted);
}

/* The inactive expert that the router selects to learn as well: it predicts too, and may be the best. */
static void explore(MoeCall *c)
{
    AnbGate *gate = &c->gate;
    const AnbExploreTable *table = router_of(c->self)->explore;
    size_t i = table ? table->explorer(c->self->router, gate) : gate->k;
    gate->explorer = i < gate->k && !anb_gate_active(gate, i) ? i : gate->k;
    if (gate->explorer == gate->k)
        return;
    double f = anb_child_predict(c->self, i, c->state, c->row, c->scratch);
    if (cost(gate, c->y - f) < cost(gate, c->y - gate->f[gate->best]))
        gate->best = (unsigned)i;
}

static void train_active(MoeCall *c)
{
    const AnbGate *gate = &c->gate;
    AnbOutcome outcome;
    AnbRow row = *c->row;
    row.outcome = &outcome;
    if (c->w.scheduler && router_of(c->self)->dense) {
        anb_moe_train_shared(c);
        for (size_t a = 0; a < gate->n_active; a++)
            on_expert_trained(c->self, c->state, gate->active[a], c->w.restarted[gate->active[a]]);
    } else
        for (size_t a = 0; a < gate->n_active; a++)
            train_expert(c, gate->active[a], &row);
    if (gate->explorer < gate->k)
        train_expert(c, gate->explorer, &row);
}

static void train_experts(MoeCall *c)
{
    Moe *s = c->state;
    explore(c);
    train_active(c);
    if (s->warming)
        s->warming = any_warming(c->self, arrays_of(c->self, s).trained);
}

/* Utilization and entropy of the gate's new probabilities; returns the least utilization. */
static double follow_gate(MoeCall *c)
{
    Moe *s = c->state;
    const AnbGate *gate = &c->gate;
    double least = anb_ewma_all(arrays_of(c->self, s).utilization, gate->after, s->utilization_rate, gate->k);
    double entropy = (gate->entropy < 0 ? anb_entropy(gate->after, gate->k) : gate->entropy) * s->entropy_unit;
    s->entropy += entropy_rate * (anb_clamp(entropy, 0, 1) - s->entropy);
    return least;
}

/* least: the smallest utilization. */
static void reset_dead(MoeCall *c, double least)
{
    const AnbNode *self = c->self;
    const AnbMoeOptions *o = self->options;
    Moe *s = c->state;
    MoeArrays a = arrays_of(self, s);
    if (c->w.last->n_reset > 0)
        memset(c->w.reset, 0, self->n_children);
    c->w.last->n_reset = 0;
    if (least >= o->utilization_threshold || s->samples <= (uint64_t)o->utilization_span)
        return;
    if (o->reset_dead == ANB_FALSE || (o->reset_dead == ANB_AUTO && router_of(self)->dense))
        return;
    for (size_t i = 0; i < self->n_children; i++)
        if (is_dead(o, &a, i)) {
            anb_child_reset(self, i, s);
            a.utilization[i] = 0;
            on_expert_restart(self, s, i);
            s->warming |= self->children[i].warmup > 0;
            c->row->counters->resets++;
            c->w.reset[i] = 1;
            c->w.last->n_reset++;
        }
}

/* The mean of the shares of the experts that have some. It is never 0: experts leave out features whose share is 0. */
static void gather_importance(const AnbNode *self, void *state, double *answer)
{
    Moe *s = state;
    double *sum = arrays_of(self, state).importance;
    size_t d = self->n_features, answers = 0;
    for (size_t i = 0; i < self->n_children; i++) {
        if (anb_child_importance(self, i, state, answer))
            continue;
        if (answers++ == 0)
            memset(sum, 0, d * sizeof(double));
        for (size_t j = 0; j < d; j++)
            sum[j] += answer[j];
    }
    for (size_t j = 0; j < d && answers > 0; j++)
        sum[j] = fmax(sum[j] / (double)answers, least_share);
    s->knows_importance |= answers > 0;
}

/* Where the router selects other experts to learn than those that predicted, those without a prediction make one. */
static void redirect(MoeCall *c)
{
    const AnbNode *self = c->self;
    const AnbRouterType *router = router_of(self);
    AnbGate *gate = &c->gate;
    if (!router->redirect ||
        !router->redirect(self->router, router_state(self, c->state), c->row, gate, router_scratch(c)))
        return;
    for (size_t a = 0; a < gate->n_active; a++)
        if (gate->f[gate->active[a]] != gate->f[gate->active[a]])
            gate->f[gate->active[a]] = anb_child_predict(self, gate->active[a], c->state, c->row, c->scratch);
    gate->best = nearest(gate, c->y);
    c->w.last->n_active = gate->n_active;
}

/* The experts and the router learn first, since the next sample depends on them. */
static void learn(MoeCall *c, double y, double weight)
{
    const AnbNode *self = c->self;
    Moe *s = c->state;
    AnbGate *gate = &c->gate;
    c->y = y;
    c->weight = weight;
    gate->best = nearest(gate, y);
    redirect(c);
    train_experts(c);
    router_of(self)->learn(self->router, router_state(self, s), c->row, gate, y, weight, router_scratch(c));
    if (gate->n_active >= 2)
        s->disagreement = spread(gate->f, gate->active, gate->n_active);
    align(s, gate->prediction);
    reset_dead(c, follow_gate(c));
    anb_range_follow(&s->range, y);
    c->w.last->target = y;
    c->w.last->error = anb_within_doubles(y - gate->prediction);
    if (++s->samples % GATHER_EVERY == 0)
        gather_importance(self, s, c->w.importance);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    MoeCall call;
    begin_call(&call, self, state, row, scratch);
    learn(&call, y, weight);
}

static double step(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    MoeCall call;
    begin_call(&call, self, state, row, scratch);
    double f = route_and_mix(&call);
    learn(&call, y, weight);
    return f;
}

/* ---- the type ---------------------------------------------------------------------------------------------------- */

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    (void)self;
    bool fine = anb_range_valid(&((const Moe *)state)->range);
    return fine ? 0 : anb_fail(error, ANB_E_STATE, "moe: an invalid range of targets");
}

const StreamingLearnerType anb_moe = {
    .name = "moe",
    .brief = "a mixture of experts behind a gate",
    .example = "moe(linear, rls, mean, router=linear(top_k=2))",
    .options_size = sizeof(AnbMoeOptions),
    .params = params,
    .flags =
        ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_WEIGHT_SCALED | ANB_GIVES_EVIDENCE | ANB_GIVES_OUTLOOK | ANB_SINCE_0_3,
    .version = 1,
    .min_children = 2,
    .max_children = 4096,
    .fields = fields,
    .scratch = scratch_fields,
    .init = init,
    .predict = predict,
    .predict_many = anb_moe_predict_many,
    .update = update,
    .step = step,
    .mixture = &anb_moe_mixture,
    .importance = &anb_moe_importance,
    .spread = &anb_moe_spread,
    .shapley = &anb_moe_shapley,
    .validate = validate,
};
