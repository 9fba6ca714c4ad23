/* Local regression, compiled once per instruction set: moments by parts of lanes, then elimination, four rows at a
 * time. Each number is computed by the same operations in the same order on every set, which gives the same bits. */
#include "src/simd/lanes_single.h"
#include "ridge_plane.h"
#include <string.h>

/* The least ridge, as a share of the sum of weights. Below it the rows coincide, or lie closer together than floats can
 * resolve in units of their distance from the query: the plane would be arbitrary. */
static const float least_unit = 1e-10f;

/* Sums over the rows. */
typedef struct Sums {
    float weight, y; /* of w, of w y */
} Sums;

/* One part of a row, from column `at` on: which lanes hold u (columns below d) and y (column d); the 1 of column d + 1,
 * and zeros elsewhere. */
typedef struct Tail {
    LanesMask u, y;
    LanesPart one;
} Tail;

static Tail tail_of(size_t at, size_t d)
{
    LanesMask column;
    for (size_t i = 0; i < LANES_STEP; i++)
        column[i] = (int32_t)(at + i);
    const LanesMask last = (LanesMask){0} + (int32_t)d, one = (LanesMask)(lanes_part_all(1));
    return (Tail){column < last, column == last, (LanesPart)((column == last + 1) & one)};
}

/* Puts y, a 1 and zeros behind every row, and the rows times their weights into `weighted`. Whole vectors are stored,
 * since a load waits for stores of parts of what it reads. */
static Sums prepare(const AnbRidgeRows *r, size_t stride, float *weighted)
{
    const size_t d = r->d, whole = d / LANES_STEP * LANES_STEP;
    Sums s = {0};
    for (size_t i = 0; i < r->rows; i++) {
        s.weight += r->weight[i];
        s.y += r->weight[i] * r->y[i];
    }
    for (size_t at = whole; at < stride; at += LANES_STEP) {
        const Tail t = tail_of(at, d);
        for (size_t i = 0; i < r->rows; i++) {
            float *part = r->u + i * stride + at;
            LanesMask u = (LanesMask)lanes_part_load(part) & t.u, y = (LanesMask)lanes_part_all(r->y[i]) & t.y;
            LanesPart v = (LanesPart)(u | y | (LanesMask)t.one);
            lanes_part_store(part, v);
            lanes_part_store(weighted + i * stride + at, lanes_part_all(r->weight[i]) * v);
        }
    }
    for (size_t i = 0; i < r->rows; i++)
        for (size_t at = 0; at < whole; at += LANES_STEP)
            lanes_part_store(weighted + i * stride + at,
                             lanes_part_all(r->weight[i]) * lanes_part_load(r->u + i * stride + at));
    return s;
}

/* Sums over the rows of u_j times a part of the weighted row, for `many` features from j on. */
LANES_INLINE void moments_block(const float *u, const float *weighted, size_t stride, size_t rows, const size_t many,
                                float *a)
{
    LanesPart sum[8];
    for (size_t b = 0; b < many; b++)
        sum[b] = lanes_part_all(0);
    for (size_t i = 0; i < rows; i++, u += stride, weighted += stride) {
        LanesPart column = lanes_part_load(weighted);
        for (size_t b = 0; b < many; b++)
            sum[b] += lanes_part_all(u[b]) * column;
    }
    for (size_t b = 0; b < many; b++)
        lanes_part_store(a + b * stride, sum[b]);
}

/* The upper triangle in whole parts, and the columns of y and of 1 behind it. */
static void moments(const float *u, const float *weighted, size_t stride, size_t rows, size_t d, float *a)
{
    for (size_t j = 0; j < d;) {
        size_t left = d - j, many = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
        for (size_t at = j / LANES_STEP * LANES_STEP; at < d + 2; at += LANES_STEP) {
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

/* row -= by other, in the parts that hold the columns from `from` to d. */
LANES_INLINE void subtract(float *row, float by, const float *other, size_t from, size_t d)
{
    const LanesPart factor = lanes_part_all(by);
    for (size_t at = from / LANES_STEP * LANES_STEP; at <= d; at += LANES_STEP)
        lanes_part_store(row + at, lanes_part_load(row + at) - factor * lanes_part_load(other + at));
}

/* Moves the moments (upper triangle, column d against y) to the rows' mean by the sums, that of y behind those of the
 * features; the trace by the metric. */
static float centre(float *a, size_t stride, size_t d, float weight, const float *sums, const float *metric)
{
    float trace = 0;
    for (size_t j = 0; j < d; j++) {
        float *row = a + j * stride, square = row[j];
        subtract(row, sums[j] / weight, sums, j, d);
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

/* The equations A b = r, r in column d. Elimination leaves the upper triangle of `a`, with inverse pivots on its
 * diagonal; `factor` has the same rows times these inverses. */
typedef struct Equations {
    float *a, *factor;
    size_t stride, d;
} Equations;

/* The same columns of four rows. */
typedef struct Four {
    LanesPart a, b, c, d;
} Four;

/* Of four rows a to d: the inverse pivots, and the multipliers, such as ab, the multiple of row a that is subtracted
 * from row b. */
typedef struct Pivots {
    float a, b, c, d, ab, ac, ad, bc, bd, cd;
} Pivots;

LANES_INLINE float inverse_of(float pivot)
{
    return pivot > 0 ? 1 / pivot : 0;
}

LANES_INLINE void store_four(float *to, size_t stride, Four r)
{
    lanes_part_store(to, r.a);
    lanes_part_store(to + stride, r.b);
    lanes_part_store(to + 2 * stride, r.c);
    lanes_part_store(to + 3 * stride, r.d);
}

/* Four rows less the multiples of all rows above them. */
LANES_INLINE Four reduced(const Equations *e, size_t row, size_t at)
{
    const float *own = e->a + row * e->stride + at, *pivot = e->a + at, *by = e->factor + row;
    Four r = {lanes_part_load(own), lanes_part_load(own + e->stride), lanes_part_load(own + 2 * e->stride),
              lanes_part_load(own + 3 * e->stride)};
    for (size_t k = 0; k < row; k++, pivot += e->stride, by += e->stride) {
        LanesPart p = lanes_part_load(pivot);
        r.a -= lanes_part_all(by[0]) * p;
        r.b -= lanes_part_all(by[1]) * p;
        r.c -= lanes_part_all(by[2]) * p;
        r.d -= lanes_part_all(by[3]) * p;
    }
    return r;
}

/* From the block of four by four numbers on the diagonal at r. */
static Pivots pivots_of(const float *r, size_t stride)
{
    const float *second = r + stride, *third = second + stride;
    float bb = second[1], bc = second[2], bd = second[3], cc = third[2], cd = third[3], dd = third[stride + 3];
    Pivots p = {.a = inverse_of(r[0])};
    p.ab = r[1] * p.a, p.ac = r[2] * p.a, p.ad = r[3] * p.a;
    bb -= p.ab * r[1], bc -= p.ab * r[2], bd -= p.ab * r[3];
    cc -= p.ac * r[2], cd -= p.ac * r[3], dd -= p.ad * r[3];
    p.b = inverse_of(bb);
    p.bc = bc * p.b, p.bd = bd * p.b;
    cc -= p.bc * bc, cd -= p.bc * bd, dd -= p.bd * bd;
    p.c = inverse_of(cc);
    p.cd = cd * p.c;
    p.d = inverse_of(dd - p.cd * cd);
    return p;
}

/* Subtracts multiples of the first three of four rows from those below, and stores the rows and their factors. */
LANES_INLINE void finish(const Equations *e, size_t row, size_t at, Four r, const Pivots *p)
{
    const size_t to = row * e->stride + at;
    r.b -= p->ab * r.a;
    r.c = (r.c - p->ac * r.a) - p->bc * r.b;
    r.d = ((r.d - p->ad * r.a) - p->bd * r.b) - p->cd * r.c;
    store_four(e->a + to, e->stride, r);
    store_four(e->factor + to, e->stride, (Four){r.a * p->a, r.b * p->b, r.c * p->c, r.d * p->d});
}

/* The pivots are computed from the rows' block on the diagonal before the rows are finished. */
static void eliminate_four(const Equations *e, size_t row)
{
    size_t at = row / LANES_STEP * LANES_STEP;
    float *diagonal = e->a + row * e->stride + row;
    Four r = reduced(e, row, at);
    store_four(e->a + row * e->stride + at, e->stride, r);
    const Pivots p = pivots_of(diagonal, e->stride);
    finish(e, row, at, r, &p);
    for (at += LANES_STEP; at <= e->d; at += LANES_STEP)
        finish(e, row, at, reduced(e, row, at), &p);
    diagonal[0] = p.a;
    diagonal[e->stride + 1] = p.b;
    diagonal[2 * e->stride + 2] = p.c;
    diagonal[3 * e->stride + 3] = p.d;
}

static void eliminate_one(const Equations *e, size_t row)
{
    float *own = e->a + row * e->stride, *factor = e->factor + row * e->stride;
    for (size_t k = 0; k < row; k++)
        subtract(own, e->factor[k * e->stride + row], e->a + k * e->stride, row, e->d);
    const float inverse = inverse_of(own[row]);
    for (size_t at = row / LANES_STEP * LANES_STEP; at <= e->d; at += LANES_STEP)
        lanes_part_store(factor + at, inverse * lanes_part_load(own + at));
    own[row] = inverse;
}

/* Back substitution of rows j - many to j - 1: solves for their b, and subtracts what they contribute from the right
 * sides of the rows above. */
LANES_INLINE void substitute(const Equations *e, size_t j, const size_t many, float *b)
{
    const float *column = e->a + j - many;
    float found[4];
    for (size_t i = many; i-- > 0;) {
        const float *own = column + (j - many + i) * e->stride;
        found[i] = b[j - many + i];
        for (size_t later = many; later-- > i + 1;)
            found[i] -= own[later] * found[later];
        b[j - many + i] = found[i] *= own[i];
    }
    for (size_t l = 0; l < j - many; l++, column += e->stride) {
        float left = b[l];
        for (size_t i = many; i-- > 0;)
            left -= column[i] * found[i];
        b[l] = left;
    }
}

/* Four rows at a time where there are four. */
static void solve(const Equations *e, float *b)
{
    size_t row = 0, j = e->d;
    for (; row + 4 <= e->d; row += 4)
        eliminate_four(e, row);
    for (; row < e->d; row++)
        eliminate_one(e, row);
    for (row = 0; row < e->d; row++)
        b[row] = e->a[row * e->stride + e->d];
    for (; j >= 4; j -= 4)
        substitute(e, j, 4, b);
    for (; j > 0; j--)
        substitute(e, j, 1, b);
}

static float fit(const AnbRidgeRows *r, const AnbRidgeRule *rule, float *slope, float *mean, float *work)
{
    const size_t d = r->d, stride = anb_ridge_plane_stride(d);
    float *weighted = work, *a = weighted + r->rows * stride, *sums = a + d * stride, *factor = sums + stride,
          added = 0;
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
    solve(&(Equations){a, factor, stride, d}, slope);
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
