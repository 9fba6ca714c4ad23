/* Many rows at a time, from a matrix of doubles in place or from columns. The GIL is released meanwhile. */
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

/* Rows to learn or to predict: a matrix, or one vector for each feature. */
typedef struct Many {
    Py_buffer x, y, w, out;
    Py_buffer *column; /* n_columns vectors; NULL: x is a matrix */
    Py_ssize_t n, n_columns;
} Many;

enum { BLOCK = 64 }; /* rows of columns that are put together at a time: they stay in the cache */

static void release(Many *m)
{
    Py_buffer *views[] = {&m->x, &m->y, &m->w, &m->out};
    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        if (views[i]->obj)
            PyBuffer_Release(views[i]);
    for (Py_ssize_t j = 0; j < m->n_columns; j++)
        if (m->column[j].obj)
            PyBuffer_Release(&m->column[j]);
    PyMem_Free(m->column);
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

static int take_columns(Core *core, Many *m, PyObject *list)
{
    Py_ssize_t n = PyList_Size(list);
    m->column = PyMem_Calloc((size_t)n + 1, sizeof *m->column);
    if (!m->column)
        return PyErr_NoMemory(), -1;
    m->n_columns = n;
    for (Py_ssize_t j = 0; j < n; j++)
        if (doubles_of(core, PyList_GetItem(list, j), &m->column[j], 1, "a column"))
            return -1;
    m->n = n ? m->column[0].shape[0] : 0;
    for (Py_ssize_t j = 1; j < n; j++)
        if (m->column[j].shape[0] != m->n)
            return raise_input(core, "column %zd has %zd rows, column 0 has %zd", j, m->column[j].shape[0], m->n);
    return 0;
}

static int take_rows(Core *core, Many *m, PyObject *x)
{
    if (PyList_Check(x))
        return take_columns(core, m, x);
    if (doubles_of(core, x, &m->x, 2, "X"))
        return -1;
    m->n = m->x.shape[0];
    m->n_columns = 0;
    return 0;
}

static Py_ssize_t width(const Many *m)
{
    return m->column ? m->n_columns : m->x.shape[1];
}

static int take(Model *self, Many *m, PyObject *x, PyObject *y, PyObject *w, PyObject *out)
{
    Core *core = self->core;
    if (take_rows(core, m, x))
        return -1;
    if (width(m) == 0)
        return raise_input(core, "X has no columns");
    if (model_ready(self, NULL, width(m)))
        return -1;
    if (width(m) != self->format.names.n)
        return raise_input(core, "X has %zd columns, the model %zd features", width(m), self->format.names.n);
    if (take_vector(core, y, &m->y, m->n, "y") || take_vector(core, w, &m->w, m->n, "w") ||
        take_vector(core, out, &m->out, m->n, "out"))
        return -1;
    return m->out.buf && m->out.readonly ? raise_input(core, "out cannot be written") : 0;
}

/* ---- rows in blocks ------------------------------------------------------------------------------------------------ */

/* Four columns at a time: half the time of one by one. */
static void gather_four(const Py_buffer *column, Py_ssize_t from, Py_ssize_t n, double *row, Py_ssize_t d)
{
    const double *a = (const double *)column[0].buf + from, *b = (const double *)column[1].buf + from;
    const double *c = (const double *)column[2].buf + from, *e = (const double *)column[3].buf + from;
    for (Py_ssize_t i = 0; i < n; i++, row += d) {
        row[0] = a[i];
        row[1] = b[i];
        row[2] = c[i];
        row[3] = e[i];
    }
}

/* Rows `from` and on, row by row: those of a matrix in place, else gathered into `block`. */
static const double *rows_at(const Many *m, Py_ssize_t from, Py_ssize_t n, double *block)
{
    if (!m->column)
        return (const double *)m->x.buf + from * m->x.shape[1];
    Py_ssize_t d = m->n_columns, j = 0;
    for (; j + 4 <= d; j += 4)
        gather_four(&m->column[j], from, n, block + j, d);
    for (; j < d; j++)
        for (Py_ssize_t i = 0; i < n; i++)
            block[i * d + j] = ((const double *)m->column[j].buf)[from + i];
    return block;
}

/* As anb_train_many, with the observers told of every sample. */
static void train_observed(Model *self, const double *x, const double *y, const double *w, Py_ssize_t n, double *out)
{
    for (Py_ssize_t i = 0; i < n; i++, x += self->format.names.n) {
        double before = anb_train_one(self->learner, x, y[i], w ? w[i] : 1);
        model_observe(self, x, y[i], before);
        if (out)
            out[i] = before;
    }
}

static void run_block(Model *self, const Many *m, Py_ssize_t from, Py_ssize_t n, double *block)
{
    const double *x = rows_at(m, from, n, block), *y = m->y.buf, *w = m->w.buf;
    double *out = m->out.buf ? (double *)m->out.buf + from : NULL;
    w = w ? w + from : NULL;
    if (!y)
        anb_predict_many(self->learner, x, (size_t)n, out);
    else if (self->n_observers == 0)
        anb_train_many(self->learner, x, y + from, w, (size_t)n, out);
    else
        train_observed(self, x, y + from, w, n, out);
}

static uint64_t rejected(const Model *self)
{
    const AnbCounters *c = anb_counters(self->learner);
    return c->rejected_features + c->rejected_target + c->rejected_weight;
}

/* All rows, or, where `stops`, up to the block in which the first one is refused. Whether none was. */
static bool run_blocks(Model *self, const Many *m, bool stops, double *block)
{
    Py_ssize_t size = m->column ? BLOCK : 64 * BLOCK;
    uint64_t before = rejected(self);
    for (Py_ssize_t from = 0; from < m->n; from += size) {
        run_block(self, m, from, size < m->n - from ? size : m->n - from, block);
        if (stops && rejected(self) != before)
            return false;
    }
    return true;
}

/* ---- checking ------------------------------------------------------------------------------------------------------- */

/* Whether all of n values are finite, missing ones allowed or not: sums of v - v are 0 where they are. */
static bool all_fine(const double *v, Py_ssize_t n, bool missing)
{
    double sum[8] = {0};
    Py_ssize_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int lane = 0; lane < 8; lane++)
            sum[lane] += v[i + lane] - v[i + lane];
    for (; i < n; i++)
        sum[0] += v[i] - v[i];
    for (int lane = 1; lane < 8; lane++)
        sum[0] += sum[lane];
    if (sum[0] == 0 || !missing)
        return sum[0] == 0;
    for (i = 0; i < n; i++)
        if (v[i] == v[i] && v[i] - v[i] != 0)
            return false;
    return true;
}

static int refuse_cell(Model *self, const double *x, Py_ssize_t i)
{
    Py_ssize_t j = 0;
    while (all_fine(&x[j], 1, self->format.takes_missing))
        j++;
    return raise_input(self->core, "row %zd: feature %zd is %s; nothing was learned", i, j,
                       x[j] != x[j] ? "missing, which this model does not take" : "infinite");
}

/* Row i: 0, or -1 with the reason raised why the learner would refuse it. */
static int check_row(Model *self, const Many *m, Py_ssize_t i, const double *x)
{
    const double *y = m->y.buf, *w = m->w.buf;
    if (y && y[i] - y[i] != 0)
        return raise_input(self->core, "row %zd: the target is not a finite number; nothing was learned", i);
    if (w && !(w[i] >= 0 && w[i] - w[i] == 0))
        return raise_input(self->core, "row %zd: the weight is negative or not finite; nothing was learned", i);
    return all_fine(x, width(m), self->format.takes_missing) ? 0 : refuse_cell(self, x, i);
}

static bool cells_fine(const Model *self, const Many *m)
{
    if (!m->column)
        return all_fine(m->x.buf, m->n * width(m), self->format.takes_missing);
    for (Py_ssize_t j = 0; j < m->n_columns; j++)
        if (!all_fine(m->column[j].buf, m->n, self->format.takes_missing))
            return false;
    return true;
}

/* All rows: 0, or -1 with the reason raised why the learner would refuse the first one that it would. */
static int check_rows(Model *self, const Many *m, double *block)
{
    if (!m->w.buf && (!m->y.buf || all_fine(m->y.buf, m->n, false)) && cells_fine(self, m))
        return 0;
    for (Py_ssize_t i = 0; i < m->n; i++)
        if (check_row(self, m, i, rows_at(m, i, 1, block)))
            return -1;
    return 0;
}

/* ---- all or nothing ------------------------------------------------------------------------------------------------ */

/* A copy to go back to, where that moves less memory than looking at all rows before; else NULL. Observers and learners
 * written in Python cannot go back. */
static StreamingLearner *backup_of(const Model *self, const Many *m)
{
    size_t table = (size_t)m->n * (size_t)width(m) * sizeof(double);
    if (!m->y.buf || self->n_observers > 0 || self->core->n_types > 0 || 2 * anb_clone_bytes(self->learner) > table)
        return NULL;
    return anb_clone(self->learner, NULL);
}

/* Learns in the hope that no row is refused; where one is, the model is what it was and the reason is raised. */
static int run_or_go_back(Model *self, const Many *m, StreamingLearner *backup, double *block)
{
    PyThreadState *state = PyEval_SaveThread();
    bool fine = run_blocks(self, m, true, block);
    PyEval_RestoreThread(state);
    if (!fine) {
        StreamingLearner *spoiled = self->learner;
        self->learner = backup;
        backup = spoiled;
    }
    anb_free(backup);
    if (fine || check_rows(self, m, block))
        return fine ? 0 : -1;
    return raise_input(self->core, "a row was refused; nothing was learned");
}

static int run_checked(Model *self, const Many *m, double *block)
{
    if (!self->skips && check_rows(self, m, block))
        return -1;
    PyThreadState *state = PyEval_SaveThread();
    run_blocks(self, m, false, block);
    PyEval_RestoreThread(state);
    return 0;
}

static PyObject *run(Model *self, const Many *m)
{
    double *block = m->column ? PyMem_Malloc(BLOCK * (size_t)m->n_columns * sizeof *block) : NULL;
    if (m->column && !block)
        return PyErr_NoMemory();
    int code = entry_enter(&self->entry, self->core);
    if (!code) {
        StreamingLearner *backup = self->skips ? NULL : backup_of(self, m);
        code = backup ? run_or_go_back(self, m, backup, block) : run_checked(self, m, block);
        entry_leave(&self->entry);
    }
    PyMem_Free(block);
    return code || core_failure(self->core) ? NULL : Py_NewRef(Py_None);
}

/* _many(X, y, w, out): X a matrix, or a list with a vector for each feature; y None: predict. */
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
     "_many($self, X, y, w, out, /)\n--\n\nTrains on, or where y is None predicts, rows of a matrix or of a list of "
     "columns."},
    {"_rows", rows, METH_VARARGS, "_rows($self, rows, X, /)\n--\n\nA list of rows of any kind into a matrix."},
    {"_cells", cells, METH_VARARGS, "_cells($self, i, cells, out, /)\n--\n\nA list of cells of column i into doubles."},
    {"_ready", ready, METH_O, "_ready($self, row, /)\n--\n\nTakes names and kinds from a first row."},
    {"_adopt", model_adopt, METH_VARARGS, "_adopt($self, features, schema, /)\n--\n\nNames and kinds of columns."},
    {0}};
