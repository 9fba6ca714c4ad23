/*
 * The loops of networks and of random features that layers.h does not have: activations, cosines, and a step of Adam or
 * of plain descent that sums the gradient, moves the weights and averages them in one pass. Compiled once per
 * instruction set and chosen at start (isa.h); all sets give the same bits.
 *
 * Matrices are rows of `width` doubles, width a multiple of 8, one row a feature and a last one for the constant; what
 * is beyond the units in use is 0 and stays 0.
 */
#ifndef ANB_NUMERIC_NETWORK_H
#define ANB_NUMERIC_NETWORK_H

#include "src/simd/isa.h"
#include "random.h"
#include <stdbool.h>
#include <stddef.h>

enum { ANB_NETWORK_LANES = 8 };

/* `n` rounded up to whole lanes. */
static inline size_t anb_network_width(size_t n)
{
    return (n + ANB_NETWORK_LANES - 1) / ANB_NETWORK_LANES * ANB_NETWORK_LANES;
}

/* One step of Adam. */
typedef struct AnbNetworkPace {
    double rate;                     /* step size, bias corrections not in it */
    double momentum, decay;          /* discounts of the mean gradient and of the mean squared one */
    double mean_scale, square_scale; /* 1/(1 - momentum^t), 1/(1 - decay^t); 1 for plain descent */
    double average;                  /* share of the new weights in the averaged ones */
} AnbNetworkPace;

/* Parameters of one matrix, side by side; all of rows x width. */
typedef struct AnbNetworkRows {
    double *value, *averaged, *square, *mean; /* mean: NULL where momentum is 0; square: NULL for plain descent */
} AnbNetworkRows;

typedef struct AnbNetworkKernels {
    void (*cosine)(double *turns, size_t n, double scale);
    void (*leaky)(double *value, double *slope, size_t n, double leak);
    void (*gates)(const double *gate, const double *up, size_t n, double steep, double cubic, double *value,
                  double *by_gate, double *by_up);
    void (*leaky_outputs)(const double *w, size_t width, size_t features, const double *v, double leak, const double *x,
                          size_t stride, size_t rows, double *out);
    void (*bounded_rows)(const double *x, size_t stride, size_t rows, size_t n, double bound, double *out);
    void (*scaled_product)(double *out, double a, const double *x, const double *y, size_t n);
    void (*adam)(AnbNetworkRows w, size_t rows, size_t width, const double *x, size_t x_stride, const double *g,
                 size_t g_stride, size_t samples, const AnbNetworkPace *step, double *pull);
    void (*descent)(AnbNetworkRows w, size_t rows, size_t width, const double *x, size_t x_stride, const double *g,
                    size_t g_stride, size_t samples, const AnbNetworkPace *step, double *pull);
} AnbNetworkKernels;

ANB_ISA_TABLE(AnbNetworkKernels, anb_network_kernels);

/* Rows of n cells, `stride` doubles apart, with each cell within +-bound, side by side. */
static inline void anb_bounded_rows(const double *x, size_t stride, size_t rows, size_t n, double bound, double *out)
{
    anb_network_kernels.bounded_rows(x, stride, rows, n, bound, out);
}

/* turns[i] = scale cos(2 pi turns[i]); arguments beyond +-2^50 are bounded to that. */
static inline void anb_cosine(double *turns, size_t n, double scale)
{
    anb_network_kernels.cosine(turns, n, scale);
}

/* value = v > 0 ? v : leak v; slope = its derivative. n a multiple of 8. */
static inline void anb_leaky(double *value, double *slope, size_t n, double leak)
{
    anb_network_kernels.leaky(value, slope, n, leak);
}

/*
 * value = g s(u) up with s(u) = 1/(1 + e^-u), u = steep (g + cubic g^3), and its derivatives by g and by `up`; without
 * `up` it is g s(u), and by_up is not written. n a multiple of 8. steep 1, cubic 0: silu. steep 2 sqrt(2/pi), cubic
 * 0.044715: gelu.
 */
static inline void anb_gates(const double *gate, const double *up, size_t n, double steep, double cubic, double *value,
                             double *by_gate, double *by_up)
{
    anb_network_kernels.gates(gate, up, n, steep, cubic, value, by_gate, by_up);
}

/* out = a x y, element by element; n a multiple of 8. */
static inline void anb_scaled_product(double *out, double a, const double *x, const double *y, size_t n)
{
    anb_network_kernels.scaled_product(out, a, x, y, n);
}

/* A step against the gradient G[j][h] = sum over samples s of x[s][j] g[s][h], by Adam or as it is; then the average.
 * Adds sum over h of w[j][h] G[j][h], w from before the step, to pull[j] where there is a pull. */
static inline void anb_network_move(AnbNetworkRows w, size_t rows, size_t width, const double *x, size_t x_stride,
                                    const double *g, size_t g_stride, size_t samples, const AnbNetworkPace *step,
                                    double *pull)
{
    const AnbNetworkKernels *k = &anb_network_kernels;
    (w.square ? k->adam : k->descent)(w, rows, width, x, x_stride, g, g_stride, samples, step, pull);
}

/* ---- a network of one hidden layer and one output ---------------------------------------------------------------- */

typedef enum AnbActivation { ANB_RELU, ANB_LEAKY, ANB_GELU, ANB_SWIGLU, ANB_GEGLU } AnbActivation;

/*
 *     f(x) = v . h(x) + c     h = act(A x + a)                     relu, leaky (0.01 below 0), gelu
 *                             h = act(A x + a) * (B x + b)         swiglu (act = silu), geglu
 *
 * The weights are one array of anb_network_size doubles: A by rows of a feature, a; B, b where gated; v, c. `width` is
 * the number of hidden units rounded up to lanes; v is followed by c and seven zeros.
 */
typedef struct AnbNetwork {
    size_t features, hidden, width;
    AnbActivation activation;
} AnbNetwork;

static inline AnbNetwork anb_network(size_t features, size_t hidden, AnbActivation activation)
{
    return (AnbNetwork){features, hidden, anb_network_width(hidden), activation};
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
    return anb_network_output(n) + n->width + ANB_NETWORK_LANES;
}

/* f of several rows, `stride` doubles apart, of a network that is rectified: the bits of anb_network_forward. */
static inline void anb_network_outputs(const AnbNetwork *n, const double *w, const double *x, size_t stride,
                                       size_t rows, double *out)
{
    anb_network_kernels.leaky_outputs(w, n->width, n->features, w + anb_network_output(n),
                                      n->activation == ANB_LEAKY ? 0.01 : 0, x, stride, rows, out);
}

/* Doubles that one sample leaves behind: h, a 1 and seven zeros; then the slopes by A x + a, and by B x + b where
 * gated. */
static inline size_t anb_network_trace(const AnbNetwork *n)
{
    return n->width * (anb_network_gated(n) ? 3 : 2) + ANB_NETWORK_LANES;
}

/* Draws weights: N(0, 2/features) for relu and leaky, N(0, 1/features) for the others, N(0, .01/hidden) for v, 0 for
 * the constants. w arrives zeroed. */
void anb_network_draw(const AnbNetwork *n, double *w, AnbRandom *random);

/* f(x) for `features` values, and the trace that anb_network_descend wants. */
double anb_network_forward(const AnbNetwork *n, const double *w, const double *x, double *trace);

/* Leaves each hidden unit out of a forward's trace with probability p and divides the others, and their slopes, by 1 - p;
 * returns f(x) of that, with the weights of the forward. */
double anb_network_drop(const AnbNetwork *n, const double *w, double *trace, double p, AnbRandom *random);

/**
 * One step against the sum over samples of delta_s times the gradient of f at x_s.
 *
 * @param w        the weights and what goes with them, arrays of anb_network_size each
 * @param x        samples rows of features + 1 values, the last one 1
 * @param trace    of each sample from the forward of these weights, anb_network_trace apart; overwritten
 * @param delta    of each sample
 * @param pull     of each feature and the constant: sum over its weights of weight times gradient, the gradient by the logarithm
 *                 of a factor on the feature; NULL where nobody asks
 */
void anb_network_descend(const AnbNetwork *n, AnbNetworkRows w, const double *x, double *trace, const double *delta,
                         size_t samples, const AnbNetworkPace *pace, double *pull);

/**
 * Multiplies each feature's weights by a factor that descends along the pulls:
 *
 *     factor_j = 1 - 9 rate r |r|     r = mean pull / root of the mean squared pull, both discounted by .99
 *
 * r is within +-1 and near 0 where pulls have no direction, so a feature is scaled by what it says again and again. One that
 * carries nothing only adds to the error: its pulls are positive and its weights shrink together, which single steps of Adam,
 * each of unit size, do not tell from noise. A factor is .5 at least.
 *
 * @param pull   of each feature, from anb_network_descend
 * @param kept   the means and the mean squares, one a feature each
 */
void anb_network_rescale(const AnbNetwork *n, AnbNetworkRows w, const double *pull, double *kept,
                         const AnbNetworkPace *pace);

/**
 * The features are now given in another unit, old x_j = alpha_j new x_j + beta_j: the first layer follows, with its average
 * and its gradients' means.
 *
 * Where a feature's unit does not grow (|alpha| <= 1) A x + a stays what it was for every row, and the mean gradient is what
 * it would be. Where it grows the weights stay as they are but for their sign: steps correct what a row shows, and weights
 * and constants that followed a feature which keeps rising would grow without end. The mean squared gradient is divided by
 * alpha^2, as if the centre had stayed.
 */
void anb_network_reframe(const AnbNetwork *n, AnbNetworkRows w, const double *alpha, const double *beta);

#endif
