/* The module anabranch._core. */
#include "core.h"
#include <anabranch/audit.h>

/* Subclasses in Python have no module of their own: the first base that has one is a type of this module. */
Core *core_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModule(type);
    while (!module && (type = PyType_GetSlot(type, Py_tp_base))) {
        PyErr_Clear();
        module = PyType_GetModule(type);
    }
    return module ? PyModule_GetState(module) : NULL;
}

static PyObject *learners(PyObject *module, PyObject *nothing)
{
    (void)module, (void)nothing;
    PyObject *dict = PyDict_New();
    for (const StreamingLearnerType *const *t = anb_learner_types(); dict && *t; t++)
        if (dict_put(dict, (*t)->name, Py_BuildValue("{s:s,s:s}", "brief", (*t)->brief, "example", (*t)->example)))
            Py_CLEAR(dict);
    return dict;
}

static PyObject *metric_table(PyObject *module, PyObject *nothing)
{
    static const char *const shapes[] = {"model", "mixture", "expert", "pair", "level", "feature", "server"};
    (void)module, (void)nothing;
    PyObject *dict = PyDict_New();
    for (int i = 0; dict && i < ANB_METRIC_COUNT; i++) {
        const AnbMetric *m = &anb_metrics()[i];
        if (dict_put(dict, m->name,
                     Py_BuildValue("{s:s,s:s,s:s,s:s}", "type", m->type == ANB_COUNTER ? "counter" : "gauge", "shape",
                                   shapes[m->shape], "unit", m->unit, "meaning", m->meaning)))
            Py_CLEAR(dict);
    }
    return dict;
}

static PyObject *audit_rules(PyObject *module, PyObject *nothing)
{
    (void)module, (void)nothing;
    return PyUnicode_FromString(anb_audit_rules());
}

static PyObject *looks(PyObject *module, PyObject *text)
{
    (void)module;
    return PyLong_FromUnsignedLong(cell_looks(text));
}

static PyMethodDef functions[] = {
    {"learners", learners, METH_NOARGS,
     "learners()\n--\n\nEvery learner of the library.\n\nReturns\n-------\ndict of str to dict\n    `brief`, what it "
     "is, "
     "and `example`, a small valid expression."},
    {"metric_table", metric_table, METH_NOARGS,
     "metric_table()\n--\n\nEvery metric that a Recorder can keep.\n\nReturns\n-------\ndict of str to dict\n    "
     "`type`, "
     "`shape` (model, mixture, expert, pair, level, feature or server), `unit` and `meaning`."},
    {"audit_rules", audit_rules, METH_NOARGS, "audit_rules()\n--\n\nThe default rules of the audit, as text."},
    {"_load", FASTCALL(core_load), METH_VARARGS | METH_KEYWORDS,
     "_load(type, data, path, max_bytes)\n--\n\nA model of the type from bytes, or from a file where data is None."},
    {"_restore", core_restore, METH_VARARGS, "_restore(model, skips, extra_raises, given, /)\n--\n\nFor pickles."},
    {"_looks", looks, METH_O, "_looks(text, /)\n--\n\nBits: like a number, like a time by the orders of its date."},
    {"_register", core_register, METH_VARARGS, "_register(name, cls, missing, /)\n--\n\nA learner written in Python."},
    {0}};

static int add_type(PyObject *module, PyTypeObject **place, PyTypeObject *type)
{
    *place = type;
    return type ? PyModule_AddType(module, type) : -1;
}

static int execute(PyObject *module)
{
    Core *core = PyModule_GetState(module);
    if (core_add_errors(module) || core_add_times(core))
        return -1;
    if (add_type(module, &core->model_type, core_make_model_type(module)) ||
        add_type(module, &core->recorder_type, core_make_recorder_type(module)) ||
        add_type(module, &core->explainer_type, core_make_explainer_type(module)) ||
        add_type(module, &core->server_type, core_make_server_type(module)) ||
        add_type(module, &core->reader_type, core_make_reader_type(module)))
        return -1;
    core->plain_float = floats_are_plain() ? &PyFloat_Type : NULL;
    return PyModule_AddStringConstant(module, "__version__", anb_version());
}

static int traverse(PyObject *module, visitproc visit, void *arg)
{
    Core *core = PyModule_GetState(module);
    Py_VISIT(core->model_type);
    Py_VISIT(core->recorder_type);
    Py_VISIT(core->explainer_type);
    Py_VISIT(core->server_type);
    Py_VISIT(core->reader_type);
    Py_VISIT(core->error);
    Py_VISIT(core->expression_error);
    Py_VISIT(core->input_error);
    Py_VISIT(core->snapshot_error);
    Py_VISIT(core->unsupported_error);
    Py_VISIT(core->failure);
    Py_VISIT(core->datetime);
    Py_VISIT(core->date);
    Py_VISIT(core->timedelta);
    Py_VISIT(core->epoch);
    Py_VISIT(core->epoch_utc);
    return 0;
}

static int clear(PyObject *module)
{
    Core *core = PyModule_GetState(module);
    Py_CLEAR(core->model_type);
    Py_CLEAR(core->recorder_type);
    Py_CLEAR(core->explainer_type);
    Py_CLEAR(core->server_type);
    Py_CLEAR(core->reader_type);
    Py_CLEAR(core->error);
    Py_CLEAR(core->expression_error);
    Py_CLEAR(core->input_error);
    Py_CLEAR(core->snapshot_error);
    Py_CLEAR(core->unsupported_error);
    Py_CLEAR(core->failure);
    Py_CLEAR(core->datetime);
    Py_CLEAR(core->date);
    Py_CLEAR(core->timedelta);
    Py_CLEAR(core->epoch);
    Py_CLEAR(core->epoch_utc);
    Py_CLEAR(core->word_tzinfo);
    Py_CLEAR(core->word_seconds);
    Py_CLEAR(core->word_ordinal);
    Py_CLEAR(core->word_plain);
    return 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
#ifdef Py_GIL_DISABLED
    /* All state is read and written under the GIL: an interpreter without turns it on. */
    {Py_mod_gil, Py_MOD_GIL_USED},
#endif
    {0}};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                                        .m_name = "anabranch._core",
                                        .m_doc = "The C part of anabranch.",
                                        .m_size = sizeof(Core),
                                        .m_methods = functions,
                                        .m_slots = slots,
                                        .m_traverse = traverse,
                                        .m_clear = clear};

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&definition);
}
