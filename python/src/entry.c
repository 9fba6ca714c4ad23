/* One call at a time on an object. */
#include "core.h"

int entry_make(Entry *entry)
{
    entry->lock = PyThread_allocate_lock();
    return entry->lock ? 0 : (PyErr_NoMemory(), -1);
}

void entry_free(Entry *entry)
{
    if (entry->lock)
        PyThread_free_lock(entry->lock);
    entry->lock = NULL;
}

int entry_enter(Entry *entry, Core *core)
{
    unsigned long me = PyThread_get_thread_ident();
    if (!PyThread_acquire_lock(entry->lock, NOWAIT_LOCK)) {
        if (entry->owner == me) {
            PyErr_SetString(core->error, "the model is at work in this very call: what it calls may not use it");
            return -1;
        }
        PyThreadState *state = PyEval_SaveThread();
        PyThread_acquire_lock(entry->lock, WAIT_LOCK);
        PyEval_RestoreThread(state);
    }
    entry->owner = me;
    return 0;
}

void entry_leave(Entry *entry)
{
    entry->owner = 0;
    PyThread_release_lock(entry->lock);
}
