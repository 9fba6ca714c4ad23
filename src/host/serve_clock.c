/* Publication by time: a thread that sleeps until the oldest unpublished event is due. */
#define _GNU_SOURCE
#include "serve.h"
#include <signal.h>
#include <time.h>

static const int64_t second = 1000000000;

int64_t anb_serve_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * second + t.tv_nsec;
}

static void sleep_until(AnbServer *s, int64_t when)
{
    struct timespec t = {.tv_sec = when / second, .tv_nsec = when % second};
    pthread_cond_timedwait(&s->changed, &s->turns.turn, &t);
}

static void *run(void *context)
{
    AnbServer *s = context;
    pthread_mutex_lock(&s->turns.turn);
    while (!s->ending) {
        int64_t due = s->first + s->longest;
        s->idle = s->n_events == 0;
        if (s->idle)
            pthread_cond_wait(&s->changed, &s->turns.turn);
        else if (anb_serve_now() < due)
            sleep_until(s, due);
        else
            s->due(s);
    }
    pthread_mutex_unlock(&s->turns.turn);
    return NULL;
}

void anb_serve_clock_first(AnbServer *s)
{
    if (s->longest == 0)
        return;
    s->first = anb_serve_now();
    if (s->idle)
        pthread_cond_signal(&s->changed);
    s->idle = false;
}

/* Starts the thread with all signals blocked. */
static int start_without_signals(AnbServer *s)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&s->clock, NULL, run, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

int anb_serve_clock_start(AnbServer *s, double seconds, void (*publish)(AnbServer *s), AnbError *error)
{
    if (seconds == 0)
        return 0;
    if (!(seconds >= 0.001 && seconds <= 86400))
        return anb_fail(error, ANB_E_ARGUMENT, "seconds = %g is neither 0 nor within 0.001 to 86,400", seconds);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&s->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    s->due = publish;
    s->longest = (int64_t)(seconds * (double)second);
    if (start_without_signals(s)) {
        pthread_cond_destroy(&s->changed);
        return anb_fail(error, ANB_E_MEMORY, "no thread to publish by time was to be had");
    }
    s->has_clock = true;
    return 0;
}

void anb_serve_clock_stop(AnbServer *s)
{
    if (!s->has_clock)
        return;
    pthread_mutex_lock(&s->turns.turn);
    s->ending = true;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->turns.turn);
    pthread_join(s->clock, NULL);
    pthread_cond_destroy(&s->changed);
}
