/* Methods of Model that take single rows. */
#include "argument.h"

/* As `enter`, for a call that keeps the GIL. Where no learner is written in Python nothing else can run before the call
 * leaves the model, so a model that is free need not be marked as in use; entry_leave afterwards all the same. */
static inline int enter_holding_gil(Model *self)
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

/* As sample_answer, without a call where there is nothing to raise. */
static inline PyObject *answer(const Model *self, double value, const Sample *sample)
{
    return self->core->failure || value != value ? sample_answer(&self->format, value, sample)
                                                 : PyFloat_FromDouble(value);
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
    if (enter_row(self, row, &cells, enter_holding_gil))
        return NULL;
    const Sample sample = predicted(cells.x);
    PyObject *result = answer(self, anb_predict(self->learner, cells.x), &sample);
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
    const char *hint = cell_is_duration(object) ? ": give its seconds" : "";
    PyObject *said = type_said(object);
    if (said)
        raise_input(core, "the %s is %U: %.200R, which is not a number%s; nothing was learned", what, said, object,
                    hint);
    Py_XDECREF(said);
    return -1;
}

/* Of what is no float. */
static int held_number(Core *core, PyObject *object, const char *what, double *value)
{
    if (object == Py_None)
        return *value = ANB_NAN, 0; /* refused, as in a table */
    if (cell_is_none(core, object))
        return no_number(core, object, what, value);
    *value = PyFloat_AsDouble(object);
    bool fails = *value == -1.0 && PyErr_Occurred();
    return fails || cell_is_count(core, object, *value) ? no_number(core, object, what, value) : 0;
}

static int number_of(Core *core, PyObject *object, const char *what, double *value)
{
    if (Py_TYPE(object) == core->plain_float)
        return *value = float_of(object), 0;
    PyObject *held = cell_held(core, object);
    int code = held ? held_number(core, held, what, value) : no_number(core, object, what, value);
    Py_XDECREF(held);
    return code;
}

/* The arguments that were given by name, behind n by position. */
static int named_sample(PyObject *const *arguments, Py_ssize_t n, PyObject *names, const char *method,
                        const char *first, PyObject **three)
{
    const char *const word[] = {first, "y", "w"};
    Py_ssize_t n_names = names ? PyTuple_Size(names) : 0;
    for (Py_ssize_t i = 0; i < n_names; i++) {
        PyObject *name = PyTuple_GetItem(names, i);
        int place = 0;
        while (place < 3 && PyUnicode_CompareWithASCIIString(name, word[place]) != 0)
            place++;
        if (place == 3 || three[place]) {
            PyErr_Format(PyExc_TypeError, "%s() takes %s, y and an optional w: the argument %R is %s", method, first,
                         name, place == 3 ? "none of them" : "given twice");
            return -1;
        }
        three[place] = arguments[n + i];
    }
    if (n > 3 || !three[0] || !three[1])
        return PyErr_Format(PyExc_TypeError, "%s() takes %s, y and an optional w", method, first), -1;
    return 0;
}

/* x, y and an optional weight: all by position or by name. */
static inline int sample_of(PyObject *const *arguments, Py_ssize_t n, PyObject *names, const char *method,
                            const char *first, PyObject **three)
{
    for (Py_ssize_t i = 0; i < 3; i++)
        three[i] = i < n ? arguments[i] : NULL;
    return !names && (n == 2 || n == 3) ? 0 : named_sample(arguments, n, names, method, first, three);
}

int target_of(Core *core, PyObject *const *three, Sample *sample)
{
    sample->weight = 1;
    if (three[2] && three[2] != Py_None && number_of(core, three[2], "weight", &sample->weight))
        return -1;
    return number_of(core, three[1], "target", &sample->y);
}

static PyObject *train(PyObject *object, PyObject *const *arguments, Py_ssize_t n, PyObject *names, bool returns)
{
    Model *self = (Model *)object;
    PyObject *three[3];
    Sample sample = {.learns = true};
    Cells cells;
    const char *method = returns ? "train_one" : "learn_one";
    if (sample_of(arguments, n, names, method, "x", three) || target_of(self->core, three, &sample) ||
        enter_row(self, three[0], &cells, enter_holding_gil))
        return NULL;
    sample.x = cells.x;
    double value = anb_train_one(self->learner, cells.x, sample.y, sample.weight);
    if (self->n_observers > 0)
        model_observe(self, cells.x, sample.y, value);
    bool none = !returns && value == value && !self->core->failure;
    PyObject *result = none ? Py_NewRef(Py_None) : answer(self, value, &sample);
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

/* ---- intervals --------------------------------------------------------------------------------------------------- */

static PyObject *no_interval(Core *core, bool ranks)
{
    PyErr_SetString(core->unsupported_error, ranks ? "the model has quantiles, not intervals: use predict_quantiles"
                                                   : "the model has no intervals: write interval(...) around the "
                                                     "expression");
    return NULL;
}

Levels levels_of(const StreamingLearner *learner)
{
    Levels levels = {0};
    levels.n_coverages = anb_interval_levels(learner, &levels.coverage);
    levels.n_levels = anb_quantile_levels(learner, &levels.level);
    return levels;
}

static PyObject *other_coverage(Core *core, const Interval *asked)
{
    PyObject *coverages = tuple_of(asked->has.coverage, asked->has.n_coverages);
    PyObject *coverage = PyFloat_FromDouble(asked->coverage);
    if (coverages && coverage)
        raise_input(core, "the model has no interval of coverage %R; its coverages are %R", coverage, coverages);
    Py_XDECREF(coverages);
    Py_XDECREF(coverage);
    return NULL;
}

PyObject *interval_answer(const Format *format, const double *x, int code, Interval *asked)
{
    if (core_failure(format->core))
        return NULL;
    if (asked->has.n_coverages == 0)
        return no_interval(format->core, asked->has.n_levels > 0);
    if (code == ANB_E_INPUT && row_refused(format, x, asked->end, 2))
        return NULL;
    return code && code != ANB_E_INPUT ? other_coverage(format->core, asked) : tuple_of(asked->end, 2);
}

int interval_asked(PyObject *arguments, PyObject *keywords, PyObject **row, Interval *asked)
{
    static char *words[] = {"x", "coverage", NULL};
    PyObject *coverage;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OO:predict_interval", words, row, &coverage))
        return -1;
    return number_argument(coverage, "coverage", &asked->coverage);
}

static PyObject *predict_interval(PyObject *object, PyObject *arguments, PyObject *keywords)
{
    Model *self = (Model *)object;
    PyObject *row;
    Interval asked = {0};
    Cells cells;
    if (interval_asked(arguments, keywords, &row, &asked) || model_enter_row(self, row, &cells))
        return NULL;
    int code = anb_predict_interval(self->learner, cells.x, asked.coverage, &asked.end[0], &asked.end[1]);
    asked.has = levels_of(self->learner);
    PyObject *result = interval_answer(&self->format, cells.x, code, &asked);
    leave(self, &cells);
    return result;
}

/* ---- quantiles --------------------------------------------------------------------------------------------------- */

PyObject *quantiles_answer(const Format *format, const double *x, int code, double *value, size_t n)
{
    if (core_failure(format->core))
        return NULL;
    if (n == 0)
        return PyErr_SetString(format->core->unsupported_error,
                               "the model has no quantiles: write quantile(..., levels=[...]) around the expression"),
               NULL;
    return code && row_refused(format, x, value, n) ? NULL : tuple_of(value, n);
}

static PyObject *predict_quantiles(PyObject *object, PyObject *row)
{
    Model *self = (Model *)object;
    double value[ANB_LEVELS_MAX];
    Cells cells;
    if (model_enter_row(self, row, &cells))
        return NULL;
    int code = anb_predict_quantiles(self->learner, cells.x, value);
    size_t n = levels_of(self->learner).n_levels;
    PyObject *result = quantiles_answer(&self->format, cells.x, code, value, n);
    leave(self, &cells);
    return result;
}

/* ---- rows of doubles --------------------------------------------------------------------------------------------- */

/* The model entered for a row of a table that was read already; PyBuffer_Release and entry_leave afterwards. */
static int enter_doubles(Model *self, PyObject *row, Py_buffer *x)
{
    if (model_ready(self, NULL, 0) || doubles_of(self->core, row, x, 1, "x"))
        return -1;
    int code = x->shape[0] == self->format.names.n ? enter(self) : raise_input(self->core, "x has another length");
    if (code)
        PyBuffer_Release(x);
    return code;
}

/* _range(x, coverage): what predict_interval returns, or predict_quantiles where coverage is None. */
static PyObject *range(PyObject *object, PyObject *arguments)
{
    Model *self = (Model *)object;
    PyObject *row, *coverage;
    double value[ANB_LEVELS_MAX];
    Py_buffer x;
    if (!PyArg_ParseTuple(arguments, "OO:_range", &row, &coverage))
        return NULL;
    Interval asked = {0};
    if ((coverage != Py_None && number_argument(coverage, "coverage", &asked.coverage)) || enter_doubles(self, row, &x))
        return NULL;
    asked.has = levels_of(self->learner);
    int code = coverage == Py_None
                   ? anb_predict_quantiles(self->learner, x.buf, value)
                   : anb_predict_interval(self->learner, x.buf, asked.coverage, &asked.end[0], &asked.end[1]);
    const size_t n = asked.has.n_levels;
    PyObject *result = coverage == Py_None ? quantiles_answer(&self->format, x.buf, code, value, n)
                                           : interval_answer(&self->format, x.buf, code, &asked);
    entry_leave(&self->entry);
    PyBuffer_Release(&x);
    return result;
}

/* ---- labels that come later -------------------------------------------------------------------------------------- */

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

static PyObject *predict_pending(PyObject *object, PyObject *arguments, PyObject *keywords)
{
    static char *words[] = {"id", "x", NULL};
    Model *self = (Model *)object;
    PyObject *name, *row;
    uint64_t id;
    Cells cells;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OO:predict_pending", words, &name, &row) ||
        id_of(self->core, name, &id) || model_ready(self, row, 0) || keeps_rows(self) ||
        model_enter_row(self, row, &cells))
        return NULL;
    const Sample sample = predicted(cells.x);
    PyObject *result = answer(self, anb_predict_pending(self->learner, id, cells.x), &sample);
    leave(self, &cells);
    return result;
}

static PyObject *label_answer(Model *self, double prediction, const Sample *label, const AnbCounters *before,
                              PyObject *id)
{
    const AnbCounters *now = anb_counters(self->learner);
    const char *why = now->labels_unknown > before->labels_unknown     ? "was never seen, or left the ring long ago"
                      : now->labels_repeated > before->labels_repeated ? "has been learned already"
                      : now->labels_evicted > before->labels_evicted   ? "has left the ring"
                                                                       : NULL;
    if (why && !self->format.skips)
        return raise_input(self->core, "label %R: the row %s", id, why), NULL;
    return answer(self, prediction, label);
}

static PyObject *learn_label(PyObject *object, PyObject *const *arguments, Py_ssize_t n, PyObject *names)
{
    Model *self = (Model *)object;
    PyObject *three[3];
    Sample label = {.learns = true};
    uint64_t id;
    if (sample_of(arguments, n, names, "learn_label", "id", three) || target_of(self->core, three, &label) ||
        id_of(self->core, three[0], &id) || model_ready(self, NULL, 0) || keeps_rows(self) ||
        entry_enter(&self->entry, self->core))
        return NULL;
    AnbCounters before = *anb_counters(self->learner);
    double prediction = anb_learn_label(self->learner, id, label.y, label.weight);
    if (self->n_observers > 0)
        model_observe(self, NULL, label.y, prediction);
    PyObject *result = label_answer(self, prediction, &label, &before, three[0]);
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
    model_observe_reset(self);
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
     "learn_one($self, x, y, w=1.0)\n--\n\nLearns one sample; as train_one, but returns None.\n\nParameters\n"
     "----------\n" ROW "y : float\n    The target, finite.\nw : float\n    How many samples this one counts for, >= "
     "0.\n\nRaises\n------\nInputError\n    The sample is refused; nothing was learned."},
    {"predict_interval", FASTCALL(predict_interval), METH_VARARGS | METH_KEYWORDS,
     "predict_interval($self, x, coverage)\n--\n\nAn interval around the prediction that holds the target with a "
     "coverage.\n\nParameters\n----------\n" ROW "coverage : float\n    One of `coverages`.\n\nReturns\n-------\n"
     "tuple of float\n    Lower and upper end; infinite before two samples were learned.\n\nRaises\n------\n"
     "UnsupportedError\n    The expression has no interval at its root.\nInputError\n    Another coverage, or a row "
     "that is refused."},
    {"_range", range, METH_VARARGS, "_range($self, x, coverage, /)\n--\n\nOf a row of doubles."},
    {"predict_quantiles", predict_quantiles, METH_O,
     "predict_quantiles($self, x, /)\n--\n\nValues that given shares of the row's targets lie below.\n\nParameters\n"
     "----------\n" ROW "\nReturns\n-------\ntuple of float\n    One for each of `levels`, never descending, in the "
     "target's unit.\n\nRaises\n------\nUnsupportedError\n    The expression has no quantile(...) that reaches its "
     "root.\nInputError\n    A row that is refused."},
    {"predict_pending", FASTCALL(predict_pending), METH_VARARGS | METH_KEYWORDS,
     "predict_pending($self, id, x)\n--\n\nPredicts a row and keeps it until its label comes.\n\n"
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
