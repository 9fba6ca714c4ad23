/* The direct table of `rls`, compiled once per instruction set: a prediction is one pass over the row. */
#include "rls.h"
#include "src/numeric/fallback.h"
#include "src/numeric/rls_look.h"

/* Finite only where x is: a weight of 0 times infinity is not a number either. */
ANB_ON_A_LINE static double predict_or(const AnbNode *self, const void *state, const double *x, AnbFallback fallback)
{
    return anb_finite_or(anb_rls_look(state, x, self->n_features), state, x, fallback);
}

static double predict(const AnbNode *self, const void *state, const double *x)
{
    return predict_or(self, state, x, anb_unsure);
}

static double step(const AnbNode *self, void *state, const double *x, double y, double *scratch, AnbCounters *counters)
{
    AnbRls rls = anb_rls_of(self);
    _Alignas(64) double room[ANB_PASSING_MOST];
    scratch = scratch ? scratch : room;
    double f = anb_rls_predict(&rls, state, x, anb_scratch(self, scratch, ANB_RLS_WORK)), error = y - f;
    if (error - error != 0)
        return ANB_NAN;
    if (!anb_rls_learn(self, &rls, state, error, y, 1, scratch))
        anb_restart(self, state, &(AnbRow){.counters = counters});
    return f;
}

static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *out)
{
    anb_rls_look_many(state, rows->x, rows->x_stride, rows->n, self->n_features, out);
}

const AnbDirectTable ANB_PER_ISA(anb_rls_direct) = {predict, step, predict_many, .predict_or = predict_or};

ANB_ISA_REGISTER(AnbDirectTable, anb_rls_direct)
