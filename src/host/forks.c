#include "forks.h"
#include <pthread.h>
#include <stdatomic.h>

static atomic_uint forks;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int refused;

static void in_child(void)
{
    atomic_fetch_add(&forks, 1);
}

static void watch(void)
{
    refused = pthread_atfork(NULL, NULL, in_child) ? -1 : 0;
}

int anb_forks_watch(void)
{
    pthread_once(&once, watch);
    return refused;
}

unsigned anb_forks(void)
{
    return atomic_load_explicit(&forks, memory_order_relaxed);
}
