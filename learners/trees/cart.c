/* An incremental tree: its layout in memory, the walk to a leaf, saving. */
#include "cart.h"
#include "src/numeric/fields.h"
#include "src/numeric/places.h"
#include "src/simd/kernels.h"

/* Growing leaves with their models of a tree take 3.6 MB at most, so that 20 trees of 128 features stay below 80 MB. */
enum { SLOTS_BYTES = 3600000, TRIED_MAX = 32, SLOTS_MIN = 4 };

static uint32_t slots_that_fit(const AnbCartPlan *plan)
{
    size_t each = plan->tried * ANB_CODES * sizeof(AnbBin) + plan->rls_size * sizeof(double);
    size_t fit = SLOTS_BYTES / each < SLOTS_MIN ? SLOTS_MIN : SLOTS_BYTES / each;
    return fit < plan->slots ? (uint32_t)fit : plan->slots;
}

void anb_cart_layout(AnbCartPlan *plan)
{
    size_t d = plan->features, tried = (size_t)(plan->share * (double)d + .999999);
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
    size_t end = 0;
    anb_place(&end, sizeof(AnbCart)); /* at 0 */
    plan->at_importance = anb_place(&end, d * sizeof(double));
    plan->at_nodes = anb_place(&end, plan->nodes * sizeof(AnbCartNode));
    plan->at_leaves = anb_place(&end, leaves * sizeof(AnbCartLeaf));
    plan->at_model = anb_place(&end, leaves * plan->stride * sizeof(double));
    plan->at_slots = anb_place(&end, plan->slots * sizeof(AnbSlot));
    plan->at_next = anb_place(&end, plan->slots * sizeof(uint32_t));
    plan->at_index = anb_place(&end, plan->slots * d * sizeof(uint32_t));
    plan->at_bins = anb_place(&end, plan->slots * plan->tried * ANB_CODES * sizeof(AnbBin));
    plan->at_rls = anb_place(&end, plan->slots * plan->rls_size * sizeof(double));
    plan->bytes = end;
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

static const AnbField slot_fields[] = {{ANB_MEMBER(AnbSlot, count), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                       {ANB_MEMBER(AnbSlot, sum), .must = ANB_FINITE},
                                       {ANB_MEMBER(AnbSlot, squares), .must = ANB_FINITE},
                                       {ANB_MEMBER(AnbSlot, reference), .must = ANB_FINITE},
                                       {ANB_MEMBER(AnbSlot, offset), .must = ANB_FINITE},
                                       {ANB_MEMBER(AnbSlot, made)},
                                       {ANB_MEMBER(AnbSlot, born)},
                                       {ANB_MEMBER(AnbSlot, leaf)},
                                       {ANB_MEMBER(AnbSlot, gain), .must = ANB_FINITE | ANB_NOT_NEGATIVE, .since = 3},
                                       {ANB_MEMBER(AnbSlot, looked), .since = 3},
                                       {ANB_MEMBER(AnbSlot, best), .since = 3},
                                       {0}};

static const AnbField bin_fields[] = {
    {ANB_MEMBER(AnbBin, sum), .must = ANB_FINITE}, {ANB_MEMBER(AnbBin, count), .must = ANB_FINITE}, {0}};

static const AnbField node_fields[] = {{ANB_MEMBER(AnbCartNode, threshold), .must = ANB_FINITE},
                                       {ANB_MEMBER(AnbCartNode, child)},
                                       {ANB_MEMBER(AnbCartNode, parent)},
                                       {ANB_MEMBER(AnbCartNode, feature)},
                                       {ANB_MEMBER(AnbCartNode, leaf)},
                                       {ANB_MEMBER(AnbCartNode, missing_left)},
                                       {ANB_MEMBER(AnbCartNode, depth)},
                                       {ANB_MEMBER(AnbCartNode, correction), .must = ANB_FINITE},
                                       {0}};

/* A sum of squared errors may have left the doubles, but is a number; low and high are infinite at first. */
static const AnbField leaf_fields[] = {{ANB_MEMBER(AnbCartLeaf, count), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                       {ANB_MEMBER(AnbCartLeaf, mean), .must = ANB_FINITE},
                                       {ANB_MEMBER(AnbCartLeaf, prior), .must = ANB_FINITE},
                                       {ANB_MEMBER(AnbCartLeaf, low)},
                                       {ANB_MEMBER(AnbCartLeaf, high)},
                                       {ANB_MEMBER(AnbCartLeaf, mean_error), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                       {ANB_MEMBER(AnbCartLeaf, model_error), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                       {ANB_MEMBER(AnbCartLeaf, model_count), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                       {ANB_MEMBER(AnbCartLeaf, since), .must = ANB_NOT_NEGATIVE},
                                       {ANB_MEMBER(AnbCartLeaf, loss), .must = ANB_NOT_NEGATIVE},
                                       {ANB_MEMBER(AnbCartLeaf, start)},
                                       {ANB_MEMBER(AnbCartLeaf, node)},
                                       {ANB_MEMBER(AnbCartLeaf, slot)},
                                       {0}};

/* Bins of a slot's histogram: none before its first sample. */
static size_t bins_used(const AnbCartPlan *plan, const AnbSlot *slot)
{
    return slot->made != ANB_SLOT_FRESH ? plan->tried * ANB_CODES : 0;
}

static void visit_slot(const AnbCartPlan *plan, AnbCart *cart, uint32_t slot, AnbVisitor *visitor)
{
    AnbSlot *s = anb_cart_slot(plan, cart, slot);
    AnbBin *bins = anb_cart_bins(plan, cart, slot);
    anb_struct_visit(slot_fields, s, visitor);
    anb_visit(visitor, "index", anb_cart_index(plan, cart, slot), ANB_U32, plan->features);
    for (size_t i = 0; i < bins_used(plan, s); i++)
        anb_struct_visit(bin_fields, &bins[i], visitor);
    if (plan->rls_size > 0)
        anb_rls_visit(&plan->rls, anb_cart_rls(plan, cart, slot), visitor);
}

void anb_cart_visit(const AnbCartPlan *plan, AnbCart *cart, AnbVisitor *visitor)
{
    static const AnbField head[] = {
        {ANB_MEMBER(AnbCart, clock)}, {ANB_MEMBER(AnbCart, nodes_used)}, {ANB_MEMBER(AnbCart, leaves_used)}, {0}};
    anb_struct_visit(head, cart, visitor);
    if (!visitor->value) {
        clamp(&cart->nodes_used, 1, plan->nodes);
        clamp(&cart->leaves_used, 1, plan->nodes / 2 + 1);
    }
    anb_pool_visit(&cart->pool, anb_cart_next(plan, cart), plan->slots, visitor);
    anb_visit(visitor, "importance", anb_cart_importance(plan, cart), ANB_F64, plan->features);
    for (uint32_t i = 0; i < cart->nodes_used; i++)
        anb_struct_visit(node_fields, anb_cart_nodes(plan, cart) + i, visitor);
    for (uint32_t i = 0; i < cart->leaves_used; i++) {
        anb_struct_visit(leaf_fields, anb_cart_leaf(plan, cart, i), visitor);
        anb_visit(visitor, "model", anb_cart_model(plan, cart, i), ANB_F64, plan->stride);
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
    if (!parent || node->depth > ANB_CART_DEPTH || !anb_struct_valid(node_fields, node))
        return false;
    if (node->child == 0)
        return node->leaf < cart->leaves_used;
    return node->child > i && node->child + 1 < cart->nodes_used && node->feature < plan->features;
}

static bool valid_values(const AnbCartLeaf *leaf)
{
    bool range = leaf->low > leaf->high || (isfinite(leaf->low) && isfinite(leaf->high));
    return range && anb_struct_valid(leaf_fields, leaf);
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
    for (size_t k = 0; k < bins_used(plan, slot); k++)
        if (!anb_struct_valid(bin_fields, &anb_cart_bins(plan, cart, i)[k]))
            return false;
    if (!anb_struct_valid(slot_fields, slot) || slot->looked > plan->tried || slot->best >= plan->tried ||
        (plan->rls_size > 0 && anb_rls_validate(&plan->rls, anb_cart_rls(plan, cart, i), NULL)))
        return false;
    for (size_t k = 0; k < plan->features; k++)
        if (anb_cart_index(plan, cart, i)[k] >= plan->features)
            return false;
    return true;
}

bool anb_cart_valid(const AnbCartPlan *plan, const AnbCart *cart)
{
    AnbCart *tree = anb_view_of(cart);
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
