/*
 * Finding a capability: from a node down through wrappers to the first node that has the table, with the row that each
 * wrapper makes for its child.
 *
 *     AnbAsked at = anb_child_asked(self, 0, state, row, scratch);
 *     if (anb_reach(&at, ANB_CAN_SPREAD))
 *         return at.node->type->spread->spread(at.node, at.state, &at.row, at.scratch);
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_REACH_H
#define ANABRANCH_REACH_H

#include <anabranch/type.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A position on the way down: a node, its state, the row as it sees it (x NULL: no row) and its scratch (or NULL). */
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
    case ANB_CAN_RANK:
        return anb_since_0_3(type) && type->quantile != NULL;
    case ANB_CAN_FORESEE:
        return type->mixture && (type->flags & ANB_GIVES_OUTLOOK);
    default:
        return type->drift != NULL;
    }
}

/** The child whose table a wrapper without the table uses, or NULL. */
static inline const AnbNode *anb_next_asked(const AnbNode *node, AnbCapability what)
{
    const AnbWrapperTable *wrapper = node->type->wrapper;
    size_t i = wrapper && wrapper->child ? wrapper->child(node, what) : 0;
    return wrapper && i < node->n_children ? &node->children[i] : NULL;
}

/** The first node that has the capability, from this one down through wrappers; or NULL. */
static inline const AnbNode *anb_node_that_can(const AnbNode *node, AnbCapability what)
{
    while (node && !anb_type_can(node->type, what))
        node = anb_next_asked(node, what);
    return node;
}

/** Whether the node, or a node that it wraps, has the capability. */
static inline bool anb_node_can(const AnbNode *node, AnbCapability what)
{
    return anb_node_that_can(node, what) != NULL;
}

static inline AnbAsked anb_ask(const AnbNode *node, const void *state, const AnbRow *row, double *scratch)
{
    AnbAsked at = {node, state, {NULL, NULL, NULL, NULL, NULL}, scratch};
    if (row)
        at.row = *row;
    return at;
}

/** Moves one step down, to the row that the wrapper made. */
static inline void anb_ask_child(AnbAsked *at, const AnbNode *child)
{
    const AnbWrapperTable *wrapper = at->node->type->wrapper;
    if (wrapper && wrapper->row && at->row.x && at->scratch)
        at->row = wrapper->row(at->node, &at->row, at->scratch);
    at->state = anb_child_state_const(child, at->state);
    at->scratch = at->scratch ? at->scratch + child->scratch_offset : NULL;
    at->node = child;
}

/** Moves to the first node with the capability, from at->node down through wrappers. Returns false where there is none;
 * *at is then not to be used. */
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

/** AnbWrapperTable.child of a wrapper whose predictions differ from its first child's: the child's quantiles are not
 * those of the wrapper. */
static inline size_t anb_asks_but_ranks(const AnbNode *self, AnbCapability what)
{
    return what == ANB_CAN_RANK ? self->n_children : 0;
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

/** The n_features importance shares of child i. 0 or ANB_E_UNSUPPORTED. */
static inline int anb_child_importance(const AnbNode *self, size_t i, const void *state, double *share)
{
    AnbAsked at = anb_child_asked(self, i, state, NULL, NULL);
    return anb_reach(&at, ANB_CAN_WEIGH) ? at.node->type->importance->shares(at.node, at.state, share)
                                         : ANB_E_UNSUPPORTED;
}

/** Evidence of child i for each of its n_features features (AnbImportanceTable). 0 or ANB_E_UNSUPPORTED. Since 0.7. */
static inline int anb_child_evidence(const AnbNode *self, size_t i, const void *state, double *z)
{
    AnbAsked at = anb_child_asked(self, i, state, NULL, NULL);
    if (!anb_reach(&at, ANB_CAN_WEIGH) || !(at.node->type->flags & ANB_GIVES_EVIDENCE))
        return ANB_E_UNSUPPORTED;
    return at.node->type->importance->evidence(at.node, at.state, z);
}

/* ---- exact Shapley values (AnbShapleyTable) ---------------------------------------------------------------------- */

/* The values of an affine prediction: each feature's is its own term. */
static inline bool anb_split_affine(const AnbNode *node, const void *state, const AnbPair *pair, double share,
                                    AnbShapleySum *out)
{
    double unit, f = node->type->predict(node, state, &pair->other, pair->other_scratch);
    const double *w = node->type->affine->slopes(node, state, &unit);
    out->low = out->high = f;
    for (size_t j = 0; j < node->n_features; j++) {
        double by = unit * w[j] * (pair->row.x[j] - pair->other.x[j]);
        out->phi[j] += share * by;
        out->low += by < 0 ? by : 0;
        out->high += by > 0 ? by : 0;
    }
    return out->high - out->low < (double)INFINITY; /* false for NaN as well */
}

/* Adds a node's values to out->phi; false where the type has no such table or cannot compute them for these rows. */
static inline bool anb_node_split(const AnbNode *node, const void *state, const AnbPair *pair, double share,
                                  AnbShapleySum *out)
{
    if (node->type->shapley)
        return node->type->shapley->split(node, state, pair, share, out);
    return node->type->affine && anb_split_affine(node, state, pair, share, out);
}

/* The same of child i; state and the pair's scratches are self's, the pair's rows are the child's. */
static inline bool anb_child_split(const AnbNode *self, size_t i, const void *state, const AnbPair *pair, double share,
                                   AnbShapleySum *out)
{
    const AnbNode *child = &self->children[i];
    AnbPair inner = {pair->row, pair->other, pair->scratch + child->scratch_offset,
                     pair->other_scratch + child->scratch_offset};
    return anb_node_split(child, anb_child_state_const(child, state), &inner, share, out);
}

/* The values of a prediction that does not depend on the row. */
static inline bool anb_split_constant(const AnbNode *self, const void *state, const AnbPair *pair, double share,
                                      AnbShapleySum *out)
{
    (void)share;
    out->low = out->high = self->type->predict(self, state, &pair->row, pair->scratch);
    return true;
}

/* The values of a wrapper that predicts what its first child predicts for the row that it makes. */
static inline bool anb_split_first(const AnbNode *self, const void *state, const AnbPair *pair, double share,
                                   AnbShapleySum *out)
{
    const AnbWrapperTable *wrapper = self->type->wrapper;
    AnbPair made = *pair;
    if (wrapper && wrapper->row) {
        made.row = wrapper->row(self, &pair->row, pair->scratch);
        made.other = wrapper->row(self, &pair->other, pair->other_scratch);
    }
    return anb_child_split(self, 0, state, &made, share, out);
}

#ifdef __cplusplus
}
#endif
#endif
