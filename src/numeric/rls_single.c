/* Around the arithmetic of rls_single.h: start, refresh, re-framing, snapshot, checks. */
#include "rls_single.h"
#include "fields.h"
#include "src/simd/kernels.h"
#include <math.h>

/* anb_rls_predict reads w0 and the weights where rls.h has them, anb_rls_trace the trace. */
_Static_assert(offsetof(AnbRlsSingleHead, w0) == offsetof(AnbRlsHead, w0), "w0 at the same place");
_Static_assert(offsetof(AnbRlsSingleHead, trace) == offsetof(AnbRlsHead, trace), "the trace at the same place");
_Static_assert(sizeof(AnbRlsSingleHead) == sizeof(AnbRlsHead), "the weights at the same place");

size_t anb_rls_single_state(const AnbRls *rls)
{
    size_t panels = anb_rls_panels(anb_rls_order(rls));
    return ANB_RLS_HEAD + anb_rls_padded(rls->n) + 2 * ANB_RLS_PANEL * panels + anb_rls_panels_size(panels) / 2;
}

size_t anb_rls_single_scratch(size_t n)
{
    size_t rows = anb_rls_blocks(anb_rls_panels(n + 1) - 1) * ANB_RLS_BLOCK;
    return anb_rls_padded(n) + rows + ANB_RLS_BLOCK;
}

/* Rows 16 r on of column j, where r is the block of row i. */
static float *cells(const AnbRlsFactor *s, size_t i, size_t j)
{
    size_t panel = j / ANB_RLS_PANEL;
    float *block = s->u + anb_rls_panels_size(panel) + i / ANB_RLS_BLOCK * ANB_RLS_PANEL * ANB_RLS_BLOCK;
    return block + j % ANB_RLS_PANEL * ANB_RLS_BLOCK;
}

/* Entry i, j >= i, of U. */
static float *cell(const AnbRlsFactor *s, size_t i, size_t j)
{
    return cells(s, i, j) + i % ANB_RLS_BLOCK;
}

/* |u_j|^2. */
static double length_of(const AnbRlsFactor *s, size_t j)
{
    double sum = 0;
    for (size_t i = 0; i <= j; i += ANB_RLS_BLOCK) {
        const float *u = cells(s, i, j);
        for (size_t r = 0; r < ANB_RLS_BLOCK && i + r <= j; r++)
            sum += (double)u[r] * (double)u[r];
    }
    return sum;
}

static double sum_parts(const AnbRlsFactor *s)
{
    double sum = 0;
    for (size_t j = 0; j < s->order; j++)
        sum += s->part[j];
    return sum;
}

void anb_rls_single_restart(const AnbRls *rls, double *state)
{
    const AnbRlsFactor s = anb_rls_factor(rls, state);
    memset(s.d, 0, (size_t)(state + anb_rls_single_state(rls) - s.d) * sizeof *state);
    for (size_t j = 0; j < s.order; j++) {
        s.d[j] = s.part[j] = anb_rls_prior(rls, j);
        *cell(&s, j, j) = 1;
    }
    s.head->turn = 0;
    s.head->trace = anb_rls_initial(rls);
}

double anb_rls_single_p(const AnbRls *rls, const double *state, size_t i, size_t j)
{
    const AnbRlsFactor s = anb_rls_factor(rls, anb_view_of(state));
    size_t row = i == rls->n ? 0 : i + rls->intercept, column = j == rls->n ? 0 : j + rls->intercept;
    double sum = 0;
    for (size_t k = row > column ? row : column; k < s.order; k++)
        sum += (double)*cell(&s, row, k) * s.d[k] * (double)*cell(&s, column, k);
    return sum;
}

void anb_rls_single_walk(const AnbRls *rls, double *state)
{
    const AnbRlsFactor s = anb_rls_factor(rls, state);
    if (anb_rls_single_p(rls, state, rls->n, rls->n) >= anb_rls_level(rls))
        return;
    s.d[0] += rls->walk;
    s.part[0] = s.d[0]; /* its column is 1 alone */
}

void anb_rls_single_refresh(const AnbRls *rls, double *state, double factor)
{
    const AnbRlsFactor s = anb_rls_factor(rls, state);
    double most = anb_rls_initial(rls) / s.head->trace;
    factor = factor > most ? most : factor;
    if (!(factor > 1))
        return;
    for (size_t j = 0; j < s.order; j++) {
        s.d[j] *= factor;
        s.part[j] *= factor;
    }
    s.head->trace = sum_parts(&s);
}

/* The intercept's coordinate grows by beta times those of the features: row 0 of U by as many times the rows below. */
static void shear(const AnbRls *rls, const AnbRlsFactor *s, const double *beta)
{
    for (size_t j = 1; j < s->order; j++) {
        double sum = (double)*cell(s, 0, j);
        for (size_t i = 1; i <= j; i++)
            sum += beta[i - 1] * (double)*cell(s, i, j);
        *cell(s, 0, j) = (float)sum;
    }
    for (size_t j = 0; j < rls->n; j++)
        s->head->w0 += beta[j] * s->w[j];
}

/* Row i of U times factor[i], column j divided by factor[j], d_j times its square; the intercept's factor is 1. */
static void stretch(const AnbRls *rls, const AnbRlsFactor *s, const double *factor)
{
    const size_t first = rls->intercept;
    for (size_t j = first; j < s->order; j++) {
        const double own = factor[j - first];
        for (size_t i = 0; i < j; i++)
            *cell(s, i, j) = (float)((double)*cell(s, i, j) * (i < first ? 1 : factor[i - first]) / own);
        s->d[j] *= own * own;
    }
    for (size_t j = 0; j < rls->n; j++)
        s->w[j] *= factor[j];
}

/* Whether all numbers are finite, and neither the trace nor an entry of D or T is negative. */
static bool sound(const AnbRlsFactor *s)
{
    double sum = anb_nonfinite((double *)s->head, (size_t)(s->d + 2 * ANB_RLS_PANEL * s->panels - (double *)s->head));
    const float *end = s->u + anb_rls_panels_size(s->panels);
    for (const float *u = s->u; u < end; u++)
        sum += (double)*u * 0;
    bool positive = s->head->trace >= 0;
    for (size_t j = 0; j < s->order; j++)
        positive &= s->d[j] >= 0 && s->part[j] >= 0;
    return sum == 0 && positive;
}

void anb_rls_single_reframe(const AnbRls *rls, double *state, const double *alpha, const double *beta)
{
    const AnbRlsFactor s = anb_rls_factor(rls, state);
    if (rls->intercept)
        shear(rls, &s, beta);
    stretch(rls, &s, alpha);
    for (size_t j = 0; j < s.order; j++)
        s.part[j] = s.d[j] * length_of(&s, j);
    s.head->trace = sum_parts(&s);
    if (!sound(&s)) {
        memset(state, 0, (size_t)(s.d - state) * sizeof *state);
        anb_rls_single_restart(rls, state);
    }
}

static const AnbField of_head[] = {{ANB_MEMBER(AnbRlsSingleHead, trace)},
                                   {ANB_MEMBER(AnbRlsSingleHead, turn)},
                                   {ANB_MEMBER(AnbRlsSingleHead, w0)},
                                   {0}};

/* What is shown of U are the entries above its diagonal; those on it are 1. */
void anb_rls_single_visit(const AnbRls *rls, double *state, AnbVisitor *visitor)
{
    const AnbRlsFactor s = anb_rls_factor(rls, state);
    anb_struct_visit(of_head, state, visitor);
    anb_visit(visitor, "w", s.w, ANB_F64, rls->n);
    anb_visit(visitor, "d", s.d, ANB_F64, s.order);
    anb_visit(visitor, "part", s.part, ANB_F64, s.order);
    for (size_t j = 0; j < s.order; j++) {
        for (size_t i = 0; i < j; i += ANB_RLS_BLOCK)
            anb_visit(visitor, "u", cells(&s, i, j), ANB_F32, j - i < ANB_RLS_BLOCK ? j - i : ANB_RLS_BLOCK);
        if (!visitor->value && *cell(&s, j, j) != 1)
            *cell(&s, j, j) = 1;
    }
}

int anb_rls_single_validate(const AnbRls *rls, const double *state, AnbError *error)
{
    const AnbRlsFactor s = anb_rls_factor(rls, anb_view_of(state));
    if (!sound(&s))
        return anb_fail(error, ANB_E_STATE, "rls: a number is not finite, or a variance is negative");
    if (!(s.head->turn >= 0 && s.head->turn < (double)s.panels && floor(s.head->turn) == s.head->turn))
        return anb_fail(error, ANB_E_STATE, "rls: its turn is no panel of P");
    return 0;
}
