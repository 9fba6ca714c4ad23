#include "scheduler.h"

static size_t size(const AnbNode *self, const AnbField *field)
{
    (void)self, (void)field;
    return sizeof(AnbScheduler *);
}

/* A field of the scratch: nothing is saved. */
static void visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    (void)self, (void)field, (void)state, (void)part, (void)visitor;
}

const AnbPart anb_scheduler_part = {size, visit, NULL};
