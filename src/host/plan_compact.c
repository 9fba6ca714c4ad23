/* Small models: states without gaps, no scratch from call to call. */
#include "plan.h"
#include "src/numeric/fields.h"

enum {
    COMPACT_ALIGN = 8,
    COMPACT_MOST = 4096 /* bytes of a block; larger ones gain more by states on lines of their own than gaps cost */
};

static bool all_compact(const AnbPlan *plan)
{
    for (size_t i = 0; i < plan->n_nodes; i++)
        if (!(plan->nodes[i].type->flags & ANB_COMPACT))
            return false;
    return true;
}

/* The states behind each other without gaps; scratches stay where they are. */
static void close_up(AnbNode *node)
{
    size_t parts = node->n_children + (node->router != NULL);
    node->state_size = anb_round_up(anb_fields_layout(node->type->fields, node, NULL), COMPACT_ALIGN);
    node->subtree_size = node->state_size;
    for (size_t i = 0; i < parts; i++) {
        AnbNode *child = anb_view_of(&node->children[i]);
        close_up(child);
        child->state_offset = node->subtree_size;
        node->subtree_size += child->subtree_size;
    }
}

void anb_plan_close_up(AnbPlan *plan)
{
    bool compact = all_compact(plan);
    plan->align = ANB_ALIGN;
    plan->passing = compact && plan->nodes[0].scratch_size <= ANB_PASSING_MOST;
    if (!compact || plan->nodes[0].subtree_size > COMPACT_MOST)
        return;
    plan->align = COMPACT_ALIGN;
    close_up(&plan->nodes[0]);
}
