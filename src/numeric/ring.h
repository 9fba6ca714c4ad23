/*
 * Positions in a ring of `capacity` slots; the slots themselves are the caller's arrays.
 *
 *     pushed = 11, capacity 8       slot   0   1   2   3   4   5   6   7
 *                                   item   8   9  10   3   4   5   6   7
 *     oldest item 3 (slot 3), newest item 10 (slot 2), next push goes to slot 3
 *
 * The one number in the block is how many items were ever pushed.
 */
#ifndef ANB_NUMERIC_RING_H
#define ANB_NUMERIC_RING_H

#include <anabranch/type.h>
#include <stddef.h>
#include <stdint.h>

typedef struct AnbRing {
    uint64_t pushed;
} AnbRing;

extern const AnbField anb_ring_fields[];

/* Items in the ring. */
static inline size_t anb_ring_size(const AnbRing *ring, size_t capacity)
{
    return ring->pushed < capacity ? (size_t)ring->pushed : capacity;
}

/* Adds an item and returns its slot, whose former item is overwritten. */
static inline size_t anb_ring_push(AnbRing *ring, size_t capacity)
{
    return (size_t)(ring->pushed++ % capacity);
}

/* Slot of the item pushed `back` items before the newest (0 = the newest); back < size. */
static inline size_t anb_ring_back(const AnbRing *ring, size_t capacity, size_t back)
{
    return (size_t)((ring->pushed - 1 - back) % capacity);
}

/* Slot of item i counted from the oldest; i < size. */
static inline size_t anb_ring_at(const AnbRing *ring, size_t capacity, size_t i)
{
    return (size_t)((ring->pushed - anb_ring_size(ring, capacity) + i) % capacity);
}

/* Whether a ring from a file is valid: no stream has 2^62 items, and the sums above do not wrap below that. */
static inline bool anb_ring_valid(const AnbRing *ring)
{
    return ring->pushed >> 62 == 0;
}

static inline void anb_ring_visit(AnbRing *ring, AnbVisitor *visitor)
{
    anb_visit(visitor, "pushed", &ring->pushed, ANB_U64, 1);
}

#endif
