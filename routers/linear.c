/*
 * The router `linear`: a softmax over linear scores, trained toward the expert that was nearest to the target.
 *
 *     z_i = W_i.x + b_i + c_i     p = softmax(z)     q = softmax(z + penalty)     active = the top_k of q
 *     W_i -= lr (p_i - 1{i best}) x     b_i -= lr (p_i - 1{i best})
 *     load_i <- EWMA of 1{i active}     c_i += rate (top_k / K - load_i)
 *
 * All logits are equal until the first sample, which draws W from the seed. The nearest expert is rewarded whatever the
 * margin, so the gate follows noise where experts are close. Use boa, stack or blend for accuracy, and this one to run
 * few experts a sample.
 *
 * Three options change that rule. explore: the mixture also trains one inactive expert a sample, in turn, and `best`
 * may be that one. standardize: x is (x - mean)/sd of what came before, clipped to +-4. clear: an expert that was reset
 * or has restarted begins with W_i = 0, b_i = 0.
 *
 * After a change of the features' unit (reframe in type.h) what W has learned is converted, less steep where a unit has
 * grown (src/numeric/kept_slope.h).
 *
 * State and scratch: linear_state.h. Cost: 2 K d multiply-adds to learn.
 */
#include "dispatch.h"
#include "linear_state.h"
#include "src/numeric/elementary.h"
#include "src/numeric/kept_slope.h"

static const AnbParam params[] = {
    {"top_k", ANB_COUNT, offsetof(AnbRouterLinearOptions, top_k), 2, 1, 4096, 0, NULL, "active experts a sample"},
    {"router_lr", ANB_REAL, offsetof(AnbRouterLinearOptions, router_lr), .01, 0, 1e6, 0, NULL,
     "step size of the gate; 0: it does not learn"},
    {"load_balance_rate", ANB_REAL, offsetof(AnbRouterLinearOptions, load_balance_rate), .01, 0, 1, 0, NULL,
     "step size of the bias that balances the load"},
    {"seed", ANB_SEED, offsetof(AnbRouterLinearOptions, seed), 42, 0, 0, 0, NULL, "of the initial weights"},
    {"explore", ANB_BOOL, offsetof(AnbRouterLinearOptions, explore), 0, 0, 1, 0, NULL,
     "at each sample one inactive expert, in turn, also predicts and learns"},
    {"standardize", ANB_BOOL, offsetof(AnbRouterLinearOptions, standardize), 0, 0, 1, 0, NULL,
     "the gate standardises its features"},
    {"clear", ANB_BOOL, offsetof(AnbRouterLinearOptions, clear), 0, 0, 1, 0, NULL,
     "gate weights and bias of an expert that restarts are set to 0"},
    {"router_jitter", ANB_REAL, offsetof(AnbRouterLinearOptions, router_jitter), 0, 0, 1e3, 0, NULL,
     "noise on the logits by which experts learn"},
    {"switch_loss", ANB_REAL, offsetof(AnbRouterLinearOptions, switch_loss), 0, 0, 1e6, 0, NULL,
     "coefficient of the Switch load balance loss"},
    {"z_loss", ANB_REAL, offsetof(AnbRouterLinearOptions, z_loss), 0, 0, 1e6, 0, NULL,
     "coefficient of the squared log sum exp of the logits"},
    {"capacity_factor", ANB_REAL, offsetof(AnbRouterLinearOptions, capacity_factor), 0, 0, 4096, 0, NULL,
     "in train_batch: an expert learns at most this times its even share; 0 = off, else at least 1"},
    {"router_noise", ANB_REAL, offsetof(AnbRouterLinearOptions, router_noise), 0, 0, 1e6, 0, NULL,
     "sd of the noise added to the logits by which experts learn"},
    {0}};

static int check(const AnbNode *self, AnbError *error)
{
    const AnbRouterLinearOptions *o = self->options;
    if ((size_t)o->top_k > self->gate.k)
        return anb_fail(error, ANB_E_ARGUMENT,
                        "the router linear: top_k = %d is outside [1, %zu], the number of experts", o->top_k,
                        self->gate.k);
    if (o->capacity_factor > 0 && o->capacity_factor < 1)
        return anb_fail(error, ANB_E_ARGUMENT, "the router linear: capacity_factor = %g is neither 0 nor at least 1",
                        o->capacity_factor);
    return 0;
}

static bool has_auxiliary(const AnbNode *self)
{
    const AnbRouterLinearOptions *o = self->options;
    return anb_linear_noisy(self) || o->switch_loss > 0 || o->z_loss > 0;
}

static int init(const AnbNode *self, void *state)
{
    const AnbRouterLinearOptions *o = self->options;
    AnbLinearHead *s = state;
    s->share = 2 / ((double)self->gate.span + 1);
    s->target = (double)o->top_k / (double)self->gate.k;
    if (anb_linear_noisy(self))
        anb_random_seed(anb_field(self, state, LINEAR_RANDOM), self->seed);
    return 0;
}

/* ---- scores ------------------------------------------------------------------------------------------------------ */

/* The gate's row: unchanged, or standardised into the scratch. */
static const double *standing(const AnbNode *self, const void *state, const AnbRow *row, const AnbLinearScratch *w)
{
    if (!anb_linear_standardizes(self))
        return row->x;
    AnbGateMoments moments = anb_gate_moments(self, state, LINEAR_MOMENTS);
    anb_gate_standardize(&moments, row->x, self->n_features, w->row);
    return w->row;
}

static void follow_row(const AnbNode *self, void *state, const AnbRow *row, double weight)
{
    AnbGateMoments moments = anb_gate_moments(self, state, LINEAR_MOMENTS);
    if (anb_linear_standardizes(self))
        anb_gate_moments_learn(&moments, row->x, weight, self->n_features);
}

/* The initial weight of expert i for feature j: three shifts of a 64-bit state. */
static double initial(const AnbNode *self, uint64_t i, uint64_t j)
{
    uint64_t bits = self->seed ^ (i << 32) ^ j;
    bits ^= bits << 13;
    bits ^= bits >> 7;
    bits ^= bits << 17;
    return 2 * ((double)bits / 18446744073709551615.0 - .5) * (1 / sqrt((double)self->n_features));
}

static void draw(const AnbNode *self, AnbLinearHead *s)
{
    AnbLinearGate g = anb_linear_gate(self, s);
    for (size_t i = 0; i < g.k; i++)
        for (size_t j = 0; j < g.d; j++)
            g.w[i * g.stride + j] = initial(self, i, j);
    s->drawn = 1;
}

/* ---- a sample ---------------------------------------------------------------------------------------------------- */

/* All bits set where a > b, else none; opaque to the compiler, so that it makes no branch: the branch would be
 * mispredicted, since the best expert changes from sample to sample. */
static unsigned above(double a, double b)
{
    unsigned mask = 0u - (unsigned)(a > b);
#if defined(__GNUC__)
    __asm__("" : "+r"(mask));
#endif
    return mask;
}

static unsigned choose(unsigned mask, unsigned yes, unsigned no)
{
    return (yes & mask) | (no & ~mask);
}

/* The two largest, the first of equals first. */
static void select_two(const double *q, size_t k, unsigned *active)
{
    unsigned first = choose(above(q[1], q[0]), 1, 0), second = 1 - first;
    double high = q[1] > q[0] ? q[1] : q[0], low = q[1] > q[0] ? q[0] : q[1];
    for (unsigned i = 2; i < k; i++) {
        double v = q[i], rest = v > high ? high : v;
        unsigned leads = above(v, high), follows = above(v, low);
        second = choose(leads, first, choose(follows, i, second));
        first = choose(leads, i, first);
        high = v > high ? v : high;
        low = rest > low ? rest : low;
    }
    active[0] = first;
    active[1] = second;
}

/* Zeros in an array over k experts, its padding included. */
static void zero(double *over, size_t k)
{
    for (size_t i = 0; i < k; i += ANB_GATE_BLOCK)
        memset(over + i, 0, ANB_GATE_BLOCK * sizeof *over);
}

static void weigh(AnbGate *gate)
{
    double sum = 0;
    zero(gate->weight, gate->k);
    for (size_t a = 0; a < gate->n_active; a++)
        sum += gate->p[gate->active[a]];
    for (size_t a = 0; a < gate->n_active; a++) {
        unsigned i = gate->active[a];
        gate->weight[i] = sum < 1e-16 ? 1 / (double)gate->n_active : gate->p[i] / sum;
    }
}

static void mark_active(const AnbGate *gate, double *mark)
{
    zero(mark, gate->k);
    for (size_t a = 0; a < gate->n_active; a++)
        mark[gate->active[a]] = 1;
}

static void open_gate(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate, double *scratch)
{
    const AnbRouterLinearOptions *o = self->options;
    AnbLinearGate g = anb_linear_gate(self, state);
    AnbLinearScratch w = anb_linear_scratch(self, scratch);
    if (gate->penalty)
        memcpy(w.mark, gate->penalty, gate->k * sizeof(double)); /* copied to have padding */
    double bad = anb_gate_open(&g, standing(self, state, row, &w), gate->penalty ? w.mark : NULL, w.z, gate->p);
    gate->n_active = (size_t)o->top_k;
    if (gate->n_active == 2 && !gate->penalty && bad == 0)
        select_two(w.z, gate->k, gate->active); /* by logits: does not wait for the exponentials */
    else
        anb_linear_select(gate->p, gate->k, gate->active, gate->n_active);
    weigh(gate);
    mark_active(gate, w.mark); /* long before whole vectors of it are loaded: the stores have ended by then */
}

static double mix(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate, double *scratch)
{
    double sum = 0;
    (void)self, (void)state, (void)row, (void)scratch;
    for (size_t a = 0; a < gate->n_active; a++)
        sum += gate->weight[gate->active[a]] * gate->f[gate->active[a]];
    return sum;
}

static AnbGateMove move_of(const AnbNode *self, const AnbLinearHead *s, const AnbGate *gate, const double *p,
                           const double *mark, double weight)
{
    const AnbRouterLinearOptions *o = self->options;
    return (AnbGateMove){.p = p,
                         .mark = mark,
                         .best = gate->best,
                         .step = o->router_lr * weight,
                         .share = s->share,
                         .balance = o->load_balance_rate,
                         .target = s->target};
}

static void start_again(const AnbNode *self, AnbLinearHead *s, const AnbRow *row, AnbGate *gate)
{
    anb_node_reset_own(self, s);
    anb_restart_part(row); /* of the mixture: its experts go on */
    for (size_t i = 0; i < gate->k; i++)
        gate->after[i] = 1 / (double)gate->k;
    gate->entropy = anb_log((double)gate->k);
}

/* Computes the gate's gradient: from p of the noisy logits, plus the gradient of the auxiliary losses. */
static void add_auxiliary_loss(const AnbNode *self, const AnbLinearGate *g, const AnbLinearScratch *w)
{
    const AnbRouterLinearOptions *o = self->options;
    if (anb_linear_redirects(self) && w->batch->noise_holds) {
        for (size_t i = 0; i < g->k; i++)
            w->z[i] = w->z[i] * w->factor[i] + w->term[i];
        anb_softmax(w->z, g->k, w->p);
        w->batch->noise_holds = 0;
    }
    if (o->switch_loss > 0 || o->z_loss > 0) {
        for (size_t i = 0; i < g->k; i++)
            w->mark[i] = w->p[i];
        anb_auxiliary_slope(w->z, w->mark, g->load, g->k, o->switch_loss, o->z_loss, w->p);
    }
}

static void learn(const AnbNode *self, void *state, const AnbRow *row, AnbGate *gate, double y, double weight,
                  double *scratch)
{
    AnbLinearHead *s = state;
    AnbLinearGate g = anb_linear_gate(self, s);
    AnbLinearScratch w = anb_linear_scratch(self, scratch);
    const double *x = anb_linear_standardizes(self) ? w.row : row->x;
    AnbSoftmax what;
    bool fresh = !s->drawn, again = fresh || gate->penalty, bent = has_auxiliary(self);
    const double *p = again || bent ? w.p : gate->p;
    (void)y;
    if (fresh)
        draw(self, s);
    if (again)
        anb_gate_open(&g, x, NULL, w.z, w.p);
    else if (bent)
        memcpy(w.p, gate->p, anb_gate_padded(g.k) * sizeof *w.p);
    if (bent)
        add_auxiliary_loss(self, &g, &w);
    if (bent || anb_linear_redirects(self))
        mark_active(gate, w.mark); /* others are active, or it was in use */
    AnbGateMove move = move_of(self, s, gate, p, w.mark, anb_weight_relative(&s->unit, weight));
    double bad = anb_gate_move(&g, &move, x, w.z, gate->after, &what);
    gate->entropy = anb_log(what.sum) - what.mean;
    if (!(bad == 0))
        start_again(self, s, row, gate);
    follow_row(self, s, row, weight);
}

static void forget(const AnbNode *self, void *state, size_t i)
{
    AnbLinearGate g = anb_linear_gate(self, state);
    if (!((const AnbRouterLinearOptions *)self->options)->clear)
        return;
    memset(g.w + i * g.stride, 0, g.d * sizeof(double));
    g.bias[i] = 0;
}

/* The row of expert i. Its initial random weights are not converted: their shifts would go into the constants, and the
 * gate would prefer experts by chance. */
static double reframe_row(const AnbNode *self, const AnbLinearGate *g, size_t i, const double *alpha,
                          const double *beta)
{
    double *w = g->w + i * g->stride;
    for (size_t j = 0; j < g->d; j++)
        w[j] -= initial(self, i, j);
    anb_slopes_keep(w, &g->bias[i], alpha, beta, g->d);
    for (size_t j = 0; j < g->d; j++)
        w[j] += initial(self, i, j);
    return anb_nonfinite(w, g->d) + (g->bias[i] - g->bias[i]);
}

/* Where the gate standardises its features its moments are converted: z stays the same, and so do the weights. */
static void reframe(const AnbNode *self, void *state, const double *alpha, const double *beta)
{
    AnbLinearGate g = anb_linear_gate(self, state);
    AnbGateMoments moments = anb_gate_moments(self, state, LINEAR_MOMENTS);
    if (anb_linear_standardizes(self)) {
        anb_gate_moments_reframe(&moments, alpha, beta, g.d);
        return;
    }
    double bad = 0;
    for (size_t i = 0; i < g.k && ((const AnbLinearHead *)state)->drawn; i++)
        bad += reframe_row(self, &g, i, alpha, beta);
    if (!(bad == 0))
        anb_node_reset_own(self, state);
}

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

static void weights(const AnbNode *self, const void *state, AnbGateWeights *out)
{
    AnbLinearGate g = anb_linear_gate(self, state);
    *out = (AnbGateWeights){g.k, g.d, g.stride, g.w, g.bias, g.load_bias};
}

static const double *load(const AnbNode *self, const void *state)
{
    return anb_linear_gate(self, state).load;
}

static double balance_rate(const AnbNode *self)
{
    return ((const AnbRouterLinearOptions *)self->options)->load_balance_rate;
}

static const double *logits(const AnbNode *self, double *scratch)
{
    return anb_linear_scratch(self, scratch).z;
}

/* The inactive experts take turns. */
static size_t explorer(const AnbNode *self, const AnbGate *gate)
{
    if (!((const AnbRouterLinearOptions *)self->options)->explore || gate->n_active == gate->k)
        return gate->k;
    size_t turn = gate->samples % (gate->k - gate->n_active), i = 0;
    while (anb_gate_active(gate, i) || turn-- > 0)
        i++;
    return i;
}

static const AnbGateTable readable = {weights};
static const AnbLoadTable balance = {load, balance_rate};
static const AnbLogitsTable scores = {logits};
static const AnbExploreTable exploring = {explorer};

const AnbRouterType anb_router_linear = {
    .type =
        {
            .name = "linear",
            .brief = "the sparse gate: softmax over linear scores, only the top_k experts are active",
            .example = "linear(top_k=2)",
            .options_size = sizeof(AnbRouterLinearOptions),
            .params = params,
            .flags = ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_READS_OLDER,
            .version = 2,
            .check = check,
            .fields = anb_linear_fields,
            .scratch = anb_linear_scratch_fields,
            .init = init,
            .reframe = reframe,
        },
    .gate = open_gate,
    .mix = mix,
    .learn = learn,
    .redirect = anb_linear_redirect,
    .forget = forget,
    .readable = &readable,
    .load = &balance,
    .logits = &scores,
    .batch = &anb_linear_batches,
    .explore = &exploring,
};
