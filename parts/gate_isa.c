/* The passes of gate.h, compiled once per instruction set. */
#include "gate.h"
#include "lanes_softmax.h"

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

/* p = softmax(z + penalty), in whole lanes. */
LANES_INLINE AnbSoftmax softmax(const double *z, size_t k, double *p)
{
    LanesSoftmax s = lanes_softmax_start(z, k);
    double part;
    for (size_t i = 0; i < k; i += LANES)
        lanes_store(p + i, lanes_softmax_add(&s, lanes_load(z + i), k - i < LANES ? k - i : LANES));
    AnbSoftmax what = lanes_softmax_end(&s, k, &part);
    for (size_t i = 0; i < k; i += LANES)
        lanes_store(p + i, lanes_mul(lanes_load(p + i), lanes_all(part)));
    for (size_t i = 0; i < k && !(part > 0); i++)
        p[i] = 1 / (double)k;
    return what;
}

static void open(const AnbLinearGate *gate, const double *x, const double *penalty, double *z, double *p)
{
    const size_t k = gate->k, stride = gate->stride;
    for (size_t i = 0; i < k; i += LANES) {
        const double *w = gate->w + i * stride;
        LanesHalf low = quad_scores(w, stride, x, gate->d), high = lanes_half_zero();
        if (k - i > QUAD)
            high = quad_scores(w + QUAD * stride, stride, x, gate->d);
        Lanes bias = lanes_add(lanes_load(gate->bias + i), lanes_load(gate->load_bias + i));
        Lanes score = lanes_add(lanes_join(low, high), bias);
        lanes_store(z + i, score);
        lanes_store(p + i, penalty ? lanes_add(score, lanes_load(penalty + i)) : score);
    }
    softmax(p, k, p);
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

static double move_gate(const AnbLinearGate *gate, const AnbGateMove *move, const double *x, double *z, double *after,
                        AnbSoftmax *what)
{
    const size_t k = gate->k, stride = gate->stride;
    Lanes scores = lanes_zero();
    for (size_t i = 0; i < k; i += LANES) {
        double g[LANES], *w = gate->w + i * stride;
        Lanes biases = move_biases(gate, move, i, g);
        LanesHalf low = quad_move(w, stride, g, x, gate->d), high = lanes_half_zero();
        if (k - i > QUAD)
            high = quad_move(w + QUAD * stride, stride, g + QUAD, x, gate->d);
        Lanes score = lanes_add(lanes_join(low, high), biases);
        lanes_store(z + i, score);
        scores = lanes_add(scores, score);
    }
    *what = softmax(z, k, after);
    return lanes_sick(scores, z, k);
}

const AnbGateKernels ANB_PER_ISA(anb_gate_kernels) = {.open = open, .move = move_gate};
