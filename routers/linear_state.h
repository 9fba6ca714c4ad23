/*
 * The layout of the state and the scratch of the router `linear`, for learning (linear.c), mini-batches
 * (linear_batch.c) and the field tables (linear_state.c).
 *
 * State: whether W is drawn, the weights' unit, b[K], c[K], load[K], W[K][d] (padded as linear_gate.h says), with
 * `standardize` the moments of x, with noise a random number generator. Scratch: z[K], p[K], which were active, with
 * `standardize` the row, with noise or a capacity what a mini-batch needs.
 */
#ifndef ANB_ROUTERS_LINEAR_STATE_H
#define ANB_ROUTERS_LINEAR_STATE_H

#include "gate_row.h"
#include "linear_gate.h"
#include "src/numeric/weight_unit.h"
#include <anabranch/moe.h>

typedef struct AnbLinearHead {
    uint64_t drawn;
    double share, target; /* of the options: 2 / (span + 1), top_k / K */
    AnbWeightUnit unit;
} AnbLinearHead;

enum {
    LINEAR_HEAD,
    LINEAR_BIAS,
    LINEAR_LOAD_BIAS,
    LINEAR_LOAD,
    LINEAR_W,
    LINEAR_MOMENTS, /* four fields */
    LINEAR_RANDOM = LINEAR_MOMENTS + 4
};
extern const AnbField anb_linear_fields[];

/* The data of a mini-batch, for a gate that redirects. */
typedef struct AnbLinearBatch {
    uint32_t noise_holds; /* factors and terms of the noisy logits are those of this sample */
    size_t bound;         /* how many samples an expert takes; 0: no batch is on its way */
    size_t overflows;
} AnbLinearBatch;

enum { LINEAR_Z, LINEAR_P, LINEAR_MARK, LINEAR_ROW, LINEAR_FACTOR, LINEAR_TERM, LINEAR_BATCH, LINEAR_ROOM };
extern const AnbField anb_linear_scratch_fields[];

typedef struct AnbLinearScratch {
    double *z, *p, *mark, *row;   /* those over experts are padded */
    double *factor, *term, *room; /* of a gate that redirects, as `batch` */
    AnbLinearBatch *batch;
} AnbLinearScratch;

static inline AnbLinearScratch anb_linear_scratch(const AnbNode *self, double *scratch)
{
    return (AnbLinearScratch){.z = anb_scratch(self, scratch, LINEAR_Z),
                              .p = anb_scratch(self, scratch, LINEAR_P),
                              .mark = anb_scratch(self, scratch, LINEAR_MARK),
                              .row = anb_scratch(self, scratch, LINEAR_ROW),
                              .factor = anb_scratch(self, scratch, LINEAR_FACTOR),
                              .term = anb_scratch(self, scratch, LINEAR_TERM),
                              .room = anb_scratch(self, scratch, LINEAR_ROOM),
                              .batch = anb_scratch(self, scratch, LINEAR_BATCH)};
}

static inline AnbLinearGate anb_linear_gate(const AnbNode *self, const void *state)
{
    void *at = anb_view_of(state);
    return (AnbLinearGate){.k = self->gate.k,
                           .d = self->n_features,
                           .stride = anb_gate_padded(self->n_features),
                           .bias = anb_field(self, at, LINEAR_BIAS),
                           .load_bias = anb_field(self, at, LINEAR_LOAD_BIAS),
                           .load = anb_field(self, at, LINEAR_LOAD),
                           .w = anb_field(self, at, LINEAR_W)};
}

static inline bool anb_linear_standardizes(const AnbNode *self)
{
    return ((const AnbRouterLinearOptions *)self->options)->standardize;
}

/* Whether experts learn by noisy logits. */
static inline bool anb_linear_noisy(const AnbNode *self)
{
    const AnbRouterLinearOptions *o = self->options;
    return o->router_jitter > 0 || o->router_noise > 0;
}

static inline bool anb_linear_redirects(const AnbNode *self)
{
    return anb_linear_noisy(self) || ((const AnbRouterLinearOptions *)self->options)->capacity_factor > 0;
}

/* linear_batch.c: the n largest of k, in descending order, equal ones in ascending order of index. */
void anb_linear_select(const double *q, size_t k, unsigned *active, size_t n);
/* Selects the experts that learn again: by noisy logits, among the experts that have room. */
bool anb_linear_redirect(const AnbNode *self, void *state, const AnbRow *row, AnbGate *gate, double *scratch);
extern const AnbBatchTable anb_linear_batches;

#endif
