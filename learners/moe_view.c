/* Read-outs of a mixture: of its last sample, and of a row for which predict has just filled the scratch. */
#include "moe_state.h"

static void view(const AnbNode *self, const void *state, double *scratch, AnbMixture *m)
{
    const AnbMoeOptions *o = self->options;
    const Moe *s = state;
    MoeArrays a = arrays_of(self, s);
    MoeScratch w = scratch_of(self, scratch);
    *m = (AnbMixture){.k = self->n_children, .samples = s->samples, .active = w.active, .weight = w.weight};
    m->prediction = w.last->prediction;
    m->target = w.last->target;
    m->error = w.last->error;
    m->n_active = w.last->n_active;
    m->n_reset = w.last->n_reset;
    m->probability = w.p;
    m->after = w.after;
    m->expert = w.f;
    m->utilization = a.utilization;
    m->trained = a.trained;
    m->progress = w.progress;
    m->dead = w.dead;
    m->reset = w.reset;
    m->disagreement = s->disagreement;
    m->gate_entropy = s->entropy;
    m->alignment = s->alignment;
    m->dense = router_of(self)->dense;
    m->load = a.utilization;
    const AnbLoadTable *balance = router_of(self)->load;
    if (balance) {
        m->load = balance->load(self->router, anb_child_state_const(self->router, state));
        m->load_balance_rate = balance->rate(self->router);
    }
    for (size_t i = 0; i < m->k; i++) {
        w.progress[i] = progress_of(&self->children[i], a.trained[i]);
        w.dead[i] = is_dead(o, &a, i);
        m->n_dead += w.dead[i];
    }
}

static void routing(const AnbNode *self, const void *state, const AnbRow *row, double *scratch, double *p)
{
    MoeCall call;
    begin_call(&call, self, state, row, scratch);
    call.gate.penalty = NULL;
    call.gate.p = call.w.penalty; /* free now, with the room that a router may want; p has k entries */
    router_of(self)->gate(self->router, anb_child_state_const(self->router, state), call.row, &call.gate,
                          scratch + self->router->scratch_offset);
    memcpy(p, call.gate.p, call.gate.k * sizeof *p);
}

static void experts(const AnbNode *self, const void *state, const AnbRow *row, double *scratch, double *f)
{
    AnbRow room;
    const AnbRow *shown = shown_row(self, state, row, &room);
    for (size_t i = 0; i < self->n_children; i++)
        f[i] = anb_child_predict(self, i, state, shown, scratch);
}

static double disagreement(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    double *f = scratch_of(self, scratch).f;
    experts(self, state, row, scratch, f);
    return spread(f, NULL, self->n_children);
}

/* The weighted deviation of the active experts' predictions from the mix. */
static double spread_about_mix(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    (void)row;
    MoeScratch w = scratch_of(self, scratch);
    AnbGate gate;
    gate_of(self, state, &w, &gate);
    double sum = 0;
    for (size_t a = 0; a < gate.n_active; a++) {
        double away = gate.f[gate.active[a]] - gate.prediction, weight = gate.weight[gate.active[a]];
        sum += weight > 0 ? weight * away * away : 0;
    }
    return sum > 0 ? anb_within_doubles(sqrt(sum)) : 0;
}

static int shares(const AnbNode *self, const void *state, double *share)
{
    const Moe *s = state;
    if (!s->knows_importance)
        return ANB_E_UNSUPPORTED;
    memcpy(share, arrays_of(self, s).importance, self->n_features * sizeof(double));
    return 0;
}

/* For each feature the largest evidence of an expert. */
static int evidence(const AnbNode *self, const void *state, double *z)
{
    double one[ANB_ROWS_ROOM];
    size_t answers = 0, d = self->n_features;
    for (size_t i = 0; i < self->n_children && d <= ANB_ROWS_ROOM; i++) {
        if (anb_child_evidence(self, i, state, one))
            continue;
        for (size_t j = 0; j < d; j++)
            z[j] = answers > 0 && z[j] > one[j] ? z[j] : one[j];
        answers++;
    }
    return answers > 0 ? 0 : ANB_E_UNSUPPORTED;
}

static int span(const AnbNode *self)
{
    return ((const AnbMoeOptions *)self->options)->utilization_span;
}

/* For a gate whose weights do not depend on the row: the weighted sum of the experts' values. A dense router clips both
 * the experts and the mix, which then lies among them. */
static bool split(const AnbNode *self, const void *state, const AnbPair *pair, double share, AnbShapleySum *out)
{
    const Moe *s = state;
    const double *weight = scratch_of(self, pair->scratch).weight;
    double low = 0, high = 0;
    if (!router_of(self)->fixed)
        return false;
    for (size_t i = 0; i < self->n_children; i++) {
        AnbShapleySum one = {out->phi, 0, 0};
        if (weight[i] == 0)
            continue;
        if (!anb_child_split(self, i, state, pair, share * weight[i], &one) ||
            !anb_range_spares(&s->range, one.low, one.high))
            return false;
        low += weight[i] * one.low;
        high += weight[i] * one.high;
    }
    out->low = low;
    out->high = high;
    return true;
}

const AnbShapleyTable anb_moe_shapley = {split};
/* The mean of the linear experts' unlimited predictions, by the gate's probabilities: other experts do not
 * extrapolate. */
static double outlook(const AnbNode *self, const void *state, double *scratch)
{
    const double least = 1e-9; /* probabilities may be 0 */
    MoeScratch w = scratch_of(self, scratch);
    double sum = 0, total = 0;
    (void)state;
    for (size_t i = 0; i < self->n_children && router_of(self)->dense; i++)
        if (self->children[i].type->affine) {
            double p = w.p[i] + least;
            sum += p * w.unlimited[i];
            total += p;
        }
    return total > 0 ? sum / total : ANB_NAN;
}

const AnbMixtureTable anb_moe_mixture = {span, view, routing, experts, disagreement, anb_moe_experts_many, outlook};
const AnbImportanceTable anb_moe_importance = {shares, evidence};
const AnbSpreadTable anb_moe_spread = {spread_about_mix};
