/*
 * One row of Python objects to doubles.
 *
 * A dict whose keys are the features in the order of the one before is read without a look-up: the keys of a stream of
 * dicts are interned strings, so comparing pointers is enough; equal strings that are other objects are compared. Any
 * other mapping is looked up name by name.
 */
#include "argument.h"
#include <string.h>

#if defined(__GNUC__)
#define ANB_FETCH(address) __builtin_prefetch(address)
#else
#define ANB_FETCH(address) ((void)(address))
#endif

double *cells_take(Cells *cells, Py_ssize_t n)
{
    bool fits = (size_t)n <= sizeof cells->small / sizeof *cells->small;
    cells->x = fits ? cells->small : PyMem_Malloc((size_t)n * sizeof(double));
    return cells->x ? cells->x : (PyErr_NoMemory(), NULL);
}

void cells_free(Cells *cells)
{
    if (cells->x != cells->small)
        PyMem_Free(cells->x);
}

int format_copy(Format *to, const Format *from)
{
    *to = *from;
    to->schema = anb_schema_keep(from->schema);
    Py_XINCREF(to->target);
    return names_copy(&to->names, &from->names);
}

void format_forget(Format *format)
{
    names_clear(&format->names);
    anb_schema_drop(format->schema);
    format->schema = NULL;
}

void format_clear(Format *format)
{
    format_forget(format);
    Py_CLEAR(format->target);
}

/* ---- mappings ---------------------------------------------------------------------------------------------------- */

/* Whether a key is a name that is another object. */
static bool same_text(PyObject *key, PyObject *name)
{
    return PyUnicode_CheckExact(key) && PyUnicode_Compare(key, name) == 0;
}

/* Puts a pointer to each cell where its double will stand; false where the dict's keys are not the features in the last
 * one's order. The cells lie anywhere in memory: they are fetched while the keys of the next ones are compared. */
static bool find_cells(const Names *names, PyObject *row, double *x)
{
    const Place *place = names->place, *const end = place + names->n;
    PyObject *key, *cell;
    Py_ssize_t at = 0;
    if (!place || PyDict_Size(row) != names->n)
        return false;
    for (; place < end && PyDict_Next(row, &at, &key, &cell); place++) {
        if (key != place->name && !same_text(key, place->name))
            return false;
        ANB_FETCH(cell);
        memcpy(&x[place->feature], &cell, sizeof cell);
    }
    return true;
}

/* Cells that are not plain, held until all others are read: reading them may run Python code, which may change the
 * dict. */
typedef struct Others {
    PyObject *cell[16];
    Py_ssize_t feature[16], n;
} Others;

/* 1: read; 0: it has more of them than there is room for; -1: an exception. */
static int read_plain_cells(const Format *format, double *x, Others *others)
{
    const PyTypeObject *const floats = format_floats(format);
    for (double *const end = x + format->names.n, *const first = x; x < end; x++) {
        PyObject *cell;
        memcpy(&cell, x, sizeof cell);
        int code = 1;
        if (Py_TYPE(cell) == floats)
            *x = float_of(cell);
        else
            code = cell_read_plain(format, x - first, cell, x);
        if (code < 0 || (code == 0 && others->n == 16))
            return code;
        if (code == 0) {
            others->cell[others->n] = Py_NewRef(cell);
            others->feature[others->n++] = x - first;
        }
    }
    return 1;
}

/* 1 where the dict has the features as its keys, in the last one's order; 0 where not; -1: an exception. */
static int read_known_order(const Format *format, PyObject *row, double *x)
{
    Others others;
    others.n = 0;
    if (!find_cells(&format->names, row, x))
        return 0;
    int code = read_plain_cells(format, x, &others);
    for (Py_ssize_t i = 0; i < others.n; i++) {
        if (code > 0 && cell_read(format, others.feature[i], others.cell[i], &x[others.feature[i]]))
            code = -1;
        Py_DECREF(others.cell[i]);
    }
    return code;
}

static Py_ssize_t place_of(const Names *names, PyObject *key)
{
    for (Py_ssize_t i = 0; i < names->n; i++)
        if (key == names->name[i])
            return i;
    for (Py_ssize_t i = 0; i < names->n; i++)
        if (same_text(key, names->name[i]))
            return i;
    return -1;
}

/* Which features the keys of a dict are, for the next one like it: only where they are the features and
 * nothing else. */
static int learn_order(Names *names, PyObject *row)
{
    enum { MOST = 1024 };
    PyObject *key, *cell;
    Py_ssize_t at = 0, i = 0;
    if (PyDict_Size(row) != names->n || names->n > MOST)
        return 0;
    if (!names->place && !(names->place = PyMem_Calloc((size_t)names->n, sizeof *names->place)))
        return PyErr_NoMemory(), -1;
    while (PyDict_Next(row, &at, &key, &cell)) {
        Py_ssize_t feature = place_of(names, key);
        if (feature < 0) {
            PyMem_Free(names->place);
            names->place = NULL;
            return 0;
        }
        names->place[i++] = (Place){names->name[feature], feature};
    }
    return 0;
}

/* The keys of a row, or the items of a list of names, as a list. */
static PyObject *keys_of(PyObject *row)
{
    PyObject *fields = PyTuple_Check(row) ? PyObject_GetAttrString(row, "_fields") : NULL;
    PyErr_Clear();
    PyObject *keys = !fields && row_is_mapping(row) ? PyMapping_Keys(row) : PySequence_List(fields ? fields : row);
    Py_XDECREF(fields);
    return keys;
}

/* Names the first one of n. */
static int raise_unknown(const Format *format, Py_ssize_t n, const char *what, PyObject *row)
{
    PyObject *keys = keys_of(row), *key = NULL;
    for (Py_ssize_t i = 0; keys && i < PyList_Size(keys) && !key; i++) {
        PyObject *one = PyList_GetItem(keys, i);
        int target = format->target ? PyObject_RichCompareBool(one, format->target, Py_EQ) : 0;
        if (target < 0)
            break;
        key = target || names_have(&format->names, one) ? NULL : Py_NewRef(one);
    }
    char more[40] = "";
    if (n > 1)
        PyOS_snprintf(more, sizeof more, ", nor %s %zd more", n == 2 ? "is" : "are", n - 1);
    if (key)
        raise_input(format->core, "the %s %R is no feature of the model%s, and extra is 'raise'", what, key, more);
    else if (!PyErr_Occurred())
        raise_input(format->core, "a %s is no feature of the model, and extra is 'raise'", what);
    Py_XDECREF(key);
    Py_XDECREF(keys);
    return -1;
}

int row_unknown_keys(Format *format, Py_ssize_t n, const char *what, PyObject *row)
{
    if (n <= 0)
        return 0;
    if (format->extra_raises)
        return raise_unknown(format, n, what, row);
    format->extras += (unsigned long long)n;
    return 0;
}

bool names_have(const Names *names, PyObject *name)
{
    return place_of(names, name) >= 0;
}

static bool has_target(const Format *format, PyObject *row)
{
    return format->target && !names_have(&format->names, format->target) && PyMapping_HasKey(row, format->target);
}

/* Once: names may be misspelt, or those of a row of a frame be lost. */
static int tell_of_keys(Format *format)
{
    if (format->told_of_keys)
        return 0;
    format->told_of_keys = true;
    return tell_warning("no key of the row is a feature of the model, such as %R: all of its cells are %s",
                        format->names.name[0], format->takes_missing ? "missing" : "taken for 0");
}

static int look_up(Format *format, PyObject *row, double *x)
{
    Py_ssize_t found = 0;
    for (Py_ssize_t i = 0; i < format->names.n; i++) {
        PyObject *cell = PyDict_Check(row) ? Py_XNewRef(PyDict_GetItemWithError(row, format->names.name[i]))
                                           : PyObject_GetItem(row, format->names.name[i]);
        if (!cell && PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_KeyError))
            return -1;
        PyErr_Clear();
        found += cell != NULL;
        int code = cell ? cell_read(format, i, cell, &x[i]) : 0;
        if (!cell)
            x[i] = cell_missing(format, i);
        Py_XDECREF(cell);
        if (code)
            return -1;
    }
    Py_ssize_t size = PyObject_Size(row);
    if (size > found)
        size -= has_target(format, row);
    if (size > 0 && found == 0 && !format->extra_raises && tell_of_keys(format))
        return -1;
    return size < 0 ? -1 : row_unknown_keys(format, size - found, "key", row);
}

static int read_mapping(Format *format, PyObject *row, double *x)
{
    if (!format->names.name)
        return raise_input(format->core,
                           "the model's features have no names: give rows as sequences of %zd numbers, or make the "
                           "model with features=[...]",
                           format->names.n);
    int known = PyDict_CheckExact(row) ? read_known_order(format, row, x) : 0;
    if (known)
        return known < 0 ? -1 : 0;
    if (look_up(format, row, x))
        return -1;
    return PyDict_CheckExact(row) ? learn_order(&format->names, row) : 0;
}

/* ---- sequences and buffers --------------------------------------------------------------------------------------- */

static int wrong_width(const Format *format, Py_ssize_t n)
{
    return raise_input(format->core, "the row has %zd cell%s, the model %zd feature%s", n, n == 1 ? "" : "s",
                       format->names.n, format->names.n == 1 ? "" : "s");
}

/* 1: read; 2: a vector of other numbers; 0: neither; -1: an exception. */
static int read_buffer(const Format *format, PyObject *row, double *x)
{
    Py_buffer view;
    if (format->schema || PyObject_GetBuffer(row, &view, PyBUF_STRIDED_RO | PyBUF_FORMAT)) {
        PyErr_Clear();
        return 0;
    }
    int code = view.ndim == 1 && view.format && strcmp(view.format, "d") == 0;
    if (view.ndim > 1)
        code = raise_input(format->core, "a row has one dimension, this array has %d: tables go to the methods *_many",
                           view.ndim);
    if (code > 0 && view.shape[0] != format->names.n)
        code = wrong_width(format, view.shape[0]);
    if (code == 0 && view.ndim == 1 && view.format && strlen(view.format) == 1 && strchr("efbBhHiIlLqQ?", *view.format))
        code = 2;
    for (Py_ssize_t i = 0; code == 1 && i < format->names.n; i++)
        memcpy(&x[i], (const char *)view.buf + i * view.strides[0], sizeof(double));
    PyBuffer_Release(&view);
    return code;
}

Py_ssize_t row_size(PyObject *row)
{
    Py_ssize_t n = PyObject_Size(row);
    if (n < 0 && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        row_is_none(row);
    }
    return n;
}

static int read_sequence(const Format *format, PyObject *row, double *x)
{
    Py_ssize_t n = row_size(row);
    if (n != format->names.n)
        return n < 0 ? -1 : wrong_width(format, n);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *cell = PySequence_GetItem(row, i);
        int code = cell ? cell_read(format, i, cell, &x[i]) : -1;
        Py_XDECREF(cell);
        if (code)
            return -1;
    }
    return 0;
}

/* A masked array shows the numbers that its mask hides as well. A type without masks is remembered. */
static bool is_masked(Format *format, PyObject *row)
{
    if (Py_TYPE(row) == format->unmasked)
        return false;
    bool masked = PyObject_HasAttrString(row, "mask");
    if (!masked)
        format->unmasked = Py_TYPE(row);
    return masked;
}

/* By a list of its cells, where None stands for what is masked. */
static int read_list_of(const Format *format, PyObject *row, double *x)
{
    PyObject *cells = PyObject_CallMethod(row, "tolist", NULL);
    int code = cells ? read_sequence(format, cells, x) : -1;
    Py_XDECREF(cells);
    return code;
}

int row_is_none(PyObject *row)
{
    return raise_type(row, "a row is a dict, a sequence of numbers or an array");
}

int row_refuse_table(PyObject *row)
{
    PyObject *shape = PyObject_HasAttrString(row, "shape") ? PyObject_GetAttrString(row, "shape") : NULL;
    const bool table = shape && PyTuple_Check(shape) && PyTuple_Size(shape) == 2;
    Py_XDECREF(shape);
    PyErr_Clear();
    PyObject *said = table ? type_said(row) : NULL;
    if (said)
        PyErr_Format(PyExc_TypeError,
                     "a row is a dict, a sequence of numbers or an array, not %U: tables go to the methods *_many; row "
                     "i of a frame is frame.iloc[i] (pandas) or frame.row(i, named=True) (polars)",
                     said);
    Py_XDECREF(said);
    return table ? -1 : 0;
}

bool row_is_mapping(PyObject *row)
{
    return PyDict_Check(row) || (!PyList_Check(row) && !PyTuple_Check(row) && PyObject_HasAttrString(row, "keys"));
}

int row_read(Format *format, PyObject *row, double *x)
{
    bool plain_array = Py_TYPE(row) == format->unmasked;
    if (!plain_array && PyDict_CheckExact(row))
        return read_mapping(format, row, x);
    if (!plain_array && row_is_mapping(row))
        return row_refuse_table(row) ? -1 : read_mapping(format, row, x);
    Fields fields;
    if (PyTuple_Check(row) && !PyTuple_CheckExact(row) && fields_take(&format->names, row, &fields))
        return fields_read(format, row, fields, x);
    if (PyUnicode_Check(row) || PyBytes_Check(row) || PyByteArray_Check(row))
        return row_is_none(row);
    if (names_left_out(&format->names))
        return -1;
    if (!PyList_Check(row) && !PyTuple_Check(row) && PyObject_CheckBuffer(row)) {
        if (is_masked(format, row))
            return read_list_of(format, row, x);
        int code = read_buffer(format, row, x);
        if (code)
            return code < 0 ? -1 : code > 1 ? read_list_of(format, row, x) : 0;
    }
    if (!PySequence_Check(row))
        return row_is_none(row);
    if (!PyList_Check(row) && !PyTuple_Check(row) && row_refuse_table(row))
        return -1;
    return read_sequence(format, row, x);
}
