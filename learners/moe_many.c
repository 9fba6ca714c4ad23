/* Several rows at once by a mixture with a dense router: each expert predicts all of them, then the gate works row by
 * row. */
#include "moe_state.h"

enum { MOST = 32 }; /* experts */

/* What all rows have in common: the gate before a row, and the scratch. */
typedef struct Gated {
    const AnbNode *self;
    const void *state, *at_gate;
    double *gate_scratch;
    MoeScratch w;
    AnbGate fresh;
} Gated;

static Gated gated(const AnbNode *self, const void *state, double *scratch)
{
    Gated g = {.self = self, .state = state, .at_gate = anb_child_state_const(self->router, state)};
    g.gate_scratch = scratch + self->router->scratch_offset;
    g.w = scratch_of(self, scratch);
    gate_of(self, state, &g.w, &g.fresh);
    return g;
}

/* The prediction for row `at`, from the experts' predictions f. */
static double mix_row(const Gated *g, const AnbRows *rows, size_t at, double (*f)[ANB_ROWS])
{
    const Moe *s = g->state;
    const AnbRouterType *router = router_of(g->self);
    AnbRow row = anb_rows_at(rows, at);
    AnbGate gate = g->fresh;
    gate.n_active = g->w.last->n_active;
    gate.prediction = g->w.last->prediction;
    router->gate(g->self->router, g->at_gate, &row, &gate, g->gate_scratch);
    for (size_t a = 0; a < gate.n_active; a++)
        gate.f[gate.active[a]] = anb_range_clip(&s->range, f[gate.active[a]][at]);
    double mixed = anb_range_clip(&s->range, router->mix(g->self->router, g->at_gate, &row, &gate, g->gate_scratch));
    g->w.last->prediction = mixed;
    g->w.last->n_active = gate.n_active;
    return mixed;
}

bool anb_moe_experts_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out,
                          double *predictions)
{
    double f[MOST][ANB_ROWS];
    const Moe *s = state;
    AnbRows shown = *rows;
    size_t k = self->n_children;
    if (!router_of(self)->dense || k > MOST)
        return false;
    if (s->knows_importance && !shown.importance)
        shown.importance = arrays_of(self, s).importance;
    AnbScheduler *scheduler = anb_scheduler_of(self, scratch, MOE_SCHEDULER);
    if (scheduler)
        anb_moe_predict_many_shared(self, state, &shown, f, scratch, scheduler);
    for (size_t i = 0; i < k && !scheduler; i++)
        anb_child_predict_many(self, i, state, &shown, scratch, f[i]);
    const Gated g = gated(self, state, scratch);
    for (size_t i = 0; i < rows->n; i++) {
        out[i] = mix_row(&g, &shown, i, f);
        if (predictions)
            memcpy(predictions + i * k, g.w.f, k * sizeof *predictions);
    }
    return true;
}

void anb_moe_predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    if (!anb_moe_experts_many(self, state, rows, scratch, out, NULL))
        anb_predict_each(self, state, rows, scratch, out);
}
