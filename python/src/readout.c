/* What can be read of a Model: its counters, its mixture, its detectors, its networks. */
#include "argument.h"
#include <string.h>

int dict_put(PyObject *dict, const char *key, PyObject *value)
{
    int code = dict && value ? PyDict_SetItemString(dict, key, value) : -1;
    Py_XDECREF(value);
    return code;
}

PyObject *list_of(const double *value, size_t n)
{
    if (!value)
        Py_RETURN_NONE;
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; list && i < n; i++) {
        PyObject *item = PyFloat_FromDouble(value[i]);
        if (!item || PyList_SetItem(list, (Py_ssize_t)i, item) < 0)
            Py_CLEAR(list);
    }
    return list;
}

PyObject *tuple_of(const double *value, size_t n)
{
    PyObject *list = n > 0 ? list_of(value, n) : PyList_New(0), *tuple = list ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return tuple;
}

/* ---- properties -------------------------------------------------------------------------------------------------- */

static PyObject *get_expression(PyObject *object, void *closure)
{
    Model *self = (Model *)object;
    (void)closure;
    if (self->learner)
        return PyUnicode_FromString(anb_expression(self->learner));
    return Py_NewRef(self->expression ? self->expression : Py_None);
}

static PyObject *get_given(PyObject *object, void *closure)
{
    Model *self = (Model *)object;
    (void)closure;
    return Py_NewRef(self->expression ? self->expression : Py_None);
}

static PyObject *get_n_samples(PyObject *object, void *closure)
{
    Model *self = (Model *)object;
    (void)closure;
    return PyLong_FromUnsignedLongLong(self->learner ? anb_n_samples_seen(self->learner) : 0);
}

static PyObject *get_seed(PyObject *object, void *closure)
{
    (void)closure;
    return PyLong_FromUnsignedLongLong(((Model *)object)->seed);
}

static PyObject *get_schema(PyObject *object, void *closure)
{
    const Model *self = (Model *)object;
    return self->learner || !self->wanted ? reading_schema(object, closure)
                                          : PyUnicode_FromString(anb_schema_text(self->wanted));
}

static PyObject *get_coverages(PyObject *object, void *closure)
{
    Model *self = (Model *)object;
    (void)closure;
    Levels has = self->learner ? levels_of(self->learner) : (Levels){0};
    return tuple_of(has.coverage, has.n_coverages);
}

static PyObject *get_levels(PyObject *object, void *closure)
{
    Model *self = (Model *)object;
    (void)closure;
    Levels has = self->learner ? levels_of(self->learner) : (Levels){0};
    return tuple_of(has.level, has.n_levels);
}

static PyObject *get_n_pending(PyObject *object, void *closure)
{
    Model *self = (Model *)object;
    (void)closure;
    return PyLong_FromSize_t(self->learner ? anb_n_pending(self->learner) : 0);
}

static PyObject *get_counters(PyObject *object, void *closure)
{
    Model *self = (Model *)object;
    AnbCounters none = {0};
    const AnbCounters *c = self->learner ? anb_counters(self->learner) : &none;
    (void)closure;
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {{"trained", c->trained},
                  {"rejected_features", c->rejected_features},
                  {"rejected_target", c->rejected_target},
                  {"rejected_weight", c->rejected_weight},
                  {"missing_cells", c->missing_cells},
                  {"restarts", c->restarts},
                  {"weight_skipped", c->weight_skipped},
                  {"resets", c->resets},
                  {"drifts", c->drifts},
                  {"labels_unknown", c->labels_unknown},
                  {"labels_repeated", c->labels_repeated},
                  {"labels_evicted", c->labels_evicted},
                  {"extra_keys", self->format.extras}};
    PyObject *dict = PyDict_New();
    for (size_t i = 0; dict && i < sizeof counts / sizeof *counts; i++)
        if (dict_put(dict, counts[i].name, PyLong_FromUnsignedLongLong(counts[i].value)))
            Py_CLEAR(dict);
    return dict;
}

PyGetSetDef model_properties[] = {
    {"expression", get_expression, NULL, "str : the canonical expression; it makes the same model again.", NULL},
    {"_given", get_given, NULL, "The expression as it was given.", NULL},
    READING_PROPERTIES,
    {"n_samples_seen", get_n_samples, NULL, "int : samples learned since the model was made or reset.", NULL},
    {"seed", get_seed, NULL, "int : what every random choice is derived from.", NULL},
    {"threads", model_get_threads, model_set_threads,
     "int : threads that share the experts of its mixture, the caller included; 0: as many as the process may use "
     "cores. "
     "It can be set. Results are bit-identical to those of one thread. Copies and pickles keep it, files do not.",
     NULL},
    {"schema_text", get_schema, NULL, "str or None : the kinds of the columns as a compact text.", NULL},
    {"coverages", get_coverages, NULL, "tuple of float : the coverages that predict_interval takes.", NULL},
    {"levels", get_levels, NULL, "tuple of float : the levels of predict_quantiles.", NULL},
    {"n_pending", get_n_pending, NULL, "int : rows whose labels are pending.", NULL},
    {"counters", get_counters, NULL,
     "dict of str to int : numbers of learned samples, refused rows, resets, drifts and the like.", NULL},
    {0}};

/* ---- the mixture ------------------------------------------------------------------------------------------------- */

static PyObject *names_of(Model *self, const char *path, size_t k)
{
    PyObject *list = PyList_New((Py_ssize_t)k);
    for (size_t i = 0; list && i < k; i++) {
        const char *name = path ? anb_expert_name_at(self->learner, path, i) : anb_expert_name(self->learner, i);
        PyObject *text = PyUnicode_FromString(name ? name : "");
        if (!text || PyList_SetItem(list, (Py_ssize_t)i, text) < 0)
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *active_of(const AnbMixture *m)
{
    PyObject *list = PyList_New((Py_ssize_t)m->n_active);
    for (size_t i = 0; list && i < m->n_active; i++)
        if (PyList_SetItem(list, (Py_ssize_t)i, PyLong_FromUnsignedLong(m->active[i])) < 0)
            Py_CLEAR(list);
    return list;
}

/* k counts, or where there are none k flags, as a list. */
static PyObject *counts_of(const uint64_t *trained, const unsigned char *flag, size_t k)
{
    PyObject *list = PyList_New((Py_ssize_t)k);
    for (size_t i = 0; list && i < k; i++) {
        PyObject *item = trained ? PyLong_FromUnsignedLongLong(trained[i]) : PyBool_FromLong(flag[i]);
        if (!item || PyList_SetItem(list, (Py_ssize_t)i, item) < 0)
            Py_CLEAR(list);
    }
    return list;
}

static int put_vectors(PyObject *dict, const AnbMixture *m)
{
    const struct {
        const char *name;
        const double *value;
    } vectors[] = {{"weight", m->weight},        {"probability", m->probability}, {"after", m->after},
                   {"prediction_of", m->expert}, {"utilization", m->utilization}, {"load", m->load},
                   {"progress", m->progress}};
    int code = 0;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        code |= dict_put(dict, vectors[i].name, list_of(vectors[i].value, m->k));
    return code;
}

static int put_scalars(PyObject *dict, const AnbMixture *m)
{
    const struct {
        const char *name;
        double value;
    } scalars[] = {{"prediction", m->prediction},
                   {"target", m->target},
                   {"error", m->error},
                   {"disagreement", m->disagreement},
                   {"gate_entropy", m->gate_entropy},
                   {"alignment", m->alignment},
                   {"load_balance_rate", m->load_balance_rate}};
    int code = dict_put(dict, "samples", PyLong_FromUnsignedLongLong(m->samples));
    for (size_t i = 0; i < sizeof scalars / sizeof *scalars; i++)
        code |= dict_put(dict, scalars[i].name, PyFloat_FromDouble(scalars[i].value));
    return code | dict_put(dict, "dense", PyBool_FromLong(m->dense));
}

static PyObject *unsupported(Model *self, const char *what)
{
    PyErr_SetString(self->core->unsupported_error, what);
    return NULL;
}

/* Enters a model that has a learner. */
static int enter(Model *self)
{
    return model_ready(self, NULL, 0) ? -1 : entry_enter(&self->entry, self->core);
}

static PyObject *mixture(PyObject *object, PyObject *arguments)
{
    Model *self = (Model *)object;
    PyObject *asked = Py_None;
    AnbMixture m = {0};
    if (!PyArg_ParseTuple(arguments, "|O:_mixture", &asked))
        return NULL;
    if (asked != Py_None && !PyUnicode_Check(asked))
        return raise_type(asked, "path is a str or None"), NULL;
    const char *path = asked == Py_None ? NULL : text_argument(self->core, asked, NULL, "path");
    if ((!path && asked != Py_None) || enter(self))
        return NULL;
    int code = path ? anb_mixture_at(self->learner, path, &m) : anb_mixture(self->learner, &m);
    PyObject *dict = code ? NULL : PyDict_New();
    if (dict &&
        (put_scalars(dict, &m) | put_vectors(dict, &m) | dict_put(dict, "active", active_of(&m)) |
         dict_put(dict, "names", names_of(self, path, m.k)) |
         dict_put(dict, "trained", counts_of(m.trained, NULL, m.k)) |
         dict_put(dict, "dead", counts_of(NULL, m.dead, m.k)) | dict_put(dict, "reset", counts_of(NULL, m.reset, m.k))))
        Py_CLEAR(dict);
    entry_leave(&self->entry);
    if (code == ANB_E_UNKNOWN)
        return raise_input(self->core, "no learner stands at the path '%s'", path), NULL;
    return code ? unsupported(self, "there is no mixture") : dict;
}

static PyObject *gate(PyObject *object, PyObject *nothing)
{
    Model *self = (Model *)object;
    AnbGateWeights g = {0};
    (void)nothing;
    if (enter(self))
        return NULL;
    int code = anb_gate_weights(self->learner, &g);
    PyObject *rows = code ? NULL : PyList_New(0);
    for (size_t i = 0; rows && g.weight && i < g.k; i++) {
        PyObject *row = list_of(g.weight + i * g.stride, g.d);
        if (!row || PyList_Append(rows, row) < 0)
            Py_CLEAR(rows);
        Py_XDECREF(row);
    }
    PyObject *result = rows ? Py_BuildValue("{s:N,s:N,s:N}", "weight", rows, "bias", list_of(g.bias, g.k), "load_bias",
                                            list_of(g.load_bias, g.k))
                            : NULL;
    entry_leave(&self->entry);
    return code ? unsupported(self, "there is no mixture") : result;
}

typedef int (*ForRow)(StreamingLearner *model, const double *x, double *out);

static PyObject *for_row(Model *self, PyObject *row, ForRow query)
{
    AnbMixture m;
    Cells cells;
    if (model_enter_row(self, row, &cells))
        return NULL;
    int code = anb_mixture(self->learner, &m);
    double *out = code ? NULL : PyMem_Malloc(m.k * sizeof *out);
    if (out)
        code = query(self->learner, cells.x, out);
    if (code == ANB_E_INPUT && row_refused(&self->format, cells.x, out, m.k) == 0)
        code = 0;
    entry_leave(&self->entry);
    cells_free(&cells);
    PyObject *list = out && !code && !core_failure(self->core) ? list_of(out, m.k) : NULL;
    PyMem_Free(out);
    if (code && code != ANB_E_INPUT)
        unsupported(self, "there is no mixture");
    else if (!list && !PyErr_Occurred())
        PyErr_NoMemory();
    return list;
}

static PyObject *routing_probabilities(PyObject *self, PyObject *row)
{
    return for_row((Model *)self, row, anb_routing_probabilities);
}

static PyObject *expert_predictions(PyObject *self, PyObject *row)
{
    return for_row((Model *)self, row, anb_expert_predictions);
}

/* ---- detectors, networks, text ----------------------------------------------------------------------------------- */

static PyObject *drift(PyObject *object, PyObject *nothing)
{
    Model *self = (Model *)object;
    AnbDriftView view;
    (void)nothing;
    if (enter(self))
        return NULL;
    int code = anb_drift_view(self->learner, &view);
    entry_leave(&self->entry);
    if (code)
        return unsupported(self, "no drift detector runs in the model: write drift(...) around a learner");
    return Py_BuildValue("{s:K,s:K,s:d}", "drifts", (unsigned long long)view.drifts, "since_last",
                         (unsigned long long)view.since_last, "error", view.error);
}

static PyObject *network_of(const AnbSuperposition *s, size_t e)
{
    size_t d = anb_superposition_features(s);
    return Py_BuildValue("{s:n,s:N,s:N,s:N,s:N,s:N}", "expert", (Py_ssize_t)anb_superposition_expert(s, e), "norms",
                         list_of(anb_superposition_norms(s, e), d), "dimensionality",
                         list_of(anb_superposition_dimensionality(s, e), d), "specialization",
                         list_of(anb_superposition_specialization(s, e), d), "polysemanticity",
                         list_of(anb_superposition_polysemanticity(s, e), d), "interference",
                         list_of(anb_superposition_interference(s, e), d * d));
}

static PyObject *superposition(PyObject *object, PyObject *nothing)
{
    Model *self = (Model *)object;
    AnbError error = {0};
    (void)nothing;
    if (enter(self))
        return NULL;
    AnbSuperposition *s = anb_superposition_of_model(self->learner, &error);
    entry_leave(&self->entry);
    if (!s)
        return raise_error(self->core, &error, NULL);
    PyObject *list = PyList_New(0);
    for (size_t e = 0; list && e < anb_superposition_experts(s); e++) {
        PyObject *network = network_of(s, e);
        if (!network || PyList_Append(list, network) < 0)
            Py_CLEAR(list);
        Py_XDECREF(network);
    }
    anb_superposition_free(s);
    return list;
}

/* _categories(column, n): (code, count, weight, mean, recent, effect) of each. */
static PyObject *categories(PyObject *object, PyObject *arguments)
{
    Model *self = (Model *)object;
    Py_ssize_t column, n;
    if (!PyArg_ParseTuple(arguments, "nn:_categories", &column, &n) || enter(self))
        return NULL;
    AnbCategoryEffect *top = n > 0 && n < 1 << 20 ? PyMem_Calloc((size_t)n, sizeof *top) : NULL;
    size_t found = top && column >= 0 ? anb_frequent_categories(self->learner, (size_t)column, top, (size_t)n) : 0;
    entry_leave(&self->entry);
    PyObject *list = PyList_New((Py_ssize_t)found);
    for (size_t i = 0; list && i < found; i++) {
        const AnbCategoryEffect *e = &top[i];
        PyObject *row = Py_BuildValue("(dddddd)", e->cell, e->count, e->weight, e->mean, e->recent, e->effect);
        if (!row || PyList_SetItem(list, (Py_ssize_t)i, row) < 0)
            Py_CLEAR(list);
    }
    PyMem_Free(top);
    return list;
}

static PyObject *size_of(PyObject *object, PyObject *nothing)
{
    Model *self = (Model *)object;
    (void)nothing;
    return PyLong_FromSize_t(sizeof(Model) + (self->learner ? anb_total_bytes(self->learner) : 0));
}

static PyObject *equal(PyObject *object, PyObject *other)
{
    Model *self = (Model *)object, *with = (Model *)other;
    if (!PyObject_TypeCheck(other, self->core->model_type))
        return raise_type(other, "equal() takes a Model"), NULL;
    if (self == with || !self->learner || !with->learner)
        return PyBool_FromLong(self == with);
    Model *first = self < with ? self : with, *second = self < with ? with : self;
    if (entry_enter(&first->entry, self->core))
        return NULL;
    if (entry_enter(&second->entry, self->core)) {
        entry_leave(&first->entry);
        return NULL;
    }
    bool same = anb_equal(self->learner, with->learner);
    entry_leave(&second->entry);
    entry_leave(&first->entry);
    return PyBool_FromLong(same);
}

PyMethodDef model_readout_methods[] = {
    {"_mixture", mixture, METH_VARARGS, "_mixture($self, path=None, /)\n--\n\nA mixture's figures as a dict."},
    {"_gate", gate, METH_NOARGS, "_gate($self, /)\n--\n\nThe gate's weights as lists."},
    {"_routing_probabilities", routing_probabilities, METH_O, "_routing_probabilities($self, x, /)\n--\n\nAs a list."},
    {"_expert_predictions", expert_predictions, METH_O, "_expert_predictions($self, x, /)\n--\n\nAs a list."},
    {"drift", drift, METH_NOARGS,
     "drift($self, /)\n--\n\nThe figures of the first drift detector of the model.\n\nReturns\n-------\ndict\n"
     "    `drifts` marked so far, samples `since_last`, running mean `error` in units of the "
     "target.\n\nRaises\n------\n"
     "UnsupportedError\n    No detector runs."},
    {"_categories", categories, METH_VARARGS, "_categories($self, column, n, /)\n--\n\nA column's, as tuples."},
    {"_superposition", superposition, METH_NOARGS, "_superposition($self, /)\n--\n\nOf each network, as dicts."},
    {"equal", equal, METH_O,
     "equal($self, other, /)\n--\n\nWhether two models have the same expression and state: both predict the same "
     "from the same rows.\n\nParameters\n----------\nother : Model\n\nReturns\n-------\nbool"},
    {"__sizeof__", size_of, METH_NOARGS, "__sizeof__($self, /)\n--\n\nBytes of the model with all its state."},
    {0}};
