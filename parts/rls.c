/* Around the arithmetic of rls.h: start, refresh, snapshot, checks. */
#include "rls.h"

enum { TILE = 8, ROWS = 4 };

static double *intercept_row(size_t n, double *state)
{
    return state + ANB_RLS_HEAD + anb_rls_padded(n);
}

static double *tiles(size_t n, double *state)
{
    return state + ANB_RLS_HEAD + 2 * anb_rls_padded(n);
}

/* Doubles of the first `panels` panels. */
static size_t panels_size(size_t n, size_t panels)
{
    size_t blocks = anb_rls_padded(n) / TILE, pairs = panels / 2;
    size_t parts = pairs * (2 * blocks - pairs + 1); /* both panels of block i have blocks - i parts */
    if (panels % 2)
        parts += blocks - pairs;
    return parts * ROWS * TILE;
}

size_t anb_rls_state(size_t n)
{
    return ANB_RLS_HEAD + 2 * anb_rls_padded(n) + panels_size(n, (n + ROWS - 1) / ROWS);
}

/* Eight entries of row i, from column 8 * block; block >= i / 8. */
static double *row_part(size_t n, double *state, size_t i, size_t block)
{
    size_t panel = i / ROWS;
    return tiles(n, state) + panels_size(n, panel) + (block - i / TILE) * ROWS * TILE + i % ROWS * TILE;
}

double anb_rls_p(const AnbRls *rls, const double *state, size_t i, size_t j)
{
    size_t low = i < j ? i : j, high = i < j ? j : i;
    double *p = (double *)state;
    if (low == rls->n)
        return state[ANB_RLS_P00];
    if (high == rls->n)
        return intercept_row(rls->n, p)[low];
    return row_part(rls->n, p, low, high / TILE)[high % TILE];
}

void anb_rls_restart(const AnbRls *rls, double *state)
{
    size_t n = rls->n;
    double *from = intercept_row(n, state);
    memset(from, 0, (size_t)(state + anb_rls_state(n) - from) * sizeof *from);
    for (size_t i = 0; i < n; i++)
        row_part(n, state, i, i / TILE)[i % TILE] = rls->delta;
    state[ANB_RLS_P00] = rls->intercept ? rls->delta : 0;
    state[ANB_RLS_TRACE] = rls->delta * (double)(n + rls->intercept);
}

void anb_rls_init(const AnbRls *rls, double *state)
{
    memset(state, 0, (size_t)(intercept_row(rls->n, state) - state) * sizeof *state);
    anb_rls_restart(rls, state);
}

void anb_rls_refresh(const AnbRls *rls, double *state, double factor)
{
    double initial = rls->delta * (double)(rls->n + rls->intercept), most = initial / state[ANB_RLS_TRACE];
    if (factor > most)
        factor = most;
    if (!(factor > 1))
        return;
    double *end = state + anb_rls_state(rls->n);
    for (double *p = intercept_row(rls->n, state); p < end; p++)
        *p *= factor;
    state[ANB_RLS_P00] *= factor;
    state[ANB_RLS_TRACE] *= factor;
}

/* The entries of row i left of the diagonal, in the tile there, follow those above it. */
static void mirror(size_t n, double *state, size_t i)
{
    double *tile_row = row_part(n, state, i, i / TILE);
    for (size_t j = i / TILE * TILE; j < i; j++) {
        double above = row_part(n, state, j, i / TILE)[i % TILE];
        if (tile_row[j % TILE] != above)
            tile_row[j % TILE] = above;
    }
}

void anb_rls_visit(const AnbRls *rls, double *state, AnbVisitor *visitor)
{
    size_t n = rls->n;
    anb_visit(visitor, state + ANB_RLS_TRACE, ANB_F64, 1);
    anb_visit(visitor, state + ANB_RLS_HEAD, ANB_F64, n);
    if (rls->intercept) {
        anb_visit(visitor, state + ANB_RLS_P00, ANB_F64, 2);
        anb_visit(visitor, intercept_row(n, state), ANB_F64, n);
    }
    for (size_t i = 0; i < n; i++) {
        mirror(n, state, i);
        for (size_t block = i / TILE; block * TILE < n; block++) {
            size_t first = block == i / TILE ? i % TILE : 0, left = n - block * TILE;
            anb_visit(visitor, row_part(n, state, i, block) + first, ANB_F64, (left < TILE ? left : TILE) - first);
        }
    }
}

int anb_rls_validate(const AnbRls *rls, const double *state, AnbError *error)
{
    const double *end = state + anb_rls_state(rls->n);
    for (const double *p = state; p < end; p++)
        if (!(*p * 0 == 0))
            return anb_fail(error, ANB_E_STATE, "rls: a weight or an entry of P is not finite");
    for (size_t i = 0; i < rls->n + rls->intercept; i++)
        if (anb_rls_p(rls, state, i, i) < 0)
            return anb_fail(error, ANB_E_STATE, "rls: entry %zu of the diagonal of P is negative", i);
    if (!(state[ANB_RLS_TRACE] >= 0))
        return anb_fail(error, ANB_E_STATE, "rls: the trace of P is negative");
    return 0;
}
