#include "random_tree.h"
#include <math.h>
#include <string.h>

static const AnbField segment_fields[] = {{ANB_MEMBER(AnbRandomSegment, mean), .must = ANB_FINITE},
                                          {ANB_MEMBER(AnbRandomSegment, begin)},
                                          {ANB_MEMBER(AnbRandomSegment, end)},
                                          {ANB_MEMBER(AnbRandomSegment, node)},
                                          {0}};

static const AnbField cut_fields[] = {{ANB_MEMBER(AnbRandomCut, threshold)}, {ANB_MEMBER(AnbRandomCut, sum)},
                                      {ANB_MEMBER(AnbRandomCut, weight)},    {ANB_MEMBER(AnbRandomCut, feature)},
                                      {ANB_MEMBER(AnbRandomCut, rows)},      {0}};

static const AnbField trial_fields[] = {{ANB_MEMBER(AnbRandomTrial, mean), .must = ANB_FINITE},
                                        {ANB_MEMBER(AnbRandomTrial, sum)},
                                        {ANB_MEMBER(AnbRandomTrial, weight)},
                                        {ANB_INNER(AnbRandomTrial, cut, AnbRandomCut, cut_fields)},
                                        {0}};

const AnbField anb_random_builder_fields[] = {{ANB_MEMBER(AnbRandomBuilder, phase)},
                                              {ANB_MEMBER(AnbRandomBuilder, rows)},
                                              {ANB_MEMBER(AnbRandomBuilder, depth)},
                                              {ANB_MEMBER(AnbRandomBuilder, at)},
                                              {ANB_MEMBER(AnbRandomBuilder, boundary)},
                                              {ANB_MEMBER(AnbRandomBuilder, best)},
                                              {ANB_MEMBER(AnbRandomBuilder, next)},
                                              {ANB_INNER(AnbRandomBuilder, trial, AnbRandomTrial, trial_fields)},
                                              {ANB_INNER(AnbRandomBuilder, segment, AnbRandomSegment, segment_fields)},
                                              {0}};

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* When the row in a slot arrived. */
static uint64_t arrival_of(const AnbRandomRows *rows, uint32_t slot)
{
    uint64_t newest = rows->pushed - 1;
    return newest - ((newest - slot) & (rows->capacity - 1));
}

static uint32_t slot_of(const AnbRandomRows *rows, uint32_t arrival)
{
    return arrival & (uint32_t)(rows->capacity - 1);
}

static bool remembered(const AnbRandomRows *rows, uint32_t arrival)
{
    return (uint32_t)rows->pushed - 1 - arrival < rows->capacity;
}

static double value_of(const AnbRandomRows *rows, uint32_t slot, uint32_t feature)
{
    return (double)(feature < rows->d ? rows->x[slot * rows->d + feature] : (float)arrival_of(rows, slot));
}

static double finite_or(double value, double otherwise)
{
    return value - value == 0 ? value : otherwise;
}

static bool cut_left(const AnbRandomCut *cut, const AnbRandomRows *rows, uint32_t slot)
{
    return anb_random_left(value_of(rows, slot, cut->feature & ~ANB_RANDOM_FLIP), cut->threshold, cut->feature);
}

/* ---- a node's trial ---------------------------------------------------------------------------------------------- */

/* Half way; between a missing and a present cell the cut that parts the missing ones from all others. */
static double threshold_between(double a, double b)
{
    if (a != a && b != b)
        return ANB_NAN;
    return a != a || b != b ? INFINITY : a / 2 + b / 2;
}

/* A feature, or the arrival. A feature of small importance is often drawn again, so that more of the cuts are
 * useful. */
static uint32_t draw_feature(const AnbRandomRows *rows, const AnbRandomRule *rule, AnbRandom *random)
{
    enum { AGAIN = 3 };
    uint32_t n = (uint32_t)rows->d + rule->time, feature = anb_random_below(random, n);
    for (int i = 0; i < AGAIN && rows->importance && feature < rows->d; i++) {
        double stays = rows->importance[feature] * (double)rows->d + 0.1;
        if (stays >= 1 || (double)anb_random_bits(random) * 0x1p-32 < stays)
            break;
        feature = anb_random_below(random, n);
    }
    return feature;
}

static void draw(AnbRandomTrial *trial, double mean, const AnbRandomRows *rows, const AnbRandomRule *rule,
                 const uint32_t *slot, uint32_t n, AnbRandom *random)
{
    trial->mean = mean;
    trial->sum = trial->weight = 0;
    for (uint32_t c = 0; c < rule->cuts; c++) {
        uint32_t feature = draw_feature(rows, rule, random);
        uint32_t flip = anb_random_bits(random) & ANB_RANDOM_FLIP;
        double a = value_of(rows, slot[anb_random_below(random, n)], feature);
        double b = value_of(rows, slot[anb_random_below(random, n)], feature);
        trial->cut[c] = (AnbRandomCut){.threshold = threshold_between(a, b), .feature = feature | flip};
    }
}

static void score_row(AnbRandomTrial *trial, const AnbRandomRows *rows, uint32_t cuts, uint32_t slot)
{
    const float *x = rows->x + slot * rows->d;
    double weight = (double)rows->weight[slot], part = weight * (rows->y[slot] - trial->mean);
    trial->sum += part;
    trial->weight += weight;
    for (uint32_t c = 0; c < cuts; c++) {
        AnbRandomCut *cut = &trial->cut[c];
        uint32_t feature = cut->feature & ~ANB_RANDOM_FLIP;
        double value = (double)(feature < rows->d ? x[feature] : (float)arrival_of(rows, slot));
        uint32_t left = anb_random_left(value, cut->threshold, cut->feature);
        double share = (double)left;
        cut->sum += share * part;
        cut->weight += share * weight;
        cut->rows += left;
    }
}

/* The cut that leaves the least squared error, or -1: none has enough rows on both sides, or none helps. */
static int best_cut(const AnbRandomTrial *trial, const AnbRandomRule *rule, uint32_t n)
{
    int best = -1;
    double most = trial->weight > 0 ? trial->sum * trial->sum / trial->weight : 0;
    most += 1e-12 * fabs(most);
    for (uint32_t c = 0; c < rule->cuts; c++) {
        const AnbRandomCut *cut = &trial->cut[c];
        double right = trial->weight - cut->weight, rest = trial->sum - cut->sum;
        if (cut->rows < rule->leaf || n - cut->rows < rule->leaf || !(cut->weight > 0) || !(right > 0))
            continue;
        double gain = cut->sum * cut->sum / cut->weight + rest * rest / right;
        if (gain > most) {
            most = gain;
            best = (int)c;
        }
    }
    return best;
}

/* ---- leaves ------------------------------------------------------------------------------------------------------ */

static void set_leaf(AnbRandomNode *leaf, double mean, double weight)
{
    *leaf = (AnbRandomNode){.value = mean, .weight = weight < 1e30 ? (float)weight : 1e30f};
}

/* A leaf of a few rows, given by their slots. */
static void make_leaf(AnbRandomTree *tree, size_t at, const AnbRandomRows *rows, double mean, const uint32_t *slot,
                      uint32_t n)
{
    uint32_t sorted[4 * ANB_RANDOM_LEAF], held = n < 4 * ANB_RANDOM_LEAF ? n : 4 * ANB_RANDOM_LEAF;
    double sum = 0, weight = 0;
    for (uint32_t i = 0; i < n; i++) {
        sum += (double)rows->weight[slot[i]] * (rows->y[slot[i]] - mean);
        weight += (double)rows->weight[slot[i]];
    }
    set_leaf(&tree->node[at], finite_or(mean + sum / weight, mean), weight);
    for (uint32_t i = 0; i < held; i++) { /* by arrival */
        uint32_t arrival = (uint32_t)arrival_of(rows, slot[i]), j = i;
        for (; j > 0 && (int32_t)(sorted[j - 1] - arrival) > 0; j--)
            sorted[j] = sorted[j - 1];
        sorted[j] = arrival;
    }
    uint32_t older = (uint32_t)rows->pushed; /* of the future: not remembered, so it ends the list */
    for (uint32_t i = 0; i < held; i++) {
        tree->older[slot_of(rows, sorted[i])] = older;
        older = sorted[i];
    }
    tree->node[at].newest = older;
}

/* The slots of a leaf's rows, the newest first; at most `most`. */
static uint32_t rows_in(const AnbRandomTree *tree, size_t leaf, const AnbRandomRows *rows, uint32_t most,
                        uint32_t *slot)
{
    uint32_t n = 0, arrival = tree->node[leaf].newest, before = (uint32_t)rows->pushed;
    while (n < most && remembered(rows, arrival) && (int32_t)(before - arrival) > 0) {
        slot[n] = slot_of(rows, arrival);
        before = arrival;
        arrival = tree->older[slot[n++]];
    }
    return n;
}

static void divide(AnbRandomTree *tree, size_t at, const AnbRandomRows *rows, const AnbRandomCut *cut,
                   const uint32_t *slot, uint32_t n)
{
    uint32_t side[2][4 * ANB_RANDOM_LEAF], held[2] = {0, 0}, child = (uint32_t)tree->nodes;
    double mean = tree->node[at].value;
    for (uint32_t i = 0; i < n; i++) {
        unsigned right = !cut_left(cut, rows, slot[i]);
        side[right][held[right]++] = slot[i];
    }
    for (unsigned right = 0; right < 2; right++)
        make_leaf(tree, child + right, rows, mean, side[right], held[right]);
    tree->node[at] = (AnbRandomNode){.value = cut->threshold, .left = child, .feature = cut->feature};
    tree->nodes += 2;
}

void anb_random_tree_join(AnbRandomTree *tree, size_t leaf, const AnbRandomRows *rows, uint32_t arrival,
                          const AnbRandomRule *rule, AnbRandom *random)
{
    uint32_t slot = slot_of(rows, arrival), held[4 * ANB_RANDOM_LEAF];
    AnbRandomNode *node = &tree->node[leaf];
    double weight = (double)rows->weight[slot], total = (double)node->weight + weight;
    node->value += (rows->y[slot] - node->value) * (weight / total);
    node->weight = total < 1e30 ? (float)total : 1e30f;
    tree->older[slot] = node->newest;
    node->newest = arrival;
    uint32_t n = rows_in(tree, leaf, rows, 4 * rule->leaf, held);
    if (n == 4 * rule->leaf)
        return;                                        /* enough trials */
    make_leaf(tree, leaf, rows, node->value, held, n); /* without rows that left the window */
    if (n < 2 * rule->leaf || tree->nodes + 2 > tree->capacity)
        return;
    AnbRandomTrial trial;
    draw(&trial, node->value, rows, rule, held, n, random);
    for (uint32_t i = 0; i < n; i++)
        score_row(&trial, rows, rule->cuts, held[i]);
    int best = best_cut(&trial, rule, n);
    if (best >= 0)
        divide(tree, leaf, rows, &trial.cut[best], held, n);
}

/* ---- building ---------------------------------------------------------------------------------------------------- */

void anb_random_tree_begin(AnbRandomBuilder *b, AnbRandomTree *tree, const AnbRandomRows *rows, double mean)
{
    memset(b, 0, sizeof *b);
    b->phase = ANB_RANDOM_FILL;
    uint64_t most = rows->capacity - rows->capacity / 8;
    b->rows = rows->pushed < most ? rows->pushed : most;
    b->next = rows->pushed;
    b->depth = 1;
    b->segment[0] = (AnbRandomSegment){.mean = mean, .end = (uint32_t)b->rows};
    tree->nodes = 1;
    set_leaf(tree->node, mean, 0);
}

static AnbRandomSegment *top_of(AnbRandomBuilder *b)
{
    return &b->segment[b->depth - 1];
}

static void end_segment(AnbRandomBuilder *b, AnbRandomTree *tree, const AnbRandomRows *rows, const uint32_t *order)
{
    const AnbRandomSegment *s = top_of(b);
    make_leaf(tree, s->node, rows, s->mean, order + s->begin, s->end - s->begin);
    b->depth--;
    b->phase = ANB_RANDOM_NEXT;
}

/* Takes the next segment in hand; those that are leaves at once are done on the way. Returns the work. */
static double next_segment(AnbRandomBuilder *b, AnbRandomTree *tree, const AnbRandomRows *rows,
                           const AnbRandomRule *rule, const uint32_t *order, AnbRandom *random)
{
    const AnbRandomSegment *s = top_of(b);
    if (s->end - s->begin < 2 * rule->leaf) {
        end_segment(b, tree, rows, order);
        return 5 * rule->leaf + 5;
    }
    draw(&b->trial, s->mean, rows, rule, order + s->begin, s->end - s->begin, random);
    b->at = b->boundary = s->begin;
    b->phase = ANB_RANDOM_SCORE;
    return (rows->importance ? 15 : 10) * rule->cuts;
}

static double score(AnbRandomBuilder *b, AnbRandomTree *tree, const AnbRandomRows *rows, const AnbRandomRule *rule,
                    const uint32_t *order, double budget)
{
    const AnbRandomSegment *s = top_of(b);
    double a_row = rule->cuts + 2, used = 0;
    for (; b->at < s->end && used < budget; b->at++, used += a_row)
        score_row(&b->trial, rows, rule->cuts, order[b->at]);
    if (b->at < s->end)
        return used;
    int best = best_cut(&b->trial, rule, s->end - s->begin);
    if (best < 0) {
        end_segment(b, tree, rows, order);
    } else {
        b->best = (uint64_t)best;
        b->at = b->boundary = s->begin;
        b->phase = ANB_RANDOM_SPLIT;
    }
    return used + rule->cuts;
}

/* Two children in the place of the segment, the smaller one on top: so the stack stays below log2(rows) + 1. */
static void push_children(AnbRandomBuilder *b, AnbRandomTree *tree)
{
    AnbRandomSegment whole = *top_of(b);
    const AnbRandomCut *cut = &b->trial.cut[b->best];
    double right = b->trial.weight - cut->weight;
    uint32_t child = (uint32_t)tree->nodes, middle = (uint32_t)b->boundary;
    AnbRandomSegment parts[2] = {{.mean = finite_or(whole.mean + cut->sum / cut->weight, whole.mean),
                                  .begin = whole.begin,
                                  .end = middle,
                                  .node = child},
                                 {.mean = finite_or(whole.mean + (b->trial.sum - cut->sum) / right, whole.mean),
                                  .begin = middle,
                                  .end = whole.end,
                                  .node = child + 1}};
    bool left_is_smaller = middle - whole.begin < whole.end - middle;
    tree->node[whole.node] = (AnbRandomNode){.value = cut->threshold, .left = child, .feature = cut->feature};
    tree->nodes += 2;
    for (unsigned side = 0; side < 2; side++)
        set_leaf(&tree->node[child + side], parts[side].mean, 0);
    *top_of(b) = parts[left_is_smaller];
    b->depth++;
    *top_of(b) = parts[!left_is_smaller];
}

static double split(AnbRandomBuilder *b, AnbRandomTree *tree, const AnbRandomRows *rows, uint32_t *order, double budget)
{
    const AnbRandomSegment *s = top_of(b);
    const AnbRandomCut *cut = &b->trial.cut[b->best];
    double used = 0;
    for (; b->at < s->end && used < budget; b->at++, used += 2) {
        uint32_t slot = order[b->at];
        bool left = cut_left(cut, rows, slot);
        order[b->at] = left ? order[b->boundary] : slot;
        order[b->boundary] = left ? slot : order[b->boundary];
        b->boundary += left;
    }
    if (b->at < s->end)
        return used;
    b->phase = ANB_RANDOM_NEXT;
    /* rows may have been overwritten since they were scored */
    if (b->boundary > s->begin && b->boundary < s->end && tree->nodes + 2 <= tree->capacity &&
        b->depth < ANB_RANDOM_STACK)
        push_children(b, tree);
    else
        end_segment(b, tree, rows, order);
    return used;
}

static size_t leaf_of(const AnbRandomTree *tree, const AnbRandomRows *rows, uint32_t slot)
{
    size_t at = 0;
    for (const AnbRandomNode *node = tree->node; node->left; node = &tree->node[at])
        at = node->left +
             !anb_random_left(value_of(rows, slot, node->feature & ~ANB_RANDOM_FLIP), node->value, node->feature);
    return at;
}

/* The next row that arrived while the tree was built joins it. */
static double catch_up(AnbRandomBuilder *b, AnbRandomTree *tree, const AnbRandomRows *rows, const AnbRandomRule *rule,
                       AnbRandom *random)
{
    if (!remembered(rows, (uint32_t)b->next))
        b->next = rows->pushed - rows->capacity;
    uint32_t arrival = (uint32_t)b->next++;
    anb_random_tree_join(tree, leaf_of(tree, rows, slot_of(rows, arrival)), rows, arrival, rule, random);
    return 40 + 5 * rule->cuts;
}

bool anb_random_tree_slice(AnbRandomBuilder *b, AnbRandomTree *tree, const AnbRandomRows *rows,
                           const AnbRandomRule *rule, uint32_t *order, double budget, AnbRandom *random)
{
    while (budget > 0 && (b->depth > 0 || b->next < rows->pushed)) {
        if (b->depth == 0) {
            budget -= catch_up(b, tree, rows, rule, random);
        } else if (b->phase == ANB_RANDOM_FILL) {
            for (; b->at < b->rows && budget > 0; b->at++, budget -= 1)
                order[b->at] = slot_of(rows, (uint32_t)(b->next - b->rows + b->at));
            if (b->at == b->rows)
                b->phase = ANB_RANDOM_NEXT;
        } else if (b->phase == ANB_RANDOM_NEXT) {
            budget -= next_segment(b, tree, rows, rule, order, random);
        } else if (b->phase == ANB_RANDOM_SCORE) {
            budget -= score(b, tree, rows, rule, order, budget);
        } else {
            budget -= split(b, tree, rows, order, budget);
        }
    }
    bool done = b->depth == 0 && b->next == rows->pushed;
    if (b->depth == 0)
        b->phase = done ? ANB_RANDOM_IDLE : ANB_RANDOM_CATCH_UP;
    return done;
}

/* ---- after loading ----------------------------------------------------------------------------------------------- */

bool anb_random_tree_valid(const AnbRandomTree *tree, size_t d)
{
    for (size_t i = 0; i < tree->nodes; i++) {
        const AnbRandomNode *node = &tree->node[i];
        bool inner = node->left > 0;
        if (inner &&
            (node->left <= i || node->left + (uint64_t)1 >= tree->nodes || (node->feature & ~ANB_RANDOM_FLIP) > d))
            return false;
        if (!inner && !(fabs(node->value) <= 1e301 && node->weight >= 0 && node->weight <= 1e30f))
            return false;
    }
    return true;
}

static bool segments_valid(const AnbRandomBuilder *b, size_t nodes)
{
    for (uint64_t i = 0; i < b->depth; i++) {
        const AnbRandomSegment *s = &b->segment[i];
        if (s->begin >= s->end || s->end > b->rows || s->node >= nodes)
            return false;
    }
    return true;
}

bool anb_random_builder_valid(const AnbRandomBuilder *b, const uint32_t *order, const AnbRandomTree *tree,
                              const AnbRandomRows *rows, const AnbRandomRule *rule)
{
    bool fine = b->phase <= ANB_RANDOM_CATCH_UP && b->rows <= rows->capacity && b->next <= rows->pushed &&
                b->depth <= ANB_RANDOM_STACK && b->best < rule->cuts && b->at <= b->rows && b->boundary <= b->at &&
                (b->phase == ANB_RANDOM_IDLE || b->phase == ANB_RANDOM_CATCH_UP) == (b->depth == 0) &&
                segments_valid(b, tree->nodes);
    for (uint32_t c = 0; c < rule->cuts && fine; c++)
        fine = (b->trial.cut[c].feature & ~ANB_RANDOM_FLIP) <= rows->d;
    for (size_t i = 0; i < b->rows && fine && b->phase > ANB_RANDOM_FILL; i++)
        fine = order[i] < rows->capacity;
    if (fine && b->depth > 0 && b->phase >= ANB_RANDOM_SCORE)
        fine = b->at >= b->segment[b->depth - 1].begin && b->at <= b->segment[b->depth - 1].end;
    if (fine && b->depth > 0 && b->phase == ANB_RANDOM_SPLIT)
        fine = b->boundary >= b->segment[b->depth - 1].begin;
    return fine;
}
