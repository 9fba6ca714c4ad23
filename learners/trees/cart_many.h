/*
 * One incremental tree (cart.h) and several rows, with the bits of anb_cart_reach: the rows go down in step, so that none waits for the
 * memory of another, and eight leaves answer at once. Compiled once per instruction set (isa.h).
 */
#ifndef ANB_LEARNERS_TREES_CART_MANY_H
#define ANB_LEARNERS_TREES_CART_MANY_H

#include "cart.h"
#include "src/simd/isa.h"

/* What a tree says of each of up to ANB_ROWS rows. */
typedef struct AnbReachedRows {
    double value[ANB_ROWS], correction[ANB_ROWS][ANB_CART_RATES];
} AnbReachedRows;

typedef struct AnbCartManyKernels {
    void (*reach)(const AnbCartPlan *plan, const AnbCart *cart, const AnbRows *rows, AnbReachedRows *out);
} AnbCartManyKernels;

ANB_ISA_TABLE(AnbCartManyKernels, anb_cart_many_kernels);

/* Whether the leaves of a tree can answer several rows at once. */
static inline bool anb_cart_suits_many(const AnbCartPlan *plan)
{
    return plan->leaf != ANB_LEAVES_RLS;
}

/* Where it suits. */
static inline void anb_cart_reach_many(const AnbCartPlan *plan, const AnbCart *cart, const AnbRows *rows,
                                       AnbReachedRows *out)
{
    anb_cart_many_kernels.reach(plan, cart, rows, out);
}

#endif
