/* Readers: scratch and counters for predicting by a model that other threads use as well. */
#include "model.h"
#include "src/text/given.h"
#include <anabranch/host.h>

AnbReader *anb_reader_new(const StreamingLearner *model, AnbError *error)
{
    if (!anb_given(model, "model", error))
        return NULL;
    AnbPlan *plan = model->plan;
    size_t size = anb_reader_bytes(plan);
    void *memory = plan->allocator.alloc(size, plan->allocator.context);
    if (!memory) {
        anb_fail(error, ANB_E_MEMORY, "out of memory");
        return NULL;
    }
    memset(memory, 0, size);
    AnbReader *reader = memory;
    reader->plan = anb_plan_keep(plan);
    reader->memory = memory;
    reader->scratch = anb_aligned(reader + 1);
    return reader;
}

void anb_reader_free(AnbReader *reader)
{
    if (!reader)
        return;
    AnbPlan *plan = reader->plan;
    plan->allocator.free(reader->memory, plan->allocator.context);
    anb_plan_drop(plan);
}

const AnbCounters *anb_reader_counters(const AnbReader *reader)
{
    return &reader->counters;
}
