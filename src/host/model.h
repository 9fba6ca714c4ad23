/*
 * A model in memory: one piece for the head, the block and, where later calls read it, the scratch.
 */
#ifndef ANB_HOST_MODEL_H
#define ANB_HOST_MODEL_H

#include "plan.h"
#include "schema.h"
#include "sources.h"
#include "src/numeric/fallback.h"
#include "threads.h"

/* Data that only few models have: a seed other than the plan's, where the plan was made for another model; a schema;
 * sources of numbered samples; threads. */
typedef struct AnbAttached {
    uint64_t seed;
    AnbSchema *schema;   /* a reference, or NULL */
    AnbSources *sources; /* or NULL */
    AnbThreads *threads; /* or NULL */
} AnbAttached;

/* The head. The block follows it at once, and the scratch follows the block where one is kept. Where the block is
 * aligned to more than the allocator's memory is, the allocator's pointer stands in front of the head. */
struct StreamingLearner {
    AnbPlan *plan;
    AnbAttached *attached; /* NULL: nothing */
    AnbCounters counters;
};

struct AnbReader {
    AnbPlan *plan;
    double *scratch;
    AnbCounters counters;
    void *memory;
};

/* What one takes from the allocator for models of that plan: head, scratch, and what aligns it. */
static inline size_t anb_reader_bytes(const AnbPlan *plan)
{
    return sizeof(AnbReader) + plan->nodes[0].scratch_size * sizeof(double) + ANB_ALIGN;
}

/* A caller's options over the defaults; NULL: those. 0, or ANB_E_ARGUMENT where their size is not one this version
 * knows. */
int anb_model_options_take(const AnbModelOptions *given, AnbModelOptions *own, AnbError *error);
/* What is attached to a model, made where nothing was. NULL where memory is out. */
AnbAttached *anb_attach(StreamingLearner *model);
/* Bytes of it, and of what it holds for this model alone. */
size_t anb_attached_bytes(const StreamingLearner *model);
/* Frees it where nothing is attached: no schema, no sources, no threads, and the plan's own seed. */
void anb_detach(StreamingLearner *model);
/* Bytes of a model of that plan: head, block, and scratch where one is kept. */
size_t anb_model_bytes(const AnbPlan *plan);
/* The block's size in bytes. */
static inline size_t anb_block_bytes(const AnbPlan *plan)
{
    return plan->nodes[0].subtree_size;
}

/* The first place from there on that blocks may start at. */
static inline void *anb_aligned(void *memory)
{
    return (void *)anb_round_up((uintptr_t)memory, ANB_ALIGN);
}

/* The root's state, aligned as the plan says. */
static inline unsigned char *anb_block(const StreamingLearner *model)
{
    return anb_view_of(model + 1);
}

/* The model whose block that is. */
static inline StreamingLearner *anb_model_around(const void *block)
{
    return (StreamingLearner *)anb_view_of(block) - 1;
}

/* The root's scratch, or NULL where none is kept. */
static inline double *anb_scratch_kept(const StreamingLearner *model)
{
    const AnbPlan *plan = model->plan;
    return plan->passing ? NULL : (double *)(anb_block(model) + anb_block_bytes(plan));
}

/* As anb_new of an expression that a snapshot or a model holds, with options that were taken. */
StreamingLearner *anb_new_saved(size_t n_features, const AnbExpert *root, const AnbModelOptions *own, AnbError *error);

/* A scratch for one call, on its stack. */
typedef struct AnbRoom {
    _Alignas(ANB_ALIGN) double scratch[ANB_PASSING_MOST];
} AnbRoom;

/* The model's scratch, or that room. */
static inline double *anb_scratch_in(const StreamingLearner *model, AnbRoom *room)
{
    return model->plan->passing ? room->scratch : anb_scratch_kept(model);
}

/* The prediction by the direct table; what the fallback returns where there is none or its result is not finite. */
static inline double anb_look(const StreamingLearner *model, const double *x, AnbFallback fallback)
{
    const AnbPlan *plan = model->plan;
    return plan->look(plan->nodes, anb_block(model), x, fallback);
}

/* The prediction of a model without kept scratch for a finite row; ANB_NAN for others. Changes only `counters`, which
 * are used in place of the model's. */
double anb_predict_reading(const StreamingLearner *model, const double *x, AnbCounters *counters);

static inline void *anb_state_of(const StreamingLearner *model, const AnbNode *node)
{
    return anb_block(model) + anb_node_state_offset(node);
}

/* A node's part of the scratch of a model that keeps one. */
static inline double *anb_scratch_of(const StreamingLearner *model, const AnbNode *node)
{
    return anb_scratch_kept(model) + anb_node_scratch_offset(node);
}

static inline uint64_t anb_seed_of(const StreamingLearner *model)
{
    return model->attached ? model->attached->seed : model->plan->seed;
}

static inline AnbSchema *anb_schema_of(const StreamingLearner *model)
{
    return model->attached ? model->attached->schema : NULL;
}

static inline AnbSources *anb_sources_of(const StreamingLearner *model)
{
    return model->attached ? model->attached->sources : NULL;
}

/* Whether a row is rejected, for an infinite cell or for missing ones that the model does not take; counts that, and
 * the missing cells. On the slow path only: called where some cell is not finite. */
bool anb_refuses_row(const AnbPlan *plan, const double *x, AnbCounters *counters, uint64_t *missing);

/* Weights are learned within 2^-100 to 2^100: no sum of 2^64 of them, or of their squares, leaves the doubles. */
static inline double anb_weight_within(double weight)
{
    return weight > 0x1p100 ? 0x1p100 : weight < 0x1p-100 ? 0x1p-100 : weight;
}

#endif
