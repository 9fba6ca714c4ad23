/* A fixed pool of slots: a free list of numbers. */
#include "slot_pool.h"
#include "src/numeric/fields.h"

void anb_pool_init(AnbPool *pool, uint32_t capacity)
{
    *pool = (AnbPool){.capacity = capacity, .free = ANB_POOL_NONE};
}

uint32_t anb_pool_take(AnbPool *pool, uint32_t *next)
{
    uint32_t slot = pool->free;
    if (slot != ANB_POOL_NONE)
        pool->free = next[slot];
    else if (pool->used < pool->capacity)
        slot = pool->used++;
    else
        return ANB_POOL_NONE;
    next[slot] = ANB_POOL_TAKEN;
    pool->live++;
    return slot;
}

void anb_pool_give(AnbPool *pool, uint32_t *next, uint32_t slot)
{
    next[slot] = pool->free;
    pool->free = slot;
    pool->live--;
}

static const AnbField members[] = {
    {ANB_MEMBER(AnbPool, used)}, {ANB_MEMBER(AnbPool, free)}, {ANB_MEMBER(AnbPool, live)}, {0}};

void anb_pool_visit(AnbPool *pool, uint32_t *next, uint32_t capacity, AnbVisitor *visitor)
{
    anb_struct_visit(members, pool, visitor);
    if (!visitor->value) {
        pool->capacity = capacity;
        pool->used = pool->used < capacity ? pool->used : capacity;
    }
    anb_visit(visitor, "next", next, ANB_U32, pool->used);
}

bool anb_pool_valid(const AnbPool *pool, const uint32_t *next)
{
    uint32_t taken = 0, listed = 0;
    if (pool->used > pool->capacity)
        return false;
    for (uint32_t i = 0; i < pool->used; i++)
        taken += next[i] == ANB_POOL_TAKEN;
    for (uint32_t slot = pool->free; slot != ANB_POOL_NONE; slot = next[slot])
        if (slot >= pool->used || next[slot] == ANB_POOL_TAKEN || ++listed > pool->used)
            return false;
    return taken == pool->live && taken + listed == pool->used;
}
