/* Trees over a ring of rows: see boosted_trees.h. */
#include "boosted_trees.h"
#include "src/numeric/fields.h"
#include "src/numeric/places.h"

enum { BLOCK = ANB_CUTS_BLOCK, CHAINS = 4 };

size_t anb_boosted_trees_view(AnbBoostedTreesRoom room, void *memory, AnbBoostedTreesView *v)
{
    const uintptr_t base = (uintptr_t)memory;
    size_t at = 0, leaves = (size_t)1 << room.depth;
    v->leaves = leaves;
    v->room = room;
    v->head = anb_place_in(base, &at, sizeof(AnbBoostedTrees));
    v->leaf = anb_place_in(base, &at, room.trees * leaves * sizeof(AnbBoostLeaf));
    v->before = anb_place_in(base, &at, leaves * sizeof(double));
    v->cuts = anb_place_in(base, &at, anb_cuts_padded(room.trees) * leaves * sizeof(AnbCut));
    v->unsettled = anb_place_in(base, &at, room.rows / BLOCK);
    v->output = anb_place_in(base, &at, room.rows * sizeof(double));
    v->target = anb_place_in(base, &at, room.rows * sizeof(double));
    v->path = anb_place_in(base, &at, room.rows * room.trees);
    return at;
}

/* Adds in four chains, in one fixed order. */
void anb_boosted_trees_sum(const AnbBoostedTreesView *v, const uint8_t *leaf, AnbBoostLeaf *sum)
{
    double slow[CHAINS] = {0}, fast[CHAINS] = {0};
    const AnbBoostLeaf *of = v->leaf;
    for (size_t t = 0; t < v->head->grown; t++, of += v->leaves) {
        slow[t % CHAINS] += of[leaf[t]].slow;
        fast[t % CHAINS] += of[leaf[t]].fast;
    }
    *sum = (AnbBoostLeaf){(slow[0] + slow[1]) + (slow[2] + slow[3]), (fast[0] + fast[1]) + (fast[2] + fast[3])};
}

/* The sums of one row in its chains, slow and fast side by side. */
typedef double Pair __attribute__((vector_size(16), may_alias, aligned(8)));

/* Adds trees from `first` on, a multiple of CHAINS, to the chains of row i. */
static void add_trees(const AnbBoostedTreesView *v, size_t first, size_t trees, const uint8_t *leaf, Pair chain[CHAINS])
{
    const AnbBoostLeaf *of = v->leaf + first * v->leaves;
    Pair sum[CHAINS];
    size_t t = 0;
    memcpy(sum, chain, sizeof sum);
    for (; t + CHAINS <= trees; t += CHAINS)
        for (size_t c = 0; c < CHAINS; c++, of += v->leaves, leaf += ANB_CUTS_ROWS)
            sum[c] += *(const Pair *)&of[*leaf];
    for (size_t c = 0; t < trees; t++, c++, of += v->leaves, leaf += ANB_CUTS_ROWS)
        sum[c] += *(const Pair *)&of[*leaf];
    memcpy(chain, sum, sizeof sum);
}

void anb_boosted_trees_sum_rows(const AnbBoostedTreesView *v, const float *columns, size_t n, AnbBoostLeaf *sum)
{
    enum { AT_ONCE = 32 }; /* trees */
    uint8_t leaf[AT_ONCE * ANB_CUTS_ROWS];
    Pair chain[ANB_CUTS_ROWS][CHAINS];
    memset(chain, 0, sizeof chain);
    for (size_t first = 0; first < v->head->grown; first += AT_ONCE) {
        size_t left = v->head->grown - first, trees = left < AT_ONCE ? left : AT_ONCE;
        anb_cuts_descend_rows(v->cuts + first * v->leaves, trees, v->room.depth, columns, leaf);
        for (size_t i = 0; i < n; i++)
            add_trees(v, first, trees, leaf + i, chain[i]);
    }
    for (size_t i = 0; i < n; i++) {
        Pair all = (chain[i][0] + chain[i][1]) + (chain[i][2] + chain[i][3]);
        sum[i] = (AnbBoostLeaf){all[0], all[1]};
    }
}

void anb_boosted_trees_move(const AnbBoostedTreesView *v, const uint8_t *leaf, double slow, double keep, double fast)
{
    AnbBoostLeaf *of = v->leaf;
    for (size_t t = 0; t < v->head->grown; t++, of += v->leaves) {
        AnbBoostLeaf *at = &of[leaf[t]];
        at->slow += slow;
        at->fast = keep * at->fast + fast;
    }
}

static uint8_t *path_of(const AnbBoostedTreesView *v, size_t slot)
{
    return v->path + slot / BLOCK * v->room.trees * BLOCK + slot % BLOCK;
}

void anb_boosted_trees_keep(const AnbBoostedTreesView *v, size_t slot, const uint8_t *leaf, double target,
                            double output)
{
    uint8_t *path = path_of(v, slot);
    for (size_t t = 0; t < v->head->grown; t++)
        path[t * BLOCK] = leaf[t];
    v->target[slot] = target;
    v->output[slot] = output;
}

void anb_boosted_trees_replay(const AnbBoostedTreesView *v, size_t slot, double base, double rate, const AnbPull *pull)
{
    const uint8_t *path = path_of(v, slot);
    const size_t grown = v->head->grown;
    double sum[ANB_REPLAYED] = {0}, step[ANB_REPLAYED];
    AnbBoostLeaf *of = v->leaf;
    for (size_t t = 0; t < grown; t++, of += v->leaves)
        for (size_t i = 0; i < ANB_REPLAYED; i++)
            sum[i] += of[path[t * BLOCK + i]].slow;
    for (size_t i = 0; i < ANB_REPLAYED; i++) {
        step[i] = rate * anb_pull(pull, v->target[slot + i] - base - sum[i]);
        v->output[slot + i] = sum[i] + step[i] * (double)grown;
    }
    of = v->leaf;
    for (size_t t = 0; t < grown; t++, of += v->leaves)
        for (size_t i = 0; i < ANB_REPLAYED; i++)
            of[path[t * BLOCK + i]].slow += step[i];
}

void anb_boosted_trees_aim(const AnbBoostedTreesView *v, size_t block, const AnbBoostAim *how, double *aim)
{
    const uint32_t tree = anb_boosted_trees_next(v);
    const double *target = v->target + block * BLOCK, *output = v->output + block * BLOCK;
    const uint8_t *path = path_of(v, (size_t)block * BLOCK) + (size_t)tree * BLOCK;
    const AnbBoostLeaf *old = v->leaf + tree * v->leaves;
    for (size_t i = 0; i < BLOCK; i++)
        aim[i] = target[i] - how->base - output[i];
    for (size_t i = 0; i < BLOCK && anb_loss_other(how->pull.kind); i++)
        aim[i] = anb_pull(&how->pull, aim[i]);
    for (size_t i = 0; i < BLOCK; i++)
        aim[i] *= how->rate;
    if (tree < v->head->grown)
        for (size_t i = 0; i < BLOCK; i++)
            aim[i] += how->inherit * old[path[i]].slow;
}

void anb_boosted_trees_swap(const AnbBoostedTreesView *v, const AnbCut *cuts, const double *value, size_t blocks)
{
    AnbBoostedTrees *h = v->head;
    const uint32_t tree = anb_boosted_trees_next(v);
    AnbBoostLeaf *leaf = v->leaf + tree * v->leaves;
    const bool fresh = tree == h->grown;
    for (size_t i = 0; i < v->leaves; i++) {
        v->before[i] = fresh ? 0 : leaf[i].slow;
        leaf[i] = (AnbBoostLeaf){value[i] - value[i] == 0 ? value[i] : 0, 0};
    }
    memcpy(v->cuts + tree * v->leaves, cuts, v->leaves * sizeof *cuts);
    memset(v->unsettled, 1, blocks);
    h->last = tree;
    if (fresh)
        h->grown++;
    else
        h->oldest = (h->oldest + 1) % (uint32_t)v->room.trees;
}

void anb_boosted_trees_settle(const AnbBoostedTreesView *v, size_t block, const uint8_t *codes)
{
    const uint32_t tree = v->head->last;
    const AnbBoostLeaf *after = v->leaf + tree * v->leaves;
    uint8_t *path = path_of(v, (size_t)block * BLOCK) + (size_t)tree * BLOCK, now[BLOCK];
    double *output = v->output + block * BLOCK;
    anb_cuts_apply(v->cuts + tree * v->leaves, v->room.depth, codes, v->room.features, now);
    for (size_t i = 0; i < BLOCK; i++) {
        output[i] += after[now[i]].slow - v->before[path[i]];
        path[i] = now[i];
    }
    v->unsettled[block] = 0;
}

static const AnbField head[] = {{ANB_MEMBER(AnbBoostedTrees, grown)},
                                {ANB_MEMBER(AnbBoostedTrees, oldest)},
                                {ANB_MEMBER(AnbBoostedTrees, last)},
                                {0}};
static const AnbField leaf[] = {{ANB_MEMBER(AnbBoostLeaf, slow)}, {ANB_MEMBER(AnbBoostLeaf, fast)}, {0}};

void anb_boosted_trees_visit(const AnbBoostedTreesView *v, size_t rows, AnbVisitor *visitor)
{
    AnbBoostedTrees *h = v->head;
    size_t blocks = (rows + BLOCK - 1) / BLOCK;
    anb_struct_visit(head, h, visitor);
    if (h->grown > v->room.trees)
        h->grown = (uint32_t)v->room.trees;
    for (size_t i = 0; i < h->grown * v->leaves; i++)
        anb_struct_visit(leaf, &v->leaf[i], visitor);
    anb_visit(visitor, "before", v->before, ANB_F64, v->leaves);
    anb_cuts_visit(v->cuts, h->grown * v->leaves, visitor);
    anb_visit(visitor, "unsettled", v->unsettled, ANB_U8, blocks);
    anb_visit(visitor, "output", v->output, ANB_F64, blocks * BLOCK);
    anb_visit(visitor, "target", v->target, ANB_F64, blocks * BLOCK);
    anb_visit(visitor, "path", v->path, ANB_U8, blocks * BLOCK * v->room.trees);
}

static bool leaves_finite(const AnbBoostLeaf *of, size_t n)
{
    bool fine = true;
    for (size_t i = 0; i < n; i++)
        fine &= of[i].slow - of[i].slow == 0 && of[i].fast - of[i].fast == 0;
    return fine;
}

static bool numbers(const double *value, size_t n)
{
    bool fine = true;
    for (size_t i = 0; i < n; i++)
        fine &= value[i] - value[i] == 0;
    return fine;
}

bool anb_boosted_trees_valid(const AnbBoostedTreesView *v, size_t rows)
{
    const AnbBoostedTrees *h = v->head;
    size_t blocks = (rows + BLOCK - 1) / BLOCK, trees = v->room.trees;
    bool fine = h->oldest < trees && h->last < trees;
    for (size_t i = 0; i < blocks * BLOCK * trees; i++)
        fine &= v->path[i] < v->leaves;
    return fine && anb_cuts_valid(v->cuts, h->grown * v->leaves, v->room.features) &&
           leaves_finite(v->leaf, h->grown * v->leaves) && numbers(v->before, v->leaves) &&
           numbers(v->output, blocks * BLOCK) && numbers(v->target, blocks * BLOCK);
}
