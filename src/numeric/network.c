/* A small network: forward, gradient, step. The loops over units are in network_isa.c and layers_isa.c. */
#include "network.h"
#include "src/simd/kernels.h"
#include "src/simd/layers.h"
#include "moments.h"
#include <math.h>
#include <string.h>

/* gelu by its tanh form: x s(2 sqrt(2/pi) (x + 0.044715 x^3)), Hendrycks & Gimpel 2016. */
static const double gelu_steep = 1.5957691216057308, gelu_cubic = 0.044715;

static void draw_layer(const AnbNetwork *n, double *w, double scale, AnbRandom *random)
{
    for (size_t j = 0; j < n->features; j++)
        for (size_t h = 0; h < n->hidden; h++)
            w[j * n->width + h] = scale * anb_random_normal(random);
}

void anb_network_draw(const AnbNetwork *n, double *w, AnbRandom *random)
{
    bool rectified = anb_network_rectified(n);
    double scale = sqrt((rectified ? 2.0 : 1.0) / (double)n->features), small = 0.1 / sqrt((double)n->hidden);
    double *v = w + anb_network_output(n);
    draw_layer(n, w, scale, random);
    if (anb_network_gated(n))
        draw_layer(n, w + (n->features + 1) * n->width, scale, random);
    for (size_t h = 0; h < n->hidden; h++)
        v[h] = small * anb_random_normal(random);
}

static void layer(const AnbNetwork *n, const double *w, const double *x, double *out)
{
    anb_layer_forward(w, n->width, w + n->features * n->width, x, n->features, n->width, out);
}

double anb_network_forward(const AnbNetwork *n, const double *w, const double *x, double *trace)
{
    size_t width = n->width;
    double *h = trace, *slope = trace + width + ANB_NETWORK_LANES, *by_up = slope + width;
    layer(n, w, x, h);
    switch (n->activation) {
    case ANB_RELU:
    case ANB_LEAKY:
        anb_leaky(h, slope, width, n->activation == ANB_LEAKY ? 0.01 : 0);
        break;
    case ANB_GELU:
        anb_gates(h, NULL, width, gelu_steep, gelu_cubic, h, slope, NULL);
        break;
    case ANB_SWIGLU:
    case ANB_GEGLU:
        layer(n, w + (n->features + 1) * width, x, by_up);
        bool silu = n->activation == ANB_SWIGLU;
        anb_gates(h, by_up, width, silu ? 1 : gelu_steep, silu ? 0 : gelu_cubic, h, slope, by_up);
        break;
    }
    memset(h + width, 0, ANB_NETWORK_LANES * sizeof *h);
    h[width] = 1;
    return anb_dot(w + anb_network_output(n), h, width + ANB_NETWORK_LANES);
}

double anb_network_drop(const AnbNetwork *n, const double *w, double *trace, double p, AnbRandom *random)
{
    double *slope = trace + n->width + ANB_NETWORK_LANES, *by_up = slope + n->width;
    for (size_t h = 0; h < n->hidden; h++) {
        double factor = anb_random_uniform(random) < p ? 0 : 1 / (1 - p);
        trace[h] *= factor;
        slope[h] *= factor;
        if (anb_network_gated(n))
            by_up[h] *= factor;
    }
    return anb_dot(w + anb_network_output(n), trace, n->width + ANB_NETWORK_LANES);
}

/* The same arrays from `at` on. */
static AnbNetworkRows from(AnbNetworkRows w, size_t at)
{
    return (AnbNetworkRows){w.value + at, w.averaged + at, w.square ? w.square + at : NULL,
                            w.mean ? w.mean + at : NULL};
}

void anb_network_descend(const AnbNetwork *n, AnbNetworkRows w, const double *x, double *trace, const double *delta,
                         size_t samples, const AnbNetworkPace *pace, double *pull)
{
    size_t width = n->width, rows = n->features + 1, stride = anb_network_trace(n), output = anb_network_output(n);
    size_t first = width + ANB_NETWORK_LANES;
    const double *v = w.value + output;
    for (size_t s = 0; s < samples; s++)
        for (size_t at = first; at < stride; at += width)
            anb_scaled_product(trace + s * stride + at, delta[s], v, trace + s * stride + at, width);
    if (pull)
        memset(pull, 0, rows * sizeof *pull);
    anb_network_move(w, rows, width, x, rows, trace + first, stride, samples, pace, pull);
    if (anb_network_gated(n))
        anb_network_move(from(w, rows * width), rows, width, x, rows, trace + first + width, stride, samples, pace,
                         pull);
    anb_network_move(from(w, output), 1, first, delta, 1, trace, stride, samples, pace, NULL);
}

/* What feature j is multiplied by; a pull beyond the doubles counts as none. */
static double factor_of(double pull, double *mean, double *square, double rate)
{
    double counted = pull * pull < 1e300 ? pull : 0;
    *mean = 0.99 * *mean + 0.01 * counted;
    *square = 0.99 * *square + 0.01 * (counted * counted);
    double ratio = *square > 0 ? *mean / sqrt(*square) : 0, factor = 1 - 9 * rate * ratio * fabs(ratio);
    return factor > 0.5 ? factor : 0.5;
}

static void multiply(double *value, size_t n, double factor)
{
    for (size_t i = 0; i < n; i++)
        value[i] *= factor;
}

void anb_network_rescale(const AnbNetwork *n, AnbNetworkRows w, const double *pull, double *kept,
                         const AnbNetworkPace *pace)
{
    size_t layer = (n->features + 1) * n->width;
    for (size_t j = 0; j < n->features; j++) {
        double factor = factor_of(pull[j], kept + j, kept + n->features + j, pace->rate);
        for (size_t at = j * n->width; at < anb_network_output(n); at += layer)
            multiply(w.value + at, n->width, factor);
    }
}

static void reframe_weights(const AnbNetwork *n, double *w, const double *alpha, const double *beta)
{
    double *constant = w + n->features * n->width;
    for (size_t j = 0; j < n->features; j++) {
        double *row = w + j * n->width, size = fabs(alpha[j]), factor = alpha[j] / (size > 1 ? size : 1);
        double shift = size > 1 ? 0 : beta[j] / alpha[j];
        for (size_t h = 0; h < n->width; h++) {
            row[h] *= factor;
            constant[h] += row[h] * shift;
        }
    }
}

static void reframe_squares(const AnbNetwork *n, double *square, const double *alpha)
{
    for (size_t j = 0; j < n->features; j++)
        for (size_t h = 0; h < n->width; h++)
            square[j * n->width + h] = anb_within_doubles(square[j * n->width + h] / alpha[j] / alpha[j]);
}

static void reframe_means(const AnbNetwork *n, double *mean, const double *alpha, const double *beta)
{
    const double *constant = mean + n->features * n->width;
    for (size_t j = 0; j < n->features; j++)
        for (size_t h = 0; h < n->width; h++)
            mean[j * n->width + h] = (mean[j * n->width + h] - beta[j] * constant[h]) / alpha[j];
}

void anb_network_reframe(const AnbNetwork *n, AnbNetworkRows w, const double *alpha, const double *beta)
{
    for (size_t at = 0; at < anb_network_output(n); at += (n->features + 1) * n->width) {
        reframe_weights(n, w.value + at, alpha, beta);
        reframe_weights(n, w.averaged + at, alpha, beta);
        if (w.square)
            reframe_squares(n, w.square + at, alpha);
        if (w.mean)
            reframe_means(n, w.mean + at, alpha, beta);
    }
}
