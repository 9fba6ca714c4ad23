/*
 * The last sizes (scores that are not negative), in order of arrival and sorted, as codes of 16 bits: 4 bytes a size.
 *
 * Once the memory is full, only every second size is kept, in place of the oldest: the sizes then reach twice as far
 * back. Intervals need that where labels are late; the price is a noisier quantile.
 *
 *     code 0: 0     else 6 bits of exponent, from 2^-32 to 2^31, and 10 of mantissa, rounded up
 *
 * Rounding up makes a quantile up to .1 % too large, far less than its sampling error, and never too small for sizes up
 * to 2^32. "Is this size above the quantile" can be answered from the codes: a size whose code equals the quantile's is
 * not above it.
 *
 * Cost of adding a size: O(log n) comparisons and two moves of up to 2 n bytes.
 */
#ifndef ANB_NUMERIC_SIZES_H
#define ANB_NUMERIC_SIZES_H

#include "ring.h"
#include <anabranch/type.h>

enum { ANB_SIZES_LEAST = 2, ANB_SIZES_MOST = 10000 };

/* A view of sizes that lie in a state; zeroed at first. capacity: 1 to ANB_SIZES_MOST. */
typedef struct AnbSizes {
    uint64_t *shown; /* sizes, whether kept or not */
    AnbRing *ring;
    uint16_t *arrived, *sorted;
    size_t capacity;
} AnbSizes;

/* Bytes of the state. */
static inline size_t anb_sizes_bytes(size_t capacity)
{
    return sizeof(uint64_t) + sizeof(AnbRing) + capacity * 2 * sizeof(uint16_t);
}

static inline AnbSizes anb_sizes_at(void *part, size_t capacity)
{
    uint64_t *shown = part;
    AnbRing *ring = (AnbRing *)(shown + 1);
    uint16_t *arrived = (uint16_t *)(ring + 1);
    return (AnbSizes){shown, ring, arrived, arrived + capacity, capacity};
}

static inline size_t anb_sizes_count(const AnbSizes *sizes)
{
    return anb_ring_size(sizes->ring, sizes->capacity);
}

/* size: >= 0, finite. */
void anb_sizes_add(const AnbSizes *sizes, double size);
/* The share of sizes that are at least this one; 1 where there are none. */
double anb_sizes_beta(const AnbSizes *sizes, double size);
/* The smallest size that at least a share `level` of them and the next one does not exceed, the largest where none is
 * so large; 0 for a level of 0 or less; INFINITY before there are two sizes. */
double anb_sizes_quantile(const AnbSizes *sizes, double level);
/* Whether samples can have led to them. */
bool anb_sizes_valid(const AnbSizes *sizes);

/* Sizes as a part of a state: the field's `form`. */
typedef struct AnbSizesForm {
    size_t (*capacity)(const AnbNode *self);
    unsigned
        since; /* the type's version from which on they lie as above; before it 1,000 doubles and the same sorted */
} AnbSizesForm;
extern const AnbPart anb_sizes_part;

#endif
