/* An incremental tree: where everything lies, the way down, what a snapshot sees. */
#include "cart.h"
#include "src/simd/kernels.h"

/* Growing leaves with their models of a tree take 3.6 MB at most, so that 20 trees of 128 features stay below 80 MB. */
enum { SLOTS_BYTES = 3600000, TRIED_MAX = 32, SLOTS_MIN = 4 };

static size_t rounded(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static uint32_t slots_that_fit(const AnbCartPlan *plan)
{
    size_t each = plan->tried * ANB_CODES * sizeof(AnbBin) + plan->rls_size * sizeof(double);
    size_t fit = SLOTS_BYTES / each < SLOTS_MIN ? SLOTS_MIN : SLOTS_BYTES / each;
    return fit < plan->slots ? (uint32_t)fit : plan->slots;
}

void anb_cart_layout(AnbCartPlan *plan)
{
    size_t d = plan->features, tried = (size_t)(plan->share * (double)d + .999999), at = sizeof(AnbCart);
    uint32_t leaves = plan->nodes / 2 + 1;
    bool rls = plan->leaf == ANB_LEAVES_RLS,
         linear = plan->leaf == ANB_LEAVES_ADAPTIVE || plan->leaf == ANB_LEAVES_LINEAR;
    plan->tried = tried < 1 ? 1 : tried > d ? d : tried;
    if (plan->tried > TRIED_MAX)
        plan->tried = TRIED_MAX;
    plan->stride = linear ? d + 1 : 0;
    plan->rls = (AnbRls){.n = d, .intercept = true, .delta = 1};
    plan->rls_size = rls ? (anb_rls_state(d) + 7) / 8 * 8 : 0;
    plan->slots = slots_that_fit(plan);
    plan->at_importance = at;
    plan->at_nodes = at += rounded(d * sizeof(double));
    plan->at_leaves = at += rounded(plan->nodes * sizeof(AnbCartNode));
    plan->at_model = at += rounded(leaves * sizeof(AnbCartLeaf));
    plan->at_slots = at += rounded(leaves * plan->stride * sizeof(double));
    plan->at_next = at += rounded(plan->slots * sizeof(AnbSlot));
    plan->at_index = at += rounded(plan->slots * sizeof(uint32_t));
    plan->at_bins = at += rounded(plan->slots * d * sizeof(uint32_t));
    plan->at_rls = at += plan->slots * plan->tried * ANB_CODES * sizeof(AnbBin);
    plan->bytes = at + plan->slots * plan->rls_size * sizeof(double);
}

void anb_cart_init(const AnbCartPlan *plan, AnbCart *cart)
{
    *cart = (AnbCart){.nodes_used = 1, .leaves_used = 1};
    anb_pool_init(&cart->pool, plan->slots);
    memset(anb_cart_importance(plan, cart), 0, plan->features * sizeof(double));
    *anb_cart_nodes(plan, cart) = (AnbCartNode){0};
    *anb_cart_leaf(plan, cart, 0) = (AnbCartLeaf){.low = 1, .high = 0, .slot = ANB_NO_SLOT};
    memset(anb_cart_model(plan, cart, 0), 0, plan->stride * sizeof(double));
}

AnbReached anb_cart_reach(const AnbCartPlan *plan, const AnbCart *cart, const double *x, const double *raw,
                          double *scratch)
{
    const AnbCartNode *nodes = (const AnbCartNode *)((const char *)cart + plan->at_nodes), *node = nodes;
    AnbReached out = {0};
    for (;;) {
        for (int r = 0; r < ANB_CART_RATES; r++)
            out.correction[r] += node->correction[r];
        if (node->child == 0)
            break;
        double v = raw[node->feature];
        bool right = v == v ? !(v <= node->threshold) : !node->missing_left;
        node = nodes + node->child + right;
    }
    out.node = (uint32_t)(node - nodes);
    out.leaf = node->leaf;
    anb_leaf_predict(plan, cart, out.leaf, x, scratch, &out);
    return out;
}

void anb_cart_learn(const AnbCartPlan *plan, AnbCart *cart, const AnbReached *at, const AnbCartSample *sample)
{
    cart->clock++;
    anb_leaf_learn(plan, cart, at, sample);
    anb_cart_grow(plan, cart, at->leaf, sample);
}

static void clamp(uint32_t *count, uint32_t least, uint32_t most)
{
    *count = *count < least ? least : *count > most ? most : *count;
}

static void visit_slot(const AnbCartPlan *plan, AnbCart *cart, uint32_t slot, AnbVisitor *visitor)
{
    AnbSlot *s = anb_cart_slot(plan, cart, slot);
    anb_visit(visitor, &s->count, ANB_F64, 5);
    anb_visit(visitor, &s->made, ANB_U64, 2);
    anb_visit(visitor, &s->leaf, ANB_U32, 1);
    anb_visit(visitor, anb_cart_index(plan, cart, slot), ANB_U32, plan->features);
    anb_visit(visitor, &anb_cart_bins(plan, cart, slot)->sum, ANB_F64, 2 * plan->tried * ANB_CODES);
    if (plan->rls_size > 0)
        anb_rls_visit(&plan->rls, anb_cart_rls(plan, cart, slot), visitor);
}

void anb_cart_visit(const AnbCartPlan *plan, AnbCart *cart, AnbVisitor *visitor)
{
    anb_visit(visitor, &cart->clock, ANB_U64, 1);
    anb_visit(visitor, &cart->nodes_used, ANB_U32, 2);
    clamp(&cart->nodes_used, 1, plan->nodes);
    clamp(&cart->leaves_used, 1, plan->nodes / 2 + 1);
    anb_pool_visit(&cart->pool, anb_cart_next(plan, cart), plan->slots, visitor);
    anb_visit(visitor, anb_cart_importance(plan, cart), ANB_F64, plan->features);
    for (uint32_t i = 0; i < cart->nodes_used; i++) {
        AnbCartNode *node = anb_cart_nodes(plan, cart) + i;
        anb_visit(visitor, &node->threshold, ANB_F64, 1);
        anb_visit(visitor, &node->child, ANB_U32, 6);
        anb_visit(visitor, node->correction, ANB_F64, ANB_CART_RATES);
    }
    for (uint32_t i = 0; i < cart->leaves_used; i++) {
        AnbCartLeaf *leaf = anb_cart_leaf(plan, cart, i);
        anb_visit(visitor, &leaf->count, ANB_F64, 10);
        anb_visit(visitor, &leaf->start, ANB_U64, 1);
        anb_visit(visitor, &leaf->node, ANB_U32, 2);
        anb_visit(visitor, anb_cart_model(plan, cart, i), ANB_F64, plan->stride);
    }
    for (uint32_t i = 0; i < cart->pool.used; i++)
        if (anb_pool_taken(&cart->pool, anb_cart_next(plan, cart), i))
            visit_slot(plan, cart, i, visitor);
}

static bool valid_node(const AnbCartPlan *plan, const AnbCart *cart, const AnbCartNode *nodes, uint32_t i)
{
    const AnbCartNode *node = nodes + i;
    bool parent = i == 0 ? node->parent == 0 && node->depth == 0
                         : node->parent < i && node->depth == nodes[node->parent].depth + 1;
    if (!parent || node->depth > ANB_CART_DEPTH || node->threshold - node->threshold != 0 ||
        anb_nonfinite(node->correction, ANB_CART_RATES) != 0)
        return false;
    if (node->child == 0)
        return node->leaf < cart->leaves_used;
    return node->child > i && node->child + 1 < cart->nodes_used && node->feature < plan->features;
}

/* Counts, means and faded errors are finite; a sum of squared errors may have left the doubles, but is a number. */
static bool valid_values(const AnbCartLeaf *leaf)
{
    bool range = leaf->low > leaf->high || anb_nonfinite(&leaf->low, 2) == 0;
    bool errors = leaf->mean_error >= 0 && leaf->model_error >= 0 && leaf->loss >= 0;
    return range && errors && anb_nonfinite(&leaf->count, 3) == 0 && leaf->count >= 0 &&
           anb_nonfinite(&leaf->mean_error, 3) == 0 && leaf->model_count >= 0 && leaf->since >= 0;
}

static bool valid_leaf(const AnbCartPlan *plan, AnbCart *cart, const AnbCartNode *nodes, uint32_t i)
{
    const AnbCartLeaf *leaf = anb_cart_leaf(plan, cart, i);
    if (leaf->node >= cart->nodes_used || nodes[leaf->node].child != 0 || nodes[leaf->node].leaf != i)
        return false;
    if (!valid_values(leaf) || anb_nonfinite(anb_cart_model(plan, cart, i), plan->stride) != 0)
        return false;
    return leaf->slot == ANB_NO_SLOT || (anb_pool_taken(&cart->pool, anb_cart_next(plan, cart), leaf->slot) &&
                                         anb_cart_slot(plan, cart, leaf->slot)->leaf == i);
}

static bool valid_slot(const AnbCartPlan *plan, AnbCart *cart, uint32_t i)
{
    const AnbSlot *slot = anb_cart_slot(plan, cart, i);
    uint32_t leaf = slot->leaf;
    if (!anb_pool_taken(&cart->pool, anb_cart_next(plan, cart), i))
        return true;
    if (leaf >= cart->leaves_used || anb_cart_leaf(plan, cart, leaf)->slot != i)
        return false;
    if (!(slot->count >= 0) || anb_nonfinite(&slot->count, 5) != 0 ||
        anb_nonfinite(&anb_cart_bins(plan, cart, i)->sum, 2 * plan->tried * ANB_CODES) != 0 ||
        (plan->rls_size > 0 && anb_rls_validate(&plan->rls, anb_cart_rls(plan, cart, i), NULL)))
        return false;
    for (size_t k = 0; k < plan->features; k++)
        if (anb_cart_index(plan, cart, i)[k] >= plan->features)
            return false;
    return true;
}

bool anb_cart_valid(const AnbCartPlan *plan, const AnbCart *cart)
{
    AnbCart *tree = (AnbCart *)(uintptr_t)cart; /* read only */
    const AnbCartNode *nodes = anb_cart_nodes(plan, tree);
    if (cart->nodes_used != 2 * cart->leaves_used - 1 || !anb_pool_valid(&cart->pool, anb_cart_next(plan, tree)))
        return false;
    for (uint32_t i = 0; i < cart->nodes_used; i++)
        if (!valid_node(plan, cart, nodes, i))
            return false;
    for (uint32_t i = 0; i < cart->leaves_used; i++)
        if (!valid_leaf(plan, tree, nodes, i))
            return false;
    for (uint32_t i = 0; i < cart->pool.used; i++)
        if (!valid_slot(plan, tree, i))
            return false;
    return true;
}
