/*
 * A fixed pool of slots over flat memory: numbers 0 to capacity - 1, taken and given back in constant time.
 *
 * The pool only assigns numbers; the contents of slots are the owner's. `next` is the owner's array of `capacity`
 * entries: of a free slot that was used before it links the free list, of a taken one it is ANB_POOL_TAKEN. Slots never
 * used are not on the list, so a new pool costs nothing to make, and only the first `used` slots need saving.
 */
#ifndef ANB_LEARNERS_TREES_SLOT_POOL_H
#define ANB_LEARNERS_TREES_SLOT_POOL_H

#include <anabranch/type.h>

#define ANB_POOL_NONE UINT32_MAX
#define ANB_POOL_TAKEN (UINT32_MAX - 1)

typedef struct AnbPool {
    uint32_t capacity;
    uint32_t used; /* slots that were ever taken: 0 to used - 1 */
    uint32_t free; /* first of the free list, or ANB_POOL_NONE */
    uint32_t live; /* slots taken now */
} AnbPool;

void anb_pool_init(AnbPool *pool, uint32_t capacity);
/* A slot, or ANB_POOL_NONE where all are taken. */
uint32_t anb_pool_take(AnbPool *pool, uint32_t *next);
void anb_pool_give(AnbPool *pool, uint32_t *next, uint32_t slot);
/* Every used field, for the part that it belongs to; `capacity` is the plan's. */
void anb_pool_visit(AnbPool *pool, uint32_t *next, uint32_t capacity, AnbVisitor *visitor);
/* Whether a pool that was read from a file can be one: links in range, no cycle, counts that fit. */
bool anb_pool_valid(const AnbPool *pool, const uint32_t *next);

static inline bool anb_pool_taken(const AnbPool *pool, const uint32_t *next, uint32_t slot)
{
    return slot < pool->used && next[slot] == ANB_POOL_TAKEN;
}

#endif
