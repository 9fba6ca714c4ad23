/* The arithmetic of rls.h, compiled once per instruction set. */
#include "src/simd/lanes_rows.h"
#include "rls_few.h"

enum { ROWS = 4, HALF = ROWS * LANES }; /* of a panel; doubles of its part of one tile */

static double predict(const AnbRls *rls, const double *state, const double *x, double *scratch)
{
    size_t n = rls->n, i = n / LANES * LANES;
    if (n <= ANB_RLS_FEW)
        return predict_few(state, x, n, scratch);
    const double *w = anb_rls_weights(state, n);
    for (size_t j = 0; j < i; j += LANES)
        lanes_store(scratch + j, lanes_load(x + j));
    if (i < n)
        lanes_store(scratch + i, lanes_load_tail(x + i, n - i));
    return lanes_dot(w, scratch, anb_rls_padded(n)) + anb_rls_head_const(state)->w0;
}

static void look_many(const double *state, const double *x, size_t stride, size_t rows, size_t n, double *out)
{
    lanes_affine_rows(anb_rls_weights(state, n), anb_rls_head_const(state)->w0, x, stride, rows, n, true, out);
}

/* A part of a vector in each of four rows. */
typedef struct Four {
    LanesPart a, b, c, d;
} Four;

LANES_INLINE Four four_of(const double *v)
{
    return (Four){lanes_part_all(v[0]), lanes_part_all(v[1]), lanes_part_all(v[2]), lanes_part_all(v[3])};
}

LANES_INLINE LanesPart lowered(double *row, LanesPart own, LanesPart there, LanesPart scale)
{
    LanesPart v = (lanes_part_load(row) - own * there) * scale;
    lanes_part_store(row, v);
    return v;
}

/* Brings a part of four rows up to date. */
LANES_INLINE Four settled(double *tile, Four own, LanesPart there, LanesPart scale)
{
    return (Four){lowered(tile, own.a, there, scale), lowered(tile + LANES, own.b, there, scale),
                  lowered(tile + 2 * LANES, own.c, there, scale), lowered(tile + 3 * LANES, own.d, there, scale)};
}

/* What four rows give to their columns. */
LANES_INLINE LanesPart down(Four rows, Four z)
{
    return (rows.a * z.a + rows.b * z.b) + (rows.c * z.c + rows.d * z.d);
}

/* Adds what a part of the columns gives to four rows. */
LANES_INLINE void across(Four *sum, Four rows, LanesPart z)
{
    sum->a += rows.a * z;
    sum->b += rows.b * z;
    sum->c += rows.c * z;
    sum->d += rows.d * z;
}

/* One pass over P: makes the due step, then the product with z. */
typedef struct Pass {
    size_t n, padded;
    const double *q; /* due */
    double scale;
    const double *z; /* asked for */
    double *k;
} Pass;

/* A panel's part of the tile on the diagonal, which is whole: its columns are all there is. */
LANES_INLINE void on_diagonal(const Pass *p, double *tile, size_t row)
{
    const size_t block = row / LANES * LANES;
    const Four own = four_of(p->z + row), late = four_of(p->q + row);
    for (size_t at = 0; at < LANES && block + at < p->n; at += LANES_STEP) {
        const size_t j = block + at;
        Four rows = settled(tile + at, late, lanes_part_load(p->q + j), lanes_part_all(p->scale));
        lanes_part_store(p->k + j, lanes_part_load(p->k + j) + down(rows, own));
    }
}

/* What the columns give to the rows of a block. */
typedef struct Sums {
    Four upper, lower; /* panels */
} Sums;

/* Steps and multiplies one part of every tile of a panel, or of both panels of a block, from column j on. */
LANES_INLINE Sums sweep(const Pass *p, double *tile, size_t panel, size_t row, size_t j, const bool both)
{
    const size_t below = both ? row + ROWS : row;
    const Four own = four_of(p->z + row), late = four_of(p->q + row);
    const Four own_below = four_of(p->z + below), late_below = four_of(p->q + below);
    const LanesPart scale = lanes_part_all(p->scale);
    Sums sums = {{{0}, {0}, {0}, {0}}, {{0}, {0}, {0}, {0}}};
    for (; j < p->n; j += LANES, tile += HALF) {
        LanesPart z = lanes_part_load(p->z + j), q = lanes_part_load(p->q + j);
        Four rows = settled(tile, late, q, scale);
        LanesPart k = lanes_part_load(p->k + j) + down(rows, own);
        across(&sums.upper, rows, z);
        if (both) {
            rows = settled(tile + panel, late_below, q, scale);
            k += down(rows, own_below);
            across(&sums.lower, rows, z);
        }
        lanes_part_store(p->k + j, k);
    }
    return sums;
}

/* Both panels at once where the registers hold that many sums, else one after the other. */
LANES_INLINE Sums both_panels(const Pass *p, double *tile, size_t panel, size_t row, size_t j)
{
    if (LANES_BYTES == 64)
        return sweep(p, tile, panel, row, j, true);
    return (Sums){sweep(p, tile, panel, row, j, false).upper,
                  sweep(p, tile + panel, panel, row + ROWS, j, false).upper};
}

/* What is right of a block's diagonal: each tile, loaded once, is brought up to date and serves its columns and its
 * rows. Returns what the rows get. */
LANES_INLINE Lanes beside(const Pass *p, double *tile, size_t panel, size_t block)
{
    Lanes a, b, c, d, e, f, g, h;
#define LANES_OP(m, at)                                                                                                \
    Sums m##_sums = both_panels(p, tile + at, panel, block, block + LANES + at);                                       \
    a.m = m##_sums.upper.a, b.m = m##_sums.upper.b, c.m = m##_sums.upper.c, d.m = m##_sums.upper.d;                    \
    e.m = m##_sums.lower.a, f.m = m##_sums.lower.b, g.m = m##_sums.lower.c, h.m = m##_sums.lower.d;
    LANES_EACH (LANES_OP)
#undef LANES_OP
        return lanes_sum8(a, b, c, d, e, f, g, h);
}

/* k = P z, added to what k holds. A block's rows get their sums once no panel adds to its columns any more. */
LANES_INLINE void gain(const Pass *p, double *tile)
{
    const size_t last = p->padded - LANES;
    for (size_t block = 0; block < last; block += LANES) {
        const size_t panel = (p->padded - block) * ROWS;
        on_diagonal(p, tile, block);
        on_diagonal(p, tile + panel, block + ROWS);
        Lanes rows = beside(p, tile + HALF, panel, block);
        lanes_store(p->k + block, lanes_add(lanes_load(p->k + block), rows));
        tile += 2 * panel;
    }
    for (size_t row = last; row < p->n; row += ROWS, tile += HALF)
        on_diagonal(p, tile, row);
}

LANES_INLINE Lanes lowered_at(double *to, Lanes own, Lanes there, Lanes scale)
{
    Lanes v = lanes_mul(lanes_sub(lanes_load(to), lanes_mul(own, there)), scale);
    lanes_store(to, v);
    return v;
}

/* The diagonal, which is not left for later. Returns the trace; NaN where an entry is negative. */
LANES_INLINE double lower_diagonal(double *diagonal, const double *q, size_t padded, double scale)
{
    const Lanes by = lanes_all(scale);
    Lanes sum = lanes_zero(), negative = lanes_zero();
    for (size_t j = padded; j > 0; j -= LANES) {
        Lanes own = lanes_load(q + j - LANES), v = lowered_at(diagonal + j - LANES, own, own, by);
        sum = lanes_add(sum, v);
        negative = lanes_min(negative, v);
    }
    return lanes_sum(negative) < 0 ? ANB_NAN : lanes_sum(sum);
}

/* q = k root, w += q pace; returns 0, or NaN where a weight is not finite. */
LANES_INLINE double move_weights(double *w, double *q, const double *k, size_t padded, double root, double pace)
{
    const Lanes by = lanes_all(root), step = lanes_all(pace);
    Lanes written = lanes_zero();
    for (size_t j = 0; j < padded; j += LANES) {
        Lanes due = lanes_mul(lanes_load(k + j), by);
        Lanes v = lanes_add(lanes_load(w + j), lanes_mul(due, step));
        lanes_store(q + j, due);
        lanes_store(w + j, v);
        written = lanes_add(written, v);
    }
    return lanes_sick(written, w, padded);
}

/* The intercept's row of P: (p0 - q0 q) scale. */
LANES_INLINE void lower_intercept(double *p0, const double *q, size_t padded, double q0, double scale)
{
    const Lanes own = lanes_all(q0), by = lanes_all(scale);
    for (size_t j = 0; j < padded; j += LANES)
        lowered_at(p0 + j, own, lanes_load(q + j), by);
}

/* What a step by q multiplies P by, squares = q . q: 1 / lambda, or 1 where the trace is too large for that. */
LANES_INLINE double scale_of(const AnbRls *rls, double trace, double squares, double lambda)
{
    return trace - squares < ANB_RLS_MOST * anb_rls_initial(rls) ? 1 / lambda : 1;
}

/* The end of a step: the intercept, the trace, and the corrections where P is not a covariance or too large. */
typedef struct Step {
    double q0, pace, scale, trace, sick;
} Step;

LANES_INLINE double finish(const AnbRls *rls, double *state, const Step *step)
{
    AnbRlsHead *head = anb_rls_head(state);
    double trace = step->trace, sick = step->sick;
    if (rls->intercept) {
        double p00 = (head->p00 - step->q0 * step->q0) * step->scale;
        if (p00 < anb_rls_level(rls))
            p00 += rls->walk;
        head->p00 = p00;
        head->w0 += step->q0 * step->pace;
        sick += head->w0 * 0;
        trace = p00 < 0 ? ANB_NAN : trace + p00;
    }
    if (rls->n > ANB_RLS_FEW)
        head->trace = trace;
    if (!(trace * 0 == 0))
        anb_rls_restart(rls, state);
    else if (trace > ANB_RLS_ROOF * anb_rls_initial(rls))
        anb_rls_confine(rls, state);
    return sick;
}

/* The step of up to eight features. */
static __attribute__((noinline)) double update_few(const AnbRls *rls, double *state, double error, double lambda,
                                                   double weight, double *scratch)
{
    double *w = state + ANB_RLS_FEW_HEAD, *p0 = w + LANES, *p = p0 + LANES, k0 = 0;
    const FewTriangle old = triangle_load(p);
    const FewHalves z = halves_load(scratch), row = halves_load(p0), k = gain_few(&old, row, scratch, rls->n);
    if (rls->intercept)
        k0 = halves_dot(row, z) + anb_rls_head(state)->p00;
    double zk = halves_dot(z, k) + k0;
    if (!(zk >= 0 && zk * 0 == 0)) {
        anb_rls_restart(rls, state);
        return 0;
    }
    double root = 1 / __builtin_sqrt(lambda / weight + zk), q0 = k0 * root, pace = error * root;
    const FewHalves q = halves_times(k, quad_all(root));
    const FewHalves moved = halves_add(halves_load(w), halves_times(q, quad_all(pace)));
    halves_store(w, moved);
    double was = halves_sum(diagonal_of(old.m0, old.m1, old.m2, old.m3, old.c)) + anb_rls_head(state)->p00;
    double scale = scale_of(rls, was, halves_dot(q, q) + q0 * q0, lambda);
    const FewHalves diagonal = lower_few(p, &old, k, root, scale, rls->n);
    double trace = halves_any_negative(diagonal) ? ANB_NAN : halves_sum(diagonal), sick = halves_sick(moved);
    if (rls->intercept) {
        lowered_few(p0, row.low, quad_all(q0), q.low, quad_all(scale));
        lowered_few(p0 + 4, row.high, quad_all(q0), q.high, quad_all(scale));
    }
    return finish(rls, state, &(Step){q0, pace, scale, trace, sick});
}

static double update(const AnbRls *rls, double *state, double error, double lambda, double weight, double *scratch)
{
    if (rls->n <= ANB_RLS_FEW)
        return update_few(rls, state, error, lambda, weight, scratch);
    const size_t n = rls->n, padded = anb_rls_padded(n);
    double *w = state + ANB_RLS_HEAD, *p0 = w + padded, *q = p0 + padded, *diagonal = q + padded;
    double *z = scratch, *k = z + padded, k0 = 0;
    for (size_t j = 0; j < padded; j += LANES)
        lanes_store(k + j, lanes_load(p0 + j));
    gain(&(Pass){n, padded, q, anb_rls_head(state)->scale, z, k}, diagonal + padded);
    if (rls->intercept)
        k0 = lanes_dot(p0, z, padded) + anb_rls_head(state)->p00;
    double zk = lanes_dot(z, k, padded) + k0;
    if (!(zk >= 0 && zk * 0 == 0)) {
        anb_rls_restart(rls, state);
        return 0;
    }
    double root = 1 / __builtin_sqrt(lambda / weight + zk), q0 = k0 * root, pace = error * root;
    double sick = move_weights(w, q, k, padded, root, pace);
    double scale = scale_of(rls, anb_rls_head(state)->trace, lanes_dot(q, q, padded) + q0 * q0, lambda);
    double trace = lower_diagonal(diagonal, q, padded, scale);
    if (rls->intercept)
        lower_intercept(p0, q, padded, q0, scale);
    anb_rls_head(state)->scale = scale;
    return finish(rls, state, &(Step){q0, pace, scale, trace, sick});
}

const AnbRlsKernels ANB_PER_ISA(anb_rls_kernels) = {.look_many = look_many, .predict = predict, .update = update};

ANB_ISA_REGISTER(AnbRlsKernels, anb_rls_kernels)
