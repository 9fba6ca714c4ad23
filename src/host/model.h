/*
 * A model as the host sees it: one piece of memory for the head, the block and the scratch.
 */
#ifndef ANB_HOST_MODEL_H
#define ANB_HOST_MODEL_H

#include "plan.h"
#include "schema.h"
#include "sources.h"
#include "threads.h"

/* What an AnbDirectTable has to predict by. */
typedef double (*AnbLook)(const AnbNode *self, const void *state, const double *x);

struct StreamingLearner {
    AnbLook look;         /* the plan's short way, here to save loads; NULL: it has none */
    const AnbNode *root;  /* of the plan, likewise */
    unsigned char *block; /* the root's state, aligned to ANB_ALIGN */
    double *scratch;      /* likewise */
    AnbPlan *plan;
    AnbCounters counters;
    uint64_t seed;       /* its own: the plan may be of another model that differs in it */
    AnbSchema *schema;   /* a reference, or NULL */
    AnbSources *sources; /* of numbered samples, or NULL */
    AnbThreads *threads; /* that share its experts, or NULL */
    void *memory;        /* what the allocator gave */
};

struct AnbReader {
    AnbPlan *plan;
    double *scratch;
    AnbCounters counters;
    void *memory;
};

/* A caller's options over the defaults; NULL: those. 0, or ANB_E_ARGUMENT where their size is not one this version knows. */
int anb_model_options_take(const AnbModelOptions *given, AnbModelOptions *own, AnbError *error);
/* A model of that plan with a zeroed block, not initialised; takes over the reference to the plan, also where it fails.
 */
StreamingLearner *anb_model_allocate(AnbPlan *plan, AnbError *error);
/* Gives a model a plan, whose reference it takes over. */
void anb_model_set_plan(StreamingLearner *model, AnbPlan *plan);
/* Bytes of a model of that plan: head, block and scratch. */
size_t anb_model_bytes(const AnbPlan *plan);
/* The block's size in bytes. */
static inline size_t anb_block_bytes(const AnbPlan *plan)
{
    return plan->nodes[0].subtree_size;
}

static inline void *anb_state_of(const StreamingLearner *model, const AnbNode *node)
{
    return model->block + anb_node_state_offset(node);
}

static inline double *anb_scratch_of(const StreamingLearner *model, const AnbNode *node)
{
    return model->scratch + anb_node_scratch_offset(node);
}

/* Whether a row holds an infinite cell, or missing ones that the model cannot take: then counted. Counts the missing
 * ones. The slow path: only where some cell is not finite can it be true. */
bool anb_refuses_row(const AnbPlan *plan, const double *x, AnbCounters *counters, uint64_t *missing);

/* Weights are learned within 2^-100 to 2^100: no sum of 2^64 of them, or of their squares, leaves the doubles. */
static inline double anb_weight_within(double weight)
{
    return weight > 0x1p100 ? 0x1p100 : weight < 0x1p-100 ? 0x1p-100 : weight;
}

/* Visits the used fields of a whole block, node by node in depth-first order. */
void anb_visit_block(const AnbPlan *plan, void *block, AnbVisitor *visitor);

#endif
