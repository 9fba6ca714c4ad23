/* Shared by the dense gates: every expert is active and learns, and the probabilities are the weights of the mix. */
#ifndef ANB_ROUTERS_DENSE_H
#define ANB_ROUTERS_DENSE_H

#include "src/numeric/boa.h"
#include "src/numeric/clip.h"
#include "src/numeric/stack.h"
#include <anabranch/moe.h>

/* Fills the gate from a BOA over its experts. */
static inline void anb_dense_gate(const double *boa, AnbGate *gate)
{
    anb_boa_weights(boa, gate->k, gate->asleep, gate->p);
    for (size_t i = 0; i < gate->k; i++) {
        gate->weight[i] = gate->p[i];
        gate->active[i] = (unsigned)i;
    }
    gate->n_active = gate->k;
}

/* The BOA of a gate's experts learns from a sample whose mix by its weights is `base`. Returns the target, bounded. */
static inline double anb_dense_learn(double *boa, double discount, const AnbGate *gate, double base, double y,
                                     double weight)
{
    const AnbBoaSample sample = {gate->f, base, y, weight, gate->asleep, &gate->loss};
    return anb_boa_learn(boa, gate->k, discount, &sample);
}

/* The functions of a router whose state begins with a BOA over its experts: the gate, the mix by the probabilities, and
 * the reset of one expert's weight. */
static inline void anb_boa_gate(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate,
                                double *scratch)
{
    (void)self, (void)row, (void)scratch;
    anb_dense_gate(state, gate);
}

static inline double anb_dense_mix(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate,
                                   double *scratch)
{
    (void)self, (void)state, (void)row, (void)scratch;
    return anb_mix(gate->p, gate->f, gate->k);
}

static inline void anb_boa_forget_expert(const AnbNode *self, void *state, size_t i)
{
    anb_boa_forget(state, self->gate.k, i);
}

/* A prediction within the seen target range, where there is one. */
static inline double anb_dense_clip(const AnbGate *gate, double f)
{
    return gate->low > gate->high ? f : anb_clamp(f, gate->low, gate->high);
}

/* The read-out of a gate without weights on the features and with a BOA first in its state: its log-weights. */
static inline void anb_dense_weights(const AnbNode *self, const void *state, AnbGateWeights *weights)
{
    *weights = (AnbGateWeights){.k = self->gate.k, .bias = anb_boa_log_weights(state, self->gate.k)};
}

static const AnbGateTable anb_dense_readable = {anb_dense_weights};

/* The usual count and the usual BOA of a gate: one item an expert. */
static inline size_t anb_per_expert(const AnbNode *self)
{
    return self->gate.k;
}

static const AnbBoaForm anb_boa_of_experts = {anb_per_expert};

#endif
