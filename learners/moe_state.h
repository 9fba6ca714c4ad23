/*
 * How a mixture's state and scratch lie, and what its way of a sample (moe.c) and its read-outs (moe_view.c) both ask
 * of them.
 */
#ifndef ANB_LEARNERS_MOE_STATE_H
#define ANB_LEARNERS_MOE_STATE_H

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
    double unused[2];                      /* what follows starts on a cache line */
} Moe;

/* Where the state's arrays are; the utilization's is padded. */
typedef struct Arrays {
    double *utilization;
    uint64_t *trained;
    double *importance;
    unsigned char *asleep;
} Arrays;

/* Where the scratch's arrays are; the doubles over experts are padded, as type.h promises routers. */
typedef struct Work {
    double *last; /* prediction, target, error, n_active, n_reset */
    double *p, *weight, *f, *after, *penalty, *progress, *importance;
    unsigned *active;
    unsigned char *dead, *reset;
} Work;

enum { PREDICTION, TARGET, ERROR, N_ACTIVE, N_RESET, LAST = 8 };

static inline const AnbRouterType *router_of(const AnbNode *self)
{
    return anb_router_type(self->router);
}

static inline void *router_state(const AnbNode *self, void *state)
{
    return anb_child_state(self->router, state);
}

static inline Arrays arrays_of(const AnbNode *self, void *state)
{
    size_t k = self->n_children;
    double *at = (double *)((Moe *)state + 1), *behind = at + anb_gate_padded(k);
    return (Arrays){at, (uint64_t *)behind, behind + k, (unsigned char *)(behind + k + self->n_features)};
}

static inline Work work_of(const AnbNode *self, double *scratch)
{
    size_t k = self->n_children, m = anb_gate_padded(k);
    double *at = scratch + LAST;
    Work w = {scratch, at, at + m, at + 2 * m, at + 3 * m, at + 4 * m, at + 5 * m, at + 6 * m, NULL, NULL, NULL};
    at += 6 * m + self->n_features;
    w.active = (unsigned *)at;
    w.dead = (unsigned char *)(w.active + k);
    w.reset = w.dead + k;
    return w;
}

/* The row as the experts see it: with their importance, where somebody knows it. */
static inline const AnbRow *shown_row(const AnbNode *self, const Moe *s, const AnbRow *row, AnbRow *room)
{
    if (!s->knows_importance)
        return row;
    *room = *row;
    room->importance = arrays_of(self, (void *)s).importance;
    return room;
}

static inline double progress_of(const AnbNode *expert, uint64_t trained)
{
    return trained < (uint64_t)expert->warmup ? (double)trained / expert->warmup : 1;
}

static inline AnbGate gate_of(const AnbNode *self, const Moe *s, const Work *w)
{
    AnbGate gate = {.k = self->n_children, .p = w->p, .weight = w->weight, .f = w->f, .active = w->active};
    gate.samples = s->samples;
    gate.after = w->after;
    gate.explorer = gate.k;
    gate.entropy = -1;
    gate.n_active = (size_t)w->last[N_ACTIVE];
    gate.prediction = w->last[PREDICTION];
    bool bounded = router_of(self)->dense && s->range.seen > 0;
    gate.low = bounded ? anb_range_floor(&s->range) : 1;
    gate.high = bounded ? anb_range_ceiling(&s->range) : -1;
    if (s->warming && router_of(self)->dense)
        gate.asleep = arrays_of(self, (void *)s).asleep;
    else if (s->warming)
        gate.penalty = w->penalty;
    return gate;
}

static inline bool is_dead(const AnbMoeOptions *o, const Arrays *a, size_t i)
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

#endif
