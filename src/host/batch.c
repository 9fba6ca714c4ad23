/* Mini-batches: the routers that bound them are told when one begins and ends. */
#include "model.h"
#include <anabranch/moe.h>

static void turn(StreamingLearner *model, AnbBatch *batch)
{
    const AnbPlan *plan = model->plan;
    for (size_t i = 0; i < plan->n_nodes; i++) {
        const AnbNode *node = &plan->nodes[i];
        bool router = node->parent && node->parent->router == node;
        if (router && node->type->query)
            node->type->query(node, anb_state_of(model, node), NULL, anb_scratch_of(model, node), ANB_QUERY_BATCH,
                              batch);
    }
}

size_t anb_train_batch(StreamingLearner *model, const double *x, const double *y, const double *weight, size_t n,
                       double *out)
{
    AnbBatch batch = {.samples = n};
    if (n == 0)
        return 0;
    turn(model, &batch);
    anb_train_many(model, x, y, weight, n, out);
    batch.samples = 0;
    turn(model, &batch);
    return batch.overflowed;
}
