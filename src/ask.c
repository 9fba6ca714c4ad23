/* What can be asked of a whole model: sizes, counters, the expression, equality. */
#include "bytes.h"
#include "model.h"

uint64_t anb_n_samples_seen(const StreamingLearner *model)
{
    return model->counters.trained;
}

size_t anb_n_features(const StreamingLearner *model)
{
    return model->plan->nodes[0].n_features;
}

const AnbCounters *anb_counters(const StreamingLearner *model)
{
    return &model->counters;
}

uint64_t anb_seed(const StreamingLearner *model)
{
    return model->plan->seed;
}

size_t anb_state_bytes(const StreamingLearner *model)
{
    return anb_block_bytes(model->plan);
}

size_t anb_total_bytes(const StreamingLearner *model)
{
    size_t scratch = model->plan->nodes[0].scratch_size * sizeof(double);
    return sizeof *model + anb_block_bytes(model->plan) + scratch + 2 * ANB_ALIGN + model->plan->bytes;
}

const char *anb_expression(const StreamingLearner *model)
{
    return model->plan->expression;
}

bool anb_takes_missing(const StreamingLearner *model)
{
    return model->plan->takes_missing;
}

/* ---- fields ----------------------------------------------------------------------------------------------------------- */

static void visit_tree(const AnbNode *node, void *state, AnbVisitor *visitor)
{
    size_t parts = node->n_children + (node->router != NULL);
    anb_visit_own(node, state, visitor);
    for (size_t i = 0; i < parts; i++)
        visit_tree(&node->children[i], anb_child_state(&node->children[i], state), visitor);
}

void anb_visit_block(const AnbPlan *plan, void *block, AnbVisitor *visitor)
{
    visit_tree(&plan->nodes[0], block, visitor);
}

/* Every field of one block against the bytes at the same place of the other. A field's length may depend on the block it
 * is read from, so both blocks are walked. */
typedef struct Comparison {
    AnbVisitor visitor;
    const unsigned char *mine, *other;
    bool equal;
} Comparison;

static void compare(AnbVisitor *visitor, void *data, AnbScalar kind, size_t count)
{
    Comparison *c = (Comparison *)visitor;
    size_t offset = (size_t)((const unsigned char *)data - c->mine);
    c->equal = c->equal && memcmp(data, c->other + offset, anb_scalar_bytes(kind) * count) == 0;
}

static bool covers(const StreamingLearner *a, const StreamingLearner *b)
{
    Comparison c = {{compare}, a->block, b->block, true};
    anb_visit_block(a->plan, a->block, &c.visitor);
    return c.equal;
}

static bool alike(const AnbPlan *a, const AnbPlan *b)
{
    return a == b || (a->nodes[0].n_features == b->nodes[0].n_features && a->seed == b->seed &&
                      strcmp(a->expression, b->expression) == 0);
}

bool anb_equal(const StreamingLearner *a, const StreamingLearner *b)
{
    return alike(a->plan, b->plan) && covers(a, b) && covers(b, a);
}

static bool same_allocator(const AnbAllocator *a, const AnbAllocator *b)
{
    return a->alloc == b->alloc && a->free == b->free && a->context == b->context;
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

bool anb_share_plan(StreamingLearner *model, const StreamingLearner *with)
{
    AnbPlan *mine = model->plan, *other = with->plan;
    if (mine == other)
        return true;
    if (!alike(mine, other) || !same_types(mine, other) || !same_allocator(&mine->allocator, &other->allocator))
        return false;
    model->plan = anb_plan_keep(other);
    anb_plan_drop(mine);
    return true;
}
