/* Exceptions: one base, and one for each thing that a caller may want to handle apart. */
#include "core.h"
#include <stdarg.h>
#include <stdio.h>

static PyObject *add(PyObject *module, const char *name, const char *doc, PyObject *base, PyObject *second)
{
    char full[64];
    snprintf(full, sizeof full, "anabranch.%s", name);
    PyObject *bases = second ? PyTuple_Pack(2, base, second) : PyTuple_Pack(1, base);
    if (!bases)
        return NULL;
    PyObject *error = PyErr_NewExceptionWithDoc(full, doc, bases, NULL);
    Py_DECREF(bases);
    if (error && PyModule_AddObjectRef(module, name, error) < 0)
        Py_CLEAR(error);
    return error;
}

int core_add_errors(PyObject *module)
{
    Core *core = PyModule_GetState(module);
    core->error = add(module, "Error", "Base of everything that anabranch raises on its own.", PyExc_Exception, NULL);
    if (!core->error)
        return -1;
    core->expression_error =
        add(module, "ExpressionError", "An expression was refused; `position` is the byte, or None.", core->error,
            PyExc_ValueError);
    core->input_error = add(module, "InputError", "A row, a target or a weight was refused; nothing was learned.",
                            core->error, PyExc_ValueError);
    core->snapshot_error =
        add(module, "SnapshotError", "Bytes or a file are no snapshot that can be loaded; `code` is the library's.",
            core->error, PyExc_ValueError);
    core->unsupported_error =
        add(module, "UnsupportedError", "The model does not support the operation.", core->error, PyExc_TypeError);
    bool all = core->expression_error && core->input_error && core->snapshot_error && core->unsupported_error;
    return all ? 0 : -1;
}

int raise_input(Core *core, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    PyErr_FormatV(core->input_error, format, arguments);
    va_end(arguments);
    return -1;
}

int tell_warning(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    PyObject *text = PyUnicode_FromFormatV(format, arguments);
    va_end(arguments);
    PyObject *module = text ? PyImport_ImportModule("anabranch._warn") : NULL;
    PyObject *done = module ? PyObject_CallMethod(module, "warn", "O", text) : NULL;
    Py_XDECREF(done);
    Py_XDECREF(module);
    Py_XDECREF(text);
    return done ? 0 : -1;
}

/* An exception of a kind with one attribute more; takes over the reference to value. */
static void raise_with(PyObject *kind, const char *message, const char *attribute, PyObject *value)
{
    PyObject *text = PyUnicode_DecodeUTF8(message, (Py_ssize_t)strlen(message), "replace");
    PyObject *error = text && value ? PyObject_CallFunctionObjArgs(kind, text, NULL) : NULL;
    if (error && PyObject_SetAttrString(error, attribute, value) == 0)
        PyErr_SetObject(kind, error);
    Py_XDECREF(error);
    Py_XDECREF(text);
    Py_XDECREF(value);
}

/* The message, and below it the line of the expression with a caret under the byte. */
static void raise_expression(Core *core, const AnbError *e, const char *text)
{
    bool placed = e->position > 0 || e->code == ANB_E_SYNTAX || e->code == ANB_E_UNKNOWN;
    char message[1024];
    size_t from = e->position > 60 ? e->position - 60 : 0, column = e->position - from;
    if (placed)
        snprintf(message, sizeof message, "%s (at byte %zu)\n    %.100s\n    %*s^", e->message, e->position,
                 text + from, (int)column, "");
    else
        snprintf(message, sizeof message, "%s", e->message);
    raise_with(core->expression_error, message, "position",
               placed ? PyLong_FromSize_t(e->position) : Py_NewRef(Py_None));
}

PyObject *raise_error(Core *core, const AnbError *e, const char *text)
{
    if (e->code == ANB_E_MEMORY)
        return PyErr_NoMemory();
    if (e->code == ANB_E_IO)
        PyErr_SetString(PyExc_OSError, e->message);
    else if (e->code == ANB_E_UNSUPPORTED)
        PyErr_SetString(core->unsupported_error, e->message);
    else if (e->code <= ANB_E_FORMAT)
        raise_with(core->snapshot_error, e->message, "code", PyLong_FromLong(e->code));
    else if (text)
        raise_expression(core, e, text);
    else
        PyErr_SetString(core->input_error, e->message);
    return NULL;
}
