/* Mini-batches: calls the routers that bound them at the begin and the end of each. */
#include "model.h"
#include <anabranch/moe.h>

/* The table of a node that is a router and bounds batches, or NULL. */
static const AnbBatchTable *batches(const AnbNode *node)
{
    bool router = node->parent && node->parent->router == node;
    return router ? anb_router_type(node)->batch : NULL;
}

static void begin(StreamingLearner *model, size_t samples)
{
    const AnbPlan *plan = model->plan;
    for (size_t i = 0; i < plan->n_nodes; i++) {
        const AnbNode *node = &plan->nodes[i];
        const AnbBatchTable *table = batches(node);
        if (table)
            table->begin(node, anb_scratch_of(model, node), samples);
    }
}

static size_t end(StreamingLearner *model)
{
    const AnbPlan *plan = model->plan;
    size_t overflowed = 0;
    for (size_t i = 0; i < plan->n_nodes; i++) {
        const AnbNode *node = &plan->nodes[i];
        const AnbBatchTable *table = batches(node);
        overflowed += table ? table->end(node, anb_scratch_of(model, node)) : 0;
    }
    return overflowed;
}

size_t anb_train_batch(StreamingLearner *model, const double *x, const double *y, const double *weight, size_t n,
                       double *out)
{
    if (n == 0)
        return 0;
    begin(model, n);
    anb_train_many(model, x, y, weight, n, out);
    return end(model);
}
