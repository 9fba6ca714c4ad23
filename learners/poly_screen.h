/*
 * Selects products of two features: those of features that the target depends on, by evidence.
 *
 *     z_k = S_k / sqrt(V_k)     S_k = sum e (u_k - m_k)     V_k = sum e^2 (u_k - m_k)^2     m_k: running mean of u_k
 *
 * u_k is a product, and e the error of a linear model of the features; or u_k is a feature, and e the target less its
 * mean. Both are in units of their deviation, e clipped to +-4 and u_k to +-4.5. If the target is independent of u_k,
 * z_k is normal with variance 1.
 *
 * Every 200 rows: a feature comes into use if z of the feature or of one of its products is beyond `least`, and goes
 * out of use if all of them are within half of that. S is then multiplied by .98 and V by .98^2. A product is shown if
 * both its factors are in use; the features themselves always are. A feature that matters only in products of three or
 * more is not found.
 *
 * Fan & Lv 2008, Sure independence screening; Hao & Zhang 2014, Interaction screening.
 */
#ifndef ANB_LEARNERS_POLY_SCREEN_H
#define ANB_LEARNERS_POLY_SCREEN_H

#include "src/numeric/error_scale.h"
#include "src/numeric/moments.h"
#include "src/numeric/rls.h"
#include "src/numeric/weight_unit.h"

/* The state beside the arrays: doubles only. */
typedef struct PolyScreenHead {
    AnbErrorScale error; /* of the linear model */
    AnbWeightUnit unit;
    AnbMoments target;
    double rows;
} PolyScreenHead;

typedef struct PolyScreen {
    size_t d, all; /* features; with their products */
    double least;
    PolyScreenHead *head;
    double *linear;              /* state of the linear model */
    double *sum, *square, *mean; /* S, V, m: `all` of each */
    double *share;               /* `all`: equal for those in use, 0 for the others */
} PolyScreen;

static inline AnbRls anb_poly_screen_rls(size_t d)
{
    return (AnbRls){.n = d, .intercept = true, .delta = 100, .walk = 0};
}

/* Initialises a zeroed state: no product is shown. */
void anb_poly_screen_init(const PolyScreen *screen);
/* Learns a row: its features, those and their products, its target. `work`: anb_rls_scratch(d) doubles. */
void anb_poly_screen_learn(const PolyScreen *screen, const double *x, const double *u, double y, double weight,
                           double *work);
/* Changes the unit: old u_k = of_k new u_k + shift_k; the first d are the features. */
void anb_poly_screen_reframe(const PolyScreen *screen, const double *of, const double *shift);

#endif
