/*
 * Functions of a table of fields (anabranch/field.h): sizes, offsets, the walk for saving, loading and comparing, and
 * the checks of single values.
 */
#ifndef ANB_NUMERIC_FIELDS_H
#define ANB_NUMERIC_FIELDS_H

#include <anabranch/type.h>

/* Fields of a table; 0 where it is NULL. */
size_t anb_fields_count(const AnbField *fields);

/**
 * Lays the fields out one behind the other.
 *
 * @param fields  a table, or NULL
 * @param self    the node that the counts are asked of
 * @param at      out: where each field starts, in bytes; or NULL
 * @return        bytes from the first to the end of the last; more than SIZE_MAX / 4 where they exceed any memory
 */
size_t anb_fields_layout(const AnbField *fields, const AnbNode *self, size_t *at);

/* Calls a visitor for every used value, in the order of the table. */
void anb_fields_visit(const AnbField *fields, const AnbNode *self, void *state, AnbVisitor *visitor);

/* Calls a visitor for the members of one struct whose table has neither counts nor parts. */
void anb_struct_visit(const AnbField *members, void *record, AnbVisitor *visitor);

/* Checks every used value by its field. 0, or ANB_E_STATE with the type's and the field's name. */
int anb_fields_validate(const AnbField *fields, const AnbNode *self, const void *state, AnbError *error);

/* Whether the members of one struct hold what its table says. */
bool anb_struct_valid(const AnbField *members, const void *record);

/* The node's own fields. */
static inline void anb_visit_own(const AnbNode *node, void *state, AnbVisitor *visitor)
{
    anb_fields_visit(node->type->fields, node, state, visitor);
}

/* The fields of a node and of everything below it, in depth-first order, a router behind its node's children. */
void anb_visit_subtree(const AnbNode *node, void *state, AnbVisitor *visitor);

/* An `upgrade` for types whose older layouts differ only by fields with `since`, or by what their parts read
 * themselves. It reads the fields that the table of that version had. Unlike with ANB_READS_OLDER a part may read into
 * memory of its own. */
int anb_fields_upgrade(const AnbNode *self, unsigned from, const unsigned char *bytes, size_t size, void *state);

/* Whether the node's own state is one that learning could have made: the table's checks, then the type's. */
static inline int anb_validate_own(const AnbNode *node, const void *state, AnbError *error)
{
    int code = anb_fields_validate(node->type->fields, node, state, error);
    return !code && node->type->validate ? node->type->validate(node, state, error) : code;
}

#endif
