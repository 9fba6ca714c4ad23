/* Products of the features of a row. Compiled once per instruction set (isa.h); all sets give the same bits. */
#ifndef ANB_SIMD_PRODUCTS_H
#define ANB_SIMD_PRODUCTS_H

#include "isa.h"
#include <stddef.h>

enum { ANB_PRODUCTS_D = 24 }; /* the most features for anb_products_of_rows */

typedef struct AnbProductKernels {
    void (*products)(const double *x, size_t d, double *u);
    void (*of_rows)(const double *x, size_t stride, size_t rows, const double *centre, size_t d, double *u,
                    size_t u_stride);
} AnbProductKernels;

ANB_ISA_TABLE(AnbProductKernels, anb_product_kernels);

/* u = x_i x_j / 2 for i <= j < d, row by row, bounded to +-1e300; up to 7 more doubles behind them are overwritten. */
static inline void anb_products(const double *x, size_t d, double *u)
{
    anb_product_kernels.products(x, d, u);
}

/* The same of x - centre for several rows, x `stride` and u `u_stride` doubles apart; d up to ANB_PRODUCTS_D. Rows are
 * written in order, so the doubles overwritten behind a row may be the next row's products. */
static inline void anb_products_of_rows(const double *x, size_t stride, size_t rows, const double *centre, size_t d,
                                        double *u, size_t u_stride)
{
    anb_product_kernels.of_rows(x, stride, rows, centre, d, u, u_stride);
}

#endif
