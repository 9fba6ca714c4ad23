/* The threads of one model: a team, and a scheduler for each of its outermost mixtures. */
#ifndef ANB_HOST_THREADS_H
#define ANB_HOST_THREADS_H

typedef struct AnbThreads AnbThreads;

/* Ends the threads; pointers to the schedulers in the model's scratch are invalid then. NULL is fine. */
void anb_threads_free(AnbThreads *threads);

#endif
