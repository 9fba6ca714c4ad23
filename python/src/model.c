/* The type Model: making one. */
#include "argument.h"
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

/* Whether no learner of n features can be made, with the reason. */
static bool fails(Model *self, size_t n, AnbError *error)
{
    AnbModelOptions options = model_options(self->core);
    options.max_bytes = self->max_bytes;
    StreamingLearner *learner = anb_parse(n, PyUnicode_AsUTF8AndSize(self->expression, NULL), &options, error);
    anb_free(learner);
    return !learner;
}

/* Shows what is wrong with an expression before there is a row: its text, and what is wrong at one feature and in the
 * same words at several, such as a value that is out of range. */
static int check_expression(Model *self)
{
    AnbError error = {0}, again = {0};
    if (!fails(self, 1, &error))
        return 0;
    if (core_failure(self->core))
        return -1;
    const bool text = error.code == ANB_E_SYNTAX || error.code == ANB_E_UNKNOWN;
    if (text || (fails(self, 7, &again) && strcmp(error.message, again.message) == 0))
        return raise_error(self->core, &error, PyUnicode_AsUTF8AndSize(self->expression, NULL)), -1;
    return 0;
}

static int set_features(Model *self, PyObject *features)
{
    Core *core = self->core;
    if (features == Py_None)
        return check_expression(self);
    const bool whole = PyIndex_Check(features) && !PySequence_Check(features);
    const bool several = PySequence_Check(features) || PyObject_HasAttrString(features, "__iter__");
    if (PyUnicode_Check(features) || PyBytes_Check(features) || PyAnySet_Check(features) || !(whole || several))
        return raise_type(features, "features is a count or a sequence of names");
    if (whole) {
        Py_ssize_t n = 0;
        if (whole_argument(core, features, "features", &n))
            return -1;
        if (n < 1)
            return raise_input(core, "features = %zd: a model needs at least one", n);
        self->format.names.n = n;
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
    Py_ssize_t threads = 1;
    if (whole_argument(self->core, value, "threads", &threads) || check_threads(self->core, threads) ||
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

/* The expression, or NULL, and the target. */
static int check_texts(Core *core, PyObject *expression, PyObject *target)
{
    if (expression && !PyUnicode_Check(expression))
        return raise_type(expression, "expression is a str");
    if (expression && !text_argument(core, expression, core->expression_error, "the expression"))
        return -1;
    if (target != Py_None && !PyUnicode_Check(target))
        return raise_type(target, "target is a str or None");
    return target == Py_None || text_argument(core, target, NULL, "the target's name") ? 0 : -1;
}

static int model_init(PyObject *object, PyObject *arguments, PyObject *keywords)
{
    static char *words[] = {"expression", "features", "seed",      "schema",  "target",
                            "bad_rows",   "extra",    "max_bytes", "threads", NULL};
    Model *self = (Model *)object;
    PyObject *expression = NULL, *features = Py_None, *target = Py_None, *bad_rows = NULL, *extra = NULL;
    PyObject *seed = NULL, *bytes = NULL, *several = NULL;
    const char *schema = NULL;
    unsigned long long number = 1;
    Py_ssize_t max_bytes = (Py_ssize_t)anb_model_defaults().max_bytes, threads = 1;
    Core *core = self->core;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "|OO$OzOOOOO:Model", words, &expression, &features, &seed,
                                     &schema, &target, &bad_rows, &extra, &bytes, &several))
        return -1;
    if (self->expression) {
        PyErr_SetString(core->error, "the model is initialised already");
        return -1;
    }
    if (check_texts(core, expression, target) || seed_argument(core, seed, &number) ||
        word_argument(core, bad_rows, "bad_rows", "skip", "raise", &self->format.skips) ||
        word_argument(core, extra, "extra", "raise", "ignore", &self->format.extra_raises) ||
        whole_argument(core, bytes, "max_bytes", &max_bytes) || whole_argument(core, several, "threads", &threads) ||
        check_threads(core, threads))
        return -1;
    if (max_bytes < 1)
        return raise_input(core, "max_bytes = %zd: at least 1", max_bytes);
    self->seed = number;
    self->max_bytes = (size_t)max_bytes;
    self->threads = (size_t)threads;
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
