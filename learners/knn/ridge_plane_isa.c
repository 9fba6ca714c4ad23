/* Local regression, compiled once per instruction set: moments by lanes, then L D L' in place, row by row. Loops that
 * the compiler may widen work element by element, so that every set gives the same bits. */
#include "src/simd/lanes_single.h"
#include "ridge_plane.h"
#include <string.h>

/* The least ridge, as a share of the sum of weights. Below it the rows coincide, or lie closer together than floats can resolve in units
 * of their distance from the query: the plane would be arbitrary. */
static const float least_unit = 1e-10f;

/* Sums over the rows. */
typedef struct Sums {
    float weight, y; /* of w, of w y */
} Sums;

/* Puts y and a 1 behind every row, and the rows times their weights into `weighted`. */
static Sums prepare(const AnbRidgeRows *r, size_t stride, float *weighted)
{
    const size_t d = r->d;
    Sums s = {0};
    for (size_t i = 0; i < r->rows; i++) {
        float *row = r->u + i * stride;
        row[d] = r->y[i];
        row[d + 1] = 1;
        for (size_t j = d + 2; j < stride; j++)
            row[j] = 0;
        s.weight += r->weight[i];
        s.y += r->weight[i] * row[d];
        for (size_t j = 0; j < stride; j += LANES)
            lanes_store(weighted + i * stride + j, lanes_mul(lanes_all(r->weight[i]), lanes_load(row + j)));
    }
    return s;
}

/* Sums over the rows of u_j times the weighted row, for `many` features from j on, and eight columns. */
LANES_INLINE void moments_block(const float *u, const float *weighted, size_t stride, size_t rows, size_t many,
                                float *a)
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
static void moments(const float *u, const float *weighted, size_t stride, size_t rows, size_t d, float *a)
{
    for (size_t j = 0; j < d;) {
        size_t left = d - j, many = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
        for (size_t at = j / LANES * LANES; at < stride; at += LANES) {
            const float *from = u + j, *column = weighted + at;
            float *to = a + j * stride + at;
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
LANES_INLINE void subtract(float *row, float by, const float *other, size_t from, size_t stride)
{
    const Lanes factor = lanes_all(by);
    for (size_t at = from / LANES * LANES; at < stride; at += LANES)
        lanes_store(row + at, lanes_sub(lanes_load(row + at), lanes_mul(factor, lanes_load(other + at))));
}

/* Moves the moments (upper triangle, column d against y) to the rows' mean by the sums, that of y behind those of the
 * features; the trace by the metric. */
static float centre(float *a, size_t stride, size_t d, float weight, const float *sums, const float *metric)
{
    float trace = 0;
    for (size_t j = 0; j < d; j++) {
        float *row = a + j * stride, square = row[j];
        subtract(row, sums[j] / weight, sums, j, stride);
        if (!(row[j] > 1e-6f * square)) {
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
static void solve(float *a, size_t stride, size_t d, float *b)
{
    for (size_t k = 0; k < d; k++) {
        float *pivot = a + k * stride, inverse = pivot[k] > 0 ? 1 / pivot[k] : 0;
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

static float fit(const AnbRidgeRows *r, const AnbRidgeRule *rule, float *slope, float *mean, float *work)
{
    const size_t d = r->d, stride = anb_ridge_plane_stride(d);
    float *weighted = work, *a = weighted + r->rows * stride, *sums = a + d * stride, added = 0;
    const Sums s = prepare(r, stride, weighted);
    moments(r->u, weighted, stride, r->rows, d, a);
    memset(sums, 0, stride * sizeof *sums);
    for (size_t j = 0; j < d; j++)
        sums[j] = a[j * stride + d + 1];
    sums[d] = s.y;
    const float unit = rule->ridge * (centre(a, stride, d, s.weight, sums, rule->metric) / (float)d);
    *mean = s.y / s.weight;
    sums[d + 1] = s.weight; /* for anb_ridge_plane_parts */
    memset(slope, 0, d * sizeof *slope);
    if (!(unit > least_unit * s.weight) || !(unit - unit == 0))
        return *mean;
    for (size_t j = 0; j < d; j++)
        a[j * stride + j] += unit / rule->metric[j];
    solve(a, stride, d, slope);
    for (size_t j = 0; j < d; j++)
        added += slope[j] * (rule->place[j] - sums[j] / s.weight);
    return *mean + added;
}

/* ---- several queries, one to a lane ------------------------------------------------------------------------------ */

/* Row j of the moments, from column j on; the sum of its feature lies in column d + 1. */
typedef struct Many {
    float *a;
    size_t d;
    Lanes weight, y;
} Many;

LANES_INLINE float *cell(const Many *m, size_t j, size_t c)
{
    return m->a + anb_ridge_plane_cell(m->d, j, c) * LANES;
}

LANES_INLINE Lanes sum_of(const Many *m, size_t c)
{
    return c < m->d ? lanes_load(cell(m, c, m->d + 1)) : m->y;
}

/* centre(), lane by lane: where a feature does not vary its row and column become 0. */
LANES_INLINE Lanes centre_many(const Many *m, const float *metric)
{
    Lanes trace = lanes_zero();
    for (size_t j = 0; j < m->d; j++) {
        Lanes before = lanes_load(cell(m, j, j)), by = lanes_div(sum_of(m, j), m->weight), none = lanes_zero();
        Lanes left = lanes_sub(before, lanes_mul(by, sum_of(m, j))), least = lanes_mul(lanes_all(1e-6f), before);
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

static void fit_many(float *many, size_t d, const AnbRidgeRule *rule, float *plane, float *mean)
{
    const float *sums = many + anb_ridge_plane_cell(d, d, d) * LANES;
    const Many m = {many, d, lanes_load(sums), lanes_load(sums + LANES)};
    Lanes unit = lanes_mul(lanes_all(rule->ridge), lanes_div(centre_many(&m, rule->metric), lanes_all((float)d)));
    Lanes middle = lanes_div(m.y, m.weight), added = lanes_zero();
    for (size_t j = 0; j < d; j++)
        lanes_store(cell(&m, j, j), lanes_add(lanes_load(cell(&m, j, j)), lanes_div(unit, lanes_all(rule->metric[j]))));
    solve_many(&m);
    for (size_t j = 0; j < d; j++) {
        Lanes off = lanes_sub(lanes_load(rule->place + j * LANES), lanes_div(sum_of(&m, j), m.weight));
        added = lanes_add(added, lanes_mul(lanes_load(cell(&m, j, d)), off));
    }
    Lanes there = lanes_add(middle, added);
    there = lanes_where_number(lanes_sub(unit, unit), there, middle);
    there = lanes_where_above(unit, lanes_mul(lanes_all(least_unit), m.weight), there, middle);
    lanes_store(mean, middle);
    lanes_store(plane, there);
}

/* ---- of a plane that was fitted ---------------------------------------------------------------------------------- */

static void lines(const float *u, size_t stride, size_t rows, const float *slope, float *out)
{
    for (size_t i = 0; i < rows; i++)
        out[i] = lanes_dot(u + i * stride, slope, stride);
}

static void squares(const float *u, size_t stride, size_t rows, size_t d, const float *place, const float *by,
                    float *out)
{
    for (size_t j = 0; j < d; j += LANES) {
        const Lanes from = lanes_load(place + j);
        Lanes sum = lanes_zero();
        for (size_t i = 0; i < rows; i++) {
            Lanes v = lanes_sub(lanes_load(u + i * stride + j), from);
            sum = lanes_add(sum, lanes_mul(lanes_all(by[i]), lanes_mul(v, v)));
        }
        lanes_store(out + j, sum);
    }
}

const AnbRidgePlaneKernels ANB_PER_ISA(anb_ridge_plane_kernels) = {
    .fit = fit, .fit_many = fit_many, .lines = lines, .squares = squares};

ANB_ISA_REGISTER(AnbRidgePlaneKernels, anb_ridge_plane_kernels)
