/* The arithmetic of rls.h, compiled once per instruction set. */
#include "lanes.h"
#include "rls.h"

enum { ROWS = 4, HALF = ROWS * LANES }; /* of a panel; doubles of its part of one tile */

static double predict(const AnbRls *rls, const double *state, const double *x, double *scratch)
{
    const double *w = state + ANB_RLS_HEAD;
    size_t n = rls->n, i = n / LANES * LANES;
    for (size_t j = 0; j < i; j += LANES)
        lanes_store(scratch + j, lanes_load(x + j));
    if (i < n)
        lanes_store(scratch + i, lanes_load_tail(x + i, n - i));
    return lanes_dot(w, scratch, anb_rls_padded(n)) + state[ANB_RLS_W0];
}

typedef struct Rows {
    Lanes a, b, c, d;
} Rows;

LANES_INLINE Rows all_of(const double *v)
{
    return (Rows){lanes_all(v[0]), lanes_all(v[1]), lanes_all(v[2]), lanes_all(v[3])};
}

LANES_INLINE Rows rows_of(const double *tile)
{
    return (Rows){lanes_load(tile), lanes_load(tile + LANES), lanes_load(tile + 2 * LANES),
                  lanes_load(tile + 3 * LANES)};
}

/* Adds rows' z to eight entries of k. */
LANES_INLINE void add_columns(double *k, Rows rows, Rows z)
{
    Lanes low = lanes_add(lanes_mul(rows.a, z.a), lanes_mul(rows.b, z.b));
    Lanes high = lanes_add(lanes_mul(rows.c, z.c), lanes_mul(rows.d, z.d));
    lanes_store(k, lanes_add(lanes_load(k), lanes_add(low, high)));
}

/* The part of a panel right of the diagonal: each tile, loaded once, serves its columns and its rows. */
LANES_INLINE double *beside(double *tile, const double *end, Rows own, const double *z, double *k,
                                  double *sums)
{
    Rows sum = {lanes_zero(), lanes_zero(), lanes_zero(), lanes_zero()};
    for (; z < end; z += LANES, k += LANES, tile += HALF) {
        Rows rows = rows_of(tile);
        Lanes there = lanes_load(z);
        sum.a = lanes_add(sum.a, lanes_mul(rows.a, there));
        sum.b = lanes_add(sum.b, lanes_mul(rows.b, there));
        sum.c = lanes_add(sum.c, lanes_mul(rows.c, there));
        sum.d = lanes_add(sum.d, lanes_mul(rows.d, there));
        add_columns(k, rows, own);
    }
    lanes_store_half(sums, lanes_sum4(sum.a, sum.b, sum.c, sum.d));
    return tile;
}

/* k = P z over the tiles, added to what k holds. What rows give is kept apart until the end: four doubles that are written
 * on their own and read as part of eight would have to wait. Returns where the tiles end. */
static double *gain(size_t n, double *tile, const double *z, double *k, double *sums)
{
    const size_t padded = anb_rls_padded(n), last = padded - LANES;
    for (size_t row = 0; row < n; row += ROWS) {
        size_t block = row / LANES * LANES;
        Rows own = all_of(z + row);
        add_columns(k + block, rows_of(tile), own);
        tile += HALF;
        if (block < last)
            tile = beside(tile, z + padded, own, z + block + LANES, k + block + LANES, sums + row);
    }
    for (size_t j = 0; j < last; j += LANES) {
        Lanes rows = lanes_join(lanes_load_half(sums + j), lanes_load_half(sums + j + ROWS));
        lanes_store(k + j, lanes_add(lanes_load(k + j), rows));
    }
    return tile;
}

LANES_INLINE Lanes lowered(const double *row, Lanes own, Lanes there, Lanes scale)
{
    return lanes_mul(lanes_sub(lanes_load(row), lanes_mul(own, there)), scale);
}

/* The diagonal of P as it is gathered: its sum, and what of it is negative. */
typedef struct Diagonal {
    Lanes sum, negative;
} Diagonal;

LANES_INLINE void lower_diagonal_row(double *row, size_t lane, Lanes own, Lanes there, Lanes scale, Diagonal *diagonal)
{
    static const double unit[2 * LANES - 1] = {[LANES - 1] = 1};
    Lanes v = lowered(row, own, there, scale), one = lanes_mul(v, lanes_load(unit + LANES - 1 - lane));
    lanes_store(row, v);
    diagonal->sum = lanes_add(diagonal->sum, one);
    diagonal->negative = lanes_min(diagonal->negative, one);
}

/* The rows of one panel. */
LANES_INLINE void lower_panel(double *tile, const double *q, size_t row, size_t padded, Lanes by, Diagonal *diagonal)
{
    size_t block = row / LANES * LANES, lane = row - block;
    Rows own = all_of(q + row);
    Lanes there = lanes_load(q + block);
    lower_diagonal_row(tile, lane, own.a, there, by, diagonal);
    lower_diagonal_row(tile + LANES, lane + 1, own.b, there, by, diagonal);
    lower_diagonal_row(tile + 2 * LANES, lane + 2, own.c, there, by, diagonal);
    lower_diagonal_row(tile + 3 * LANES, lane + 3, own.d, there, by, diagonal);
    tile += HALF;
    for (size_t j = block + LANES; j < padded; j += LANES, tile += HALF) {
        there = lanes_load(q + j);
        lanes_store(tile, lowered(tile, own.a, there, by));
        lanes_store(tile + LANES, lowered(tile + LANES, own.b, there, by));
        lanes_store(tile + 2 * LANES, lowered(tile + 2 * LANES, own.c, there, by));
        lanes_store(tile + 3 * LANES, lowered(tile + 3 * LANES, own.d, there, by));
    }
}

/*
 * P <- (P - q q') scale over the tiles, from the last panel to the first: what the gain has just read is met first, and
 * the next gain begins with what was written last, so that a P larger than the first-level cache comes half from there.
 * Returns the trace; NaN where an entry of the diagonal is negative.
 */
static double lower(size_t n, double *end, const double *q, double scale)
{
    const size_t padded = anb_rls_padded(n);
    const Lanes by = lanes_all(scale);
    Diagonal diagonal = {lanes_zero(), lanes_zero()};
    size_t row = (n + ROWS - 1) / ROWS * ROWS;
    double *tile = end;
    while (row > 0) {
        row -= ROWS;
        tile -= (padded - row / LANES * LANES) / LANES * HALF;
        lower_panel(tile, q, row, padded, by, &diagonal);
    }
    return lanes_sum(diagonal.negative) < 0 ? ANB_NAN : lanes_sum(diagonal.sum);
}

/* k <- q = k root, w += q pace; returns 0, or NaN where a weight is not finite. */
LANES_INLINE double move_weights(double *w, double *k, size_t padded, double root, double pace)
{
    const Lanes by = lanes_all(root), step = lanes_all(pace);
    Lanes written = lanes_zero();
    for (size_t j = 0; j < padded; j += LANES) {
        Lanes q = lanes_mul(lanes_load(k + j), by);
        Lanes v = lanes_add(lanes_load(w + j), lanes_mul(q, step));
        lanes_store(k + j, q);
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
        lanes_store(p0 + j, lowered(p0 + j, own, lanes_load(q + j), by));
}

static double update(const AnbRls *rls, double *state, double error, double lambda, double weight, double *scratch)
{
    const size_t n = rls->n, padded = anb_rls_padded(n);
    const double initial = rls->delta * (double)(n + rls->intercept);
    double *w = state + ANB_RLS_HEAD, *p0 = w + padded, *z = scratch, *k = scratch + padded, *sums = k + padded;
    double k0 = 0;
    for (size_t j = 0; j < padded; j += LANES)
        lanes_store(k + j, lanes_load(p0 + j));
    double *end = gain(n, p0 + padded, z, k, sums);
    if (rls->intercept)
        k0 = lanes_dot(p0, z, padded) + state[ANB_RLS_P00];
    double zk = lanes_dot(z, k, padded) + k0;
    if (!(zk >= 0 && zk * 0 == 0)) {
        anb_rls_restart(rls, state);
        return 0;
    }
    double root = 1 / __builtin_sqrt(lambda / weight + zk), q0 = k0 * root, pace = error * root;
    double sick = move_weights(w, k, padded, root, pace);
    double squares = lanes_dot(k, k, padded) + q0 * q0;
    double scale = state[ANB_RLS_TRACE] - squares < initial ? 1 / lambda : 1;
    double trace = lower(n, end, k, scale);
    if (rls->intercept) {
        double p00 = (state[ANB_RLS_P00] - q0 * q0) * scale;
        lower_intercept(p0, k, padded, q0, scale);
        if (p00 < rls->delta)
            p00 += rls->walk;
        state[ANB_RLS_P00] = p00;
        state[ANB_RLS_W0] += q0 * pace;
        sick += state[ANB_RLS_W0] * 0;
        trace = p00 < 0 ? ANB_NAN : trace + p00;
    }
    state[ANB_RLS_TRACE] = trace;
    if (!(trace * 0 == 0))
        anb_rls_restart(rls, state);
    return sick;
}

const AnbRlsKernels ANB_PER_ISA(anb_rls_kernels) = {.predict = predict, .update = update};
