#include "crew.h"

static size_t size(const AnbNode *self, const AnbField *field)
{
    (void)self, (void)field;
    return sizeof(AnbCrew *);
}

/* A field of the scratch: nothing is saved. */
static void visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    (void)self, (void)field, (void)state, (void)part, (void)visitor;
}

const AnbPart anb_crew_part = {size, visit, NULL};
