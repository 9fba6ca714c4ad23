/*
 * Fields of a state as little-endian bytes, whatever the processor.
 *
 * AnbFieldReader reads the fields of a state of an older layout, for a type's `upgrade`: a visitor that takes each
 * field from the bytes of a snapshot, little-endian, in the order in which the older layout showed them.
 *
 *     AnbFieldReader reader = anb_field_reader(bytes, size);
 *     anb_visit(&reader.visitor, "name", ...);
 *     return anb_fields_end(&reader);
 *
 * A count that has just been read is clamped before it bounds a later field.
 */
#ifndef ANB_TEXT_FIELD_READER_H
#define ANB_TEXT_FIELD_READER_H

#include <anabranch/type.h>
#include <string.h>

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

typedef struct AnbFieldReader {
    AnbVisitor visitor;
    const unsigned char *at, *end;
    bool short_of; /* there were fewer bytes than fields */
} AnbFieldReader;

static inline void anb_field_take(AnbVisitor *visitor, void *data, AnbScalar kind, size_t count)
{
    AnbFieldReader *r = (AnbFieldReader *)visitor;
    size_t width = anb_scalar_bytes(kind);
    if (r->short_of || width * count > (size_t)(r->end - r->at)) {
        r->short_of = true;
        return;
    }
    anb_copy_scalars(data, r->at, width, count);
    r->at += width * count;
}

static inline AnbFieldReader anb_field_reader(const unsigned char *bytes, size_t size)
{
    return (AnbFieldReader){{anb_field_take}, bytes, bytes + size, false};
}

/* 0, or ANB_E_STATE where the bytes did not end with the fields. */
static inline int anb_fields_end(const AnbFieldReader *reader)
{
    return reader->short_of || reader->at != reader->end ? ANB_E_STATE : 0;
}

#endif
