/* The passes of linear_gate.h, compiled once per instruction set. */
#include <anabranch/type.h>
#include "linear_gate.h"
#include "src/simd/lanes_softmax.h"

enum { QUAD = 4 };

/* Four scores: their sums do not wait for each other, and x is read once. */
LANES_INLINE LanesHalf quad_scores(const double *w, size_t stride, const double *x, size_t d)
{
    Lanes p = lanes_zero(), q = p, r = p, s = p;
    for (size_t j = 0; j < d; j += LANES, w += LANES) {
        Lanes v = d - j >= LANES ? lanes_load(x + j) : lanes_load_tail(x + j, d - j);
        p = lanes_add(p, lanes_mul(lanes_load(w), v));
        q = lanes_add(q, lanes_mul(lanes_load(w + stride), v));
        r = lanes_add(r, lanes_mul(lanes_load(w + 2 * stride), v));
        s = lanes_add(s, lanes_mul(lanes_load(w + 3 * stride), v));
    }
    return lanes_sum4(p, q, r, s);
}

LANES_INLINE Lanes lowered(double *w, Lanes g, Lanes v)
{
    Lanes new = lanes_sub(lanes_load(w), lanes_mul(g, v));
    lanes_store(w, new);
    return new;
}

/* W_i -= g_i x for four rows, then their scores. */
LANES_INLINE LanesHalf quad_move(double *w, size_t stride, const double *g, const double *x, size_t d)
{
    const Lanes gp = lanes_all(g[0]), gq = lanes_all(g[1]), gr = lanes_all(g[2]), gs = lanes_all(g[3]);
    Lanes p = lanes_zero(), q = p, r = p, s = p;
    for (size_t j = 0; j < d; j += LANES, w += LANES) {
        Lanes v = d - j >= LANES ? lanes_load(x + j) : lanes_load_tail(x + j, d - j);
        p = lanes_add(p, lanes_mul(lowered(w, gp, v), v));
        q = lanes_add(q, lanes_mul(lowered(w + stride, gq, v), v));
        r = lanes_add(r, lanes_mul(lowered(w + 2 * stride, gr, v), v));
        s = lanes_add(s, lanes_mul(lowered(w + 3 * stride, gs, v), v));
    }
    return lanes_sum4(p, q, r, s);
}

/* p = softmax(p), padded; `first` is what p begins with, still at hand. */
LANES_INLINE AnbSoftmax softmax(Lanes first, size_t k, double *p)
{
    first = k < LANES && k != LANES_FEW ? lanes_logits(first, k) : first;
    LanesSoftmax s = {lanes_highest(first, k), lanes_zero(), lanes_zero()};
    double part;
    for (size_t i = LANES; i < k; i += LANES) {
        double top = lanes_top(k - i < LANES ? lanes_logits(lanes_load(p + i), k - i) : lanes_load(p + i));
        s.top = top > s.top ? top : s.top;
    }
    first = lanes_softmax_add(&s, first);
    for (size_t i = LANES; i < k; i += LANES) {
        Lanes z = k - i < LANES ? lanes_logits(lanes_load(p + i), k - i) : lanes_load(p + i);
        lanes_store(p + i, lanes_softmax_add(&s, z));
    }
    AnbSoftmax what = lanes_softmax_end(&s, k, &part);
    lanes_store(p, lanes_first(lanes_mul(first, lanes_all(part)), k, 0));
    for (size_t i = LANES; i < k; i += LANES)
        lanes_store(p + i, lanes_first(lanes_mul(lanes_load(p + i), lanes_all(part)), k - i, 0));
    if (__builtin_expect(!(part > 0), 0)) {
        for (size_t i = 0; i < k; i++)
            p[i] = 1 / (double)k;
        what.top = ANB_NAN;
    }
    return what;
}

/* Eight experts' scores: W x, without biases. */
LANES_INLINE Lanes scores(const AnbLinearGate *gate, size_t i, const double *x)
{
    const double *w = gate->w + i * gate->stride;
    LanesHalf low = quad_scores(w, gate->stride, x, gate->d), high = lanes_half_zero();
    if (gate->k - i > QUAD)
        high = quad_scores(w + QUAD * gate->stride, gate->stride, x, gate->d);
    Lanes bias = lanes_add(lanes_load(gate->bias + i), lanes_load(gate->load_bias + i));
    return lanes_add(lanes_join(low, high), bias);
}

static double open(const AnbLinearGate *gate, const double *x, const double *penalty, double *z, double *p)
{
    Lanes first = lanes_zero();
    for (size_t i = 0; i < gate->k; i += LANES) {
        Lanes score = scores(gate, i, x);
        lanes_store(z + i, score);
        score = penalty ? lanes_add(score, lanes_load(penalty + i)) : score;
        if (i == 0)
            first = score;
        else
            lanes_store(p + i, score);
    }
    AnbSoftmax what = softmax(first, gate->k, p);
    return what.top - what.top;
}

/* b, load and c of eight experts; returns b + c, and g in memory for one broadcast a row. */
LANES_INLINE Lanes move_biases(const AnbLinearGate *gate, const AnbGateMove *move, size_t i, double *g)
{
    const Lanes zero = lanes_zero(), one = lanes_all(1), here = lanes_add(lanes_index(), lanes_all((double)i));
    Lanes beyond = lanes_all((double)move->best + .5), before = lanes_all((double)move->best - .5);
    Lanes best = lanes_where_above(beyond, here, lanes_where_above(here, before, one, zero), zero);
    Lanes slope = lanes_mul(lanes_all(move->step), lanes_sub(lanes_load(move->p + i), best));
    Lanes b = lanes_sub(lanes_load(gate->bias + i), slope);
    Lanes load = lanes_mul(lanes_load(gate->load + i), lanes_all(1 - move->share));
    load = lanes_add(load, lanes_mul(lanes_load(move->mark + i), lanes_all(move->share)));
    Lanes c = lanes_mul(lanes_all(move->balance), lanes_sub(lanes_all(move->target), load));
    c = lanes_add(lanes_load(gate->load_bias + i), lanes_where_above(lanes_all((double)gate->k), here, c, zero));
    lanes_store(g, slope);
    lanes_store(gate->bias + i, b);
    lanes_store(gate->load + i, load);
    lanes_store(gate->load_bias + i, c);
    return lanes_add(b, c);
}

/* Eight experts' step, and their new scores. */
LANES_INLINE Lanes move_scores(const AnbLinearGate *gate, const AnbGateMove *move, size_t i, const double *x)
{
    double g[LANES], *w = gate->w + i * gate->stride;
    Lanes biases = move_biases(gate, move, i, g);
    LanesHalf low = quad_move(w, gate->stride, g, x, gate->d), high = lanes_half_zero();
    if (gate->k - i > QUAD)
        high = quad_move(w + QUAD * gate->stride, gate->stride, g + QUAD, x, gate->d);
    return lanes_add(lanes_join(low, high), biases);
}

static double move_gate(const AnbLinearGate *gate, const AnbGateMove *move, const double *x, double *z, double *after,
                        AnbSoftmax *what)
{
    Lanes first = move_scores(gate, move, 0, x), sum = first;
    lanes_store(z, first);
    for (size_t i = LANES; i < gate->k; i += LANES) {
        Lanes score = move_scores(gate, move, i, x);
        lanes_store(z + i, score);
        lanes_store(after + i, score);
        sum = lanes_add(sum, score);
    }
    *what = softmax(first, gate->k, after);
    return lanes_sick(sum, z, gate->k);
}

const AnbGateKernels ANB_PER_ISA(anb_gate_kernels) = {.open = open, .move = move_gate};

ANB_ISA_REGISTER(AnbGateKernels, anb_gate_kernels)
