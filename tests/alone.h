/* A node by hand: one type's own functions, without a host between. */
#ifndef ANB_TESTS_ALONE_H
#define ANB_TESTS_ALONE_H

#include "src/numeric/fields.h"
#include <stdlib.h>

enum { ALONE_FIELDS = 40 };

typedef struct Alone {
    AnbNode node;
    size_t field_at[ALONE_FIELDS], scratch_at[ALONE_FIELDS];
    void *state;
    double *scratch;
} Alone;

/* Zeroed memory on a 64-byte boundary. */
static inline void *alone_memory(size_t bytes)
{
    size_t whole = (bytes + 63) / 64 * 64 + 64;
    return memset(aligned_alloc(64, whole), 0, whole);
}

/* Fills all but what the caller has set in node: type, options, n_features, seed; calls init. */
static inline void alone_start(Alone *a)
{
    const StreamingLearnerType *type = a->node.type;
    a->node.field_at = a->field_at;
    a->node.scratch_at = a->scratch_at;
    a->node.state_size = anb_fields_layout(type->fields, &a->node, a->field_at);
    a->state = alone_memory(a->node.state_size);
    a->scratch = alone_memory(anb_fields_layout(type->scratch, &a->node, a->scratch_at));
    if (type->init)
        type->init(&a->node, a->state);
}

/* Predicts the row, then learns it with a weight of 1; what was predicted. */
static inline double alone_learn(Alone *a, const AnbRow *row, double y)
{
    const StreamingLearnerType *type = a->node.type;
    double said = type->predict(&a->node, a->state, row, a->scratch);
    type->update(&a->node, a->state, row, y, 1, a->scratch);
    return said;
}

static inline void alone_end(Alone *a)
{
    free(a->state);
    free(a->scratch);
}

#endif
