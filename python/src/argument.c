/* Arguments of calls from Python: each refusal names the argument and says what it has to be. */
#include "argument.h"

PyObject *type_said(PyObject *object)
{
    if (object == Py_None)
        return PyUnicode_FromString("None");
    PyObject *name = PyType_GetName(Py_TYPE(object));
    const char *text = name ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;
    bool vowel = text && *text && (strchr("aeiouAEIOU", *text) || strcmp(text, "ndarray") == 0);
    PyObject *said = text ? PyUnicode_FromFormat("%s %U", vowel ? "an" : "a", name) : NULL;
    Py_XDECREF(name);
    return said;
}

int raise_type(PyObject *object, const char *what)
{
    PyObject *said = type_said(object);
    if (said)
        PyErr_Format(PyExc_TypeError, "%s, not %U", what, said);
    Py_XDECREF(said);
    return -1;
}

/* Raises that an argument is of a wrong type; -1. */
static int wrong_type(PyObject *object, const char *name, const char *wanted)
{
    PyObject *said = type_said(object);
    if (said)
        PyErr_Format(PyExc_TypeError, "%s is %s, not %U", name, wanted, said);
    Py_XDECREF(said);
    return -1;
}

int whole_argument(Core *core, PyObject *object, const char *name, Py_ssize_t *value)
{
    if (!object)
        return 0;
    if (!PyIndex_Check(object))
        return wrong_type(object, name, "a whole number");
    *value = PyNumber_AsSsize_t(object, PyExc_OverflowError);
    if (*value != -1 || !PyErr_Occurred())
        return 0;
    if (!PyErr_ExceptionMatches(PyExc_OverflowError))
        return -1;
    PyErr_Clear();
    return raise_input(core, "%s = %.200S is out of range", name, object);
}

int int_argument(Core *core, PyObject *object, const char *name, int *value)
{
    Py_ssize_t wide = *value;
    if (whole_argument(core, object, name, &wide))
        return -1;
    *value = (int)wide;
    return *value == wide ? 0 : raise_input(core, "%s = %zd is out of range", name, wide);
}

int seed_argument(Core *core, PyObject *object, unsigned long long *value)
{
    if (!object)
        return 0;
    PyObject *whole = PyIndex_Check(object) ? PyNumber_Index(object) : NULL;
    if (!whole)
        return PyErr_Occurred() ? -1 : wrong_type(object, "seed", "a whole number");
    *value = PyLong_AsUnsignedLongLong(whole);
    Py_DECREF(whole);
    if (!PyErr_Occurred())
        return 0;
    PyErr_Clear();
    return raise_input(core, "seed = %.200S: 0 to 2**64 - 1", object);
}

int number_argument(PyObject *object, const char *name, double *value)
{
    if (!object)
        return 0;
    *value = PyFloat_AsDouble(object);
    if (*value != -1.0 || !PyErr_Occurred())
        return 0;
    if (!PyErr_ExceptionMatches(PyExc_TypeError))
        return -1;
    PyErr_Clear();
    return wrong_type(object, name, "a number");
}

int word_argument(Core *core, PyObject *object, const char *name, const char *yes, const char *no, bool *is)
{
    if (!object)
        return 0;
    if (!PyUnicode_Check(object)) {
        char wanted[64];
        PyOS_snprintf(wanted, sizeof wanted, "'%s' or '%s'", yes, no);
        return wrong_type(object, name, wanted);
    }
    bool chosen = PyUnicode_CompareWithASCIIString(object, yes) == 0;
    if (!chosen && PyUnicode_CompareWithASCIIString(object, no) != 0)
        return raise_input(core, "%s is %s or %s, not %.40R", name, yes, no, object);
    *is = chosen;
    return 0;
}

int model_argument(Core *core, PyObject *object, const char *what)
{
    return PyObject_TypeCheck(object, core->model_type) ? 0 : raise_type(object, what);
}

const char *text_argument(Core *core, PyObject *object, PyObject *kind, const char *what)
{
    Py_ssize_t n = 0;
    const char *text = PyUnicode_AsUTF8AndSize(object, &n);
    if (text && strlen(text) == (size_t)n)
        return text;
    if (!text && !PyErr_ExceptionMatches(PyExc_UnicodeError))
        return NULL;
    PyErr_Clear();
    PyErr_Format(kind ? kind : core->input_error, "%s %.200R holds %s", what, object,
                 text ? "the character NUL" : "a character that UTF-8 has not, so that no file could keep it");
    return NULL;
}
