/* The bare kernels, compiled once per instruction set. */
#include "bare.h"
#include "src/simd/isa.h"
#include "src/simd/lanes.h"
#include "src/numeric/elementary.h"

static double linear_predict(const BareLinear *m, const double *x)
{
    return lanes_dot(m->w, x, m->d) + m->b;
}

LANES_INLINE void add(double *w, double a, const double *x, size_t d)
{
    const Lanes by = lanes_all(a);
    size_t i = 0;
    for (; i + LANES <= d; i += LANES)
        lanes_store(w + i, lanes_add(lanes_load(w + i), lanes_mul(by, lanes_load(x + i))));
    if (i < d)
        lanes_store_tail(w + i, lanes_add(lanes_load_tail(w + i, d - i), lanes_mul(by, lanes_load_tail(x + i, d - i))),
                         d - i);
}

static double linear_train(BareLinear *m, const double *x, double y)
{
    double f = lanes_dot(m->w, x, m->d) + m->b, square = 1 + lanes_dot(x, x, m->d);
    double step = (.02 * square > 1 ? 1 / square : .02) * (y - f);
    add(m->w, step, x, m->d);
    m->b += step;
    return f;
}

/* ---- mixture ----------------------------------------------------------------------------------------------------- */

typedef struct Four {
    double v[BARE_K];
} Four;

/* p = softmax(z); returns log of the sum of exp(z - max), and z - max in t. */
LANES_INLINE double softmax(const double *z, double *p, double *t)
{
    double ab = z[0] > z[1] ? z[0] : z[1], cd = z[2] > z[3] ? z[2] : z[3], top = ab > cd ? ab : cd;
    for (int i = 0; i < BARE_K; i++)
        t[i] = z[i] - top;
    for (int i = 0; i < BARE_K; i++)
        p[i] = anb_exp(t[i]);
    double sum = (p[0] + p[1]) + (p[2] + p[3]), part = 1 / sum;
    for (int i = 0; i < BARE_K; i++)
        p[i] *= part;
    return sum;
}

LANES_INLINE void scores(const BareMixture *m, const double *x, double *z)
{
    Lanes a = lanes_zero(), b = a, c = a, d = a;
    const double *w = m->gate;
    size_t i = 0;
    for (; i + LANES <= m->d; i += LANES) {
        Lanes v = lanes_load(x + i);
        a = lanes_add(a, lanes_mul(lanes_load(w + i), v));
        b = lanes_add(b, lanes_mul(lanes_load(w + m->stride + i), v));
        c = lanes_add(c, lanes_mul(lanes_load(w + 2 * m->stride + i), v));
        d = lanes_add(d, lanes_mul(lanes_load(w + 3 * m->stride + i), v));
    }
    lanes_store_half(z, lanes_sum4(a, b, c, d));
    for (int r = 0; r < BARE_K; r++)
        z[r] += m->bias[r] + m->load_bias[r];
}

LANES_INLINE void step_scores(BareMixture *m, const double *g, const double *x, double *z)
{
    Lanes sum[BARE_K], by[BARE_K];
    for (int r = 0; r < BARE_K; r++) {
        sum[r] = lanes_zero();
        by[r] = lanes_all(g[r]);
    }
    for (size_t i = 0; i + LANES <= m->d; i += LANES) {
        Lanes v = lanes_load(x + i);
        for (int r = 0; r < BARE_K; r++) {
            double *w = m->gate + (size_t)r * m->stride + i;
            Lanes new = lanes_sub(lanes_load(w), lanes_mul(by[r], v));
            lanes_store(w, new);
            sum[r] = lanes_add(sum[r], lanes_mul(new, v));
        }
    }
    lanes_store_half(z, lanes_sum4(sum[0], sum[1], sum[2], sum[3]));
}

/* The two largest, by six comparisons. */
LANES_INLINE void top_two(const double *p, size_t *first, size_t *second)
{
    int ab = p[1] > p[0], ac = p[2] > p[0], ad = p[3] > p[0], bc = p[2] > p[1], bd = p[3] > p[1], cd = p[3] > p[2];
    int rank[BARE_K] = {ab + ac + ad, !ab + bc + bd, !ac + !bc + cd, 3 - ad - bd - cd};
    size_t at[BARE_K];
    for (size_t i = 0; i < BARE_K; i++)
        at[rank[i]] = i;
    *first = at[0];
    *second = at[1];
}

typedef struct Pair {
    size_t i, j;
    double f, g, mix;
} Pair;

LANES_INLINE Pair ask(BareMixture *m, const double *x)
{
    double z[BARE_K], t[BARE_K];
    Pair pair;
    scores(m, x, z);
    softmax(z, m->p, t);
    top_two(m->p, &pair.i, &pair.j);
    pair.f = lanes_dot(m->experts + pair.i * m->stride, x, m->d) + m->intercept[pair.i];
    pair.g = lanes_dot(m->experts + pair.j * m->stride, x, m->d) + m->intercept[pair.j];
    pair.mix = (m->p[pair.i] * pair.f + m->p[pair.j] * pair.g) / (m->p[pair.i] + m->p[pair.j]);
    return pair;
}

static double mixture_predict(BareMixture *m, const double *x)
{
    return ask(m, x).mix;
}

LANES_INLINE void learn(BareMixture *m, size_t i, double f, const double *x, double y)
{
    double step = 2 * m->rate[i] * (y - f);
    add(m->experts + i * m->stride, step, x, m->d);
    m->intercept[i] += step;
    m->trained[i]++;
}

static double mixture_train(BareMixture *m, const double *x, double y)
{
    const double a = 2.0 / 501;
    Pair pair = ask(m, x);
    double z[BARE_K], t[BARE_K], g[BARE_K], q[BARE_K], entropy = 0;
    size_t best = __builtin_fabs(y - pair.g) < __builtin_fabs(y - pair.f) ? pair.j : pair.i;
    learn(m, pair.i, pair.f, x, y);
    learn(m, pair.j, pair.g, x, y);
    for (size_t i = 0; i < BARE_K; i++)
        g[i] = .01 * (m->p[i] - (i == best));
    step_scores(m, g, x, z);
    for (size_t i = 0; i < BARE_K; i++) {
        m->bias[i] -= g[i];
        m->load[i] += a * ((i == pair.i || i == pair.j) - m->load[i]);
        m->load_bias[i] += .01 * (.5 - m->load[i]);
        z[i] += m->bias[i] + m->load_bias[i];
    }
    double sum = softmax(z, q, t);
    for (size_t i = 0; i < BARE_K; i++) {
        m->utilization[i] += a * (q[i] - m->utilization[i]);
        entropy += q[i] * t[i];
    }
    m->entropy += .01 * ((anb_log(sum) - entropy) * 0.72134752044448170 - m->entropy);
    return pair.mix;
}

const BareKernels ANB_PER_ISA(bare) = {linear_predict, linear_train, mixture_predict, mixture_train};
