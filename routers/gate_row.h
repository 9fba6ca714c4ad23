/* For gates that standardise their features: the running moments, four fields of the state. */
#ifndef ANB_ROUTERS_GATE_ROW_H
#define ANB_ROUTERS_GATE_ROW_H

#include "src/numeric/fields.h"
#include "src/simd/kernels.h"

/* Four fields of a table, behind the field before them; `items` says how many features, 0 where a scale above has
 * standardised the row. */
#define ANB_GATE_MOMENTS(items)                                                                                        \
    {.name = "count", .kind = ANB_F64, .count = (items), .must = ANB_FINITE | ANB_NOT_NEGATIVE},                       \
        {.name = "mean", .kind = ANB_F64, .count = (items), .must = ANB_FINITE},                                       \
        {.name = "square", .kind = ANB_F64, .count = (items), .must = ANB_FINITE},                                     \
    {                                                                                                                  \
        .name = "inverse_sd", .kind = ANB_F64, .count = (items), .must = ANB_FINITE                                    \
    }

typedef struct AnbGateMoments {
    double *count, *mean, *square, *inverse;
} AnbGateMoments;

static inline AnbGateMoments anb_gate_moments(const AnbNode *self, const void *state, size_t first)
{
    void *at = anb_view_of(state);
    return (AnbGateMoments){anb_field(self, at, first), anb_field(self, at, first + 1), anb_field(self, at, first + 2),
                            anb_field(self, at, first + 3)};
}

/* z = (x - mean) / sd, clipped to 4 on both sides; d features. */
static inline void anb_gate_standardize(const AnbGateMoments *m, const double *x, size_t d, double *z)
{
    anb_standardize(x, m->mean, m->inverse, 4, d, z);
}

static inline void anb_gate_moments_restart(const AnbGateMoments *m, size_t d)
{
    memset(m->count, 0, d * sizeof(double));
    memset(m->mean, 0, d * sizeof(double));
    memset(m->square, 0, d * sizeof(double));
    memset(m->inverse, 0, d * sizeof(double));
}

/* Learns a row; moments that would not be finite restart. */
static inline void anb_gate_moments_learn(const AnbGateMoments *m, const double *x, double weight, size_t d)
{
    if (!(anb_moments_update(m->count, m->mean, m->square, m->inverse, x, weight, d) == 0))
        anb_gate_moments_restart(m, d);
}

/* The features change their unit, old x = alpha new x + beta: the moments follow, so that z stays. */
static inline void anb_gate_moments_reframe(const AnbGateMoments *m, const double *alpha, const double *beta, size_t d)
{
    for (size_t j = 0; j < d; j++) {
        m->mean[j] = (m->mean[j] - beta[j]) / alpha[j];
        m->square[j] /= alpha[j] * alpha[j];
        m->inverse[j] *= alpha[j];
    }
    if (!(anb_nonfinite(m->mean, d) + anb_nonfinite(m->square, d) + anb_nonfinite(m->inverse, d) == 0))
        anb_gate_moments_restart(m, d);
}

#endif
