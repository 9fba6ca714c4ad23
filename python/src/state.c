/* Models as bytes and files, and copies. */
#include "argument.h"
#include <anabranch/snapshot.h>
#include <string.h>

/* What is kept beside the learner; its texts are borrowed from Python's objects. */
typedef struct Kept {
    const char **names;
    AnbNote note[2];
    AnbSnapshotExtras extras;
} Kept;

static int names_of(const Model *self, Kept *kept)
{
    const Names *names = &self->format.names;
    if (!names->name)
        return 0;
    kept->names = PyMem_Calloc((size_t)names->n, sizeof *kept->names);
    if (!kept->names)
        return PyErr_NoMemory(), -1;
    for (Py_ssize_t i = 0; i < names->n; i++)
        if (!(kept->names[i] = PyUnicode_AsUTF8AndSize(names->name[i], NULL)))
            return -1;
    return 0;
}

static void keep_note(Kept *kept, const char *key, const char *text)
{
    if (!text)
        return;
    kept->note[kept->extras.n_notes++] = (AnbNote){key, text, strlen(text)};
    kept->extras.notes = kept->note;
}

/* `held`: what columns held in the frame that gave their kinds, a text of Python's, or NULL. */
static int keep(const Model *self, Kept *kept, const char *held)
{
    memset(kept, 0, sizeof *kept);
    if (names_of(self, kept))
        return PyMem_Free(kept->names), -1;
    kept->extras.features = kept->names;
    if (self->format.target && !(kept->extras.target = PyUnicode_AsUTF8AndSize(self->format.target, NULL)))
        return PyMem_Free(kept->names), -1;
    keep_note(kept, "schema", self->format.schema ? anb_schema_text(self->format.schema) : NULL);
    keep_note(kept, "held", held);
    return 0;
}

static PyObject *bytes_of(Model *self, const char *held)
{
    Kept kept;
    AnbError error = {0};
    if (keep(self, &kept, held))
        return NULL;
    size_t size = anb_snapshot_size(self->learner, &kept.extras);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    int code = bytes ? anb_snapshot_to_memory(self->learner, &kept.extras, PyBytes_AsString(bytes), size, &error) : 0;
    if (code) {
        Py_CLEAR(bytes);
        if (!core_failure(self->core))
            raise_error(self->core, &error, NULL);
    }
    PyMem_Free(kept.names);
    return bytes;
}

static PyObject *to_bytes(PyObject *object, PyObject *arguments)
{
    Model *self = (Model *)object;
    const char *held = NULL;
    if (!PyArg_ParseTuple(arguments, "|z:_bytes", &held) || model_ready(self, NULL, 0) ||
        entry_enter(&self->entry, self->core))
        return NULL;
    PyObject *bytes = bytes_of(self, held);
    entry_leave(&self->entry);
    return bytes;
}

static int save_to(Model *self, const char *file, const char *held)
{
    Kept kept;
    AnbError error = {0};
    if (keep(self, &kept, held))
        return -1;
    PyThreadState *state = PyEval_SaveThread();
    int code = anb_save(self->learner, &kept.extras, file, &error);
    PyEval_RestoreThread(state);
    PyMem_Free(kept.names);
    if (code && !core_failure(self->core))
        raise_error(self->core, &error, NULL);
    return code;
}

static PyObject *save(PyObject *object, PyObject *arguments)
{
    Model *self = (Model *)object;
    PyObject *file = NULL;
    const char *held = NULL;
    if (!PyArg_ParseTuple(arguments, "O&|z:_save", PyUnicode_FSConverter, &file, &held))
        return NULL;
    int code = model_ready(self, NULL, 0) ? -1 : entry_enter(&self->entry, self->core);
    if (!code) {
        code = save_to(self, PyBytes_AsString(file), held);
        entry_leave(&self->entry);
    }
    Py_DECREF(file);
    return code ? NULL : Py_NewRef(Py_None);
}

/* ---- loading ----------------------------------------------------------------------------------------------------- */

/* A name that a file holds: the program keeps names as bytes, and those of no character are shown as \xe9. */
static PyObject *saved_name(const char *name)
{
    return PyUnicode_DecodeUTF8(name, (Py_ssize_t)strlen(name), "backslashreplace");
}

static int take_names(Core *core, Model *self, const AnbSnapshot *snapshot)
{
    self->format.names.n = (Py_ssize_t)snapshot->n_features;
    if (snapshot->extras.target && !(self->format.target = saved_name(snapshot->extras.target)))
        return -1;
    if (!snapshot->extras.features)
        return 0;
    PyObject *list = PyList_New((Py_ssize_t)snapshot->n_features);
    for (size_t i = 0; list && i < snapshot->n_features; i++) {
        PyObject *name = saved_name(snapshot->extras.features[i]);
        if (!name || PyList_SetItem(list, (Py_ssize_t)i, name) < 0)
            Py_CLEAR(list);
    }
    int code = list ? names_set(core, &self->format.names, list) : -1;
    Py_XDECREF(list);
    return code;
}

static int take_schema(Core *core, Model *self, const AnbSnapshot *snapshot)
{
    AnbError error = {0};
    const char *text = anb_snapshot_note(snapshot, "schema");
    if (!text)
        return 0;
    self->format.schema = anb_schema_parse(text, NULL, &error);
    if (!self->format.schema)
        return raise_error(core, &error, NULL), -1;
    if (anb_schema_size(self->format.schema) == snapshot->n_features)
        return 0;
    anb_schema_drop(self->format.schema);
    self->format.schema = NULL;
    return 0;
}

/* What columns held, as a text in the attribute _held_text. */
static int take_held(Model *self, const AnbSnapshot *snapshot)
{
    const char *text = anb_snapshot_note(snapshot, "held");
    PyObject *held = text ? PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace") : NULL;
    int code = held ? PyObject_SetAttrString((PyObject *)self, "_held_text", held) : text ? -1 : 0;
    Py_XDECREF(held);
    return code;
}

static int load_into(Core *core, Model *self, const AnbSnapshot *snapshot, size_t max_bytes)
{
    AnbError error = {0};
    AnbModelOptions options = model_options(core);
    options.max_bytes = max_bytes;
    StreamingLearner *learner = anb_snapshot_model(snapshot, &options, &error);
    if (!learner)
        return core_failure(core) ? -1 : (raise_error(core, &error, NULL), -1);
    model_take(self, learner);
    self->seed = snapshot->seed;
    self->max_bytes = options.max_bytes;
    self->expression = PyUnicode_FromString(anb_expression(learner));
    if (!self->expression || take_schema(core, self, snapshot) || take_held(self, snapshot))
        return -1;
    return take_names(core, self, snapshot);
}

/* An empty object of a type below Model; its type may be any class of Python. */
static Model *empty(Core *core, PyObject *type)
{
    if (!PyType_Check(type) || !PyType_IsSubtype((PyTypeObject *)type, core->model_type)) {
        PyErr_SetString(PyExc_TypeError, "the type is no Model");
        return NULL;
    }
    PyObject *make = PyObject_GetAttrString(type, "__new__");
    PyObject *result = make ? PyObject_CallFunctionObjArgs(make, type, NULL) : NULL;
    Py_XDECREF(make);
    if (result && !PyObject_TypeCheck(result, core->model_type)) {
        PyErr_SetString(PyExc_TypeError, "the type makes no Model");
        Py_CLEAR(result);
    }
    return (Model *)result;
}

PyObject *core_load(PyObject *module, PyObject *arguments, PyObject *keywords)
{
    static char *words[] = {"type", "data", "path", "max_bytes", NULL};
    Core *core = PyModule_GetState(module);
    PyObject *type, *path, *bytes, *file = NULL;
    Py_ssize_t max_bytes = 0;
    Py_buffer data = {0};
    AnbError error = {0};
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "Oz*OO", words, &type, &data, &path, &bytes))
        return NULL;
    Model *result = NULL;
    AnbSnapshot *snapshot = NULL;
    const bool fine = whole_argument(core, bytes, "max_bytes", &max_bytes) == 0;
    if (fine && max_bytes < 1) {
        raise_input(core, "max_bytes = %zd: at least 1", max_bytes);
    } else if (fine && (data.buf || PyUnicode_FSConverter(path, &file))) {
        AnbModelOptions options = model_options(core);
        options.max_bytes = (size_t)max_bytes;
        snapshot = data.buf ? anb_snapshot_open(data.buf, (size_t)data.len, &options, &error)
                            : anb_snapshot_read(PyBytes_AsString(file), &options, &error);
        if (!snapshot)
            raise_error(core, &error, NULL);
    }
    if (snapshot)
        result = empty(core, type);
    if (result && load_into(core, result, snapshot, (size_t)max_bytes))
        Py_CLEAR(result);
    anb_snapshot_close(snapshot);
    Py_XDECREF(file);
    if (data.obj)
        PyBuffer_Release(&data);
    return (PyObject *)result;
}

/* _restore(model, skips, extra_raises, given): what a pickle keeps beside the snapshot. */
PyObject *core_restore(PyObject *module, PyObject *arguments)
{
    Core *core = PyModule_GetState(module);
    PyObject *object, *given;
    int skips, raises;
    if (!PyArg_ParseTuple(arguments, "O!ppU:_restore", core->model_type, &object, &skips, &raises, &given))
        return NULL;
    Model *self = (Model *)object;
    self->format.skips = skips;
    self->format.extra_raises = raises;
    Py_XDECREF(self->expression);
    self->expression = Py_NewRef(given);
    return Py_NewRef(object);
}

static PyObject *settings(PyObject *object, PyObject *nothing)
{
    Model *self = (Model *)object;
    (void)nothing;
    if (!self->expression)
        return PyErr_SetString(self->core->error, "the model was never initialised"), NULL;
    return Py_BuildValue("{s:O,s:O,s:N,s:K,s:z,s:O,s:s,s:s,s:n,s:n}", "expression", self->expression, "target",
                         self->format.target ? self->format.target : Py_None, "features",
                         self->format.names.name ? names_tuple(&self->format.names)
                         : self->format.names.n  ? PyLong_FromSsize_t(self->format.names.n)
                                                 : Py_NewRef(Py_None),
                         "seed", self->seed, "schema", self->wanted ? anb_schema_text(self->wanted) : NULL, "made",
                         self->learner ? Py_True : Py_False, "bad_rows", self->format.skips ? "skip" : "raise", "extra",
                         self->format.extra_raises ? "raise" : "ignore", "max_bytes", (Py_ssize_t)self->max_bytes,
                         "threads", (Py_ssize_t)self->threads);
}

/* ---- copies ------------------------------------------------------------------------------------------------------ */

static int copy_into(Model *twin, Model *self)
{
    AnbError error = {0};
    twin->expression = Py_XNewRef(self->expression);
    twin->seed = self->seed;
    twin->max_bytes = self->max_bytes;
    twin->threads = self->threads;
    twin->wanted = anb_schema_keep(self->wanted);
    if (format_copy(&twin->format, &self->format))
        return -1;
    if (!self->learner)
        return 0;
    StreamingLearner *learner = anb_clone(self->learner, &error);
    if (!learner)
        return core_failure(self->core) ? -1 : (raise_error(self->core, &error, NULL), -1);
    return model_take(twin, learner);
}

static PyObject *copy(PyObject *object, PyObject *nothing)
{
    Model *self = (Model *)object;
    (void)nothing;
    PyObject *type = PyObject_GetAttrString(object, "__class__");
    Model *twin = type ? empty(self->core, type) : NULL;
    Py_XDECREF(type);
    if (!twin || entry_enter(&self->entry, self->core)) {
        Py_XDECREF((PyObject *)twin);
        return NULL;
    }
    int code = copy_into(twin, self);
    entry_leave(&self->entry);
    if (code)
        Py_CLEAR(twin);
    return (PyObject *)twin;
}

PyMethodDef model_state_methods[] = {
    {"_bytes", to_bytes, METH_VARARGS, "_bytes($self, held=None, /)\n--\n\nA snapshot with a text beside it."},
    {"_save", save, METH_VARARGS, "_save($self, path, held=None, /)\n--\n\nThe same in a file."},
    {"_copy", copy, METH_NOARGS, "_copy($self, /)\n--\n\nA copy without the attributes of subclasses."},
    {"_settings", settings, METH_NOARGS, "_settings($self, /)\n--\n\nThe arguments that it was made with, and `made`."},
    {0}};
