/*
 * Learners written in Python. A class with predict(x) and update(x, y, w) becomes a type of the library: its object is
 * the node's state, owned by it. Copies and snapshots of a model pickle it.
 *
 * A prediction that raises counts as 0; the first exception of a call is raised again when the call is over.
 */
#include "core.h"
#include <string.h>

typedef struct Foreign {
    StreamingLearnerType type; /* first: the library hands it back */
    Core *core;
    PyObject *class; /* kept for ever, as models may be */
    char name[65];
} Foreign;

typedef struct State {
    PyObject *object;     /* NULL: to be made */
    uint64_t size;        /* of bytes; while a snapshot looks at them */
    unsigned char *bytes; /* PyMem_Malloc */
} State;

static Foreign *foreign_of(const AnbNode *self)
{
    return (Foreign *)self->type;
}

/* Keeps the first exception for core_failure. The GIL is held. */
static void failed(Core *core)
{
    PyObject *kind, *value, *trace;
    PyErr_Fetch(&kind, &value, &trace);
    PyErr_NormalizeException(&kind, &value, &trace);
    if (value && trace)
        PyException_SetTraceback(value, trace);
    if (!core->failure)
        core->failure = Py_XNewRef(value);
    Py_XDECREF(kind);
    Py_XDECREF(value);
    Py_XDECREF(trace);
}

int core_failure(Core *core)
{
    PyObject *value = core->failure;
    if (!value)
        return 0;
    core->failure = NULL;
    PyErr_SetObject((PyObject *)Py_TYPE(value), value);
    Py_DECREF(value);
    return -1;
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static PyObject *object_of(const AnbNode *self, State *state)
{
    if (!state->object && !(state->object = PyObject_CallNoArgs(foreign_of(self)->class)))
        failed(foreign_of(self)->core);
    return state->object;
}

/* A prediction; where it is no finite number 0 with the exception set. */
static double returned(const AnbNode *self, PyObject *result)
{
    double value = PyFloat_AsDouble(result);
    bool none = value == -1.0 && PyErr_Occurred();
    if (!none && value - value == 0)
        return value;
    if (!none || PyErr_ExceptionMatches(PyExc_TypeError))
        PyErr_Format(none ? PyExc_TypeError : PyExc_ValueError,
                     "the learner '%s' predicts %.200R, which is no finite number", foreign_of(self)->name, result);
    return 0;
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    (void)scratch;
    double value = 0;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *object = object_of(self, (State *)anb_view_of(state)), *x = list_of(row->x, self->n_features);
    PyObject *result = object && x ? PyObject_CallMethod(object, "predict", "O", x) : NULL;
    if (result)
        value = returned(self, result);
    if (PyErr_Occurred())
        failed(foreign_of(self)->core);
    Py_XDECREF(result);
    Py_XDECREF(x);
    PyGILState_Release(gil);
    return value;
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    (void)scratch;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *object = object_of(self, state), *x = list_of(row->x, self->n_features);
    PyObject *result = object && x ? PyObject_CallMethod(object, "update", "Odd", x, y, weight) : NULL;
    if (PyErr_Occurred())
        failed(foreign_of(self)->core);
    Py_XDECREF(result);
    Py_XDECREF(x);
    PyGILState_Release(gil);
}

static void clear(const AnbNode *self, void *state)
{
    State *s = state;
    (void)self;
    if (!s->object && !s->bytes)
        return;
    PyGILState_STATE gil = PyGILState_Ensure();
    Py_CLEAR(s->object);
    PyMem_Free(s->bytes);
    s->bytes = NULL;
    s->size = 0;
    PyGILState_Release(gil);
}

/* ---- pickles ----------------------------------------------------------------------------------------------------- */

static PyObject *pickle_call(const char *name, PyObject *argument, int protocol)
{
    PyObject *pickle = PyImport_ImportModule("pickle");
    PyObject *result = !pickle        ? NULL
                       : protocol > 0 ? PyObject_CallMethod(pickle, name, "Oi", argument, protocol)
                                      : PyObject_CallMethod(pickle, name, "O", argument);
    Py_XDECREF(pickle);
    return result;
}

static PyObject *bytes_of(const AnbNode *self, State *state)
{
    PyObject *object = object_of(self, state);
    PyObject *bytes = object ? pickle_call("dumps", object, 4) : NULL;
    if (object && !bytes)
        failed(foreign_of(self)->core);
    return bytes;
}

static int object_from(const AnbNode *self, State *state, PyObject *bytes)
{
    state->object = bytes ? pickle_call("loads", bytes, 0) : NULL;
    if (bytes && !state->object)
        failed(foreign_of(self)->core);
    if (!state->object || PyObject_IsInstance(state->object, foreign_of(self)->class) == 1)
        return state->object ? 0 : ANB_E_STATE;
    PyErr_Clear();
    Py_CLEAR(state->object);
    return ANB_E_STATE;
}

static int clone_state(const AnbNode *self, const void *from, void *to)
{
    *(State *)to = (State){0};
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *bytes = bytes_of(self, (State *)anb_view_of(from));
    int code = object_from(self, to, bytes);
    Py_XDECREF(bytes);
    PyGILState_Release(gil);
    return code ? ANB_E_MEMORY : 0;
}

/* Shows the pickle, kept until the next request: a visitor may look at it after the call. */
static size_t part_size(const AnbNode *self, const AnbField *field)
{
    (void)self, (void)field;
    return sizeof(State);
}

/* What the object pickles to. */
static void part_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    State *s = part;
    (void)field, (void)state;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *bytes = bytes_of(self, s);
    PyMem_Free(s->bytes);
    s->size = bytes ? (uint64_t)PyBytes_Size(bytes) : 0;
    s->bytes = PyMem_Malloc(s->size + 1);
    if (s->bytes && bytes)
        memcpy(s->bytes, PyBytes_AsString(bytes), s->size);
    else
        s->size = 0;
    Py_XDECREF(bytes);
    PyGILState_Release(gil);
    anb_visit(visitor, "size", &s->size, ANB_U64, 1);
    anb_visit(visitor, "bytes", s->bytes, ANB_U8, s->size);
}

static const AnbPart object_part = {part_size, part_visit, NULL};
static const AnbField object_fields[] = {{.name = "object", .part = &object_part}, {0}};

static int upgrade(const AnbNode *self, unsigned from, const unsigned char *fields, size_t size, void *state)
{
    uint64_t n;
    if (from != 1 || size < sizeof n)
        return ANB_E_STATE;
    memcpy(&n, fields, sizeof n);
    if (n != size - sizeof n)
        return ANB_E_STATE;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *bytes = PyBytes_FromStringAndSize((const char *)fields + sizeof n, (Py_ssize_t)n);
    int code = object_from(self, state, bytes);
    Py_XDECREF(bytes);
    PyGILState_Release(gil);
    return code;
}

/* ---- registering ------------------------------------------------------------------------------------------------- */

static void describe(Foreign *f, bool missing)
{
    f->type = (StreamingLearnerType){.name = f->name,
                                     .brief = "a learner written in Python",
                                     .example = f->name,
                                     .flags = ANB_READS_X | ANB_WEIGHT_SCALED | (missing ? ANB_TAKES_MISSING : 0),
                                     .version = 1,
                                     .fields = object_fields,
                                     .predict = predict,
                                     .update = update,
                                     .upgrade = upgrade,
                                     .clear = clear,
                                     .clone = clone_state,
                                     .reset = clear};
}

static bool good_name(const char *name)
{
    size_t n = strlen(name);
    return n > 0 && n <= 64 && name[0] >= 'a' && name[0] <= 'z' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

/* Room for one more in the list that models are made with; older models keep their types, not the list. */
static int add_type(Core *core, const StreamingLearnerType *type)
{
    const StreamingLearnerType **more = PyMem_Realloc(core->types, (core->n_types + 2) * sizeof *more);
    if (!more)
        return PyErr_NoMemory(), -1;
    core->types = more;
    core->types[core->n_types++] = type;
    core->types[core->n_types] = NULL;
    return 0;
}

PyObject *core_register(PyObject *module, PyObject *arguments)
{
    Core *core = PyModule_GetState(module);
    const char *name;
    PyObject *class;
    int missing;
    if (!PyArg_ParseTuple(arguments, "sOp:_register", &name, &class, &missing))
        return NULL;
    if (!good_name(name))
        return raise_input(core, "a learner's name is 1 to 64 of a-z, 0-9 and _, a letter first: not '%.70s'", name),
               NULL;
    if (anb_learner_find(name, strlen(name)))
        return raise_input(core, "the library has a learner named '%s'", name), NULL;
    for (size_t i = 0; i < core->n_types; i++) {
        Foreign *known = (Foreign *)core->types[i];
        if (strcmp(known->name, name) == 0) {
            PyObject *old = known->class; /* the class again, as a notebook's cell that is run twice defines it */
            known->class = Py_NewRef(class);
            Py_DECREF(old);
            Py_RETURN_NONE;
        }
    }
    Foreign *f = PyMem_Calloc(1, sizeof *f);
    if (!f)
        return PyErr_NoMemory();
    strcpy(f->name, name);
    f->core = core;
    describe(f, missing);
    if (add_type(core, &f->type)) {
        PyMem_Free(f);
        return NULL;
    }
    f->class = Py_NewRef(class);
    Py_RETURN_NONE;
}
