/* One level of `quantile`: quantile_level.h says what it holds. */
#include "quantile_level.h"
#include <anabranch/type.h>

enum { HEAD = 8 };

/* Forgetting factor, a memory of about 5,000 samples; prior variance of a weight; discount of the BOA. */
static const double lambda = .9998, prior = .1, discount = .999;

static AnbRls rls_of(AnbQuantileForm form)
{
    return (AnbRls){.n = form.n, .intercept = true, .delta = prior};
}

static double *rls_at(AnbQuantileForm form, const double *level)
{
    return (double *)anb_view_of(level) + HEAD + anb_boa_size(form.k);
}

size_t anb_quantile_level_size(AnbQuantileForm form)
{
    return HEAD + anb_boa_size(form.k) + (anb_rls_state(form.n) + 7) / 8 * 8;
}

void anb_quantile_level_start(AnbQuantileForm form, double *level)
{
    AnbRls rls = rls_of(form);
    memset(level, 0, HEAD * sizeof *level);
    anb_boa_start(level + HEAD, form.k);
    anb_rls_init(&rls, rls_at(form, level));
}

double anb_quantile_level_fit(AnbQuantileForm form, const double *level, const double *feature, double *work)
{
    AnbRls rls = rls_of(form);
    return anb_rls_predict(&rls, rls_at(form, level), feature, work);
}

double anb_quantile_level_mix(AnbQuantileForm form, const double *level, const double *candidate)
{
    double weight[ANB_CANDIDATES];
    anb_boa_weights(level + HEAD, form.k, NULL, weight);
    return anb_mix(weight, candidate, form.k);
}

bool anb_quantile_level_learn(AnbQuantileForm form, double *level, const AnbQuantileSample *sample, double *work)
{
    AnbRls rls = rls_of(form);
    AnbErrorScale *scale = (AnbErrorScale *)level;
    const AnbLoss loss = {ANB_LOSS_QUANTILE, sample->level};
    AnbPull pull = anb_pull_of(ANB_LOSS_QUANTILE, sample->level, scale->level);
    double off = anb_error_bounded(scale, sample->off), mix = anb_quantile_level_mix(form, level, sample->candidate);
    const AnbBoaSample boa_sample = {sample->candidate, mix, sample->y, sample->weight, .loss = &loss};
    anb_boa_learn(level + HEAD, form.k, discount, &boa_sample);
    if (!(pull.step > 0) ||
        anb_rls_update(&rls, rls_at(form, level), anb_pull(&pull, off), lambda, sample->weight, work))
        return true;
    anb_rls_init(&rls, rls_at(form, level));
    return false;
}

void anb_quantile_level_visit(AnbQuantileForm form, double *level, AnbVisitor *visitor)
{
    AnbRls rls = rls_of(form);
    anb_error_scale_visit((AnbErrorScale *)level, visitor);
    anb_boa_visit(level + HEAD, form.k, visitor);
    anb_rls_visit(&rls, rls_at(form, level), visitor);
}

int anb_quantile_level_validate(AnbQuantileForm form, const double *level, AnbError *error)
{
    AnbRls rls = rls_of(form);
    if (!anb_error_scale_valid((const AnbErrorScale *)level) || !anb_boa_valid(level + HEAD, form.k))
        return anb_fail(error, ANB_E_STATE, "quantile: invalid weights or an invalid scale of a level");
    return anb_rls_validate(&rls, rls_at(form, level), error);
}
