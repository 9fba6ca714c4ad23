/* What rows and tables are read by, of Model, Server and Reader alike: names, kinds of columns, cells. */
#include "argument.h"

/* Says which row it was; -1. */
static int in_row(Core *core, Py_ssize_t i)
{
    PyObject *type, *error, *trace;
    if (!PyErr_ExceptionMatches(core->input_error))
        return -1;
    PyErr_Fetch(&type, &error, &trace);
    raise_input(core, "row %zd: %S", i, error);
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(trace);
    return -1;
}

/* _rows(list, X, first=0): rows of any kind into a matrix, by the names and the schema; `first` were before them. */
PyObject *reading_rows(PyObject *object, PyObject *arguments)
{
    Reading *self = (Reading *)object;
    PyObject *list, *array;
    Py_ssize_t first = 0;
    Py_buffer x = {0};
    if (!PyArg_ParseTuple(arguments, "O!O|n:_rows", &PyList_Type, &list, &array, &first) ||
        doubles_of(self->core, array, &x, 2, "X"))
        return NULL;
    Py_ssize_t n = PyList_Size(list), d = self->format.names.n;
    int code = d == 0 || x.readonly || x.shape[0] != n || x.shape[1] != d ? raise_input(self->core, "no room") : 0;
    for (Py_ssize_t i = 0; i < n && !code; i++) {
        PyObject *row = Py_XNewRef(PyList_GetItem(list, i));
        if (!row || row_read(&self->format, row, (double *)x.buf + i * d))
            code = row ? in_row(self->core, first + i) : -1;
        Py_XDECREF(row);
    }
    PyBuffer_Release(&x);
    return code ? NULL : Py_NewRef(Py_None);
}

/* _cells(i, list, out): a column of any kind into doubles. */
PyObject *reading_cells(PyObject *object, PyObject *arguments)
{
    Reading *self = (Reading *)object;
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

/* _kind(j): the kind of column j. */
PyObject *reading_kind(PyObject *object, PyObject *number)
{
    Reading *self = (Reading *)object;
    Py_ssize_t j = PyLong_AsSsize_t(number);
    if (j == -1 && PyErr_Occurred())
        return NULL;
    if (j < 0 || j >= self->format.names.n)
        return raise_input(self->core, "there is no column %zd", j), NULL;
    return PyUnicode_FromString(self->format.schema ? anb_column_word(&anb_schema_columns(self->format.schema)[j])
                                                    : "number");
}

/* _extra_columns(n, names): so many columns of a frame with these names are no features. */
PyObject *reading_extra_columns(PyObject *object, PyObject *arguments)
{
    Py_ssize_t n;
    PyObject *names;
    if (!PyArg_ParseTuple(arguments, "nO:_extra_columns", &n, &names))
        return NULL;
    return row_unknown_keys(&((Reading *)object)->format, n, "column", names) ? NULL : Py_NewRef(Py_None);
}

/* _unnamed(): a table without names comes. */
PyObject *reading_unnamed(PyObject *object, PyObject *nothing)
{
    (void)nothing;
    return names_left_out(&((Reading *)object)->format.names) ? NULL : Py_NewRef(Py_None);
}

/* ---- properties -------------------------------------------------------------------------------------------------- */

PyObject *reading_features(PyObject *object, void *closure)
{
    (void)closure;
    return names_tuple(&((Reading *)object)->format.names);
}

PyObject *reading_n_features(PyObject *object, void *closure)
{
    Py_ssize_t n = ((Reading *)object)->format.names.n;
    (void)closure;
    return n ? PyLong_FromSsize_t(n) : Py_NewRef(Py_None);
}

PyObject *reading_target(PyObject *object, void *closure)
{
    PyObject *target = ((Reading *)object)->format.target;
    (void)closure;
    return Py_NewRef(target ? target : Py_None);
}

PyObject *reading_schema(PyObject *object, void *closure)
{
    const AnbSchema *schema = ((Reading *)object)->format.schema;
    (void)closure;
    return schema ? PyUnicode_FromString(anb_schema_text(schema)) : Py_NewRef(Py_None);
}

PyObject *reading_takes_missing(PyObject *object, void *closure)
{
    (void)closure;
    return PyBool_FromLong(((Reading *)object)->format.takes_missing);
}

/* Sets a property that is one of two words; NULL deletes it, which cannot be. */
static int set_word(Core *core, PyObject *value, const char *name, const char *yes, const char *no, bool *is)
{
    if (!value)
        return PyErr_Format(PyExc_AttributeError, "%s cannot be deleted", name), -1;
    return word_argument(core, value, name, yes, no, is);
}

PyObject *reading_bad_rows(PyObject *object, void *closure)
{
    (void)closure;
    return PyUnicode_FromString(((Reading *)object)->format.skips ? "skip" : "raise");
}

int reading_set_bad_rows(PyObject *object, PyObject *value, void *closure)
{
    Reading *self = (Reading *)object;
    (void)closure;
    return set_word(self->core, value, "bad_rows", "skip", "raise", &self->format.skips);
}

PyObject *reading_extra(PyObject *object, void *closure)
{
    (void)closure;
    return PyUnicode_FromString(((Reading *)object)->format.extra_raises ? "raise" : "ignore");
}

int reading_set_extra(PyObject *object, PyObject *value, void *closure)
{
    Reading *self = (Reading *)object;
    (void)closure;
    return set_word(self->core, value, "extra", "raise", "ignore", &self->format.extra_raises);
}
