/* All of P of more than eight features at once, compiled once per instruction set: the step that is due,
 * other units. */
#include "src/simd/lanes.h"
#include "rls_tiles.h"

/* Makes the step that is due in all of P. */
static void make_due_step(double *state, size_t n)
{
    const double *q = due(n, state);
    const Lanes scale = lanes_all(anb_rls_head(state)->scale);
    for (size_t i = 0; i < n; i++) {
        const Lanes own = lanes_all(q[i]);
        double *part = row_part(n, state, i, i / TILE);
        for (size_t j = i / TILE * TILE; j < n; j += TILE, part += ROWS * TILE)
            lanes_store(part, lanes_mul(lanes_sub(lanes_load(part), lanes_mul(own, lanes_load(q + j))), scale));
    }
}

/* Column `from` of the eight rows of a block; the block ends before column `from`. */
LANES_INLINE Lanes column_of(size_t n, double *state, size_t block, size_t from)
{
    double column[LANES];
    const double *upper = row_part(n, state, block, from / TILE) + from % TILE,
                 *lower = row_part(n, state, block + ROWS, from / TILE) + from % TILE;
    for (size_t i = 0; i < ROWS; i++) {
        column[i] = upper[i * TILE];
        column[i + ROWS] = lower[i * TILE];
    }
    return lanes_load(column);
}

/* The intercept's coordinate grows by beta_j times that of feature j, for j = 0, 1, ... This is done for one block of
 * columns of the intercept's row: first for the features before the block, then those of the block, then those behind
 * it. */
LANES_INLINE void shear_block(size_t n, double *state, size_t block, const double *beta)
{
    AnbRlsHead *head = anb_rls_head(state);
    double *row = intercept_row(n, state), *w = weights(n, state);
    const size_t end = n - block < TILE ? n : block + TILE;
    Lanes sum = lanes_load(row + block);
    for (size_t from = 0; from < block; from++)
        if (beta[from] != 0)
            sum = lanes_add(sum, lanes_mul(lanes_all(beta[from]), lanes_load(row_part(n, state, from, block / TILE))));
    for (size_t from = block; from < end; from++) {
        if (beta[from] == 0)
            continue;
        const double by = beta[from], *part = row_part(n, state, from, block / TILE);
        lanes_store(row + block, sum);
        head->p00 += by * (2 * row[from] + by * part[from % TILE]);
        head->w0 += by * w[from];
        sum = lanes_add(sum, lanes_mul(lanes_all(by), lanes_load(part)));
    }
    for (size_t from = end; from < n; from++)
        if (beta[from] != 0)
            sum = lanes_add(sum, lanes_mul(lanes_all(beta[from]), column_of(n, state, block, from)));
    lanes_store(row + block, sum);
}

/* 0 in each lane, or NaN where it is not finite. */
LANES_INLINE Lanes sick_of(Lanes l)
{
    return lanes_sub(l, l);
}

/* Row i of P times factor[i] and its columns'. Entries left of the diagonal repeat those above it, and are multiplied
 * in the same order as those: first by their column's factor. */
LANES_INLINE Lanes stretch_row(size_t n, double *state, size_t i, const double *factor)
{
    static const double places[] = {0, 1, 2, 3, 4, 5, 6, 7};
    const Lanes own = lanes_all(factor[i]), left = lanes_all((double)(i % TILE));
    double *part = row_part(n, state, i, i / TILE);
    size_t j = i / TILE * TILE;
    Lanes there = lanes_load_doubles(factor + j, n - j), v = lanes_load(part);
    v = lanes_where_above(left, lanes_load(places), lanes_mul(lanes_mul(v, there), own),
                          lanes_mul(lanes_mul(v, own), there));
    lanes_store(part, v);
    diagonal(n, state)[i] = part[i % TILE];
    Lanes sick = sick_of(v);
    for (j += TILE, part += ROWS * TILE; j < n; j += TILE, part += ROWS * TILE) {
        v = lanes_mul(lanes_mul(lanes_load(part), own), lanes_load_doubles(factor + j, n - j));
        lanes_store(part, v);
        sick = lanes_add(sick, sick_of(v));
    }
    return sick;
}

/* v times the factors. */
LANES_INLINE Lanes stretch_vector(double *v, const double *factor, size_t n)
{
    Lanes sick = lanes_zero();
    for (size_t j = 0; j < n; j += TILE) {
        Lanes next = lanes_mul(lanes_load(v + j), lanes_load_doubles(factor + j, n - j));
        lanes_store(v + j, next);
        sick = lanes_add(sick, sick_of(next));
    }
    return sick;
}

/* w and P for features of now, old x_j = alpha_j x_j + beta_j, nothing being due: all but the trace. Returns 0, or NaN
 * where a number is not finite. */
static double reframe(const AnbRls *rls, double *state, const double *alpha, const double *beta)
{
    const size_t n = rls->n;
    for (size_t block = 0; block < n && rls->intercept; block += TILE)
        shear_block(n, state, block, beta);
    Lanes sick =
        lanes_add(stretch_vector(intercept_row(n, state), alpha, n), stretch_vector(weights(n, state), alpha, n));
    for (size_t i = 0; i < n; i++)
        sick = lanes_add(sick, stretch_row(n, state, i, alpha));
    const AnbRlsHead *head = anb_rls_head(state);
    return lanes_sum(sick) + (head->p00 - head->p00) + (head->w0 - head->w0);
}

const AnbRlsWholeKernels ANB_PER_ISA(anb_rls_whole_kernels) = {.settle = make_due_step, .reframe = reframe};

ANB_ISA_REGISTER(AnbRlsWholeKernels, anb_rls_whole_kernels)
