/*
 * What can be read of a mixture: the view of its last sample, and the answers to questions about a row, each from the
 * state and the scratch that a predict has just filled.
 */
#include "moe_state.h"

static void view(const AnbNode *self, const void *state, double *scratch, AnbMixture *m)
{
    const AnbMoeOptions *o = self->options;
    const Moe *s = state;
    Arrays a = arrays_of(self, (void *)s);
    Work w = work_of(self, scratch);
    bool dense = router_of(self)->dense;
    *m = (AnbMixture){.k = self->n_children, .samples = s->samples, .active = w.active, .weight = w.weight};
    m->prediction = w.last[PREDICTION];
    m->target = w.last[TARGET];
    m->error = w.last[ERROR];
    m->n_active = (size_t)w.last[N_ACTIVE];
    m->n_reset = (size_t)w.last[N_RESET];
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
    if (router_of(self) == &anb_router_linear)
        m->load_balance_rate = ((const AnbRouterLinearOptions *)self->router->options)->load_balance_rate;
    m->dense = dense;
    m->load = a.utilization;
    if (self->router->type->query)
        self->router->type->query(self->router, anb_child_state_const(self->router, state), NULL, NULL, ANB_QUERY_LOAD,
                                  &m->load);
    for (size_t i = 0; i < m->k; i++) {
        w.progress[i] = progress_of(&self->children[i], a.trained[i]);
        w.dead[i] = is_dead(o, &a, i);
        m->n_dead += w.dead[i];
    }
}

static int ask_routing(const AnbNode *self, const void *state, const AnbRow *row, double *scratch, double *out)
{
    Work w = work_of(self, scratch);
    AnbGate gate = gate_of(self, state, &w);
    AnbRow room;
    const AnbRow *shown = shown_row(self, state, row, &room);
    gate.penalty = NULL;
    gate.p = w.penalty; /* free now, with the room that a router may want; out has k entries */
    router_of(self)->gate(self->router, anb_child_state_const(self->router, state), shown, &gate,
                          scratch + self->router->scratch_offset);
    memcpy(out, gate.p, gate.k * sizeof *out);
    return 0;
}

static int ask_all_experts(const AnbNode *self, const void *state, const AnbRow *row, double *scratch, double *out)
{
    AnbRow room;
    const AnbRow *shown = shown_row(self, state, row, &room);
    for (size_t i = 0; i < self->n_children; i++)
        out[i] = anb_child_predict(self, i, state, shown, scratch);
    return 0;
}

/* How sparse the active experts are on the row that was last predicted or learned. */
static int ask_sparsities(const AnbNode *self, const void *state, const AnbRow *row, double *scratch, double *out)
{
    Work w = work_of(self, scratch);
    AnbRow room;
    const AnbRow *shown = shown_row(self, state, row, &room);
    size_t n_active = (size_t)w.last[N_ACTIVE];
    for (size_t i = 0; i < self->n_children; i++)
        out[i] = ANB_NAN;
    for (size_t a = 0; a < n_active; a++) {
        double share;
        if (anb_child_query(self, w.active[a], state, shown, scratch, ANB_QUERY_SPARSITY, &share) == 0)
            out[w.active[a]] = share;
    }
    return 0;
}

/* How far the active experts are from the mix, by their weights. */
static double spread_about_mix(const AnbNode *self, const void *state, double *scratch)
{
    Work w = work_of(self, scratch);
    AnbGate gate = gate_of(self, state, &w);
    double sum = 0;
    for (size_t a = 0; a < gate.n_active; a++) {
        double away = gate.f[gate.active[a]] - gate.prediction, weight = gate.weight[gate.active[a]];
        sum += weight > 0 ? weight * away * away : 0;
    }
    return sum > 0 ? anb_within_doubles(sqrt(sum)) : 0;
}

int anb_moe_query(const AnbNode *self, const void *state, const AnbRow *row, double *scratch, AnbQuery what, void *out)
{
    const Moe *s = state;
    switch (what) {
    case ANB_QUERY_MIXTURE:
        view(self, state, scratch, out);
        return 0;
    case ANB_QUERY_ROUTING:
        return ask_routing(self, state, row, scratch, out);
    case ANB_QUERY_EXPERTS:
        return ask_all_experts(self, state, row, scratch, out);
    case ANB_QUERY_DISAGREEMENT: {
        double *f = work_of(self, scratch).f;
        ask_all_experts(self, state, row, scratch, f);
        *(double *)out = spread(f, NULL, self->n_children);
        return 0;
    }
    case ANB_QUERY_SPREAD:
        *(double *)out = spread_about_mix(self, state, scratch);
        return 0;
    case ANB_QUERY_SPARSITIES:
        return ask_sparsities(self, state, row, scratch, out);
    case ANB_QUERY_IMPORTANCE:
        if (!s->knows_importance)
            return ANB_E_UNSUPPORTED;
        memcpy(out, arrays_of(self, (void *)s).importance, self->n_features * sizeof(double));
        return 0;
    case ANB_QUERY_GATE:
    case ANB_QUERY_LOAD:
    case ANB_QUERY_LOGITS:
        return self->router->type->query
                   ? self->router->type->query(self->router, anb_child_state_const(self->router, state), row,
                                               scratch ? scratch + self->router->scratch_offset : NULL, what, out)
                   : ANB_E_UNSUPPORTED;
    default:
        return ANB_E_UNSUPPORTED;
    }
}
