/* The type Model: making one. */
#include "core.h"
#include <anabranch/workers.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

AnbModelOptions model_options(Core *core)
{
    AnbModelOptions options = anb_model_defaults();
    options.types = core->types;
    return options;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool holds_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        if ((at == text || !is_word(at[-1])) && !is_word(at[n]))
            return true;
    return false;
}

static bool calls_python(const Core *core, const StreamingLearner *learner)
{
    for (size_t i = 0; i < core->n_types; i++)
        if (holds_word(anb_expression(learner), core->types[i]->name))
            return true;
    return false;
}

int model_use_threads(Model *self, size_t threads)
{
    AnbError error = {0};
    /* They would wait for the interpreter while the caller waits for them. */
    if (self->learner && threads != 1 && self->calls_python)
        return PyErr_SetString(self->core->unsupported_error,
                               "a learner written in Python runs in the caller's thread: threads = 1"),
               -1;
    if (self->learner && anb_use_threads(self->learner, threads, &error))
        return raise_error(self->core, &error, NULL), -1;
    self->threads = threads;
    return 0;
}

int model_take(Model *self, StreamingLearner *learner)
{
    anb_free(self->learner);
    self->learner = learner;
    self->calls_python = calls_python(self->core, learner);
    self->format.takes_missing = anb_takes_missing(learner);
    if (self->threads == 1 || model_use_threads(self, self->threads) == 0)
        return 0;
    anb_free(self->learner);
    self->learner = NULL;
    return -1;
}

/* ---- the learner ------------------------------------------------------------------------------------------------- */

static StreamingLearner *make_learner(Model *self, Py_ssize_t n)
{
    AnbModelOptions options = model_options(self->core);
    AnbError error = {0};
    options.seed = self->seed;
    options.max_bytes = self->max_bytes;
    const char *given = PyUnicode_AsUTF8AndSize(self->expression, NULL);
    const AnbSchema *schema = self->format.schema;
    bool typed = schema && anb_schema_is_typed(schema);
    self->making = true;
    StreamingLearner *learner = !given  ? NULL
                                : typed ? anb_parse_schema(schema, given, &options, &error)
                                        : anb_parse((size_t)n, given, &options, &error);
    self->making = false;
    if (given && !learner && !core_failure(self->core))
        raise_error(self->core, &error, given);
    return learner;
}

/* ---- the first row ----------------------------------------------------------------------------------------------- */

static int initialised(Model *self)
{
    if (self->expression)
        return 0;
    PyErr_SetString(self->core->error, "the model was never initialised");
    return -1;
}

/* Names and kinds of a first row, which is no named tuple; reading them may run Python code, so another call may have
 * made the learner since. */
static int take_format(Model *self, PyObject *row, Py_ssize_t n)
{
    Names names = {.n = n};
    AnbSchema *schema = NULL;
    int code = row ? names_from_row(self->core, &names, row, self->format.target) : 0;
    if (!code && row)
        code = schema_from_row(self->core, &names, row, self->wanted, &schema);
    if (!code && self->wanted)
        code = schema_by_name(self->core, &names, self->wanted, &schema);
    if (code || self->learner) {
        anb_schema_drop(schema);
        names_clear(&names);
        return code;
    }
    self->format.names = names;
    self->format.schema = schema;
    StreamingLearner *learner = make_learner(self, names.n);
    if (learner && model_take(self, learner) == 0)
        return 0;
    format_forget(&self->format);
    return -1;
}

int model_ready(Model *self, PyObject *row, Py_ssize_t n)
{
    if (self->learner)
        return 0;
    if (initialised(self))
        return -1;
    if (self->making) {
        PyErr_SetString(self->core->error, "the model is just being made: what it calls may not use it");
        return -1;
    }
    if (row || n > 0) {
        PyObject *first = row ? row_of_fields(row) : NULL;
        int code = row && !first ? -1 : take_format(self, first, n);
        Py_XDECREF(first);
        return code;
    }
    PyErr_SetString(self->core->error, "the model has no features yet: it takes them from its first row, or from "
                                       "features=...");
    return -1;
}

/* A learner of one feature shows what is wrong with an expression before there is a row. */
static int check_expression(Model *self)
{
    AnbModelOptions options = model_options(self->core);
    AnbError error = {0};
    const char *text = PyUnicode_AsUTF8AndSize(self->expression, NULL);
    if (!text)
        return -1;
    StreamingLearner *learner = anb_parse(1, text, &options, &error);
    anb_free(learner);
    if (!learner && (error.code == ANB_E_SYNTAX || error.code == ANB_E_UNKNOWN))
        return raise_error(self->core, &error, text), -1;
    return 0;
}

static int set_features(Model *self, PyObject *features)
{
    Core *core = self->core;
    if (features == Py_None)
        return check_expression(self);
    if (PyUnicode_Check(features) || PyAnySet_Check(features))
        return raise_input(core, "features is a count or a sequence of names, not %R", (PyObject *)Py_TYPE(features));
    if (PyIndex_Check(features) && !PySequence_Check(features)) {
        Py_ssize_t n = PyNumber_AsSsize_t(features, PyExc_OverflowError);
        if (n == -1 && PyErr_Occurred())
            return -1;
        if (n < 1)
            return raise_input(core, "features = %zd: a model needs at least one", n);
        self->format.names.n = n;
    } else if (!PySequence_Check(features) && !PyObject_HasAttrString(features, "__iter__")) {
        PyErr_Format(PyExc_TypeError, "features is a count or a sequence of names, not %R", Py_TYPE(features));
        return -1;
    } else if (names_set(core, &self->format.names, features)) {
        return -1;
    }
    if (self->wanted && schema_by_name(core, &self->format.names, self->wanted, &self->format.schema))
        return -1;
    StreamingLearner *learner = make_learner(self, self->format.names.n);
    return learner ? model_take(self, learner) : -1;
}

static int set_schema(Model *self, const char *text, AnbSchema **schema)
{
    AnbError error = {0};
    *schema = text ? anb_schema_parse(text, NULL, &error) : NULL;
    return text && !*schema ? (raise_error(self->core, &error, NULL), -1) : 0;
}

PyObject *model_wants(PyObject *object, PyObject *name)
{
    const AnbColumn *column = PyUnicode_Check(name) ? kind_wanted(((Model *)object)->wanted, name) : NULL;
    return PyErr_Occurred() ? NULL : PyBool_FromLong(column != NULL);
}

/* _adopt(features, schema, reordered): names and kinds of a frame's columns for a model that has none. */
PyObject *model_adopt(PyObject *object, PyObject *arguments)
{
    Model *self = (Model *)object;
    PyObject *features;
    const char *schema;
    int reordered;
    if (!PyArg_ParseTuple(arguments, "Ozp:_adopt", &features, &schema, &reordered) || initialised(self))
        return NULL;
    if (self->learner || self->making)
        return PyErr_SetString(self->core->error, "the model has its features already"), NULL;
    if (set_schema(self, schema, &self->format.schema) || set_features(self, features)) {
        format_forget(&self->format);
        return NULL;
    }
    self->format.names.reordered = reordered;
    Py_RETURN_NONE;
}

/* ---- the type ---------------------------------------------------------------------------------------------------- */

int setting_is(Core *core, const char *name, const char *word, const char *yes, const char *no)
{
    if (strcmp(word, yes) == 0)
        return 1;
    return strcmp(word, no) == 0 ? 0 : raise_input(core, "%s is %s or %s, not '%.40s'", name, yes, no, word);
}

static int check_threads(Core *core, Py_ssize_t threads)
{
    if (threads >= 0 && threads <= ANB_POOL_THREADS_MAX)
        return 0;
    return raise_input(core, "threads = %zd: 0 to %d", threads, ANB_POOL_THREADS_MAX);
}

/* The property `threads`. */
PyObject *model_get_threads(PyObject *object, void *closure)
{
    (void)closure;
    return PyLong_FromSize_t(((Model *)object)->threads);
}

int model_set_threads(PyObject *object, PyObject *value, void *closure)
{
    Model *self = (Model *)object;
    (void)closure;
    if (!value)
        return PyErr_SetString(PyExc_AttributeError, "threads cannot be deleted"), -1;
    Py_ssize_t threads = PyLong_AsSsize_t(value);
    if ((threads == -1 && PyErr_Occurred()) || check_threads(self->core, threads) ||
        entry_enter(&self->entry, self->core))
        return -1;
    int code = model_use_threads(self, (size_t)threads);
    entry_leave(&self->entry);
    return code;
}

static void forget(Model *self)
{
    anb_free(self->learner);
    self->learner = NULL;
    format_clear(&self->format);
    anb_schema_drop(self->wanted);
    self->wanted = NULL;
    Py_CLEAR(self->expression);
}

/* A whole number of any type. */
static unsigned long long seed_of(Core *core, PyObject *object)
{
    PyObject *whole = PyNumber_Index(object);
    unsigned long long seed = whole ? PyLong_AsUnsignedLongLong(whole) : 0;
    Py_XDECREF(whole);
    if (PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_OverflowError)) {
        PyErr_Clear();
        raise_input(core, "seed = %S: 0 to 2**64 - 1", object);
    }
    return seed;
}

static int model_init(PyObject *object, PyObject *arguments, PyObject *keywords)
{
    static char *words[] = {"expression", "features", "seed",      "schema",  "target",
                            "bad_rows",   "extra",    "max_bytes", "threads", NULL};
    Model *self = (Model *)object;
    PyObject *expression = NULL, *features = Py_None, *target = Py_None;
    const char *bad_rows = "raise", *extra = "ignore", *schema = NULL;
    PyObject *seed = NULL;
    Py_ssize_t max_bytes = (Py_ssize_t)anb_model_defaults().max_bytes, threads = 1;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|UO$OzOssnn:Model", words, &expression, &features, &seed,
                                     &schema, &target, &bad_rows, &extra, &max_bytes, &threads))
        return -1;
    if (self->expression) {
        PyErr_SetString(self->core->error, "the model is initialised already");
        return -1;
    }
    unsigned long long number = seed ? seed_of(self->core, seed) : 1;
    int skips = setting_is(self->core, "bad_rows", bad_rows, "skip", "raise");
    int raises = setting_is(self->core, "extra", extra, "raise", "ignore");
    if (PyErr_Occurred())
        return -1;
    if (target != Py_None && !PyUnicode_Check(target))
        return PyErr_SetString(PyExc_TypeError, "target is a str or None"), -1;
    if (max_bytes < 1)
        return raise_input(self->core, "max_bytes is at least 1");
    if (check_threads(self->core, threads))
        return -1;
    self->seed = number;
    self->max_bytes = (size_t)max_bytes;
    self->threads = (size_t)threads;
    self->format.skips = skips;
    self->format.extra_raises = raises;
    self->format.target = target == Py_None ? NULL : Py_NewRef(target);
    self->expression = expression ? Py_NewRef(expression) : PyUnicode_FromString("auto");
    int code = !self->expression || set_schema(self, schema, &self->wanted) || set_features(self, features) ? -1 : 0;
    if (code)
        forget(self);
    return code;
}

static PyObject *model_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    (void)arguments, (void)keywords;
    Model *self = object_new(type);
    if (!self)
        return NULL;
    self->threads = 1;
    self->core = self->format.core = core_of_type(type);
    PyObject *wants = PyObject_GetAttrString((PyObject *)type, "_wants_a_feature");
    self->format.told_of_keys = wants == Py_False; /* River's features may appear and disappear */
    Py_XDECREF(wants);
    PyErr_Clear();
    if (!self->core || entry_make(&self->entry)) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int model_traverse(PyObject *object, visitproc visit, void *arg)
{
    Model *self = (Model *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->expression);
    Py_VISIT(self->format.target);
    return names_visit(&self->format.names, visit, arg);
}

static void model_dealloc(PyObject *object)
{
    Model *self = (Model *)object;
    PyObject_GC_UnTrack(object);
    forget(self);
    PyMem_Free(self->observers);
    entry_free(&self->entry);
    object_free(object);
}

/* The methods of all files in one table. The type copies nothing of it, so it is kept; filled alike every time. */
static PyMethodDef all_methods[64];

static void join(const PyMethodDef *more, size_t *n)
{
    for (; more->ml_name; more++)
        all_methods[(*n)++] = *more;
}

PyTypeObject *core_make_model_type(PyObject *module)
{
    size_t n = 0;
    join(model_sample_methods, &n);
    join(model_readout_methods, &n);
    join(model_many_methods, &n);
    join(model_state_methods, &n);
    PyType_Slot slots[] = {{Py_tp_doc, "A model that learns from one sample at a time."},
                           {Py_tp_new, model_new},
                           {Py_tp_init, model_init},
                           {Py_tp_traverse, model_traverse},
                           {Py_tp_dealloc, model_dealloc},
                           {Py_tp_methods, all_methods},
                           {Py_tp_getset, model_properties},
                           {0}};
    return type_new(module, "anabranch._core.Model", sizeof(Model), slots);
}
