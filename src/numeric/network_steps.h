/* Networks: the functions of network.h, made of the loops of network_lanes.h, the same code for doubles and floats. */
#ifndef ANB_NUMERIC_NETWORK_STEPS_H
#define ANB_NUMERIC_NETWORK_STEPS_H

#include "kept_unit.h"
#include "network_columns.h"
#include "network_lanes.h"
#include "pulls.h"
#include <math.h>
#include <string.h>

static void draw_layer(const AnbNetwork *n, Cell *w, double scale, AnbRandom *random)
{
    for (size_t j = 0; j < n->features; j++)
        for (size_t h = 0; h < n->hidden; h++)
            w[j * n->width + h] = (Cell)(scale * anb_random_normal(random));
}

static void draw(const AnbNetwork *n, void *cells, AnbRandom *random)
{
    bool by_rectifier = anb_network_rectified(n);
    double scale = sqrt((by_rectifier ? 2.0 : 1.0) / (double)n->features), small = 0.1 / sqrt((double)n->hidden);
    Cell *w = cells, *v = w + anb_network_output(n);
    draw_layer(n, w, scale, random);
    if (anb_network_gated(n))
        draw_layer(n, w + (n->features + 1) * n->width, scale, random);
    for (size_t h = 0; h < n->hidden; h++)
        v[h] = (Cell)(small * anb_random_normal(random));
}

/* Whole blocks are written; the cells behind the features are overwritten by the 1 and by the next row. */
static void take_rows(const AnbNetwork *n, const double *x, size_t stride, size_t rows, double bound, void *cells)
{
    Cell *out = cells;
    for (size_t i = 0; i < rows; i++, x += stride, out += n->features + 1) {
        for (size_t j = 0; j < n->features; j += LANES)
            lanes_store(out + j, small_to_zero(within(lanes_load_doubles(x + j, n->features - j), (Cell)bound)));
        out[n->features] = 1;
    }
}

static void take_units(const AnbNetwork *n, const double *inverse, const double *origin, void *cells)
{
    Cell *scale = cells, *shift = scale + anb_network_width(n->features, LANES);
    for (size_t j = 0; j < n->features; j++) {
        scale[j] = (Cell)inverse[j];
        shift[j] = (Cell)origin[j];
    }
}

static void take_kept(const AnbNetwork *n, const float *kept, const void *units, double bound, void *cells)
{
    const Cell *scale = units, *shift = scale + anb_network_width(n->features, LANES);
    const Lanes high = lanes_all((Cell)bound), low = lanes_all((Cell)-bound);
    Cell *out = cells;
    for (size_t j = 0; j < n->features; j += LANES) {
        Lanes x = lanes_load_floats(kept + j, n->features - j);
        x = lanes_mul(lanes_sub(x, lanes_load(shift + j)), lanes_load(scale + j));
        lanes_store(out + j, small_to_zero(lanes_max(lanes_min(x, high), low)));
    }
    out[n->features] = 1;
}

/* ---- forward ----------------------------------------------------------------------------------------------------- */

static double forward(const AnbNetwork *n, const void *w, const void *x, void *trace)
{
    const Group g = {.x = {x}, .trace = {trace}};
    double out;
    BY_KIND(forward_copies, n, w, &g, 1, &out);
    return out;
}

static void forward_both(const AnbNetwork *n, const void *w, size_t apart, const void *x, void *trace, void *unread,
                         double *out)
{
    const Group g = {.x = {x, x}, .trace = {trace, unread}, .apart = apart};
    BY_KIND(forward_copies, n, w, &g, 2, out);
}

/* `most` rows from row i on; behind the last of n_rows that one again. */
LANES_INLINE Group group_of(const AnbNetwork *n, const Cell *x, Cell *trace, size_t i, const size_t most, size_t n_rows)
{
    Group g = {.apart = 0};
    for (size_t r = 0; r < most; r++) {
        size_t row = i + r < n_rows ? i + r : n_rows - 1;
        g.x[r] = x + row * (n->features + 1);
        g.trace[r] = trace + row * anb_network_trace(n);
    }
    return g;
}

/* The outputs of one group; returns its number of rows. */
LANES_INLINE size_t forward_group(const AnbNetwork *n, const Kind kind, const Cell *w, const Cell *x, Cell *trace,
                                  size_t i, const size_t most, size_t n_rows, double *out)
{
    const Group g = group_of(n, x, trace, i, most, n_rows);
    Cell f[TOGETHER];
    forward_some(n, kind, w, &g, most, f);
    size_t rows = n_rows - i < most ? n_rows - i : most;
    for (size_t r = 0; r < rows; r++)
        out[i + r] = (double)f[r];
    return rows;
}

LANES_INLINE void forward_groups(const AnbNetwork *n, const Kind kind, const Cell *w, const Cell *x, Cell *trace,
                                 size_t rows, double *out)
{
    for (size_t i = 0; i < rows;)
        i += rows - i > FEW    ? forward_group(n, kind, w, x, trace, i, TOGETHER, rows, out)
             : rows - i > PAIR ? forward_group(n, kind, w, x, trace, i, FEW, rows, out)
                               : forward_group(n, kind, w, x, trace, i, PAIR, rows, out);
}

static void forward_rows(const AnbNetwork *n, const void *w, const void *x, size_t rows, void *trace, double *out)
{
    BY_KIND(forward_groups, n, w, x, trace, rows, out);
}

static void slopes(const AnbNetwork *n, const void *cells, const void *traces, void *room, double *out)
{
    const Cell *w = cells, *v = w + anb_network_output(n), *slope = (const Cell *)traces + n->width + LANES;
    const size_t layers = anb_network_gated(n) ? 2 : 1;
    Cell *by = room;
    memset(out, 0, n->features * sizeof *out);
    for (size_t l = 0; l < layers; l++, slope += n->width, w += (n->features + 1) * n->width) {
        for (size_t h = 0; h < n->width; h += LANES)
            lanes_store(by + h, lanes_mul(lanes_load(v + h), lanes_load(slope + h)));
        for (size_t j = 0; j < n->features; j++)
            out[j] += (double)lanes_dot(w + j * n->width, by, n->width);
    }
}

static double drop(const AnbNetwork *n, const void *w, void *cells, double p, AnbRandom *random)
{
    Cell *trace = cells, *slope = trace + n->width + LANES, *by_up = slope + n->width;
    for (size_t h = 0; h < n->hidden; h++) {
        Cell factor = (Cell)(anb_random_uniform(random) < p ? 0 : 1 / (1 - p));
        trace[h] *= factor;
        slope[h] *= factor;
        if (anb_network_gated(n))
            by_up[h] *= factor;
    }
    return (double)lanes_dot((const Cell *)w + anb_network_output(n), trace, n->width + LANES);
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

/* The same arrays from `at` on. */
static AnbNetworkRows rows_from(AnbNetworkRows all, size_t at)
{
    Weights w = weights_from(all, at);
    return (AnbNetworkRows){w.value, w.averaged, w.square, w.mean};
}

static void descend(const AnbNetwork *n, AnbNetworkRows w, const void *x, void *traces, const double *delta,
                    size_t samples, const AnbNetworkPace *pace, double *pull)
{
    size_t width = n->width, rows = n->features + 1, stride = anb_network_trace(n), output = anb_network_output(n);
    size_t first = width + LANES;
    const Cell *v = (Cell *)w.value + output;
    Cell *trace = traces, off[ANB_NETWORK_SAMPLES];
    for (size_t s = 0; s < samples; s++) {
        off[s] = cell_of(delta[s]);
        for (size_t at = first; at < stride; at += width)
            scaled_product(trace + s * stride + at, off[s], v, width);
    }
    if (pull)
        memset(pull, 0, rows * sizeof *pull);
    const AnbNetworkKernels *kernels = n->kernels;
    anb_network_move(kernels, w, rows, width, x, rows, trace + first, stride, samples, pace, pull);
    if (anb_network_gated(n))
        anb_network_move(kernels, rows_from(w, rows * width), rows, width, x, rows, trace + first + width, stride,
                         samples, pace, pull);
    anb_network_move(kernels, rows_from(w, output), 1, first, off, 1, trace, stride, samples, pace, NULL);
}

LANES_INLINE void multiply(Cell *value, size_t n, Cell factor)
{
    const Lanes by = lanes_all(factor);
    for (size_t i = 0; i < n; i += LANES)
        lanes_store(value + i, lanes_mul(lanes_load(value + i), by));
}

static void rescale(const AnbNetwork *n, AnbNetworkRows w, double *pull, double *kept, const AnbNetworkPace *pace)
{
    const size_t features = n->features, width = n->width, end = anb_network_output(n),
                 of_layer = (features + 1) * width;
    Cell *value = w.value;
    anb_pulls_to_factors(pull, kept, kept + features, features, pace->rate);
    for (size_t layer = 0; layer < end; layer += of_layer)
        for (size_t j = 0; j < features; j++)
            multiply(value + layer + j * width, width, (Cell)pull[j]);
}

static void move_output(const AnbNetwork *n, void *w, double ratio, double shift)
{
    Cell *out = (Cell *)w + anb_network_output(n);
    multiply(out, n->width + LANES, (Cell)ratio);
    out[n->width] = (Cell)((double)out[n->width] + shift);
}

static bool finite(const void *cells, size_t n)
{
    const Cell *value = cells;
    Lanes sum = lanes_zero();
    for (size_t i = 0; i < n; i += LANES) {
        Lanes v = lanes_load(value + i);
        sum = lanes_add(sum, lanes_sub(v, v));
    }
    return lanes_sum(sum) == 0;
}

/* ---- another unit of the features -------------------------------------------------------------------------------- */

static void reframe_weights(const AnbNetwork *n, Cell *w, const double *alpha, const double *beta)
{
    Cell *constant = w + n->features * n->width;
    for (size_t j = 0; j < n->features; j++) {
        double size = fabs(alpha[j]), factor = alpha[j] / (size > 1 ? size : 1);
        double shift = size > 1 ? 0 : beta[j] / alpha[j];
        Cell *row = w + j * n->width;
        for (size_t h = 0; h < n->width; h++) {
            row[h] = (Cell)((double)row[h] * factor);
            constant[h] = (Cell)((double)constant[h] + (double)row[h] * shift);
        }
    }
}

static void reframe_squares(const AnbNetwork *n, Cell *square, const double *alpha)
{
    for (size_t j = 0; j < n->features; j++)
        for (size_t h = 0; h < n->width; h++)
            square[j * n->width + h] = cell_within((double)square[j * n->width + h] / alpha[j] / alpha[j]);
}

static void reframe_means(const AnbNetwork *n, Cell *mean, const double *alpha, const double *beta)
{
    const Cell *constant = mean + n->features * n->width;
    for (size_t j = 0; j < n->features; j++)
        for (size_t h = 0; h < n->width; h++)
            mean[j * n->width + h] =
                (Cell)(((double)mean[j * n->width + h] - beta[j] * (double)constant[h]) / alpha[j]);
}

static void reframe(const AnbNetwork *n, AnbNetworkRows all, const double *alpha, const double *beta)
{
    for (size_t at = 0; at < anb_network_output(n); at += (n->features + 1) * n->width) {
        Weights w = weights_from(all, at);
        reframe_weights(n, w.value, alpha, beta);
        reframe_weights(n, w.averaged, alpha, beta);
        if (w.square)
            reframe_squares(n, w.square, alpha);
        if (w.mean)
            reframe_means(n, w.mean, alpha, beta);
    }
}

#define NETWORK_KERNELS                                                                                                \
    {                                                                                                                  \
        .draw = draw, .take_rows = take_rows, .take_units = take_units, .take_kept = take_kept, .forward = forward,    \
        .forward_both = forward_both, .forward_rows = forward_rows, .take_columns = take_columns,                      \
        .forward_columns = forward_columns, .slopes = slopes, .drop = drop, .descend = descend, .rescale = rescale,    \
        .reframe = reframe, .move_output = move_output, .finite = finite, .adam = adam, .descent = descent,            \
        .gates = gates,                                                                                                \
    }

#endif
