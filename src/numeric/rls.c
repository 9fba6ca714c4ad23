/* Around the arithmetic of rls.h: start, refresh, snapshot, checks. */
#include "fields.h"
#include "rls_single.h"
#include "rls_tiles.h"
#include "src/simd/kernels.h"
#include <math.h>

enum { QUAD = 4 };

static bool is_few(size_t n)
{
    return n <= ANB_RLS_FEW;
}

/* Up to eight features: entry (i, j), j >= i, of the packed triangle. */
static double *few_entry(size_t n, double *state, size_t i, size_t j)
{
    double *mixed = intercept_row(n, state) + anb_rls_padded(n), *beside = mixed + QUAD * QUAD,
           *last = beside + QUAD * QUAD;
    if (i < QUAD)
        return j < QUAD ? &mixed[i * QUAD + j] : &beside[i * QUAD + j - QUAD];
    return i == j ? &last[i - QUAD] : &mixed[(j - QUAD) * QUAD + i - QUAD];
}

size_t anb_rls_state(size_t n)
{
    if (is_few(n))
        return ANB_RLS_FEW_HEAD + 2 * ANB_RLS_FEW + ANB_RLS_FEW_P;
    return ANB_RLS_HEAD + 4 * anb_rls_padded(n) + panels_size(n, (n + ROWS - 1) / ROWS);
}

/* In the order of the update's sum (rls_few.h). */
static double trace_of_few(size_t n, const double *state)
{
    double sum[QUAD] = {0}, *p = anb_view_of(state);
    for (size_t i = 0; i < QUAD && i < n; i++)
        sum[i] = *few_entry(n, p, i, i) + (i + QUAD < n ? *few_entry(n, p, i + QUAD, i + QUAD) : 0);
    return (sum[0] + sum[2]) + (sum[1] + sum[3]) + anb_rls_head_const(state)->p00;
}

double anb_rls_trace(const AnbRls *rls, const double *state)
{
    return is_few(rls->n) ? trace_of_few(rls->n, state) : anb_rls_head_const(state)->trace;
}

/* Stores the trace where it is kept: for more than eight features. */
static void put_trace(size_t n, double *state, double trace)
{
    if (!is_few(n))
        anb_rls_head(state)->trace = trace;
}

/* ---- of any number of features ----------------------------------------------------------------------------------- */

/* Entry i, j >= i, of P; for more than eight features without the step that is due. */
static double *entry_at(size_t n, double *state, size_t i, size_t j)
{
    return is_few(n) ? few_entry(n, state, i, j) : row_part(n, state, i, j / TILE) + j % TILE;
}

/* Where the group of `size` ends that index i lies in, `n` at the latest. */
static size_t end_of(size_t i, size_t size, size_t n)
{
    size_t end = (i / size + 1) * size;
    return end < n ? end : n;
}

/* How many entries of row i from column j on lie behind each other. */
static size_t run_length(size_t n, size_t i, size_t j)
{
    if (!is_few(n))
        return end_of(j, TILE, n) - j;
    return i < QUAD ? end_of(j, QUAD, n) - j : 1;
}

/* `count` entries of row i from column j on, with the step that is due, where they start at `from`. */
static void after_due_step(size_t n, const double *state, size_t i, size_t j, const double *from, double *to,
                           size_t count)
{
    if (is_few(n)) {
        memcpy(to, from, count * sizeof *to);
        return;
    }
    const double *q = due(n, anb_view_of(state)), scale = anb_rls_head_const(state)->scale;
    for (size_t c = 0; c < count; c++)
        to[c] = (from[c] - q[i] * q[j + c]) * scale;
}

double anb_rls_p(const AnbRls *rls, const double *state, size_t i, size_t j)
{
    if (rls->single)
        return anb_rls_single_p(rls, state, i, j);
    size_t n = rls->n, low = i < j ? i : j, high = i < j ? j : i;
    double *p = anb_view_of(state), value;
    if (low == n)
        return anb_rls_head_const(state)->p00;
    if (high == n)
        return intercept_row(n, p)[low];
    after_due_step(n, p, low, high, entry_at(n, p, low, high), &value, 1);
    return value;
}

/* Nothing due. */
static void clear_due(size_t n, double *state)
{
    if (is_few(n))
        return;
    memset(due(n, state), 0, anb_rls_padded(n) * sizeof *state);
    anb_rls_head(state)->scale = 1;
}

/* Whether a step is due; with few features none ever is. A state that is all zeros, which nothing has started yet,
 * counts as one that is due. */
static bool is_due(size_t n, double *state)
{
    if (is_few(n))
        return false;
    bool any = anb_rls_head(state)->scale != 1;
    for (const double *q = due(n, state), *end = q + n; q < end && !any; q++)
        any = *q != 0;
    return any;
}

/* Makes the step that is due. Writes nothing where none is. */
static void catch_up(size_t n, double *state)
{
    if (!is_due(n, state))
        return;
    anb_rls_whole_kernels.settle(state, n);
    clear_due(n, state);
}

/* Entry i of the diagonal, to which no step is due. */
static double variance(size_t n, double *state, size_t i)
{
    return is_few(n) ? *few_entry(n, state, i, i) : diagonal(n, state)[i];
}

static void put_variance(size_t n, double *state, size_t i, double value)
{
    *entry_at(n, state, i, i) = value;
    if (!is_few(n))
        diagonal(n, state)[i] = value;
}

void anb_rls_restart(const AnbRls *rls, double *state)
{
    if (rls->single) {
        anb_rls_single_restart(rls, state);
        return;
    }
    size_t n = rls->n;
    double *from = intercept_row(n, state);
    memset(from, 0, (size_t)(state + anb_rls_state(n) - from) * sizeof *from);
    for (size_t i = 0; i < n; i++)
        put_variance(n, state, i, rls->delta);
    clear_due(n, state);
    anb_rls_head(state)->p00 = rls->intercept ? anb_rls_level(rls) : 0;
    put_trace(n, state, anb_rls_initial(rls));
}

void anb_rls_init(const AnbRls *rls, double *state)
{
    memset(state, 0, (size_t)(intercept_row(rls->n, state) - state) * sizeof *state);
    anb_rls_restart(rls, state);
}

void anb_rls_refresh(const AnbRls *rls, double *state, double factor)
{
    if (rls->single) {
        anb_rls_single_refresh(rls, state, factor);
        return;
    }
    double trace = anb_rls_trace(rls, state), most = anb_rls_initial(rls) / trace;
    if (factor > most)
        factor = most;
    if (!(factor > 1))
        return;
    catch_up(rls->n, state);
    double *end = state + anb_rls_state(rls->n);
    for (double *p = intercept_row(rls->n, state); p < end; p++)
        *p *= factor;
    anb_rls_head(state)->p00 *= factor;
    put_trace(rls->n, state, trace * factor);
}

/* Entry i, j of P where nothing is due; index n is the intercept. */
static double entry(size_t n, double *state, size_t i, size_t j)
{
    size_t low = i < j ? i : j, high = i < j ? j : i;
    if (high == n)
        return low == n ? anb_rls_head(state)->p00 : intercept_row(n, state)[low];
    return *entry_at(n, state, low, high);
}

/* The coordinate with the largest entry of the diagonal, that of the intercept, n, in proportion to its own prior. */
static size_t largest_coordinate(const AnbRls *rls, double *state, double *value)
{
    size_t at = rls->n;
    *value = rls->intercept ? anb_rls_head(state)->p00 * (rls->delta / anb_rls_level(rls)) : 0;
    for (size_t i = 0; i < rls->n; i++)
        if (variance(rls->n, state, i) > *value) {
            *value = variance(rls->n, state, i);
            at = i;
        }
    if (at == rls->n && rls->intercept)
        *value = anb_rls_head(state)->p00;
    return at;
}

/* The step by q. With few features it is made at once; with more only that of the diagonal is, and the rest is due. */
static void lower_by(size_t n, double *state, const double *q)
{
    if (!is_few(n)) {
        for (size_t i = 0; i < n; i++)
            diagonal(n, state)[i] -= q[i] * q[i];
        return;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++)
            *few_entry(n, state, i, j) -= q[i] * q[j];
}

void anb_rls_confine(const AnbRls *rls, double *state)
{
    size_t n = rls->n;
    double largest, few[ANB_RLS_FEW], *q = is_few(n) ? few : due(n, state), *p0 = intercept_row(n, state);
    size_t at = largest_coordinate(rls, state, &largest);
    double prior = at == n ? anb_rls_level(rls) : rls->delta;
    if (!(largest > prior))
        return;
    catch_up(n, state);
    double root = sqrt((1 - prior / largest) / largest), q0 = root * entry(n, state, at, n), trace = 0;
    double p00 = anb_rls_head(state)->p00 -= q0 * q0, least = p00 < 0 ? p00 : 0;
    for (size_t i = 0; i < n; i++) {
        q[i] = root * entry(n, state, at, i);
        p0[i] -= q0 * q[i];
    }
    lower_by(n, state, q);
    for (size_t i = 0; i < n; i++) {
        double d = variance(n, state, i);
        trace += d;
        least = d < least ? d : least;
    }
    put_trace(n, state, trace + p00);
    if (least < 0) /* only rounding was left of a variance */
        anb_rls_restart(rls, state);
}

/* ---- another unit ------------------------------------------------------------------------------------------------ */

/* Up to eight features: adds `by` times the coordinate of feature `from` to that of the intercept. */
static void shear_few(size_t n, double *state, size_t from, double by)
{
    AnbRlsHead *head = anb_rls_head(state);
    double *row = intercept_row(n, state);
    head->p00 += by * (2 * row[from] + by * *few_entry(n, state, from, from));
    for (size_t i = 0; i < n; i++)
        row[i] += by * entry(n, state, i, from);
    head->w0 += by * weights(n, state)[from];
}

/* Row i of P times factor[i] and its columns'. */
static void stretch_few(size_t n, double *state, size_t i, const double *factor)
{
    for (size_t j = i; j < n;) {
        double *part = few_entry(n, state, i, j);
        for (size_t end = j + run_length(n, i, j); j < end; j++, part++)
            *part = *part * factor[i] * factor[j];
    }
    intercept_row(n, state)[i] *= factor[i];
    weights(n, state)[i] *= factor[i];
}

/* Returns 0, or NaN where a number that was written is not finite. */
static double reframe_few(const AnbRls *rls, double *state, const double *alpha, const double *beta)
{
    size_t n = rls->n;
    for (size_t j = 0; j < n && rls->intercept; j++)
        if (beta[j] != 0)
            shear_few(n, state, j, beta[j]);
    for (size_t i = 0; i < n; i++)
        stretch_few(n, state, i, alpha);
    return anb_nonfinite(state, anb_rls_state(n));
}

void anb_rls_reframe(const AnbRls *rls, double *state, const double *alpha, const double *beta)
{
    if (rls->single) {
        anb_rls_single_reframe(rls, state, alpha, beta);
        return;
    }
    size_t n = rls->n;
    catch_up(n, state);
    double sick =
        is_few(n) ? reframe_few(rls, state, alpha, beta) : anb_rls_whole_kernels.reframe(rls, state, alpha, beta);
    double trace = anb_rls_head(state)->p00, least = trace;
    for (size_t i = 0; i < n; i++) {
        double d = variance(n, state, i);
        trace += d;
        least = d < least ? d : least;
    }
    put_trace(n, state, trace);
    if (!(sick == 0) || trace - trace != 0 || least < 0)
        anb_rls_init(rls, state);
}

static void write(double *to, double value)
{
    if (*to != value)
        *to = value;
}

/* What follows from the fields of the rows down to i, where they have just been read: the entries left of the diagonal
 * in the tile there are those above it, and the diagonal is kept apart as well. */
static void mirror(size_t n, double *state, size_t i)
{
    double *tile_row = row_part(n, state, i, i / TILE);
    for (size_t j = i / TILE * TILE; j < i; j++)
        write(tile_row + j % TILE, row_part(n, state, j, i / TILE)[i % TILE]);
    write(diagonal(n, state) + i, tile_row[i % TILE]);
}

/* Visits adjacent entries of row i: for a visitor that only reads, with the due step applied; else as stored. */
static void show(size_t n, double *state, AnbVisitor *visitor, size_t i, size_t first, size_t count)
{
    double *part = entry_at(n, state, i, first), value[TILE];
    if (!visitor->value) {
        anb_visit(visitor, "p", part, ANB_F64, count);
        return;
    }
    after_due_step(n, state, i, first, part, value, count);
    visitor->name = "p";
    visitor->value(visitor, part, value, ANB_F64, count);
}

/* Visits the trace. With few features it is not stored: a visitor that reads gets it from temporary memory; one that
 * writes writes it where the weights follow and overwrite it. */
static void show_trace(const AnbRls *rls, double *state, AnbVisitor *visitor)
{
    bool few = is_few(rls->n);
    double trace = anb_rls_trace(rls, state), *at = few ? weights(rls->n, state) : &anb_rls_head(state)->trace;
    if (!few || !visitor->value) {
        anb_visit(visitor, "trace", at, ANB_F64, 1);
        return;
    }
    visitor->name = "trace";
    visitor->value(visitor, at, &trace, ANB_F64, 1);
}

static const AnbField of_intercept[] = {{ANB_MEMBER(AnbRlsHead, p00)}, {ANB_MEMBER(AnbRlsHead, w0)}, {0}};

void anb_rls_visit(const AnbRls *rls, double *state, AnbVisitor *visitor)
{
    if (rls->single) {
        anb_rls_single_visit(rls, state, visitor);
        return;
    }
    size_t n = rls->n;
    if (!visitor->value)
        catch_up(n, state);
    show_trace(rls, state, visitor);
    anb_visit(visitor, "w", weights(n, state), ANB_F64, n);
    if (rls->intercept) {
        anb_struct_visit(of_intercept, state, visitor);
        anb_visit(visitor, "p0", intercept_row(n, state), ANB_F64, n);
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i; j < n; j += run_length(n, i, j))
            show(n, state, visitor, i, j, run_length(n, i, j));
        if (!visitor->value && !is_few(n))
            mirror(n, state, i);
    }
}

int anb_rls_validate(const AnbRls *rls, const double *state, AnbError *error)
{
    if (rls->single)
        return anb_rls_single_validate(rls, state, error);
    size_t n = rls->n;
    const double *end = intercept_row(n, anb_view_of(state)) + (is_few(n) ? 1 : 3) * anb_rls_padded(n);
    bool finite = true;
    for (const double *p = state; p < end; p++)
        finite &= *p * 0 == 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++)
            finite &= anb_rls_p(rls, state, i, j) * 0 == 0;
    if (!finite)
        return anb_fail(error, ANB_E_STATE, "rls: a weight or an entry of P is not finite");
    for (size_t i = 0; i < n + rls->intercept; i++)
        if (anb_rls_p(rls, state, i, i) < 0)
            return anb_fail(error, ANB_E_STATE, "rls: entry %zu of the diagonal of P is negative", i);
    if (!(anb_rls_trace(rls, state) >= 0))
        return anb_fail(error, ANB_E_STATE, "rls: the trace of P is negative");
    return 0;
}
