/*
 * Predictions of one incremental tree (cart.h) for several rows, with the bits of anb_cart_reach: all rows go down a
 * level in turn, so that their reads of memory overlap, and eight leaves are computed together. Compiled once per
 * instruction set (isa.h).
 */
#ifndef ANB_LEARNERS_TREES_CART_MANY_H
#define ANB_LEARNERS_TREES_CART_MANY_H

#include "cart.h"
#include "src/simd/isa.h"

/* Predictions of a tree and corrections on the way to the leaf, of up to ANB_ROWS rows. */
typedef struct AnbReachedRows {
    double value[ANB_ROWS], correction[ANB_ROWS][ANB_CART_RATES];
} AnbReachedRows;

typedef struct AnbCartManyKernels {
    void (*reach)(const AnbCartPlan *plan, const AnbCart *cart, const AnbRows *rows, AnbReachedRows *out);
} AnbCartManyKernels;

ANB_ISA_TABLE(AnbCartManyKernels, anb_cart_many_kernels);

/* Whether the leaves are of a kind that several rows at once are implemented for. */
static inline bool anb_cart_suits_many(const AnbCartPlan *plan)
{
    return plan->leaf != ANB_LEAVES_RLS;
}

/* Only where anb_cart_suits_many is true. */
static inline void anb_cart_reach_many(const AnbCartPlan *plan, const AnbCart *cart, const AnbRows *rows,
                                       AnbReachedRows *out)
{
    anb_cart_many_kernels.reach(plan, cart, rows, out);
}

#endif
