/* Plans of new models, which are refused some options that snapshots may hold. */
#include "params.h"
#include "plan.h"

AnbPlan *anb_plan_asked(size_t n_features, const AnbExpert *root, const AnbModelOptions *options, AnbError *error)
{
    AnbPlan *plan = anb_plan_new(n_features, root, options, error);
    for (size_t i = 0; plan && i < plan->n_nodes; i++)
        if (anb_params_distinct(plan->nodes[i].type, plan->nodes[i].options, error)) {
            anb_plan_drop(plan);
            plan = NULL;
        }
    return plan;
}
