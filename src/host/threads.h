/* The threads of one model: a team, and a crew for each of its outermost mixtures. */
#ifndef ANB_HOST_THREADS_H
#define ANB_HOST_THREADS_H

typedef struct AnbThreads AnbThreads;

/* Ends them; the pointers to the crews in the model's scratch are void. NULL is fine. */
void anb_threads_free(AnbThreads *threads);

#endif
