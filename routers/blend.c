/*
 * The gate `blend`: stacks of different memories around a BOA of the experts, and a discounted BOA over them and it.
 *
 *     base   = BOA of the experts
 *     g_0    = stack(lambda 1, delta .03)              keeps everything
 *     g_1    = stack(lambda .998, delta .03, walk .1)  follows
 *     wide:    stack(.9998, .03, walk .02), stack(.99, .01), and a stack whose features also hold 0.3 z_i x_j for the
 *              best few experts i and every standardised feature j: where an expert is good depends on x
 *     output = BOA(discount) over { g, base }
 *
 * The probabilities it reports are the inner BOA's. The best few are those with the least squared error discounted by
 * .995, chosen at the 500th sample: 6 experts for up to 16 features, 4 to 24, 2 to 64, none beyond.
 *
 * State: the two BOAs, the stacks, and for `wide` the errors, the choice and, with no scale above, moments of the
 * features. Cost: (K + 2)^2 multiply-adds a stack; the wide one (K + 6 d)^2 more.
 * Wintenberger 2017 (BOA); Breiman 1996 (stacking); Sill, Takacs, Mackey & Lin 2009 (feature-weighted linear stacking).
 */
#include "dense.h"
#include "src/simd/kernels.h"
#include "src/numeric/moments.h"
#include <anabranch/moe.h>

enum { STACKS = 2, WIDE_STACKS = 5, BLOCK = 8, CHOICE = 500 };
static const double FADE = 0.995, SHARE = 0.3, FAR = 4;

static const AnbParam params[] = {{"discount", ANB_REAL, offsetof(AnbRouterBlendOptions, discount), 0.999, 0, 1,
                                   ANB_OPEN_MIN, NULL, "what the outer gate's past is multiplied by at each sample"},
                                  {"wide", ANB_BOOL, offsetof(AnbRouterBlendOptions, wide), 0, 0, 1, 0, NULL,
                                   "five stacks instead of two, one of them weighted by the features"},
                                  {0}};

/* Where everything lies, in doubles from the start of the state and of the scratch. */
typedef struct Form {
    size_t k, d, n, best; /* experts, features, stacks, experts weighted by x */
    bool own;             /* standardises x itself */
    AnbStack stack[WIDE_STACKS];
    size_t outer, at[WIDE_STACKS], faded, chosen, moments, size; /* the inner BOA is at 0 */
    size_t v, z, in[WIDE_STACKS], room;                          /* g and the base at 0, their weights at v */
} Form;

static size_t weighted_experts(size_t k, size_t d)
{
    size_t best = d <= 16 ? 6 : d <= 24 ? 4 : d <= 64 ? 2 : 0;
    return best < k ? best : k;
}

static void describe(Form *form, bool wide, const AnbNode *self)
{
    form->k = self->gate.k;
    form->d = self->n_features;
    form->best = wide ? weighted_experts(form->k, form->d) : 0;
    form->n = !wide ? STACKS : form->best ? WIDE_STACKS : WIDE_STACKS - 1;
    form->own = form->best > 0 && !self->gate.standardized;
    form->stack[0] = (AnbStack){form->k, 1, 0.03, 0};
    form->stack[1] = (AnbStack){form->k, 0.998, 0.03, 0.1};
    form->stack[2] = (AnbStack){form->k, 0.9998, 0.03, 0.02};
    form->stack[3] = (AnbStack){form->k, 0.99, 0.01, 0};
    form->stack[4] = (AnbStack){form->k + form->best * form->d, 1, 0.03, 0};
}

static Form form_of(const AnbNode *self)
{
    Form form;
    describe(&form, ((const AnbRouterBlendOptions *)self->options)->wide, self);
    size_t at = anb_boa_size(form.k), room;
    form.outer = at;
    at += anb_boa_size(form.n + 1);
    form.v = BLOCK;
    room = (size_t)2 * BLOCK;
    for (size_t i = 0; i < form.n; i++) {
        form.at[i] = at;
        form.in[i] = room;
        at += anb_stack_size(&form.stack[i]);
        room += anb_stack_scratch(&form.stack[i]);
    }
    form.faded = at;
    form.chosen = at += form.best ? form.k : 0;
    form.moments = at += form.best ? 1 + form.best : 0;
    form.size = at + (form.own ? 4 * form.d : 0);
    form.z = room;
    form.room = room + (form.own ? form.d : 0);
    return form;
}

static AnbNeed need(const AnbNode *self)
{
    Form form = form_of(self);
    return (AnbNeed){form.size * sizeof(double), form.room};
}

static int init(const AnbNode *self, void *state)
{
    Form form = form_of(self);
    double *s = state;
    anb_boa_start(s, form.k);
    anb_boa_start(s + form.outer, form.n + 1);
    for (size_t i = 0; i < form.n; i++)
        anb_stack_start(&form.stack[i], s + form.at[i]);
    memset(s + form.faded, 0, (form.size - form.faded) * sizeof *s);
    return 0;
}

static void gate(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate, double *scratch)
{
    (void)self, (void)row, (void)scratch;
    anb_dense_gate(state, gate);
}

/* The features as the weighted stack takes them: standardised by a scale above, or here. */
static const double *standing(const Form *form, const double *s, const AnbRow *row, double *scratch)
{
    if (!form->own)
        return row->x;
    const double *mean = s + form->moments + form->d;
    anb_standardize(row->x, mean, mean + 2 * form->d, FAR, form->d, scratch + form->z);
    return scratch + form->z;
}

/* The products of the chosen experts' standing and the features; 0 until they are chosen. */
static void weigh_features(const Form *form, const double *s, const AnbRow *row, double *features, double *scratch)
{
    const double *z = standing(form, s, row, scratch), *chosen = s + form->chosen + 1;
    double *out = features + form->k;
    bool known = s[form->chosen] >= CHOICE;
    for (size_t b = 0; b < form->best; b++) {
        double share = known ? SHARE * features[(size_t)chosen[b]] : 0;
        for (size_t j = 0; j < form->d; j++)
            *out++ = share * z[j];
    }
}

static double mix(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate, double *scratch)
{
    Form form = form_of(self);
    const double *s = state;
    double base = anb_mix(gate->p, gate->f, gate->k), *g = scratch;
    AnbSpan span = anb_span(gate->f, gate->k, gate->asleep);
    for (size_t i = 0; i < form.n; i++) {
        double *in = scratch + form.in[i];
        double *features = anb_stack_features(&form.stack[i], s + form.at[i], gate->f, gate->k, gate->asleep, base, in);
        if (i == WIDE_STACKS - 1 && form.best)
            weigh_features(&form, s, row, features, scratch);
        g[i] = anb_dense_clip(gate, anb_stack_predict(&form.stack[i], s + form.at[i], base, span, in));
    }
    g[form.n] = base;
    anb_boa_weights(s + form.outer, form.n + 1, NULL, scratch + form.v);
    return anb_mix(scratch + form.v, g, form.n + 1);
}

/* The experts with the least faded errors, in ascending order of index; experts that sleep have an infinite one. */
static void choose(const Form *form, double *s)
{
    const double *faded = s + form->faded;
    double *chosen = s + form->chosen + 1;
    size_t n = 0;
    for (size_t i = 0; i < form->k && n < form->best; i++) {
        size_t better = 0;
        for (size_t j = 0; j < form->k; j++)
            better += faded[j] < faded[i] || (j < i && faded[j] == faded[i]);
        if (better < form->best)
            chosen[n++] = (double)i;
    }
}

static void learn_wide(const Form *form, double *s, const AnbRow *row, const AnbGate *gate, double y)
{
    if (form->own) {
        double *count = s + form->moments;
        size_t d = form->d;
        if (!(anb_moments_update(count, count + d, count + 2 * d, count + 3 * d, row->x, 1, d) == 0))
            memset(count, 0, 4 * d * sizeof *count);
    }
    if (s[form->chosen] >= CHOICE)
        return;
    for (size_t i = 0; i < form->k; i++) {
        double error = y - gate->f[i], next = FADE * s[form->faded + i] + error * error;
        s[form->faded + i] = next < 0x1p1000 ? next : 0x1p1000;
    }
    s[form->chosen] += 1;
    if (s[form->chosen] >= CHOICE)
        choose(form, s);
}

static void learn(const AnbNode *self, void *state, const AnbRow *row, AnbGate *gate, double y, double weight,
                  double *scratch)
{
    const AnbRouterBlendOptions *options = self->options;
    Form form = form_of(self);
    double *s = state, *g = scratch, *v = scratch + form.v, base = g[form.n];
    y = anb_boa_learn(s + form.outer, form.n + 1, options->discount, NULL, g, anb_mix(v, g, form.n + 1), y, weight);
    for (size_t i = 0; i < form.n; i++)
        anb_stack_learn(&form.stack[i], s + form.at[i], base, y, weight, scratch + form.in[i]);
    anb_boa_learn(s, form.k, 1, gate->asleep, gate->f, base, y, weight);
    if (form.best)
        learn_wide(&form, s, row, gate, y);
    anb_boa_weights(s, form.k, gate->asleep, gate->after);
}

static void forget(const AnbNode *self, void *state, size_t i)
{
    anb_boa_forget(state, self->gate.k, i);
}

static void refresh(const AnbNode *self, void *state, double factor)
{
    Form form = form_of(self);
    for (size_t i = 0; i < form.n; i++)
        anb_stack_refresh(&form.stack[i], (double *)state + form.at[i], factor);
}

static const AnbGateTable readable = {anb_dense_weights};

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    Form form = form_of(self);
    double *s = state;
    anb_boa_visit(s, form.k, visitor);
    anb_boa_visit(s + form.outer, form.n + 1, visitor);
    for (size_t i = 0; i < form.n; i++)
        anb_stack_visit(&form.stack[i], s + form.at[i], visitor);
    anb_visit(visitor, s + form.faded, ANB_F64, form.size - form.faded);
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    Form form = form_of(self);
    const double *s = state;
    if (!anb_boa_valid(s, form.k) || !anb_boa_valid(s + form.outer, form.n + 1))
        return anb_fail(error, ANB_E_STATE, "the gate's weights are none");
    for (size_t b = 0; b < form.best; b++) {
        double chosen = s[form.chosen + 1 + b];
        if (!(chosen >= 0 && chosen < (double)form.k && chosen == (double)(size_t)chosen))
            return anb_fail(error, ANB_E_STATE, "the gate chose an expert that is none");
    }
    for (size_t i = 0; i < form.n; i++) {
        int code = anb_stack_validate(&form.stack[i], s + form.at[i], error);
        if (code < 0)
            return code;
    }
    if (form.own && !anb_weights_valid(s + form.moments, form.d))
        return anb_fail(error, ANB_E_STATE, "the gate's moments are none");
    return anb_dense_validate(s + form.faded, form.size - form.faded, error);
}

const AnbRouterType anb_router_blend = {
    .type = {.name = "blend",
             .brief = "stacks of different memories around a BOA, and a discounted BOA over them",
             .example = "blend(discount=0.999, wide=true)",
             .options_size = sizeof(AnbRouterBlendOptions),
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
