/* A field of a node's state, by its name. */
#ifndef ANB_TESTS_STATE_FIELD_H
#define ANB_TESTS_STATE_FIELD_H

#include "src/host/model.h"
#include "src/numeric/fields.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <stdio.h>
#include <string.h>

typedef struct Place {
    AnbVisitor visitor;
    const char *after, *name; /* the first field `name` behind one called `after`; NULL: behind none, of any name */
    size_t skip, count;
    AnbScalar kind;
    void *data;
    char found[32];
} Place;

static inline void pass(AnbVisitor *visitor, void *data, AnbScalar kind, size_t count)
{
    Place *p = (Place *)visitor;
    if (p->after) {
        p->after = strcmp(visitor->name, p->after) == 0 ? NULL : p->after;
        return;
    }
    if (p->data || (p->name && strcmp(visitor->name, p->name) != 0) || p->skip-- > 0)
        return;
    p->data = data;
    p->kind = kind;
    p->count = count;
    snprintf(p->found, sizeof p->found, "%s", visitor->name);
}

static inline void *field_after(const StreamingLearner *model, size_t node, const char *after, const char *name,
                                AnbScalar kind, size_t at)
{
    const AnbNode *n = &model->plan->nodes[node];
    Place p = {.visitor = {.field = pass}, .after = after, .name = name};
    anb_visit_own(n, anb_state_of(model, n), &p.visitor);
    ck_assert_msg(p.data && p.kind == kind && at < p.count, "%s has no such field %s", anb_expression(model), name);
    return p.data;
}

/* The first field of that name that the node shows. */
static inline void *field_of(const StreamingLearner *model, size_t node, const char *name, AnbScalar kind, size_t at)
{
    return field_after(model, node, NULL, name, kind, at);
}

static inline double *real_at(const StreamingLearner *model, size_t node, const char *name, size_t at)
{
    return (double *)field_of(model, node, name, ANB_F64, at) + at;
}

#endif
