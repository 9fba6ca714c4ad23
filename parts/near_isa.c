/* The loops of near.h, compiled once per instruction set. */
#include "lanes.h"
#include "near.h"

enum { PARTS = ANB_NEAR_ROWS * 4 / LANES_BYTES, PART_ROWS = LANES_BYTES / 4 }; /* vectors to a block; floats to one */

typedef float Part __attribute__((vector_size(LANES_BYTES), may_alias));
typedef float PartMemory __attribute__((vector_size(LANES_BYTES), may_alias, aligned(4)));
typedef int32_t PartMask __attribute__((vector_size(LANES_BYTES), may_alias));

#define LOAD(p) (*(const PartMemory *)(p))
#define STORE(p, v) (*(PartMemory *)(p) = (v))

LANES_INLINE Part least(Part a, Part b)
{
    PartMask mask = a < b;
    return (Part)((mask & (PartMask)a) | (~mask & (PartMask)b));
}

/* One block: PARTS sums side by side, feature after feature. */
LANES_INLINE void block_distances(const float *block, size_t d, const float *query, const float *weight, Part *sum)
{
    for (int p = 0; p < PARTS; p++)
        sum[p] = (Part){0};
    for (size_t j = 0; j < d; j++, block += ANB_NEAR_ROWS) {
        Part q = query[j] - (Part){0}, w = weight[j] - (Part){0};
        for (int p = 0; p < PARTS; p++) {
            Part off = LOAD(block + p * PART_ROWS) - q;
            sum[p] += off * off * w;
        }
    }
}

static void distances(const float *window, size_t blocks, size_t d, const float *query, const float *weight,
                      float *distance, float *minima, size_t sets)
{
    size_t set = 0;
    for (size_t i = 0; i < sets * ANB_NEAR_ROWS; i++)
        minima[i] = __builtin_inff();
    for (size_t b = 0; b < blocks; b++) {
        float *out = distance + b * ANB_NEAR_ROWS, *low = minima + set * ANB_NEAR_ROWS;
        Part sum[PARTS];
        block_distances(window + b * d * ANB_NEAR_ROWS, d, query, weight, sum);
        for (int p = 0; p < PARTS; p++) {
            STORE(out + p * PART_ROWS, sum[p]);
            STORE(low + p * PART_ROWS, least(sum[p], LOAD(low + p * PART_ROWS)));
        }
        set = set + 1 == sets ? 0 : set + 1;
    }
}

/* Which of 32 rows are within the bound, as bits. */
LANES_INLINE uint32_t within(const float *distance, float bound)
{
    uint32_t mask = 0;
#if LANES_BYTES == 64
    __m512 most = _mm512_set1_ps(bound);
    for (int p = 0; p < PARTS; p++)
        mask |= (uint32_t)_mm512_cmp_ps_mask(_mm512_loadu_ps(distance + 16 * p), most, _CMP_LE_OQ) << 16 * p;
#elif LANES_BYTES == 32
    __m256 most = _mm256_set1_ps(bound);
    for (int p = 0; p < PARTS; p++) {
        __m256 low = _mm256_cmp_ps(_mm256_loadu_ps(distance + 8 * p), most, _CMP_LE_OQ);
        mask |= (uint32_t)_mm256_movemask_ps(low) << 8 * p;
    }
#elif defined(__SSE2__)
    __m128 most = _mm_set1_ps(bound);
    for (int p = 0; p < PARTS; p++)
        mask |= (uint32_t)_mm_movemask_ps(_mm_cmple_ps(_mm_loadu_ps(distance + 4 * p), most)) << 4 * p;
#else
    for (int i = 0; i < ANB_NEAR_ROWS; i++)
        mask |= (uint32_t)(distance[i] <= bound) << i;
#endif
    return mask;
}

static size_t collect(const float *distance, size_t blocks, float bound, uint32_t *index, size_t most)
{
    size_t found = 0;
    for (size_t b = 0; b < blocks; b++) {
        uint32_t mask = within(distance + b * ANB_NEAR_ROWS, bound);
        for (; mask; mask &= mask - 1) {
            if (found == most)
                return found;
            index[found++] = (uint32_t)(b * ANB_NEAR_ROWS) + (uint32_t)__builtin_ctz(mask);
        }
    }
    return found;
}

const AnbNearKernels ANB_PER_ISA(anb_near_kernels) = {.distances = distances, .collect = collect};
