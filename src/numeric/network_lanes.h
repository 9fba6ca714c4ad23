/*
 * Networks: the loops over units, the same code for doubles and floats. network_isa.c and network_single_isa.c include
 * it after the lanes of their cell, and define before it what depends on the cell:
 *
 *     cell_of                    a double as a cell
 *     most_exponent              e to the power of it and of its negative are normal numbers, and 1 plus the latter is
 *                                1
 *     small_to_zero              a block of cells, those too small to matter replaced by 0
 *     bounded                    a block of gradients of units, kept in the range in which products of them keep full
 *                                precision
 *     squared                    a block of squares of gradients, at least Adam's epsilon squared
 *     cell_within                a double as a cell, clipped to what a cell can hold
 *     inverse_root, rate_factor  1/sqrt(v scale) is inverse_root(v, scale) times rate_factor(scale)
 */
#ifndef ANB_NUMERIC_NETWORK_LANES_H
#define ANB_NUMERIC_NETWORK_LANES_H

#include "network.h"

typedef LanesCell Cell;

/* AnbNetworkRows of these cells. */
typedef struct Weights {
    Cell *value, *averaged, *square, *mean;
} Weights;

static Weights weights_from(AnbNetworkRows w, size_t at)
{
    Cell *square = w.square, *mean = w.mean;
    return (Weights){(Cell *)w.value + at, (Cell *)w.averaged + at, square ? square + at : NULL,
                     mean ? mean + at : NULL};
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

/* Several rows are computed together: each weight is loaded once for all of them, and their sums do not depend on each
 * other. There are as many as fit into the registers. A single row, or one by two copies of the weights, is computed
 * for several blocks of units together instead. */
enum { TOGETHER = LANES_BYTES == 64 ? 8 : 4, FEW = 4, PAIR = 2, BLOCKS = LANES_BYTES == 64 ? 4 : 2 };

/* Up to TOGETHER rows and their traces. A last group that is not full repeats the last row. */
typedef struct Group {
    const Cell *x[TOGETHER];
    Cell *trace[TOGETHER];
    size_t apart; /* the weights of row r are `apart` cells from those of row r - 1: 0 where all have the same */
} Group;

/* Sums of the outputs of a group: an output is a dot product over blocks of units, summed in the order of lanes_dot. */
typedef struct Outputs {
    Lanes even[TOGETHER], odd[TOGETHER];
} Outputs;

/* unit[r * blocks + b] = a + sum over j of x[r][j] A_j, in the order of j. */
LANES_INLINE void sum_units(const Cell *w, size_t width, size_t features, const Group *g, const size_t rows,
                            const size_t blocks, Lanes *unit)
{
    for (size_t i = 0; i < rows * blocks; i++)
        unit[i] = lanes_load(w + i / blocks * g->apart + features * width + i % blocks * LANES);
#pragma GCC unroll 2
    for (size_t j = 0; j < features; j++)
        for (size_t b = 0; b < blocks; b++)
            for (size_t r = 0; r < rows; r++) {
                Lanes v = lanes_load(w + r * g->apart + j * width + b * LANES);
                unit[r * blocks + b] = lanes_add(unit[r * blocks + b], lanes_mul(lanes_all(g->x[r][j]), v));
            }
}

/* g s(u) with s(u) = 1/(1 + e^-u), u = steep (g + cubic g^3). */
typedef struct Curve {
    Cell steep, cubic;
} Curve;

/* The values of a block of units; their slopes by A x + a, and by B x + b where there is a gate. */
typedef struct Units {
    Lanes value, slope, by_up;
} Units;

LANES_INLINE Lanes within(Lanes l, Cell most)
{
    return lanes_max(lanes_all(-most), lanes_min(lanes_all(most), l));
}

/* With a cubic part s is 0 or 1 where |g| > 30, so the square is that of g clipped to +-30. */
LANES_INLINE Units smooth_block(Curve curve, Lanes g)
{
    const Lanes one = lanes_all(1), steep = lanes_all(curve.steep), cubic = lanes_all(curve.cubic),
                near = within(g, 30);
    Lanes square = lanes_mul(near, near);
    Lanes u = lanes_mul(steep, lanes_add(g, lanes_mul(lanes_mul(cubic, square), g)));
    Lanes s = lanes_div(one, lanes_add(one, lanes_exp(lanes_sub(lanes_zero(), within(u, most_exponent)))));
    Lanes value = lanes_mul(g, s), bend = lanes_add(one, lanes_mul(lanes_all(3 * curve.cubic), square));
    Lanes rest = lanes_mul(lanes_mul(lanes_mul(value, lanes_sub(one, s)), steep), bend);
    return (Units){.value = value, .slope = lanes_add(s, rest)};
}

LANES_INLINE Units gated_block(Curve curve, Lanes g, Lanes up)
{
    Units u = smooth_block(curve, g);
    return (Units){lanes_mul(u.value, up), lanes_mul(u.slope, up), u.value};
}

/* hardgelu: g s with s = .4 g + .5, clipped to [0, 1]. In gelu s is the normal distribution function, whose slope at 0
 * is .3989; in hard swish (Howard et al. 2019) s has the slope 1/6. */
LANES_INLINE Units hard_block(Lanes g)
{
    Lanes part = lanes_mul(lanes_all((Cell)0.4), within(g, (Cell)1.25)), s = lanes_add(part, lanes_all((Cell)0.5));
    Lanes size = lanes_max(g, lanes_sub(lanes_zero(), g));
    Lanes rest = lanes_where_above(lanes_all((Cell)1.25), size, part, lanes_zero());
    return (Units){.value = lanes_mul(g, s), .slope = lanes_add(s, rest)};
}

LANES_INLINE Units rectified_block(Lanes low, Lanes unit)
{
    Lanes slope = lanes_where_above(unit, lanes_zero(), lanes_all(1), low);
    return (Units){.value = lanes_mul(slope, unit), .slope = slope};
}

/* The factor of a rectified unit below 0. */
LANES_INLINE Lanes leak_of(const AnbNetwork *n)
{
    return lanes_all((Cell)(n->activation == ANB_LEAKY ? 0.01 : 0));
}

/* gelu by its tanh form: x s(2 sqrt(2/pi) (x + 0.044715 x^3)), Hendrycks & Gimpel 2016; silu. */
LANES_INLINE Curve curve_of(const AnbNetwork *n)
{
    return n->activation == ANB_SWIGLU ? (Curve){1, 0} : (Curve){(Cell)1.5957691216057308, (Cell)0.044715};
}

/* Loops are compiled once for each: a rectifier, hardgelu, smooth units of A x + a, and of B x + b as well. */
typedef enum Kind { RECTIFIED, HARD, SMOOTH, GATED } Kind;

static Kind kind_of(const AnbNetwork *n)
{
    if (n->activation == ANB_HARDGELU)
        return HARD;
    return anb_network_gated(n) ? GATED : anb_network_rectified(n) ? RECTIFIED : SMOOTH;
}

/* f(n, kind, ...) with a kind that the compiler knows. */
#define BY_KIND(f, n, ...)                                                                                             \
    do {                                                                                                               \
        Kind kind = kind_of(n);                                                                                        \
        if (kind == RECTIFIED)                                                                                         \
            f(n, RECTIFIED, __VA_ARGS__);                                                                              \
        else if (kind == HARD)                                                                                         \
            f(n, HARD, __VA_ARGS__);                                                                                   \
        else if (kind == SMOOTH)                                                                                       \
            f(n, SMOOTH, __VA_ARGS__);                                                                                 \
        else                                                                                                           \
            f(n, GATED, __VA_ARGS__);                                                                                  \
    } while (0)

LANES_INLINE void store_units(const AnbNetwork *n, const Kind kind, size_t at, const Units *u, Cell *trace)
{
    Cell *slope = trace + n->width + LANES + at;
    lanes_store(trace + at, u->value);
    lanes_store(slope, u->slope);
    if (kind == GATED)
        lanes_store(slope + n->width, u->by_up);
}

/* Computes some blocks of units from `at` on, adds their part to the outputs and writes their traces. */
LANES_INLINE void some_units(const AnbNetwork *n, const Kind kind, const Cell *w, const Group *g, const size_t rows,
                             const size_t blocks, size_t at, Outputs *out)
{
    const Lanes low = leak_of(n);
    const Curve curve = curve_of(n);
    const Cell *v = w + anb_network_output(n) + at;
    Lanes unit[TOGETHER * BLOCKS], up[TOGETHER * BLOCKS];
    sum_units(w + at, n->width, n->features, g, rows, blocks, unit);
    if (kind == GATED)
        sum_units(w + (n->features + 1) * n->width + at, n->width, n->features, g, rows, blocks, up);
    for (size_t b = 0; b < blocks; b++) {
        Lanes *sum = (at / LANES + b) % 2 ? out->odd : out->even;
        for (size_t r = 0; r < rows; r++) {
            const Lanes by = lanes_load(v + r * g->apart + b * LANES);
            size_t i = r * blocks + b;
            Units u = kind == RECTIFIED ? rectified_block(low, unit[i])
                      : kind == HARD    ? hard_block(unit[i])
                      : kind == SMOOTH  ? smooth_block(curve, unit[i])
                                        : gated_block(curve, unit[i], up[i]);
            sum[r] = lanes_add(sum[r], lanes_mul(by, u.value));
            store_units(n, kind, at + b * LANES, &u, g->trace[r]);
        }
    }
}

LANES_INLINE void start_outputs(Outputs *out, const size_t rows)
{
    for (size_t r = 0; r < rows; r++)
        out->even[r] = out->odd[r] = lanes_zero();
}

/* Adds the constant, which comes last, and leaves the whole sums in `even`. */
LANES_INLINE void end_outputs(const AnbNetwork *n, const Cell *w, const Group *g, const size_t rows, Outputs *out)
{
    static const Cell constant[LANES] = {1};
    const Lanes one = lanes_load(constant);
    Lanes *sum = n->width / LANES % 2 ? out->odd : out->even;
    for (size_t r = 0; r < rows; r++) {
        const Lanes by = lanes_load(w + r * g->apart + anb_network_output(n) + n->width);
        sum[r] = lanes_add(sum[r], lanes_mul(by, one));
        lanes_store(g->trace[r] + n->width, one);
        out->even[r] = lanes_add(out->even[r], out->odd[r]);
    }
}

LANES_INLINE void forward_some(const AnbNetwork *n, const Kind kind, const Cell *w, const Group *g, const size_t rows,
                               Cell *out)
{
    Outputs sums;
    start_outputs(&sums, rows);
    for (size_t at = 0; at < n->width; at += LANES)
        some_units(n, kind, w, g, rows, 1, at, &sums);
    end_outputs(n, w, g, rows, &sums);
    for (size_t r = 0; r < rows && rows <= PAIR; r++)
        out[r] = lanes_sum(sums.even[r]);
    if (rows > PAIR)
        lanes_sums(sums.even, rows, out);
}

/* One row, by one copy of the weights or by two. */
LANES_INLINE void forward_copies(const AnbNetwork *n, const Kind kind, const Cell *w, const Group *g,
                                 const size_t copies, double *out)
{
    Outputs sums;
    size_t at = 0;
    start_outputs(&sums, copies);
    for (; at + BLOCKS * LANES <= n->width; at += BLOCKS * LANES)
        some_units(n, kind, w, g, copies, BLOCKS, at, &sums);
    for (; at + 2 * LANES <= n->width; at += 2 * LANES)
        some_units(n, kind, w, g, copies, 2, at, &sums);
    for (; at < n->width; at += LANES)
        some_units(n, kind, w, g, copies, 1, at, &sums);
    end_outputs(n, w, g, copies, &sums);
    for (size_t r = 0; r < copies; r++)
        out[r] = (double)lanes_sum(sums.even[r]);
}

static void gates(const void *gate_cells, const void *up_cells, size_t n, double steep, double cubic, void *value_cells,
                  void *by_gate_cells, void *by_up_cells)
{
    const Curve curve = {(Cell)steep, (Cell)cubic};
    const Cell *gate = gate_cells, *up = up_cells;
    Cell *value = value_cells, *by_gate = by_gate_cells, *by_up = by_up_cells;
    for (size_t i = 0; i < n; i += LANES) {
        Lanes g = lanes_load(gate + i);
        Units u = up ? gated_block(curve, g, lanes_load(up + i)) : smooth_block(curve, g);
        lanes_store(value + i, u.value);
        lanes_store(by_gate + i, u.slope);
        if (up)
            lanes_store(by_up + i, u.by_up);
    }
}

/* ---- a step ------------------------------------------------------------------------------------------------------ */

/* out = bounded(a x out); n a whole number of blocks. */
static void scaled_product(Cell *out, Cell a, const Cell *x, size_t n)
{
    const Lanes factor = lanes_all(a);
    for (size_t i = 0; i < n; i += LANES)
        lanes_store(out + i, bounded(lanes_mul(lanes_mul(factor, lanes_load(x + i)), lanes_load(out + i))));
}

/* Adam's numbers in every lane. */
typedef struct Step {
    Lanes rate, momentum, momentum_rest, decay, decay_rest, square_scale, average;
} Step;

LANES_INLINE Step spread(const AnbNetworkPace *adam)
{
    return (Step){lanes_all((Cell)(adam->rate * adam->mean_scale * rate_factor(adam->square_scale))),
                  lanes_all((Cell)adam->momentum),
                  lanes_all((Cell)(1 - adam->momentum)),
                  lanes_all((Cell)adam->decay),
                  lanes_all((Cell)(1 - adam->decay)),
                  lanes_all((Cell)adam->square_scale),
                  lanes_all((Cell)adam->average)};
}

/* The weights less `by`, and their average. */
LANES_INLINE void move_by(Weights w, size_t at, Lanes before, Lanes by, const Step *s)
{
    Lanes value = lanes_sub(before, by), averaged = lanes_load(w.averaged + at);
    lanes_store(w.value + at, value);
    lanes_store(w.averaged + at, lanes_add(averaged, lanes_mul(s->average, lanes_sub(value, averaged))));
}

/* A block of weights by their gradient. Returns the products of the weights before and their gradient. */
LANES_INLINE Lanes adam_lanes(Weights w, size_t at, Lanes g, const Step *s)
{
    Lanes before = lanes_load(w.value + at), pull = lanes_mul(before, g);
    Lanes square = lanes_add(lanes_mul(s->decay, lanes_load(w.square + at)), lanes_mul(s->decay_rest, squared(g)));
    lanes_store(w.square + at, square);
    if (w.mean) {
        g = bounded(lanes_add(lanes_mul(s->momentum, lanes_load(w.mean + at)), lanes_mul(s->momentum_rest, g)));
        lanes_store(w.mean + at, g);
    }
    move_by(w, at, before, lanes_mul(lanes_mul(s->rate, g), inverse_root(square, s->square_scale)), s);
    return pull;
}

LANES_INLINE Lanes descent_lanes(Weights w, size_t at, Lanes g, const Step *s)
{
    Lanes before = lanes_load(w.value + at), pull = lanes_mul(before, g);
    move_by(w, at, before, lanes_mul(s->rate, g), s);
    return pull;
}

/* The gradient of some blocks of weights of one row. */
LANES_INLINE void gradient(Lanes *sum, size_t blocks, const Cell *x, size_t x_stride, const Cell *g, size_t g_stride,
                           size_t samples)
{
    for (size_t b = 0; b < blocks; b++)
        sum[b] = lanes_mul(lanes_all(x[0]), lanes_load(g + b * LANES));
#pragma GCC unroll 2
    for (size_t s = 1; s < samples; s++) {
        Lanes v = lanes_all(x[s * x_stride]);
        for (size_t b = 0; b < blocks; b++)
            sum[b] = lanes_add(sum[b], lanes_mul(v, lanes_load(g + s * g_stride + b * LANES)));
    }
}

/* A network of few units has rows of one block; for those the loops over blocks fall away. */
#define STEP_FUNCTION(name, each)                                                                                      \
    LANES_INLINE void name##_rows(Weights w, size_t rows, const size_t width, const Cell *x, size_t x_stride,          \
                                  const Cell *g, size_t g_stride, size_t samples, const Step *step, double *pull)      \
    {                                                                                                                  \
        for (size_t j = 0; j < rows; j++) {                                                                            \
            size_t h = 0;                                                                                              \
            Lanes sum[4], pulled = lanes_zero();                                                                       \
            for (; h + 4 * LANES <= width; h += 4 * LANES) {                                                           \
                gradient(sum, 4, x + j, x_stride, g + h, g_stride, samples);                                           \
                for (size_t b = 0; b < 4; b++)                                                                         \
                    pulled = lanes_add(pulled, each(w, j * width + h + b * LANES, sum[b], step));                      \
            }                                                                                                          \
            for (; h < width; h += LANES) {                                                                            \
                gradient(sum, 1, x + j, x_stride, g + h, g_stride, samples);                                           \
                pulled = lanes_add(pulled, each(w, j * width + h, sum[0], step));                                      \
            }                                                                                                          \
            if (pull)                                                                                                  \
                pull[j] += (double)lanes_sum(pulled);                                                                  \
        }                                                                                                              \
    }                                                                                                                  \
    static void name(AnbNetworkRows all, size_t rows, size_t width, const void *x, size_t x_stride, const void *g,     \
                     size_t g_stride, size_t samples, const AnbNetworkPace *pace, double *pull)                        \
    {                                                                                                                  \
        const Step step = spread(pace);                                                                                \
        const Weights w = weights_from(all, 0);                                                                        \
        if (width == LANES)                                                                                            \
            name##_rows(w, rows, LANES, x, x_stride, g, g_stride, samples, &step, pull);                               \
        else                                                                                                           \
            name##_rows(w, rows, width, x, x_stride, g, g_stride, samples, &step, pull);                               \
    }
STEP_FUNCTION(adam, adam_lanes)
STEP_FUNCTION(descent, descent_lanes)

#endif
