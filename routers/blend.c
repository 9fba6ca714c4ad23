/*
 * The router `blend`: stacks of different memories around a BOA of the experts, and a discounted BOA over the stacks
 * and that BOA.
 *
 *     base   = BOA of the experts, its memory growing with the stream (boa.h)
 *     g_0    = stack(lambda 1, delta .03)              no forgetting
 *     g_1    = stack(lambda .998, delta .03, walk .1)  forgetting
 *     wide:    stack(.9998, .03, walk .02), stack(.99, .01), and a stack whose features also hold 0.3 z_i x_j for the
 *              best few experts i and every standardised feature j: how good an expert is may depend on x
 *     output = BOA(discount) over { g, base }
 *
 * The reported probabilities are those of the inner BOA. The best few experts are those with the least squared error,
 * discounted by .995, chosen once at the 500th sample: 6 experts for up to 16 features, 4 for up to 24, 2 for up to 64,
 * none beyond. After a change of the features' unit (reframe in type.h) the wide stack goes on as it is: converted, it
 * was no better, and worse on features that rise (docs/experiments.md).
 *
 * State: the two BOAs, the stacks, and for `wide` the errors, the choice and, with no scale above, moments of the
 * features. Cost: (K + 2)^2 multiply-adds a stack; the wide one (K + 6 d)^2 more.
 * Wintenberger 2017 (BOA); Breiman 1996 (stacking); Sill, Takacs, Mackey & Lin 2009 (feature-weighted linear stacking).
 */
#include "dense.h"
#include "gate_row.h"
#include <anabranch/moe.h>

enum { STACKS = 2, WIDE_STACKS = 5, OFFERS = WIDE_STACKS + 1, CHOICE = 500 };
static const double FADE = 0.995, SHARE = 0.3;

static const AnbParam params[] = {{"discount", ANB_REAL, offsetof(AnbRouterBlendOptions, discount), 0.999, 0, 1,
                                   ANB_OPEN_MIN, NULL, "what the outer gate's past is multiplied by at each sample"},
                                  {"wide", ANB_BOOL, offsetof(AnbRouterBlendOptions, wide), 0, 0, 1, 0, NULL,
                                   "five stacks instead of two, one of them weighted by the features"},
                                  {0}};

typedef struct Form {
    size_t k, d, n, best;        /* experts, features, stacks, experts weighted by x */
    bool own;                    /* standardises x itself */
    AnbStack stack[WIDE_STACKS]; /* those from n on: none */
} Form;

static size_t weighted_experts(size_t k, size_t d)
{
    size_t best = d <= 16 ? 6 : d <= 24 ? 4 : d <= 64 ? 2 : 0;
    return best < k ? best : k;
}

static Form form_of(const AnbNode *self)
{
    bool wide = ((const AnbRouterBlendOptions *)self->options)->wide;
    Form form = {.k = self->gate.k, .d = self->n_features};
    form.best = wide ? weighted_experts(form.k, form.d) : 0;
    form.n = !wide ? STACKS : form.best ? WIDE_STACKS : WIDE_STACKS - 1;
    form.own = form.best > 0 && !self->gate.standardized;
    const AnbStack stack[WIDE_STACKS] = {{form.k, 1, 0.03, 0},
                                         {form.k, 0.998, 0.03, 0.1},
                                         {form.k, 0.9998, 0.03, 0.02},
                                         {form.k, 0.99, 0.01, 0},
                                         {form.k + form.best * form.d, 1, 0.03, 0}};
    memcpy(form.stack, stack, form.n * sizeof *stack);
    return form;
}

/* ---- state and scratch ------------------------------------------------------------------------------------------- */

static AnbStack stack_of(const AnbNode *self, size_t which)
{
    return form_of(self).stack[which];
}

static size_t outer_count(const AnbNode *self)
{
    return form_of(self).n + 1;
}

static size_t faded_count(const AnbNode *self)
{
    return form_of(self).best > 0 ? self->gate.k : 0;
}

static size_t seen_count(const AnbNode *self)
{
    return form_of(self).best > 0;
}

static size_t chosen_count(const AnbNode *self)
{
    return form_of(self).best;
}

static size_t moment_count(const AnbNode *self)
{
    return form_of(self).own ? self->n_features : 0;
}

static const AnbBoaForm outer_form = {outer_count};
static const AnbStackForm forms[WIDE_STACKS] = {
    {stack_of, 0}, {stack_of, 1}, {stack_of, 2}, {stack_of, 3}, {stack_of, 4}};

/* boa: of the experts; outer: of the stacks and the base. faded: squared errors of the experts; seen: samples before
 * the choice; chosen: numbers of experts. */
enum { BOA, OUTER, STACK, FADED = STACK + WIDE_STACKS, SEEN, CHOSEN, MOMENTS };
static const AnbField fields[] = {
    [BOA] = {.name = "boa", .part = &anb_boa_part, .form = &anb_boa_of_experts},
    [OUTER] = {.name = "outer", .part = &anb_boa_part, .form = &outer_form},
    [STACK] = {.name = "stack_all", .part = &anb_stack_part, .form = &forms[0]},
    [STACK + 1] = {.name = "stack_recent", .part = &anb_stack_part, .form = &forms[1]},
    [STACK + 2] = {.name = "stack_slow", .part = &anb_stack_part, .form = &forms[2]},
    [STACK + 3] = {.name = "stack_fast", .part = &anb_stack_part, .form = &forms[3]},
    [STACK + 4] = {.name = "stack_wide", .part = &anb_stack_part, .form = &forms[4]},
    [FADED] = {.name = "faded", .kind = ANB_F64, .count = faded_count, .must = ANB_FINITE},
    [SEEN] = {.name = "seen", .kind = ANB_F64, .count = seen_count, .must = ANB_FINITE},
    [CHOSEN] = {.name = "chosen", .kind = ANB_F64, .count = chosen_count, .must = ANB_FINITE | ANB_NOT_NEGATIVE},
    ANB_GATE_MOMENTS(moment_count),
    {0}};

/* G: the predictions of the stacks and the base; WEIGHT: their weights; Z: the standardised features. */
enum { G, WEIGHT, WORK, Z = WORK + WIDE_STACKS };
static const AnbField scratch_fields[] = {
    [G] = {.name = "g", .kind = ANB_F64, .fixed = OFFERS},
    [WEIGHT] = {.name = "weight", .kind = ANB_F64, .fixed = OFFERS, .must = ANB_ALIGNED},
    [WORK] = {.name = "work_all", .part = &anb_stack_work, .form = &forms[0]},
    [WORK + 1] = {.name = "work_recent", .part = &anb_stack_work, .form = &forms[1]},
    [WORK + 2] = {.name = "work_slow", .part = &anb_stack_work, .form = &forms[2]},
    [WORK + 3] = {.name = "work_fast", .part = &anb_stack_work, .form = &forms[3]},
    [WORK + 4] = {.name = "work_wide", .part = &anb_stack_work, .form = &forms[4]},
    [Z] = {.name = "z", .kind = ANB_F64, .count = moment_count},
    {0}};

/* The data for the choice of experts. */
typedef struct Wide {
    double *faded, *seen, *chosen;
    AnbGateMoments moments;
} Wide;

static Wide wide_of(const AnbNode *self, const void *state)
{
    void *at = anb_view_of(state);
    return (Wide){anb_field(self, at, FADED), anb_field(self, at, SEEN), anb_field(self, at, CHOSEN),
                  anb_gate_moments(self, at, MOMENTS)};
}

static int init(const AnbNode *self, void *state)
{
    Form form = form_of(self);
    memset(state, 0, self->state_size);
    anb_boa_start(anb_field(self, state, BOA), form.k);
    anb_boa_start(anb_field(self, state, OUTER), form.n + 1);
    for (size_t i = 0; i < form.n; i++)
        anb_stack_start(&form.stack[i], anb_field(self, state, STACK + i));
    return 0;
}

/* The products of the chosen experts' z_i and the features; 0 until experts are chosen. */
static void weigh_features(const AnbNode *self, const Form *form, const void *state, const AnbRow *row,
                           double *features, double *scratch)
{
    const Wide wide = wide_of(self, state);
    const double *z = row->x;
    double *own = anb_scratch(self, scratch, Z), *out = features + form->k;
    bool known = *wide.seen >= CHOICE;
    if (form->own) {
        anb_gate_standardize(&wide.moments, row->x, form->d, own);
        z = own;
    }
    for (size_t b = 0; b < form->best; b++) {
        double share = known ? SHARE * features[(size_t)wide.chosen[b]] : 0;
        for (size_t j = 0; j < form->d; j++)
            *out++ = share * z[j];
    }
}

static double mix(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate, double *scratch)
{
    Form form = form_of(self);
    double base = anb_mix(gate->p, gate->f, gate->k), *g = anb_scratch(self, scratch, G);
    double *weight = anb_scratch(self, scratch, WEIGHT);
    AnbSpan span = anb_span(gate->f, gate->k, gate->asleep);
    for (size_t i = 0; i < form.n; i++) {
        double *features = anb_stack_features(&form.stack[i], anb_field_const(self, state, STACK + i), gate->f, gate->k,
                                              gate->asleep, base, anb_scratch(self, scratch, WORK + i));
        if (i == WIDE_STACKS - 1 && form.best)
            weigh_features(self, &form, state, row, features, scratch);
    }
    for (size_t i = 0; i < form.n; i++) /* all features first: a load has to wait for a recent store */
        g[i] = anb_dense_clip(gate, anb_stack_predict(&form.stack[i], anb_field_const(self, state, STACK + i), base,
                                                      span, anb_scratch(self, scratch, WORK + i)));
    g[form.n] = base;
    anb_boa_weights(anb_field_const(self, state, OUTER), form.n + 1, NULL, weight);
    return anb_mix(weight, g, form.n + 1);
}

/* The experts with the least faded errors, in ascending order of index; experts that sleep have an infinite one. */
static void choose(const Form *form, const Wide *wide)
{
    const double *faded = wide->faded;
    size_t n = 0;
    for (size_t i = 0; i < form->k && n < form->best; i++) {
        size_t better = 0;
        for (size_t j = 0; j < form->k; j++)
            better += faded[j] < faded[i] || (j < i && faded[j] == faded[i]);
        if (better < form->best)
            wide->chosen[n++] = (double)i;
    }
}

static void learn_wide(const Form *form, const Wide *wide, const AnbRow *row, const AnbGate *gate, double y)
{
    if (form->own)
        anb_gate_moments_learn(&wide->moments, row->x, 1, form->d);
    if (*wide->seen >= CHOICE)
        return;
    for (size_t i = 0; i < form->k; i++) {
        double error = y - gate->f[i], next = FADE * wide->faded[i] + error * error;
        wide->faded[i] = next < 0x1p1000 ? next : 0x1p1000;
    }
    *wide->seen += 1;
    if (*wide->seen >= CHOICE)
        choose(form, wide);
}

static void learn(const AnbNode *self, void *state, const AnbRow *row, AnbGate *gate, double y, double weight,
                  double *scratch)
{
    const AnbRouterBlendOptions *options = self->options;
    const Form form = form_of(self);
    const Wide wide = wide_of(self, state);
    const double *g = anb_scratch(self, scratch, G), *v = anb_scratch(self, scratch, WEIGHT), base = g[form.n];
    double *boa = anb_field(self, state, BOA);
    const AnbBoaSample sample = {g, anb_mix(v, g, form.n + 1), y, weight, .loss = &gate->loss};
    y = anb_boa_learn(anb_field(self, state, OUTER), form.n + 1, options->discount, &sample);
    for (size_t i = 0; i < form.n; i++)
        anb_stack_learn(&form.stack[i], &gate->loss, anb_field(self, state, STACK + i), base, y, weight,
                        anb_scratch(self, scratch, WORK + i));
    anb_dense_learn(boa, anb_boa_growing(boa, form.k, 1), gate, base, y, weight);
    if (form.best)
        learn_wide(&form, &wide, row, gate, y);
    anb_boa_weights(boa, form.k, gate->asleep, gate->after);
}

static void refresh(const AnbNode *self, void *state, double factor)
{
    Form form = form_of(self);
    for (size_t i = 0; i < form.n; i++)
        anb_stack_refresh(&form.stack[i], anb_field(self, state, STACK + i), factor);
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const Form form = form_of(self);
    const Wide wide = wide_of(self, state);
    for (size_t b = 0; b < form.best; b++) {
        double chosen = wide.chosen[b];
        if (!(chosen < (double)form.k && chosen == (double)(size_t)chosen))
            return anb_fail(error, ANB_E_STATE, "router blend: the number of an expert is out of range");
    }
    return 0;
}

const AnbRouterType anb_router_blend = {
    .type = {.name = "blend",
             .brief = "stacks with different forgetting factors around a BOA, and a discounted BOA over them",
             .example = "blend(discount=0.999, wide=true)",
             .options_size = sizeof(AnbRouterBlendOptions),
             .params = params,
             .flags = ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_READS_OLDER,
             .version = 3,
             .fields = fields,
             .scratch = scratch_fields,
             .init = init,
             .refresh = refresh,
             .validate = validate},
    .dense = true,
    .gate = anb_boa_gate,
    .mix = mix,
    .learn = learn,
    .forget = anb_boa_forget_expert,
    .readable = &anb_dense_readable};
