/* Local regression: moments by the layers' gradient kernel, Cholesky's factors in place. */
#include "local.h"
#include "kernels.h"
#include "layers.h"
#include "network.h"
#include <math.h>
#include <string.h>

/* A row of the moments and of the centred rows: d features, the target, zeros up to whole lanes. */
static size_t padded(size_t d)
{
    return anb_network_width(d + 1);
}

size_t anb_local_work(size_t rows, size_t d)
{
    return (2 * rows + d + 1) * padded(d) + 2 * d;
}

/* Weighted means of the features and of y. */
static double means(const double *x, size_t stride, const double *y, const double *weight, size_t rows, size_t d,
                    double *mean)
{
    double total = 0, sum = 0;
    for (size_t i = 0; i < rows; i++)
        total += weight[i];
    memset(mean, 0, d * sizeof *mean);
    for (size_t i = 0; i < rows; i++) {
        double share = weight[i] / total;
        sum += share * y[i];
        for (size_t j = 0; j < d; j++)
            mean[j] += share * x[i * stride + j];
    }
    return sum;
}

/* a . b, short ones without a call. */
static double product(const double *a, const double *b, size_t n)
{
    if (n >= 16)
        return anb_dot(a, b, n);
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Solves A b = r for symmetric positive definite A, rows `p` apart; r is column d. A's lower triangle becomes the factor,
 * its diagonal the inverse of the factor's. */
static void solve(double *a, size_t p, size_t d, double *b)
{
    for (size_t j = 0; j < d; j++) {
        double *row = a + j * p;
        for (size_t l = 0; l < j; l++)
            row[l] = (row[l] - product(row, a + l * p, l)) * a[l * p + l];
        double rest = row[j] - product(row, row, j);
        row[j] = rest > 0 ? 1 / sqrt(rest) : 0;
        b[j] = (row[d] - product(row, b, j)) * row[j];
    }
    for (size_t j = d; j-- > 0;) {
        b[j] *= a[j * p + j];
        for (size_t l = 0; l < j; l++)
            b[l] -= a[j * p + l] * b[j];
    }
}

/* Adds the penalties; false where nothing varies. */
static bool penalise(double *a, size_t p, size_t d, const double *metric, double ridge)
{
    double trace = 0;
    for (size_t j = 0; j < d; j++)
        trace += metric[j] * a[j * p + j];
    double unit = ridge * (trace / (double)d);
    for (size_t j = 0; j < d; j++)
        a[j * p + j] += unit / metric[j];
    return trace > 0 && unit - unit == 0;
}

double anb_local_fit(const double *x, size_t stride, const double *y, const double *weight, size_t rows, size_t d,
                     const double *metric, double ridge, const double *query, double *slope, double *mean, double *work)
{
    size_t p = padded(d);
    double *centred = work, *weighted = centred + rows * p, *a = weighted + rows * p, *centre = a + d * p;
    *mean = means(x, stride, y, weight, rows, d, centre);
    for (size_t i = 0; i < rows; i++) {
        double *c = centred + i * p, *w = weighted + i * p;
        for (size_t j = 0; j < d; j++) {
            c[j] = x[i * stride + j] - centre[j];
            w[j] = weight[i] * c[j];
        }
        memset(w + d, 0, (p - d) * sizeof *w);
        w[d] = weight[i] * (y[i] - *mean);
    }
    anb_layer_gradient(centred, p, weighted, p, rows, d, p, a, p);
    memset(slope, 0, d * sizeof *slope);
    if (!penalise(a, p, d, metric, ridge))
        return *mean;
    solve(a, p, d, slope);
    double value = *mean;
    for (size_t j = 0; j < d; j++)
        value += slope[j] * (query[j] - centre[j]);
    return value;
}
