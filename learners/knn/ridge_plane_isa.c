/* Local regression, compiled once per instruction set: moments by lanes, then L D L' in place, row by row. Loops that
 * the compiler may widen work element by element, so that every set gives the same bits. */
#include "src/simd/lanes.h"
#include "ridge_plane.h"
#include <string.h>

/* Sums over the rows. */
typedef struct Sums {
    double weight, y; /* of w, of w (y - middle) */
    double middle;    /* the first y, about which the others lie */
} Sums;

/* Puts y - middle and a 1 behind every row, and the rows times their weights into `weighted`. */
static Sums prepare(double *u, size_t stride, const double *y, const double *weight, size_t rows, size_t d,
                    double *weighted)
{
    Sums s = {0};
    s.middle = y[0];
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
    for (size_t j = 0; j < d;) {
        size_t left = d - j, many = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
        for (size_t at = j / LANES * LANES; at < stride; at += LANES) {
            const double *from = u + j, *column = weighted + at;
            double *to = a + j * stride + at;
            if (many == 8)
                moments_block(from, column, stride, rows, 8, to);
            else if (many == 4)
                moments_block(from, column, stride, rows, 4, to);
            else if (many == 2)
                moments_block(from, column, stride, rows, 2, to);
            else
                moments_block(from, column, stride, rows, 1, to);
        }
        j += many;
    }
}

/* row -= by other, from the lanes that hold column `from` to the end. */
LANES_INLINE void subtract(double *row, double by, const double *other, size_t from, size_t stride)
{
    const Lanes factor = lanes_all(by);
    for (size_t at = from / LANES * LANES; at < stride; at += LANES)
        lanes_store(row + at, lanes_sub(lanes_load(row + at), lanes_mul(factor, lanes_load(other + at))));
}

/* Moves the moments (upper triangle, column d against y) to the rows' mean by the sums, that of y behind those of the
 * features; the trace by the metric. */
static double centre(double *a, size_t stride, size_t d, double weight, const double *sums, const double *metric)
{
    double trace = 0;
    for (size_t j = 0; j < d; j++) {
        double *row = a + j * stride, square = row[j];
        subtract(row, sums[j] / weight, sums, j, stride);
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
        for (size_t i = k + 1; i < d; i++)
            subtract(a + i * stride, pivot[i] * inverse, pivot, i, stride);
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
    size_t stride = anb_ridge_plane_stride(d);
    double *weighted = work, *a = weighted + rows * stride, *sums = a + d * stride, shift = 0;
    Sums s = prepare(u, stride, y, weight, rows, d, weighted);
    moments(u, weighted, stride, rows, d, a);
    memset(sums, 0, stride * sizeof *sums);
    for (size_t j = 0; j < d; j++)
        sums[j] = a[j * stride + d + 1];
    sums[d] = s.y;
    double unit = ridge * (centre(a, stride, d, s.weight, sums, metric) / (double)d);
    *mean = s.middle + s.y / s.weight;
    sums[d + 1] = s.weight; /* for anb_ridge_plane_parts */
    memset(slope, 0, d * sizeof *slope);
    if (!(unit > 0) || !(unit - unit == 0))
        return *mean;
    for (size_t j = 0; j < d; j++)
        a[j * stride + j] += unit / metric[j];
    solve(a, stride, d, slope);
    for (size_t j = 0; j < d; j++)
        shift += slope[j] * sums[j];
    return *mean - shift / s.weight;
}

/* ---- several queries, one to a lane ------------------------------------------------------------------------------ */

/* Row j of the moments, from column j on; the sum of its feature lies in column d + 1. */
typedef struct Many {
    double *a;
    size_t d;
    Lanes weight, y;
} Many;

LANES_INLINE double *cell(const Many *m, size_t j, size_t c)
{
    return m->a + anb_ridge_plane_cell(m->d, j, c) * LANES;
}

LANES_INLINE Lanes sum_of(const Many *m, size_t c)
{
    return c < m->d ? lanes_load(cell(m, c, m->d + 1)) : m->y;
}

/* centre(), lane by lane: where a feature does not vary its row and column become 0. */
LANES_INLINE Lanes centre_many(const Many *m, const double *metric)
{
    Lanes trace = lanes_zero();
    for (size_t j = 0; j < m->d; j++) {
        Lanes before = lanes_load(cell(m, j, j)), by = lanes_div(sum_of(m, j), m->weight), none = lanes_zero();
        Lanes left = lanes_sub(before, lanes_mul(by, sum_of(m, j))), least = lanes_mul(lanes_all(1e-10), before);
        for (size_t c = j; c <= m->d; c++) {
            Lanes v = lanes_sub(lanes_load(cell(m, j, c)), lanes_mul(by, sum_of(m, c)));
            lanes_store(cell(m, j, c), lanes_where_above(left, least, v, none));
        }
        for (size_t l = 0; l < j; l++)
            lanes_store(cell(m, l, j), lanes_where_above(left, least, lanes_load(cell(m, l, j)), none));
        trace = lanes_add(trace, lanes_mul(lanes_all(metric[j]), lanes_load(cell(m, j, j))));
    }
    return trace;
}

/* solve(), lane by lane; the slopes come into column d. */
LANES_INLINE void solve_many(const Many *m)
{
    const size_t d = m->d;
    for (size_t k = 0; k < d; k++) {
        Lanes pivot = lanes_load(cell(m, k, k));
        Lanes inverse = lanes_where_above(pivot, lanes_zero(), lanes_div(lanes_all(1), pivot), lanes_zero());
        for (size_t i = k + 1; i < d; i++) {
            Lanes by = lanes_mul(lanes_load(cell(m, k, i)), inverse);
            for (size_t c = i; c <= d; c++)
                lanes_store(cell(m, i, c),
                            lanes_sub(lanes_load(cell(m, i, c)), lanes_mul(by, lanes_load(cell(m, k, c)))));
        }
        lanes_store(cell(m, k, k), inverse);
    }
    for (size_t j = d; j-- > 0;) {
        Lanes b = lanes_mul(lanes_load(cell(m, j, d)), lanes_load(cell(m, j, j)));
        lanes_store(cell(m, j, d), b);
        for (size_t l = 0; l < j; l++)
            lanes_store(cell(m, l, d), lanes_sub(lanes_load(cell(m, l, d)), lanes_mul(lanes_load(cell(m, l, j)), b)));
    }
}

static void fit_many(double *many, size_t d, const double *metric, double ridge, double *plane, double *mean)
{
    const double *sums = many + anb_ridge_plane_cell(d, d, d) * LANES;
    const Many m = {many, d, lanes_load(sums), lanes_load(sums + LANES)};
    Lanes unit = lanes_mul(lanes_all(ridge), lanes_div(centre_many(&m, metric), lanes_all((double)d)));
    Lanes middle = lanes_add(lanes_load(sums + 2 * LANES), lanes_div(m.y, m.weight)), shift = lanes_zero();
    for (size_t j = 0; j < d; j++)
        lanes_store(cell(&m, j, j), lanes_add(lanes_load(cell(&m, j, j)), lanes_div(unit, lanes_all(metric[j]))));
    solve_many(&m);
    for (size_t j = 0; j < d; j++)
        shift = lanes_add(shift, lanes_mul(lanes_load(cell(&m, j, d)), sum_of(&m, j)));
    Lanes there = lanes_sub(middle, lanes_div(shift, m.weight));
    there = lanes_where_above(unit, lanes_zero(), lanes_where_number(lanes_sub(unit, unit), there, middle), middle);
    lanes_store(mean, middle);
    lanes_store(plane, there);
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

const AnbRidgePlaneKernels ANB_PER_ISA(anb_ridge_plane_kernels) = {
    .fit = fit, .fit_many = fit_many, .squares = squares};

ANB_ISA_REGISTER(AnbRidgePlaneKernels, anb_ridge_plane_kernels)
