/*
 * Arguments of calls from Python. One that is NULL was not given, and leaves the value as it is. All return 0, or -1
 * with an exception set that names the argument and says what it has to be.
 */
#ifndef ANB_PYTHON_ARGUMENT_H
#define ANB_PYTHON_ARGUMENT_H

#include "core.h"

/* What an object is, in a sentence: "a str", "an int", "None"; a new text. */
PyObject *type_said(PyObject *object);
/* A TypeError: "<what>, not a str". -1. */
int raise_type(PyObject *object, const char *what);
int whole_argument(Core *core, PyObject *object, const char *name, Py_ssize_t *value);
int int_argument(Core *core, PyObject *object, const char *name, int *value);
int seed_argument(Core *core, PyObject *object, unsigned long long *value);
int number_argument(PyObject *object, const char *name, double *value);
/* Whether it is the word `yes`; it has to be that or `no`. A word that is refused leaves the value as it is. */
int word_argument(Core *core, PyObject *object, const char *name, const char *yes, const char *no, bool *is);
/* `what`: who takes a Model. */
int model_argument(Core *core, PyObject *object, const char *what);
/* A str as UTF-8 that ends at its NUL; NULL with an exception of a kind, or InputError, where it cannot be that. */
const char *text_argument(Core *core, PyObject *object, PyObject *kind, const char *what);

#endif
