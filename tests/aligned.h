/* Memory for states that kernels read in whole cache lines. */
#ifndef ANB_TESTS_ALIGNED_H
#define ANB_TESTS_ALIGNED_H

#include "suite.h"
#include <stdlib.h>

/* On a 64-byte boundary, not set; the caller frees it. */
static inline double *aligned(size_t doubles)
{
    void *memory = aligned_alloc(64, (doubles * sizeof(double) + 63) / 64 * 64);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

#endif
