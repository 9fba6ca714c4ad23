/* The loops of knn_doubles.h, compiled once per instruction set. */
#include "src/simd/lanes.h"
#include "knn_doubles.h"
#include "knn_plane.h"

LANES_INLINE void store_as_floats(float *to, Lanes l)
{
#if LANES_BYTES == 64
    _mm256_storeu_ps(to, _mm512_cvtpd_ps((__m512d)l.a));
#elif LANES_BYTES == 32
    _mm_storeu_ps(to, _mm256_cvtpd_ps((__m256d)l.a));
    _mm_storeu_ps(to + 4, _mm256_cvtpd_ps((__m256d)l.b));
#else
#define LANES_OP(p, at)                                                                                                \
    to[at] = (float)l.p[0];                                                                                            \
    to[at + 1] = (float)l.p[1];
    LANES_EACH (LANES_OP)
#undef LANES_OP
#endif
}

static void cells(const double *x, size_t n, const double *inverse, const double *origin, double bound, float *out)
{
    const Lanes most = lanes_all(bound), least = lanes_all(-bound);
    for (size_t j = 0; j < n; j += LANES) {
        Lanes cell = lanes_div(lanes_load_doubles(x + j, n - j), lanes_load_doubles(inverse + j, n - j));
        cell = lanes_add(cell, lanes_load_doubles(origin + j, n - j));
        cell = lanes_where_above(cell, most, most, lanes_where_above(least, cell, least, cell));
        store_as_floats(out + j, cell);
    }
}

/* anb_knn_plane_narrow. */
LANES_INLINE Lanes narrow_of(Lanes range)
{
    const Lanes zero = lanes_zero();
    Lanes narrow = lanes_where_above(lanes_all(knn_range_most), range, lanes_div(lanes_all(1), range), zero);
    return lanes_where_above(range, lanes_all(1 / knn_range_most), narrow, zero);
}

/* The range of the targets of eight queries, from `lane` on. */
LANES_INLINE void targets_of_eight(const double *y, size_t k, double *low, double *high, float *target)
{
    enum { NEXT = ANB_RIDGE_PLANE_MANY };
    const Lanes first = lanes_load(y);
    Lanes least = first, most = first;
    for (size_t i = 1; i < k; i++) {
        const Lanes v = lanes_load(y + i * NEXT);
        least = lanes_min(v, least);
        most = lanes_max(v, most);
    }
    const Lanes narrow = narrow_of(lanes_sub(most, least));
    for (size_t i = 0; i < k; i++)
        store_as_floats(target + i * NEXT, lanes_mul(lanes_sub(lanes_load(y + i * NEXT), first), narrow));
    lanes_store(low, least);
    lanes_store(high, most);
}

static void targets(const double *y, size_t k, double *low, double *high, float *target)
{
    for (size_t q = 0; q < ANB_RIDGE_PLANE_MANY; q += LANES)
        targets_of_eight(y + q, k, low + q, high + q, target + q);
}

const AnbKnnDoublesKernels ANB_PER_ISA(anb_knn_doubles_kernels) = {.cells = cells, .targets = targets};

ANB_ISA_REGISTER(AnbKnnDoublesKernels, anb_knn_doubles_kernels)
