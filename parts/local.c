/* Local regression: moments by the layers' gradient kernel, then L D L' in place, row by row. */
#include "local.h"
#include "kernels.h"
#include "layers.h"
#include <math.h>
#include <stdbool.h>
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
        s.middle += y[i] / (double)rows;
    for (size_t i = 0; i < rows; i++) {
        double *row = u + i * stride, *out = weighted + i * stride, w = weight[i];
        row[d] = y[i] - s.middle;
        row[d + 1] = 1;
        s.weight += w;
        s.y += w * row[d];
        for (size_t j = d + 2; j < stride; j++)
            row[j] = 0;
        for (size_t j = 0; j < stride; j++)
            out[j] = w * row[j];
    }
    return s;
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

/* to -= by from, n of them. */
static void subtract(double *to, double by, const double *from, size_t n)
{
    if (n >= 24) {
        anb_axpy(to, -by, from, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        to[i] -= by * from[i];
}

/* Solves A b = r, r in column d; A is used up. */
static void solve(double *a, size_t stride, size_t d, double *b)
{
    for (size_t k = 0; k < d; k++) {
        double *pivot = a + k * stride, inverse = pivot[k] > 0 ? 1 / pivot[k] : 0;
        for (size_t i = k + 1; i < d; i++)
            subtract(a + i * stride + i, pivot[i] * inverse, pivot + i, d + 1 - i);
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

double anb_local_fit(double *u, const double *y, const double *weight, size_t rows, size_t d, const double *metric,
                     double ridge, double *slope, double *mean, double *work)
{
    size_t stride = anb_local_stride(d);
    double *weighted = work, *a = weighted + rows * stride, shift = 0;
    Sums s = prepare(u, stride, y, weight, rows, d, weighted);
    anb_layer_gradient(u, stride, weighted, stride, rows, d, stride, a, stride);
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
