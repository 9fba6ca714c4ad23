/*
 * The lock of a server's learner: a mutex that threads get in turn. A thread that waits gets it when the holder
 * releases it, also where the holder asks for it again at once, as a thread does that learns sample after sample: a
 * mutex alone would go to the holder again, which is awake. The holder may take it several times.
 */
#ifndef ANB_HOST_TURNS_H
#define ANB_HOST_TURNS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct AnbTurns {
    pthread_mutex_t turn;   /* the lock itself; the mutex of conditions that are waited for */
    pthread_mutex_t next;   /* held by the thread that gets `turn` next, while it waits */
    atomic_bool awaited;    /* a thread holds `next` */
    atomic_uintptr_t owner; /* the thread that has `turn` by anb_turns_take; 0: none */
    unsigned depth;         /* how many times it has taken it */
} AnbTurns;

void anb_turns_init(AnbTurns *turns);
void anb_turns_destroy(AnbTurns *turns);
void anb_turns_take(AnbTurns *turns);
void anb_turns_give(AnbTurns *turns);

#endif
