/*
 * Learners that were replaced by a clone, kept for a second as memory for the next clones: allocating a large model's
 * pages from the system takes longer than writing them. At most as many are kept as there are workers.
 */
#include "spares.h"
#include "model.h"
#include "statistics.h"
#include <pthread.h>
#include <string.h>

enum { SPARES_MAX = 64 };
static const uint64_t kept_ns = 1000000000;

typedef struct Spare {
    StreamingLearner *learner;
    const Ticket *of; /* of its model; only compared */
    uint64_t since;
} Spare;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Spare spares[SPARES_MAX]; /* the oldest first */
static size_t n_spares;

static StreamingLearner *remove_at(size_t at)
{
    StreamingLearner *learner = spares[at].learner;
    n_spares--;
    memmove(spares + at, spares + at + 1, (n_spares - at) * sizeof *spares);
    return learner;
}

StreamingLearner *anb_spare_take(const Ticket *of, size_t most)
{
    StreamingLearner *learner = NULL;
    pthread_mutex_lock(&lock);
    size_t at = 0;
    while (at < n_spares && spares[at].of != of)
        at++;
    if (at < n_spares)
        learner = remove_at(at);
    else if (n_spares > 0 && n_spares >= most)
        learner = remove_at(0);
    pthread_mutex_unlock(&lock);
    return learner;
}

void anb_spare_put(const Ticket *of, StreamingLearner *learner, size_t most)
{
    StreamingLearner *oldest = NULL;
    pthread_mutex_lock(&lock);
    if (n_spares > 0 && (n_spares >= most || n_spares == SPARES_MAX))
        oldest = remove_at(0);
    spares[n_spares++] = (Spare){learner, of, anb_now_ns()};
    pthread_mutex_unlock(&lock);
    anb_free(oldest);
}

/* The oldest where it was there before `then`, taken out, or NULL. */
static StreamingLearner *expired(uint64_t then)
{
    pthread_mutex_lock(&lock);
    StreamingLearner *learner = n_spares > 0 && spares[0].since <= then ? remove_at(0) : NULL;
    pthread_mutex_unlock(&lock);
    return learner;
}

bool anb_spare_expire(void)
{
    StreamingLearner *learner;
    while ((learner = expired(anb_now_ns() - kept_ns)))
        anb_free(learner);
    pthread_mutex_lock(&lock);
    bool left = n_spares > 0;
    pthread_mutex_unlock(&lock);
    return left;
}
