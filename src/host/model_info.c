/* Properties of a whole model: sizes, counters, the expression, equality. */
#include "bytes.h"
#include "model.h"
#include <anabranch/host.h>

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
    return anb_seed_of(model);
}

size_t anb_state_bytes(const StreamingLearner *model)
{
    return anb_block_bytes(model->plan);
}

size_t anb_clone_bytes(const StreamingLearner *model)
{
    return anb_model_bytes(model->plan) + anb_attached_bytes(model);
}

size_t anb_total_bytes(const StreamingLearner *model)
{
    return anb_clone_bytes(model) + model->plan->bytes;
}

const char *anb_expression(const StreamingLearner *model)
{
    return model->plan->expression;
}

const char *anb_full_expression(const StreamingLearner *model)
{
    return model->plan->full_expression;
}

bool anb_takes_missing(const StreamingLearner *model)
{
    return model->plan->takes_missing;
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

/* Compares the fields of two states. A field of the block is compared with the bytes at the same place of the other
 * block; one that a foreign type keeps elsewhere, with the field that the other state shows at the same position. A
 * field's length may depend on the block it is read from, so both blocks are walked. */
typedef struct Comparison {
    AnbVisitor visitor;
    const AnbNode *node;
    unsigned char *mine, *other; /* the node's states */
    size_t shown;                /* fields so far */
    bool equal;
} Comparison;

typedef struct Search {
    AnbVisitor visitor;
    size_t skip;
    const void *data; /* of the field behind those skipped, or NULL */
    size_t size;
} Search;

static void find_field(AnbVisitor *visitor, void *data, AnbScalar kind, size_t count)
{
    Search *s = (Search *)visitor;
    if (s->skip-- == 0) {
        s->data = data;
        s->size = anb_scalar_bytes(kind) * count;
    }
}

static void compare(AnbVisitor *visitor, void *data, AnbScalar kind, size_t count)
{
    Comparison *c = (Comparison *)visitor;
    size_t size = anb_scalar_bytes(kind) * count, index = c->shown++;
    if (!c->equal)
        return;
    if (anb_field_inside(c->node, c->mine, data, size)) {
        c->equal = memcmp(data, c->other + ((unsigned char *)data - c->mine), size) == 0;
        return;
    }
    Search s = {.visitor = {find_field}, .skip = index};
    anb_visit_own(c->node, c->other, &s.visitor);
    c->equal = s.data && s.size == size && memcmp(data, s.data, size) == 0;
}

static void pass_over(AnbVisitor *visitor, void *data, AnbScalar kind, size_t count)
{
    (void)visitor, (void)data, (void)kind, (void)count;
}

/* Visits the other state first, so that its deferred work is done when its bytes are read. */
static bool covers(const AnbNode *node, void *a, void *b)
{
    size_t parts = node->n_children + (node->router != NULL);
    AnbVisitor nobody = {.field = pass_over};
    Comparison c = {.visitor = {.field = compare}, .node = node, .mine = a, .other = b, .equal = true};
    anb_visit_own(node, b, &nobody);
    anb_visit_own(node, a, &c.visitor);
    for (size_t i = 0; i < parts && c.equal; i++) {
        const AnbNode *child = &node->children[i];
        c.equal = covers(child, anb_child_state(child, a), anb_child_state(child, b));
    }
    return c.equal;
}

bool anb_equal(const StreamingLearner *a, const StreamingLearner *b)
{
    const AnbNode *root = &a->plan->nodes[0];
    return anb_plans_alike(a->plan, b->plan) && anb_sources_equal(a, b) && covers(root, anb_block(a), anb_block(b)) &&
           covers(root, anb_block(b), anb_block(a));
}

static bool same_allocator(const AnbAllocator *a, const AnbAllocator *b)
{
    return a->alloc == b->alloc && a->free == b->free && a->context == b->context;
}

bool anb_reads_seed(const StreamingLearner *model)
{
    return model->plan->reads_seed;
}

bool anb_share_plan(StreamingLearner *model, const StreamingLearner *with)
{
    AnbPlan *mine = model->plan, *other = with->plan;
    if (mine == other)
        return true;
    if (!anb_plans_fit(mine, other) || !same_allocator(&mine->allocator, &other->allocator))
        return false;
    if (anb_seed_of(model) != other->seed && !anb_attach(model))
        return false;
    model->plan = anb_plan_keep(other);
    anb_plan_drop(mine);
    return true;
}
