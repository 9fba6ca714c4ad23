#include "turns.h"

void anb_turns_init(AnbTurns *turns)
{
    pthread_mutex_init(&turns->turn, NULL);
    pthread_mutex_init(&turns->door, NULL);
    atomic_init(&turns->awaited, false);
    atomic_init(&turns->owner, 0);
    turns->depth = 0;
}

void anb_turns_destroy(AnbTurns *turns)
{
    pthread_mutex_destroy(&turns->door);
    pthread_mutex_destroy(&turns->turn);
}

static void wait_in_the_door(AnbTurns *turns)
{
    pthread_mutex_lock(&turns->door);
    atomic_store(&turns->awaited, true);
    pthread_mutex_lock(&turns->turn);
    atomic_store(&turns->awaited, false);
    pthread_mutex_unlock(&turns->door);
}

/* Only a thread itself sets `owner` to its own name. */
void anb_turns_take(AnbTurns *turns)
{
    uintptr_t me = (uintptr_t)pthread_self();
    if (atomic_load_explicit(&turns->owner, memory_order_relaxed) != me) {
        if (atomic_load(&turns->awaited) || pthread_mutex_trylock(&turns->turn))
            wait_in_the_door(turns);
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
