#include "capability.h"
#include "src/numeric/fallback.h"

static int refuse(const char *type, const char *table, AnbError *error)
{
    return anb_fail(error, ANB_E_ARGUMENT, "%s: its table `%s` lacks a function", type, table);
}

static const char *half_since_0_3(const StreamingLearnerType *type)
{
    if (type->quantile && !(type->quantile->levels && type->quantile->values))
        return "quantile";
    if (type->direct && !(type->direct->predict && type->direct->step && type->direct->predict_many))
        return "direct";
    if (type->flags & ANB_STEPS_MANY && type->direct && !type->direct->step_many)
        return "direct";
    if (type->flags & ANB_FALLS_BACK && type->direct && !type->direct->predict_or)
        return "direct";
    if (type->features && !type->features->source)
        return "features";
    return type->categories && !type->categories->frequent ? "categories" : NULL;
}

int anb_check_tables(const StreamingLearnerType *type, AnbError *error)
{
    const AnbMixtureTable *m = type->mixture;
    const AnbIntervalTable *i = type->interval;
    const AnbAnswerTable *a = type->answer;
    const AnbWaitingTable *w = type->waiting;
    const char *half = NULL;
    if (m && (!(m->span && m->view && m->routing && m->experts && m->disagreement) ||
              ((type->flags & ANB_GIVES_OUTLOOK) && !m->outlook)))
        half = "mixture";
    if (i && !(i->levels && i->interval))
        half = "interval";
    if (a && !(a->given && a->restore))
        half = "answer";
    if (w && !(w->keep && w->find && w->learned && w->fate && w->count))
        half = "waiting";
    if (type->importance &&
        (!type->importance->shares || ((type->flags & ANB_GIVES_EVIDENCE) && !type->importance->evidence)))
        half = "importance";
    if (type->spread && !type->spread->spread)
        half = "spread";
    if (type->sparsity && !type->sparsity->share)
        half = "sparsity";
    if (type->network && !type->network->matrix)
        half = "network";
    if (type->drift && !type->drift->view)
        half = "drift";
    if (type->affine && !type->affine->slopes)
        half = "affine";
    if (type->shapley && !type->shapley->split)
        half = "shapley";
    if (!half && anb_since_0_3(type))
        half = half_since_0_3(type);
    return half ? refuse(type->name, half, error) : 0;
}

int anb_check_router_tables(const AnbRouterType *router, AnbError *error)
{
    const char *half = NULL;
    if (!(router->gate && router->mix && router->learn))
        return anb_fail(error, ANB_E_ARGUMENT, "%s: a router has need, gate, mix and learn", router->type.name);
    if (router->readable && !router->readable->weights)
        half = "readable";
    if (router->load && !(router->load->load && router->load->rate))
        half = "load";
    if (router->logits && !router->logits->logits)
        half = "logits";
    if (router->batch && !(router->batch->begin && router->batch->end))
        half = "batch";
    if (router->explore && !router->explore->explorer)
        half = "explore";
    return half ? refuse(router->type.name, half, error) : 0;
}

static double by_predict(const AnbNode *self, const void *state, const double *x, AnbFallback fallback)
{
    double f = self->type->direct->predict(self, state, x);
    return anb_finite_or(f, state, x, fallback);
}

static double by_fallback(const AnbNode *self, const void *state, const double *x, AnbFallback fallback)
{
    (void)self;
    return fallback(state, x);
}

AnbLook anb_look_of(const StreamingLearnerType *type, const AnbDirectTable *direct)
{
    if (!direct)
        return by_fallback;
    return type->flags & ANB_FALLS_BACK ? direct->predict_or : by_predict;
}
