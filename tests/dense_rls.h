/* Recursive least squares as its recurrence says, with all of P, in long double. */
#ifndef ANB_DENSE_RLS_H
#define ANB_DENSE_RLS_H

#include <stddef.h>
#include <string.h>

enum { MOST = 40 };

typedef struct Dense {
    size_t n; /* the intercept, where there is one, is the last feature */
    long double p[MOST][MOST], w[MOST], initial;
} Dense;

static void dense_init(Dense *m, size_t n, double delta)
{
    memset(m, 0, sizeof *m);
    m->n = n;
    m->initial = (long double)delta * n;
    for (size_t i = 0; i < n; i++)
        m->p[i][i] = delta;
}

static void dense_update(Dense *m, const double *z, double y, double lambda, double weight)
{
    long double k[MOST], den = (long double)lambda / weight, error = y, trace = 0;
    for (size_t i = 0; i < m->n; i++) {
        k[i] = 0;
        for (size_t j = 0; j < m->n; j++)
            k[i] += m->p[i][j] * z[j];
        den += k[i] * z[i];
        error -= m->w[i] * z[i];
    }
    for (size_t i = 0; i < m->n; i++) {
        m->w[i] += k[i] * error / den;
        for (size_t j = 0; j < m->n; j++)
            m->p[i][j] -= k[i] * k[j] / den;
        trace += m->p[i][i];
    }
    for (size_t i = 0; i < m->n; i++)
        for (size_t j = 0; j < m->n; j++)
            m->p[i][j] /= trace < m->initial ? lambda : 1;
}

static void dense_reframe(Dense *m, size_t n, const double *alpha, const double *beta)
{
    for (size_t i = 0; i < n && m->n > n; i++)
        m->w[n] += beta[i] * m->w[i];
    for (size_t j = 0; j < m->n && m->n > n; j++)
        for (size_t i = 0; i < n; i++)
            m->p[n][j] += beta[i] * m->p[i][j];
    for (size_t j = 0; j < m->n && m->n > n; j++)
        for (size_t i = 0; i < n; i++)
            m->p[j][n] += beta[i] * m->p[j][i];
    for (size_t i = 0; i < n; i++) {
        m->w[i] *= alpha[i];
        for (size_t j = 0; j < m->n; j++)
            m->p[i][j] *= alpha[i];
        for (size_t j = 0; j < m->n; j++)
            m->p[j][i] *= alpha[i];
    }
}

#endif
