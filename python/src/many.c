/* Many rows at a time, from a matrix of doubles in place. The GIL is released meanwhile. */
#include "core.h"
#include <string.h>

int doubles_of(Core *core, PyObject *array, Py_buffer *view, int ndim, const char *what)
{
    if (PyObject_GetBuffer(array, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT))
        return -1;
    if (view->ndim == ndim && view->format && strcmp(view->format, "d") == 0)
        return 0;
    PyBuffer_Release(view);
    memset(view, 0, sizeof *view);
    return raise_input(core, "%s is no contiguous array of %d dimensions of float64", what, ndim);
}

typedef struct Many {
    Py_buffer x, y, w, out;
    Py_ssize_t n;
} Many;

static void release(Many *m)
{
    Py_buffer *views[] = {&m->x, &m->y, &m->w, &m->out};
    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        if (views[i]->obj)
            PyBuffer_Release(views[i]);
}

static int take_vector(Core *core, PyObject *array, Py_buffer *view, Py_ssize_t n, const char *what)
{
    if (array == Py_None)
        return 0;
    if (doubles_of(core, array, view, 1, what))
        return -1;
    if (view->shape[0] != n)
        return raise_input(core, "%s has %zd values for %zd rows", what, view->shape[0], n);
    return 0;
}

static int take(Model *self, Many *m, PyObject *x, PyObject *y, PyObject *w, PyObject *out)
{
    Core *core = self->core;
    if (doubles_of(core, x, &m->x, 2, "X"))
        return -1;
    m->n = m->x.shape[0];
    if (m->x.shape[1] == 0)
        return raise_input(core, "X has no columns");
    if (model_ready(self, NULL, m->x.shape[1]))
        return -1;
    if (m->x.shape[1] != self->format.names.n)
        return raise_input(core, "X has %zd columns, the model %zd features", m->x.shape[1], self->format.names.n);
    if (take_vector(core, y, &m->y, m->n, "y") || take_vector(core, w, &m->w, m->n, "w") ||
        take_vector(core, out, &m->out, m->n, "out"))
        return -1;
    return m->out.buf && m->out.readonly ? raise_input(core, "out cannot be written") : 0;
}

/* Whether all of n values are finite, missing ones allowed or not: sums of v - v are 0 where they are. */
static bool all_fine(const double *v, Py_ssize_t n, bool missing)
{
    double sum = 0;
    for (Py_ssize_t i = 0; i < n; i++)
        sum += v[i] - v[i];
    if (sum == 0 || !missing)
        return sum == 0;
    for (Py_ssize_t i = 0; i < n; i++)
        if (v[i] == v[i] && v[i] - v[i] != 0)
            return false;
    return true;
}

/* all_fine for many values, mostly fine ones, in eight sums that do not wait for each other. */
static bool surely_fine(const double *v, Py_ssize_t n)
{
    double sum[8] = {0};
    Py_ssize_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int lane = 0; lane < 8; lane++)
            sum[lane] += v[i + lane] - v[i + lane];
    for (int lane = 1; lane < 8; lane++)
        sum[0] += sum[lane];
    return sum[0] == 0 && all_fine(v + i, n - i, false);
}

static int bad_cell(Model *self, const Many *m, Py_ssize_t i)
{
    const double *x = (const double *)m->x.buf + i * self->format.names.n;
    Py_ssize_t j = 0;
    while (all_fine(&x[j], 1, self->format.takes_missing))
        j++;
    return raise_input(self->core, "row %zd: feature %zd is %s; nothing was learned", i, j,
                       x[j] != x[j] ? "missing, which this model does not take" : "infinite");
}

/* 0, or -1 with the reason raised why the learner would refuse a row. */
static int check_rows(Model *self, const Many *m)
{
    const double *x = m->x.buf, *y = m->y.buf, *w = m->w.buf;
    Py_ssize_t d = self->format.names.n;
    bool rows_fine = surely_fine(x, m->n * d);
    if (rows_fine && !w && (!y || surely_fine(y, m->n)))
        return 0;
    for (Py_ssize_t i = 0; i < m->n; i++) {
        if (y && y[i] - y[i] != 0)
            return raise_input(self->core, "row %zd: the target is not a finite number; nothing was learned", i);
        if (w && !(w[i] >= 0 && w[i] - w[i] == 0))
            return raise_input(self->core, "row %zd: the weight is negative or not finite; nothing was learned", i);
        if (!rows_fine && !all_fine(x + i * d, d, self->format.takes_missing))
            return bad_cell(self, m, i);
    }
    return 0;
}

/* As anb_train_many, with the observers told of every sample. */
static void train_observed(Model *self, const Many *m)
{
    const double *x = m->x.buf, *y = m->y.buf, *w = m->w.buf;
    double *out = m->out.buf;
    for (Py_ssize_t i = 0; i < m->n; i++, x += self->format.names.n) {
        double before = anb_train_one(self->learner, x, y[i], w ? w[i] : 1);
        model_observe(self, x, y[i], before);
        if (out)
            out[i] = before;
    }
}

static PyObject *run(Model *self, const Many *m)
{
    if (!self->skips && check_rows(self, m))
        return NULL;
    if (entry_enter(&self->entry, self->core))
        return NULL;
    PyThreadState *state = PyEval_SaveThread();
    if (!m->y.buf)
        anb_predict_many(self->learner, m->x.buf, (size_t)m->n, m->out.buf);
    else if (self->n_observers == 0)
        anb_train_many(self->learner, m->x.buf, m->y.buf, m->w.buf, (size_t)m->n, m->out.buf);
    else
        train_observed(self, m);
    PyEval_RestoreThread(state);
    entry_leave(&self->entry);
    return core_failure(self->core) ? NULL : Py_NewRef(Py_None);
}

/* _many(X, y, w, out): y None: predict. */
static PyObject *many(PyObject *object, PyObject *arguments)
{
    Model *self = (Model *)object;
    PyObject *x, *y, *w, *out, *result = NULL;
    Many m = {0};
    if (!PyArg_ParseTuple(arguments, "OOOO:_many", &x, &y, &w, &out))
        return NULL;
    if (y == Py_None && out == Py_None)
        return raise_input(self->core, "predictions need a place: out is None"), NULL;
    if (take(self, &m, x, y, w, out) == 0)
        result = m.n > 0 ? run(self, &m) : Py_NewRef(Py_None);
    release(&m);
    return result;
}

/* _rows(list, X): rows of any kind into a matrix, by the model's names and schema. */
static PyObject *rows(PyObject *object, PyObject *arguments)
{
    Model *self = (Model *)object;
    PyObject *list, *array;
    Py_buffer x = {0};
    if (!PyArg_ParseTuple(arguments, "O!O:_rows", &PyList_Type, &list, &array) ||
        doubles_of(self->core, array, &x, 2, "X"))
        return NULL;
    Py_ssize_t n = PyList_Size(list), d = self->format.names.n;
    int code =
        !self->learner || x.readonly || x.shape[0] != n || x.shape[1] != d ? raise_input(self->core, "no room") : 0;
    for (Py_ssize_t i = 0; i < n && !code; i++) {
        PyObject *row = Py_XNewRef(PyList_GetItem(list, i));
        code = row ? row_read(&self->format, row, (double *)x.buf + i * d) : -1;
        Py_XDECREF(row);
    }
    PyBuffer_Release(&x);
    return code ? NULL : Py_NewRef(Py_None);
}

/* _cells(i, list, out): a column of any kind into doubles. */
static PyObject *cells(PyObject *object, PyObject *arguments)
{
    Model *self = (Model *)object;
    PyObject *list, *array;
    Py_ssize_t i;
    Py_buffer out = {0};
    if (!PyArg_ParseTuple(arguments, "nO!O:_cells", &i, &PyList_Type, &list, &array) ||
        doubles_of(self->core, array, &out, 1, "out"))
        return NULL;
    Py_ssize_t n = PyList_Size(list);
    int code = out.readonly || out.shape[0] != n || i < 0 || i >= self->format.names.n
                   ? raise_input(self->core, "no such column, or no room")
                   : 0;
    for (Py_ssize_t r = 0; r < n && !code; r++) {
        PyObject *cell = Py_XNewRef(PyList_GetItem(list, r));
        code = cell ? cell_read(&self->format, i, cell, (double *)out.buf + r) : -1;
        Py_XDECREF(cell);
    }
    PyBuffer_Release(&out);
    return code ? NULL : Py_NewRef(Py_None);
}

static PyObject *ready(PyObject *object, PyObject *row)
{
    return model_ready((Model *)object, row == Py_None ? NULL : row, 0) ? NULL : Py_NewRef(Py_None);
}

/* _kind(j): the kind of column j. */
static PyObject *kind(PyObject *object, PyObject *number)
{
    Model *self = (Model *)object;
    Py_ssize_t j = PyLong_AsSsize_t(number);
    if (j == -1 && PyErr_Occurred())
        return NULL;
    if (j < 0 || j >= self->format.names.n)
        return raise_input(self->core, "there is no column %zd", j), NULL;
    return PyUnicode_FromString(self->format.schema ? anb_column_word(&anb_schema_columns(self->format.schema)[j])
                                                    : "number");
}

/* _extra_columns(n): so many columns of a frame are no features. */
static PyObject *extra_columns(PyObject *object, PyObject *number)
{
    Model *self = (Model *)object;
    Py_ssize_t n = PyLong_AsSsize_t(number);
    if (n == -1 && PyErr_Occurred())
        return NULL;
    return row_unknown_keys(&self->format, n) ? NULL : Py_NewRef(Py_None);
}

PyMethodDef model_many_methods[] = {
    {"_kind", kind, METH_O, "_kind($self, column, /)\n--\n\nThe kind of a column."},
    {"_extra_columns", extra_columns, METH_O, "_extra_columns($self, n, /)\n--\n\nColumns that are no features."},
    {"_many", many, METH_VARARGS,
     "_many($self, X, y, w, out, /)\n--\n\nTrains on, or where y is None predicts, rows of a matrix."},
    {"_rows", rows, METH_VARARGS, "_rows($self, rows, X, /)\n--\n\nA list of rows of any kind into a matrix."},
    {"_cells", cells, METH_VARARGS, "_cells($self, i, cells, out, /)\n--\n\nA list of cells of column i into doubles."},
    {"_ready", ready, METH_O, "_ready($self, row, /)\n--\n\nTakes names and kinds from a first row."},
    {"_adopt", model_adopt, METH_VARARGS, "_adopt($self, features, schema, /)\n--\n\nNames and kinds of columns."},
    {0}};
