/*
 * Whitened rows k = C^-1 (x, 1), C the discounted second moment of the rows. Many small linear models share one of them
 * (cart_leaf.c).
 *
 * The matrix is that of recursive least squares (rls.h): P = (sum of x x')^-1, so that C^-1 = n P, n the discounted
 * count. A step of that RLS with weights 0 and error 1 leaves P x in its weights. Above 128 features k is the row
 * itself.
 *
 *     [ AnbWhitener | rls: the state of anb_rls_state(d) doubles, or k: double[d] ]
 */
#ifndef ANB_LEARNERS_TREES_WHITEN_H
#define ANB_LEARNERS_TREES_WHITEN_H

#include "src/numeric/rls.h"

enum { ANB_WHITEN_FEATURES = 128 };

typedef struct AnbWhitener {
    double count;  /* discounted rows */
    double k0;     /* the constant's entry */
    double energy; /* (x, 1) . k: about d + 1; 0 where the row is too extreme to learn from */
    double unused[5];
} AnbWhitener;

size_t anb_whiten_bytes(size_t features);
/* Doubles of scratch for see. */
size_t anb_whiten_scratch(size_t features);
void anb_whiten_init(AnbWhitener *whitener, size_t features);

/* Learns a row of d finite values and computes k, k0 and the energy. Cost: (d+1)^2 multiply-adds. */
void anb_whiten_see(AnbWhitener *whitener, size_t features, const double *x, double *scratch);

/* The last row's k: d of them. */
const double *anb_whiten_row(const AnbWhitener *whitener, size_t features);

/* The features change their unit, old x_j = alpha_j new x_j + beta_j. */
void anb_whiten_reframe(AnbWhitener *whitener, size_t features, const double *alpha, const double *beta);

void anb_whiten_visit(AnbWhitener *whitener, size_t features, AnbVisitor *visitor);
bool anb_whiten_valid(const AnbWhitener *whitener, size_t features);

#endif
