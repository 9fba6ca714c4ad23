/* The loops of layers.h, compiled once per instruction set. */
#include "layers.h"
#include "lanes.h"

/* Eight units, or the last few. */
LANES_INLINE Lanes part_of(const double *from, size_t left)
{
    return left >= LANES ? lanes_load(from) : lanes_load_tail(from, left);
}

LANES_INLINE void put_part(double *to, Lanes l, size_t left)
{
    if (left >= LANES)
        lanes_store(to, l);
    else
        lanes_store_tail(to, l, left);
}

/* Sixteen units at once: enough sums that none waits. */
static void forward(const double *w, size_t stride, const double *bias, const double *x, size_t inputs, size_t units,
                    double *out)
{
    size_t u = 0;
    for (; u + 2 * LANES <= units; u += 2 * LANES) {
        Lanes low = bias ? lanes_load(bias + u) : lanes_zero(), high = bias ? lanes_load(bias + u + LANES) : low;
        const double *row = w + u;
        for (size_t j = 0; j < inputs; j++, row += stride) {
            Lanes v = lanes_all(x[j]);
            low = lanes_add(low, lanes_mul(v, lanes_load(row)));
            high = lanes_add(high, lanes_mul(v, lanes_load(row + LANES)));
        }
        lanes_store(out + u, low);
        lanes_store(out + u + LANES, high);
    }
    for (; u < units; u += LANES) {
        Lanes sum = bias ? part_of(bias + u, units - u) : lanes_zero();
        for (size_t j = 0; j < inputs; j++)
            sum = lanes_add(sum, lanes_mul(lanes_all(x[j]), part_of(w + j * stride + u, units - u)));
        put_part(out + u, sum, units - u);
    }
}

const AnbLayerKernels ANB_PER_ISA(anb_layer_kernels) = {.forward = forward};

ANB_ISA_REGISTER(AnbLayerKernels, anb_layer_kernels)
