/* Whether two plans make the same model. */
#include "plan.h"
#include <string.h>

bool anb_plans_alike(const AnbPlan *a, const AnbPlan *b)
{
    bool seeds = a->seed == b->seed || !(a->reads_seed || b->reads_seed);
    return a == b ||
           (seeds && a->nodes[0].n_features == b->nodes[0].n_features && strcmp(a->expression, b->expression) == 0);
}

/* The caller's own types need not be the same under one name: every node's type has to be. */
static bool same_types(const AnbPlan *a, const AnbPlan *b)
{
    if (a->n_nodes != b->n_nodes)
        return false;
    for (size_t i = 0; i < a->n_nodes; i++)
        if (a->nodes[i].type != b->nodes[i].type)
            return false;
    return true;
}

bool anb_plans_fit(const AnbPlan *a, const AnbPlan *b)
{
    return anb_plans_alike(a, b) && same_types(a, b);
}
