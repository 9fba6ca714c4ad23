/* How arrays over experts are padded, as AnbGate promises: to whole blocks of eight doubles. */
#ifndef ANB_SIMD_GATE_BLOCK_H
#define ANB_SIMD_GATE_BLOCK_H

#include <stddef.h>

enum { ANB_GATE_BLOCK = 8 };

/* Doubles of an array over n experts, or features: whole blocks. */
static inline size_t anb_gate_padded(size_t n)
{
    return (n + ANB_GATE_BLOCK - 1) / ANB_GATE_BLOCK * ANB_GATE_BLOCK;
}

#endif
