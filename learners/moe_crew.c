/* The experts of a mixture, shared by a crew: each is asked and taught by itself, what concerns the mixture comes after. */
#include "moe_state.h"

typedef struct Ask {
    const AnbNode *self;
    const void *state;
    AnbRow row;
    AnbGate *gate;
    double *scratch, *unlimited;
} Ask;

static void ask(void *context, size_t a, AnbCounters *counters)
{
    const Ask *c = context;
    const Moe *s = c->state;
    AnbRow row = c->row;
    unsigned i = c->gate->active[a];
    row.counters = counters;
    c->unlimited[i] = anb_child_predict(c->self, i, c->state, &row, c->scratch);
    c->gate->f[i] = anb_range_clip(&s->range, c->unlimited[i]);
}

void anb_moe_ask_crew(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate, double *scratch,
                      const MoeScratch *w)
{
    Ask context = {self, state, *row, gate, scratch, w->unlimited};
    w->crew->share(w->crew, ANB_CREW_PREDICT, &(AnbCrewWork){ask, &context, gate->n_active}, row->counters);
}

typedef struct AskMany {
    const AnbNode *self;
    const void *state;
    AnbRows rows;
    double (*f)[ANB_ROWS];
    double *scratch;
} AskMany;

static void ask_many(void *context, size_t i, AnbCounters *counters)
{
    const AskMany *c = context;
    AnbRows rows = c->rows;
    rows.counters = counters;
    anb_child_predict_many(c->self, i, c->state, &rows, c->scratch, c->f[i]);
}

void anb_moe_ask_many_crew(const AnbNode *self, const void *state, const AnbRows *rows, double (*f)[ANB_ROWS],
                           double *scratch, AnbCrew *crew)
{
    AskMany context = {self, state, *rows, f, scratch};
    crew->share(crew, ANB_CREW_PREDICT_MANY, &(AnbCrewWork){ask_many, &context, self->n_children}, rows->counters);
}

typedef struct Teach {
    const AnbNode *self;
    void *state;
    AnbRow row;
    const AnbGate *gate;
    double y, weight, *scratch;
    uint8_t *restarted;
} Teach;

static void teach(void *context, size_t a, AnbCounters *counters)
{
    const Teach *c = context;
    AnbOutcome outcome = {false};
    AnbRow row = c->row;
    unsigned i = c->gate->active[a];
    row.counters = counters;
    row.outcome = &outcome;
    anb_child_update(c->self, i, c->state, &row, c->y, c->weight, c->scratch);
    c->restarted[i] = outcome.restarted;
}

void anb_moe_teach_crew(const AnbNode *self, void *state, const AnbRow *row, const AnbGate *gate, double y,
                        double weight, double *scratch, const MoeScratch *w)
{
    Teach context = {self, state, *row, gate, y, weight, scratch, w->restarted};
    w->crew->share(w->crew, ANB_CREW_LEARN, &(AnbCrewWork){teach, &context, gate->n_active}, row->counters);
}
