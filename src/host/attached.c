/* Data that only few models have, in memory of their own: see AnbAttached in model.h. */
#include "model.h"

AnbAttached *anb_attach(StreamingLearner *model)
{
    const AnbPlan *plan = model->plan;
    if (model->attached)
        return model->attached;
    AnbAttached *attached = plan->allocator.alloc(sizeof *attached, plan->allocator.context);
    if (attached)
        *attached = (AnbAttached){.seed = plan->seed};
    return model->attached = attached;
}

size_t anb_attached_bytes(const StreamingLearner *model)
{
    return model->attached ? sizeof *model->attached + anb_sources_bytes(anb_sources_of(model)) : 0;
}

void anb_detach(StreamingLearner *model)
{
    const AnbPlan *plan = model->plan;
    AnbAttached *attached = model->attached;
    if (!attached || attached->schema || attached->sources || attached->threads || attached->seed != plan->seed)
        return;
    plan->allocator.free(attached, plan->allocator.context);
    model->attached = NULL;
}
