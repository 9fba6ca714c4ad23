/* Local regression, compiled once per instruction set: moments by lanes, then L D L' in place, row by row. Loops that
 * the compiler may widen work element by element, so that every set gives the same bits. */
#include "lanes.h"
#include "local.h"
#include <string.h>

/* Sums over the rows. */
typedef struct Sums {
    double weight, y; /* of w, of w (y - middle) */
    double middle;    /* about the mean of y */
} Sums;

/* Puts y - middle and a 1 behind every row, and the rows times their weights into `weighted`. */
static Sums prepare(double *u, size_t stride, const double *y, const double *weight, size_t rows, size_t d,
                    double *weighted)
{
    Sums s = {0};
    for (size_t i = 0; i < rows; i++)
        s.middle += y[i];
    s.middle /= (double)rows;
    for (size_t i = 0; i < rows; i++) {
        double *row = u + i * stride;
        row[d] = y[i] - s.middle;
        row[d + 1] = 1;
        for (size_t j = d + 2; j < stride; j++)
            row[j] = 0;
        s.weight += weight[i];
        s.y += weight[i] * row[d];
        for (size_t j = 0; j < stride; j += LANES)
            lanes_store(weighted + i * stride + j, lanes_mul(lanes_all(weight[i]), lanes_load(row + j)));
    }
    return s;
}

/* Sums over the rows of u_j times the weighted row, for `many` features from j on, and eight columns. */
LANES_INLINE void moments_block(const double *u, const double *weighted, size_t stride, size_t rows, size_t many,
                                double *a)
{
    Lanes sum[8];
    for (size_t b = 0; b < many; b++)
        sum[b] = lanes_zero();
    for (size_t i = 0; i < rows; i++, u += stride, weighted += stride) {
        Lanes column = lanes_load(weighted);
        for (size_t b = 0; b < many; b++)
            sum[b] = lanes_add(sum[b], lanes_mul(lanes_all(u[b]), column));
    }
    for (size_t b = 0; b < many; b++)
        lanes_store(a + b * stride, sum[b]);
}

/* The upper triangle in whole lanes, and everything behind it. */
static void moments(const double *u, const double *weighted, size_t stride, size_t rows, size_t d, double *a)
{
    for (size_t j = 0; j < d; j += LANES)
        for (size_t at = j; at < stride; at += LANES) {
            const double *column = weighted + at;
            size_t left = d - j;
            if (left >= LANES) {
                moments_block(u + j, column, stride, rows, 4, a + j * stride + at);
                moments_block(u + j + 4, column, stride, rows, 4, a + (j + 4) * stride + at);
                continue;
            }
            for (size_t b = 0; b < left; b += 2)
                if (left - b >= 2)
                    moments_block(u + j + b, column, stride, rows, 2, a + (j + b) * stride + at);
                else
                    moments_block(u + j + b, column, stride, rows, 1, a + (j + b) * stride + at);
        }
}

/* Moves the moments (upper triangle, then column d against y, column d + 1 the sums) to the rows' mean; the trace by the
 * metric. */
static double centre(double *a, size_t stride, size_t d, const Sums *s, const double *metric)
{
    double trace = 0;
    for (size_t j = 0; j < d; j++) {
        double *row = a + j * stride, share = row[d + 1] / s->weight, square = row[j];
        for (size_t l = j; l < d; l++)
            row[l] -= share * a[l * stride + d + 1];
        row[d] -= share * s->y;
        if (!(row[j] > 1e-10 * square)) {
            for (size_t l = j; l <= d; l++)
                row[l] = 0;
            for (size_t l = 0; l < j; l++)
                a[l * stride + j] = 0;
        }
        trace += metric[j] * row[j];
    }
    return trace;
}

/* Solves A b = r, r in column d; A is used up. */
static void solve(double *a, size_t stride, size_t d, double *b)
{
    for (size_t k = 0; k < d; k++) {
        double *pivot = a + k * stride, inverse = pivot[k] > 0 ? 1 / pivot[k] : 0;
        for (size_t i = k + 1; i < d; i++) {
            double *row = a + i * stride, by = pivot[i] * inverse;
            for (size_t l = i; l <= d; l++)
                row[l] -= by * pivot[l];
        }
        pivot[k] = inverse;
    }
    for (size_t j = 0; j < d; j++)
        b[j] = a[j * stride + d];
    for (size_t j = d; j-- > 0;) {
        b[j] *= a[j * stride + j];
        for (size_t l = 0; l < j; l++)
            b[l] -= a[l * stride + j] * b[j];
    }
}

static double fit(double *u, const double *y, const double *weight, size_t rows, size_t d, const double *metric,
                  double ridge, double *slope, double *mean, double *work)
{
    size_t stride = anb_local_stride(d);
    double *weighted = work, *a = weighted + rows * stride, shift = 0;
    Sums s = prepare(u, stride, y, weight, rows, d, weighted);
    moments(u, weighted, stride, rows, d, a);
    double unit = ridge * (centre(a, stride, d, &s, metric) / (double)d);
    *mean = s.middle + s.y / s.weight;
    memset(slope, 0, d * sizeof *slope);
    if (!(unit > 0) || !(unit - unit == 0))
        return *mean;
    for (size_t j = 0; j < d; j++)
        a[j * stride + j] += unit / metric[j];
    /* The sums are in column d + 1, out of the solver's way. */
    solve(a, stride, d, slope);
    for (size_t j = 0; j < d; j++)
        shift += slope[j] * a[j * stride + d + 1];
    return *mean - shift / s.weight;
}

static void squares(const double *u, size_t stride, size_t rows, size_t d, const double *by, double *out)
{
    for (size_t j = 0; j < d; j += LANES) {
        Lanes sum = lanes_zero();
        for (size_t i = 0; i < rows; i++) {
            Lanes v = lanes_load(u + i * stride + j);
            sum = lanes_add(sum, lanes_mul(lanes_all(by[i]), lanes_mul(v, v)));
        }
        lanes_store(out + j, sum);
    }
}

const AnbLocalKernels ANB_PER_ISA(anb_local_kernels) = {.fit = fit, .squares = squares};
