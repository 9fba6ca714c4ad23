#define _GNU_SOURCE
#include "word_wait.h"

#if defined(__linux__) && !defined(ANB_PORTABLE_WAIT)
#include <limits.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of linux/futex.h, which musl does not bring; part of the kernel's binary interface. */
enum { FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE = 129 };

void anb_word_wait(atomic_uint *word, unsigned seen)
{
    while (atomic_load(word) == seen)
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0); /* the kernel compares once more */
}

void anb_word_wake(atomic_uint *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

#else
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

void anb_word_wait(atomic_uint *word, unsigned seen)
{
    pthread_mutex_lock(&lock);
    while (atomic_load(word) == seen)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

void anb_word_wake(atomic_uint *word)
{
    (void)word;
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}
#endif
