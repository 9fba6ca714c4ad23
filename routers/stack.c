/*
 * The gate `stack`: recursive least squares on where the experts stand around their BOA (src/numeric/stack.h has the
 * formulas).
 *
 * The probabilities it reports are the BOA's; the prediction may leave the experts' range, where all err to one side.
 *
 * State: a BOA and a stack. Cost: (K + 2)^2 multiply-adds to learn; 2 K to predict.
 * Breiman 1996, "Stacked regressions"; Wintenberger 2017 (BOA).
 */
#include "dense.h"
#include <anabranch/moe.h>

static const AnbParam params[] = {
    {"lambda", ANB_REAL, offsetof(AnbRouterStackOptions, lambda), 1, 0, 1, ANB_OPEN_MIN, NULL, "forgetting factor"},
    {"delta", ANB_REAL, offsetof(AnbRouterStackOptions, delta), 0.03, 0, 1e6, ANB_OPEN_MIN, NULL,
     "how freely the weights leave 0 at first"},
    {"walk", ANB_REAL, offsetof(AnbRouterStackOptions, walk), 0, 0, 1e6, 0, NULL,
     "variance that the constant's weight gains a sample"},
    {"discount", ANB_REAL, offsetof(AnbRouterStackOptions, discount), 1, 0, 1, ANB_OPEN_MIN, NULL,
     "what the BOA's past regrets are multiplied by at each sample"},
    {0}};

static AnbStack stack_of(const AnbNode *self)
{
    const AnbRouterStackOptions *options = self->options;
    return (AnbStack){self->gate.k, options->lambda, options->delta, options->walk};
}

/* The stack lies behind the BOA; in the scratch behind the base, from the ninth double on. */
static size_t behind(const AnbNode *self)
{
    return anb_boa_size(self->gate.k);
}

static AnbNeed need(const AnbNode *self)
{
    AnbStack stack = stack_of(self);
    return (AnbNeed){(behind(self) + anb_stack_size(&stack)) * sizeof(double), 8 + anb_stack_scratch(&stack)};
}

static int init(const AnbNode *self, void *state)
{
    AnbStack stack = stack_of(self);
    anb_boa_start(state, self->gate.k);
    anb_stack_start(&stack, (double *)state + behind(self));
    return 0;
}

static void gate(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate, double *scratch)
{
    (void)self, (void)row, (void)scratch;
    anb_dense_gate(state, gate);
}

static double mix(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate, double *scratch)
{
    AnbStack stack = stack_of(self);
    const double *own = (const double *)state + behind(self);
    (void)row;
    scratch[0] = anb_mix(gate->p, gate->f, gate->k);
    anb_stack_features(&stack, own, gate->f, gate->k, gate->asleep, scratch[0], scratch + 8);
    return anb_stack_predict(&stack, own, scratch[0], anb_span(gate->f, gate->k, gate->asleep), scratch + 8);
}

static void learn(const AnbNode *self, void *state, const AnbRow *row, AnbGate *gate, double y, double weight,
                  double *scratch)
{
    const AnbRouterStackOptions *options = self->options;
    AnbStack stack = stack_of(self);
    (void)row;
    y = anb_boa_learn(state, gate->k, options->discount, gate->asleep, gate->f, scratch[0], y, weight);
    anb_stack_learn(&stack, (double *)state + behind(self), scratch[0], y, weight, scratch + 8);
    anb_boa_weights(state, gate->k, gate->asleep, gate->after);
}

static void forget(const AnbNode *self, void *state, size_t i)
{
    anb_boa_forget(state, self->gate.k, i);
}

static void refresh(const AnbNode *self, void *state, double factor)
{
    AnbStack stack = stack_of(self);
    anb_stack_refresh(&stack, (double *)state + behind(self), factor);
}

static const AnbGateTable readable = {anb_dense_weights};

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    AnbStack stack = stack_of(self);
    anb_boa_visit(state, self->gate.k, visitor);
    anb_stack_visit(&stack, (double *)state + behind(self), visitor);
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    AnbStack stack = stack_of(self);
    if (!anb_boa_valid(state, self->gate.k))
        return anb_fail(error, ANB_E_STATE, "the gate's weights are none");
    return anb_stack_validate(&stack, (const double *)state + behind(self), error);
}

const AnbRouterType anb_router_stack = {
    .type = {.name = "stack",
             .brief = "recursive least squares on where the experts stand around their BOA",
             .example = "stack(lambda=0.998, walk=0.1)",
             .options_size = sizeof(AnbRouterStackOptions),
             .params = params,
             .flags = ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_READS_OLDER,
             .version = 3,
             .need = need,
             .init = init,
             .refresh = refresh,
             .ranges = ranges,
             .validate = validate},
    .dense = true,
    .gate = gate,
    .mix = mix,
    .learn = learn,
    .forget = forget,
    .readable = &readable};
