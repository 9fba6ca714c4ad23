/* What `rls` and its short way (rls_isa.c) share. */
#ifndef ANB_LEARNERS_RLS_H
#define ANB_LEARNERS_RLS_H

#include "src/numeric/clip.h"
#include "src/numeric/rls_single.h"
#include <anabranch/learners.h>
#include <math.h>

enum { ANB_RLS_STATE, ANB_RLS_BASE }; /* fields of the state */
enum { ANB_RLS_RAW, ANB_RLS_WORK };   /* of the scratch: the prediction as it came; what src/numeric/rls.h works with */

ANB_ISA_TABLE(AnbDirectTable, anb_rls_direct);

static inline AnbRls anb_rls_of(const AnbNode *self)
{
    const AnbRlsOptions *o = self->options;
    return (AnbRls){.n = self->n_features,
                    .intercept = o->intercept,
                    .delta = o->delta,
                    .walk = o->walk,
                    .single = o->precision == ANB_RLS_SINGLE && self->n_features > ANB_RLS_FEW};
}

/* The forgetting factor for an error of this size. A base below 1e-15 of y is rounding: then nothing is surprising. */
static inline double anb_rls_adapted(double lambda, double *base, double size, double y)
{
    *base = .99 * *base + .01 * size;
    double ratio = *base <= 1e-15 * fabs(y) ? 1 : anb_clamp(size / *base, .1, 10);
    return anb_clamp(lambda * anb_clamp(1 - .001 * (ratio - 1), .99, 1.001), .95, 1);
}

/* Learns the row that predict left in the scratch; `error` is finite. Whether the weights still are. */
static inline bool anb_rls_learn(const AnbNode *self, const AnbRls *rls, void *state, double error, double y,
                                 double weight, double *scratch)
{
    const AnbRlsOptions *o = self->options;
    double lambda = o->lambda;
    if (o->adaptive)
        lambda = anb_rls_adapted(lambda, anb_field(self, state, ANB_RLS_BASE), fabs(error), y);
    double *work = anb_scratch(self, scratch, ANB_RLS_WORK);
    return rls->single ? anb_rls_single_update(rls, state, error, lambda, weight, work)
                       : anb_rls_update(rls, state, error, lambda, weight, work);
}

#endif
