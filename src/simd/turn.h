/*
 * Rows as columns: cell j of row i at column[j * pitch + i], so that eight rows stand one to a lane. Compiled once per
 * instruction set (isa.h).
 */
#ifndef ANB_SIMD_TURN_H
#define ANB_SIMD_TURN_H

#include "isa.h"
#include <stddef.h>

typedef struct AnbTurnKernels {
    void (*turn)(const double *x, size_t stride, size_t rows, size_t d, size_t pitch, double *column);
} AnbTurnKernels;

ANB_ISA_TABLE(AnbTurnKernels, anb_turn_kernels);

/* d cells of each of rows >= 1 rows, `stride` doubles apart. Behind the last row that one again, up to `pitch`, a
 * multiple of eight. */
static inline void anb_turn_rows(const double *x, size_t stride, size_t rows, size_t d, size_t pitch, double *column)
{
    anb_turn_kernels.turn(x, stride, rows, d, pitch, column);
}

#endif
