/* A stack over experts: stack.h has the formulas. */
#include "stack.h"
#include "weight_unit.h"
#include <math.h>

enum { FIRST = 10, HEAD = 8, UNIT = 3 }; /* samples before the stack speaks; doubles ahead of the rls; of the unit */
static const double SIDE = 5, FAR = 6;   /* bounds of a feature and of the target, in s */

static double clip(double v, double bound)
{
    return v > bound ? bound : v < -bound ? -bound : v;
}

static AnbWeightUnit *unit_of(double *state)
{
    return (AnbWeightUnit *)(state + UNIT);
}

/* s of the samples so far. */
static double scale_of(const double *state)
{
    return state[1] > 0 ? sqrt(state[2] / state[1]) : 0;
}

static AnbRls rls_of(const AnbStack *self)
{
    return (AnbRls){.n = self->n, .intercept = true, .delta = self->delta, .walk = self->walk};
}

/* The scratch: what the rls said, its own, the features. */
static size_t features_at(const AnbStack *self)
{
    return HEAD + anb_rls_scratch(self->n);
}

size_t anb_stack_size(const AnbStack *self)
{
    return HEAD + anb_rls_state(self->n);
}

size_t anb_stack_scratch(const AnbStack *self)
{
    return features_at(self) + anb_rls_padded(self->n);
}

void anb_stack_start(const AnbStack *self, double *state)
{
    AnbRls rls = rls_of(self);
    memset(state, 0, HEAD * sizeof *state);
    anb_rls_init(&rls, state + HEAD);
}

AnbSpan anb_span(const double *f, size_t k, const unsigned char *asleep)
{
    AnbSpan span = {HUGE_VAL, -HUGE_VAL};
    for (size_t i = 0; i < k; i++)
        if (!asleep || !asleep[i]) {
            span.low = f[i] < span.low ? f[i] : span.low;
            span.high = f[i] > span.high ? f[i] : span.high;
        }
    return span;
}

double *anb_stack_features(const AnbStack *self, const double *state, const double *f, size_t k,
                           const unsigned char *asleep, double base, double *scratch)
{
    double s = scale_of(state), inverse = s > 0 ? 1 / s : 0, *in = scratch + features_at(self);
    for (size_t i = 0; i < k; i++)
        in[i] = asleep && asleep[i] ? 0 : clip((f[i] - base) * inverse, SIDE);
    return in;
}

double anb_stack_predict(const AnbStack *self, const double *state, double base, AnbSpan span, double *scratch)
{
    AnbRls rls = rls_of(self);
    double s = scale_of(state), side = (span.high - span.low) + 2 * s;
    if (!(s > 0))
        return base;
    scratch[0] = anb_rls_predict(&rls, state + HEAD, scratch + features_at(self), scratch + HEAD);
    double out = base + s * scratch[0];
    if (state[0] < FIRST || !(out - out == 0))
        return base;
    return out < span.low - side ? span.low - side : out > span.high + side ? span.high + side : out;
}

void anb_stack_learn(const AnbStack *self, double *state, double base, double y, double weight, double *scratch)
{
    AnbRls rls = rls_of(self);
    double s = scale_of(state), error = y - base;
    bool fine = true;
    weight = anb_weight_relative(unit_of(state), weight);
    if (s > 0)
        fine =
            anb_rls_update(&rls, state + HEAD, clip(error / s, FAR) - scratch[0], self->lambda, weight, scratch + HEAD);
    state[0] += 1;
    state[1] = self->lambda * state[1] + weight;
    state[2] = self->lambda * state[2] + weight * (error * error);
    if (!fine || !(state[1] + state[2] < 0x1p1000))
        anb_stack_start(self, state);
}

void anb_stack_refresh(const AnbStack *self, double *state, double factor)
{
    AnbRls rls = rls_of(self);
    anb_rls_refresh(&rls, state + HEAD, factor);
}

void anb_stack_visit(const AnbStack *self, double *state, AnbVisitor *visitor)
{
    AnbRls rls = rls_of(self);
    anb_visit(visitor, state, ANB_F64, UNIT);
    if (anb_visits_since(visitor, 3))
        anb_weight_unit_visit(unit_of(state), visitor);
    anb_rls_visit(&rls, state + HEAD, visitor);
}

int anb_stack_validate(const AnbStack *self, const double *state, AnbError *error)
{
    AnbRls rls = rls_of(self);
    for (size_t i = 0; i < 3; i++)
        if (!(state[i] >= 0 && state[i] < 0x1p1001))
            return anb_fail(error, ANB_E_STATE, "a stack's scale is none");
    if (!anb_weight_unit_valid((const AnbWeightUnit *)(state + UNIT)))
        return anb_fail(error, ANB_E_STATE, "a stack's unit of weights is none");
    return anb_rls_validate(&rls, state + HEAD, error);
}
