/* A stack over experts: stack.h has the formulas. */
#include "stack.h"
#include "clip.h"
#include "fields.h"
#include "weight_unit.h"
#include <math.h>

enum { FIRST = 10 };                   /* samples before the stack is used */
static const double SIDE = 5, FAR = 6; /* bounds of a feature and of the target, in s */

/* The head of the state, one cache line; the rls follows. */
typedef struct Head {
    double samples, weight, square; /* discounted sums: of weights, of squared errors */
    AnbWeightUnit unit;
    double unused[3];
} Head;

/* The head of the scratch; the rls' scratch and the features follow. */
typedef struct Fitted {
    double s;     /* of the samples so far */
    double value; /* of the rls */
    double unused[6];
} Fitted;

enum { HEAD = sizeof(Head) / sizeof(double), FITTED = sizeof(Fitted) / sizeof(double) };

static const AnbField head_fields[] = {{ANB_MEMBER(Head, samples), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                       {ANB_MEMBER(Head, weight), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                       {ANB_MEMBER(Head, square), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                       {ANB_INNER(Head, unit, AnbWeightUnit, anb_weight_unit_fields), .since = 3},
                                       {0}};

/* s of the samples so far. */
static double scale_of(const double *state)
{
    const Head *s = (const Head *)state;
    return s->weight > 0 ? sqrt(s->square / s->weight) : 0;
}

static AnbRls rls_of(const AnbStack *self)
{
    return (AnbRls){.n = self->n, .intercept = true, .delta = self->delta, .walk = self->walk};
}

static size_t features_at(const AnbStack *self)
{
    return FITTED + anb_rls_scratch(self->n);
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
    ((Fitted *)scratch)->s = s;
    for (size_t i = 0; i < k; i++)
        in[i] = asleep && asleep[i] ? 0 : anb_clip((f[i] - base) * inverse, SIDE);
    return in;
}

double anb_stack_predict(const AnbStack *self, const double *state, double base, AnbSpan span, double *scratch)
{
    AnbRls rls = rls_of(self);
    Fitted *fitted = (Fitted *)scratch;
    double s = fitted->s, side = (span.high - span.low) + 2 * s;
    if (!(s > 0))
        return base;
    fitted->value = anb_rls_predict(&rls, state + HEAD, scratch + features_at(self), scratch + FITTED);
    double out = base + s * fitted->value;
    if (((const Head *)state)->samples < FIRST || !(out - out == 0))
        return base;
    return out < span.low - side ? span.low - side : out > span.high + side ? span.high + side : out;
}

void anb_stack_learn(const AnbStack *self, const AnbLoss *loss, double *state, double base, double y, double weight,
                     double *scratch)
{
    AnbRls rls = rls_of(self);
    Head *head = (Head *)state;
    const Fitted *fitted = (const Fitted *)scratch;
    double s = fitted->s, error = y - base;
    bool fine = true;
    weight = anb_weight_relative(&head->unit, weight);
    if (s > 0)
        fine = anb_rls_update(&rls, state + HEAD, anb_pull_by(loss, anb_clip(error / s, FAR) - fitted->value, 1),
                              self->lambda, weight, scratch + FITTED);
    head->samples += 1;
    head->weight = self->lambda * head->weight + weight;
    head->square = self->lambda * head->square + weight * (error * error);
    if (!fine || !(head->weight + head->square < 0x1p1000))
        anb_stack_start(self, state);
}

void anb_stack_refresh(const AnbStack *self, double *state, double factor)
{
    AnbRls rls = rls_of(self);
    anb_rls_refresh(&rls, state + HEAD, factor);
}

static void visit_state(const AnbStack *self, double *state, AnbVisitor *visitor)
{
    AnbRls rls = rls_of(self);
    anb_struct_visit(head_fields, state, visitor);
    anb_rls_visit(&rls, state + HEAD, visitor);
}

int anb_stack_validate(const AnbStack *self, const double *state, AnbError *error)
{
    AnbRls rls = rls_of(self);
    if (!anb_struct_valid(head_fields, state))
        return anb_fail(error, ANB_E_STATE, "a stack's scale is negative or not finite");
    return anb_rls_validate(&rls, state + HEAD, error);
}

/* ---- as a part of a state ---------------------------------------------------------------------------------------- */

static AnbStack of_field(const AnbNode *self, const AnbField *field)
{
    const AnbStackForm *form = field->form;
    return form->of(self, form->which);
}

static size_t part_size(const AnbNode *self, const AnbField *field)
{
    AnbStack stack = of_field(self, field);
    return stack.n > 0 ? anb_stack_size(&stack) * sizeof(double) : 0;
}

static void part_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    AnbStack stack = of_field(self, field);
    (void)state;
    if (stack.n > 0)
        visit_state(&stack, part, visitor);
}

static int part_validate(const AnbNode *self, const AnbField *field, const void *state, const void *part,
                         AnbError *error)
{
    AnbStack stack = of_field(self, field);
    (void)state;
    return stack.n > 0 ? anb_stack_validate(&stack, part, error) : 0;
}

const AnbPart anb_stack_part = {part_size, part_visit, part_validate};

static size_t work_size(const AnbNode *self, const AnbField *field)
{
    AnbStack stack = of_field(self, field);
    return stack.n > 0 ? anb_stack_scratch(&stack) * sizeof(double) : 0;
}

const AnbPart anb_stack_work = {.size = work_size};
