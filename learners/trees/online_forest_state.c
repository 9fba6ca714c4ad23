/* A grove as a snapshot, a caller and a validator see it. */
#include "online_forest.h"
#include "src/simd/kernels.h"

void anb_online_forest_importance(const AnbOnlineForestPlan *plan, const AnbOnlineForest *grove, double *out)
{
    AnbOnlineForest *g = (AnbOnlineForest *)(uintptr_t)grove; /* read only */
    size_t d = plan->cart.features;
    size_t every = plan->chase_f > 0 ? 2 : 1; /* what is left over is mostly noise: those trees do not count */
    double total = 0;
    for (size_t j = 0; j < d; j++) {
        out[j] = 0;
        for (size_t t = 0; t < plan->trees; t += every) {
            AnbCart *tree = anb_online_forest_tree(plan, g, t, anb_online_forest_head(plan, g, t)->front);
            out[j] += anb_cart_importance(&plan->cart, tree)[j];
        }
        total += out[j];
    }
    for (size_t j = 0; j < d; j++)
        out[j] = total > 0 ? out[j] / total : 1 / (double)d;
}

static void visit_head(AnbTreeHead *head, bool background, AnbVisitor *visitor)
{
    anb_faded_visit(&head->error[0], visitor);
    anb_faded_visit(&head->error[1], visitor);
    anb_visit(visitor, &head->front, ANB_U32, 2);
    head->front = background && head->front != 0;
    head->back = background && head->back != 0;
    if (background)
        anb_adwin_visit(&head->alarm, visitor);
}

void anb_online_forest_visit(const AnbOnlineForestPlan *plan, AnbOnlineForest *grove, AnbVisitor *visitor)
{
    anb_visit(visitor, &grove->samples, ANB_U64, 2);
    anb_moments_visit(&grove->target, visitor);
    anb_range_visit(&grove->range, visitor);
    anb_error_scale_visit(&grove->error, visitor);
    anb_weight_unit_visit(&grove->unit, visitor);
    anb_visit(visitor, &grove->origin, ANB_F64, 1);
    for (int r = 0; r < ANB_CART_RATES; r++)
        anb_faded_visit(&grove->rate_error[r], visitor);
    anb_random_visit(&grove->random, visitor);
    if (plan->cart.stride > 0)
        anb_whiten_visit(anb_online_forest_gain(plan, grove), plan->cart.features, visitor);
    anb_bins_visit(anb_online_forest_bins(plan, grove), plan->cart.features, visitor);
    for (size_t t = 0; t < plan->trees; t++) {
        AnbTreeHead *head = anb_online_forest_head(plan, grove, t);
        visit_head(head, plan->background, visitor);
        anb_cart_visit(&plan->cart, anb_online_forest_tree(plan, grove, t, head->front), visitor);
        if (head->back)
            anb_cart_visit(&plan->cart, anb_online_forest_tree(plan, grove, t, !head->front), visitor);
    }
}

static bool valid_faded(const AnbFaded *error)
{
    return error->weight >= 0 && error->mean >= 0 && error->weight + error->mean < INFINITY;
}

static bool valid_tree(const AnbOnlineForestPlan *plan, AnbOnlineForest *grove, size_t t)
{
    const AnbTreeHead *head = anb_online_forest_head(plan, grove, t);
    if (!valid_faded(&head->error[0]) || !valid_faded(&head->error[1]))
        return false;
    if (plan->background && !anb_adwin_valid(&head->alarm))
        return false;
    return anb_cart_valid(&plan->cart, anb_online_forest_tree(plan, grove, t, head->front)) &&
           (!head->back || anb_cart_valid(&plan->cart, anb_online_forest_tree(plan, grove, t, !head->front)));
}

static bool valid_bins(const AnbBins *bins, size_t features)
{
    for (size_t j = 0; j < features; j++) {
        const AnbEdges *edges = anb_bins_edges(bins, j);
        for (size_t i = 0; i < edges->count; i++)
            if (edges->edge[i] - edges->edge[i] != 0 || (i > 0 && !(edges->edge[i - 1] < edges->edge[i])))
                return false;
    }
    return bins->due > 0;
}

bool anb_online_forest_valid(const AnbOnlineForestPlan *plan, const AnbOnlineForest *grove)
{
    AnbOnlineForest *g = (AnbOnlineForest *)(uintptr_t)grove; /* read only */
    if (grove->making > plan->cart.features || anb_nonfinite(&grove->target.weight, 3) != 0 ||
        anb_nonfinite(&grove->origin, 1) != 0 || !anb_error_scale_valid(&grove->error) ||
        !anb_weight_unit_valid(&grove->unit))
        return false;
    if (!anb_range_valid(&grove->range) || !valid_bins(anb_online_forest_bins(plan, g), plan->cart.features))
        return false;
    if (plan->cart.stride > 0 && !anb_whiten_valid(anb_online_forest_gain(plan, g), plan->cart.features))
        return false;
    for (int r = 0; r < ANB_CART_RATES; r++)
        if (!valid_faded(&grove->rate_error[r]))
            return false;
    for (size_t t = 0; t < plan->trees; t++)
        if (!valid_tree(plan, g, t))
            return false;
    return true;
}
