/*
 * A network of one hidden layer and one output, of doubles or of floats: forward, gradient, a step of Adam or of plain
 * descent that sums the gradient, moves the weights and averages them in one pass.
 *
 *     f(x) = v . h(x) + c     h = act(A x + a)                     relu, leaky (0.01 below 0), gelu, hardgelu
 *                                                                  (c u, c = .4 u + .5 clipped to [0, 1])
 *                             h = act(A x + a) * (B x + b)         swiglu (act = silu), geglu
 *
 * Weights, rows of features and traces are arrays of cells. A cell is a double or a float; `void *` stands for either.
 * The weights are one array of anb_network_size cells: A, one row for each feature, then a; with a gate also B and b;
 * then v and c. `width` is the number of hidden units rounded up to whole blocks of `lanes` cells. Behind v stand c and
 * zeros up to a whole block. Cells beyond the units in use are 0 and stay 0.
 *
 * Compiled once per instruction set and chosen at start (isa.h); all sets give the same bits. The code is in
 * network_lanes.h, network_columns.h and network_steps.h; network_isa.c compiles it for doubles, network_single_isa.c
 * for floats.
 */
#ifndef ANB_NUMERIC_NETWORK_H
#define ANB_NUMERIC_NETWORK_H

#include "src/simd/isa.h"
#include "random.h"
#include <stdbool.h>
#include <stddef.h>

typedef enum AnbActivation { ANB_RELU, ANB_LEAKY, ANB_GELU, ANB_SWIGLU, ANB_GEGLU, ANB_HARDGELU } AnbActivation;

typedef struct AnbNetworkKernels AnbNetworkKernels;

typedef struct AnbNetwork {
    size_t features, hidden, width;
    AnbActivation activation;
    size_t lanes, cell; /* cells of a block of 64 bytes; bytes of a cell */
    const AnbNetworkKernels *kernels;
} AnbNetwork;

/* One step of Adam. */
typedef struct AnbNetworkPace {
    double rate;                     /* step size, bias corrections not in it */
    double momentum, decay;          /* discounts of the mean gradient and of the mean squared one */
    double mean_scale, square_scale; /* 1/(1 - momentum^t), 1/(1 - decay^t); 1 for plain descent */
    double average;                  /* share of the new weights in the averaged ones */
} AnbNetworkPace;

/* Parameters of one matrix, side by side; all of rows x width. */
typedef struct AnbNetworkRows {
    void *value, *averaged, *square, *mean; /* mean: NULL where momentum is 0; square: NULL for plain descent */
} AnbNetworkRows;

/* The functions for one kind of cell; the inline functions of the same names below say what each does. */
struct AnbNetworkKernels {
    void (*draw)(const AnbNetwork *n, void *w, AnbRandom *random);
    void (*take_rows)(const AnbNetwork *n, const double *x, size_t stride, size_t rows, double bound, void *out);
    void (*take_units)(const AnbNetwork *n, const double *inverse, const double *origin, void *units);
    void (*take_kept)(const AnbNetwork *n, const float *kept, const void *units, double bound, void *out);
    double (*forward)(const AnbNetwork *n, const void *w, const void *x, void *trace);
    void (*forward_both)(const AnbNetwork *n, const void *w, size_t apart, const void *x, void *trace, void *unread,
                         double *out);
    void (*forward_rows)(const AnbNetwork *n, const void *w, const void *x, size_t rows, void *trace, double *out);
    void (*take_columns)(const double *columns, size_t n, double bound, void *out);
    void (*forward_columns)(const AnbNetwork *n, const void *w, const void *columns, size_t pitch, size_t rows,
                            double *out);
    void (*slopes)(const AnbNetwork *n, const void *w, const void *trace, void *room, double *out);
    double (*drop)(const AnbNetwork *n, const void *w, void *trace, double p, AnbRandom *random);
    void (*descend)(const AnbNetwork *n, AnbNetworkRows w, const void *x, void *trace, const double *delta,
                    size_t samples, const AnbNetworkPace *pace, double *pull);
    void (*rescale)(const AnbNetwork *n, AnbNetworkRows w, double *pull, double *kept, const AnbNetworkPace *pace);
    void (*reframe)(const AnbNetwork *n, AnbNetworkRows w, const double *alpha, const double *beta);
    void (*move_output)(const AnbNetwork *n, void *w, double ratio, double shift);
    bool (*finite)(const void *cells, size_t n);
    void (*adam)(AnbNetworkRows w, size_t rows, size_t width, const void *x, size_t x_stride, const void *g,
                 size_t g_stride, size_t samples, const AnbNetworkPace *step, double *pull);
    void (*descent)(AnbNetworkRows w, size_t rows, size_t width, const void *x, size_t x_stride, const void *g,
                    size_t g_stride, size_t samples, const AnbNetworkPace *step, double *pull);
    void (*gates)(const void *gate, const void *up, size_t n, double steep, double cubic, void *value, void *by_gate,
                  void *by_up);
};

ANB_ISA_TABLE(AnbNetworkKernels, anb_network_doubles);
ANB_ISA_TABLE(AnbNetworkKernels, anb_network_floats);

/* `n` cells rounded up to whole blocks. */
static inline size_t anb_network_width(size_t n, size_t lanes)
{
    return (n + lanes - 1) / lanes * lanes;
}

static inline AnbNetwork anb_network(size_t features, size_t hidden, AnbActivation activation, bool single)
{
    const size_t cell = single ? sizeof(float) : sizeof(double), lanes = 64 / cell;
    return (AnbNetwork){.features = features,
                        .hidden = hidden,
                        .width = anb_network_width(hidden, lanes),
                        .activation = activation,
                        .lanes = lanes,
                        .cell = cell,
                        .kernels = single ? &anb_network_floats : &anb_network_doubles};
}

static inline bool anb_network_gated(const AnbNetwork *n)
{
    return n->activation == ANB_SWIGLU || n->activation == ANB_GEGLU;
}

static inline bool anb_network_rectified(const AnbNetwork *n)
{
    return n->activation == ANB_RELU || n->activation == ANB_LEAKY;
}

/* Where v starts. */
static inline size_t anb_network_output(const AnbNetwork *n)
{
    return (n->features + 1) * n->width * (anb_network_gated(n) ? 2 : 1);
}

static inline size_t anb_network_size(const AnbNetwork *n)
{
    return anb_network_output(n) + n->width + n->lanes;
}

/* Cells of the trace of one sample: h, a block of a 1 and zeros; then the slopes by A x + a, and by B x + b where
 * gated. */
static inline size_t anb_network_trace(const AnbNetwork *n)
{
    return n->width * (anb_network_gated(n) ? 3 : 2) + n->lanes;
}

/* Where cell i of an array lies, and what it holds. */
static inline void *anb_network_at(const AnbNetwork *n, void *cells, size_t i)
{
    return (char *)cells + i * n->cell;
}

static inline double anb_network_cell(const AnbNetwork *n, const void *cells, size_t i)
{
    return n->cell == sizeof(float) ? (double)((const float *)cells)[i] : ((const double *)cells)[i];
}

static inline void anb_network_set(const AnbNetwork *n, void *cells, size_t i, double value)
{
    if (n->cell == sizeof(float))
        ((float *)cells)[i] = (float)value;
    else
        ((double *)cells)[i] = value;
}

/* Draws weights: N(0, 2/features) for relu and leaky, N(0, 1/features) for the others, N(0, .01/hidden) for v, 0 for
 * the constants. w arrives zeroed. */
static inline void anb_network_draw(const AnbNetwork *n, void *w, AnbRandom *random)
{
    n->kernels->draw(n, w, random);
}

/* Writes rows of features, `stride` doubles apart, as rows of features + 1 cells: each feature clipped to +-bound, then
 * a 1. May write up to a block of cells behind the last row. */
static inline void anb_network_take_rows(const AnbNetwork *n, const double *x, size_t stride, size_t rows, double bound,
                                         void *out)
{
    n->kernels->take_rows(n, x, stride, rows, bound, out);
}

/* Cells that anb_network_take_units fills. */
static inline size_t anb_network_units(const AnbNetwork *n)
{
    return 2 * anb_network_width(n->features, n->lanes);
}

/* Writes as cells the units in which features are remembered (kept_unit.h). */
static inline void anb_network_take_units(const AnbNetwork *n, const double *inverse, const double *origin, void *units)
{
    n->kernels->take_units(n, inverse, origin, units);
}

/* Writes one remembered row, in the present unit, as anb_network_take_rows writes rows. May write up to a block behind
 * it. */
static inline void anb_network_take_kept(const AnbNetwork *n, const float *kept, const void *units, double bound,
                                         void *out)
{
    n->kernels->take_kept(n, kept, units, bound, out);
}

/* Returns f(x) for `features` cells; fills the trace that anb_network_descend needs. */
static inline double anb_network_forward(const AnbNetwork *n, const void *w, const void *x, void *trace)
{
    return n->kernels->forward(n, w, x, trace);
}

/* The same by two copies of the weights, the second `apart` cells behind the first: out[0] and out[1]. The trace is
 * that of the first; `unread` has room for another. */
static inline void anb_network_forward_both(const AnbNetwork *n, const void *w, size_t apart, const void *x,
                                            void *trace, void *unread, double *out)
{
    n->kernels->forward_both(n, w, apart, x, trace, unread, out);
}

/* f of several rows of features + 1 cells, with the bits of anb_network_forward, and their traces, anb_network_trace
 * apart. */
static inline void anb_network_forward_rows(const AnbNetwork *n, const void *w, const void *x, size_t rows, void *trace,
                                            double *out)
{
    n->kernels->forward_rows(n, w, x, rows, trace, out);
}

/* Writes n doubles as cells, clipped to +-bound; n a whole number of blocks. Both arrays may be the same. */
static inline void anb_network_take_columns(const AnbNetwork *n, const double *columns, size_t cells, double bound,
                                            void *out)
{
    n->kernels->take_columns(columns, cells, bound, out);
}

/* f of several rows that stand one to a lane, cell j of row i at columns[j * pitch + i] (src/simd/turn.h): the bits of
 * anb_network_forward, without a trace. pitch a whole number of blocks. */
static inline void anb_network_forward_columns(const AnbNetwork *n, const void *w, const void *columns, size_t pitch,
                                               size_t rows, double *out)
{
    n->kernels->forward_columns(n, w, columns, pitch, rows, out);
}

/* The slopes of f by each feature at the row whose trace is given; `room`: `width` cells of work space. Cost: one
 * forward. */
static inline void anb_network_slopes(const AnbNetwork *n, const void *w, const void *trace, void *room, double *out)
{
    n->kernels->slopes(n, w, trace, room, out);
}

/* Leaves each hidden unit out of a forward's trace with probability p and divides the others, and their slopes, by 1 -
 * p; returns f(x) of that, with the weights of the forward. */
static inline double anb_network_drop(const AnbNetwork *n, const void *w, void *trace, double p, AnbRandom *random)
{
    return n->kernels->drop(n, w, trace, p, random);
}

enum { ANB_NETWORK_SAMPLES = 80 }; /* the most of one step */

/**
 * One step against the sum over samples of delta_s times the gradient of f at x_s.
 *
 * @param w        the weights and what goes with them, arrays of anb_network_size each
 * @param x        samples rows of features + 1 cells, the last one 1
 * @param trace    of each sample from the forward of these weights, anb_network_trace apart; overwritten
 * @param delta    of each sample
 * @param samples  up to ANB_NETWORK_SAMPLES
 * @param pull     of each feature and the constant: sum over its weights of weight times gradient, the gradient by the
 *                 logarithm of a factor on the feature; NULL: not wanted
 */
static inline void anb_network_descend(const AnbNetwork *n, AnbNetworkRows w, const void *x, void *trace,
                                       const double *delta, size_t samples, const AnbNetworkPace *pace, double *pull)
{
    n->kernels->descend(n, w, x, trace, delta, samples, pace, pull);
}

/**
 * Multiplies each feature's weights by a factor that descends along the pulls:
 *
 *     factor_j = 1 - 9 rate r |r|, at least .5
 *     r = mean pull / root of the mean squared pull, both discounted by .99
 *
 * r is within +-1, and near 0 if the pulls have no consistent sign. The weights of an irrelevant feature only add to
 * the error, so its pulls are positive and its weights shrink. Single steps of Adam do not do that: each is of unit
 * size, also for a gradient that is noise.
 *
 * @param pull   of each feature, from anb_network_descend; overwritten by the factors
 * @param kept   the means and the mean squares, one a feature each
 */
static inline void anb_network_rescale(const AnbNetwork *n, AnbNetworkRows w, double *pull, double *kept,
                                       const AnbNetworkPace *pace)
{
    n->kernels->rescale(n, w, pull, kept, pace);
}

/**
 * The features are now given in another unit, old x_j = alpha_j new x_j + beta_j: the first layer follows, with its
 * average and its gradients' means.
 *
 * Where a feature's unit does not grow (|alpha| <= 1) A x + a stays what it was for every row, and the mean gradient is
 * what it would be. Where it grows the weights stay as they are but for their sign: steps correct what a row shows, and
 * weights and constants that followed a feature which keeps rising would grow without end. The mean squared gradient is
 * divided by alpha^2, as if the centre had stayed.
 */
static inline void anb_network_reframe(const AnbNetwork *n, AnbNetworkRows w, const double *alpha, const double *beta)
{
    n->kernels->reframe(n, w, alpha, beta);
}

/* f becomes ratio f + shift. */
static inline void anb_network_move_output(const AnbNetwork *n, void *w, double ratio, double shift)
{
    n->kernels->move_output(n, w, ratio, shift);
}

/* Whether the weights from cell `at` on are finite, `at` at the start of a block. */
static inline bool anb_network_finite(const AnbNetwork *n, const void *w, size_t at)
{
    return n->kernels->finite((const char *)w + at * n->cell, anb_network_size(n) - at);
}

/* ---- parts of the above, for tests of each ----------------------------------------------------------------------- */

/* A step against the gradient G[j][h] = sum over samples s of x[s][j] g[s][h], by Adam or by plain descent; then the
 * running average of the weights. Adds sum over h of w[j][h] G[j][h], w from before the step, to pull[j] unless pull is
 * NULL. */
static inline void anb_network_move(const AnbNetworkKernels *kernels, AnbNetworkRows w, size_t rows, size_t width,
                                    const void *x, size_t x_stride, const void *g, size_t g_stride, size_t samples,
                                    const AnbNetworkPace *step, double *pull)
{
    (w.square ? kernels->adam : kernels->descent)(w, rows, width, x, x_stride, g, g_stride, samples, step, pull);
}

/*
 * value = g s(u) up with s(u) = 1/(1 + e^-u), u = steep (g + cubic g^3), and its derivatives by g and by `up`; without
 * `up` it is g s(u), and by_up is not written. n a whole number of blocks. steep 1, cubic 0: silu. steep 2 sqrt(2/pi),
 * cubic 0.044715: gelu.
 */
static inline void anb_gates(const AnbNetworkKernels *kernels, const void *gate, const void *up, size_t n, double steep,
                             double cubic, void *value, void *by_gate, void *by_up)
{
    kernels->gates(gate, up, n, steep, cubic, value, by_gate, by_up);
}

#endif
