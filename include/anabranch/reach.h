/*
 * The way to a capability: from a node down through the wrappers around it to the first that has the table, with the
 * row that each wrapper made.
 *
 *     AnbAsked at = anb_child_asked(self, 0, state, row, scratch);
 *     double spread = anb_reach(&at, ANB_CAN_SPREAD) ? at.node->type->spread->spread(at.node, at.state, &at.row,
 *                                                                                    at.scratch) : 0;
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_REACH_H
#define ANABRANCH_REACH_H

#include <anabranch/type.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where a question has got to: a node, its state, the row as it sees it (x NULL: none) and its scratch (or NULL). */
typedef struct AnbAsked {
    const AnbNode *node;
    const void *state;
    AnbRow row;
    double *scratch;
} AnbAsked;

static inline bool anb_type_can(const StreamingLearnerType *type, AnbCapability what)
{
    switch (what) {
    case ANB_CAN_MIX:
        return type->mixture != NULL;
    case ANB_CAN_BOUND:
        return type->interval != NULL;
    case ANB_CAN_RESCORE:
        return type->answer != NULL;
    case ANB_CAN_WEIGH:
        return type->importance != NULL;
    case ANB_CAN_SPREAD:
        return type->spread != NULL;
    case ANB_CAN_THIN:
        return type->sparsity != NULL;
    case ANB_CAN_SHOW:
        return type->network != NULL;
    default:
        return type->drift != NULL;
    }
}

/** The child that a node which cannot do it itself passes the question on to, or NULL. */
static inline const AnbNode *anb_next_asked(const AnbNode *node, AnbCapability what)
{
    const AnbWrapperTable *wrapper = node->type->wrapper;
    size_t i = wrapper && wrapper->child ? wrapper->child(node, what) : 0;
    return wrapper && i < node->n_children ? &node->children[i] : NULL;
}

/** Whether the node, or what it wraps, can. */
static inline bool anb_node_can(const AnbNode *node, AnbCapability what)
{
    while (node && !anb_type_can(node->type, what))
        node = anb_next_asked(node, what);
    return node != NULL;
}

static inline AnbAsked anb_ask(const AnbNode *node, const void *state, const AnbRow *row, double *scratch)
{
    AnbAsked at = {node, state, {NULL, NULL, NULL, NULL, NULL}, scratch};
    if (row)
        at.row = *row;
    return at;
}

/** One step down, with the row that the wrapper made. */
static inline void anb_ask_child(AnbAsked *at, const AnbNode *child)
{
    const AnbWrapperTable *wrapper = at->node->type->wrapper;
    if (wrapper && wrapper->row && at->row.x && at->scratch)
        at->row = wrapper->row(at->node, &at->row, at->scratch);
    at->state = anb_child_state_const(child, at->state);
    at->scratch = at->scratch ? at->scratch + child->scratch_offset : NULL;
    at->node = child;
}

/** Moves to the first node, from at->node down through the wrappers, that can. False, and nothing is moved that may be
 * asked, where none can. */
static inline bool anb_reach(AnbAsked *at, AnbCapability what)
{
    while (!anb_type_can(at->node->type, what)) {
        const AnbNode *child = anb_next_asked(at->node, what);
        if (!child)
            return false;
        anb_ask_child(at, child);
    }
    return true;
}

/** Child i of self, with the row as it stands and the scratch of self. */
static inline AnbAsked anb_child_asked(const AnbNode *self, size_t i, const void *state, const AnbRow *row,
                                       double *scratch)
{
    AnbAsked at = anb_ask(self, state, row, scratch);
    const AnbNode *child = &self->children[i];
    at.state = anb_child_state_const(child, state);
    at.scratch = scratch ? scratch + child->scratch_offset : NULL;
    at.node = child;
    return at;
}

/** Which features matter to child i: its n_features shares. 0 or ANB_E_UNSUPPORTED. */
static inline int anb_child_importance(const AnbNode *self, size_t i, const void *state, double *share)
{
    AnbAsked at = anb_child_asked(self, i, state, NULL, NULL);
    return anb_reach(&at, ANB_CAN_WEIGH) ? at.node->type->importance->shares(at.node, at.state, share)
                                         : ANB_E_UNSUPPORTED;
}

#ifdef __cplusplus
}
#endif
#endif
