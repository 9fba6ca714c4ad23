/* The hot loops over doubles; compiled once per instruction set. kernels.h says what each does. */
#include "kernels.h"
#include "lanes.h"
#include "lanes_moments.h"
#include "lanes_softmax.h"

static double dot(const double *a, const double *b, size_t n)
{
    return lanes_dot(a, b, n);
}

static double dot_and_square(const double *w, const double *x, size_t n, double *square)
{
    return lanes_dot_and_square(w, x, n, false, square);
}

static double axpy(double *w, double a, const double *x, size_t n)
{
    const Lanes factor = lanes_all(a);
    Lanes even = lanes_zero(), odd = lanes_zero();
    size_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        Lanes v = lanes_add(lanes_load(w + i), lanes_mul(factor, lanes_load(x + i)));
        Lanes u = lanes_add(lanes_load(w + i + LANES), lanes_mul(factor, lanes_load(x + i + LANES)));
        lanes_store(w + i, v);
        lanes_store(w + i + LANES, u);
        even = lanes_add(even, v);
        odd = lanes_add(odd, u);
    }
    if (i + LANES <= n) {
        Lanes v = lanes_add(lanes_load(w + i), lanes_mul(factor, lanes_load(x + i)));
        lanes_store(w + i, v);
        even = lanes_add(even, v);
        i += LANES;
    }
    if (i < n) {
        Lanes v = lanes_add(lanes_load_tail(w + i, n - i), lanes_mul(factor, lanes_load_tail(x + i, n - i)));
        lanes_store_tail(w + i, v, n - i);
        odd = lanes_add(odd, v);
    }
    return lanes_sick(lanes_add(even, odd), w, n);
}

static double finite(const double *x, size_t n)
{
    Lanes even = lanes_zero(), odd = lanes_zero();
    size_t i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
        even = lanes_add(even, lanes_load(x + i));
        odd = lanes_add(odd, lanes_load(x + i + LANES));
    }
    if (i + LANES <= n) {
        even = lanes_add(even, lanes_load(x + i));
        i += LANES;
    }
    if (i < n)
        odd = lanes_add(odd, lanes_load_tail(x + i, n - i));
    return lanes_sick(lanes_add(even, odd), x, n);
}

/* `rows` scores at once: their sums do not wait for each other, and x is read once. */
LANES_INLINE void scores(const double *w, size_t stride, size_t rows, const double *x, size_t d, double *z)
{
    Lanes sum[4];
    size_t i = 0;
    for (size_t r = 0; r < rows; r++)
        sum[r] = lanes_zero();
    for (; i + LANES <= d; i += LANES) {
        Lanes v = lanes_load(x + i);
        for (size_t r = 0; r < rows; r++)
            sum[r] = lanes_add(sum[r], lanes_mul(lanes_load(w + r * stride + i), v));
    }
    if (i < d) {
        Lanes v = lanes_load_tail(x + i, d - i);
        for (size_t r = 0; r < rows; r++)
            sum[r] = lanes_add(sum[r], lanes_mul(lanes_load_tail(w + r * stride + i, d - i), v));
    }
    for (size_t r = 0; r < rows; r++)
        z[r] = lanes_sum(sum[r]);
}

static void gate_scores(const double *w, size_t stride, size_t k, const double *x, size_t d, double *z)
{
    size_t i = 0;
    for (; i + 4 <= k; i += 4)
        scores(w + i * stride, stride, 4, x, d, z + i);
    for (; i < k; i++)
        scores(w + i * stride, stride, 1, x, d, z + i);
}

LANES_INLINE Lanes step_rows(double *w, size_t stride, size_t rows, const double *c, const double *x, size_t d,
                             double *z)
{
    Lanes sum[4], factor[4], written = lanes_zero();
    size_t i = 0;
    for (size_t r = 0; r < rows; r++) {
        sum[r] = lanes_zero();
        factor[r] = lanes_all(c[r]);
    }
    for (; i + LANES <= d; i += LANES) {
        Lanes v = lanes_load(x + i);
        for (size_t r = 0; r < rows; r++) {
            Lanes new = lanes_sub(lanes_load(w + r * stride + i), lanes_mul(factor[r], v));
            lanes_store(w + r * stride + i, new);
            written = lanes_add(written, new);
            sum[r] = lanes_add(sum[r], lanes_mul(new, v));
        }
    }
    if (i < d) {
        Lanes v = lanes_load_tail(x + i, d - i);
        for (size_t r = 0; r < rows; r++) {
            Lanes new = lanes_sub(lanes_load_tail(w + r * stride + i, d - i), lanes_mul(factor[r], v));
            lanes_store_tail(w + r * stride + i, new, d - i);
            written = lanes_add(written, new);
            sum[r] = lanes_add(sum[r], lanes_mul(new, v));
        }
    }
    for (size_t r = 0; r < rows; r++)
        z[r] = lanes_sum(sum[r]);
    return written;
}

static double gate_step(double *w, size_t stride, size_t k, const double *c, const double *x, size_t d, double *z)
{
    Lanes written = lanes_zero();
    double all, bad = 0;
    size_t i = 0;
    for (; i + 4 <= k; i += 4)
        written = lanes_add(written, step_rows(w + i * stride, stride, 4, c + i, x, d, z + i));
    for (; i < k; i++)
        written = lanes_add(written, step_rows(w + i * stride, stride, 1, c + i, x, d, z + i));
    all = lanes_sum(written);
    if (__builtin_expect(all - all == 0, 1))
        return 0;
    for (i = 0; i < k; i++)
        bad += finite(w + i * stride, d);
    return bad;
}

/* Eight logits from the i-th on, or the last few. */
LANES_INLINE Lanes logits(const double *z, size_t i, size_t k)
{
    return k - i < LANES ? lanes_logits(lanes_load_tail(z + i, k - i), k - i) : lanes_load(z + i);
}

LANES_INLINE void put(double *p, size_t i, size_t k, Lanes l)
{
    if (k - i < LANES)
        lanes_store_tail(p + i, l, k - i);
    else
        lanes_store(p + i, l);
}

static void softmax(const double *z, size_t k, double *p, AnbSoftmax *what)
{
    LanesSoftmax s = {lanes_highest(logits(z, 0, k), k), lanes_zero(), lanes_zero()};
    double part;
    for (size_t i = LANES; i < k; i += LANES) {
        double top = lanes_top(logits(z, i, k));
        s.top = top > s.top ? top : s.top;
    }
    for (size_t i = LANES; i < k; i += LANES)
        put(p, i, k, lanes_softmax_add(&s, logits(z, i, k)));
    Lanes first = lanes_softmax_add(&s, logits(z, 0, k));
    *what = lanes_softmax_end(&s, k, &part);
    put(p, 0, k, lanes_mul(first, lanes_all(part)));
    for (size_t i = LANES; i < k; i++)
        p[i] *= part;
    for (size_t i = 0; i < k && !(part > 0); i++)
        p[i] = 1 / (double)k;
}

LANES_INLINE Lanes clipped(Lanes x, Lanes mean, Lanes inv_sd, Lanes low, Lanes high)
{
    Lanes z = lanes_mul(lanes_sub(x, mean), inv_sd);
    return lanes_where_number(z, lanes_max(low, lanes_min(high, z)), lanes_zero());
}

static void standardize(const double *x, const double *mean, const double *inv_sd, double clip, size_t n, double *z)
{
    const Lanes low = lanes_all(-clip), high = lanes_all(clip);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        lanes_store(z + i, clipped(lanes_load(x + i), lanes_load(mean + i), lanes_load(inv_sd + i), low, high));
    if (i < n) {
        size_t left = n - i;
        lanes_store_tail(z + i,
                         clipped(lanes_load_tail(x + i, left), lanes_load_tail(mean + i, left),
                                 lanes_load_tail(inv_sd + i, left), low, high),
                         left);
    }
}

static double standardize_dot(const double *x, const double *mean, const double *inv_sd, double clip, const double *w,
                              size_t n, double *z, double *norm)
{
    const Lanes low = lanes_all(-clip), high = lanes_all(clip);
    Lanes product = lanes_zero(), square = lanes_zero();
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        Lanes v = clipped(lanes_load(x + i), lanes_load(mean + i), lanes_load(inv_sd + i), low, high);
        lanes_store(z + i, v);
        product = lanes_add(product, lanes_mul(lanes_load(w + i), v));
        square = lanes_add(square, lanes_mul(v, v));
    }
    if (i < n) {
        size_t left = n - i;
        Lanes v = clipped(lanes_load_tail(x + i, left), lanes_load_tail(mean + i, left),
                          lanes_load_tail(inv_sd + i, left), low, high);
        lanes_store_tail(z + i, v, left);
        product = lanes_add(product, lanes_mul(lanes_load_tail(w + i, left), v));
        square = lanes_add(square, lanes_mul(v, v));
    }
    *norm = lanes_sum(square);
    return lanes_sum(product);
}

static double raw_weights(const double *w, const double *mean, const double *inv_sd, size_t n, double *b)
{
    Lanes sum = lanes_zero();
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        Lanes v = lanes_mul(lanes_load(w + i), lanes_load(inv_sd + i));
        lanes_store(b + i, v);
        sum = lanes_add(sum, lanes_mul(v, lanes_load(mean + i)));
    }
    if (i < n) {
        Lanes v = lanes_mul(lanes_load_tail(w + i, n - i), lanes_load_tail(inv_sd + i, n - i));
        lanes_store_tail(b + i, v, n - i);
        sum = lanes_add(sum, lanes_mul(v, lanes_load_tail(mean + i, n - i)));
    }
    return lanes_sum(sum);
}

/* Beyond which size a value becomes 0: `times` its reach, or `trusted` its reach if the bound is above clip; clip if
 * the reach is negative. */
typedef struct Outmost {
    Lanes times, trusted, clip;
} Outmost;

LANES_INLINE Lanes within(Lanes x, Lanes mean, Lanes inv_sd, Lanes bound, Lanes reach, const Outmost *out)
{
    const Lanes zero = lanes_zero(), low = lanes_sub(zero, bound);
    const Lanes times = lanes_where_above(bound, out->clip, out->trusted, out->times);
    const Lanes most = lanes_where_above(reach, zero, lanes_mul(times, reach), out->clip);
    Lanes z = lanes_mul(lanes_sub(x, mean), inv_sd), size = lanes_max(z, lanes_sub(zero, z));
    Lanes kept = lanes_where_above(size, most, zero, lanes_max(low, lanes_min(bound, z)));
    return lanes_where_number(z, kept, zero);
}

/* 2 where |z| has reached `bound` or `clip`, 1 where z is 0, else 0. */
LANES_INLINE Lanes place_of(Lanes z, Lanes bound, Lanes clip)
{
    const Lanes zero = lanes_zero(), one = lanes_all(1);
    Lanes size = lanes_max(z, lanes_sub(zero, z)), inner = lanes_where_above(size, zero, zero, one);
    return lanes_where_above(lanes_min(bound, clip), size, inner, lanes_all(2));
}

static double standardize_within(const double *x, const double *mean, const double *inv_sd, const double *bound,
                                 const double *reach, double far, double trust, double clip, size_t n, double *z)
{
    const Outmost out = {lanes_all(far), lanes_all(trust), lanes_all(clip)};
    Lanes most = lanes_zero();
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        const Lanes least = lanes_load(bound + i);
        Lanes made =
            within(lanes_load(x + i), lanes_load(mean + i), lanes_load(inv_sd + i), least, lanes_load(reach + i), &out);
        lanes_store(z + i, made);
        most = lanes_max(most, place_of(made, least, out.clip));
    }
    if (i < n) {
        const size_t left = n - i;
        const Lanes least = lanes_load_tail(bound + i, left);
        Lanes made = within(lanes_load_tail(x + i, left), lanes_load_tail(mean + i, left),
                            lanes_load_tail(inv_sd + i, left), least, lanes_load_tail(reach + i, left), &out);
        lanes_store_tail(z + i, made, left);
        most = lanes_max(most, lanes_first(place_of(made, least, out.clip), left, 0));
    }
    return lanes_top(most);
}

/* common, up or down by a factor. */
LANES_INLINE Lanes nearer(Lanes common, Lanes z, Lanes up, Lanes down, Lanes least)
{
    Lanes size = lanes_max(z, lanes_sub(lanes_zero(), z));
    return lanes_max(lanes_mul(common, lanes_where_above(size, common, up, down)), least);
}

static void follow_size(double *common, const double *z, double up, double down, double least, size_t n)
{
    const Lanes more = lanes_all(up), less = lanes_all(down), bottom = lanes_all(least);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        lanes_store(common + i, nearer(lanes_load(common + i), lanes_load(z + i), more, less, bottom));
    if (i < n) {
        Lanes next = nearer(lanes_load_tail(common + i, n - i), lanes_load_tail(z + i, n - i), more, less, bottom);
        lanes_store_tail(common + i, next, n - i);
    }
}

static double moments_update(double *count, double *mean, double *m2, double *inv_sd, const double *x, double weight,
                             size_t n)
{
    return inv_sd ? lanes_moments_all(count, mean, m2, inv_sd, x, weight, n, 1)
                  : lanes_moments_all(count, mean, m2, inv_sd, x, weight, n, 0);
}

static double entropy(const double *p, size_t k)
{
    const Lanes least = lanes_all(1e-15), one = lanes_all(1);
    double term[LANES], sum = 0;
    for (size_t i = 0; i < k; i += LANES) {
        const size_t n = k - i < LANES ? k - i : LANES;
        Lanes v = lanes_load_doubles(p + i, n);
        v = lanes_where_above(v, least, v, one); /* log 1 = 0 */
        lanes_store(term, lanes_mul(v, lanes_log(v)));
        for (size_t j = 0; j < n; j++)
            sum -= term[j];
    }
    return sum;
}

static double follow(double *mean, const double *now, double rate, size_t k)
{
    Lanes least = lanes_all(__builtin_inf());
    for (size_t i = 0; i < k; i += LANES) {
        Lanes m = lanes_load(mean + i), gap = lanes_sub(lanes_load(now + i), m);
        m = lanes_add(m, lanes_mul(lanes_all(rate), gap));
        lanes_store(mean + i, m);
        least = lanes_min(least, k - i < LANES ? lanes_first(m, k - i, __builtin_inf()) : m);
    }
    return -lanes_top(lanes_sub(lanes_zero(), least));
}

static void log1p_all(double *x, size_t n)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        lanes_store(x + i, lanes_log1p(lanes_load(x + i)));
    if (i < n)
        lanes_store_tail(x + i, lanes_log1p(lanes_load_tail(x + i, n - i)), n - i);
}

/* The bits of 16 cells, or of the last few. */
LANES_INLINE uint64_t any_bits(const double *x, size_t n)
{
    uint64_t any = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        __builtin_memcpy(&bits, x + i, sizeof bits);
        any |= bits;
    }
    return any;
}

/* How many of n cells are plainly not zero, n a multiple of LANES. */
LANES_INLINE double plain_cells(const double *x, size_t n)
{
    const Lanes zero = lanes_zero(), one = lanes_all(1);
    Lanes count = zero;
    for (size_t i = 0; i < n; i += LANES) {
        Lanes v = lanes_load(x + i);
        count = lanes_add(count, lanes_where_above(lanes_max(v, lanes_sub(zero, v)), zero, one, zero));
    }
    return lanes_sum(count);
}

static void keep(const double *x, double bound, const double *inverse, const double *origin, size_t n, float *kept)
{
    const Lanes most = lanes_all(bound), least = lanes_all(-bound);
    for (size_t i = 0; i < n; i += LANES) {
        Lanes cell = lanes_max(least, lanes_min(most, lanes_load_doubles(x + i, n - i)));
        cell =
            lanes_add(lanes_div(cell, lanes_load_doubles(inverse + i, n - i)), lanes_load_doubles(origin + i, n - i));
        lanes_store_floats(kept + i, cell, n - i);
    }
}

/* Appends the indices from i to end - 1 of cells whose bits are not all 0 to a list of `found`; returns its
 * new length. */
LANES_INLINE size_t list_cells(const double *x, size_t i, size_t end, uint32_t *at, size_t found)
{
    for (; i < end; i++) {
        at[found] = (uint32_t)i;
        found += any_bits(x + i, 1) != 0;
    }
    return found;
}

/* The first cells show whether a row is dense. In other rows most groups of cells are 0, and in the rest most parts of
 * a group. */
static size_t positions(const double *x, size_t n, uint32_t *at, size_t most)
{
    enum { PART = 2 * LANES, GROUP = 8 * LANES };
    size_t found = 0, i = 0, first = (most / LANES + 1) * LANES;
    if (first <= n && plain_cells(x, first) > (double)most)
        return most + 1;
    for (; i + GROUP <= n && found <= most; i += GROUP) {
        if (any_bits(x + i, GROUP) == 0)
            continue;
        for (size_t j = i; j < i + GROUP && found <= most; j += PART)
            if (any_bits(x + j, PART) != 0)
                found = list_cells(x, j, j + PART, at, found);
    }
    for (; i < n && found <= most; i += PART)
        found = list_cells(x, i, n - i < PART ? n : i + PART, at, found);
    return found <= most ? found : most + 1;
}

const AnbKernels ANB_PER_ISA(anb_kernels) = {
    .dot = dot,
    .dot_and_square = dot_and_square,
    .axpy = axpy,
    .finite = finite,
    .gate_scores = gate_scores,
    .gate_step = gate_step,
    .softmax = softmax,
    .standardize = standardize,
    .standardize_dot = standardize_dot,
    .raw_weights = raw_weights,
    .standardize_within = standardize_within,
    .follow_size = follow_size,
    .moments_update = moments_update,
    .follow = follow,
    .entropy = entropy,
    .log1p_all = log1p_all,
    .keep = keep,
    .positions = positions,
};

ANB_ISA_REGISTER(AnbKernels, anb_kernels)
