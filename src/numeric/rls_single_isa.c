/* The arithmetic of rls_single.h, compiled once per instruction set. */
#include "src/simd/lanes_single.h"
#include "rls_single.h"
#include <math.h>

/* Columns whose sums the registers hold at once; floats of a row block of a panel. */
enum { TOGETHER = LANES_BYTES == 64 ? 8 : 4, TILE = ANB_RLS_PANEL * ANB_RLS_BLOCK };

typedef AnbRlsSinglePanel Panel;

/* How far z . P z may be from the sum of f_i v_i, in units of lambda / weight + z'Pz. They are equal but for rounding,
 * some 10^-6, as long as all of U and b are floats of full precision. */
static const double OFF = 1e-3;

/* U'z of some of a panel's columns. */
LANES_INLINE void multiply_some(const float *u, size_t blocks, const float *z, float *f)
{
    Lanes sum[TOGETHER];
    for (size_t c = 0; c < TOGETHER; c++)
        sum[c] = lanes_zero();
    for (size_t r = 0; r < blocks; r++, u += TILE) {
        const Lanes row = lanes_load(z + r * LANES);
        for (size_t c = 0; c < TOGETHER; c++)
            sum[c] = lanes_add(sum[c], lanes_mul(lanes_load(u + c * LANES), row));
    }
    if (TOGETHER == 8)
        lanes_sum8(sum, f);
    else
        lanes_sums(sum, TOGETHER, f);
}

LANES_INLINE void multiply(const float *u, size_t blocks, const float *z, Panel *p)
{
    for (size_t c = 0; c < ANB_RLS_PANEL; c += TOGETHER)
        multiply_some(u + c * LANES, blocks, z, p->f + c);
}

/* The step of some of a panel's columns, and what they add to b. */
LANES_INLINE void step_some(float *u, size_t blocks, float *b, const float *v, const float *pace)
{
    Lanes by[TOGETHER], give[TOGETHER];
    for (size_t c = 0; c < TOGETHER; c++) {
        by[c] = lanes_all(pace[c]);
        give[c] = lanes_all(v[c]);
    }
    for (size_t r = 0; r < blocks; r++, u += TILE) {
        Lanes sum = lanes_load(b + r * LANES);
        for (size_t c = 0; c < TOGETHER; c++) {
            const Lanes old = lanes_load(u + c * LANES);
            lanes_store(u + c * LANES, lanes_sub(old, lanes_mul(by[c], sum)));
            sum = lanes_add(sum, lanes_mul(old, give[c]));
        }
        lanes_store(b + r * LANES, sum);
    }
}

LANES_INLINE void step_panel(float *u, size_t blocks, float *b, const Panel *p)
{
    for (size_t c = 0; c < ANB_RLS_PANEL; c += TOGETHER)
        step_some(u + c * LANES, blocks, b, p->v + c, p->pace + c);
}

/* T of a panel, computed anew: |u|^2 in floats. */
LANES_INLINE void renew(const AnbRlsFactor *s, size_t panel)
{
    const float *u = s->u + anb_rls_panels_size(panel);
    const size_t blocks = anb_rls_blocks(panel), columns = panel * ANB_RLS_PANEL;
    float squares[ANB_RLS_PANEL];
    for (size_t c = 0; c < ANB_RLS_PANEL; c += 4) {
        Lanes sum[4] = {lanes_zero(), lanes_zero(), lanes_zero(), lanes_zero()};
        for (size_t r = 0; r < blocks; r++)
            for (size_t i = 0; i < 4; i++) {
                const Lanes cell = lanes_load(u + r * TILE + (c + i) * LANES);
                sum[i] = lanes_add(sum[i], lanes_mul(cell, cell));
            }
        lanes_sums(sum, 4, squares + c);
    }
    ANB_PER_ISA(anb_rls_single_parts)(s->d + columns, squares, s->part + columns);
}

/* One pass over U: its step, that of D and of T; b = P z. Returns a. A panel's products are computed before the panel
 * in front of it is stepped, so that the loops do not wait for the numbers in between. */
LANES_INLINE double sweep(const AnbRlsFactor *s, const float *z, float *b, double a, double scale)
{
    AnbRlsChain chain = {a, 1 / a};
    Panel two[2];
    float *u = s->u;
    multiply(u, anb_rls_blocks(0), z, &two[0]);
    for (size_t p = 0; p < s->panels; p++) {
        const size_t blocks = anb_rls_blocks(p), columns = p * ANB_RLS_PANEL;
        Panel *now = &two[p % 2];
        chain = ANB_PER_ISA(anb_rls_single_scalars)(s->d + columns, s->part + columns, now, chain, scale);
        if (p + 1 < s->panels)
            multiply(u + blocks * TILE, anb_rls_blocks(p + 1), z, &two[(p + 1) % 2]);
        step_panel(u, blocks, b, now);
        u += blocks * TILE;
    }
    return chain.a;
}

/* The intercept's 1, then the row as floats, small ones as 0. */
LANES_INLINE void take_row(const AnbRls *rls, const double *x, float *z, size_t size)
{
    z[0] = 1;
    z += rls->intercept;
    for (size_t j = 0; j < size; j += LANES) {
        const Lanes row = j < rls->n ? lanes_load_doubles(x + j, rls->n - j) : lanes_zero();
        lanes_store(z + j, lanes_small_to_zero(row));
    }
}

/* The diagonal of P. */
LANES_INLINE void variances(const AnbRlsFactor *s, float *out, size_t rows)
{
    const float *u = s->u;
    for (size_t i = 0; i < rows; i += LANES)
        lanes_store(out + i, lanes_zero());
    for (size_t p = 0; p < s->panels; p++)
        for (size_t r = 0; r < anb_rls_blocks(p); r++, u += TILE) {
            Lanes sum = lanes_load(out + r * LANES);
            for (size_t c = 0; c < ANB_RLS_PANEL; c++) {
                const Lanes cell = lanes_load(u + c * LANES), d = lanes_all((float)s->d[p * ANB_RLS_PANEL + c]);
                sum = lanes_add(sum, lanes_mul(lanes_mul(cell, cell), d));
            }
            lanes_store(out + r * LANES, sum);
        }
}

/* Sets the variance that is the largest multiple of its prior back to that. Overwrites `rows` floats of z and of b. */
static __attribute__((noinline)) void confine(const AnbRls *rls, const AnbRlsFactor *s, float *z, float *b, size_t rows)
{
    size_t most = 0;
    variances(s, z, rows);
    double largest = (double)z[0] * (rls->delta / anb_rls_prior(rls, 0));
    for (size_t i = 1; i < s->order; i++)
        if ((double)z[i] > largest) {
            largest = (double)z[i];
            most = i;
        }
    const double prior = anb_rls_prior(rls, most), variance = (double)z[most], surplus = variance - prior;
    if (!(surplus > 0 && surplus * 0 == 0))
        return;
    for (size_t i = 0; i < rows; i += LANES) {
        lanes_store(z + i, lanes_zero());
        lanes_store(b + i, lanes_zero());
    }
    z[most] = 1;
    sweep(s, z, b, variance * prior / surplus, 1);
    for (size_t p = 0; p < s->panels; p++)
        renew(s, p);
    s->head->trace = ANB_PER_ISA(anb_rls_single_sum)(s->part, s->panels * ANB_RLS_PANEL);
}

static double update(const AnbRls *rls, double *state, double error, double lambda, double weight, double *scratch)
{
    const AnbRlsFactor s = anb_rls_factor(rls, state);
    const size_t rows = anb_rls_blocks(s.panels - 1) * ANB_RLS_BLOCK, columns = s.panels * ANB_RLS_PANEL;
    float *z = (float *)(scratch + anb_rls_padded(rls->n)), *b = z + rows + ANB_RLS_BLOCK;
    take_row(rls, scratch, z, rows);
    for (size_t i = 0; i < rows + ANB_RLS_BLOCK; i += LANES)
        lanes_store(b + i, lanes_zero());
    double scale = s.head->trace < ANB_RLS_MOST * anb_rls_initial(rls) ? 1 / lambda : 1;
    const double noise = lambda / weight;
    double a = sweep(&s, z, b, noise, scale), off = fabs((double)lanes_dot(z, b, rows) - (a - noise));
    if (!(off <= OFF * a)) {
        anb_rls_single_restart(rls, state);
        return 0;
    }
    double pace = error / a;
    double sick = ANB_PER_ISA(anb_rls_single_move)(s.w, b + rls->intercept, anb_rls_padded(rls->n), pace);
    if (rls->intercept)
        s.head->w0 += (double)b[0] * pace;
    sick += s.head->w0 * 0;
    const size_t turn = (size_t)s.head->turn;
    renew(&s, turn);
    s.head->turn = turn + 1 < s.panels ? (double)(turn + 1) : 0;
    if (rls->intercept && rls->walk > 0)
        anb_rls_single_walk(rls, state);
    s.head->trace = ANB_PER_ISA(anb_rls_single_sum)(s.part, columns);
    if (!(s.head->trace * 0 == 0))
        anb_rls_single_restart(rls, state);
    else if (s.head->trace > ANB_RLS_ROOF * anb_rls_initial(rls))
        confine(rls, &s, z, b, rows);
    return sick;
}

const AnbRlsSingleKernels ANB_PER_ISA(anb_rls_single_kernels) = {.update = update};

ANB_ISA_REGISTER(AnbRlsSingleKernels, anb_rls_single_kernels)
