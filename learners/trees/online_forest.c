/* A forest of trees that correct each other: prediction and learning. */
#include "online_forest.h"
#include "forest_votes.h"
#include "src/numeric/clip.h"
#include "src/numeric/places.h"
#include "src/simd/kernels.h"

static const double rate[ANB_CART_RATES] = {.02, .08, .3, 1};
static const double lean[ANB_CART_RATES] = {.6, .9, 1.3, 1.7}; /* below 1: larger near the leaf; above: near the root */
static const double fade = .995, alarm_delta = .01, clip_sd = 4;
static const double margin = .7; /* ratio of squared errors below which a new tree replaces the old one */
enum { BACK_TRIAL = 200, BACK_AGE = 5000 };

/* What predict leaves in its scratch, before one AnbReached a tree. */
typedef struct Outcome {
    double value, pace[ANB_CART_RATES];
} Outcome;

static Outcome *outcome_of(double *scratch)
{
    return (Outcome *)scratch;
}

static AnbReached *reached_of(double *scratch)
{
    return (AnbReached *)(outcome_of(scratch) + 1);
}

void anb_online_forest_layout(AnbOnlineForestPlan *plan)
{
    size_t d = plan->cart.features, end = 0, work = anb_whiten_scratch(d);
    anb_cart_layout(&plan->cart);
    anb_place(&end, sizeof(AnbOnlineForest)); /* at 0 */
    plan->at_heads = anb_place(&end, plan->trees * sizeof(AnbTreeHead));
    plan->at_whitener = anb_place(&end, anb_whiten_bytes(d));
    plan->at_bins = anb_place(&end, anb_bins_bytes(d));
    plan->at_trees = anb_place(&end, plan->trees * (plan->background ? 2 : 1) * plan->cart.bytes);
    plan->bytes = end;
    end = 0;
    plan->each_scratch = plan->cart.rls_size > 0 ? anb_rls_scratch(d) : 0;
    work += plan->each_scratch;
    anb_place(&end, sizeof(Outcome) + plan->trees * sizeof(AnbReached)); /* at 0 */
    plan->at_codes = anb_place(&end, d) / sizeof(double);
    plan->at_scratch = anb_place(&end, work * sizeof(double)) / sizeof(double);
    plan->scratch = end / sizeof(double);
}

void anb_online_forest_init(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, uint64_t seed)
{
    memset(forest, 0, plan->at_whitener);
    anb_random_seed(&forest->random, seed);
    anb_whiten_init(anb_online_forest_whitener(plan, forest), plan->cart.features);
    memset(anb_online_forest_bins(plan, forest), 0, sizeof(AnbBins));
    anb_bins_init(anb_online_forest_bins(plan, forest), plan->cart.features);
    for (size_t t = 0; t < plan->trees; t++)
        anb_cart_init(&plan->cart, anb_online_forest_tree(plan, forest, t, 0));
}

/* The trees' predictions by 1 / error^2. */
static double vote(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, const AnbReached *at)
{
    double smallest = anb_votes_least_of_trees(plan, forest), sum = 0, total = 0;
    for (size_t t = 0; t < plan->trees; t++) {
        double w = anb_votes_of_tree(plan, forest, t, smallest);
        total += w;
        sum += w * (at[t].value - at[0].value);
    }
    return at[0].value + sum / total;
}

/* The paces' predictions by 1 / error^10. */
static double mix_paces(const AnbOnlineForest *forest, const double *pace)
{
    double smallest = anb_votes_least_of_paces(forest), sum = 0, total = 0;
    for (int r = 0; r < ANB_CART_RATES; r++) {
        double w = anb_votes_of_pace(forest, r, smallest);
        total += w;
        sum += w * (pace[r] - pace[0]);
    }
    return pace[0] + sum / total;
}

double anb_online_forest_vote(const AnbOnlineForestPlan *plan, const AnbOnlineForest *forest, size_t tree)
{
    AnbOnlineForest *open = (AnbOnlineForest *)(uintptr_t)forest; /* read only */
    double smallest = anb_votes_least_of_trees(plan, open), total = 0, own = 0;
    for (size_t t = 0; t < plan->trees; t++) {
        double w = anb_votes_of_tree(plan, open, t, smallest);
        own = t == tree ? w : own;
        total += w;
    }
    return own / total;
}

void anb_online_forest_paces(const AnbOnlineForest *forest, double *share)
{
    double smallest = anb_votes_least_of_paces(forest), total = 0;
    for (int r = 0; r < ANB_CART_RATES; r++)
        total += share[r] = anb_votes_of_pace(forest, r, smallest);
    for (int r = 0; r < ANB_CART_RATES; r++)
        share[r] /= total;
}

double anb_online_forest_predict(const AnbOnlineForestPlan *plan, const AnbOnlineForest *forest, const double *x,
                                 const double *raw, double *scratch)
{
    AnbOnlineForest *open = anb_view_of(forest);
    Outcome *out = outcome_of(scratch);
    AnbReached *at = reached_of(scratch);
    double correction[ANB_CART_RATES] = {0};
    for (size_t t = 0; t < plan->trees; t++) {
        const AnbCart *tree = anb_online_forest_tree(plan, open, t, anb_online_forest_head(plan, open, t)->front);
        at[t] = anb_cart_reach(&plan->cart, tree, x, raw, scratch + plan->at_scratch);
        for (int r = 0; r < ANB_CART_RATES; r++)
            correction[r] += at[t].correction[r];
    }
    double mean = vote(plan, open, at);
    for (int r = 0; r < ANB_CART_RATES; r++)
        out->pace[r] = mean + correction[r] / (double)plan->trees;
    out->value = mix_paces(forest, out->pace);
    return anb_range_clip(&forest->range, out->value) + forest->origin;
}

/* The rate for a sample of some weight: `one` for weight 1, at most 1. */
static double pace_of(double one, double weight)
{
    return weight == 1 ? one : one * weight / (1 - one + one * weight);
}

/* The step of each pace is shared out over the path by powers of its lean, the leaf's share being the first. */
static void correct_path(AnbCartNode *nodes, uint32_t node, const double *step)
{
    double part[ANB_CART_RATES], total[ANB_CART_RATES];
    for (int r = 0; r < ANB_CART_RATES; r++)
        total[r] = part[r] = 1;
    for (uint32_t i = 0; i < nodes[node].depth; i++)
        for (int r = 0; r < ANB_CART_RATES; r++)
            total[r] += part[r] *= lean[r];
    for (int r = 0; r < ANB_CART_RATES; r++)
        part[r] = step[r] / total[r];
    for (;;) {
        for (int r = 0; r < ANB_CART_RATES; r++) {
            nodes[node].correction[r] += part[r];
            part[r] *= lean[r];
        }
        if (node == 0)
            break;
        node = nodes[node].parent;
    }
}

static void correct(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, double *scratch, double y, double weight,
                    double limit)
{
    const Outcome *out = outcome_of(scratch);
    double step[ANB_CART_RATES];
    for (int r = 0; r < ANB_CART_RATES; r++) {
        double error = anb_clip(y - out->pace[r], limit);
        step[r] = pace_of(rate[r], weight) * error;
        anb_faded_add(&forest->rate_error[r], error * error, weight, fade);
    }
    for (size_t t = 0; t < plan->trees; t++) {
        AnbCart *tree = anb_online_forest_tree(plan, forest, t, anb_online_forest_head(plan, forest, t)->front);
        correct_path(anb_cart_nodes(&plan->cart, tree), reached_of(scratch)[t].node, step);
    }
}

static void start_back(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, size_t t)
{
    AnbTreeHead *head = anb_online_forest_head(plan, forest, t);
    uint32_t back = !head->front;
    head->back = 1;
    head->error[back] = (AnbFaded){0};
    anb_cart_init(&plan->cart, anb_online_forest_tree(plan, forest, t, back));
}

static bool chases(const AnbOnlineForestPlan *plan, size_t t)
{
    return plan->chase_f > 0 && t % 2 == 1;
}

/* Replaces a tree by the one in the background, which may learn residuals from now on: its histograms start again. */
static void swap(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, size_t t)
{
    AnbTreeHead *head = anb_online_forest_head(plan, forest, t);
    head->front = !head->front;
    head->back = 0;
    head->alarm = (AnbAdwin){0};
    if (chases(plan, t))
        anb_cart_empty(&plan->cart, anb_online_forest_tree(plan, forest, t, head->front));
}

/* Trains the tree in the background, always on y: after a drift the forest's residual is no useful target. */
static bool learn_back(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, size_t t, const AnbCartSample *sample,
                       double weight)
{
    AnbTreeHead *head = anb_online_forest_head(plan, forest, t);
    uint32_t back = !head->front;
    AnbCart *tree = anb_online_forest_tree(plan, forest, t, back);
    AnbReached at = anb_cart_reach(&plan->cart, tree, sample->x, sample->raw, sample->scratch);
    AnbCartSample own = *sample;
    double error = sample->y - at.value;
    own.chasing = false;
    own.min_f = plan->cart.min_f;
    anb_faded_add(&head->error[back], error * error, weight, fade);
    if (own.weight > 0)
        anb_cart_learn(&plan->cart, tree, &at, &own);
    if (tree->clock <= BACK_TRIAL || !(head->error[back].mean < margin * head->error[head->front].mean))
        return false;
    swap(plan, forest, t);
    return true;
}

static void watch(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, size_t t, double error, double limit)
{
    AnbTreeHead *head = anb_online_forest_head(plan, forest, t);
    if (!(limit > 0 && limit < INFINITY))
        return;
    double u = fabs(error) / limit;
    if (anb_adwin_add(&head->alarm, u < 1 ? u : 1, alarm_delta) <= 0)
        return;
    if (!head->back || anb_online_forest_tree(plan, forest, t, !head->front)->clock > BACK_AGE)
        start_back(plan, forest, t);
}

static void learn_tree(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, size_t t, const AnbReached *at,
                       AnbCartSample *sample, double weight, uint64_t *drifts)
{
    AnbTreeHead *head = anb_online_forest_head(plan, forest, t);
    double error = sample->y - at->value;
    sample->weight = weight * (plan->cart.bag == 1 ? 1 : anb_random_poisson(&forest->random, plan->cart.bag));
    sample->chasing = chases(plan, t);
    sample->min_f = sample->chasing ? plan->chase_f : plan->cart.min_f;
    anb_faded_add(&head->error[head->front], error * error, weight, fade);
    if (sample->weight > 0)
        anb_cart_learn(&plan->cart, anb_online_forest_tree(plan, forest, t, head->front), at, sample);
    if (!plan->background)
        return;
    if (head->back && learn_back(plan, forest, t, sample, weight))
        ++*drifts;
    watch(plan, forest, t, error, sample->limit);
}

/* Edges fall due rarely and are made in steps, the last feature first. */
static void show_bins(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, const double *raw)
{
    AnbBins *bins = anb_online_forest_bins(plan, forest);
    bool due = anb_bins_see(bins, raw, anb_random_bits(&forest->random));
    if (due && forest->making == 0)
        forest->making = plan->cart.features;
    if (forest->making == 0)
        return;
    for (size_t i = anb_bins_steps(plan->cart.features); i > 0 && forest->making > 0; i--)
        forest->making -= anb_bins_step(bins, (size_t)forest->making - 1);
    if (forest->making == 0)
        anb_bins_finish(bins);
}

bool anb_online_forest_learn(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, const double *x,
                             const double *raw, double y, double weight, double *scratch, uint64_t *drifts)
{
    forest->origin = forest->samples == 0 ? y : forest->origin;
    y -= forest->origin;
    const AnbReached *at = reached_of(scratch);
    AnbBins *bins = anb_online_forest_bins(plan, forest);
    AnbWhitener *whitener = anb_online_forest_whitener(plan, forest);
    y = anb_target_bounded(&forest->error, outcome_of(scratch)->value, y);
    weight = anb_weight_relative(&forest->unit, weight);
    double *work = scratch + plan->at_scratch, residual = y - outcome_of(scratch)->value;
    double sd = forest->samples > 1 ? anb_moments_sd(&forest->target) : 0, limit = sd > 0 ? clip_sd * sd : INFINITY;
    unsigned char *codes = (unsigned char *)(scratch + plan->at_codes);
    if (!(residual * residual * weight < 1e290))
        return false;
    bool complete = anb_nonfinite(x, plan->cart.features) == 0;
    if (complete && plan->cart.stride > 0)
        anb_whiten_see(whitener, plan->cart.features, x, work);
    anb_bins_codes(bins, plan->cart.features, raw, codes);
    correct(plan, forest, scratch, y, weight, limit);
    AnbCartSample sample = {.x = x,
                            .raw = raw,
                            .codes = codes,
                            .bins = bins,
                            .white = complete ? anb_whiten_row(whitener, plan->cart.features) : NULL,
                            .white0 = whitener->k0,
                            .energy = whitener->energy,
                            .y = y,
                            .residual = residual,
                            .limit = limit,
                            .random = &forest->random,
                            .scratch = work};
    for (size_t t = 0; t < plan->trees; t++)
        learn_tree(plan, forest, t, at + t, &sample, weight, drifts);
    show_bins(plan, forest, raw);
    anb_moments_add(&forest->target, y, weight);
    anb_range_follow(&forest->range, y);
    forest->samples++;
    return forest->target.square < 1e290;
}

void anb_online_forest_reframe(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, const double *alpha,
                               const double *beta)
{
    if (plan->cart.stride > 0)
        anb_whiten_reframe(anb_online_forest_whitener(plan, forest), plan->cart.features, alpha, beta);
    for (size_t t = 0; t < plan->trees; t++) {
        const AnbTreeHead *head = anb_online_forest_head(plan, forest, t);
        anb_cart_reframe(&plan->cart, anb_online_forest_tree(plan, forest, t, head->front), alpha, beta);
        if (head->back)
            anb_cart_reframe(&plan->cart, anb_online_forest_tree(plan, forest, t, !head->front), alpha, beta);
    }
}
