/*
 * A batch of mlp: the rows of a step, their deltas and traces in the scratch. mlp_step.c makes the step.
 */
#ifndef ANB_LEARNERS_MLP_BATCH_H
#define ANB_LEARNERS_MLP_BATCH_H

#include "mlp_state.h"
#include "src/numeric/loss.h"

/* Errors are clipped to +-this, in units of the target's deviation. */
static const double anb_mlp_clip = 3;

/* Row i of a batch. */
static inline void *anb_mlp_row(const View *v, size_t i, double *scratch)
{
    return anb_network_at(&v->net, anb_scratch(v->self, scratch, MLP_ROWS), i * (v->d + 1));
}

static inline double *anb_mlp_deltas(const View *v, double *scratch)
{
    return anb_scratch(v->self, scratch, MLP_DELTAS);
}

static inline void *anb_mlp_trace(const View *v, size_t i, double *scratch)
{
    return anb_network_at(&v->net, anb_scratch(v->self, scratch, MLP_TRACES), i * anb_network_trace(&v->net));
}

/* The trace of the row that was predicted, with all its units: with dropout not that of the batch, which loses some. */
static inline void *anb_mlp_shown(const View *v, double *scratch)
{
    return anb_mlp_trace(v, v->o->dropout > 0 ? anb_mlp_batch(v->self) : 0, scratch);
}

/* The other one of these two, for the trace of the averaged weights, which nothing reads. */
static inline void *anb_mlp_unread(const View *v, double *scratch)
{
    return anb_mlp_trace(v, v->o->dropout > 0 ? 0 : anb_mlp_batch(v->self), scratch);
}

/* Sets the cells of the features whose share is 0 to 0. */
static inline void anb_mlp_leave_out(const View *v, const double *shares, void *cells)
{
    for (size_t j = 0; shares && j < v->d; j++)
        if (shares[j] == 0)
            anb_network_set(&v->net, cells, j, 0);
}

/* The gradient of the loss where the output is off by so many of the target's deviations sd. */
static inline double anb_mlp_gradient(const View *v, double off, double sd)
{
    const AnbLoss loss = {(AnbLossKind)v->o->loss, v->o->level};
    return -anb_pull_by(&loss, -anb_clip(off, anb_mlp_clip), v->s->error.level / sd);
}

/* Whether the new sample has a step; else it waits for that of a later one. sd: the target's deviation of now. */
bool anb_mlp_due(const View *v, double sd);
/* The new sample waits; its weight, in units of the mean weight, is kept. */
void anb_mlp_wait(const View *v, double weight);
/* One step on the new sample, whose gradient of the loss is given, on those that wait and on the replayed ones. None
 * waits afterwards. */
void anb_mlp_descend(const View *v, double error, double weight, const double *shares, double *scratch);

#endif
