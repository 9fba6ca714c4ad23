/*
 * The specification's gate: a softmax over linear scores, moved toward the expert that was nearest.
 *
 *     z_i = W_i.x + b_i + c_i     p = softmax(z)     q = softmax(z + penalty)     active = the top_k of q
 *     W_i -= lr (p_i - 1{i best}) x     b_i -= lr (p_i - 1{i best})
 *     load_i <- EWMA of 1{i active}     c_i += rate (top_k / K - load_i)
 *
 * The gate is flat until the first sample, which draws W from the seed. It rewards the nearest expert whatever the
 * margin, so it follows noise where experts are close: boa, stack and blend are there for accuracy, this one for
 * sparsity.
 *
 * Three options repair what that leaves open. explore: the mixture also trains one inactive expert a sample, in turn,
 * and `best` may be that one. standardize: x is (x - mean)/sd of what came before, clipped to +-4. clear: an expert
 * that was reset or has restarted begins with W_i = 0, b_i = 0.
 *
 * State: whether W is drawn, b[K], c[K], load[K], W[K][d] (padded as routers/linear_gate.h, which has the arithmetic, wants it),
 * with standardize the moments of x. Scratch: z[K], p[K], which were active, with standardize the row. Cost: 2 K d
 * multiply-adds to learn.
 */
#include "linear_gate.h"
#include "dispatch.h"
#include "src/simd/kernels.h"
#include "src/numeric/elementary.h"
#include "src/numeric/moments.h"
#include "src/numeric/weight_unit.h"
#include <anabranch/moe.h>

typedef struct Gate {
    uint64_t drawn;
    double share, target; /* of the options: 2 / (span + 1), top_k / K */
    AnbWeightUnit unit;
    double unused[3]; /* what follows starts on a cache line */
    double values[];  /* b, c, load, W, then count[d], mean[d], m2[d], inv_sd[d] */
} Gate;

/* Scratch of a gate that redirects: factors[padded] and terms[padded] of the noisy logits, whether they hold, a batch's
 * bound (0: none), its overflows, room[k]. */
enum { NOISE_HOLDS, BOUND, OVERFLOWS, EXTRA };

/* Where the scratch's arrays are; those over experts are padded. */
typedef struct Work {
    double *z, *p, *mark, *row;
} Work;

static const AnbParam params[] = {
    {"top_k", ANB_COUNT, offsetof(AnbRouterLinearOptions, top_k), 2, 1, 4096, 0, NULL, "active experts a sample"},
    {"router_lr", ANB_REAL, offsetof(AnbRouterLinearOptions, router_lr), .01, 0, 1e6, 0, NULL,
     "step of the gate; 0 freezes it"},
    {"load_balance_rate", ANB_REAL, offsetof(AnbRouterLinearOptions, load_balance_rate), .01, 0, 1, 0, NULL,
     "step of the bias that balances the load"},
    {"seed", ANB_SEED, offsetof(AnbRouterLinearOptions, seed), 42, 0, 0, 0, NULL, "of the initial weights"},
    {"explore", ANB_BOOL, offsetof(AnbRouterLinearOptions, explore), 0, 0, 1, 0, NULL,
     "each sample also trains and judges one inactive expert, in turn"},
    {"standardize", ANB_BOOL, offsetof(AnbRouterLinearOptions, standardize), 0, 0, 1, 0, NULL,
     "the gate sees the features standardised"},
    {"clear", ANB_BOOL, offsetof(AnbRouterLinearOptions, clear), 0, 0, 1, 0, NULL,
     "an expert that begins again loses its row and bias"},
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

static AnbLinearGate numbers_of(const AnbNode *self, const Gate *s)
{
    size_t k = self->gate.k, padded = anb_gate_padded(k);
    double *at = (double *)s->values;
    return (AnbLinearGate){.k = k,
                           .d = self->n_features,
                           .stride = anb_gate_padded(self->n_features),
                           .bias = at,
                           .load_bias = at + padded,
                           .load = at + 2 * padded,
                           .w = at + 3 * padded};
}

static Work work_of(const AnbNode *self, double *scratch)
{
    size_t padded = anb_gate_padded(self->gate.k);
    return (Work){scratch, scratch + padded, scratch + 2 * padded, scratch + 3 * padded};
}

static int check(const AnbNode *self, AnbError *error)
{
    const AnbRouterLinearOptions *o = self->options;
    if ((size_t)o->top_k > self->gate.k)
        return anb_fail(error, ANB_E_ARGUMENT, "linear: top_k = %d is outside [1, %zu], the number of experts",
                        o->top_k, self->gate.k);
    if (o->capacity_factor > 0 && o->capacity_factor < 1)
        return anb_fail(error, ANB_E_ARGUMENT, "linear: capacity_factor = %g is neither 0 nor at least 1",
                        o->capacity_factor);
    return 0;
}

static bool standardizes(const AnbNode *self)
{
    return ((const AnbRouterLinearOptions *)self->options)->standardize;
}

/* Whether experts learn by noisy logits. */
static bool noisy(const AnbNode *self)
{
    const AnbRouterLinearOptions *o = self->options;
    return o->router_jitter > 0 || o->router_noise > 0;
}

static bool redirects(const AnbNode *self)
{
    return noisy(self) || ((const AnbRouterLinearOptions *)self->options)->capacity_factor > 0;
}

static bool bends(const AnbNode *self)
{
    const AnbRouterLinearOptions *o = self->options;
    return noisy(self) || o->switch_loss > 0 || o->z_loss > 0;
}

/* Doubles of the gate itself. */
static size_t own_size(const AnbNode *self)
{
    size_t k = self->gate.k;
    return 3 * anb_gate_padded(k) + anb_gate_rows(k) * anb_gate_padded(self->n_features);
}

static double *moments_of(const AnbNode *self, const Gate *s)
{
    return (double *)s->values + own_size(self);
}

/* Behind everything else, where there is noise. */
static AnbRandom *random_of(const AnbNode *self, const Gate *s)
{
    return (AnbRandom *)(moments_of(self, s) + (standardizes(self) ? 4 * self->n_features : 0));
}

static AnbNeed need(const AnbNode *self)
{
    size_t extra = standardizes(self) ? self->n_features : 0, padded = anb_gate_padded(self->gate.k);
    return (AnbNeed){sizeof(Gate) + (own_size(self) + 4 * extra) * sizeof(double) +
                         (noisy(self) ? sizeof(AnbRandom) : 0),
                     3 * padded + extra + (redirects(self) ? 3 * padded + EXTRA : 0)};
}

static int init(const AnbNode *self, void *state)
{
    const AnbRouterLinearOptions *o = self->options;
    Gate *s = state;
    s->share = 2 / ((double)self->gate.span + 1);
    s->target = (double)o->top_k / (double)self->gate.k;
    if (noisy(self))
        anb_random_seed(random_of(self, s), self->seed);
    return 0;
}

/* ---- scores ------------------------------------------------------------------------------------------------------ */

/* The row as the gate sees it: as it is, or standardised into the scratch. */
static const double *standing(const AnbNode *self, const Gate *s, const AnbRow *row, const Work *w)
{
    size_t d = self->n_features;
    const double *moments = moments_of(self, s);
    if (!standardizes(self))
        return row->x;
    anb_standardize(row->x, moments + d, moments + 3 * d, 4, d, w->row);
    return w->row;
}

static void follow_row(const AnbNode *self, Gate *s, const AnbRow *row, double weight)
{
    size_t d = self->n_features;
    double *m = moments_of(self, s);
    if (standardizes(self) && !(anb_moments_update(m, m + d, m + 2 * d, m + 3 * d, row->x, weight, d) == 0))
        memset(m, 0, 4 * d * sizeof *m);
}

/* The initial weight of expert i for feature j: three shifts of a 64-bit state. */
static double initial(uint64_t seed, uint64_t i, uint64_t j, double scale)
{
    uint64_t bits = seed ^ (i << 32) ^ j;
    bits ^= bits << 13;
    bits ^= bits >> 7;
    bits ^= bits << 17;
    return 2 * ((double)bits / 18446744073709551615.0 - .5) * scale;
}

static void draw(const AnbNode *self, Gate *s)
{
    AnbLinearGate g = numbers_of(self, s);
    double scale = 1 / sqrt((double)g.d);
    for (size_t i = 0; i < g.k; i++)
        for (size_t j = 0; j < g.d; j++)
            g.w[i * g.stride + j] = initial(self->seed, i, j, scale);
    s->drawn = 1;
}

/* ---- a sample ---------------------------------------------------------------------------------------------------- */

/* All bits where a > b, and nobody may know that it is all or none: a branch on it could not be foreseen, since which
 * expert leads changes from sample to sample. */
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

/* The n largest in descending order, equal ones in ascending order of index: an insertion into a list of n. */
static void select_largest(const double *q, size_t k, unsigned *active, size_t n)
{
    size_t held = 0;
    for (size_t i = 0; i < k; i++) {
        if (held == n && !(q[i] > q[active[n - 1]]))
            continue;
        size_t at = held < n ? held++ : n - 1;
        for (; at > 0 && q[i] > q[active[at - 1]]; at--)
            active[at] = active[at - 1];
        active[at] = (unsigned)i;
    }
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
    AnbLinearGate g = numbers_of(self, state);
    Work w = work_of(self, scratch);
    if (gate->penalty)
        memcpy(w.mark, gate->penalty, gate->k * sizeof(double)); /* there it has its padding */
    double bad = anb_gate_open(&g, standing(self, state, row, &w), gate->penalty ? w.mark : NULL, w.z, gate->p);
    gate->n_active = (size_t)o->top_k;
    if (gate->n_active == 2 && !gate->penalty && bad == 0)
        select_two(w.z, gate->k, gate->active); /* does not wait for the exponentials */
    else
        select_largest(gate->p, gate->k, gate->active, gate->n_active);
    weigh(gate);
    mark_active(gate, w.mark); /* long before it is read as a whole: its pieces have arrived by then */
}

static double mix(const AnbNode *self, const void *state, const AnbRow *row, AnbGate *gate, double *scratch)
{
    double sum = 0;
    (void)self, (void)state, (void)row, (void)scratch;
    for (size_t a = 0; a < gate->n_active; a++)
        sum += gate->weight[gate->active[a]] * gate->f[gate->active[a]];
    return sum;
}

static AnbGateMove move_of(const AnbNode *self, const Gate *s, const AnbGate *gate, const double *p, const double *mark,
                           double weight)
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

static void start_again(const AnbNode *self, Gate *s, const AnbRow *row, AnbGate *gate)
{
    anb_node_reset_own(self, s);
    anb_restart_part(row); /* of the mixture: its experts go on */
    for (size_t i = 0; i < gate->k; i++)
        gate->after[i] = 1 / (double)gate->k;
    gate->entropy = anb_log((double)gate->k);
}

static double *extra_of(const AnbNode *self, double *scratch)
{
    return scratch + 3 * anb_gate_padded(self->gate.k) + (standardizes(self) ? self->n_features : 0);
}

/* Behind the factors and the terms: NOISE_HOLDS and what follows. */
static double *more_of(const AnbNode *self, double *scratch)
{
    return extra_of(self, scratch) + 2 * anb_gate_padded(self->gate.k);
}

/* A sample's noise: noisy z = z factor + term. */
static void draw_noise(const AnbNode *self, void *state, double *factor, double *term)
{
    const AnbRouterLinearOptions *o = self->options;
    size_t k = self->gate.k;
    for (size_t i = 0; i < k; i++) {
        factor[i] = 1;
        term[i] = 0;
    }
    if (o->router_jitter > 0)
        anb_jitter(random_of(self, state), o->router_jitter, k, factor);
    if (o->router_noise > 0)
        anb_noise(random_of(self, state), o->router_noise, k, term);
}

/* Who learns is chosen again: by noisy logits, among the experts that have room. */
static bool redirect(const AnbNode *self, void *state, const AnbRow *row, AnbGate *gate, double *scratch)
{
    const AnbRouterLinearOptions *o = self->options;
    size_t k = gate->k, n = (size_t)o->top_k, wanted = n;
    Work w = work_of(self, scratch);
    double *factor = extra_of(self, scratch), *term = factor + anb_gate_padded(k), *more = more_of(self, scratch);
    (void)row;
    if (!redirects(self) || (!noisy(self) && more[BOUND] == 0))
        return false;
    draw_noise(self, state, factor, term);
    more[NOISE_HOLDS] = noisy(self);
    for (size_t i = 0; i < k; i++)
        w.mark[i] = w.z[i] * factor[i] + term[i] + (gate->penalty ? gate->penalty[i] : 0);
    anb_softmax(w.mark, k, w.mark);
    select_largest(w.mark, k, gate->active, n);
    if (more[BOUND] > 0) {
        double *room = more + EXTRA;
        for (size_t a = 0; a < n; a++)
            more[OVERFLOWS] += room[gate->active[a]] < 1;
        wanted = anb_dispatch(w.mark, k, room, gate->active, n);
    }
    gate->n_active = wanted;
    return true;
}

/* What the gate learns from is p of the noisy logits, and the slope of the auxiliary losses added to it. */
static void bend(const AnbNode *self, const AnbLinearGate *g, const Work *w, double *scratch)
{
    const AnbRouterLinearOptions *o = self->options;
    const double *factor = extra_of(self, scratch), *term = factor + anb_gate_padded(g->k);
    double *more = more_of(self, scratch);
    if (redirects(self) && more[NOISE_HOLDS] > 0) {
        for (size_t i = 0; i < g->k; i++)
            w->z[i] = w->z[i] * factor[i] + term[i];
        anb_softmax(w->z, g->k, w->p);
        more[NOISE_HOLDS] = 0;
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
    Gate *s = state;
    AnbLinearGate g = numbers_of(self, s);
    Work w = work_of(self, scratch);
    const double *x = standardizes(self) ? w.row : row->x;
    AnbSoftmax what;
    bool fresh = !s->drawn, again = fresh || gate->penalty, bent = bends(self);
    const double *p = again || bent ? w.p : gate->p;
    (void)y;
    if (fresh)
        draw(self, s);
    if (again)
        anb_gate_open(&g, x, NULL, w.z, w.p);
    else if (bent)
        memcpy(w.p, gate->p, anb_gate_padded(g.k) * sizeof *w.p);
    if (bent)
        bend(self, &g, &w, scratch);
    if (bent || redirects(self))
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
    AnbLinearGate g = numbers_of(self, state);
    if (!((const AnbRouterLinearOptions *)self->options)->clear)
        return;
    memset(g.w + i * g.stride, 0, g.d * sizeof(double));
    g.bias[i] = 0;
}

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

/* The bound of a batch, its overflows and the room of each expert; NULL where the gate bounds none. */
static double *batch_of(const AnbNode *self, double *scratch)
{
    const AnbRouterLinearOptions *o = self->options;
    return o->capacity_factor > 0 ? more_of(self, scratch) : NULL;
}

static void begin_batch(const AnbNode *self, double *scratch, size_t samples)
{
    const AnbRouterLinearOptions *o = self->options;
    size_t k = self->gate.k;
    double *more = batch_of(self, scratch);
    if (!more)
        return;
    more[OVERFLOWS] = 0;
    more[BOUND] = (double)anb_capacity(o->capacity_factor, (size_t)o->top_k, samples, k);
    for (size_t i = 0; i < k; i++)
        more[EXTRA + i] = more[BOUND];
}

static size_t end_batch(const AnbNode *self, double *scratch)
{
    double *more = batch_of(self, scratch);
    if (!more)
        return 0;
    more[BOUND] = 0;
    return (size_t)more[OVERFLOWS];
}

static void weights(const AnbNode *self, const void *state, AnbGateWeights *out)
{
    AnbLinearGate g = numbers_of(self, state);
    *out = (AnbGateWeights){g.k, g.d, g.stride, g.w, g.bias, g.load_bias};
}

static const double *load(const AnbNode *self, const void *state)
{
    return numbers_of(self, state).load;
}

static double balance_rate(const AnbNode *self)
{
    return ((const AnbRouterLinearOptions *)self->options)->load_balance_rate;
}

static const double *logits(const AnbNode *self, double *scratch)
{
    return work_of(self, scratch).z;
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
static const AnbBatchTable batches = {begin_batch, end_batch};
static const AnbExploreTable exploring = {explorer};

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    Gate *s = state;
    AnbLinearGate g = numbers_of(self, s);
    anb_visit(visitor, &s->drawn, ANB_U64, 1);
    anb_weight_unit_visit(&s->unit, visitor);
    anb_visit(visitor, g.bias, ANB_F64, g.k);
    anb_visit(visitor, g.load_bias, ANB_F64, g.k);
    anb_visit(visitor, g.load, ANB_F64, g.k);
    for (size_t i = 0; i < g.k; i++)
        anb_visit(visitor, g.w + i * g.stride, ANB_F64, g.d);
    if (standardizes(self))
        anb_visit(visitor, moments_of(self, s), ANB_F64, 4 * g.d);
    if (noisy(self))
        anb_random_visit(random_of(self, s), visitor);
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const Gate *s = state;
    size_t size = own_size(self) + (standardizes(self) ? 4 * self->n_features : 0);
    bool fine = s->drawn <= 1 && anb_weight_unit_valid(&s->unit) && anb_nonfinite(s->values, size) == 0 &&
                (!standardizes(self) || anb_weights_valid(moments_of(self, s), self->n_features));
    return fine ? 0 : anb_fail(error, ANB_E_STATE, "router linear: a weight is not finite");
}

const AnbRouterType anb_router_linear = {
    .type =
        {
            .name = "linear",
            .brief = "the specification's sparse gate: softmax over linear scores, only the top_k experts active",
            .example = "linear(top_k=2)",
            .options_size = sizeof(AnbRouterLinearOptions),
            .params = params,
            .flags = ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_READS_OLDER,
            .version = 2,
            .check = check,
            .need = need,
            .init = init,
            .ranges = ranges,
            .validate = validate,
        },
    .gate = open_gate,
    .mix = mix,
    .learn = learn,
    .redirect = redirect,
    .forget = forget,
    .readable = &readable,
    .load = &balance,
    .logits = &scores,
    .batch = &batches,
    .explore = &exploring,
};
