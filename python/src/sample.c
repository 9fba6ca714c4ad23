/* Methods of Model that take single rows. */
#include "core.h"

/* How much was refused so far. */
typedef struct Refused {
    uint64_t target, weight, features;
} Refused;

static inline Refused refused_in(const AnbCounters *c)
{
    return (Refused){c->rejected_target, c->rejected_weight, c->rejected_features};
}

/* Why the learner refused what it has just been given: -1 with the exception set; 0 where it did not, or skips. */
static int refusal(Model *self, const Refused *before)
{
    Core *core = self->core;
    const Refused now = refused_in(anb_counters(self->learner));
    if (self->format.skips)
        return 0;
    if (now.target > before->target)
        return raise_input(core, "the target is not a finite number; nothing was learned");
    if (now.weight > before->weight)
        return raise_input(core, "the weight is negative or not finite; nothing was learned");
    if (now.features > before->features)
        return raise_input(core, "the row holds an infinite cell, or a missing one that this model does not take; "
                                 "nothing was learned");
    return 0;
}

/* As entry_enter, for a call that keeps the GIL. Where no learner is written in Python nothing else can run before it
 * leaves, so a free object is left as it is; entry_leave afterwards all the same. */
static inline int pass(Model *self)
{
    return self->entry.owner == 0 && !self->calls_python ? 0 : entry_enter(&self->entry, self->core);
}

static int enter(Model *self)
{
    return entry_enter(&self->entry, self->core);
}

/* A row's doubles, and the model entered by `how`. */
static inline int enter_row(Model *self, PyObject *row, Cells *cells, int (*how)(Model *))
{
    if (!self->learner && model_ready(self, row, 0))
        return -1;
    if (!cells_take(cells, self->format.names.n))
        return -1;
    if (row_read(&self->format, row, cells->x) == 0 && how(self) == 0)
        return 0;
    cells_free(cells);
    return -1;
}

int model_enter_row(Model *self, PyObject *row, Cells *cells)
{
    return enter_row(self, row, cells, enter);
}

static void leave(Model *self, Cells *cells)
{
    entry_leave(&self->entry);
    cells_free(cells);
}

/* The answer, or NULL where the learner refused the row or one written in Python raised. */
static PyObject *answer(Model *self, double value, const Refused *before, bool returns)
{
    if ((self->core->failure && core_failure(self->core)) || (value != value && refusal(self, before)))
        return NULL;
    return returns ? PyFloat_FromDouble(value) : Py_NewRef(Py_None);
}

static PyObject *predict_one(PyObject *object, PyObject *const *arguments, Py_ssize_t n, PyObject *names)
{
    Model *self = (Model *)object;
    Cells cells;
    bool named =
        names && PyTuple_Size(names) == 1 && PyUnicode_CompareWithASCIIString(PyTuple_GetItem(names, 0), "x") == 0;
    if (named ? n != 0 : n != 1 || (names && PyTuple_Size(names) > 0))
        return PyErr_SetString(PyExc_TypeError, "predict_one() takes x"), NULL;
    PyObject *row = arguments[0];
    if (enter_row(self, row, &cells, pass))
        return NULL;
    const Refused before = refused_in(anb_counters(self->learner));
    double value = anb_predict(self->learner, cells.x);
    PyObject *result = answer(self, value, &before, true);
    leave(self, &cells);
    return result;
}

/* What else than a number was given: a missing one is nan, which is refused as in a table; an exception that is not
 * about the value stays. */
static int no_number(Core *core, PyObject *object, const char *what, double *value)
{
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_TypeError) && !PyErr_ExceptionMatches(PyExc_ValueError) &&
        !PyErr_ExceptionMatches(PyExc_OverflowError))
        return -1;
    PyErr_Clear();
    if (cell_is_missing(object))
        return *value = ANB_NAN, 0;
    if (PyLong_Check(object))
        return raise_input(core, "the %s is an integer too large for a float; nothing was learned", what);
    return raise_input(core, "the %s is a %R: %.200R, which is not a number; nothing was learned", what,
                       (PyObject *)Py_TYPE(object), object);
}

static int number_of(Core *core, PyObject *object, const char *what, double *value)
{
    bool plain = Py_TYPE(object) == core->plain_float;
    *value = plain ? float_of(object) : PyFloat_AsDouble(object);
    if (plain)
        return 0;
    bool fails = *value == -1.0 && PyErr_Occurred();
    return fails || cell_is_count(object, *value) ? no_number(core, object, what, value) : 0;
}

/* The arguments that were given by name, behind n by position. */
static int named_sample(PyObject *const *arguments, Py_ssize_t n, PyObject *names, const char *first, PyObject **three)
{
    const char *const word[] = {first, "y", "w"};
    Py_ssize_t n_names = names ? PyTuple_Size(names) : 0;
    for (Py_ssize_t i = 0; i < n_names; i++) {
        PyObject *name = PyTuple_GetItem(names, i);
        int place = 0;
        while (place < 3 && PyUnicode_CompareWithASCIIString(name, word[place]) != 0)
            place++;
        if (place == 3 || three[place]) {
            PyErr_Format(PyExc_TypeError, "an unexpected or repeated argument: %U", name);
            return -1;
        }
        three[place] = arguments[n + i];
    }
    if (n > 3 || !three[0] || !three[1])
        return PyErr_Format(PyExc_TypeError, "takes %s, y and an optional w", first), -1;
    return 0;
}

/* x, y and an optional weight: all by position or by name. */
static inline int sample_of(PyObject *const *arguments, Py_ssize_t n, PyObject *names, const char *first,
                            PyObject **three)
{
    for (Py_ssize_t i = 0; i < 3; i++)
        three[i] = i < n ? arguments[i] : NULL;
    return !names && (n == 2 || n == 3) ? 0 : named_sample(arguments, n, names, first, three);
}

int target_of(Core *core, PyObject *const *three, double *y, double *weight)
{
    *weight = 1;
    if (three[2] && three[2] != Py_None && number_of(core, three[2], "weight", weight))
        return -1;
    if (three[1] != Py_None)
        return number_of(core, three[1], "target", y);
    *y = ANB_NAN; /* refused, as in a table */
    return 0;
}

static PyObject *train(PyObject *object, PyObject *const *arguments, Py_ssize_t n, PyObject *names, bool returns)
{
    Model *self = (Model *)object;
    PyObject *three[3];
    double y, weight;
    Cells cells;
    if (sample_of(arguments, n, names, "x", three) || target_of(self->core, three, &y, &weight) ||
        enter_row(self, three[0], &cells, pass))
        return NULL;
    const Refused before = refused_in(anb_counters(self->learner));
    double value = anb_train_one(self->learner, cells.x, y, weight);
    if (self->n_observers > 0)
        model_observe(self, cells.x, y, value);
    PyObject *result = answer(self, value, &before, returns);
    leave(self, &cells);
    return result;
}

static PyObject *train_one(PyObject *self, PyObject *const *arguments, Py_ssize_t n, PyObject *names)
{
    return train(self, arguments, n, names, true);
}

static PyObject *learn_one(PyObject *self, PyObject *const *arguments, Py_ssize_t n, PyObject *names)
{
    return train(self, arguments, n, names, false);
}

/* ---- intervals ---------------------------------------------------------------------------------------------------- */

static PyObject *no_interval(Core *core, bool ranks)
{
    PyErr_SetString(core->unsupported_error, ranks ? "the model has quantiles, not intervals: use predict_quantiles"
                                                   : "the model has no intervals: write interval(...) around the "
                                                     "expression");
    return NULL;
}

static PyObject *other_coverage(Core *core, double coverage, const StreamingLearner *learner)
{
    const double *level;
    size_t n = learner ? anb_interval_levels(learner, &level) : 0;
    PyObject *levels = tuple_of(level, n), *asked = PyFloat_FromDouble(coverage);
    if (levels && asked && n > 0)
        raise_input(core, "the model has no interval of coverage %R; its coverages are %R", asked, levels);
    else if (levels && asked)
        raise_input(core, "the model has no interval of coverage %R; Model.coverages lists those it has", asked);
    Py_XDECREF(levels);
    Py_XDECREF(asked);
    return NULL;
}

PyObject *interval_answer(Core *core, int code, const Interval *asked)
{
    if (core_failure(core))
        return NULL;
    if (code == ANB_E_UNSUPPORTED)
        return no_interval(core, asked->ranks);
    if (code == ANB_E_INPUT)
        return raise_input(core, "the row is refused: an infinite cell, or a missing one"), NULL;
    return code ? other_coverage(core, asked->coverage, asked->learner)
                : Py_BuildValue("(dd)", asked->low, asked->high);
}

static PyObject *predict_interval(PyObject *object, PyObject *arguments)
{
    Model *self = (Model *)object;
    PyObject *row;
    Interval asked = {0};
    const double *level;
    Cells cells;
    if (!PyArg_ParseTuple(arguments, "Od:predict_interval", &row, &asked.coverage) ||
        model_enter_row(self, row, &cells))
        return NULL;
    int code = anb_predict_interval(self->learner, cells.x, asked.coverage, &asked.low, &asked.high);
    asked.learner = self->learner;
    asked.ranks = anb_quantile_levels(self->learner, &level) > 0;
    leave(self, &cells);
    return interval_answer(self->core, code, &asked);
}

/* ---- quantiles ---------------------------------------------------------------------------------------------------- */

PyObject *quantiles_answer(Core *core, int code, const double *value, size_t n)
{
    if (core_failure(core))
        return NULL;
    if (code == ANB_E_UNSUPPORTED)
        return PyErr_SetString(core->unsupported_error, "the model has no quantiles: write quantile(..., levels=[...]) "
                                                        "around the expression"),
               NULL;
    if (code)
        return raise_input(core, "the row is refused: an infinite cell, or a missing one"), NULL;
    return tuple_of(value, n);
}

static PyObject *predict_quantiles(PyObject *object, PyObject *row)
{
    Model *self = (Model *)object;
    const double *level;
    double value[ANB_LEVELS_MAX];
    Cells cells;
    if (model_enter_row(self, row, &cells))
        return NULL;
    int code = anb_predict_quantiles(self->learner, cells.x, value);
    size_t n = anb_quantile_levels(self->learner, &level);
    leave(self, &cells);
    return quantiles_answer(self->core, code, value, n);
}

/* ---- labels that come later --------------------------------------------------------------------------------------- */

static int keeps_rows(Model *self)
{
    if (!self->learner || anb_keeps_pending(self->learner))
        return 0;
    PyErr_SetString(self->core->unsupported_error, "the model keeps no rows: write pending(...) around the expression");
    return -1;
}

/* A whole number, or a text, as the service and the module for Redis take it. */
static int id_of(Core *core, PyObject *object, uint64_t *id)
{
    Py_ssize_t n = 0;
    const char *text = PyUnicode_Check(object) ? PyUnicode_AsUTF8AndSize(object, &n) : NULL;
    PyObject *whole = !PyErr_Occurred() && !text ? PyNumber_Index(object) : NULL;
    *id = n > 0 ? anb_label_id(text, (size_t)n) : whole ? PyLong_AsUnsignedLongLong(whole) : 0;
    bool wrong = PyErr_Occurred() || (text && n == 0);
    Py_XDECREF(whole);
    if (!wrong)
        return 0;
    PyErr_Clear();
    return raise_input(core, "an id is a whole number from 0 to 2**64 - 1 or a text that is not empty, not %.200R",
                       object);
}

static PyObject *predict_pending(PyObject *object, PyObject *arguments)
{
    Model *self = (Model *)object;
    PyObject *name, *row;
    uint64_t id;
    Cells cells;
    if (!PyArg_ParseTuple(arguments, "OO:predict_pending", &name, &row) || id_of(self->core, name, &id) ||
        model_ready(self, row, 0) || keeps_rows(self) || model_enter_row(self, row, &cells))
        return NULL;
    const Refused before = refused_in(anb_counters(self->learner));
    PyObject *result = answer(self, anb_predict_pending(self->learner, id, cells.x), &before, true);
    leave(self, &cells);
    return result;
}

static PyObject *label_answer(Model *self, double prediction, const AnbCounters *before, PyObject *id)
{
    const AnbCounters *now = anb_counters(self->learner);
    const char *why = now->labels_unknown > before->labels_unknown     ? "was never seen, or left the ring long ago"
                      : now->labels_repeated > before->labels_repeated ? "has been learned already"
                      : now->labels_evicted > before->labels_evicted   ? "has left the ring"
                                                                       : NULL;
    if (why && !self->format.skips)
        return raise_input(self->core, "label %R: the row %s", id, why), NULL;
    const Refused refused = refused_in(before);
    return answer(self, prediction, &refused, true);
}

static PyObject *learn_label(PyObject *object, PyObject *const *arguments, Py_ssize_t n, PyObject *names)
{
    Model *self = (Model *)object;
    PyObject *three[3];
    double y, weight;
    uint64_t id;
    if (sample_of(arguments, n, names, "id", three) || target_of(self->core, three, &y, &weight) ||
        id_of(self->core, three[0], &id) || model_ready(self, NULL, 0) || keeps_rows(self) ||
        entry_enter(&self->entry, self->core))
        return NULL;
    AnbCounters before = *anb_counters(self->learner);
    double prediction = anb_learn_label(self->learner, id, y, weight);
    if (self->n_observers > 0)
        model_observe(self, NULL, y, prediction);
    PyObject *result = label_answer(self, prediction, &before, three[0]);
    entry_leave(&self->entry);
    return result;
}

static PyObject *reset(PyObject *object, PyObject *nothing)
{
    Model *self = (Model *)object;
    (void)nothing;
    if (entry_enter(&self->entry, self->core))
        return NULL;
    if (self->learner)
        anb_reset(self->learner);
    self->format.extras = 0;
    entry_leave(&self->entry);
    return core_failure(self->core) ? NULL : Py_NewRef(Py_None);
}

#define ROW "x : dict, sequence or array of n_features numbers\n    None and nan are missing cells.\n"

PyMethodDef model_sample_methods[] = {
    {"predict_one", FASTCALL(predict_one), METH_FASTCALL | METH_KEYWORDS,
     "predict_one($self, x)\n--\n\nThe prediction for one row; learns nothing.\n\nParameters\n----------\n" ROW
     "\nReturns\n-------\nfloat\n\nRaises\n------\nInputError\n    A cell is no number, infinite, or missing where the "
     "model takes none."},
    {"train_one", FASTCALL(train_one), METH_FASTCALL | METH_KEYWORDS,
     "train_one($self, x, y, w=1.0)\n--\n\nLearns one sample and returns its prediction, made before it was "
     "learned.\n\n"
     "Parameters\n----------\n" ROW "y : float\n    The target, finite.\nw : float\n    How many samples this one "
     "counts for, >= 0.\n\nReturns\n-------\nfloat\n\nRaises\n------\nInputError\n    The sample is refused; nothing "
     "was learned."},
    {"learn_one", FASTCALL(learn_one), METH_FASTCALL | METH_KEYWORDS,
     "learn_one($self, x, y, w=1.0)\n--\n\nAs train_one, but returns None."},
    {"predict_interval", predict_interval, METH_VARARGS,
     "predict_interval($self, x, coverage, /)\n--\n\nAn interval around the prediction that holds the target with a "
     "coverage.\n\nParameters\n----------\n" ROW "coverage : float\n    One of `coverages`.\n\nReturns\n-------\n"
     "tuple of float\n    Lower and upper end; infinite before two samples were learned.\n\nRaises\n------\n"
     "UnsupportedError\n    The expression has no interval at its root.\nInputError\n    Another coverage, or a row "
     "that is refused."},
    {"predict_quantiles", predict_quantiles, METH_O,
     "predict_quantiles($self, x, /)\n--\n\nValues that given shares of the row's targets lie below.\n\nParameters\n"
     "----------\n" ROW "\nReturns\n-------\ntuple of float\n    One for each of `levels`, never descending, in the "
     "target's unit.\n\nRaises\n------\nUnsupportedError\n    The expression has no quantile(...) that reaches its "
     "root.\nInputError\n    A row that is refused."},
    {"predict_pending", predict_pending, METH_VARARGS,
     "predict_pending($self, id, x, /)\n--\n\nPredicts a row and keeps it until its label comes.\n\n"
     "Parameters\n----------\nid : int or str\n    The caller's name of the row: a number from 0 to 2**64 - 1, or a "
     "text; a row "
     "that is pending under it is replaced.\n" ROW
     "\nReturns\n-------\nfloat\n\nRaises\n------\nUnsupportedError\n    The expression has no "
     "pending at its root."},
    {"learn_label", FASTCALL(learn_label), METH_FASTCALL | METH_KEYWORDS,
     "learn_label($self, id, y, w=1.0)\n--\n\nLearns the label of the row that is pending under an "
     "id.\n\nParameters\n----------\n"
     "id : int or str\ny : float\nw : float\n\nReturns\n-------\nfloat\n    The prediction that "
     "was made for the row.\n\nRaises\n------\n"
     "InputError\n    The row was never seen, has been learned already, or was replaced by newer ones."},
    {"reset", reset, METH_NOARGS, "reset($self, /)\n--\n\nBack to the state before the first sample."},
    {0}};
