/* Several rows at once through a mixture whose experts all answer: each expert is asked for all of them, then the gate row
 * by row. */
#include "moe_state.h"

enum { MOST = 32 }; /* experts */

/* Row `at` behind the gate, the experts having said f. Leaves what it used in the scratch. */
static double mix_row(const AnbNode *self, const void *state, const AnbRows *rows, size_t at, double (*f)[ANB_ROWS],
                      double *scratch)
{
    const Moe *s = state;
    const AnbRouterType *router = router_of(self);
    const void *at_gate = anb_child_state_const(self->router, state);
    double *gate_scratch = scratch + self->router->scratch_offset;
    AnbRow row = anb_rows_at(rows, at);
    MoeScratch w = scratch_of(self, scratch);
    AnbGate gate = gate_of(self, state, &w);
    router->gate(self->router, at_gate, &row, &gate, gate_scratch);
    for (size_t a = 0; a < gate.n_active; a++)
        gate.f[gate.active[a]] = anb_range_clip(&s->range, f[gate.active[a]][at]);
    double mixed = anb_range_clip(&s->range, router->mix(self->router, at_gate, &row, &gate, gate_scratch));
    w.last->prediction = mixed;
    w.last->n_active = gate.n_active;
    return mixed;
}

bool anb_moe_experts_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out,
                          double *said)
{
    double f[MOST][ANB_ROWS];
    const Moe *s = state;
    AnbRows shown = *rows;
    size_t k = self->n_children;
    if (!router_of(self)->dense || k > MOST)
        return false;
    if (s->knows_importance)
        shown.importance = arrays_of(self, s).importance;
    AnbCrew *crew = anb_crew_of(self, scratch, MOE_CREW);
    if (crew)
        anb_moe_ask_many_crew(self, state, &shown, f, scratch, crew);
    for (size_t i = 0; i < k && !crew; i++)
        anb_child_predict_many(self, i, state, &shown, scratch, f[i]);
    for (size_t i = 0; i < rows->n; i++) {
        out[i] = mix_row(self, state, &shown, i, f, scratch);
        if (said)
            memcpy(said + i * k, scratch_of(self, scratch).f, k * sizeof *said);
    }
    return true;
}

void anb_moe_predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    if (!anb_moe_experts_many(self, state, rows, scratch, out, NULL))
        anb_predict_each(self, state, rows, scratch, out);
}
