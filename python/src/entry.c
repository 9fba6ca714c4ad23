/*
 * One call at a time on an object. All fields are read and written under the GIL, so entering a free object is one
 * store. `lock` only serves waiting threads to sleep on: nobody holds it, and it is released once to wake one of them.
 * Below that: loops that run without the GIL and end when a signal's handler raises.
 */
#include "core.h"
#include <time.h>

int entry_make(Entry *entry)
{
    entry->lock = PyThread_allocate_lock();
    if (!entry->lock)
        return PyErr_NoMemory(), -1;
    PyThread_acquire_lock(entry->lock, WAIT_LOCK);
    return 0;
}

void entry_free(Entry *entry)
{
    if (entry->lock)
        PyThread_free_lock(entry->lock);
    entry->lock = NULL;
}

/* Sleeps until the one inside leaves. */
static void wait_once(Entry *entry)
{
    entry->waiting++;
    PyThreadState *state = PyEval_SaveThread();
    PyThread_acquire_lock(entry->lock, WAIT_LOCK);
    PyEval_RestoreThread(state);
    entry->waiting--;
    entry->woken = false;
}

int entry_enter(Entry *entry, Core *core)
{
    unsigned long me = PyThread_get_thread_ident();
    while (entry->owner) {
        if (entry->owner == me) {
            PyErr_SetString(core->error, "the model is in use by this very call: what it calls may not use it");
            return -1;
        }
        wait_once(entry);
    }
    entry->owner = me;
    return 0;
}

void entry_leave(Entry *entry)
{
    entry->owner = 0;
    if (entry->waiting > 0 && !entry->woken) {
        entry->woken = true;
        PyThread_release_lock(entry->lock);
    }
}

/* ---- without the GIL --------------------------------------------------------------------------------------------- */

enum { CHECK_AFTER = 100000000 }; /* nanoseconds */

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

Unlocked gil_release(void)
{
    return (Unlocked){PyEval_SaveThread(), now()};
}

bool gil_interrupted(Unlocked *unlocked)
{
    if (now() - unlocked->checked <= CHECK_AFTER)
        return false;
    PyEval_RestoreThread(unlocked->state);
    bool raised = PyErr_CheckSignals() != 0;
    *unlocked = gil_release();
    return raised;
}

void gil_take(Unlocked *unlocked)
{
    PyEval_RestoreThread(unlocked->state);
}
