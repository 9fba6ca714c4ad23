/* The layout of a mixture's state and scratch, and what learning (moe.c) and read-outs (moe_view.c) share. */
#ifndef ANB_LEARNERS_MOE_STATE_H
#define ANB_LEARNERS_MOE_STATE_H

#include "src/numeric/scheduler.h"
#include "src/numeric/loss.h"
#include "src/numeric/moments.h"
#include "src/simd/gate_block.h"
#include <anabranch/moe.h>
#include <anabranch/reach.h>

typedef struct Moe {
    uint64_t samples;
    uint64_t warming; /* some expert with a warmup has not finished it */
    uint64_t knows_importance;
    double prediction, change, earlier_change; /* the last prediction, its change, the change before */
    double alignment, entropy, disagreement;
    AnbRange range;
    double utilization_rate, entropy_unit; /* of the options: 2 / (span + 1), 1 / log K */
} Moe;

/* The fields of the state behind the head, in the table's order. */
enum { MOE_HEAD, MOE_UTILIZATION, MOE_TRAINED, MOE_IMPORTANCE, MOE_ASLEEP };

typedef struct MoeArrays {
    double *utilization; /* K, padded */
    uint64_t *trained;   /* K */
    double *importance;  /* n_features */
    uint8_t *asleep;     /* K */
} MoeArrays;

/* The last sample. */
typedef struct MoeLast {
    double prediction, target, error;
    size_t n_active, n_reset;
} MoeLast;

/* The fields of the scratch, in the table's order. */
enum {
    MOE_LAST,
    MOE_P,
    MOE_WEIGHT,
    MOE_F,
    MOE_AFTER,
    MOE_PENALTY,
    MOE_PROGRESS,
    MOE_ANSWER,
    MOE_ACTIVE,
    MOE_DEAD,
    MOE_RESET,
    MOE_RESTARTED,
    MOE_SCHEDULER,
    MOE_UNLIMITED
};

typedef struct MoeScratch {
    MoeLast *last;
    double *p, *weight, *f, *after, *penalty, *progress; /* K, padded, as type.h promises routers */
    double *unlimited;                                   /* K: the active experts' f before it was clipped */
    double *importance;                                  /* n_features: those of one expert */
    unsigned *active;                                    /* K */
    uint8_t *dead, *reset, *restarted;                   /* K */
    AnbScheduler *scheduler;                             /* of the threads, or NULL */
} MoeScratch;

static inline const AnbRouterType *router_of(const AnbNode *self)
{
    return anb_router_type(self->router);
}

static inline void *router_state(const AnbNode *self, void *state)
{
    return anb_child_state(self->router, state);
}

static inline MoeArrays arrays_of(const AnbNode *self, const void *state)
{
    void *at = anb_view_of(state);
    return (MoeArrays){.utilization = anb_field(self, at, MOE_UTILIZATION),
                       .trained = anb_field(self, at, MOE_TRAINED),
                       .importance = anb_field(self, at, MOE_IMPORTANCE),
                       .asleep = anb_field(self, at, MOE_ASLEEP)};
}

static inline MoeScratch scratch_of(const AnbNode *self, double *scratch)
{
    return (MoeScratch){.last = anb_scratch(self, scratch, MOE_LAST),
                        .p = anb_scratch(self, scratch, MOE_P),
                        .weight = anb_scratch(self, scratch, MOE_WEIGHT),
                        .f = anb_scratch(self, scratch, MOE_F),
                        .after = anb_scratch(self, scratch, MOE_AFTER),
                        .penalty = anb_scratch(self, scratch, MOE_PENALTY),
                        .progress = anb_scratch(self, scratch, MOE_PROGRESS),
                        .unlimited = anb_scratch(self, scratch, MOE_UNLIMITED),
                        .importance = anb_scratch(self, scratch, MOE_ANSWER),
                        .active = anb_scratch(self, scratch, MOE_ACTIVE),
                        .dead = anb_scratch(self, scratch, MOE_DEAD),
                        .reset = anb_scratch(self, scratch, MOE_RESET),
                        .restarted = anb_scratch(self, scratch, MOE_RESTARTED),
                        .scheduler = anb_scheduler_of(self, scratch, MOE_SCHEDULER)};
}

/* The row for the experts: with its importances, else with the experts' mean importances where there are any. */
static inline const AnbRow *shown_row(const AnbNode *self, const Moe *s, const AnbRow *row, AnbRow *room)
{
    if (!s->knows_importance || row->importance)
        return row;
    *room = *row;
    room->importance = arrays_of(self, s).importance;
    return room;
}

static inline double progress_of(const AnbNode *expert, uint64_t trained)
{
    return trained < (uint64_t)expert->warmup ? (double)trained / expert->warmup : 1;
}

/* The loss by which experts are weighed. */
static inline AnbLoss loss_of(const AnbNode *self)
{
    const AnbMoeOptions *o = self->options;
    return (AnbLoss){(AnbLossKind)o->loss, o->level};
}

/* Fills the gate before a row. In place: a copy would have to wait for the stores. */
static inline void gate_of(const AnbNode *self, const Moe *s, const MoeScratch *w, AnbGate *gate)
{
    bool dense = router_of(self)->dense, bounded = dense && s->range.seen > 0;
    *gate = (AnbGate){.k = self->n_children, .p = w->p, .weight = w->weight, .f = w->f, .active = w->active};
    gate->samples = s->samples;
    gate->after = w->after;
    gate->explorer = gate->k;
    gate->entropy = -1;
    gate->n_active = w->last->n_active;
    gate->prediction = w->last->prediction;
    gate->loss = loss_of(self);
    gate->low = bounded ? anb_range_floor(&s->range) : 1;
    gate->high = bounded ? anb_range_ceiling(&s->range) : -1;
    if (s->warming && dense)
        gate->asleep = arrays_of(self, s).asleep;
    else if (s->warming)
        gate->penalty = w->penalty;
}

/* A call of a mixture for one row. Only learning writes `state`. */
typedef struct MoeCall {
    const AnbNode *self;
    void *state;
    const AnbRow *row; /* as the experts get it */
    double *scratch;
    double y, weight; /* of learning */
    MoeScratch w;
    AnbGate gate;
    AnbRow room; /* for the row with shares of the mixture's own */
} MoeCall;

/* Fills it in place, as the gate. */
static inline void begin_call(MoeCall *call, const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    call->self = self;
    call->state = anb_view_of(state);
    call->scratch = scratch;
    call->w = scratch_of(self, scratch);
    gate_of(self, state, &call->w, &call->gate);
    call->row = shown_row(self, state, row, &call->room);
}

static inline bool is_dead(const AnbMoeOptions *o, const MoeArrays *a, size_t i)
{
    return a->trained[i] > (uint64_t)o->utilization_span && a->utilization[i] < o->utilization_threshold;
}

/* The sample standard deviation of n values picked by index, or of the first n where there is none. */
static inline double spread(const double *f, const unsigned *pick, size_t n)
{
    double mean = 0, sum = 0, part = 1 / (double)n;
    if (n == 2)
        return anb_within_doubles(fabs(f[pick ? pick[0] : 0] - f[pick ? pick[1] : 1]) * 0.70710678118654752);
    for (size_t i = 0; i < n; i++)
        mean += f[pick ? pick[i] : i] * part;
    for (size_t i = 0; i < n; i++) {
        double delta = f[pick ? pick[i] : i] - mean;
        sum += delta * delta;
    }
    return n < 2 ? 0 : anb_within_doubles(sqrt(sum / (double)(n - 1)));
}

/* What a mixture can do beyond predicting and learning. */
extern const AnbMixtureTable anb_moe_mixture;
extern const AnbImportanceTable anb_moe_importance;
extern const AnbSpreadTable anb_moe_spread;
extern const AnbShapleyTable anb_moe_shapley;

/* moe_many.c; the second as AnbMixtureTable says. */
void anb_moe_predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out);
bool anb_moe_experts_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out,
                          double *predictions);

/* moe_threads.c: the experts of a dense router in several threads. The first predicts by the active ones and fills
 * gate.f and w.unlimited; the second trains them and fills w.restarted; the third predicts several rows by all
 * experts. */
void anb_moe_predict_shared(MoeCall *call);
void anb_moe_train_shared(MoeCall *call);
void anb_moe_predict_many_shared(const AnbNode *self, const void *state, const AnbRows *rows, double (*f)[ANB_ROWS],
                                 double *scratch, AnbScheduler *scheduler);

#endif
