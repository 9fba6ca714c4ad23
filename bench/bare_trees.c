/* Bare trees: one, and a forest. */
#include "bare_experts.h"
#include "learners/trees/online_forest.h"

/* ---- tree: one incremental tree, with nothing behind it and no corrections --------------------------------------- */

typedef struct Tree {
    AnbCartPlan plan;
    AnbCart *cart;
    AnbBins *bins;
    AnbWhitener *whitener;
    AnbRandom random;
    size_t making;
    double *work;
    unsigned char codes[64];
} Tree;

static void *tree_make(size_t d)
{
    AnbCartPlan plan = {.features = d,
                        .share = 1,
                        .nodes = 999,
                        .slots = 32,
                        .look = 2,
                        .leaf = ANB_LEAVES_ADAPTIVE,
                        .bag = 1,
                        .min_f = 12,
                        .memory = 200};
    double *at;
    anb_cart_layout(&plan);
    size_t work = anb_whiten_scratch(d);
    Tree *t = bare_piece(sizeof *t, (plan.bytes + anb_bins_bytes(d) + anb_whiten_bytes(d)) / 8 + work, &at);
    t->plan = plan;
    t->cart = (AnbCart *)bare_next(&at, plan.bytes / 8);
    t->bins = (AnbBins *)bare_next(&at, anb_bins_bytes(d) / 8);
    t->whitener = (AnbWhitener *)bare_next(&at, anb_whiten_bytes(d) / 8);
    t->work = bare_next(&at, work);
    anb_cart_init(&t->plan, t->cart);
    anb_bins_init(t->bins, d);
    anb_whiten_init(t->whitener, d);
    anb_random_seed(&t->random, 1);
    return t;
}

/* Edges fall due at 100, 400, 1,600, ... rows and are made in steps. */
static void tree_bins(Tree *t, const double *x)
{
    if (anb_bins_see(t->bins, x, anb_random_bits(&t->random)) && t->making == 0)
        t->making = t->plan.features;
    if (t->making == 0)
        return;
    for (size_t i = anb_bins_steps(t->plan.features); i > 0 && t->making > 0; i--)
        t->making -= anb_bins_step(t->bins, t->making - 1);
    if (t->making == 0)
        anb_bins_finish(t->bins);
}

static double tree_train(void *self, const double *x, double y)
{
    Tree *t = self;
    const size_t d = t->plan.features;
    AnbReached at = anb_cart_reach(&t->plan, t->cart, x, x, t->work);
    anb_whiten_see(t->whitener, d, x, t->work);
    anb_bins_codes(t->bins, d, x, t->codes);
    AnbCartSample sample = {.x = x,
                            .raw = x,
                            .codes = t->codes,
                            .bins = t->bins,
                            .white = anb_whiten_row(t->whitener, d),
                            .white0 = t->whitener->k0,
                            .energy = t->whitener->energy,
                            .y = y,
                            .weight = 1,
                            .limit = 1e9,
                            .min_f = t->plan.min_f,
                            .random = &t->random,
                            .scratch = t->work};
    anb_cart_learn(&t->plan, t->cart, &at, &sample);
    tree_bins(t, x);
    return at.value;
}

/* ---- forest: the forest itself ----------------------------------------------------------------------------------- */

typedef struct Forest {
    AnbOnlineForestPlan plan;
    AnbOnlineForest *forest;
    double *work;
    uint64_t drifts;
} Forest;

static void *forest_make(size_t d)
{
    AnbOnlineForestPlan plan = {.trees = 10,
                                .background = true,
                                .chase_f = 10,
                                .cart = {.features = d,
                                         .share = 1,
                                         .nodes = 999,
                                         .slots = 24,
                                         .look = UINT32_MAX,
                                         .leaf = ANB_LEAVES_ADAPTIVE,
                                         .bag = 6,
                                         .min_f = 20,
                                         .memory = 50}};
    double *at;
    anb_online_forest_layout(&plan);
    Forest *f = bare_piece(sizeof *f, plan.bytes / 8 + plan.scratch, &at);
    f->plan = plan;
    f->forest = (AnbOnlineForest *)bare_next(&at, plan.bytes / 8);
    f->work = bare_next(&at, plan.scratch);
    anb_online_forest_init(&f->plan, f->forest, 1);
    return f;
}

static double forest_train(void *self, const double *x, double y)
{
    Forest *f = self;
    double said = anb_online_forest_predict(&f->plan, f->forest, x, x, f->work);
    anb_online_forest_learn(&f->plan, f->forest, x, x, y, 1, f->work, &f->drifts);
    return said;
}

const BareExpert bare_tree = {
    "tree", "the tree alone: route, leaf, histogram, bins; no corrections, drift detector or tree behind", tree_make,
    tree_train};

const BareExpert bare_forest = {"forest", "the same trees together on one plan", forest_make, forest_train};
