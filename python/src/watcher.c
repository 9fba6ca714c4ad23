/* Objects that a model passes every sample to, and the model's list of them. */
#include "core.h"

void model_observe(Model *self, const double *x, double y, double before)
{
    for (size_t i = 0; i < self->n_observers; i++)
        anb_observe(self->observers[i], self->learner, x, y, before);
}

void model_observe_reset(Model *self)
{
    for (size_t i = 0; i < self->n_observers; i++)
        anb_observe_reset(self->observers[i], self->learner);
}

static int add_observer(Model *self, AnbObserver *observer)
{
    AnbObserver **more = PyMem_Realloc(self->observers, (self->n_observers + 1) * sizeof(AnbObserver *));
    if (!more)
        return PyErr_NoMemory(), -1;
    self->observers = more;
    self->observers[self->n_observers++] = observer;
    return 0;
}

static void drop_observer(Model *self, AnbObserver *observer)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->n_observers; i++)
        if (self->observers[i] != observer)
            self->observers[kept++] = self->observers[i];
    self->n_observers = kept;
}

int watcher_attach(Watcher *self, Model *model)
{
    if (entry_enter(&model->entry, model->core))
        return -1;
    int code = add_observer(model, &self->observer);
    if (!code)
        self->model = Py_NewRef((PyObject *)model);
    entry_leave(&model->entry);
    return code;
}

Model *watcher_enter(PyObject *watcher)
{
    Model *model = (Model *)((Watcher *)watcher)->model;
    return entry_enter(&model->entry, model->core) ? NULL : model;
}

void watcher_leave(Model *model)
{
    entry_leave(&model->entry);
}

PyObject *watcher_detach(PyObject *watcher, PyObject *nothing)
{
    Model *model = watcher_enter(watcher);
    (void)nothing;
    if (!model)
        return NULL;
    drop_observer(model, &((Watcher *)watcher)->observer);
    watcher_leave(model);
    Py_RETURN_NONE;
}

PyObject *watcher_get_model(PyObject *watcher, void *closure)
{
    (void)closure;
    return Py_NewRef(((Watcher *)watcher)->model);
}

int watcher_traverse(PyObject *watcher, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(watcher));
    Py_VISIT(((Watcher *)watcher)->model);
    return 0;
}

/* Nobody uses an object that is being freed, but its model may be in use: by another thread, which is waited for, or by
 * this thread below a learner written in Python; the list is then changed between two samples. */
void watcher_clear(Watcher *self)
{
    PyObject *model = self->model, *kind, *value, *trace;
    if (!model)
        return;
    PyErr_Fetch(&kind, &value, &trace);
    Entry *entry = &((Model *)model)->entry;
    bool entered = entry_enter(entry, ((Model *)model)->core) == 0;
    PyErr_Clear();
    drop_observer((Model *)model, &self->observer);
    if (entered)
        entry_leave(entry);
    self->model = NULL;
    Py_DECREF(model);
    PyErr_Restore(kind, value, trace);
}
