/* Shared by `rls` and its direct table (rls_isa.c). */
#ifndef ANB_LEARNERS_RLS_H
#define ANB_LEARNERS_RLS_H

#include "src/numeric/clip.h"
#include "src/numeric/error_size.h"
#include "src/numeric/rls_single.h"
#include <anabranch/learners.h>
#include <math.h>

enum { ANB_RLS_STATE, ANB_RLS_BASE, ANB_RLS_SURPRISE }; /* fields of the state */
/* The entries of ANB_RLS_SURPRISE: rows, rows since P was last multiplied, the usual size of errors, that of the last
 * ones. */
enum { ANB_RLS_ROWS, ANB_RLS_SINCE, ANB_RLS_USUAL, ANB_RLS_QUICK, ANB_RLS_SURPRISE_SIZE };
enum { ANB_RLS_RAW, ANB_RLS_WORK }; /* of the scratch: the prediction as it came; what src/numeric/rls.h works with */

ANB_ISA_TABLE(AnbDirectTable, anb_rls_direct);

static inline AnbRls anb_rls_of(const AnbNode *self)
{
    const AnbRlsOptions *o = self->options;
    return (AnbRls){.n = self->n_features,
                    .intercept = o->intercept,
                    .delta = o->delta,
                    .walk = o->walk,
                    .level = o->level,
                    .single = o->precision == ANB_RLS_SINGLE && self->n_features > ANB_RLS_FEW};
}

/* The forgetting factor for an error of this size. A base below 1e-15 |y| is rounding: lambda does not change then. */
static inline double anb_rls_adapted(double lambda, double *base, double size, double y)
{
    *base = .99 * *base + .01 * size;
    double ratio = *base <= 1e-15 * fabs(y) ? 1 : anb_clamp(size / *base, .1, 10);
    return anb_clamp(lambda * anb_clamp(1 - .001 * (ratio - 1), .99, 1.001), .95, 1);
}

/* Updates the sizes of errors; multiplies P where the last errors are far larger than usual. */
static inline void anb_rls_surprised(const AnbNode *self, const AnbRls *rls, double *state, double *s, double size)
{
    const double ratio = ((const AnbRlsOptions *)self->options)->surprise, most = 4 * s[ANB_RLS_USUAL], factor = 100;
    size = size < 0x1p1000 ? size : 0x1p1000;
    bool known = s[ANB_RLS_ROWS] >= 100;
    double bounded = known && size > most ? most : size;
    s[ANB_RLS_QUICK] += .2 * (bounded - s[ANB_RLS_QUICK]);
    s[ANB_RLS_USUAL] = anb_error_size_next(s[ANB_RLS_USUAL], size, s[ANB_RLS_ROWS]);
    s[ANB_RLS_ROWS] += s[ANB_RLS_ROWS] < 0x1p53;
    s[ANB_RLS_SINCE] += s[ANB_RLS_SINCE] < 0x1p53;
    if (!known || s[ANB_RLS_QUICK] <= ratio * s[ANB_RLS_USUAL] || s[ANB_RLS_SINCE] <= 3 * (double)(rls->n + 1))
        return;
    s[ANB_RLS_SINCE] = 0;
    anb_rls_refresh(rls, state, factor);
}

/* Learns the row that predict left in the scratch; `error` is finite. Returns whether the weights are finite. */
static inline bool anb_rls_learn(const AnbNode *self, const AnbRls *rls, void *state, double error, double y,
                                 double weight, double *scratch)
{
    const AnbRlsOptions *o = self->options;
    double lambda = o->lambda;
    if (o->adaptive)
        lambda = anb_rls_adapted(lambda, anb_field(self, state, ANB_RLS_BASE), fabs(error), y);
    double *work = anb_scratch(self, scratch, ANB_RLS_WORK);
    bool fine = rls->single ? anb_rls_single_update(rls, state, error, lambda, weight, work)
                            : anb_rls_update(rls, state, error, lambda, weight, work);
    if (fine && o->surprise > 0)
        anb_rls_surprised(self, rls, state, anb_field(self, state, ANB_RLS_SURPRISE), fabs(error));
    return fine;
}

#endif
