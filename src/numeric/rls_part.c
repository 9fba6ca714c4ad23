/* An RLS as a part of a node's state. */
#include "rls_single.h"

static AnbRls of_field(const AnbNode *self, const AnbField *field)
{
    return ((const AnbRlsForm *)field->form)->of(self);
}

static size_t part_size(const AnbNode *self, const AnbField *field)
{
    AnbRls rls = of_field(self, field);
    return (rls.single ? anb_rls_single_state(&rls) : anb_rls_state(rls.n)) * sizeof(double);
}

static void part_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    AnbRls rls = of_field(self, field);
    (void)state;
    anb_rls_visit(&rls, part, visitor);
}

static int part_validate(const AnbNode *self, const AnbField *field, const void *state, const void *part,
                         AnbError *error)
{
    AnbRls rls = of_field(self, field);
    (void)state;
    return anb_rls_validate(&rls, part, error);
}

const AnbPart anb_rls_part = {part_size, part_visit, part_validate};
