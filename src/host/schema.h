/*
 * A schema in one piece of memory:
 *
 *     AnbSchema | columns[n] | index[slots] | names | missing words | the compact text
 *
 * The index finds a name: open addressing, an entry is a column's number plus 1 or 0.
 */
#ifndef ANB_HOST_SCHEMA_H
#define ANB_HOST_SCHEMA_H

#include <anabranch/schema.h>
#include <anabranch/type.h>
#include <stdatomic.h>

struct AnbSchema {
    atomic_size_t references;
    AnbAllocator allocator;
    size_t n, slots;
    size_t bytes; /* of all */
    AnbColumn *columns;
    uint32_t *index;
    const char *missing; /* words separated by '|' */
    size_t missing_longest;
    char decimal;
    bool typed;
    const char *text;
};

/* Whether a row's cell of the column is anything but a number. */
static inline bool anb_column_is_typed(const AnbColumn *column)
{
    return column->kind != ANB_COLUMN_NUMBER && column->kind != ANB_COLUMN_BOOLEAN;
}

/* The caller's options over the defaults; NULL: the defaults. 0, or ANB_E_ARGUMENT for their size. */
int anb_schema_options_take(const AnbSchemaOptions *given, AnbSchemaOptions *own, AnbError *error);

/* The kinds of the columns as letters, as `columns` takes them. 0, or ANB_E_LIMIT with the reason for too many runs. */
int anb_schema_kinds(const AnbSchema *schema, AnbRuns *runs, AnbError *error);

/* The note of a snapshot that holds the text of the model's schema. */
#define ANB_SCHEMA_NOTE "anabranch.schema"

#endif
