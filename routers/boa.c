/*
 * The gate `boa`: Bernstein online aggregation of every expert (src/numeric/boa.h has the formulas and the paper).
 *
 * State: a BOA. Cost: about 10 ns an expert to learn; a copy to predict.
 */
#include "dense.h"
#include <anabranch/moe.h>

static const AnbParam params[] = {{"discount", ANB_REAL, offsetof(AnbRouterBoaOptions, discount), 1, 0, 1, ANB_OPEN_MIN,
                                   NULL, "factor of past regrets at each sample"},
                                  {0}};

static const AnbField fields[] = {{.name = "boa", .part = &anb_boa_part, .form = &anb_boa_of_experts}, {0}};

static int init(const AnbNode *self, void *state)
{
    anb_boa_start(state, self->gate.k);
    return 0;
}

static void learn(const AnbNode *self, void *state, const AnbRow *row, AnbGate *gate, double y, double weight,
                  double *scratch)
{
    const AnbRouterBoaOptions *options = self->options;
    (void)row, (void)scratch;
    double base = anb_mix(gate->p, gate->f, gate->k);
    anb_dense_learn(state, options->discount, gate, base, y, weight);
    anb_boa_weights(state, gate->k, gate->asleep, gate->after);
}

const AnbRouterType anb_router_boa = {
    .type = {.name = "boa",
             .brief = "Bernstein online aggregation: weights by loss, a learning rate for each expert",
             .example = "boa(discount=0.999)",
             .options_size = sizeof(AnbRouterBoaOptions),
             .params = params,
             .flags = ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_READS_OLDER,
             .version = 2,
             .fields = fields,
             .init = init},
    .dense = true,
    .fixed = true,
    .gate = anb_boa_gate,
    .mix = anb_dense_mix,
    .learn = learn,
    .forget = anb_boa_forget_expert,
    .readable = &anb_dense_readable};
