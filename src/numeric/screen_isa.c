/* The loop of screen.h; compiled once per instruction set. */
#include "screen.h"

enum { BLOCK = 8 };

static inline void add_block(float *restrict sum, const float *restrict u, float times)
{
    for (size_t k = 0; k < BLOCK; k++)
        sum[k] += times * u[k];
}

static void add_products(float *sum, const float *u, size_t n, float by)
{
    for (size_t i = 0; i < n; sum += n - i, i++) {
        const float times = by * u[i];
        const size_t rest = n - i;
        size_t j = 0;
        if (times == 0)
            continue;
        for (; j + BLOCK <= rest; j += BLOCK)
            add_block(sum + j, u + i + j, times);
        for (; j < rest; j++)
            sum[j] += times * u[i + j];
    }
}

const AnbScreenKernels ANB_PER_ISA(anb_screen_kernels) = {.add_products = add_products};

ANB_ISA_REGISTER(AnbScreenKernels, anb_screen_kernels)
