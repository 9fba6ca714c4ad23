/* Seconds since 1970 of Python's dates, times and durations, from the objects themselves: by way of their text it takes
 * four times as long. */
#include "core.h"

int core_add_times(Core *core)
{
    PyObject *module = PyImport_ImportModule("datetime");
    PyObject *zone = module ? PyObject_GetAttrString(module, "timezone") : NULL;
    PyObject *utc = zone ? PyObject_GetAttrString(zone, "utc") : NULL;
    core->datetime = utc ? PyObject_GetAttrString(module, "datetime") : NULL;
    core->date = utc ? PyObject_GetAttrString(module, "date") : NULL;
    core->timedelta = utc ? PyObject_GetAttrString(module, "timedelta") : NULL;
    if (core->datetime && core->date && core->timedelta) {
        core->epoch = PyObject_CallFunction(core->datetime, "iii", 1970, 1, 1);
        core->epoch_utc = PyObject_CallFunction(core->datetime, "iiiiiiiO", 1970, 1, 1, 0, 0, 0, 0, utc);
    }
    Py_XDECREF(utc);
    Py_XDECREF(zone);
    Py_XDECREF(module);
    core->word_tzinfo = PyUnicode_InternFromString("tzinfo");
    core->word_seconds = PyUnicode_InternFromString("total_seconds");
    core->word_ordinal = PyUnicode_InternFromString("toordinal");
    core->word_plain = PyUnicode_InternFromString("to_pydatetime");
    bool words = core->word_plain && core->word_tzinfo && core->word_seconds && core->word_ordinal;
    return core->epoch && core->epoch_utc && words ? 0 : -1;
}

static double number_of(PyObject *number)
{
    double value = number ? PyFloat_AsDouble(number) : -1.0;
    Py_XDECREF(number);
    return value;
}

static double seconds_of(const Core *core, PyObject *cell)
{
    PyObject *zone = PyObject_GetAttr(cell, core->word_tzinfo);
    PyObject *since = zone ? PyNumber_Subtract(cell, zone == Py_None ? core->epoch : core->epoch_utc) : NULL;
    PyObject *seconds = since ? PyObject_CallMethodObjArgs(since, core->word_seconds, NULL) : NULL;
    Py_XDECREF(since);
    Py_XDECREF(zone);
    return number_of(seconds);
}

bool duration_is_plain(const Core *core, PyObject *cell, double *value)
{
    if ((PyObject *)Py_TYPE(cell) != core->timedelta)
        return false;
    *value = number_of(PyObject_CallMethodObjArgs(cell, core->word_seconds, NULL));
    return !PyErr_Occurred();
}

static bool is_read(const Core *core, PyObject *cell, double *value)
{
    enum { ORDINAL_OF_1970 = 719163 };
    if ((PyObject *)Py_TYPE(cell) == core->datetime)
        *value = seconds_of(core, cell);
    else if ((PyObject *)Py_TYPE(cell) == core->date)
        *value = 86400.0 * (number_of(PyObject_CallMethodObjArgs(cell, core->word_ordinal, NULL)) - ORDINAL_OF_1970);
    else
        return false;
    bool read = !PyErr_Occurred(); /* a zone that knows no offset is told by the text */
    PyErr_Clear();
    return read;
}

bool moment_is_plain(const Core *core, PyObject *cell, double *value)
{
    PyTypeObject *type = Py_TYPE(cell), *datetime = (PyTypeObject *)core->datetime;
    bool timestamp = type != datetime && PyType_IsSubtype(type, datetime); /* of pandas: without its nanoseconds */
    PyObject *plain = timestamp ? PyObject_CallMethodObjArgs(cell, core->word_plain, Py_False, NULL) : Py_NewRef(cell);
    bool read = plain && is_read(core, plain, value);
    PyErr_Clear();
    Py_XDECREF(plain);
    return read;
}
