/* The loops of screen.h; compiled once per instruction set. */
#include "screen.h"

enum { BLOCK = 8 };

static inline void add_block(float *restrict sum, const float *restrict u, float times)
{
    for (size_t k = 0; k < BLOCK; k++)
        sum[k] += times * u[k];
}

static void add_times(float *restrict sum, const float *restrict u, size_t n, float by)
{
    size_t j = 0;
    for (; j + BLOCK <= n; j += BLOCK)
        add_block(sum + j, u + j, by);
    for (; j < n; j++)
        sum[j] += by * u[j];
}

static void add_products(float *sum, const float *u, size_t n, float by)
{
    for (size_t i = 0; i < n; sum += n - i, i++) {
        const float times = by * u[i];
        if (times != 0)
            add_times(sum, u + i, n - i, times);
    }
}

const AnbScreenKernels ANB_PER_ISA(anb_screen_kernels) = {.add_products = add_products, .add_times = add_times};

ANB_ISA_REGISTER(AnbScreenKernels, anb_screen_kernels)
