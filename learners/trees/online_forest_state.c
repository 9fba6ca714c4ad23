/* Saving, read-outs and validation of a forest. */
#include "online_forest.h"
#include "src/simd/kernels.h"

void anb_online_forest_importance(const AnbOnlineForestPlan *plan, const AnbOnlineForest *forest, double *out)
{
    AnbOnlineForest *open = anb_view_of(forest);
    size_t d = plan->cart.features;
    size_t every = plan->chase_f > 0 ? 2 : 1; /* trees of residuals, which are mostly noise, do not count */
    double total = 0;
    for (size_t j = 0; j < d; j++) {
        out[j] = 0;
        for (size_t t = 0; t < plan->trees; t += every) {
            AnbCart *tree = anb_online_forest_tree(plan, open, t, anb_online_forest_head(plan, open, t)->front);
            out[j] += anb_cart_importance(&plan->cart, tree)[j];
        }
        total += out[j];
    }
    for (size_t j = 0; j < d; j++)
        out[j] = total > 0 ? out[j] / total : 1 / (double)d;
}

static const AnbField tree_fields[] = {{ANB_INNER(AnbTreeHead, error, AnbFaded, anb_faded_fields)},
                                       {ANB_MEMBER(AnbTreeHead, front)},
                                       {ANB_MEMBER(AnbTreeHead, back)},
                                       {0}};

static const AnbField head_fields[] = {{ANB_MEMBER(AnbOnlineForest, samples)},
                                       {ANB_MEMBER(AnbOnlineForest, making)},
                                       {ANB_INNER(AnbOnlineForest, target, AnbMoments, anb_moments_fields)},
                                       {ANB_INNER(AnbOnlineForest, range, AnbRange, anb_range_fields)},
                                       {ANB_INNER(AnbOnlineForest, error, AnbErrorScale, anb_error_scale_fields)},
                                       {ANB_INNER(AnbOnlineForest, unit, AnbWeightUnit, anb_weight_unit_fields)},
                                       {ANB_MEMBER(AnbOnlineForest, origin), .must = ANB_FINITE},
                                       {ANB_INNER(AnbOnlineForest, rate_error, AnbFaded, anb_faded_fields)},
                                       {ANB_INNER(AnbOnlineForest, random, AnbRandom, anb_random_fields)},
                                       {0}};

static void visit_head(AnbTreeHead *head, bool background, AnbVisitor *visitor)
{
    anb_struct_visit(tree_fields, head, visitor);
    if (!visitor->value) {
        head->front = background && head->front != 0;
        head->back = background && head->back != 0;
    }
    if (background)
        anb_adwin_visit(&head->alarm, visitor);
}

/* What a file says is checked after it was read. */
static size_t making_of(const AnbOnlineForestPlan *plan, const AnbOnlineForest *forest)
{
    return forest->making < plan->cart.features ? (size_t)forest->making : plan->cart.features;
}

void anb_online_forest_visit(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, AnbVisitor *visitor)
{
    anb_struct_visit(head_fields, forest, visitor);
    if (plan->cart.stride > 0)
        anb_whiten_visit(anb_online_forest_whitener(plan, forest), plan->cart.features, visitor);
    anb_bins_visit(anb_online_forest_bins(plan, forest), plan->cart.features, making_of(plan, forest), visitor);
    for (size_t t = 0; t < plan->trees; t++) {
        AnbTreeHead *head = anb_online_forest_head(plan, forest, t);
        visit_head(head, plan->background, visitor);
        anb_cart_visit(&plan->cart, anb_online_forest_tree(plan, forest, t, head->front), visitor);
        if (head->back)
            anb_cart_visit(&plan->cart, anb_online_forest_tree(plan, forest, t, !head->front), visitor);
    }
}

static bool valid_faded(const AnbFaded *error)
{
    return error->weight >= 0 && error->mean >= 0 && error->weight + error->mean < INFINITY;
}

static bool valid_tree(const AnbOnlineForestPlan *plan, AnbOnlineForest *forest, size_t t)
{
    const AnbTreeHead *head = anb_online_forest_head(plan, forest, t);
    if (!valid_faded(&head->error[0]) || !valid_faded(&head->error[1]))
        return false;
    if (plan->background && !anb_adwin_valid(&head->alarm))
        return false;
    return anb_cart_valid(&plan->cart, anb_online_forest_tree(plan, forest, t, head->front)) &&
           (!head->back || anb_cart_valid(&plan->cart, anb_online_forest_tree(plan, forest, t, !head->front)));
}

bool anb_online_forest_valid(const AnbOnlineForestPlan *plan, const AnbOnlineForest *forest)
{
    AnbOnlineForest *open = anb_view_of(forest);
    if (forest->making > plan->cart.features || !anb_struct_valid(head_fields, forest))
        return false;
    if (!anb_range_valid(&forest->range) || !anb_bins_valid(anb_online_forest_bins(plan, open), plan->cart.features))
        return false;
    if (plan->cart.stride > 0 && !anb_whiten_valid(anb_online_forest_whitener(plan, open), plan->cart.features))
        return false;
    for (int r = 0; r < ANB_CART_RATES; r++)
        if (!valid_faded(&forest->rate_error[r]))
            return false;
    for (size_t t = 0; t < plan->trees; t++)
        if (!valid_tree(plan, open, t))
            return false;
    return true;
}
