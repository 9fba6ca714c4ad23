/*
 * The router `stack`: the experts' BOA, corrected by a recursive least squares on how far each expert's prediction is
 * from it (src/numeric/stack.h has the formulas).
 *
 * The BOA's memory grows with the stream (boa.h). The reported probabilities are the BOA's. The prediction may leave
 * the experts' range, which helps where all of them err to one side.
 *
 * State: a BOA and a stack. Cost: (K + 2)^2 multiply-adds to learn; 2 K to predict.
 * Breiman 1996, "Stacked regressions"; Wintenberger 2017 (BOA).
 */
#include "dense.h"
#include <anabranch/moe.h>

static const AnbParam params[] = {
    {"lambda", ANB_REAL, offsetof(AnbRouterStackOptions, lambda), 1, 0, 1, ANB_OPEN_MIN, NULL, "forgetting factor"},
    {"delta", ANB_REAL, offsetof(AnbRouterStackOptions, delta), 0.03, 0, 1e6, ANB_OPEN_MIN, NULL,
     "prior variance of the weights, around 0"},
    {"walk", ANB_REAL, offsetof(AnbRouterStackOptions, walk), 0, 0, 1e6, 0, NULL,
     "variance of the intercept's random walk a sample"},
    {"discount", ANB_REAL, offsetof(AnbRouterStackOptions, discount), 1, 0, 1, ANB_OPEN_MIN, NULL,
     "factor of the BOA's past regrets at each sample; at the n-th at most n / (n + 2)"},
    {0}};

static AnbStack stack_of(const AnbNode *self, size_t which)
{
    (void)which;
    const AnbRouterStackOptions *options = self->options;
    return (AnbStack){self->gate.k, options->lambda, options->delta, options->walk};
}

static const AnbStackForm form = {stack_of, 0};

enum { BOA, STACK };
static const AnbField fields[] = {[BOA] = {.name = "boa", .part = &anb_boa_part, .form = &anb_boa_of_experts},
                                  [STACK] = {.name = "stack", .part = &anb_stack_part, .form = &form},
                                  {0}};

/* BASE: the BOA's prediction. */
enum { BASE, WORK };
static const AnbField scratch_fields[] = {[BASE] = {.name = "base", .kind = ANB_F64, .fixed = 1},
                                          [WORK] = {.name = "work", .part = &anb_stack_work, .form = &form},
                                          {0}};

static int init(const AnbNode *self, void *state)
{
    AnbStack stack = stack_of(self, 0);
    anb_boa_start(anb_field(self, state, BOA), self->gate.k);
    anb_stack_start(&stack, anb_field(self, state, STACK));
    return 0;
}

static double mix(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate, double *scratch)
{
    AnbStack stack = stack_of(self, 0);
    const double *own = anb_field_const(self, state, STACK);
    double *base = anb_scratch(self, scratch, BASE), *work = anb_scratch(self, scratch, WORK);
    (void)row;
    *base = anb_mix(gate->p, gate->f, gate->k);
    anb_stack_features(&stack, own, gate->f, gate->k, gate->asleep, *base, work);
    return anb_stack_predict(&stack, own, *base, anb_span(gate->f, gate->k, gate->asleep), work);
}

static void learn(const AnbNode *self, void *state, const AnbRow *row, AnbGate *gate, double y, double weight,
                  double *scratch)
{
    const AnbRouterStackOptions *options = self->options;
    AnbStack stack = stack_of(self, 0);
    double base = *(const double *)anb_scratch(self, scratch, BASE), *boa = anb_field(self, state, BOA);
    (void)row;
    double discount = anb_boa_growing(boa, gate->k, options->discount);
    y = anb_dense_learn(boa, discount, gate, base, y, weight);
    anb_stack_learn(&stack, &gate->loss, anb_field(self, state, STACK), base, y, weight,
                    anb_scratch(self, scratch, WORK));
    anb_boa_weights(boa, gate->k, gate->asleep, gate->after);
}

static void refresh(const AnbNode *self, void *state, double factor)
{
    AnbStack stack = stack_of(self, 0);
    anb_stack_refresh(&stack, anb_field(self, state, STACK), factor);
}

const AnbRouterType anb_router_stack = {
    .type = {.name = "stack",
             .brief = "recursive least squares on the differences between the experts and their BOA",
             .example = "stack(lambda=0.998, walk=0.1)",
             .options_size = sizeof(AnbRouterStackOptions),
             .params = params,
             .flags = ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_READS_OLDER,
             .version = 3,
             .fields = fields,
             .scratch = scratch_fields,
             .init = init,
             .refresh = refresh},
    .dense = true,
    .gate = anb_boa_gate,
    .mix = mix,
    .learn = learn,
    .forget = anb_boa_forget_expert,
    .readable = &anb_dense_readable};
