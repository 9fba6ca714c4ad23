/* The kernels of cuts.h, compiled once per instruction set. */
#include "cuts.h"
#include "src/simd/lanes.h"

enum { TOGETHER = 8 }; /* trees walked interleaved: each waits for its own loads only */

static void descend(const AnbCut *cuts, size_t trees, unsigned depth, const float *row, uint8_t *leaf)
{
    size_t size = (size_t)1 << depth;
    for (size_t t = 0; t < trees; t += TOGETHER, cuts += TOGETHER * size) {
        uint32_t k[TOGETHER];
        for (size_t u = 0; u < TOGETHER; u++)
            k[u] = 1;
        for (unsigned level = 0; level < depth; level++)
            for (size_t u = 0; u < TOGETHER; u++) {
                const AnbCut *cut = cuts + u * size + k[u];
                k[u] = 2 * k[u] + (row[cut->feature] > cut->threshold);
            }
        for (size_t u = 0; u < TOGETHER; u++)
            leaf[t + u] = (uint8_t)(k[u] - size);
    }
}

typedef uint8_t Bytes __attribute__((vector_size(LANES_BYTES), may_alias));
typedef uint8_t BytesMemory __attribute__((vector_size(LANES_BYTES), may_alias, aligned(1)));

/* Bits of LANES_BYTES rows at one level: all ones where a row stands at node `path` of the level and goes right. */
LANES_INLINE Bytes right_at(AnbCut cut, const uint8_t *codes, size_t features, Bytes path, unsigned node)
{
    size_t feature = cut.feature < features ? cut.feature : cut.feature - features;
    Bytes code = *(const BytesMemory *)(codes + feature * ANB_CUTS_BLOCK);
    code = (code + cut.missing_left) & (uint8_t)ANB_MISSING; /* 63 + 1 is 0: left of everything */
    return (Bytes)(code > (uint8_t)(cut.code + cut.missing_left)) & (Bytes)(path == (uint8_t)node);
}

static void apply(const AnbCut *cuts, unsigned depth, const uint8_t *codes, size_t features, uint8_t *leaf)
{
    for (size_t i = 0; i < ANB_CUTS_BLOCK; i += LANES_BYTES) {
        Bytes path = {0};
        for (unsigned level = 0; level < depth; level++) {
            Bytes right = {0};
            for (unsigned node = 0; node < 1u << level; node++) {
                AnbCut cut = cuts[(1u << level) + node];
                if (cut.code < ANB_MISSING)
                    right |= right_at(cut, codes + i, features, path, node);
            }
            path = path + path + (right & 1);
        }
        *(BytesMemory *)(leaf + i) = path;
    }
}

const AnbCutsKernels ANB_PER_ISA(anb_cuts_kernels) = {
    .descend = descend,
    .apply = apply,
};

ANB_ISA_REGISTER(AnbCutsKernels, anb_cuts_kernels)
