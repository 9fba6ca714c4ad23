#include "turns.h"

void anb_turns_init(AnbTurns *turns)
{
    pthread_mutex_init(&turns->turn, NULL);
    pthread_mutex_init(&turns->next, NULL);
    atomic_init(&turns->awaited, false);
    atomic_init(&turns->owner, 0);
    turns->depth = 0;
}

void anb_turns_destroy(AnbTurns *turns)
{
    pthread_mutex_destroy(&turns->next);
    pthread_mutex_destroy(&turns->turn);
}

static void wait_as_next(AnbTurns *turns)
{
    pthread_mutex_lock(&turns->next);
    atomic_store(&turns->awaited, true);
    pthread_mutex_lock(&turns->turn);
    atomic_store(&turns->awaited, false);
    pthread_mutex_unlock(&turns->next);
}

/* Without a lock: only the thread itself sets `owner` to itself. */
void anb_turns_take(AnbTurns *turns)
{
    uintptr_t me = (uintptr_t)pthread_self();
    if (atomic_load_explicit(&turns->owner, memory_order_relaxed) != me) {
        if (atomic_load(&turns->awaited) || pthread_mutex_trylock(&turns->turn))
            wait_as_next(turns);
        atomic_store_explicit(&turns->owner, me, memory_order_relaxed);
    }
    turns->depth++;
}

void anb_turns_give(AnbTurns *turns)
{
    if (--turns->depth > 0)
        return;
    atomic_store_explicit(&turns->owner, 0, memory_order_relaxed);
    pthread_mutex_unlock(&turns->turn);
}
