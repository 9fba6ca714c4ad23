/* Products of the features of a row. Compiled once per instruction set (isa.h); all sets give the same bits. */
#ifndef ANB_SIMD_PRODUCTS_H
#define ANB_SIMD_PRODUCTS_H

#include "isa.h"
#include <stddef.h>

enum { ANB_PRODUCTS_D = 24 }; /* features of rows of which several are taken at once */

typedef struct AnbProductKernels {
    void (*products)(const double *x, size_t d, double *u);
    void (*of_rows)(const double *x, size_t stride, size_t rows, const double *centre, size_t d, double *u,
                    size_t u_stride);
} AnbProductKernels;

ANB_ISA_TABLE(AnbProductKernels, anb_product_kernels);

/* u = x_i x_j / 2 for i <= j < d, row by row, bounded to +-1e300; u has room for 7 more, where anything may stand. */
static inline void anb_products(const double *x, size_t d, double *u)
{
    anb_product_kernels.products(x, d, u);
}

/* The same of x - centre, of rows that lie `stride` and `u_stride` doubles apart; d up to ANB_PRODUCTS_D. What is written behind the
 * products of a row may lie in the next one's, which come later. */
static inline void anb_products_of_rows(const double *x, size_t stride, size_t rows, const double *centre, size_t d,
                                        double *u, size_t u_stride)
{
    anb_product_kernels.of_rows(x, stride, rows, centre, d, u, u_stride);
}

#endif
