/* Which category a cell is: one rule for all types of numbers, and texts by the library's rules. */
#include "core.h"
#include <math.h>

bool number_is_short(double value)
{
    return value > -1e15 && value < 1e15 && value == (double)(long long)value;
}

bool category_is_own(PyObject *cell, double value)
{
    return number_is_short(value) || (PyFloat_Check(cell) && value >= 0x1p52 && value < 0x1p53);
}

/* The double of a number of any type; of a narrow float the one of the same text: 0.1 is 0.1 with 32 bits as well. */
static int double_of(PyObject *cell, double *value)
{
    Py_ssize_t n = 0;
    PyObject *text = PyObject_Str(cell);
    const char *bytes = text ? PyUnicode_AsUTF8AndSize(text, &n) : NULL;
    bool read = bytes && anb_number_parse_all(bytes, (size_t)n, value) == 0;
    Py_XDECREF(text);
    PyErr_Clear();
    if (!read)
        *value = PyFloat_AsDouble(cell);
    return *value == -1.0 && PyErr_Occurred() ? -1 : 0;
}

/* The text of a number, the same whatever its type: all digits of a whole one, else the shortest text of its double. */
static PyObject *text_of_number(PyObject *cell)
{
    double value = 0;
    PyObject *number = PyIndex_Check(cell) ? PyNumber_Index(cell) : NULL;
    if (!number) {
        PyErr_Clear();
        if (PyFloat_Check(cell))
            value = PyFloat_AsDouble(cell);
        else if (double_of(cell, &value))
            return NULL;
        bool whole = value - value == 0 && value == floor(value);
        number = whole ? PyNumber_Long(cell) : PyFloat_FromDouble(value);
    }
    PyObject *text = number ? PyObject_Str(number) : NULL;
    Py_XDECREF(number);
    return text;
}

/* Whether the texts of a type's objects are those of object: they hold an address, so no two runs have the same. */
static bool has_no_text(PyTypeObject *type)
{
    return PyType_GetSlot(type, Py_tp_str) == PyType_GetSlot(&PyBaseObject_Type, Py_tp_str) &&
           PyType_GetSlot(type, Py_tp_repr) == PyType_GetSlot(&PyBaseObject_Type, Py_tp_repr);
}

PyObject *category_text(PyObject *cell)
{
    if (PyFloat_Check(cell) || cell_is_number(cell))
        return text_of_number(cell);
    if (cell_is_missing(cell))
        return PyUnicode_FromString("");
    if (has_no_text(Py_TYPE(cell)))
        return PyErr_SetString(PyExc_TypeError, ""), NULL;
    return PyObject_Str(cell);
}
