/* What comes in doubles and goes on as floats: the cells of a query, and the targets of the neighbours. */
#ifndef ANB_LEARNERS_KNN_KNN_DOUBLES_H
#define ANB_LEARNERS_KNN_KNN_DOUBLES_H

#include "src/simd/isa.h"
#include <stddef.h>

typedef struct AnbKnnDoublesKernels {
    void (*cells)(const double *x, size_t n, const double *inverse, const double *origin, double bound, float *out);
    void (*targets)(const double *y, size_t k, double *low, double *high, float *target);
} AnbKnnDoublesKernels;

ANB_ISA_TABLE(AnbKnnDoublesKernels, anb_knn_doubles_kernels);

/* n values as cells (kept_unit.h), bounded; `out` has room for seven more, which are overwritten. */
static inline void anb_knn_doubles_cells(const double *x, size_t n, const double *inverse, const double *origin,
                                         double bound, float *out)
{
    anb_knn_doubles_kernels.cells(x, n, inverse, origin, bound, out);
}

/* The targets y_i in the units of knn_plane.h, of lanes both (knn_many.h), and the least and the largest y of each
 * query. */
static inline void anb_knn_doubles_targets(const double *y, size_t k, double *low, double *high, float *target)
{
    anb_knn_doubles_kernels.targets(y, k, low, high, target);
}

#endif
