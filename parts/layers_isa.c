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

/* Four inputs by eight units: each delta loaded once for all four. */
LANES_INLINE void gradient_four(const double *x, size_t x_stride, const double *delta, size_t delta_stride,
                                size_t samples, double *g, size_t g_stride)
{
    Lanes a = lanes_zero(), b = a, c = a, d = a;
    for (size_t s = 0; s < samples; s++, x += x_stride, delta += delta_stride) {
        Lanes v = lanes_load(delta);
        a = lanes_add(a, lanes_mul(lanes_all(x[0]), v));
        b = lanes_add(b, lanes_mul(lanes_all(x[1]), v));
        c = lanes_add(c, lanes_mul(lanes_all(x[2]), v));
        d = lanes_add(d, lanes_mul(lanes_all(x[3]), v));
    }
    lanes_store(g, a);
    lanes_store(g + g_stride, b);
    lanes_store(g + 2 * g_stride, c);
    lanes_store(g + 3 * g_stride, d);
}

static void gradient(const double *x, size_t x_stride, const double *delta, size_t delta_stride, size_t samples,
                     size_t inputs, size_t units, double *g, size_t g_stride)
{
    for (size_t u = 0; u < units; u += LANES) {
        size_t j = 0;
        if (units - u >= LANES)
            for (; j + 4 <= inputs; j += 4)
                gradient_four(x + j, x_stride, delta + u, delta_stride, samples, g + j * g_stride + u, g_stride);
        for (; j < inputs; j++) {
            Lanes sum = lanes_zero();
            for (size_t s = 0; s < samples; s++)
                sum = lanes_add(sum, lanes_mul(lanes_all(x[s * x_stride + j]),
                                               part_of(delta + s * delta_stride + u, units - u)));
            put_part(g + j * g_stride + u, sum, units - u);
        }
    }
}

static double adam(double *p, double *m, double *v, const double *g, size_t n, const AnbAdam *how)
{
    const Lanes pace = lanes_all(how->pace), epsilon = lanes_all(how->epsilon), least = lanes_all(1e-280);
    const Lanes first = lanes_all(how->first), one_less_first = lanes_all(1 - how->first);
    const Lanes second = lanes_all(how->second), one_less_second = lanes_all(1 - how->second);
    Lanes written = lanes_zero();
    for (size_t i = 0; i < n; i += LANES) {
        size_t left = n - i;
        Lanes slope = part_of(g + i, left);
        Lanes mean = lanes_add(lanes_mul(first, part_of(m + i, left)), lanes_mul(one_less_first, slope));
        Lanes square = lanes_add(lanes_mul(second, part_of(v + i, left)),
                                 lanes_mul(one_less_second, lanes_mul(slope, slope)));
        square = lanes_max(least, square);
        Lanes step = lanes_div(lanes_mul(pace, mean), lanes_add(lanes_sqrt(square), epsilon));
        Lanes value = lanes_sub(part_of(p + i, left), step);
        put_part(m + i, mean, left);
        put_part(v + i, square, left);
        put_part(p + i, value, left);
        written = lanes_add(written, value);
    }
    return lanes_sick(written, p, n);
}

const AnbLayerKernels ANB_PER_ISA(anb_layer_kernels) = {.forward = forward, .gradient = gradient, .adam = adam};
