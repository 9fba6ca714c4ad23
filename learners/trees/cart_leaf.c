/*
 * Leaf models of an incremental tree.
 *
 *     mean     (n m + 10 prior) / (n + 10)                    prior: the mean of the parent when it split
 *     linear   w += u e k / (.015 (d + 1) + n + u q)          k = C^-1 x, q = x.k, e: error
 *                                                             u: weight in samples, n: count, capped
 *
 * C is the covariance of all rows, one for all trees (whiten.h). So a linear leaf is a recursive least squares that
 * shares its matrix with the other leaves and has its own weights and count. A split passes three tenths of the count
 * on, so that children learn fast at first. rls leaves have a matrix of their own while they grow.
 *
 * After a change of the features' unit (reframe in type.h) C and the models are converted. Slopes follow
 * src/numeric/kept_slope.h above 128 features, where the step is along the row itself, and with leaf=linear, where no
 * mean stands beside the model.
 *
 * A leaf mixes its two models by weights 1 / (faded squared error)^2. Its prediction is clipped to the range of the
 * targets that it has seen: without that, one outlier costs linear leaves more than they gain otherwise.
 */
#include "cart.h"
#include "src/numeric/clip.h"
#include "src/numeric/kept_slope.h"
#include "whiten.h"
#include "src/simd/kernels.h"

static const double fade = .98, ease = .015, kept = .3, rls_lambda = .99;

double anb_leaf_mean(const AnbCartLeaf *leaf)
{
    return leaf->prior + (leaf->mean - leaf->prior) * (leaf->count / (leaf->count + ANB_LEAF_SHRINK));
}

/* Clips to the range of the leaf's targets; returns the mean while there is none, and for a NaN from a missing cell. */
static double bounded(const AnbCartLeaf *leaf, double value)
{
    if (leaf->low > leaf->high || value != value)
        return anb_leaf_mean(leaf);
    return value > leaf->high ? leaf->high : value >= leaf->low ? value : leaf->low;
}

/* The two predictions by their faded squared errors. */
static double weighed(const AnbCartLeaf *leaf, double mean, double model)
{
    double sum = leaf->mean_error + leaf->model_error;
    if (!(sum > 0))
        return mean;
    double a = leaf->model_error / sum, b = 1 - a;
    return mean + (model - mean) * (b * b / (a * a + b * b));
}

void anb_leaf_predict(const AnbCartPlan *plan, const AnbCart *cart, uint32_t index, const double *x, double *scratch,
                      AnbReached *out)
{
    AnbCart *tree = anb_view_of(cart);
    const AnbCartLeaf *leaf = anb_cart_leaf(plan, tree, index);
    out->mean = out->model = out->value = anb_leaf_mean(leaf);
    if (plan->leaf == ANB_LEAVES_RLS) {
        if (leaf->slot == ANB_NO_SLOT)
            return;
        const double *rls = anb_cart_rls(plan, tree, leaf->slot);
        out->model = anb_cart_slot(plan, tree, leaf->slot)->offset + anb_rls_predict(&plan->rls, rls, x, scratch);
    } else if (plan->leaf != ANB_LEAVES_MEAN) {
        const double *w = anb_cart_model(plan, tree, index);
        out->model = anb_dot(w, x, plan->features) + w[plan->features];
    }
    out->model = bounded(leaf, out->model);
    out->value = plan->leaf == ANB_LEAVES_LINEAR ? out->model : weighed(leaf, out->mean, out->model);
}

/* Errors are clipped to 1e150, so that faded squares stay finite. */
static double squared(double gap)
{
    return gap * gap < 1e300 ? gap * gap : 1e300;
}

static void learn_linear(const AnbCartPlan *plan, AnbCart *cart, const AnbReached *at, const AnbCartSample *sample)
{
    AnbCartLeaf *leaf = anb_cart_leaf(plan, cart, at->leaf);
    double *w = anb_cart_model(plan, cart, at->leaf), d = (double)plan->features, weight = sample->weight / plan->bag;
    double step = weight * anb_clip(sample->y - at->model, sample->limit) /
                  (ease * (d + 1) + leaf->model_count + weight * sample->energy);
    double bad = anb_axpy(w, step, sample->white, plan->features);
    w[plan->features] += step * sample->white0;
    leaf->model_count = leaf->model_count + weight < plan->memory ? leaf->model_count + weight : plan->memory;
    if (bad + (w[plan->features] - w[plan->features]) == 0)
        return;
    memset(w, 0, plan->stride * sizeof(double));
    leaf->model_count = 0;
}

static void learn_rls(const AnbCartPlan *plan, AnbCart *cart, uint32_t slot, const AnbCartSample *sample)
{
    double *rls = anb_cart_rls(plan, cart, slot), *scratch = sample->scratch;
    double error = sample->y - anb_cart_slot(plan, cart, slot)->offset;
    error -= anb_rls_predict(&plan->rls, rls, sample->x, scratch); /* unbounded, and the scratch is this row's */
    if (!anb_rls_update(&plan->rls, rls, error, rls_lambda, sample->weight / plan->bag, scratch))
        anb_rls_init(&plan->rls, rls);
}

void anb_leaf_learn(const AnbCartPlan *plan, AnbCart *cart, const AnbReached *at, const AnbCartSample *sample)
{
    AnbCartLeaf *leaf = anb_cart_leaf(plan, cart, at->leaf);
    double y = sample->y, mean_gap = y - at->mean, model_gap = y - at->model;
    bool complete = sample->white != NULL;
    leaf->mean_error = fade * leaf->mean_error + (1 - fade) * squared(mean_gap);
    if (complete)
        leaf->model_error = fade * leaf->model_error + (1 - fade) * squared(model_gap);
    leaf->loss += sample->weight * (mean_gap * mean_gap);
    if (leaf->low > leaf->high) {
        leaf->low = leaf->high = y;
        if (leaf->node == 0)
            leaf->prior = y;
    }
    leaf->low = y < leaf->low ? y : leaf->low;
    leaf->high = y > leaf->high ? y : leaf->high;
    leaf->count += sample->weight;
    leaf->mean += (y - leaf->mean) * (sample->weight / leaf->count);
    if (plan->stride > 0 && complete)
        learn_linear(plan, cart, at, sample);
    else if (plan->rls_size > 0 && complete && leaf->slot != ANB_NO_SLOT)
        learn_rls(plan, cart, leaf->slot, sample);
}

static void reframe_linear(const AnbCartPlan *plan, AnbCart *cart, uint32_t index, const double *alpha,
                           const double *beta)
{
    double *w = anb_cart_model(plan, cart, index), *constant = w + plan->features;
    if (plan->leaf == ANB_LEAVES_LINEAR || plan->features > ANB_WHITEN_FEATURES)
        anb_slopes_keep(w, constant, alpha, beta, plan->features);
    else
        for (size_t j = 0; j < plan->features; j++) {
            *constant += w[j] * beta[j];
            w[j] *= alpha[j];
        }
    if (anb_nonfinite(w, plan->stride) == 0)
        return;
    memset(w, 0, plan->stride * sizeof(double));
    anb_cart_leaf(plan, cart, index)->model_count = 0;
}

void anb_cart_reframe(const AnbCartPlan *plan, AnbCart *cart, const double *alpha, const double *beta)
{
    for (uint32_t i = 0; i < cart->leaves_used && plan->stride > 0; i++)
        reframe_linear(plan, cart, i, alpha, beta);
    for (uint32_t i = 0; i < cart->pool.used && plan->rls_size > 0; i++)
        if (anb_pool_taken(&cart->pool, anb_cart_next(plan, cart), i))
            anb_rls_reframe(&plan->rls, anb_cart_rls(plan, cart, i), alpha, beta);
}

void anb_leaf_inherit(const AnbCartPlan *plan, AnbCart *cart, uint32_t from, uint32_t to)
{
    AnbCartLeaf *a = anb_cart_leaf(plan, cart, from), *b = anb_cart_leaf(plan, cart, to);
    a->prior = anb_leaf_mean(a);
    a->model_count *= kept;
    a->since = a->loss = 0;
    a->start = cart->clock;
    *b = *a;
    b->slot = ANB_NO_SLOT;
    memcpy(anb_cart_model(plan, cart, to), anb_cart_model(plan, cart, from), plan->stride * sizeof(double));
}
