/*
 * A plan: an immutable tree of nodes in one piece of memory, shared by every clone.
 *
 *     AnbPlan | nodes[n] | options of each | names | the canonical expression
 *
 * The children of a node stand side by side, its router behind them.
 */
#ifndef ANB_HOST_PLAN_H
#define ANB_HOST_PLAN_H

#include "capability.h"
#include <anabranch/learner.h>
#include <anabranch/type.h>
#include <stdatomic.h>

enum { ANB_ALIGN = 64, ANB_FEATURES_MAX = 1 << 20 };

typedef struct AnbPlan {
    atomic_size_t references;
    AnbAllocator allocator;
    uint64_t seed;   /* that it was made with */
    bool reads_seed; /* some node's seed follows from it */
    size_t max_bytes;
    size_t n_nodes;
    size_t bytes;                 /* of this plan */
    bool takes_missing;           /* rows may hold NaN */
    bool owns_pointers;           /* some type has clear and clone */
    const AnbDirectTable *direct; /* of a root without children, or NULL */
    AnbLook look;                 /* anb_look_of the root */
    size_t align;                 /* of a block: ANB_ALIGN, or 8 where every type is compact and the block is small */
    bool passing;                 /* no scratch is kept from call to call */
    const AnbNode *moe;           /* the first mixture, depth first, or NULL */
    const char *expression;       /* canonical */
    const char *full_expression;  /* every option written out: what snapshots keep */
    AnbNode *nodes;               /* nodes[0] is the root */
} AnbPlan;

/* The first multiple of the step that is not below the size. */
static inline size_t anb_round_up(size_t size, size_t step)
{
    return (size + step - 1) / step * step;
}

AnbPlan *anb_plan_new(size_t n_features, const AnbExpert *root, const AnbModelOptions *options, AnbError *error);
/* The same for a caller's expression, which is refused where a list holds a number twice. */
AnbPlan *anb_plan_asked(size_t n_features, const AnbExpert *root, const AnbModelOptions *options, AnbError *error);
/* Sets the alignment of a plan's block, and closes the gaps between states where all its types are compact. */
void anb_plan_close_up(AnbPlan *plan);
AnbPlan *anb_plan_keep(AnbPlan *plan);
void anb_plan_drop(AnbPlan *plan);

/* Whether two plans have the same expression and width, and the same seed where one of them reads it. */
bool anb_plans_alike(const AnbPlan *a, const AnbPlan *b);
/* Whether a block and a scratch of one plan are laid out as those of the other. */
bool anb_plans_fit(const AnbPlan *a, const AnbPlan *b);

/* How far a node's state and scratch are from the root's. */
size_t anb_node_state_offset(const AnbNode *node);
size_t anb_node_scratch_offset(const AnbNode *node);

/* The allocator of the options, or malloc and free. */
const AnbAllocator *anb_allocator_of(const AnbModelOptions *options);

#endif
