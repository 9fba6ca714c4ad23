/* The loop of turn.h; compiled once per instruction set. */
#include "turn.h"
#include "lanes_turn.h"

/* Up to eight cells of eight rows, from cell j on. */
LANES_INLINE void turn_block(const double *const row[LANES], size_t j, size_t cells, size_t pitch, double *column)
{
    Lanes in[LANES], out[LANES];
    for (size_t r = 0; r < LANES; r++)
        in[r] = lanes_load_doubles(row[r] + j, cells);
    lanes_turn(in, out);
    for (size_t c = 0; c < LANES && c < cells; c++)
        lanes_store(column + (j + c) * pitch, out[c]);
}

static void turn(const double *x, size_t stride, size_t rows, size_t d, size_t pitch, double *column)
{
    for (size_t i = 0; i < pitch; i += LANES, column += LANES) {
        const double *row[LANES];
        for (size_t r = 0; r < LANES; r++)
            row[r] = x + (i + r < rows ? i + r : rows - 1) * stride;
        size_t j = 0;
        for (; j + LANES <= d; j += LANES)
            turn_block(row, j, LANES, pitch, column);
        if (j < d)
            turn_block(row, j, d - j, pitch, column);
    }
}

const AnbTurnKernels ANB_PER_ISA(anb_turn_kernels) = {.turn = turn};

ANB_ISA_REGISTER(AnbTurnKernels, anb_turn_kernels)
