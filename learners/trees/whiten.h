/*
 * Whitened rows: k = C^-1 (x, 1), with C the discounted second moment of the rows, for many small linear models at
 * once.
 *
 * The matrix is that of recursive least squares (rls.h): P = (sum of x x')^-1, so C^-1 = n P with n the discounted
 * count; an RLS step with weights 0 and error 1 leaves P x where its weights are. Above 128 features k is the row
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
void anb_whiten_init(AnbWhitener *gain, size_t features);

/* Takes a row in, d finite values, and leaves k, k0 and the energy. Cost: (d+1)^2 multiply-adds. */
void anb_whiten_see(AnbWhitener *gain, size_t features, const double *x, double *scratch);

/* The last row's k: d of them. */
const double *anb_whiten_row(const AnbWhitener *gain, size_t features);

void anb_whiten_visit(AnbWhitener *gain, size_t features, AnbVisitor *visitor);
bool anb_whiten_valid(const AnbWhitener *gain, size_t features);

#endif
