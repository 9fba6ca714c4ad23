/*
 * Tables of doubles in memory of other objects: a matrix with any strides, a vector for each feature, or the compressed
 * rows of a sparse matrix. Contiguous rows are used in place; others are copied a block at a time.
 */
#include "core.h"
#include <string.h>

/* Else it is released. */
static bool is_doubles(Py_buffer *view, int ndim)
{
    if (view->ndim == ndim && view->format && strcmp(view->format, "d") == 0)
        return true;
    PyBuffer_Release(view);
    memset(view, 0, sizeof *view);
    return false;
}

int doubles_of(Core *core, PyObject *array, Py_buffer *view, int ndim, const char *what)
{
    if (PyObject_GetBuffer(array, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT))
        return -1;
    return is_doubles(view, ndim)
               ? 0
               : raise_input(core, "%s is no contiguous array of %d dimensions of float64", what, ndim);
}

void table_release(Table *t)
{
    for (Py_ssize_t j = 0; t->vector && j < t->n_columns; j++)
        if (t->vector[j].obj)
            PyBuffer_Release(&t->vector[j]);
    Py_buffer *views[] = {&t->matrix, &t->data, &t->indices, &t->start};
    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        if (views[i]->obj)
            PyBuffer_Release(views[i]);
    PyMem_Free(t->vector);
    PyMem_Free(t->column);
}

/* An array of doubles with any steps between them. */
static int strided_doubles_of(Core *core, PyObject *array, Py_buffer *view, int ndim, const char *what)
{
    if (PyObject_GetBuffer(array, view, PyBUF_STRIDED_RO | PyBUF_FORMAT))
        return -1;
    return is_doubles(view, ndim) ? 0 : raise_input(core, "%s is no array of %d dimensions of float64", what, ndim);
}

static int make_columns(Table *t, Py_ssize_t n)
{
    t->n_columns = n;
    t->column = PyMem_Calloc((size_t)n + 1, sizeof *t->column);
    return t->column ? 0 : (PyErr_NoMemory(), -1);
}

static int take_vectors(Core *core, Table *t, PyObject *list)
{
    if (make_columns(t, PyList_Size(list)))
        return -1;
    t->vector = PyMem_Calloc((size_t)t->n_columns + 1, sizeof *t->vector);
    if (!t->vector)
        return PyErr_NoMemory(), -1;
    for (Py_ssize_t j = 0; j < t->n_columns; j++) {
        Py_buffer *view = &t->vector[j];
        if (strided_doubles_of(core, PyList_GetItem(list, j), view, 1, "a column"))
            return -1;
        if (j == 0)
            t->n = view->shape[0];
        if (view->shape[0] != t->n)
            return raise_input(core, "column %zd has %zd rows, column 0 has %zd", j, view->shape[0], t->n);
        t->column[j] = (Column){view->buf, view->strides[0]};
    }
    return 0;
}

static int take_matrix(Core *core, Table *t, PyObject *x)
{
    if (strided_doubles_of(core, x, &t->matrix, 2, "X") || make_columns(t, t->matrix.shape[1]))
        return -1;
    t->n = t->matrix.shape[0];
    for (Py_ssize_t j = 0; j < t->n_columns; j++)
        t->column[j] = (Column){(const char *)t->matrix.buf + j * t->matrix.strides[1], t->matrix.strides[0]};
    return 0;
}

/* Whether the columns are those of a matrix with its rows behind each other, as a frame of one block may be. */
static bool columns_are_rows(const Table *t)
{
    for (Py_ssize_t j = 0; j < t->n_columns; j++)
        if (t->column[j].at != t->column[0].at + j * (Py_ssize_t)sizeof(double) ||
            t->column[j].step != t->n_columns * (Py_ssize_t)sizeof(double))
            return false;
    return true;
}

/* Whole numbers of 4 or 8 bytes. */
static int integers_of(Core *core, PyObject *array, Py_buffer *view)
{
    if (PyObject_GetBuffer(array, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT))
        return -1;
    bool whole = view->ndim == 1 && strlen(view->format) == 1 && strchr("ilq", *view->format);
    return whole ? 0 : raise_input(core, "the places of X's cells are no vectors of int32 or int64");
}

static int64_t integer(const Py_buffer *view, Py_ssize_t i)
{
    return view->itemsize == 8 ? ((const int64_t *)view->buf)[i] : ((const int32_t *)view->buf)[i];
}

/* Whether every cell lies in the matrix. */
static bool places_fit(const Table *t)
{
    int64_t from = integer(&t->start, 0);
    if (from < 0)
        return false;
    for (Py_ssize_t i = 1; i <= t->n; i++) {
        int64_t end = integer(&t->start, i);
        if (end < from || end > t->data.shape[0] || end > t->indices.shape[0])
            return false;
        for (; from < end; from++)
            if (integer(&t->indices, from) < 0 || integer(&t->indices, from) >= t->n_columns)
                return false;
    }
    return true;
}

static int take_sparse(Core *core, Table *t, PyObject *x)
{
    PyObject *data, *indices, *start;
    if (!PyArg_ParseTuple(x, "OOOn:table", &data, &indices, &start, &t->n_columns) ||
        doubles_of(core, data, &t->data, 1, "the data of X") || integers_of(core, indices, &t->indices) ||
        integers_of(core, start, &t->start))
        return -1;
    t->n = t->start.shape[0] - 1;
    return t->n >= 0 && places_fit(t) ? 0 : raise_input(core, "X is no sparse matrix: a cell lies outside of it");
}

enum { MOST_ROWS = 64, MOST_CELLS = 1 << 17, ROWS_IN_PLACE = 4096 };

int table_take(Core *core, Table *t, PyObject *x)
{
    if (PyTuple_Check(x)  ? take_sparse(core, t, x)
        : PyList_Check(x) ? take_vectors(core, t, x)
                          : take_matrix(core, t, x))
        return -1;
    if (t->n_columns == 0 && t->n > 0)
        return raise_input(core, "X has no columns");
    Py_ssize_t fit = MOST_CELLS / (t->n_columns + 1) + 1;
    t->step = fit < MOST_ROWS ? fit : MOST_ROWS;
    if (t->column && columns_are_rows(t)) {
        t->rows = (const double *)(const void *)t->column[0].at;
        PyMem_Free(t->column);
        t->column = NULL;
        t->step = ROWS_IN_PLACE;
    }
    return 0;
}

int table_room(const Table *t, double **block)
{
    size_t bytes = t->rows ? 0 : (size_t)(t->step * t->n_columns) * sizeof **block;
    *block = bytes ? PyMem_Malloc(bytes) : NULL;
    return bytes && !*block ? (PyErr_NoMemory(), -1) : 0;
}

/* ---- rows in blocks ---------------------------------------------------------------------------------------------- */

typedef double Pair __attribute__((vector_size(16), aligned(8), may_alias));

/* Two columns without gaps, two rows at a time: one store for two cells. */
static void gather_two(const Column *column, Py_ssize_t from, Py_ssize_t n, double *row, Py_ssize_t d)
{
    const double *a = (const double *)(const void *)column[0].at + from;
    const double *b = (const double *)(const void *)column[1].at + from;
    Py_ssize_t i = 0;
    for (; i + 2 <= n; i += 2, row += 2 * d) {
        Pair first = *(const Pair *)&a[i], second = *(const Pair *)&b[i];
        *(Pair *)row = (Pair){first[0], second[0]};
        *(Pair *)(row + d) = (Pair){first[1], second[1]};
    }
    if (i < n) {
        row[0] = a[i];
        row[1] = b[i];
    }
}

static void gather_one(const Column *column, Py_ssize_t from, Py_ssize_t n, double *row, Py_ssize_t d)
{
    const char *cell = column->at + from * column->step;
    for (Py_ssize_t i = 0; i < n; i++, cell += column->step, row += d)
        memcpy(row, cell, sizeof *row);
}

static bool has_no_gaps(const Column *column)
{
    return column->step == sizeof(double);
}

/* Cells of one column add up, as in scipy. Places are checked once more: another thread may write to them meanwhile. */
static void fill(const Table *t, Py_ssize_t from, Py_ssize_t n, double *block)
{
    const double *cell = t->data.buf;
    const int64_t all = t->data.shape[0] < t->indices.shape[0] ? t->data.shape[0] : t->indices.shape[0];
    memset(block, 0, (size_t)(n * t->n_columns) * sizeof *block);
    for (Py_ssize_t i = from; i < from + n; i++, block += t->n_columns) {
        int64_t at = integer(&t->start, i), end = integer(&t->start, i + 1);
        for (; at >= 0 && at < end && at < all; at++) {
            int64_t j = integer(&t->indices, at);
            if (j >= 0 && j < t->n_columns)
                block[j] += cell[at];
        }
    }
}

const double *table_rows(const Table *t, Py_ssize_t from, Py_ssize_t n, double *block)
{
    Py_ssize_t d = t->n_columns, j = 0;
    if (t->rows)
        return t->rows + from * d;
    if (!t->column)
        return fill(t, from, n, block), block;
    while (j < d) {
        bool two = j + 1 < d && has_no_gaps(&t->column[j]) && has_no_gaps(&t->column[j + 1]);
        (two ? gather_two : gather_one)(&t->column[j], from, n, block + j, d);
        j += two ? 2 : 1;
    }
    return block;
}
