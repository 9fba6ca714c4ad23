/*
 * Finds the entries of `pending` by their ids: a hash table with open addressing and linear probes, at most a quarter
 * full. A slot holds an entry's number plus 1, or 0.
 */
#ifndef ANB_LEARNERS_PENDING_INDEX_H
#define ANB_LEARNERS_PENDING_INDEX_H

#include <stddef.h>
#include <stdint.h>

typedef struct AnbPendingIndex {
    size_t slots;       /* a power of two */
    const uint64_t *id; /* of the entries */
    uint16_t *narrow;   /* the slots are in one of the two; the other is NULL */
    uint32_t *wide;
} AnbPendingIndex;

static inline uint32_t anb_pending_at(const AnbPendingIndex *p, size_t slot)
{
    return p->narrow ? p->narrow[slot] : p->wide[slot];
}

static inline void anb_pending_set(const AnbPendingIndex *p, size_t slot, uint32_t entry)
{
    if (p->narrow)
        p->narrow[slot] = (uint16_t)entry;
    else
        p->wide[slot] = entry;
}

static inline size_t anb_pending_home(const AnbPendingIndex *p, uint64_t id)
{
    id *= 0x9e3779b97f4a7c15u;
    return (id ^ id >> 29) & (p->slots - 1);
}

/* The slot of the id, or the empty slot where it would be inserted. */
static inline size_t anb_pending_slot(const AnbPendingIndex *p, uint64_t id)
{
    size_t at = anb_pending_home(p, id);
    while (anb_pending_at(p, at) && p->id[anb_pending_at(p, at) - 1] != id)
        at = (at + 1) & (p->slots - 1);
    return at;
}

/* Empties a slot and moves later entries of the same probe sequence up. */
static inline void anb_pending_remove(const AnbPendingIndex *p, size_t hole)
{
    size_t mask = p->slots - 1;
    anb_pending_set(p, hole, 0);
    for (size_t at = (hole + 1) & mask; anb_pending_at(p, at); at = (at + 1) & mask) {
        size_t wanted = anb_pending_home(p, p->id[anb_pending_at(p, at) - 1]);
        if (((at - wanted) & mask) < ((at - hole) & mask))
            continue;
        anb_pending_set(p, hole, anb_pending_at(p, at));
        anb_pending_set(p, at, 0);
        hole = at;
    }
}

static inline void anb_pending_forget(const AnbPendingIndex *p, uint64_t entry)
{
    size_t slot = anb_pending_slot(p, p->id[entry]);
    if (anb_pending_at(p, slot) == entry + 1)
        anb_pending_remove(p, slot);
}

#endif
