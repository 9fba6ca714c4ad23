#include "forks.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { OPEN_MOST = 64 }; /* of the files beyond it children keep copies */

static atomic_uint forks;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int refused;
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;
static int opened[OPEN_MOST]; /* descriptors + 1; 0: none */

static void before(void)
{
    pthread_mutex_lock(&opening);
}

static void in_parent(void)
{
    pthread_mutex_unlock(&opening);
}

static void in_child(void)
{
    atomic_fetch_add(&forks, 1);
    for (int i = 0; i < OPEN_MOST; i++) {
        if (opened[i])
            close(opened[i] - 1);
        opened[i] = 0;
    }
    pthread_mutex_unlock(&opening);
}

static void watch(void)
{
    refused = pthread_atfork(before, in_parent, in_child) ? -1 : 0;
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

/* The first entry that holds `from` gets `to`. */
static void put(int from, int to)
{
    int i = 0;
    while (i < OPEN_MOST && opened[i] != from)
        i++;
    if (i < OPEN_MOST)
        opened[i] = to;
}

int anb_forks_open(const char *path, int flags, mode_t mode)
{
    anb_forks_watch();
    pthread_mutex_lock(&opening);
    int fd = open(path, flags, mode);
    if (fd >= 0)
        put(0, fd + 1);
    pthread_mutex_unlock(&opening);
    return fd;
}

void anb_forks_close(int fd)
{
    pthread_mutex_lock(&opening);
    put(fd + 1, 0);
    close(fd);
    pthread_mutex_unlock(&opening);
}
