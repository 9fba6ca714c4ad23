/*
 * The lock of a server's learner: whoever asks for it gets it when the thread that has it lets it go, also where that thread
 * asks again at once, as one does that learns sample after sample (a mutex alone would go to that thread, which is awake). A
 * thread that has it may take it again.
 */
#ifndef ANB_HOST_TURNS_H
#define ANB_HOST_TURNS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct AnbTurns {
    pthread_mutex_t turn;   /* held by the thread whose turn it is; others may wait on a condition by it */
    pthread_mutex_t door;   /* held by the thread whose turn is next */
    atomic_bool awaited;    /* somebody stands in the door */
    atomic_uintptr_t owner; /* the thread that took the turn by anb_turns_take; 0: none */
    unsigned depth;         /* how often it took it */
} AnbTurns;

void anb_turns_init(AnbTurns *turns);
void anb_turns_destroy(AnbTurns *turns);
void anb_turns_take(AnbTurns *turns);
void anb_turns_give(AnbTurns *turns);

#endif
