/*
 * Histograms of whole numbers: a sum and a count in one 64-bit word, so that an entry grows by one addition, in any
 * order, and a child's histogram subtracted from its parent's leaves exactly its sibling's.
 *
 *     word = sum * 2^20 + count        |sum| < 2^43, count < 2^20
 *
 * A target r enters as the whole number nearest to r / unit, the unit being a power of two chosen from the largest |r|
 * of the sample: 42 - log2(rows) bits, and scaling the targets by a power of two changes nothing but the unit.
 *
 * A histogram of m columns is AnbPacked[m][ANB_CODES]: an entry for each bin of fine_codes.h, the last one of a column
 * for its missing cells. The same kernels for all instruction sets, with the same bits.
 */
#ifndef ANB_LEARNERS_BOOST_PACKED_H
#define ANB_LEARNERS_BOOST_PACKED_H

#include "fine_codes.h"
#include "src/simd/isa.h"

typedef uint64_t AnbPacked; /* the sum in two's complement */

enum { ANB_PACKED_ONE = 1 << 20, ANB_PACKED_ROWS = 65536 /* in one sample, at most */ };

static inline uint32_t anb_packed_count(AnbPacked word)
{
    return (uint32_t)(word & (ANB_PACKED_ONE - 1));
}

static inline double anb_packed_sum(AnbPacked word)
{
    int64_t sum = (int64_t)(word - anb_packed_count(word)) / ANB_PACKED_ONE; /* exact: the counts are taken off */
    return (double)sum;
}

/* The best cut so far: code <= `code` goes left. */
typedef struct AnbPackedCut {
    double gain;    /* sum^2 / (count + ridge) of both sides less that of the whole; 0: none found */
    AnbPacked left; /* of the side that goes left, missing cells as they go */
    uint32_t column;
    uint16_t code; /* of the histogram, up to the column's edges: that many means values left, missing cells right */
    uint16_t missing_left; /* where missing cells go: the better side, or the fuller one where none was seen */
} AnbPackedCut;

typedef struct AnbPackedRule {
    AnbPacked total; /* of the whole histogram */
    double ridge;    /* added to counts, > 0 */
    double min_rows; /* on either side at least, >= 1 */
} AnbPackedRule;

/* The gain of a cut with this left side; negative where a side has too few rows. */
static inline double anb_packed_gain(AnbPacked left, const AnbPackedRule *rule)
{
    double rows = anb_packed_count(rule->total), sum = anb_packed_sum(rule->total),
           whole = sum * sum / (rows + rule->ridge);
    double count = anb_packed_count(left), s = anb_packed_sum(left), other = rows - count, rest = sum - s;
    double a = count + rule->ridge, b = other + rule->ridge;
    return count >= rule->min_rows && other >= rule->min_rows ? (s * s * b + rest * rest * a) / (a * b) - whole : -1;
}

typedef struct AnbPackedKernels {
    void (*pack)(double *cells, size_t n, double per_unit);
    void (*fill)(AnbPacked *h, size_t m, const AnbPacked *cells, const uint16_t *rows, size_t n, const uint8_t *codes,
                 size_t stride);
    void (*subtract)(AnbPacked *parent, const AnbPacked *child, size_t n);
    void (*cut)(const AnbPacked *h, size_t edges, const AnbPackedRule *rule, uint32_t column, AnbPackedCut *best);
} AnbPackedKernels;

ANB_ISA_TABLE(AnbPackedKernels, anb_packed_kernels);

/* The power of two that `rows` targets of at most `largest` (finite, >= 0) are divided by. */
static inline double anb_packed_unit(double largest, size_t rows)
{
    int bits = 42, exponent;
    frexp(largest, &exponent);
    for (size_t room = 1; room < rows; room *= 2)
        bits--;
    return ldexp(1, (exponent > -900 ? exponent : -900) - bits);
}

/* n targets (doubles) become words of count one, in place. */
static inline void anb_packed_make(double *cells, size_t n, double unit)
{
    anb_packed_kernels.pack(cells, n, 1 / unit);
}

/* Adds n samples: row rows[i] has the word cells[rows[i]] and m codes at codes + rows[i] * stride. */
static inline void anb_packed_fill(AnbPacked *h, size_t m, const AnbPacked *cells, const uint16_t *rows, size_t n,
                                   const uint8_t *codes, size_t stride)
{
    anb_packed_kernels.fill(h, m, cells, rows, n, codes, stride);
}

/* parent -= child, n words. */
static inline void anb_packed_subtract(AnbPacked *parent, const AnbPacked *child, size_t n)
{
    anb_packed_kernels.subtract(parent, child, n);
}

/* Finds the best cut on one column of `edges` edges (at most 62); replaces `best` only if the gain is greater. */
static inline void anb_packed_cut(const AnbPacked *h, size_t edges, const AnbPackedRule *rule, uint32_t column,
                                  AnbPackedCut *best)
{
    anb_packed_kernels.cut(h, edges, rule, column, best);
}

#endif
