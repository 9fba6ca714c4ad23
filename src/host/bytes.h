/*
 * Fields as little-endian bytes, whatever the processor; and the walk over a block that saving and loading share.
 */
#ifndef ANB_HOST_BYTES_H
#define ANB_HOST_BYTES_H

#include "src/numeric/fields.h"

static inline size_t anb_scalar_bytes(AnbScalar kind)
{
    return ANB_SCALAR_BYTES(kind);
}

static inline bool anb_is_little_endian(void)
{
    const uint16_t one = 1;
    return *(const unsigned char *)&one == 1;
}

/* Copies count scalars of `width` bytes between the processor's order and little-endian: the same both ways. */
static inline void anb_copy_scalars(void *to, const void *from, size_t width, size_t count)
{
    if (anb_is_little_endian() || width == 1) {
        memcpy(to, from, width * count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t b = 0; b < width; b++)
            ((unsigned char *)to)[i * width + b] = ((const unsigned char *)from)[i * width + width - 1 - b];
}

/* Whether a field lies in the node's own state, as every type's must that owns no pointers. */
static inline bool anb_field_inside(const AnbNode *node, const void *state, const void *data, size_t size)
{
    uintptr_t first = (uintptr_t)state, at = (uintptr_t)data;
    return at >= first && at - first <= node->state_size && size <= node->state_size - (at - first);
}

/* The node's own fields; opaque bytes where the type does not say which. */
static inline void anb_visit_own(const AnbNode *node, void *state, AnbVisitor *visitor)
{
    if (node->type->fields)
        anb_fields_visit(node->type->fields, node, state, visitor);
    else if (node->type->ranges)
        node->type->ranges(node, state, visitor);
    else
        anb_visit(visitor, state, ANB_U8, node->state_size);
}

/* Whether the node's own state is one that learning could have made: the table's checks, then the type's. */
static inline int anb_validate_own(const AnbNode *node, const void *state, AnbError *error)
{
    int code = anb_fields_validate(node->type->fields, node, state, error);
    return !code && node->type->validate ? node->type->validate(node, state, error) : code;
}

#endif
