/* The hot loops of networks; compiled once per instruction set. network.h says what each does. */
#include "network.h"
#include "src/simd/lanes.h"
#include "elementary.h"

typedef uint64_t LanesBits __attribute__((vector_size(LANES_BYTES), may_alias));

/* cos(2 pi t) = sin(2 pi s), s = 1/4 - |t - nearest whole number| in +-1/4: the sine's series, to 1e-15. */
LANES_INLINE Lanes cosine_lanes(Lanes t, Lanes scale)
{
    static const double series[] = {0x1.2877020d52cf0p-10, -0x1.8a404211f9547p-7, 0x1.aaec32af93359p-4,
                                    -0x1.6fadb9f155744p-1, 0x1.e8f434d018d63p+1,  -0x1.e3074fde8871fp+3,
                                    0x1.50783487ee782p+5,  -0x1.32d2cce62bd86p+6, 0x1.466bc6775aae2p+6,
                                    -0x1.4abbce625be53p+5, 0x1.921fb54442d18p+2};
    const Lanes shift = lanes_all(0x1.8p52), most = lanes_all(0x1p50);
    t = lanes_max(lanes_min(t, most), lanes_sub(lanes_zero(), most)); /* what is not a number becomes 2^50 */
    Lanes off = lanes_sub(t, lanes_sub(lanes_add(t, shift), shift));
    Lanes s = lanes_sub(lanes_all(0.25), lanes_max(off, lanes_sub(lanes_zero(), off)));
    Lanes s2 = lanes_mul(s, s), sum = lanes_all(series[0]);
    for (size_t i = 1; i < sizeof series / sizeof *series; i++)
        sum = lanes_add(lanes_mul(sum, s2), lanes_all(series[i]));
    return lanes_mul(scale, lanes_mul(s, sum));
}

static void cosine(double *turns, size_t n, double scale)
{
    const Lanes factor = lanes_all(scale);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        lanes_store(turns + i, cosine_lanes(lanes_load(turns + i), factor));
    if (i < n)
        lanes_store_tail(turns + i, cosine_lanes(lanes_load_tail(turns + i, n - i), factor), n - i);
}

static void leaky(double *value, double *slope, size_t n, double leak)
{
    const Lanes zero = lanes_zero(), low = lanes_all(leak), one = lanes_all(1);
    for (size_t i = 0; i < n; i += LANES) {
        Lanes v = lanes_load(value + i);
        Lanes s = lanes_where_above(v, zero, one, low);
        lanes_store(slope + i, s);
        lanes_store(value + i, lanes_mul(s, v));
    }
}

/* Rows at once: each load of weights serves them all, and none of the sums waits for the one before it. As many as there are
 * registers for. */
enum { TOGETHER = LANES_BYTES == 64 ? 8 : 4 };

/* Eight units of several rows: what they say, rectified. */
LANES_INLINE void leaky_units(const double *w, size_t width, size_t features, double leak,
                              const double *const x[TOGETHER], Lanes unit[TOGETHER])
{
    const Lanes zero = lanes_zero(), low = lanes_all(leak), one = lanes_all(1);
    for (size_t r = 0; r < TOGETHER; r++)
        unit[r] = lanes_load(w + features * width);
    for (size_t j = 0; j < features; j++) {
        Lanes v = lanes_load(w + j * width);
        for (size_t r = 0; r < TOGETHER; r++)
            unit[r] = lanes_add(unit[r], lanes_mul(lanes_all(x[r][j]), v));
    }
    for (size_t r = 0; r < TOGETHER; r++)
        unit[r] = lanes_mul(lanes_where_above(unit[r], zero, one, low), unit[r]);
}

LANES_INLINE void add_block(Lanes sum[TOGETHER], Lanes by, const Lanes unit[TOGETHER])
{
    for (size_t r = 0; r < TOGETHER; r++)
        sum[r] = lanes_add(sum[r], lanes_mul(by, unit[r]));
}

/* The sum of each. */
LANES_INLINE void put_sums(const Lanes s[TOGETHER], double *out)
{
#if LANES_BYTES == 64
    lanes_store(out, lanes_sum8(s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]));
#else
    lanes_store_half(out, lanes_sum4(s[0], s[1], s[2], s[3]));
#endif
}

/* The output is a dot product over blocks of eight units, the constant one last: summed as lanes_dot does. */
LANES_INLINE void leaky_rows(const double *w, size_t width, size_t features, const double *v, double leak,
                             const double *const x[TOGETHER], double *out)
{
    static const double constant[LANES] = {1};
    Lanes even[TOGETHER], odd[TOGETHER], unit[TOGETHER];
    for (size_t r = 0; r < TOGETHER; r++)
        even[r] = odd[r] = lanes_zero();
    for (size_t u = 0; u < width; u += LANES) {
        leaky_units(w + u, width, features, leak, x, unit);
        add_block(u / LANES % 2 ? odd : even, lanes_load(v + u), unit);
    }
    for (size_t r = 0; r < TOGETHER; r++)
        unit[r] = lanes_load(constant);
    add_block(width / LANES % 2 ? odd : even, lanes_load(v + width), unit);
    for (size_t r = 0; r < TOGETHER; r++)
        even[r] = lanes_add(even[r], odd[r]);
    put_sums(even, out);
}

static void leaky_outputs(const double *w, size_t width, size_t features, const double *v, double leak, const double *x,
                          size_t stride, size_t rows, double *out)
{
    for (size_t i = 0; i < rows; i += TOGETHER) {
        const double *at[TOGETHER];
        double all[TOGETHER];
        for (size_t r = 0; r < TOGETHER; r++)
            at[r] = x + (i + r < rows ? i + r : rows - 1) * stride;
        leaky_rows(w, width, features, v, leak, at, all);
        for (size_t r = 0; r < TOGETHER && i + r < rows; r++)
            out[i + r] = all[r];
    }
}

static void bounded_rows(const double *x, size_t stride, size_t rows, size_t n, double bound, double *out)
{
    const Lanes high = lanes_all(bound), low = lanes_all(-bound);
    for (size_t i = 0; i < rows; i++, x += stride, out += n) {
        size_t j = 0;
        for (; j + LANES <= n; j += LANES)
            lanes_store(out + j, lanes_max(low, lanes_min(high, lanes_load(x + j))));
        if (j < n)
            lanes_store_tail(out + j, lanes_max(low, lanes_min(high, lanes_load_tail(x + j, n - j))), n - j);
    }
}

static void gates(const double *gate, const double *up, size_t n, double steep, double cubic, double *value,
                  double *by_gate, double *by_up)
{
    for (size_t i = 0; i < n; i++) {
        double g = gate[i], square = g * g;
        double u = steep * (g + cubic * square * g);
        double bounded = u > 700 ? 700 : u < -700 ? -700 : u;
        double s = 1 / (1 + anb_exp(-bounded));
        double slope = s + g * s * (1 - s) * steep * (1 + 3 * cubic * square);
        double factor = up ? up[i] : 1;
        value[i] = g * s * factor;
        by_gate[i] = slope * factor;
        if (up)
            by_up[i] = g * s;
    }
}

static void scaled_product(double *out, double a, const double *x, const double *y, size_t n)
{
    const Lanes factor = lanes_all(a);
    for (size_t i = 0; i < n; i += LANES)
        lanes_store(out + i, lanes_mul(lanes_mul(factor, lanes_load(x + i)), lanes_load(y + i)));
}

/* 1/sqrt(v) to 5e-6 for v in 1e-300 .. 1e300: the bits' first guess, two of Newton's steps. Costs less than a division.
 */
LANES_INLINE Lanes inverse_root(Lanes v)
{
    const Lanes half = lanes_mul(lanes_all(0.5), v), three_halves = lanes_all(1.5);
    Lanes r;
#define LANES_OP(p, at) r.p = (LanesPart)(0x5fe6eb50c7b537a9u - ((LanesBits)v.p >> 1));
    LANES_EACH (LANES_OP)
#undef LANES_OP
        for (int i = 0; i < 2; i++)
            r = lanes_mul(r, lanes_sub(three_halves, lanes_mul(half, lanes_mul(r, r))));
    return r;
}

/* Adam's numbers in every lane. */
typedef struct Step {
    Lanes rate, momentum, momentum_rest, decay, decay_rest, square_scale, average, tiny;
} Step;

LANES_INLINE Step spread(const AnbNetworkPace *adam)
{
    return (Step){lanes_all(adam->rate * adam->mean_scale),
                  lanes_all(adam->momentum),
                  lanes_all(1 - adam->momentum),
                  lanes_all(adam->decay),
                  lanes_all(1 - adam->decay),
                  lanes_all(adam->square_scale),
                  lanes_all(adam->average),
                  lanes_all(1e-16)};
}

/* Eight weights by their gradient; the mean square is held above 1e-16, which stands for Adam's epsilon. Returns the products of
 * the weights before and their gradient. */
LANES_INLINE Lanes adam_lanes(AnbNetworkRows w, size_t at, Lanes g, const Step *s)
{
    Lanes before = lanes_load(w.value + at), pull = lanes_mul(before, g);
    Lanes square = lanes_add(lanes_mul(s->decay, lanes_load(w.square + at)),
                             lanes_mul(s->decay_rest, lanes_add(lanes_mul(g, g), s->tiny)));
    lanes_store(w.square + at, square);
    if (w.mean) {
        g = lanes_add(lanes_mul(s->momentum, lanes_load(w.mean + at)), lanes_mul(s->momentum_rest, g));
        lanes_store(w.mean + at, g);
    }
    Lanes by = lanes_mul(lanes_mul(s->rate, g), inverse_root(lanes_mul(square, s->square_scale)));
    Lanes value = lanes_sub(before, by), averaged = lanes_load(w.averaged + at);
    lanes_store(w.value + at, value);
    lanes_store(w.averaged + at, lanes_add(averaged, lanes_mul(s->average, lanes_sub(value, averaged))));
    return pull;
}

LANES_INLINE Lanes descent_lanes(AnbNetworkRows w, size_t at, Lanes g, const Step *s)
{
    Lanes before = lanes_load(w.value + at), pull = lanes_mul(before, g);
    Lanes value = lanes_sub(before, lanes_mul(s->rate, g)), averaged = lanes_load(w.averaged + at);
    lanes_store(w.value + at, value);
    lanes_store(w.averaged + at, lanes_add(averaged, lanes_mul(s->average, lanes_sub(value, averaged))));
    return pull;
}

/* The gradient of `blocks` groups of eight weights of one row. */
LANES_INLINE void gradient(Lanes *sum, size_t blocks, const double *x, size_t x_stride, const double *g,
                           size_t g_stride, size_t samples)
{
    for (size_t b = 0; b < blocks; b++)
        sum[b] = lanes_mul(lanes_all(x[0]), lanes_load(g + b * LANES));
    for (size_t s = 1; s < samples; s++) {
        Lanes v = lanes_all(x[s * x_stride]);
        for (size_t b = 0; b < blocks; b++)
            sum[b] = lanes_add(sum[b], lanes_mul(v, lanes_load(g + s * g_stride + b * LANES)));
    }
}

#define STEP_FUNCTION(name, each)                                                                                      \
    static void name(AnbNetworkRows w, size_t rows, size_t width, const double *x, size_t x_stride, const double *g,   \
                     size_t g_stride, size_t samples, const AnbNetworkPace *adam, double *pull)                        \
    {                                                                                                                  \
        const Step step = spread(adam);                                                                                \
        for (size_t j = 0; j < rows; j++) {                                                                            \
            size_t h = 0;                                                                                              \
            Lanes sum[4], pulled = lanes_zero();                                                                       \
            for (; h + 4 * LANES <= width; h += 4 * LANES) {                                                           \
                gradient(sum, 4, x + j, x_stride, g + h, g_stride, samples);                                           \
                for (size_t b = 0; b < 4; b++)                                                                         \
                    pulled = lanes_add(pulled, each(w, j * width + h + b * LANES, sum[b], &step));                     \
            }                                                                                                          \
            for (; h < width; h += LANES) {                                                                            \
                gradient(sum, 1, x + j, x_stride, g + h, g_stride, samples);                                           \
                pulled = lanes_add(pulled, each(w, j * width + h, sum[0], &step));                                     \
            }                                                                                                          \
            if (pull)                                                                                                  \
                pull[j] += lanes_sum(pulled);                                                                          \
        }                                                                                                              \
    }
STEP_FUNCTION(adam, adam_lanes)
STEP_FUNCTION(descent, descent_lanes)

const AnbNetworkKernels ANB_PER_ISA(anb_network_kernels) = {
    .cosine = cosine,
    .leaky = leaky,
    .leaky_outputs = leaky_outputs,
    .bounded_rows = bounded_rows,
    .gates = gates,
    .scaled_product = scaled_product,
    .adam = adam,
    .descent = descent,
};

ANB_ISA_REGISTER(AnbNetworkKernels, anb_network_kernels)
