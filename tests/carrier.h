/* A visitor that copies the visited fields from one block to another, as a snapshot would. */
#ifndef ANB_TESTS_CARRIER_H
#define ANB_TESTS_CARRIER_H

#include <anabranch/field.h>
#include <string.h>

typedef struct Carrier {
    AnbVisitor visitor;
    unsigned char *from, *to;
} Carrier;

static inline void carry(AnbVisitor *visitor, void *data, AnbScalar kind, size_t count)
{
    static const size_t bytes[] = {1, 2, 4, 8, 4, 8};
    Carrier *c = (Carrier *)visitor;
    memcpy(c->to + ((unsigned char *)data - c->from), data, bytes[kind] * count);
}

static inline Carrier carrier(const void *from, void *to)
{
    return (Carrier){{.field = carry}, (unsigned char *)from, to};
}

#endif
