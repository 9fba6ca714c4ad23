/* The loops of knn_plane.h, compiled once per instruction set. */
#include "knn_plane.h"
#include "knn_turned.h"

/* Sixteen features of a row, from j on. */
LANES_INLINE Lanes sixteen_of(const AnbKnnRows *r, const float *x, size_t j)
{
    if (!r->which)
        return lanes_load(x + j);
    float some[LANES] = {0};
    for (size_t p = j; p < r->d && p < j + LANES; p++)
        some[p - j] = x[r->which[p]];
    return lanes_load(some);
}

static void offsets(const AnbKnnRows *rows, float near, float *u, float *place)
{
    const size_t stride = anb_ridge_plane_stride(rows->d);
    const float *first = rows->window + rows->index[0] * rows->row;
    for (size_t j = 0; j < rows->d; j += LANES) {
        const Lanes factor = lanes_mul(lanes_load(rows->root + j), lanes_all(near));
        const Lanes origin = sixteen_of(rows, first, j);
        lanes_store(place + j, lanes_mul(lanes_sub(lanes_load(rows->query + j), origin), factor));
        for (size_t i = 0; i < rows->k; i++) {
            const Lanes row = sixteen_of(rows, rows->window + rows->index[i] * rows->row, j);
            lanes_store(u + i * stride + j, lanes_mul(lanes_sub(row, origin), factor));
        }
    }
}

static void weights(const float *square, size_t n, float soft, float *share, float *weight)
{
    for (size_t i = 0; i < n; i += LANES) {
        Lanes root = lanes_root(lanes_load(square + i));
        lanes_store(share + i, root);
        lanes_store(weight + i, weight_of(root, soft));
    }
}

const AnbKnnPlaneKernels ANB_PER_ISA(anb_knn_plane_kernels) = {.offsets = offsets, .weights = weights};

ANB_ISA_REGISTER(AnbKnnPlaneKernels, anb_knn_plane_kernels)
