/* How a tree grows: histograms of the leaves that hold a slot, the test for a split, and which leaf gets a slot. */
#include "cart.h"
#include "src/simd/kernels.h"

static const double period = 50;  /* weight between two tests for a split */
static const double min_side = 5; /* samples on either side of a split: a single one bagged often must not make one */
enum { STALE = 5000, YOUNG = 1000, FRUITLESS = 1000 };

static double leaf_reference(const AnbCartLeaf *leaf)
{
    return leaf->count > 0 ? leaf->mean : leaf->prior;
}

static void start_histogram(const AnbCartPlan *plan, AnbCart *cart, uint32_t index)
{
    AnbSlot *slot = anb_cart_slot(plan, cart, index);
    slot->count = slot->sum = slot->squares = 0;
    slot->reference = leaf_reference(anb_cart_leaf(plan, cart, slot->leaf));
    slot->made = ANB_SLOT_FRESH;
    slot->born = cart->clock;
    slot->looked = slot->best = 0;
    slot->gain = 0;
}

/* A split starts two histograms; the sample that caused it goes to neither. Each is cleared by its own first sample. */
static void clear_histogram(const AnbCartPlan *plan, AnbCart *cart, uint32_t index, uint64_t made)
{
    anb_cart_slot(plan, cart, index)->made = made;
    memset(anb_cart_bins(plan, cart, index), 0, plan->tried * ANB_CODES * sizeof(AnbBin));
}

/* The first `tried` entries of the slot's index become a random choice of features. */
static void draw_features(const AnbCartPlan *plan, uint32_t *index, AnbRandom *random)
{
    for (size_t i = 0; i < plan->features; i++)
        index[i] = (uint32_t)i;
    for (size_t i = 0; i < plan->tried && plan->tried < plan->features; i++) {
        size_t other = i + anb_random_below(random, (uint32_t)(plan->features - i));
        uint32_t feature = index[i];
        index[i] = index[other];
        index[other] = feature;
    }
}

static void assign(const AnbCartPlan *plan, AnbCart *cart, uint32_t index, uint32_t leaf, const AnbCartSample *sample)
{
    AnbSlot *slot = anb_cart_slot(plan, cart, index);
    slot->leaf = leaf;
    anb_cart_leaf(plan, cart, leaf)->slot = index;
    draw_features(plan, anb_cart_index(plan, cart, index), sample->random);
    start_histogram(plan, cart, index);
}

/* Sets an invalid version of the edges, so that the next sample clears the histogram. */
void anb_cart_empty(const AnbCartPlan *plan, AnbCart *cart)
{
    for (uint32_t i = 0; i < cart->pool.used; i++)
        anb_cart_slot(plan, cart, i)->made = UINT64_MAX;
}

/* Squared error per sample that a split of a growing leaf may still explain: less if many samples led to no split. */
static double explainable_loss(const AnbCartPlan *plan, const AnbCart *cart, const AnbSlot *slot)
{
    double left = slot->count > 0 ? slot->squares - slot->sum * (slot->sum / slot->count) : 0;
    double age = (double)(cart->clock - slot->born), value = left / (age + 100) / (1 + slot->count / plan->bag / 1000);
    return age < YOUNG ? 2 * value : value;
}

/* A free slot, or the slot of the growing leaf with the least explainable loss, if this leaf has 1.5 times as much. */
static uint32_t claim(const AnbCartPlan *plan, AnbCart *cart, const AnbCartLeaf *leaf)
{
    uint32_t slot = anb_pool_take(&cart->pool, anb_cart_next(plan, cart)), poorest = 0;
    if (slot != ANB_POOL_NONE)
        return slot;
    double least = INFINITY, mine = leaf->loss / (double)(cart->clock - leaf->start + 1);
    for (uint32_t i = 0; i < plan->slots; i++) {
        double value = explainable_loss(plan, cart, anb_cart_slot(plan, cart, i));
        if (value < least) {
            least = value;
            poorest = i;
        }
    }
    if (!(mine > 1.5 * least))
        return ANB_NO_SLOT;
    anb_cart_leaf(plan, cart, anb_cart_slot(plan, cart, poorest)->leaf)->slot = ANB_NO_SLOT;
    return poorest;
}

/* No node is left: leaves that need no slot for their model give it back. */
static bool full(const AnbCartPlan *plan, const AnbCart *cart)
{
    return cart->nodes_used + 2 > plan->nodes && plan->rls_size == 0;
}

static void give_back(const AnbCartPlan *plan, AnbCart *cart, AnbCartLeaf *leaf)
{
    anb_pool_give(&cart->pool, anb_cart_next(plan, cart), leaf->slot);
    leaf->slot = ANB_NO_SLOT;
}

/* A leaf that grows anew: its rls model starts as well. */
static void begin(const AnbCartPlan *plan, AnbCart *cart, uint32_t leaf, const AnbCartSample *sample)
{
    uint32_t index = claim(plan, cart, anb_cart_leaf(plan, cart, leaf));
    if (index == ANB_NO_SLOT)
        return;
    assign(plan, cart, index, leaf, sample);
    if (plan->rls_size == 0)
        return;
    anb_cart_slot(plan, cart, index)->offset = anb_cart_slot(plan, cart, index)->reference;
    anb_rls_init(&plan->rls, anb_cart_rls(plan, cart, index));
}

/* One feature's best split, where its gain is above that of `best`. */
static void look_at(const AnbCartPlan *plan, AnbCart *cart, uint32_t index, size_t k, const AnbBins *bins,
                    AnbSplit *best)
{
    const AnbSlot *slot = anb_cart_slot(plan, cart, index);
    AnbSplitRule rule = {.sum = slot->sum, .count = slot->count, .min_count = min_side * plan->bag};
    anb_histogram_split(anb_cart_bins(plan, cart, index) + k * ANB_CODES,
                        anb_bins_edges(bins, anb_cart_index(plan, cart, index)[k])->count, &rule, (uint32_t)k, best);
}

/* One step of the search for the best feature. Whether the search is over. Gains are stored per unit of weight, since
 * the histogram grows during the search. */
static bool look_further(const AnbCartPlan *plan, AnbCart *cart, uint32_t index, const AnbBins *bins)
{
    AnbSlot *slot = anb_cart_slot(plan, cart, index);
    AnbSplit best = {.gain = slot->gain * slot->count, .feature = slot->best};
    for (uint32_t i = 0; i < plan->look && slot->looked < plan->tried; i++)
        look_at(plan, cart, index, slot->looked++, bins, &best);
    slot->best = best.feature;
    slot->gain = best.gain / slot->count;
    return slot->looked >= plan->tried;
}

/* The gain less the least gain that is accepted; > 0 where F > min_f. */
static double worth(const AnbCartPlan *plan, const AnbSlot *slot, double gain, double min_f)
{
    double squares = slot->squares - slot->sum * (slot->sum / slot->count), rest = squares - gain;
    double freedom = slot->count / plan->bag - 2;
    if (!(gain > 0 && squares > 0 && freedom > 0))
        return 0;
    return gain - min_f * (rest > 0 ? rest : 0) / freedom;
}

/* Turns the leaf's node into a split; returns its first child. */
static uint32_t branch(const AnbCartPlan *plan, AnbCart *cart, uint32_t leaf, const AnbSplit *split, double threshold)
{
    AnbCartNode *nodes = anb_cart_nodes(plan, cart), *node = nodes + anb_cart_leaf(plan, cart, leaf)->node;
    uint32_t child = cart->nodes_used, right = cart->leaves_used++;
    cart->nodes_used += 2;
    node->child = child;
    node->feature = split->feature;
    node->threshold = threshold;
    node->missing_left = split->missing_left;
    for (uint32_t side = 0; side < 2; side++)
        nodes[child + side] =
            (AnbCartNode){.parent = (uint32_t)(node - nodes), .depth = node->depth + 1, .leaf = side ? right : leaf};
    anb_leaf_inherit(plan, cart, leaf, right);
    anb_cart_leaf(plan, cart, leaf)->node = child;
    anb_cart_leaf(plan, cart, right)->node = child + 1;
    return child;
}

/* Sets the children's statistics from the histogram's two sides. */
static void share(const AnbCartPlan *plan, AnbCart *cart, const AnbSlot *slot, uint32_t leaf, uint32_t right,
                  const AnbSplit *split, bool chasing)
{
    AnbCartLeaf *side[2] = {anb_cart_leaf(plan, cart, leaf), anb_cart_leaf(plan, cart, right)};
    double count[2] = {split->left_count, slot->count - split->left_count};
    double sum[2] = {split->left_sum, slot->sum - split->left_sum};
    for (int s = 0; s < 2; s++) {
        side[s]->count = count[s];
        if (!chasing)
            side[s]->mean = slot->reference + sum[s] / count[s];
    }
}

/* Gives the right child a copy of the left one's rls model, where there is a slot for it. */
static void begin_right(const AnbCartPlan *plan, AnbCart *cart, uint32_t from, uint32_t right,
                        const AnbCartSample *sample)
{
    begin(plan, cart, right, sample);
    uint32_t to = anb_cart_leaf(plan, cart, right)->slot;
    if (plan->rls_size == 0)
        return;
    double *rls = anb_cart_rls(plan, cart, from);
    anb_rls_refresh(&plan->rls, rls, 4);
    if (to == ANB_NO_SLOT || to == from)
        return;
    memcpy(anb_cart_rls(plan, cart, to), rls, plan->rls_size * sizeof(double));
    anb_cart_slot(plan, cart, to)->offset = anb_cart_slot(plan, cart, from)->offset;
}

static void try_split(const AnbCartPlan *plan, AnbCart *cart, uint32_t leaf, const AnbCartSample *sample)
{
    uint32_t index = anb_cart_leaf(plan, cart, leaf)->slot;
    const AnbSlot *slot = anb_cart_slot(plan, cart, index);
    const AnbCartNode *node = anb_cart_nodes(plan, cart) + anb_cart_leaf(plan, cart, leaf)->node;
    if (cart->nodes_used + 2 > plan->nodes || node->depth >= ANB_CART_DEPTH)
        return;
    AnbSplit split = {.gain = 0};
    look_at(plan, cart, index, slot->best, sample->bins, &split);
    double surplus = worth(plan, slot, split.gain, sample->min_f);
    if (!(surplus > 0))
        return;
    split.feature = anb_cart_index(plan, cart, index)[split.feature];
    double threshold = anb_bins_edges(sample->bins, split.feature)->edge[split.code];
    anb_cart_importance(plan, cart)[split.feature] += surplus;
    branch(plan, cart, leaf, &split, threshold);
    uint32_t right = cart->leaves_used - 1;
    share(plan, cart, slot, leaf, right, &split, sample->chasing);
    assign(plan, cart, index, leaf, sample);
    begin_right(plan, cart, index, right, sample);
}

static void show(const AnbCartPlan *plan, AnbCart *cart, uint32_t index, const AnbCartSample *sample)
{
    AnbSlot *slot = anb_cart_slot(plan, cart, index);
    if (slot->made != sample->bins->made && slot->made != ANB_SLOT_FRESH)
        assign(plan, cart, index, slot->leaf, sample);
    if (slot->made == ANB_SLOT_FRESH)
        clear_histogram(plan, cart, index, sample->bins->made);
    double value = sample->chasing ? sample->residual : sample->y - slot->reference;
    double sum = sample->weight * value;
    slot->count += sample->weight;
    slot->sum += sum;
    slot->squares += sum * value;
    anb_histogram_add(anb_cart_bins(plan, cart, index), plan->tried, anb_cart_index(plan, cart, index), sample->codes,
                      sum, sample->weight);
}

/* Whether many samples led to no split on the features that were drawn: others are drawn then. */
static bool found_nothing(const AnbCartPlan *plan, const AnbSlot *slot)
{
    return plan->tried < plan->features && slot->count > FRUITLESS * plan->bag;
}

/* Ends a search: splits the leaf, or draws other features. */
static void decide(const AnbCartPlan *plan, AnbCart *cart, uint32_t index, const AnbCartSample *sample)
{
    AnbCartLeaf *leaf = anb_cart_leaf(plan, cart, index);
    leaf->since = 0;
    try_split(plan, cart, index, sample);
    if (leaf->slot == ANB_NO_SLOT)
        return;
    AnbSlot *slot = anb_cart_slot(plan, cart, leaf->slot);
    slot->looked = slot->best = 0;
    slot->gain = 0;
    if (found_nothing(plan, slot))
        assign(plan, cart, leaf->slot, index, sample);
}

/* A slot for a leaf that has none. */
static void request_slot(const AnbCartPlan *plan, AnbCart *cart, uint32_t index, const AnbCartSample *sample)
{
    AnbCartLeaf *leaf = anb_cart_leaf(plan, cart, index);
    leaf->since = 0;
    begin(plan, cart, index, sample);
    if (leaf->start + STALE < cart->clock) {
        leaf->loss = 0;
        leaf->start = cart->clock;
    }
}

/* The weight before a test for a split at which its search begins, so that both end together. */
static double ahead(const AnbCartPlan *plan)
{
    return plan->bag * (double)((plan->tried - 1) / plan->look);
}

void anb_cart_grow(const AnbCartPlan *plan, AnbCart *cart, uint32_t index, const AnbCartSample *sample)
{
    AnbCartLeaf *leaf = anb_cart_leaf(plan, cart, index);
    if (full(plan, cart)) {
        if (leaf->slot != ANB_NO_SLOT)
            give_back(plan, cart, leaf);
        return;
    }
    if (leaf->slot == ANB_NO_SLOT && cart->pool.live < plan->slots)
        begin(plan, cart, index, sample);
    if (leaf->slot != ANB_NO_SLOT)
        show(plan, cart, leaf->slot, sample);
    leaf->since += sample->weight;
    if (leaf->slot == ANB_NO_SLOT && leaf->since >= period)
        request_slot(plan, cart, index, sample);
    else if (leaf->slot != ANB_NO_SLOT && leaf->since >= period - ahead(plan) &&
             look_further(plan, cart, leaf->slot, sample->bins))
        decide(plan, cart, index, sample);
}
