/* Transposes codes that lie column by column into rows. */
#ifndef ANB_LEARNERS_BOOST_CODE_ROWS_H
#define ANB_LEARNERS_BOOST_CODE_ROWS_H

#include "cuts.h"

enum { ANB_CODE_COLUMNS = 8 };

typedef uint8_t AnbCodes __attribute__((vector_size(16), may_alias));
typedef uint8_t AnbCodesMemory __attribute__((vector_size(16), may_alias, aligned(1)));

/* Interleaves the first halves of two vectors; the second halves. */
static inline AnbCodes anb_codes_low(AnbCodes l, AnbCodes r)
{
    return __builtin_shufflevector(l, r, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

static inline AnbCodes anb_codes_high(AnbCodes l, AnbCodes r)
{
    return __builtin_shufflevector(l, r, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/* Interleaves four columns of 16 rows: out[i] has rows 4 i to 4 i + 3, of four codes each. */
static inline void anb_codes_four(const AnbCodes column[4], AnbCodes *out)
{
    const AnbCodes even_low = anb_codes_low(column[0], column[2]), odd_low = anb_codes_low(column[1], column[3]);
    const AnbCodes even_high = anb_codes_high(column[0], column[2]), odd_high = anb_codes_high(column[1], column[3]);
    out[0] = anb_codes_low(even_low, odd_low);
    out[1] = anb_codes_high(even_low, odd_low);
    out[2] = anb_codes_low(even_high, odd_high);
    out[3] = anb_codes_high(even_high, odd_high);
}

/* Transposes eight columns of a block: `out` gets its rows, eight codes each. */
static inline void anb_code_rows(const uint8_t *const *column, uint8_t *out)
{
    for (size_t i = 0; i < ANB_CUTS_BLOCK; i += 16, out += 16 * ANB_CODE_COLUMNS) {
        AnbCodes even[4], odd[4], even_rows[4], odd_rows[4];
        for (size_t k = 0; k < 4; k++) {
            even[k] = *(const AnbCodesMemory *)(column[2 * k] + i);
            odd[k] = *(const AnbCodesMemory *)(column[2 * k + 1] + i);
        }
        anb_codes_four(even, even_rows);
        anb_codes_four(odd, odd_rows);
        for (size_t k = 0; k < 4; k++) {
            *(AnbCodesMemory *)(out + 32 * k) = anb_codes_low(even_rows[k], odd_rows[k]);
            *(AnbCodesMemory *)(out + 32 * k + 16) = anb_codes_high(even_rows[k], odd_rows[k]);
        }
    }
}

#endif
