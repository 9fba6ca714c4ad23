/* The loops of products.h, compiled once per instruction set. */
#include "products.h"
#include "lanes.h"

/* half * other, bounded. */
LANES_INLINE Lanes product_within(Lanes half, Lanes other)
{
    return lanes_max(lanes_min(lanes_mul(half, other), lanes_all(1e300)), lanes_all(-1e300));
}

static void products(const double *x, size_t d, double *u)
{
    for (size_t i = 0; i < d; u += d - i, i++) {
        const Lanes half = lanes_all(.5 * x[i]);
        for (size_t j = i; j < d; j += LANES) {
            Lanes other = d - j < LANES ? lanes_load_tail(x + j, d - j) : lanes_load(x + j);
            lanes_store(u + (j - i), product_within(half, other));
        }
    }
}

#if LANES_BYTES == 64
/* The indices of the factors of each product, filled up to whole blocks. */
typedef struct Factors {
    long long left[ANB_PRODUCTS_D * (ANB_PRODUCTS_D + 1) / 2 + LANES],
        right[ANB_PRODUCTS_D * (ANB_PRODUCTS_D + 1) / 2 + LANES];
} Factors;

LANES_INLINE void find_factors(size_t d, Factors *f)
{
    size_t k = 0;
    for (size_t i = 0; i < d; i++)
        for (size_t j = i; j < d; j++, k++) {
            f->left[k] = (long long)i;
            f->right[k] = (long long)j;
        }
    for (; k % LANES != 0; k++)
        f->left[k] = f->right[k] = 0;
}

/* The cells at eight indices into up to three blocks. */
LANES_INLINE Lanes cells_at(const Lanes x[3], const size_t blocks, const long long *index)
{
    const __m512i at = _mm512_loadu_si512(index);
    if (blocks == 1)
        return (Lanes){(LanesPart)_mm512_permutexvar_pd(at, (__m512d)x[0].a)};
    __m512d low = _mm512_permutex2var_pd((__m512d)x[0].a, at, (__m512d)x[1].a);
    if (blocks == 2)
        return (Lanes){(LanesPart)low};
    return (Lanes){(LanesPart)_mm512_mask_permutexvar_pd(low, _mm512_test_epi64_mask(at, _mm512_set1_epi64(16)), at,
                                                         (__m512d)x[2].a)};
}

LANES_INLINE void products_by_factors(const double *x, size_t stride, size_t rows, const double *centre, size_t d,
                                      const size_t blocks, double *u, size_t u_stride)
{
    Factors f;
    const size_t n = d * (d + 1) / 2;
    find_factors(d, &f);
    for (size_t i = 0; i < rows; i++, x += stride, u += u_stride) {
        Lanes away[3], half[3];
        for (size_t b = 0; b < blocks; b++) {
            const size_t left = d - b * LANES;
            away[b] = lanes_sub(lanes_load_doubles(x + b * LANES, left), lanes_load_doubles(centre + b * LANES, left));
            half[b] = lanes_mul(lanes_all(.5), away[b]);
        }
        for (size_t k = 0; k < n; k += LANES)
            lanes_store(u + k, product_within(cells_at(half, blocks, f.left + k), cells_at(away, blocks, f.right + k)));
    }
}

static void products_of_rows(const double *x, size_t stride, size_t rows, const double *centre, size_t d, double *u,
                             size_t u_stride)
{
    if (d <= LANES)
        products_by_factors(x, stride, rows, centre, d, 1, u, u_stride);
    else if (d <= 2 * LANES)
        products_by_factors(x, stride, rows, centre, d, 2, u, u_stride);
    else
        products_by_factors(x, stride, rows, centre, d, 3, u, u_stride);
}
#else
static void products_of_rows(const double *x, size_t stride, size_t rows, const double *centre, size_t d, double *u,
                             size_t u_stride)
{
    double away[ANB_PRODUCTS_D];
    for (size_t i = 0; i < rows; i++, x += stride, u += u_stride) {
        for (size_t j = 0; j < d; j++)
            away[j] = x[j] - centre[j];
        products(away, d, u);
    }
}
#endif

const AnbProductKernels ANB_PER_ISA(anb_product_kernels) = {.products = products, .of_rows = products_of_rows};

ANB_ISA_REGISTER(AnbProductKernels, anb_product_kernels)
