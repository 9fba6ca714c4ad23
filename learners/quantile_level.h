/*
 * One level of `quantile`: the weights of its candidates and the correction that is fitted to the row.
 *
 *     state   doubles: [ error scale | boa of the candidates | rls of n features and a constant ], each on whole blocks
 *             of eight
 */
#ifndef ANB_LEARNERS_QUANTILE_LEVEL_H
#define ANB_LEARNERS_QUANTILE_LEVEL_H

#include "src/numeric/boa.h"
#include "src/numeric/loss.h"
#include "src/numeric/rls.h"

/* The candidates; the last one only with a second child. */
enum { ANB_EVEN, ANB_SCALED, ANB_FITTED, ANB_FREE, ANB_MODELLED, ANB_CANDIDATES };

typedef struct AnbQuantileForm {
    size_t n; /* features of the correction */
    size_t k; /* candidates: ANB_CANDIDATES or one less */
} AnbQuantileForm;

/* Doubles of a level. */
size_t anb_quantile_level_size(AnbQuantileForm form);
void anb_quantile_level_start(AnbQuantileForm form, double *level);

/* The correction for the features, in units of sigma; the scratch of anb_rls_scratch(n) doubles keeps
 * them. */
double anb_quantile_level_fit(AnbQuantileForm form, const double *level, const double *feature, double *work);
/* The mix of k candidates. */
double anb_quantile_level_mix(AnbQuantileForm form, const double *level, const double *candidate);

/* What a level learns from. */
typedef struct AnbQuantileSample {
    double level, y;
    double off; /* y less the fitted candidate, in units of sigma */
    double weight;
    const double *candidate;
} AnbQuantileSample;

/* Returns false where the correction was not finite and was restarted. */
bool anb_quantile_level_learn(AnbQuantileForm form, double *level, const AnbQuantileSample *sample, double *work);

void anb_quantile_level_visit(AnbQuantileForm form, double *level, AnbVisitor *visitor);
int anb_quantile_level_validate(AnbQuantileForm form, const double *level, AnbError *error);

#endif
