/*
 * The type Recorder: an observer that keeps every k-th sample's figures in a ring of doubles.
 *
 * Each record is written twice, at i and at i + capacity, so that the newest ones always lie behind one another and a
 * numpy array can look at them in place:
 *
 *     [ 6 7 8 3 4 5 | 6 7 8 3 4 5 ]     capacity 6, records 3 to 8 start at place 3
 */
#include "argument.h"
#include <anabranch/audit.h>
#include <anabranch/diagnostics.h>
#include <string.h>

typedef struct Recorder {
    Watcher base;
    AnbDiagnostics *diagnostics;
    AnbAudit *audit; /* NULL: none */
    int *metric;     /* n_metrics ids */
    size_t n_metrics;
    size_t width, capacity; /* doubles a record; records kept */
    uint64_t every, seen, last_seen, written;
    double *ring; /* 2 capacity width */
} Recorder;

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static double *put_metrics(Recorder *r, double *at)
{
    for (size_t i = 0; i < r->n_metrics; i++) {
        size_t n;
        const double *value = anb_diagnostics_values(r->diagnostics, (AnbMetricId)r->metric[i], &n);
        memcpy(at, value, n * sizeof *at);
        at += n;
    }
    return at;
}

static void put_audit(Recorder *r, double *at)
{
    size_t rules = anb_audit_n_rules(r->audit);
    if (anb_audit_history(r->audit) > 0)
        memcpy(at, anb_audit_step(r->audit, 0).metric, ANB_AUDIT_METRIC_COUNT * sizeof *at);
    else
        for (int i = 0; i < ANB_AUDIT_METRIC_COUNT; i++)
            at[i] = ANB_NAN;
    at += ANB_AUDIT_METRIC_COUNT;
    for (size_t i = 0; i < rules; i++) {
        AnbTruth truth = anb_audit_truth(r->audit, i);
        *at++ = truth.lower;
        *at++ = truth.upper;
    }
}

static void observe(AnbObserver *observer, StreamingLearner *model, const double *x, double y, double before)
{
    Recorder *r = (Recorder *)((char *)observer - offsetof(Recorder, base.observer));
    anb_observe(anb_diagnostics_observer(r->diagnostics), model, x, y, before);
    if (r->audit)
        anb_observe(anb_audit_observer(r->audit), model, x, y, before);
    bool learned = anb_n_samples_seen(model) != r->last_seen;
    r->last_seen = anb_n_samples_seen(model);
    if (before != before || !learned || ++r->seen % r->every)
        return;
    double *record = r->ring + r->written++ % r->capacity * r->width;
    record[0] = (double)anb_n_samples_seen(model);
    double *at = put_metrics(r, record + 1);
    if (r->audit)
        put_audit(r, at);
    memcpy(record + r->capacity * r->width, record, r->width * sizeof *record);
}

/* ---- making one -------------------------------------------------------------------------------------------------- */

/* Ids of the metrics by their names, those that the model has. */
static int take_metrics(Recorder *r, Core *core, PyObject *names)
{
    Py_ssize_t n = PyTuple_Size(names);
    r->metric = PyMem_Calloc((size_t)n + 1, sizeof *r->metric);
    if (!r->metric)
        return PyErr_NoMemory(), -1;
    r->width = 1;
    for (Py_ssize_t i = 0; i < n; i++) {
        Py_ssize_t size;
        size_t values;
        const char *name = PyUnicode_AsUTF8AndSize(PyTuple_GetItem(names, i), &size);
        int id = name ? anb_metric_find(name, (size_t)size) : -1;
        if (!name)
            return -1;
        if (id < 0)
            return raise_input(core, "there is no metric %R", PyTuple_GetItem(names, i));
        anb_diagnostics_values(r->diagnostics, (AnbMetricId)id, &values);
        if (values == 0)
            continue;
        r->metric[r->n_metrics++] = id;
        r->width += values;
    }
    return 0;
}

static int take_ring(Recorder *r, Core *core, Py_ssize_t capacity)
{
    if (r->audit)
        r->width += ANB_AUDIT_METRIC_COUNT + 2 * anb_audit_n_rules(r->audit);
    r->capacity = (size_t)capacity;
    if (r->capacity > ((size_t)1 << 36) / r->width)
        return raise_input(core, "capacity %zd: the ring would take over 1 TiB", capacity);
    r->ring = PyMem_Calloc(2 * r->capacity * r->width, sizeof *r->ring);
    return r->ring ? 0 : (PyErr_NoMemory(), -1);
}

static int take_observers(Recorder *r, Model *model, const char *rules, bool audit, int span, int period,
                          int importance)
{
    AnbError error = {0};
    AnbDiagnosticsOptions options = anb_diagnostics_defaults();
    AnbAuditOptions steps = anb_audit_defaults();
    options.span = span;
    options.importance = importance;
    steps.period = period;
    r->diagnostics = anb_diagnostics_new(model->learner, &options, &error);
    if (r->diagnostics && audit)
        r->audit = anb_audit_new(model->learner, r->diagnostics, rules, &steps, &error);
    if (!r->diagnostics || (audit && !r->audit))
        return raise_error(model->core, &error, rules), -1;
    return 0;
}

static PyObject *recorder_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *words[] = {"model",   "every", "capacity", "audit",      "rules",
                            "metrics", "span",  "period",   "importance", NULL};
    Core *core = core_of_type(type);
    PyObject *model, *metrics, *whole[5];
    const char *rules;
    Py_ssize_t every = 1, capacity = 1;
    int audit, span = 1, period = 1, importance = 0;
    if (!core ||
        !PyArg_ParseTupleAndKeywords(arguments, keywords, "OOOpzO!OOO:Recorder", words, &model, &whole[0], &whole[1],
                                     &audit, &rules, &PyTuple_Type, &metrics, &whole[2], &whole[3], &whole[4]) ||
        model_argument(core, model, "a Recorder takes a Model") || whole_argument(core, whole[0], "every", &every) ||
        whole_argument(core, whole[1], "capacity", &capacity) || int_argument(core, whole[2], "span", &span) ||
        int_argument(core, whole[3], "period", &period) || int_argument(core, whole[4], "importance", &importance))
        return NULL;
    if (every < 1)
        return raise_input(core, "every = %zd: at least 1", every), NULL;
    if (capacity < 1)
        return raise_input(core, "capacity = %zd: at least 1", capacity), NULL;
    if (model_ready((Model *)model, NULL, 0))
        return NULL;
    Recorder *r = object_new(type);
    if (!r)
        return NULL;
    r->base.observer.observe = observe;
    r->every = (uint64_t)every;
    r->last_seen = anb_n_samples_seen(((Model *)model)->learner);
    Model *of = (Model *)model;
    if (take_observers(r, of, rules, audit, span, period, importance) || take_metrics(r, core, metrics) ||
        take_ring(r, core, capacity) || watcher_attach(&r->base, of))
        Py_CLEAR(r);
    return (PyObject *)r;
}

static void recorder_dealloc(PyObject *object)
{
    Recorder *r = (Recorder *)object;
    PyObject_GC_UnTrack(object);
    watcher_clear(&r->base);
    anb_audit_free(r->audit);
    anb_diagnostics_free(r->diagnostics);
    PyMem_Free(r->metric);
    PyMem_Free(r->ring);
    object_free(object);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static size_t kept(const Recorder *r)
{
    return r->written < r->capacity ? (size_t)r->written : r->capacity;
}

/* The records, the oldest first, as read-only bytes. */
static int get_buffer(PyObject *object, Py_buffer *view, int flags)
{
    Recorder *r = (Recorder *)object;
    size_t from = r->written < r->capacity ? 0 : (size_t)(r->written % r->capacity);
    Py_ssize_t bytes = (Py_ssize_t)(kept(r) * r->width * sizeof *r->ring);
    return PyBuffer_FillInfo(view, object, r->ring + from * r->width, bytes, 1, flags);
}

static int add_column(PyObject *list, const char *head, const char *name, const char *tail, size_t n)
{
    PyObject *pair = Py_BuildValue("(Nn)", PyUnicode_FromFormat("%s%s%s", head, name, tail), (Py_ssize_t)n);
    int code = pair ? PyList_Append(list, pair) : -1;
    Py_XDECREF(pair);
    return code;
}

/* The columns of a record: (name, values). */
static PyObject *get_layout(PyObject *object, void *closure)
{
    Recorder *r = (Recorder *)object;
    PyObject *list = PyList_New(0);
    (void)closure;
    int code = list ? add_column(list, "", "step", "", 1) : -1;
    for (size_t i = 0; i < r->n_metrics && !code; i++) {
        size_t n;
        anb_diagnostics_values(r->diagnostics, (AnbMetricId)r->metric[i], &n);
        code = add_column(list, "", anb_metrics()[r->metric[i]].name, "", n);
    }
    for (int i = 0; r->audit && i < ANB_AUDIT_METRIC_COUNT && !code; i++)
        code = add_column(list, "audit_", anb_audit_metric_name((AnbAuditMetric)i), "", 1);
    for (size_t i = 0; r->audit && i < anb_audit_n_rules(r->audit) && !code; i++)
        code = add_column(list, "", anb_audit_rule_name(r->audit, i), "_L", 1) |
               add_column(list, "", anb_audit_rule_name(r->audit, i), "_U", 1);
    if (code)
        Py_CLEAR(list);
    return list;
}

static PyObject *get_seen(PyObject *object, void *closure)
{
    (void)closure;
    return PyLong_FromUnsignedLongLong(((Recorder *)object)->seen);
}

static Py_ssize_t length(PyObject *object)
{
    return (Py_ssize_t)kept((Recorder *)object);
}

static PyObject *metrics(PyObject *object, PyObject *nothing)
{
    Recorder *r = (Recorder *)object;
    Model *model = watcher_enter(object);
    (void)nothing;
    if (!model)
        return NULL;
    PyObject *dict = PyDict_New();
    for (int id = 0; dict && id < ANB_METRIC_COUNT; id++) {
        size_t n;
        const AnbMetric *metric = &anb_metrics()[id];
        const double *value = anb_diagnostics_values(r->diagnostics, (AnbMetricId)id, &n);
        bool one = metric->shape == ANB_OF_MODEL || metric->shape == ANB_OF_MIXTURE;
        if (n > 0 && dict_put(dict, metric->name, one ? PyFloat_FromDouble(*value) : list_of(value, n)))
            Py_CLEAR(dict);
    }
    watcher_leave(model);
    return dict;
}

static PyObject *rules(PyObject *object, PyObject *nothing)
{
    Recorder *r = (Recorder *)object;
    Model *model = watcher_enter(object);
    (void)nothing;
    if (!model)
        return NULL;
    PyObject *dict = PyDict_New();
    for (size_t i = 0; dict && r->audit && i < anb_audit_n_rules(r->audit); i++) {
        AnbTruth truth = anb_audit_truth(r->audit, i);
        PyObject *rule = Py_BuildValue("{s:d,s:d,s:d,s:d,s:N}", "lower", truth.lower, "upper", truth.upper, "severity",
                                       anb_audit_severity(r->audit, i), "weight", anb_audit_rule_weight(r->audit, i),
                                       "alarmed", PyBool_FromLong(anb_audit_alarmed(r->audit, i)));
        if (dict_put(dict, anb_audit_rule_name(r->audit, i), rule))
            Py_CLEAR(dict);
    }
    watcher_leave(model);
    return dict;
}

static PyObject *pool(PyObject *object, PyObject *nothing)
{
    Recorder *r = (Recorder *)object;
    Model *model = watcher_enter(object);
    (void)nothing;
    if (!model)
        return NULL;
    AnbExpertPool *p = anb_diagnostics_pool(r->diagnostics);
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && p && i < anb_expert_pool_experts(p); i++) {
        AnbPooled e = anb_expert_pool_expert(p, i);
        PyObject *one = Py_BuildValue("{s:s,s:K,s:d,s:d,s:d,s:d}", "name", e.name, "processed",
                                      (unsigned long long)e.processed, "magnitude", e.magnitude, "sparsity", e.sparsity,
                                      "specialization", e.specialization, "contribution", e.contribution);
        if (!one || PyList_Append(list, one) < 0)
            Py_CLEAR(list);
        Py_XDECREF(one);
    }
    watcher_leave(model);
    return list;
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

static int append(void *context, const void *text, size_t size)
{
    PyObject *piece = PyBytes_FromStringAndSize(text, (Py_ssize_t)size);
    int code = piece ? PyList_Append(context, piece) : -1;
    Py_XDECREF(piece);
    return code ? ANB_E_MEMORY : 0;
}

static PyObject *text_of(Recorder *r, bool json)
{
    PyObject *pieces = PyList_New(0), *empty = PyBytes_FromString("");
    Model *model = pieces && empty ? watcher_enter((PyObject *)r) : NULL;
    int code = -1;
    if (model) {
        code = json ? anb_diagnostics_json(r->diagnostics, r->audit, false, append, pieces)
                    : anb_metrics_prometheus(model->learner, r->diagnostics, append, pieces);
        watcher_leave(model);
    }
    PyObject *bytes = code ? NULL : PyObject_CallMethod(empty, "join", "O", pieces);
    PyObject *text = bytes ? PyUnicode_FromEncodedObject(bytes, "utf-8", "replace") : NULL;
    Py_XDECREF(bytes);
    Py_XDECREF(pieces);
    Py_XDECREF(empty);
    return text;
}

static PyObject *to_json(PyObject *object, PyObject *nothing)
{
    (void)nothing;
    return text_of((Recorder *)object, true);
}

static PyObject *prometheus(PyObject *object, PyObject *nothing)
{
    (void)nothing;
    return text_of((Recorder *)object, false);
}

static PyMethodDef recorder_methods[] = {
    {"detach", watcher_detach, METH_NOARGS,
     "detach($self, /)\n--\n\nStops recording; what was recorded stays. A recorder that is no longer used is detached "
     "too."},
    {"metrics", metrics, METH_NOARGS,
     "metrics($self, /)\n--\n\nEvery metric as of the last sample.\n\nReturns\n-------\ndict\n    A float of the model "
     "or its mixture, a list with one value for each expert, or K * K values of pairs; nan where a value is absent."},
    {"rules", rules, METH_NOARGS,
     "rules($self, /)\n--\n\nThe audit's rules as of its last step.\n\nReturns\n-------\ndict of str to dict\n    "
     "`lower` and `upper` bound of the truth, `severity`, `weight`, `alarmed`; empty without an audit."},
    {"pool", pool, METH_NOARGS,
     "pool($self, /)\n--\n\nFigures of each expert.\n\nReturns\n-------\nlist of dict\n    `name`, `processed` "
     "samples, `magnitude`, `sparsity`, `specialization`, `contribution`; empty without a mixture."},
    {"json", to_json, METH_NOARGS,
     "json($self, /)\n--\n\nOne record as a line of JSON: what `anabranch eval --diag` writes."},
    {"prometheus", prometheus, METH_NOARGS,
     "prometheus($self, /)\n--\n\nAll metrics in the text format 0.0.4 of Prometheus."},
    {0}};

static PyGetSetDef recorder_properties[] = {
    {"model", watcher_get_model, NULL, "Model : what is recorded.", NULL},
    {"n_observed", get_seen, NULL, "int : samples observed.", NULL},
    {"_layout", get_layout, NULL, "Columns of a record: names and numbers of values.", NULL},
    {0}};

PyTypeObject *core_make_recorder_type(PyObject *module)
{
    PyType_Slot slots[] = {{Py_tp_doc, "Keeps every k-th sample's figures in a ring."},
                           {Py_tp_new, recorder_new},
                           {Py_tp_traverse, watcher_traverse},
                           {Py_tp_dealloc, recorder_dealloc},
                           {Py_tp_methods, recorder_methods},
                           {Py_tp_getset, recorder_properties},
                           {Py_sq_length, length},
                           {Py_bf_getbuffer, get_buffer},
                           {0}};
    return type_new(module, "anabranch._core.Recorder", sizeof(Recorder), slots);
}
