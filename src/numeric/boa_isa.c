/* The loops of boa_kernels.h, compiled once per instruction set. */
#include "boa_kernels.h"
#include "src/simd/lanes_math.h"
#include <math.h>

static const double FLOOR = 0x1p-900; /* a V below it is not discounted, so that a flawless expert keeps its V */
static const double MOST = 0x1p200;   /* of |r| in units: what a weight can drive it to */
static const double ASLEEP = -0.5;    /* between the V of those that sleep, -1, and 0 */

/* Eight values, or the last few and `rest` behind them. */
LANES_INLINE Lanes part_of(const double *from, size_t left, double rest)
{
    static const double index[LANES] = {0, 1, 2, 3, 4, 5, 6, 7};
    if (left >= LANES)
        return lanes_load(from);
    return lanes_where_above(lanes_all((double)left), lanes_load(index), lanes_load_tail(from, left), lanes_all(rest));
}

LANES_INLINE void put_part(double *to, Lanes l, size_t left)
{
    if (left >= LANES)
        lanes_store(to, l);
    else
        lanes_store_tail(to, l, left);
}

static void follow(double *r, double *v, double *log, const double *f, size_t k, const AnbBoaSample *sample,
                   double *least, double *top)
{
    const Lanes zero = lanes_zero(), none = lanes_all(ASLEEP), mix = lanes_all(sample->mix);
    const Lanes both = lanes_all(sample->both), inverse = lanes_all(sample->inverse);
    Lanes low = lanes_all(HUGE_VAL), high = lanes_all(-HUGE_VAL);
    double lows[LANES], highs[LANES];
    for (size_t i = 0; i < k; i += LANES) {
        Lanes old = part_of(v + i, k - i, -1), regret = part_of(r + i, k - i, 0);
        Lanes g = lanes_where_above(old, lanes_all(FLOOR), lanes_all(sample->discount), lanes_all(1));
        Lanes q = lanes_mul(both, lanes_mul(lanes_sub(mix, part_of(f + i, k - i, 0)), inverse));
        Lanes past = lanes_mul(lanes_mul(g, g), old);
        Lanes cap = lanes_sqrt(lanes_mul(lanes_max(past, zero), lanes_all(sample->share)));
        cap = lanes_where_above(old, zero, lanes_min(lanes_all(MOST), cap), lanes_all(MOST));
        q = lanes_max(lanes_sub(zero, cap), lanes_min(cap, q));
        Lanes square = lanes_mul(q, q);
        Lanes now = lanes_add(past, lanes_mul(lanes_all(2.2), square));
        Lanes root = lanes_sqrt(lanes_max(now, zero));
        Lanes gain = lanes_where_above(now, zero, lanes_sub(q, lanes_div(square, root)), zero);
        Lanes moved = lanes_add(lanes_mul(g, regret), gain);
        Lanes score = lanes_where_above(now, zero, lanes_div(moved, root), zero);
        low = lanes_min(low, lanes_where_above(old, none, now, lanes_all(HUGE_VAL)));
        high = lanes_max(high, lanes_where_above(old, none, score, lanes_all(-HUGE_VAL)));
        put_part(v + i, lanes_where_above(old, none, now, old), k - i);
        put_part(r + i, lanes_where_above(old, none, moved, regret), k - i);
        put_part(log + i, lanes_where_above(old, none, score, zero), k - i);
    }
    lanes_store(lows, low);
    lanes_store(highs, high);
    *least = lows[0];
    *top = highs[0];
    for (size_t i = 1; i < LANES; i++) {
        *least = lows[i] < *least ? lows[i] : *least;
        *top = highs[i] > *top ? highs[i] : *top;
    }
}

static void weigh(const double *log, const double *v, size_t k, double top, double *w)
{
    const Lanes zero = lanes_zero(), none = lanes_all(ASLEEP);
    Lanes sum = zero;
    for (size_t i = 0; i < k; i += LANES) {
        Lanes second = part_of(v + i, k - i, -1);
        Lanes grown = lanes_exp(lanes_sub(part_of(log + i, k - i, 0), lanes_all(top)));
        Lanes raw = lanes_div(grown, lanes_sqrt(lanes_max(second, zero)));
        Lanes weight = lanes_where_above(second, none, raw, zero);
        sum = lanes_add(sum, weight);
        put_part(w + i, weight, k - i);
    }
    double part = 1 / lanes_sum(sum);
    for (size_t i = 0; i < k; i++)
        w[i] *= part;
}

const AnbBoaKernels ANB_PER_ISA(anb_boa_kernels) = {follow, weigh};

ANB_ISA_REGISTER(AnbBoaKernels, anb_boa_kernels)
