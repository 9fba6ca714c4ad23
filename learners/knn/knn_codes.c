/* The codes of one row, as the kernels of knn_search_isa.c make those of many. */
#include "knn_search.h"
#include <string.h>

/* The nearest whole number of |v| < 2^22, by the mantissa of v + 1.5 2^23. */
static int32_t rounded(float v)
{
    float shifted = v + 12582912.0f;
    int32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    return bits - 0x4b400000;
}

static int32_t code_of(float v, float limit, float *most)
{
    float size = v < 0 ? -v : v;
    *most = size > *most ? size : *most;
    return rounded(v > limit ? limit : v < -limit ? -limit : v);
}

float anb_knn_search_encode_row(const float *x, size_t d, const float *factor, const float *offset, float limit,
                                uint32_t *code, size_t stride)
{
    float most = 0;
    for (size_t j = 0; j < d; j += 2) {
        int32_t low = code_of(factor[j] * (x[j] - offset[j]), limit, &most);
        int32_t high = j + 1 < d ? code_of(factor[j + 1] * (x[j + 1] - offset[j + 1]), limit, &most) : 0;
        code[j / 2 * stride] = anb_knn_search_pair(low, high);
    }
    return most;
}
