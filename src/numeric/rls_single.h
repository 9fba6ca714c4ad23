/*
 * Recursive least squares with P in single precision, kept as the factors of P = U D U': U an upper triangle of floats
 * with ones on its diagonal, D diagonal, in doubles (Bierman 1977).
 *
 *     f = U'z    v = D f    a_j = lambda / weight + sum of f_i v_i up to j
 *     u_j <- u_j - b f_j / a_(j-1)    b <- b + u_j v_j    d_j <- d_j a_(j-1) / a_j
 *     so that in the end b = P z, a = lambda / weight + z'Pz, and P <- P - b b' / a
 *
 * u_j is column j of U; in the last term of b its value before the update. z: the row.
 *
 * Why factors: P itself in floats does not stay a covariance. A direction that no input excites grows to 10^7 times the
 * excited ones, and its rounding errors become as large as their variances. D stays positive whatever is rounded, and
 * rounding errors of U enter P squared. The weights, D and all sums over columns are doubles.
 *
 * Forgetting is that of rls.h. D is divided by lambda, not from 16 times the initial trace on. When the trace has
 * passed twice the initial one, the coordinate with the largest variance gets its prior variance back: that is the step
 * for a row that is 1 there and 0 elsewhere, with a noise of P_ii delta / (P_ii - delta), without moving weights. The
 * trace is the sum of T_j = d_j |u_j|^2. T_j follows d_j at each step; |u_j|^2 is recomputed for eight columns a
 * sample, in turn.
 *
 * The intercept is the first coordinate: then `walk` is an addition to d_0, and the affine change of units by a
 * re-framing keeps U a triangle.
 *
 * State of n features, order m = n + intercept, in doubles; the first 8 + 8B are as in rls.h. C = ceil(m / 8) panels:
 *
 *     [ trace  turn  w0  (5 unused) | w: 8B | d: 8C | T: 8C | panel 0 | panel 1 | ... ]
 *
 *     panel p has columns 8p to 8p+7, and of those rows 0 to 8p+7 in blocks of 16, eight columns beside each other:
 *     floats of block r: column 8p: rows 16r to 16r+15, column 8p+1: the same rows, ...
 *
 * Cost: 1.5 m^2 multiply-adds, as rls.h; U is read twice, the second time from the first-level cache, and written once.
 * For more than ANB_RLS_FEW features. Same bits on every instruction set.
 */
#ifndef ANB_NUMERIC_RLS_SINGLE_H
#define ANB_NUMERIC_RLS_SINGLE_H

#include "rls.h"

enum { ANB_RLS_PANEL = 8, ANB_RLS_BLOCK = 16 }; /* columns; rows */

typedef struct AnbRlsSingleHead {
    double turn; /* the panel whose column lengths are computed anew next */
    double w0, trace;
    double unused[5];
} AnbRlsSingleHead;

/* Where all of a state lies. */
typedef struct AnbRlsFactor {
    size_t order, panels;
    AnbRlsSingleHead *head;
    double *w, *d, *part; /* part: T */
    float *u;
} AnbRlsFactor;

/* The numbers of a panel: f = U'z, v = D f, and f_j / a_(j-1). */
typedef struct AnbRlsSinglePanel {
    _Alignas(64) float f[ANB_RLS_PANEL];
    float v[ANB_RLS_PANEL], pace[ANB_RLS_PANEL];
} AnbRlsSinglePanel;

/* a_(j-1) and its inverse. */
typedef struct AnbRlsChain {
    double a, inverse;
} AnbRlsChain;

/* The arithmetic in doubles, of each instruction set:
 *
 *     scalars  steps D and T of a panel and computes v and pace from f; returns the chain after the panel
 *     move     w += b pace; returns 0, or NaN where a weight is not finite
 *     parts    T of a panel from the squares of its columns' lengths
 *     sum      the sum of T */
#define ANB_RLS_SINGLE_OF(isa)                                                                                         \
    AnbRlsChain anb_rls_single_scalars_##isa(double *d, double *part, AnbRlsSinglePanel *p, AnbRlsChain chain,         \
                                             double scale);                                                            \
    double anb_rls_single_move_##isa(double *w, const float *b, size_t padded, double pace);                           \
    void anb_rls_single_parts_##isa(const double *d, const float *squares, double *part);                              \
    double anb_rls_single_sum_##isa(const double *part, size_t n)
ANB_RLS_SINGLE_OF(baseline);
ANB_RLS_SINGLE_OF(v3);
ANB_RLS_SINGLE_OF(v4);

typedef struct AnbRlsSingleKernels {
    double (*update)(const AnbRls *rls, double *state, double error, double lambda, double weight, double *scratch);
} AnbRlsSingleKernels;

ANB_ISA_TABLE(AnbRlsSingleKernels, anb_rls_single_kernels);

static inline size_t anb_rls_order(const AnbRls *rls)
{
    return rls->n + rls->intercept;
}

/* The prior variance of coordinate j; the intercept is the first. */
static inline double anb_rls_prior(const AnbRls *rls, size_t j)
{
    return j == 0 && rls->intercept ? anb_rls_level(rls) : rls->delta;
}

static inline size_t anb_rls_panels(size_t order)
{
    return (order + ANB_RLS_PANEL - 1) / ANB_RLS_PANEL;
}

/* Row blocks of a panel. */
static inline size_t anb_rls_blocks(size_t panel)
{
    return panel / 2 + 1;
}

/* Floats of the first `panels` panels. */
static inline size_t anb_rls_panels_size(size_t panels)
{
    size_t half = panels / 2, blocks = half * (half + 1) + (panels % 2 ? half + 1 : 0);
    return blocks * ANB_RLS_PANEL * ANB_RLS_BLOCK;
}

static inline AnbRlsFactor anb_rls_factor(const AnbRls *rls, double *state)
{
    AnbRlsFactor f = {.order = anb_rls_order(rls), .head = (AnbRlsSingleHead *)state, .w = state + ANB_RLS_HEAD};
    f.panels = anb_rls_panels(f.order);
    f.d = f.w + anb_rls_padded(rls->n);
    f.part = f.d + ANB_RLS_PANEL * f.panels;
    f.u = (float *)(f.part + ANB_RLS_PANEL * f.panels);
    return f;
}

/* Doubles of a state; doubles of scratch, which starts with the row, as anb_rls_predict leaves it. */
size_t anb_rls_single_state(const AnbRls *rls);
size_t anb_rls_single_scratch(size_t n);

/* The update, as anb_rls_update. */
static inline bool anb_rls_single_update(const AnbRls *rls, double *state, double error, double lambda, double weight,
                                         double *scratch)
{
    return anb_rls_single_kernels.update(rls, state, error, lambda, weight, scratch) == 0;
}

/* What anb_rls_restart, _refresh, _reframe, _p, _visit and _validate do where rls->single. */
void anb_rls_single_restart(const AnbRls *rls, double *state);
void anb_rls_single_refresh(const AnbRls *rls, double *state, double factor);
void anb_rls_single_reframe(const AnbRls *rls, double *state, const double *alpha, const double *beta);
double anb_rls_single_p(const AnbRls *rls, const double *state, size_t i, size_t j);
void anb_rls_single_visit(const AnbRls *rls, double *state, AnbVisitor *visitor);
int anb_rls_single_validate(const AnbRls *rls, const double *state, AnbError *error);

/* Adds `walk` to the intercept's variance where that is below its prior one. The kernel calls it. */
void anb_rls_single_walk(const AnbRls *rls, double *state);

#endif
