/* One cell: numbers as they are; with a schema categories, booleans and times as the library's doubles. */
#include "argument.h"
#include <string.h>

#define CLOCK_HINT "; a time of day is a number of hours or seconds, or a category"
#define DURATION_HINT "; a duration is a number of seconds: 'number' in schema="

static AnbColumnKind kind_of(const Format *format, Py_ssize_t i)
{
    return format->schema ? anb_schema_columns(format->schema)[i].kind : ANB_COLUMN_NUMBER;
}

double cell_missing(const Format *format, Py_ssize_t i)
{
    double value = ANB_NAN;
    if (format->schema)
        anb_schema_cell(format->schema, (size_t)i, (AnbCell){NULL, 0}, &value, NULL);
    return value == value || format->takes_missing ? value : 0;
}

/* What to do about a cell that cannot be read: a new text. */
static PyObject *hint_of(const Format *format, Py_ssize_t i, PyObject *cell, PyObject *name);

/* Says which cell it was, where the exception is about its value; -1. */
static int bad_cell(const Format *format, Py_ssize_t i, PyObject *cell);

/* A text by the rules of its column. */
static int read_text(const Format *format, Py_ssize_t i, PyObject *text, double *value)
{
    Py_ssize_t n;
    AnbError error = {0};
    const char *bytes = PyUnicode_AsUTF8AndSize(text, &n);
    if (!bytes) /* half of a surrogate pair */
        return bad_cell(format, i, text);
    if (anb_schema_cell(format->schema, (size_t)i, (AnbCell){bytes, (size_t)n}, value, &error) == 0)
        return 1;
    const char *what = strstr(error.message, "): \""); /* the column's number is that of the sorted names */
    PyObject *name = feature_name(format, i), *hint = name ? hint_of(format, i, text, name) : NULL;
    if (hint)
        raise_input(format->core, "feature %R: %s%U", name, what ? what + 3 : error.message, hint);
    Py_XDECREF(hint);
    Py_XDECREF(name);
    return -1;
}

bool floats_are_plain(void)
{
    const double probe = 0x1.23456789abcdep-300;
    PyObject *size = PyObject_GetAttrString((PyObject *)&PyFloat_Type, "__basicsize__");
    PyObject *number = PyFloat_FromDouble(probe);
    bool plain =
        size && number && PyLong_AsSize_t(size) == sizeof(PyObject) + sizeof(double) && float_of(number) == probe;
    Py_XDECREF(size);
    Py_XDECREF(number);
    PyErr_Clear();
    return plain;
}

/* What is wrong with a feature's cell, behind its name or number; -1. */
static int raise_cell(const Format *format, Py_ssize_t i, const char *what)
{
    PyObject *name = feature_name(format, i);
    if (name)
        raise_input(format->core, "feature %R is %s", name, what);
    Py_XDECREF(name);
    return -1;
}

int cell_read_plain(const Format *format, Py_ssize_t i, PyObject *cell, double *value)
{
    if (cell == Py_None) {
        *value = cell_missing(format, i);
        return 1;
    }
    if (PyFloat_Check(cell)) {
        *value = PyFloat_AsDouble(cell);
    } else if (PyLong_CheckExact(cell) || PyBool_Check(cell)) {
        *value = PyLong_AsDouble(cell);
        if (*value == -1.0 && PyErr_Occurred()) {
            PyErr_Clear();
            return raise_cell(format, i, "an integer too large for a float");
        }
    } else {
        return format->schema && PyUnicode_CheckExact(cell) ? read_text(format, i, cell, value) : 0;
    }
    if (!format->schema)
        return 1;
    AnbColumnKind kind = kind_of(format, i);
    if (kind == ANB_COLUMN_IGNORED)
        *value = 0;
    if (kind == ANB_COLUMN_CATEGORY && *value != *value)
        *value = cell_missing(format, i);
    return kind != ANB_COLUMN_CATEGORY || category_is_own(cell, *value);
}

/* The letter of a numpy scalar's or array's kind: 'M' of a datetime64, 'm' of a timedelta64; 0: it is none. */
static char numpy_kind(PyObject *cell)
{
    Py_ssize_t n = 0;
    PyObject *dtype = PyObject_HasAttrString(cell, "dtype") ? PyObject_GetAttrString(cell, "dtype") : NULL;
    PyObject *kind = dtype ? PyObject_GetAttrString(dtype, "kind") : NULL;
    const char *letter = kind && PyUnicode_Check(kind) ? PyUnicode_AsUTF8AndSize(kind, &n) : NULL;
    const char is = letter && n == 1 ? *letter : 0;
    Py_XDECREF(kind);
    Py_XDECREF(dtype);
    PyErr_Clear();
    return is;
}

static bool is_numpy(PyObject *cell, char letter)
{
    return numpy_kind(cell) == letter;
}

bool cell_is_count(Core *core, PyObject *cell, double value)
{
    bool fraction = value > -1e15 && value < 1e15 && !number_is_short(value);
    if (fraction || PyFloat_Check(cell) || PyIndex_Check(cell) || Py_TYPE(cell) == core->no_count)
        return false;
    const char kind = numpy_kind(cell);
    bool count = kind == 'm' || kind == 'M';
    if (!count && !PyType_GetSlot(Py_TYPE(cell), Py_sq_length)) /* arrays have the kind of what they hold */
        core->no_count = Py_TYPE(cell);
    return count;
}

/* pandas.Timedelta has isoformat as a time has, NaT both. */
static bool is_duration(PyObject *cell)
{
    return PyObject_HasAttrString(cell, "total_seconds") && !PyObject_HasAttrString(cell, "year");
}

bool cell_is_duration(PyObject *cell)
{
    return is_duration(cell) || is_numpy(cell, 'm');
}

/* Periods of pandas among them. */
static bool is_time(PyObject *cell)
{
    return PyObject_HasAttrString(cell, "isoformat") || PyObject_HasAttrString(cell, "start_time") ||
           is_numpy(cell, 'M');
}

/* As a datetime.time is. */
static bool is_clock(PyObject *cell)
{
    return PyObject_HasAttrString(cell, "isoformat") && PyObject_HasAttrString(cell, "tzinfo") &&
           !PyObject_HasAttrString(cell, "year");
}

static PyObject *hint_of(const Format *format, Py_ssize_t i, PyObject *cell, PyObject *name)
{
    if (is_clock(cell))
        return PyUnicode_FromString(CLOCK_HINT);
    const unsigned looks = kind_of(format, i) == ANB_COLUMN_TIME && PyUnicode_Check(cell) ? cell_looks(cell) : 0;
    if (looks & 12)
        return PyUnicode_FromFormat("; 'time-%s' in schema= reads it", looks & 4 ? "dmy" : "mdy");
    bool typed = PyUnicode_Check(cell) || (is_time(cell) && !is_duration(cell));
    typed = typed && kind_of(format, i) == ANB_COLUMN_NUMBER;
    if (typed && format->names.name)
        return PyUnicode_FromFormat("; schema={%R: 'category'}, or 'time', says that it holds names or times", name);
    return PyUnicode_FromString(typed                    ? "; schema= says which columns hold names or times"
                                : cell_is_duration(cell) ? DURATION_HINT
                                                         : "");
}

/* Whether objects of its type are numbers; those of complex ones are refused as such. */
static bool is_numeric(PyObject *cell)
{
    return PyType_GetSlot(Py_TYPE(cell), Py_nb_float) || PyIndex_Check(cell) || PyComplex_Check(cell);
}

bool cell_is_number(PyObject *cell)
{
    const char kind = numpy_kind(cell);
    bool other = PyUnicode_Check(cell) || PyBytes_Check(cell) || PyComplex_Check(cell);
    return !other && is_numeric(cell) && (!kind || strchr("iufb", kind));
}

/* A list and its like, or an array: not one cell. */
static bool holds_cells(PyObject *cell)
{
    if (PyList_Check(cell) || PyDict_Check(cell) || PyAnySet_Check(cell))
        return true;
    return PyType_GetSlot(Py_TYPE(cell), Py_sq_length) && !PyUnicode_Check(cell) && !PyBytes_Check(cell) &&
           PyObject_HasAttrString(cell, "__array__");
}

bool cell_is_missing(PyObject *cell)
{
    PyObject *text = PyUnicode_Check(cell) ? NULL : PyObject_Str(cell);
    bool missing = text && (PyUnicode_CompareWithASCIIString(text, "NaT") == 0 ||
                            PyUnicode_CompareWithASCIIString(text, "<NA>") == 0);
    Py_XDECREF(text);
    PyErr_Clear();
    return missing;
}

/* numpy's own as one of datetime, to the microsecond as in columns; of a period its start. */
static PyObject *datetime_of(PyObject *cell)
{
    if (PyObject_HasAttrString(cell, "isoformat"))
        return Py_NewRef(cell);
    if (!is_numpy(cell, 'M'))
        return PyObject_GetAttrString(cell, "start_time");
    PyObject *micros = PyObject_CallMethod(cell, "astype", "s", "datetime64[us]");
    PyObject *time = micros ? PyObject_CallMethod(micros, "item", NULL) : NULL;
    Py_XDECREF(micros);
    return time;
}

/* A datetime or date: seconds since 1970; one without a zone is taken for UTC. */
static int read_time(PyObject *cell, double *value)
{
    PyObject *time = datetime_of(cell), *text = time ? PyObject_CallMethod(time, "isoformat", NULL) : NULL;
    Py_ssize_t n = 0;
    const char *bytes = text && PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, &n) : NULL;
    int code = bytes ? anb_time_parse(bytes, (size_t)n, ANB_TIME_YMD, value) : -1;
    Py_XDECREF(text);
    Py_XDECREF(time);
    return code ? -1 : 0;
}

/* The seconds of a timedelta, numpy's to the microsecond as in columns. */
static int read_duration(PyObject *cell, double *value)
{
    PyObject *micros = is_numpy(cell, 'm') ? PyObject_CallMethod(cell, "astype", "s", "timedelta64[us]") : NULL;
    PyObject *duration = micros ? PyObject_CallMethod(micros, "item", NULL) : Py_NewRef(cell);
    PyObject *seconds = duration ? PyObject_CallMethod(duration, "total_seconds", NULL) : NULL;
    *value = seconds ? PyFloat_AsDouble(seconds) : 0;
    Py_XDECREF(seconds);
    Py_XDECREF(duration);
    Py_XDECREF(micros);
    return PyErr_Occurred() ? -1 : 0;
}

static bool about_value(void)
{
    return PyErr_ExceptionMatches(PyExc_TypeError) || PyErr_ExceptionMatches(PyExc_ValueError) ||
           PyErr_ExceptionMatches(PyExc_OverflowError) || PyErr_ExceptionMatches(PyExc_AttributeError);
}

static int bad_cell(const Format *format, Py_ssize_t i, PyObject *cell)
{
    if (!about_value() || PyErr_ExceptionMatches(format->core->input_error))
        return -1;
    PyErr_Clear();
    const AnbColumnKind kind = kind_of(format, i);
    bool time = kind == ANB_COLUMN_TIME;
    PyObject *name = feature_name(format, i), *hint = name ? hint_of(format, i, cell, name) : NULL;
    PyObject *said = hint ? type_said(cell) : NULL;
    if (said)
        raise_input(format->core, "feature %R is %U: %.200R, which is not %s%U", name, said, cell,
                    time                          ? "a time"
                    : kind == ANB_COLUMN_CATEGORY ? "a name"
                                                  : "a number",
                    hint);
    Py_XDECREF(said);
    Py_XDECREF(hint);
    Py_XDECREF(name);
    return -1;
}

static int read_moment(const Format *format, Py_ssize_t i, PyObject *cell, double *value)
{
    if (moment_is_plain(format->core, cell, value) || read_time(cell, value) == 0)
        return 0;
    PyErr_Clear();
    if (cell_is_missing(cell))
        return *value = cell_missing(format, i), 0;
    PyErr_SetString(PyExc_ValueError, "");
    return bad_cell(format, i, cell);
}

/* What is no number: a duration, or what stands for a missing cell; -1 with the exception of bad_cell. */
static int read_other(const Format *format, Py_ssize_t i, PyObject *cell, double *value)
{
    if (PyErr_Occurred() && !about_value())
        return -1;
    PyErr_Clear();
    if (cell_is_missing(cell))
        return *value = cell_missing(format, i), 0;
    if (kind_of(format, i) == ANB_COLUMN_NUMBER && read_duration(cell, value) == 0)
        return 0;
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "");
    return bad_cell(format, i, cell);
}

static int read_number(const Format *format, Py_ssize_t i, PyObject *cell, double *value)
{
    if (kind_of(format, i) == ANB_COLUMN_NUMBER && duration_is_plain(format->core, cell, value))
        return 0;
    if (PyUnicode_Check(cell) || PyBytes_Check(cell) || cell_is_none(format->core, cell))
        return PyErr_SetString(PyExc_TypeError, ""), bad_cell(format, i, cell);
    *value = PyFloat_AsDouble(cell);
    bool fails = *value == -1.0 && PyErr_Occurred();
    return fails || cell_is_count(format->core, cell, *value) ? read_other(format, i, cell, value) : 0;
}

/* Whether it has a length, and `ndim` is 0. */
static bool is_array_of_one(PyObject *cell)
{
    PyObject *ndim = PyType_GetSlot(Py_TYPE(cell), Py_sq_length) && PyObject_HasAttrString(cell, "ndim")
                         ? PyObject_GetAttrString(cell, "ndim")
                         : NULL;
    bool one = ndim && PyLong_Check(ndim) && PyLong_AsLong(ndim) == 0;
    Py_XDECREF(ndim);
    PyErr_Clear();
    return one;
}

/* What a scalar of pyarrow holds: a float of 16 or 32 bits as one of numpy, which has its text. */
static PyObject *value_of(PyObject *scalar)
{
    PyObject *value = PyObject_CallMethod(scalar, "as_py", NULL);
    if (!value || !PyFloat_CheckExact(value))
        return value;
    PyObject *type = PyObject_GetAttrString(scalar, "type"), *word = type ? PyObject_Str(type) : NULL;
    bool single = word && PyUnicode_CompareWithASCIIString(word, "float") == 0;
    bool half = word && PyUnicode_CompareWithASCIIString(word, "halffloat") == 0;
    PyObject *numpy = single || half ? PyImport_ImportModule("numpy") : NULL;
    PyObject *narrow = numpy ? PyObject_CallMethod(numpy, single ? "float32" : "float16", "O", value) : NULL;
    PyErr_Clear();
    Py_XDECREF(numpy);
    Py_XDECREF(word);
    Py_XDECREF(type);
    if (!narrow)
        return value;
    Py_DECREF(value);
    return narrow;
}

/* The scalar of an array; None where it is masked. */
static PyObject *element_of(PyObject *array)
{
    PyObject *mask = PyObject_HasAttrString(array, "mask") ? PyObject_GetAttrString(array, "mask") : NULL;
    int masked = mask ? PyObject_IsTrue(mask) : 0;
    PyObject *nowhere = PyTuple_New(0);
    PyObject *element = masked > 0               ? Py_NewRef(Py_None)
                        : masked == 0 && nowhere ? PyObject_GetItem(array, nowhere)
                                                 : NULL;
    Py_XDECREF(nowhere);
    Py_XDECREF(mask);
    return element;
}

enum { BARE = sizeof((Core *)NULL)->bare / sizeof(PyTypeObject *) };

/* Whether it is known that its objects hold nothing else. */
static inline bool is_bare(const Core *core, const PyTypeObject *type)
{
    for (int i = 0; i < BARE && core->bare[i]; i++)
        if (type == core->bare[i])
            return true;
    return false;
}

bool cell_is_none(const Core *core, PyObject *cell)
{
    return PyComplex_Check(cell) || (!is_bare(core, Py_TYPE(cell)) && (is_numpy(cell, 'c') || holds_cells(cell)));
}

PyObject *cell_held(Core *core, PyObject *cell)
{
    PyTypeObject *type = Py_TYPE(cell);
    bool text = PyUnicode_Check(cell) || PyBytes_Check(cell);
    if (is_bare(core, type))
        return Py_NewRef(cell);
    if (!text && PyObject_HasAttrString(cell, "as_py"))
        return value_of(cell);
    if (!text && is_array_of_one(cell)) {
        PyObject *element = element_of(cell);
        if (!element || Py_TYPE(element) == type)
            return element;
        PyObject *held = cell_held(core, element);
        Py_DECREF(element);
        return held;
    }
    /* An array's dimensions are its own; complex numbers of numpy are told from others by not being remembered. */
    if (text || (!PyType_GetSlot(type, Py_sq_length) && !is_numpy(cell, 'c')))
        core->bare[core->n_bare++ % BARE] = type;
    return Py_NewRef(cell);
}

/* What holds nothing else. */
static int read_bare(const Format *format, Py_ssize_t i, PyObject *cell, double *value)
{
    AnbColumnKind kind = kind_of(format, i);
    if (format->schema && PyUnicode_Check(cell)) /* numpy.str_ and others */
        return read_text(format, i, cell, value) < 0 ? -1 : 0;
    if (kind == ANB_COLUMN_TIME && is_time(cell))
        return read_moment(format, i, cell, value);
    if (kind != ANB_COLUMN_NUMBER && holds_cells(cell))
        return PyErr_SetString(PyExc_TypeError, ""), bad_cell(format, i, cell);
    if (kind == ANB_COLUMN_CATEGORY) {
        PyObject *text = category_text(cell);
        int code = text ? read_text(format, i, text, value) : bad_cell(format, i, cell);
        Py_XDECREF(text);
        return code < 0 ? -1 : 0;
    }
    return read_number(format, i, cell, value);
}

/* What is not plain. */
static int read_held(const Format *format, Py_ssize_t i, PyObject *cell, double *value)
{
    if (kind_of(format, i) == ANB_COLUMN_IGNORED)
        return *value = 0, 0;
    if (is_bare(format->core, Py_TYPE(cell)))
        return read_bare(format, i, cell, value);
    PyObject *held = cell_held(format->core, cell);
    if (!held)
        return bad_cell(format, i, cell);
    int plain = held == cell ? 0 : cell_read_plain(format, i, held, value);
    int code = plain ? (plain < 0 ? -1 : 0) : read_bare(format, i, held, value);
    Py_DECREF(held);
    return code;
}

int cell_read(const Format *format, Py_ssize_t i, PyObject *cell, double *value)
{
    int plain = cell_read_plain(format, i, cell, value);
    return plain > 0 ? 0 : plain < 0 ? -1 : read_held(format, i, cell, value);
}

AnbColumnKind cell_guess(PyObject *cell)
{
    if (PyUnicode_Check(cell))
        return ANB_COLUMN_CATEGORY;
    if (PyBool_Check(cell) || (is_numpy(cell, 'b') && !holds_cells(cell)))
        return ANB_COLUMN_BOOLEAN;
    if (is_time(cell) && !is_duration(cell))
        return ANB_COLUMN_TIME;
    bool number = is_numeric(cell) || is_duration(cell) || holds_cells(cell); /* cells are refused as numbers */
    return number || cell == Py_None || cell_is_missing(cell) ? ANB_COLUMN_NUMBER : ANB_COLUMN_CATEGORY;
}
