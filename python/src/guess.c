/* Kinds of columns: those of a first row by its cells, others by their names. */
#include "core.h"
#include <string.h>

/* As a reader of files that converts nothing gives them. 017 is rather a code, and so is 17 in a row that has numbers
 * as well. */
static bool is_number_as_text(PyObject *cell, bool numbers)
{
    Py_ssize_t n = 0;
    double value;
    const char *text = PyUnicode_Check(cell) ? PyUnicode_AsUTF8AndSize(cell, &n) : NULL;
    if (!text)
        PyErr_Clear();
    bool code =
        text && ((n > 1 && text[0] == '0' && text[1] != '.') || (numbers && strspn(text, "0123456789") == (size_t)n));
    return text && !code && anb_number_parse_all(text, (size_t)n, &value) == 0;
}

/* The orders of its date, as bits, in which a text is a time of the years 1600 to 2299; a number is none. */
static unsigned time_orders(PyObject *cell)
{
    Py_ssize_t n = 0;
    unsigned orders = 0;
    double value;
    const char *text = PyUnicode_Check(cell) ? PyUnicode_AsUTF8AndSize(cell, &n) : NULL;
    if (!text)
        PyErr_Clear();
    if (!text || anb_number_parse_all(text, (size_t)n, &value) == 0)
        return 0;
    for (unsigned order = ANB_TIME_YMD; order <= ANB_TIME_MDY; order++)
        if (anb_time_parse(text, (size_t)n, (AnbTimeOrder)order, &value) == 0 && anb_time_is_usual(value))
            orders |= 1u << order;
    return orders;
}

unsigned cell_looks(PyObject *text)
{
    return (is_number_as_text(text, true) ? 1 : 0) | time_orders(text) << 1;
}

static bool is_time_as_text(PyObject *cell, bool numbers)
{
    (void)numbers;
    return time_orders(cell) != 0;
}

/* Texts of a first row that look like something else. */
typedef struct Look {
    bool (*is)(PyObject *cell, bool numbers);
    const char *what, *maker, *kind;
} Look;

const AnbColumn *kind_wanted(const AnbSchema *wanted, PyObject *name)
{
    Py_ssize_t n = 0;
    const char *text = wanted ? PyUnicode_AsUTF8AndSize(name, &n) : NULL;
    ptrdiff_t at = text ? anb_schema_find(wanted, text, (size_t)n) : -1;
    return at >= 0 ? &anb_schema_columns(wanted)[at] : NULL;
}

/* `found`: names of features that a first row's texts are of; the first of them has `text`. */
static int warn_of_found(const Look *look, PyObject *found, PyObject *text)
{
    const Py_ssize_t n = PyList_Size(found);
    const char *order = strcmp(look->kind, "time") == 0 && !(time_orders(text) & 1) ? "-dmy" : "";
    PyObject *name = PyList_GetItem(found, 0);
    return tell_warning("%zd feature%s read as names, not as %s, since the first row has texts there: %.300R, such "
                        "as %R: %R; %s or schema={%R: '%s%s'} makes %s of them, 'category' says that they are "
                        "names",
                        n, n == 1 ? " is" : "s are", look->what, found, name, text, look->maker, name, look->kind,
                        order, look->what);
}

/* What a cell of a row holds; NULL: an exception. */
static PyObject *cell_at(Core *core, PyObject *row, PyObject *name)
{
    PyObject *cell = PyObject_GetItem(row, name), *held = cell ? cell_held(core, cell) : NULL;
    Py_XDECREF(cell);
    return held;
}

/* `numbers`: whether other cells of the row are. */
static int warn_of_texts(Core *core, const Look *look, const Names *names, PyObject *row, const AnbSchema *wanted,
                         bool numbers)
{
    PyObject *found = PyList_New(0), *text = NULL;
    int code = found ? 0 : -1;
    for (Py_ssize_t i = 0; i < names->n && !code; i++) {
        PyObject *cell = kind_wanted(wanted, names->name[i]) ? NULL : cell_at(core, row, names->name[i]);
        PyErr_Clear();
        if (cell && look->is(cell, numbers)) {
            code = PyList_Append(found, names->name[i]);
            text = text ? text : Py_NewRef(cell);
        }
        Py_XDECREF(cell);
    }
    if (!code && text)
        code = warn_of_found(look, found, text);
    Py_XDECREF(found);
    Py_XDECREF(text);
    return code;
}

static int warn_of_looks(Core *core, const Names *names, PyObject *row, const AnbSchema *wanted, bool numbers)
{
    static const Look number = {is_number_as_text, "numbers", "float()", "number"};
    static const Look time = {is_time_as_text, "times", "datetime", "time"};
    int code = warn_of_texts(core, &number, names, row, wanted, numbers);
    return code ? code : warn_of_texts(core, &time, names, row, wanted, numbers);
}

int schema_from_row(Core *core, const Names *names, PyObject *row, const AnbSchema *wanted, AnbSchema **schema)
{
    if (!names->name)
        return 0;
    AnbError error = {0};
    AnbColumn *columns = PyMem_Calloc((size_t)names->n, sizeof *columns);
    bool typed = wanted != NULL, numbers = false;
    for (Py_ssize_t i = 0; columns && i < names->n; i++) {
        PyObject *cell = cell_at(core, row, names->name[i]);
        columns[i].name = cell ? PyUnicode_AsUTF8AndSize(names->name[i], NULL) : NULL;
        if (!columns[i].name) {
            Py_XDECREF(cell);
            PyMem_Free(columns);
            return -1;
        }
        const AnbColumn *given = kind_wanted(wanted, names->name[i]);
        const AnbColumnKind kind = given ? given->kind : cell_guess(cell);
        columns[i].kind = given ? ANB_COLUMN_NUMBER : kind;
        typed = typed || kind == ANB_COLUMN_CATEGORY || kind == ANB_COLUMN_TIME;
        numbers = numbers || (kind == ANB_COLUMN_NUMBER && cell != Py_None);
        Py_DECREF(cell);
    }
    if (columns && typed && !(*schema = anb_schema_new(columns, (size_t)names->n, NULL, &error)))
        raise_error(core, &error, NULL);
    PyMem_Free(columns);
    return PyErr_Occurred() || (*schema && warn_of_looks(core, names, row, wanted, numbers)) ? -1 : 0;
}

/* Whether every column of `kinds` is a feature. */
static int all_known(Core *core, const AnbSchema *kinds, const AnbSchema *schema)
{
    for (size_t i = 0; i < anb_schema_size(kinds); i++) {
        const char *name = anb_schema_columns(kinds)[i].name;
        if (anb_schema_find(schema, name, strlen(name)) < 0)
            return raise_input(core, "the schema names '%s', which is no feature", name);
    }
    return 0;
}

int schema_by_name(Core *core, const Names *names, const AnbSchema *kinds, AnbSchema **schema)
{
    AnbError error = {0};
    AnbSchema *others = *schema;
    if (!names->name)
        return raise_input(core, "a schema goes by names: give features as names");
    AnbColumn *columns = PyMem_Calloc((size_t)names->n, sizeof *columns);
    if (!columns)
        return PyErr_NoMemory(), -1;
    for (Py_ssize_t i = 0; i < names->n; i++) {
        const AnbColumn *column = kind_wanted(kinds, names->name[i]);
        if (!column && others)
            column = &anb_schema_columns(others)[i];
        columns[i] = column ? *column : (AnbColumn){.kind = ANB_COLUMN_NUMBER};
        columns[i].name = PyUnicode_AsUTF8AndSize(names->name[i], NULL);
    }
    *schema = NULL;
    if (!PyErr_Occurred() && !(*schema = anb_schema_new(columns, (size_t)names->n, NULL, &error)))
        raise_error(core, &error, NULL);
    PyMem_Free(columns);
    anb_schema_drop(others);
    if (*schema && all_known(core, kinds, *schema)) {
        anb_schema_drop(*schema);
        *schema = NULL;
    }
    return *schema ? 0 : -1;
}
