/* The type Explainer: Shapley values of a row's columns against rows that it keeps from the stream. */
#include "argument.h"
#include <anabranch/explain.h>

typedef struct Explainer {
    Watcher base;
    AnbExplainer *explainer;
} Explainer;

static void observe(AnbObserver *observer, StreamingLearner *model, const double *x, double y, double before)
{
    Explainer *e = (Explainer *)((char *)observer - offsetof(Explainer, base.observer));
    anb_observe(anb_explainer_observer(e->explainer), model, x, y, before);
}

static int make(Explainer *e, Model *model, const AnbExplainerOptions *options)
{
    AnbError error = {0};
    e->explainer = anb_explainer_new(model->learner, options, &error);
    if (!e->explainer)
        return raise_error(model->core, &error, NULL), -1;
    return watcher_attach(&e->base, model);
}

static PyObject *explainer_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *words[] = {"model", "rows", "pairs", "span", "seed", NULL};
    Core *core = core_of_type(type);
    AnbExplainerOptions options = anb_explainer_defaults();
    PyObject *model, *rows = NULL, *pairs = NULL, *span = NULL, *number = NULL;
    unsigned long long seed = options.seed;
    if (!core ||
        !PyArg_ParseTupleAndKeywords(arguments, keywords, "O|OOOO:Explainer", words, &model, &rows, &pairs, &span,
                                     &number) ||
        model_argument(core, model, "an Explainer takes a Model") || int_argument(core, rows, "rows", &options.rows) ||
        int_argument(core, pairs, "pairs", &options.pairs) || number_argument(span, "span", &options.span) ||
        seed_argument(core, number, &seed))
        return NULL;
    options.seed = seed;
    if (model_ready((Model *)model, NULL, 0))
        return NULL;
    Explainer *e = object_new(type);
    if (!e)
        return NULL;
    e->base.observer.observe = observe;
    if (make(e, (Model *)model, &options))
        Py_CLEAR(e);
    return (PyObject *)e;
}

static void explainer_dealloc(PyObject *object)
{
    Explainer *e = (Explainer *)object;
    PyObject_GC_UnTrack(object);
    watcher_clear(&e->base);
    anb_explainer_free(e->explainer);
    object_free(object);
}

static PyObject *keep(PyObject *object, PyObject *row)
{
    Explainer *e = (Explainer *)object;
    Model *model = (Model *)e->base.model;
    Cells cells;
    if (model_enter_row(model, row, &cells))
        return NULL;
    int code = anb_explainer_keep(e->explainer, cells.x);
    PyObject *result = code && row_refused(&model->format, cells.x, NULL, 0) ? NULL : Py_NewRef(Py_None);
    watcher_leave(model);
    cells_free(&cells);
    return result;
}

/* _keep_many(X): rows of a matrix of doubles, as the model sees them. */
static PyObject *keep_many(PyObject *object, PyObject *array)
{
    Explainer *e = (Explainer *)object;
    Py_buffer x = {0};
    Model *model = watcher_enter(object);
    if (!model)
        return NULL;
    int code = doubles_of(model->core, array, &x, 2, "X");
    if (!code && x.shape[1] != model->format.names.n)
        code = raise_input(model->core, "X has %zd columns, the model %zd features", x.shape[1], model->format.names.n);
    for (Py_ssize_t i = 0; !code && i < x.shape[0]; i++) {
        const Sample row = predicted((const double *)x.buf + i * x.shape[1]);
        char head[32];
        PyOS_snprintf(head, sizeof head, "row %zd: ", i);
        code = anb_explainer_keep(e->explainer, row.x);
        if (code && model->format.skips)
            code = 0;
        else if (code && !raise_refusal(&model->format, &row, head, ""))
            raise_input(model->core, "%sit is refused", head);
    }
    watcher_leave(model);
    if (x.obj)
        PyBuffer_Release(&x);
    return code ? NULL : Py_NewRef(Py_None);
}

static PyObject *dict_of(const AnbExplanation *why)
{
    return Py_BuildValue("{s:d,s:d,s:N,s:N,s:N,s:n,s:N}", "prediction", why->prediction, "base", why->base, "phi",
                         list_of(why->phi, why->n_features), "error", list_of(why->error, why->n_features), "exact",
                         PyBool_FromLong(why->exact), "rows", (Py_ssize_t)why->rows, "expert",
                         list_of(why->expert, why->n_experts));
}

static PyObject *explain(PyObject *object, PyObject *row)
{
    Explainer *e = (Explainer *)object;
    Model *model = (Model *)e->base.model;
    AnbExplanation why;
    Cells cells;
    if (model_enter_row(model, row, &cells))
        return NULL;
    int code = anb_explain(e->explainer, model->learner, cells.x, &why);
    PyObject *result = code == 0 ? dict_of(&why) : NULL;
    if (code == ANB_E_INPUT && row_refused(&model->format, cells.x, NULL, 0) == 0)
        result = Py_NewRef(Py_None);
    if (code == ANB_E_UNSUPPORTED)
        PyErr_SetString(model->core->unsupported_error,
                        "no rows are kept yet to explain against: train the model, or give rows to keep()");
    watcher_leave(model);
    cells_free(&cells);
    if (core_failure(model->core))
        Py_CLEAR(result);
    return result;
}

static PyObject *get_cost(PyObject *object, void *closure)
{
    (void)closure;
    return PyLong_FromUnsignedLongLong(anb_explain_cost(((Explainer *)object)->explainer));
}

static Py_ssize_t length(PyObject *object)
{
    return (Py_ssize_t)anb_explainer_rows(((Explainer *)object)->explainer);
}

static PyMethodDef explainer_methods[] = {
    {"detach", watcher_detach, METH_NOARGS,
     "detach($self, /)\n--\n\nKeeps no further rows of the stream; those that are kept stay."},
    {"keep", keep, METH_O,
     "keep($self, x, /)\n--\n\nKeeps a row to explain against, as the stream's rows are "
     "kept.\n\nParameters\n----------\n"
     "x : dict, sequence or array of n_features numbers\n\nRaises\n------\nInputError\n    The row is refused."},
    {"_keep_many", keep_many, METH_O, "_keep_many($self, X, /)\n--\n\nKeeps the rows of a matrix."},
    {"_explain", explain, METH_O,
     "_explain($self, x, /)\n--\n\nAn explanation as a dict; None of a row that is skipped."},
    {0}};

static PyGetSetDef explainer_properties[] = {
    {"model", watcher_get_model, NULL, "Model : what is explained.", NULL},
    {"cost", get_cost, NULL, "int : the most predictions of the model that one explanation takes now.", NULL},
    {0}};

PyTypeObject *core_make_explainer_type(PyObject *module)
{
    PyType_Slot slots[] = {{Py_tp_doc, "Shapley values of a row's columns."},
                           {Py_tp_new, explainer_new},
                           {Py_tp_traverse, watcher_traverse},
                           {Py_tp_dealloc, explainer_dealloc},
                           {Py_tp_methods, explainer_methods},
                           {Py_tp_getset, explainer_properties},
                           {Py_sq_length, length},
                           {0}};
    return type_new(module, "anabranch._core.Explainer", sizeof(Explainer), slots);
}
