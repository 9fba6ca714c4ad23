/* Rows that are named tuples: their cells are found by the names of the fields, whose places are those of the type. */
#include "core.h"

PyObject *row_of_fields(PyObject *row)
{
    if (!PyTuple_Check(row) || PyTuple_CheckExact(row) || !PyObject_HasAttrString(row, "_asdict"))
        return Py_NewRef(row);
    return PyObject_CallMethod(row, "_asdict", NULL);
}

void fields_clear(Fields *fields)
{
    PyObject *type = (PyObject *)fields->type;
    PyMem_Free(fields->place);
    *fields = (Fields){0};
    Py_XDECREF(type);
}

static bool find(const Names *names, PyObject *row, Fields *fields)
{
    PyObject *list = PyObject_HasAttrString(row, "_fields") ? PyObject_GetAttrString(row, "_fields") : NULL;
    Py_ssize_t *place = list && names->name ? PyMem_Calloc((size_t)names->n, sizeof *place) : NULL;
    bool all = place != NULL;
    for (Py_ssize_t i = 0; all && i < names->n; i++) {
        place[i] = PySequence_Index(list, names->name[i]);
        all = place[i] >= 0 && place[i] < PyTuple_Size(row);
    }
    Py_XDECREF(list);
    PyErr_Clear();
    if (!all)
        return PyMem_Free(place), false;
    *fields = (Fields){(PyTypeObject *)Py_NewRef((PyObject *)Py_TYPE(row)), place};
    return true;
}

bool fields_take(Names *names, PyObject *row, Fields *fields)
{
    if (names->fields.type != Py_TYPE(row))
        return find(names, row, fields);
    *fields = names->fields;
    names->fields = (Fields){0};
    return true;
}

/* Fields that are neither features nor the target. */
static Py_ssize_t unknown_fields(const Format *format, PyObject *row)
{
    Py_ssize_t n = PyTuple_Size(row) - format->names.n;
    if (n > 0 && format->target) {
        PyObject *list = PyObject_GetAttrString(row, "_fields");
        n -= list && PySequence_Contains(list, format->target) == 1 && !names_have(&format->names, format->target);
        Py_XDECREF(list);
        PyErr_Clear();
    }
    return n;
}

int fields_read(Format *format, PyObject *row, Fields fields, double *x)
{
    const PyTypeObject *const floats = format_floats(format);
    Names *names = &format->names;
    int code = 0;
    for (Py_ssize_t i = 0; i < names->n && !code; i++) {
        PyObject *cell = PyTuple_GetItem(row, fields.place[i]);
        if (cell && Py_TYPE(cell) == floats)
            x[i] = float_of(cell);
        else
            code = cell ? cell_read(format, i, cell, &x[i]) : -1;
    }
    Fields before = names->fields;
    names->fields = fields;
    fields_clear(&before);
    return code ? -1 : row_unknown_keys(format, unknown_fields(format, row), "field", row);
}
