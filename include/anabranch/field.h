/*
 * The fields of a type's state and scratch. One table a type determines the size of the state, the offset of each
 * field, what a snapshot writes, what anb_equal compares, and the checks after loading.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_FIELD_H
#define ANABRANCH_FIELD_H

#include <anabranch/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- visitors ---------------------------------------------------------------------------------------------------- */

typedef enum AnbScalar { ANB_U8, ANB_U16, ANB_U32, ANB_U64, ANB_F32, ANB_F64 } AnbScalar;

/**
 * What is called for every used field of a state, in a fixed order: by a snapshot that is saved or loaded, by
 * anb_equal. It reads the fields or, while loading, writes them.
 */
typedef struct AnbVisitor AnbVisitor;
struct AnbVisitor {
    /* One field: `count` scalars at `data`. */
    void (*field)(AnbVisitor *self, void *data, AnbScalar kind, size_t count);
    /* Optional; only of visitors that read. A type with deferred work calls it in place of `field`, with the contents
     * that the field at `data` would have once that work is applied; `value` is valid during the call. Where it is
     * NULL, the type applies the work first and calls `field`. Where it is there a type writes nothing into its state,
     * so that a model is saved while others read it. */
    void (*value)(AnbVisitor *self, void *data, const void *value, AnbScalar kind, size_t count);
    unsigned version; /* of the layout that is read; 0: the type's own */
    const char *name; /* of the field being shown */
};

/* Shows one array of scalars to a visitor; an AnbPart and `upgrade` use it. */
static inline void anb_visit(AnbVisitor *v, const char *name, void *data, AnbScalar kind, size_t count)
{
    v->name = name;
    if (count > 0)
        v->field(v, data, kind, count);
}

/* Whether the layout being read has a field that came with version `since` of the type. */
static inline bool anb_visits_since(const AnbVisitor *v, unsigned since)
{
    return v->version == 0 || v->version >= since;
}

/* ---- tables of fields -------------------------------------------------------------------------------------------- */

/** AnbField.must: what loading a snapshot checks of the values, how the field is aligned, whether it is saved. */
enum {
    ANB_FINITE = 1,       /* reals: neither infinite nor NaN */
    ANB_NOT_NEGATIVE = 2, /* reals: >= 0, not NaN */
    ANB_ALIGNED = 4,      /* starts on a 64-byte boundary */
    ANB_DERIVED = 8       /* computed from other fields or from the plan: neither saved nor compared nor checked */
};

typedef struct AnbField AnbField;

/**
 * A field whose contents are described by functions, such as an RLS or a tree. It starts at `part`, inside `state`, the
 * node's own state.
 */
typedef struct AnbPart {
    /* Bytes; depends on the plan alone. */
    size_t (*size)(const AnbNode *self, const AnbField *field);
    /* Shows every used value to the visitor, in a fixed order. Counts may have just been read from a damaged file:
     * clamp them before they bound a later field. */
    void (*visit)(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor);
    /* Optional: 0 or ANB_E_STATE. */
    int (*validate)(const AnbNode *self, const AnbField *field, const void *state, const void *part, AnbError *error);
} AnbPart;

/**
 * One field: an array of scalars, an array of structs (`stride`, `record`), or one part. A table of fields ends with
 * {0}.
 *
 * A type's table `fields` lists them in the order in which a snapshot writes them. In memory they lie in the same order
 * from the start of the state, each on its alignment: that of its scalar; 8 bytes for structs; 64 for parts and with
 * ANB_ALIGNED. An array that directly follows a struct can therefore be that struct's flexible array member.
 * A type's table `scratch` describes its scratch in the same way.
 *
 * `count` is the capacity and depends on the plan alone. `used` says how many items are in use; it may read the fields
 * before its own. The result is clamped to the capacity, because those fields may come from a damaged file.
 */
struct AnbField {
    const char *name;
    AnbScalar kind;                                         /* of scalars */
    unsigned must;                                          /* ANB_FINITE | ANB_NOT_NEGATIVE | ... */
    size_t fixed;                                           /* items, where there is no `count` */
    size_t (*count)(const AnbNode *self);                   /* items, a function of the plan */
    size_t (*used)(const AnbNode *self, const void *state); /* items in use; NULL: all; of a part: 0 where unused.
                                                               Not for members */
    uint64_t (*most)(const AnbNode *self);                  /* of whole numbers: the largest allowed; NULL: any */
    const AnbField *record;                                 /* of structs: a table of their members */
    size_t stride;                                          /* of structs: sizeof */
    const AnbPart *part;                                    /* of a part */
    const void *form;                                       /* of a part: constant data for its functions */
    size_t offset;                                          /* of a member: in its struct */
    /* The version of the type that added the field; 0: the first one. Where an older layout is read, the field keeps
     * its initial value: for types with ANB_READS_OLDER, and those whose `upgrade` reads fields. */
    unsigned since;
};

/* clang-format off */
/* The kind of a scalar or of the elements of an array. */
#define ANB_KIND_OF(value)                                                                                             \
    _Generic((value),                                                                                                  \
        bool: ANB_U8, uint8_t: ANB_U8, uint16_t: ANB_U16, uint32_t: ANB_U32, uint64_t: ANB_U64, float: ANB_F32,        \
        double: ANB_F64, uint8_t *: ANB_U8, uint16_t *: ANB_U16, uint32_t *: ANB_U32, uint64_t *: ANB_U64,             \
        float *: ANB_F32, double *: ANB_F64)
/* clang-format on */

/* Bytes of a scalar; a constant. */
#define ANB_SCALAR_BYTES(kind)                                                                                         \
    ((size_t)((kind) == ANB_U8 ? 1 : (kind) == ANB_U16 ? 2 : (kind) == ANB_U32 || (kind) == ANB_F32 ? 4 : 8))

#define ANB_MEMBER_OF(Struct, member) (((Struct *)0)->member)

/* A member of a struct, a scalar or an array of scalars: its kind and length follow from its type. */
#define ANB_MEMBER(Struct, member)                                                                                     \
    .name = #member, .kind = ANB_KIND_OF(ANB_MEMBER_OF(Struct, member)), .offset = offsetof(Struct, member),           \
    .fixed = sizeof ANB_MEMBER_OF(Struct, member) / ANB_SCALAR_BYTES(ANB_KIND_OF(ANB_MEMBER_OF(Struct, member)))

/* A member that is a struct or an array of structs of type Inner, whose members `table` declares. */
#define ANB_INNER(Struct, member, Inner, table)                                                                        \
    .name = #member, .record = (table), .stride = sizeof(Inner), .offset = offsetof(Struct, member),                   \
    .fixed = sizeof ANB_MEMBER_OF(Struct, member) / sizeof(Inner)

/* One struct as a field of a state or a scratch. */
#define ANB_STRUCT(Struct, table) .name = #Struct, .record = (table), .stride = sizeof(Struct), .fixed = 1

/* One struct of a scratch. Its members are not described: nothing saves or checks them. */
#define ANB_SCRATCH_STRUCT(Struct) .name = #Struct, .stride = sizeof(Struct), .fixed = 1

#ifdef __cplusplus
}
#endif
#endif
