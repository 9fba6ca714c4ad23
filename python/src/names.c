/* The features' names. */
#include "argument.h"
#include <string.h>

void names_clear(Names *names)
{
    PyObject **name = names->name;
    Py_ssize_t n = names->n;
    PyMem_Free(names->place);
    fields_clear(&names->fields);
    memset(names, 0, sizeof *names);
    for (Py_ssize_t i = 0; name && i < n; i++)
        Py_XDECREF(name[i]);
    PyMem_Free(name);
}

int names_visit(const Names *names, visitproc visit, void *arg)
{
    for (Py_ssize_t i = 0; names->name && i < names->n; i++)
        Py_VISIT(names->name[i]);
    Py_VISIT(names->fields.type);
    return 0;
}

static void not_named(Py_ssize_t i, PyObject *item)
{
    PyObject *said = type_said(item);
    if (said)
        PyErr_Format(PyExc_TypeError, "feature %zd is named by %U, not a str", i, said);
    Py_XDECREF(said);
}

/* A plain, interned string for each item of a list or tuple. */
static int take(Core *core, Names *names, PyObject *items)
{
    Py_ssize_t n = PySequence_Size(items);
    if (n < 0)
        return -1;
    if (n == 0)
        return raise_input(core, "a model needs at least one feature");
    names->name = PyMem_Calloc((size_t)n, sizeof *names->name);
    if (!names->name)
        return PyErr_NoMemory(), -1;
    names->n = n;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PySequence_GetItem(items, i);
        if (item && PyUnicode_Check(item) && !PyUnicode_CheckExact(item)) {
            PyObject *plain = PyUnicode_FromObject(item); /* numpy.str_ and others */
            Py_DECREF(item);
            item = plain;
        } else if (item && !PyUnicode_Check(item)) {
            not_named(i, item);
            Py_CLEAR(item);
        }
        if (!item || !text_argument(core, item, NULL, "the feature's name")) {
            Py_XDECREF(item);
            return -1;
        }
        PyUnicode_InternInPlace(&item);
        names->name[i] = item;
    }
    return 0;
}

static int distinct(Core *core, const Names *names)
{
    PyObject *set = PySet_New(NULL);
    int code = set ? 0 : -1;
    for (Py_ssize_t i = 0; i < names->n && !code; i++) {
        code = PySet_Add(set, names->name[i]);
        if (!code && PySet_Size(set) != i + 1)
            code = raise_input(core, "two features are named %R", names->name[i]);
    }
    Py_XDECREF(set);
    return code;
}

int names_set(Core *core, Names *names, PyObject *sequence)
{
    PyObject *items = PySequence_List(sequence);
    int code = items ? take(core, names, items) : -1;
    Py_XDECREF(items);
    if (!code)
        code = distinct(core, names);
    if (code)
        names_clear(names);
    return code;
}

int names_from_row(Core *core, Names *names, PyObject *row, PyObject *target)
{
    if (!PyDict_CheckExact(row) && !PyObject_CheckBuffer(row) && row_refuse_table(row))
        return -1;
    if (!row_is_mapping(row)) {
        if (!PySequence_Check(row))
            return row_is_none(row);
        Py_ssize_t n = row_size(row);
        if (n == 0)
            return raise_input(core, "the first row has no cells");
        if (n > 0)
            names->n = n;
        return n < 0 ? -1 : 0;
    }
    PyObject *keys = PyMapping_Keys(row);
    for (Py_ssize_t i = 0; keys && i < PyList_Size(keys); i++)
        if (!PyUnicode_Check(PyList_GetItem(keys, i))) {
            PyErr_Format(PyExc_TypeError, "the row's key %R is no str", PyList_GetItem(keys, i));
            Py_CLEAR(keys);
        }
    Py_ssize_t at = keys && target ? PySequence_Index(keys, target) : -1;
    if (keys)
        PyErr_Clear();
    if (at >= 0 && PySequence_DelItem(keys, at))
        Py_CLEAR(keys);
    if (keys && PyList_Size(keys) == 0) {
        Py_DECREF(keys);
        return raise_input(core, "the first row has no cells: give features=[...] to name them before there is one");
    }
    PyObject *sorted = keys ? PySequence_List(keys) : NULL;
    int code = sorted && PyList_Sort(sorted) == 0 ? names_set(core, names, sorted) : -1;
    if (!code)
        names->reordered = PyObject_RichCompareBool(keys, sorted, Py_EQ) == 0;
    Py_XDECREF(sorted);
    Py_XDECREF(keys);
    return code;
}

int names_left_out(Names *names)
{
    if (!names->reordered)
        return 0;
    names->reordered = false;
    PyObject *tuple = names_tuple(names);
    int code = tuple ? tell_warning("a row without names is read in the order of the model's features, %R, which is "
                                    "not that of the first named row",
                                    tuple)
                     : -1;
    Py_XDECREF(tuple);
    return code;
}

int names_copy(Names *to, const Names *from)
{
    memset(to, 0, sizeof *to);
    to->reordered = from->reordered;
    if (from->name) {
        to->name = PyMem_Calloc((size_t)from->n, sizeof *to->name);
        if (!to->name)
            return PyErr_NoMemory(), -1;
        for (Py_ssize_t i = 0; i < from->n; i++)
            to->name[i] = Py_NewRef(from->name[i]);
    }
    to->n = from->n;
    return 0;
}

PyObject *feature_name(const Format *format, Py_ssize_t i)
{
    return format->names.name ? Py_NewRef(format->names.name[i]) : PyLong_FromSsize_t(i);
}

PyObject *names_tuple(const Names *names)
{
    if (!names->name)
        Py_RETURN_NONE;
    PyObject *tuple = PyTuple_New(names->n);
    for (Py_ssize_t i = 0; tuple && i < names->n; i++)
        PyTuple_SetItem(tuple, i, Py_NewRef(names->name[i]));
    return tuple;
}
