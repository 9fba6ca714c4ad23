/* The experts of a mixture in several threads: each predicts and learns by itself; the gate and the mix follow
 * afterwards. */
#include "moe_state.h"

static void predict_active(void *context, size_t a, AnbCounters *counters)
{
    MoeCall *c = context;
    const Moe *s = c->state;
    AnbRow row = *c->row;
    unsigned i = c->gate.active[a];
    row.counters = counters;
    c->w.unlimited[i] = anb_child_predict(c->self, i, c->state, &row, c->scratch);
    c->gate.f[i] = anb_range_clip(&s->range, c->w.unlimited[i]);
}

void anb_moe_predict_shared(MoeCall *call)
{
    AnbScheduler *scheduler = call->w.scheduler;
    scheduler->share(scheduler, ANB_WORK_PREDICT, &(AnbWork){predict_active, call, call->gate.n_active},
                     call->row->counters);
}

typedef struct ManyRows {
    const AnbNode *self;
    const void *state;
    AnbRows rows;
    double (*f)[ANB_ROWS];
    double *scratch;
} ManyRows;

static void predict_rows(void *context, size_t i, AnbCounters *counters)
{
    const ManyRows *c = context;
    AnbRows rows = c->rows;
    rows.counters = counters;
    anb_child_predict_many(c->self, i, c->state, &rows, c->scratch, c->f[i]);
}

void anb_moe_predict_many_shared(const AnbNode *self, const void *state, const AnbRows *rows, double (*f)[ANB_ROWS],
                                 double *scratch, AnbScheduler *scheduler)
{
    ManyRows context = {self, state, *rows, f, scratch};
    scheduler->share(scheduler, ANB_WORK_PREDICT_MANY, &(AnbWork){predict_rows, &context, self->n_children},
                     rows->counters);
}

static void train_active(void *context, size_t a, AnbCounters *counters)
{
    MoeCall *c = context;
    AnbOutcome outcome = {false};
    AnbRow row = *c->row;
    unsigned i = c->gate.active[a];
    row.counters = counters;
    row.outcome = &outcome;
    anb_child_update(c->self, i, c->state, &row, c->y, c->weight, c->scratch);
    c->w.restarted[i] = outcome.restarted;
}

void anb_moe_train_shared(MoeCall *call)
{
    AnbScheduler *scheduler = call->w.scheduler;
    scheduler->share(scheduler, ANB_WORK_LEARN, &(AnbWork){train_active, call, call->gate.n_active},
                     call->row->counters);
}
