/*
 * Sleeping until a word changes. Whoever changes it calls anb_word_wake afterwards; it may skip the call where it knows
 * that nobody sleeps. On Linux a futex, elsewhere, or with ANB_PORTABLE_WAIT, one lock and condition for all words.
 */
#ifndef ANB_HOST_WORD_WAIT_H
#define ANB_HOST_WORD_WAIT_H

#include <stdatomic.h>

/* Returns once *word is not `seen` any more. */
void anb_word_wait(atomic_uint *word, unsigned seen);
/* Wakes all that sleep on the word. */
void anb_word_wake(atomic_uint *word);

#endif
