/* The walk over a block that saving and loading share. */
#ifndef ANB_HOST_BYTES_H
#define ANB_HOST_BYTES_H

#include "src/numeric/fields.h"
#include "src/text/field_reader.h"

/* Whether a field lies in the node's own state, as every type's must that owns no pointers. */
static inline bool anb_field_inside(const AnbNode *node, const void *state, const void *data, size_t size)
{
    uintptr_t first = (uintptr_t)state, at = (uintptr_t)data;
    return at >= first && at - first <= node->state_size && size <= node->state_size - (at - first);
}

#endif
