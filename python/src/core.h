/*
 * What the files of the extension share. The module is `anabranch._core`; the Python package puts its classes on top.
 * Plain C API, limited to Python 3.11, so one wheel serves every later version. All state hangs on the module or on the
 * objects: nothing here is global.
 *
 * Two rules keep it safe. A row is turned into doubles in memory of the call, before the model is entered: converting
 * may run Python code. A model is entered by one call at a time (model_enter): another thread waits, the same thread
 * (a learner written in Python that uses its own model) gets an exception.
 */
#ifndef ANB_PYTHON_CORE_H
#define ANB_PYTHON_CORE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <anabranch/anabranch.h>
#include <anabranch/observer.h>
#include <anabranch/schema.h>
#include <stdbool.h>
#include <string.h>

#define FASTCALL(function) ((PyCFunction)(void (*)(void))(function))

/* The module's state: its types and exceptions, and the learners written in Python. */
typedef struct Core {
    PyTypeObject *model_type, *recorder_type, *explainer_type, *server_type, *reader_type;
    PyObject *error, *expression_error, *input_error, *snapshot_error, *unsupported_error;
    const StreamingLearnerType **types; /* ended by NULL; each is the head of a struct of foreign.c, never freed */
    size_t n_types;
    PyObject *failure;         /* what a learner written in Python raised, or NULL */
    PyTypeObject *plain_float; /* float, where its objects are known to be a head and a double; else NULL */
    PyTypeObject *no_count;    /* type of the last number that is no duration of numpy; not owned, only compared */
    PyTypeObject *bare[16];    /* the last types whose objects hold nothing else, up to NULL; not owned either */
    unsigned n_bare;           /* how many there were */
    PyObject *datetime, *date, *timedelta;                            /* types */
    PyObject *epoch, *epoch_utc;                                      /* 1970 */
    PyObject *word_tzinfo, *word_seconds, *word_ordinal, *word_plain; /* what times are asked for */
} Core;

/* The state of the module that defined a type, or a base of it. */
Core *core_of_type(PyTypeObject *type);

/* A key of the last dict and which feature it was; the string is the one of Names. */
typedef struct Place {
    PyObject *name;
    Py_ssize_t feature;
} Place;

/* Where each feature stands in named tuples of a type. */
typedef struct Fields {
    PyTypeObject *type; /* of the last one, owned; NULL: there was none */
    Py_ssize_t *place;
} Fields;

/* The features' names, once they are known, never change; `place` does, without Python code running meanwhile. */
typedef struct Names {
    Py_ssize_t n;    /* features; 0: not known yet */
    PyObject **name; /* n interned strings, or NULL: rows are sequences */
    Place *place;    /* n, in the order of the last dict; NULL: not known */
    Fields fields;
    bool reordered; /* the first row or frame had them in another order, and no row without names was warned of yet */
} Names;
/* A row or table without names comes: warns, once, where its order may be that of the first one. -1: an exception. */
int names_left_out(Names *names);

/* How a row's cells become doubles. */
typedef struct Format {
    Core *core;
    Names names;
    AnbSchema *schema; /* NULL: every cell is a number */
    PyObject *target;  /* its name, or NULL; where it is no feature, a key of that name is passed over */
    bool takes_missing;
    bool extra_raises;         /* an unknown key is an error */
    bool skips;                /* refused rows are counted, not raised */
    bool told_of_keys;         /* a row none of whose keys is a feature was warned of */
    unsigned long long extras; /* unknown keys that were passed over */
    PyTypeObject *unmasked;    /* type of the last array without keys and mask; not owned, only compared; or NULL */
} Format;

/* The doubles of one row; `small` serves where they fit. */
typedef struct Cells {
    double *x, small[64];
} Cells;

typedef struct Entry {
    PyThread_type_lock lock;
    unsigned long owner; /* the thread inside; 0: none */
    unsigned waiting;    /* threads that sleep on the lock */
    bool woken;          /* one of them was woken and has not run yet */
} Entry;

/* What Model, Server and Reader begin with. */
typedef struct Reading {
    PyObject_HEAD Core *core; /* the type keeps its module, and the object its type */
    Format format;
} Reading;

typedef struct Model {
    PyObject_HEAD Core *core;
    Format format;
    StreamingLearner *learner; /* NULL before the first row */
    PyObject *expression;      /* as it was given; NULL: not initialised */
    AnbSchema *wanted;         /* kinds of some columns by name, until the features are known; or NULL */
    unsigned long long seed;
    size_t max_bytes;
    size_t threads;    /* that share the experts of its mixture: 1: the caller alone; 0: as many as there are cores */
    bool calls_python; /* one of its learners is written in Python */
    bool making;       /* its learner is being made: a learner written in Python may run meanwhile */
    Entry entry;
    AnbObserver **observers; /* n_observers, each inside an object that takes itself off the list before it dies */
    size_t n_observers;
} Model;

/* The head of an object that a model passes every sample to: Recorder, Explainer. */
typedef struct Watcher {
    PyObject_HEAD AnbObserver observer; /* `observe` is set by whoever makes one */
    PyObject *model;                    /* a Model; NULL: not attached yet */
} Watcher;

/* ---- object.c ---- */
/* An object of a type of this module with all fields 0; NULL with the exception set. */
void *object_new(PyTypeObject *type);
/* The last step of tp_dealloc: frees the object's memory. */
void object_free(PyObject *object);
/* A type that takes part in garbage collection and may have subclasses. */
PyTypeObject *type_new(PyObject *module, const char *name, size_t size, PyType_Slot *slots);

/* ---- errors.c: all return NULL or -1 with the exception set ---- */
int core_add_errors(PyObject *module);
/* From a code of the library. `text`: the expression, where it is one. */
PyObject *raise_error(Core *core, const AnbError *error, const char *text);
int raise_input(Core *core, const char *format, ...);
/* A UserWarning at the line that called the package. 0, or -1 where it is an exception. */
int tell_warning(const char *format, ...);

/* The name of feature i, or its number where features have no names; a new reference. */
PyObject *feature_name(const Format *format, Py_ssize_t i);

/* ---- fields.c ---- */
/* A named tuple as a dict, any other row as it is; a new reference. */
PyObject *row_of_fields(PyObject *row);
/* Whether every feature is a field of a named tuple; takes `fields` from the names, as reading a cell may run Python
 * code that reads rows of other types. Else it is read by places: pandas renames columns in its own. */
bool fields_take(Names *names, PyObject *row, Fields *fields);
/* A named tuple by its fields, which the names have afterwards. 0, or -1 with the exception set. */
int fields_read(Format *format, PyObject *row, Fields fields, double *x);
void fields_clear(Fields *fields);
/* Whether it is the name of a feature. */
bool names_have(const Names *names, PyObject *name);

/* ---- moment.c ---- */
int core_add_times(Core *core);
/* Whether a cell is a datetime or date of Python or a Timestamp of pandas; its seconds since 1970, in UTC without a
 * zone. */
bool moment_is_plain(const Core *core, PyObject *cell, double *value);
/* Whether a cell is a duration of Python itself; its seconds. */
bool duration_is_plain(const Core *core, PyObject *cell, double *value);

/* ---- refusal.c ---- */
/* A sample as a learner is given it. */
typedef struct Sample {
    const double *x;  /* NULL: a label, whose row the model keeps */
    double y, weight; /* 0 and 1 of a prediction */
    bool learns;
} Sample;
static inline Sample predicted(const double *x)
{
    return (Sample){x, 0, 1, false};
}
/* Whether all of n cells are finite, missing ones allowed or not. */
bool cells_are_fine(const double *cell, Py_ssize_t n, bool missing);
/* Whether a learner takes the sample. */
bool sample_is_fine(const Format *format, const Sample *sample);
/* -1, with the reason raised between head and tail, where it does not; else 0. */
int raise_refusal(const Format *format, const Sample *sample, const char *head, const char *tail);
/* What a method returns for a sample: the value, or NULL with the reason raised, where it was refused and the format
 * skips none, or with what a learner written in Python raised. */
PyObject *sample_answer(const Format *format, double value, const Sample *sample);
/* A row to predict was refused: 0 with nan in all of `out` where the format skips it, else -1 with the reason. */
int row_refused(const Format *format, const double *x, double *out, size_t n);

/* ---- entry.c ---- */
int entry_make(Entry *entry);
void entry_free(Entry *entry);
/* 0, or -1 with the exception set where this thread is inside already. May let other threads run. */
int entry_enter(Entry *entry, Core *core);
void entry_leave(Entry *entry);

/* A stretch of code that runs without the GIL. */
typedef struct Unlocked {
    PyThreadState *state;
    int64_t checked; /* when the handlers of signals were run last */
} Unlocked;
Unlocked gil_release(void);
/* To be called between rows: runs the handlers of signals every tenth of a second, with the GIL. Whether one raised. */
bool gil_interrupted(Unlocked *unlocked);
void gil_take(Unlocked *unlocked);

/* ---- names.c ---- */
/* Names from a sequence of strings. */
int names_set(Core *core, Names *names, PyObject *sequence);
/* Names or a count from the first row; a key that is the target (or NULL) is none. */
int names_from_row(Core *core, Names *names, PyObject *row, PyObject *target);
int names_copy(Names *to, const Names *from);
void names_clear(Names *names);
int names_visit(const Names *names, visitproc visit, void *arg);
/* The names as a tuple, or None; a new reference. */
PyObject *names_tuple(const Names *names);

/* ---- cell.c: one cell; i is its feature ---- */
/* Whether a float is a head and a double, as it has been in every CPython: cells are then read without a call. */
bool floats_are_plain(void);
/* 1: read; 0: only cell_read can; -1: an exception. Never runs Python code. */
int cell_read_plain(const Format *format, Py_ssize_t i, PyObject *cell, double *value);
/* The type whose cells float_of reads, or NULL: by the format's schema floats may be something else. */
static inline PyTypeObject *format_floats(const Format *format)
{
    return format->schema ? NULL : format->core->plain_float;
}
static inline double float_of(PyObject *cell)
{
    double value;
    memcpy(&value, (const char *)cell + sizeof(PyObject), sizeof value);
    return value;
}
int cell_read(const Format *format, Py_ssize_t i, PyObject *cell, double *value);
/* What a scalar of pyarrow, or an array of numpy without dimensions, holds: None where that is null or masked. Else the
 * cell itself. A new reference; NULL: an exception. */
PyObject *cell_held(Core *core, PyObject *cell);
/* Whether it stands for a missing cell besides None and nan: NA and NaT of pandas, NaT of numpy. */
bool cell_is_missing(PyObject *cell);
/* Whether it is a number of any type, complex ones left out: of Python, numpy, decimal, fractions. */
bool cell_is_number(PyObject *cell);
/* Whether its float() is no number but the count of a numpy time or duration, as it is for nanoseconds. */
bool cell_is_count(Core *core, PyObject *cell, double value);
bool cell_is_duration(PyObject *cell);
/* Whether it is no number, although it may have a float(): a complex one of numpy, an array or series of one value. */
bool cell_is_none(const Core *core, PyObject *cell);
/* The double of a missing cell. */
double cell_missing(const Format *format, Py_ssize_t i);
/* What the type of what a cell holds says of its column. */
AnbColumnKind cell_guess(PyObject *cell);

/* ---- guess.c ---- */
/* What a text of a table looks like, as bits: a number; a time with the year, the day or the month first. */
unsigned cell_looks(PyObject *text);
/* Replaces *schema by one with the kinds of some features; the others keep theirs, or are numbers where it is NULL. */
int schema_by_name(Core *core, const Names *names, const AnbSchema *kinds, AnbSchema **schema);
/* The schema of a first row of mixed cells; columns of `wanted` (or NULL) are numbers in it. *schema stays NULL where
 * all are numbers and nothing is wanted. */
int schema_from_row(Core *core, const Names *names, PyObject *row, const AnbSchema *wanted, AnbSchema **schema);
/* The column of a name in a schema, or NULL, with the exception set where the name is not UTF-8. */
const AnbColumn *kind_wanted(const AnbSchema *wanted, PyObject *name);

/* ---- category.c ---- */
/* Whether a number is whole and of 15 digits at most: as a category it is itself. */
bool number_is_short(double value);
/* Whether a number of a category is in the model as it is: a short one, or a float that stands for a text already. */
bool category_is_own(PyObject *cell, double value);
/* The text of a cell of a category, the same for a number of any type; "" of one that is missing; NULL, with a
 * TypeError, of an object whose text is its address. */
PyObject *category_text(PyObject *cell);

/* ---- row.c ---- */
/* Room for n doubles, freed by cells_free; NULL with the exception set. */
double *cells_take(Cells *cells, Py_ssize_t n);
void cells_free(Cells *cells);
/* Fills x from a mapping, a buffer or a sequence. The number of features is known. May run Python code. */
int row_read(Format *format, PyObject *row, double *x);
/* Whether its cells have names: a dict, or what has keys(). */
bool row_is_mapping(PyObject *row);
/* The number of its cells; -1 with the exception set where it has none, as a sparse matrix. */
Py_ssize_t row_size(PyObject *row);
/* -1, with that raised, where a row is a table, such as a frame; else 0. */
int row_refuse_table(PyObject *row);
/* Raises that a row is of a wrong type; -1. */
int row_is_none(PyObject *row);
/* n keys of a row, or columns of a list of names, are no features: counted, or -1 with the exception set. */
int row_unknown_keys(Format *format, Py_ssize_t n, const char *what, PyObject *row);
int format_copy(Format *to, const Format *from);
void format_clear(Format *format);
/* Drops what was taken from a first row: all but the target's name. */
void format_forget(Format *format);

/* ---- reading.c: methods and properties of what begins with a Reading, from which _frames.py reads tables ---- */
PyObject *reading_kind(PyObject *object, PyObject *number);
PyObject *reading_extra_columns(PyObject *object, PyObject *number);
PyObject *reading_rows(PyObject *object, PyObject *arguments);
PyObject *reading_cells(PyObject *object, PyObject *arguments);
PyObject *reading_unnamed(PyObject *object, PyObject *nothing);
PyObject *reading_features(PyObject *object, void *closure);
PyObject *reading_n_features(PyObject *object, void *closure);
PyObject *reading_target(PyObject *object, void *closure);
PyObject *reading_schema(PyObject *object, void *closure);
PyObject *reading_takes_missing(PyObject *object, void *closure);
PyObject *reading_extra(PyObject *object, void *closure);
int reading_set_extra(PyObject *object, PyObject *value, void *closure);
PyObject *reading_bad_rows(PyObject *object, void *closure);
int reading_set_bad_rows(PyObject *object, PyObject *value, void *closure);
#define READING_METHODS                                                                                                \
    {"_kind", reading_kind, METH_O, "_kind($self, column, /)\n--\n\nThe kind of a column."},                           \
        {"_extra_columns", reading_extra_columns, METH_VARARGS,                                                        \
         "_extra_columns($self, n, names, /)\n--\n\nSo many columns are no features."},                                \
        {"_rows", reading_rows, METH_VARARGS,                                                                          \
         "_rows($self, rows, X, first=0, /)\n--\n\nA list of rows of any kind into a matrix."},                        \
        {"_cells", reading_cells, METH_VARARGS,                                                                        \
         "_cells($self, i, cells, out, /)\n--\n\nA list of cells of column i into doubles."},                          \
    {                                                                                                                  \
        "_unnamed", reading_unnamed, METH_NOARGS,                                                                      \
            "_unnamed($self, /)\n--\n\nWarns where a table may have another order."                                    \
    }
#define READING_PROPERTIES                                                                                             \
    {"features", reading_features, NULL, "tuple of str or None : the features' names; None where rows are sequences.", \
     NULL},                                                                                                            \
        {"n_features", reading_n_features, NULL, "int or None : cells of a row; None before the first row.", NULL},    \
        {"target", reading_target, NULL, "str or None : the target's name.", NULL},                                    \
        {"bad_rows", reading_bad_rows, reading_set_bad_rows,                                                           \
         "str : \"raise\" or \"skip\", what happens to a row that is refused; may be set at any time. Since 0.15.",    \
         NULL},                                                                                                        \
        {"extra", reading_extra, reading_set_extra,                                                                    \
         "str : \"ignore\" or \"raise\", what happens to keys and columns that are no features; may be set at any "    \
         "time. Since 0.20.",                                                                                          \
         NULL},                                                                                                        \
    {                                                                                                                  \
        "takes_missing", reading_takes_missing, NULL, "bool : whether a row may hold missing cells.", NULL             \
    }

/* ---- model.c ---- */
PyTypeObject *core_make_model_type(PyObject *module);
/* Makes the learner where there is none, of the count in `n` or like `row`. 0, or -1 with the exception set. */
int model_ready(Model *self, PyObject *row, Py_ssize_t n);
/* Owns the learner from now on. 0, or -1 with the exception set and no learner. */
int model_take(Model *self, StreamingLearner *learner);
/* Has its learner, if there is one, use so many threads from now on. */
int model_use_threads(Model *self, size_t threads);
/* Creation options with the module's own learners. */
AnbModelOptions model_options(Core *core);
/* A row's doubles with the learner made and the model entered; cells_free and entry_leave afterwards. */
int model_enter_row(Model *self, PyObject *row, Cells *cells);
PyObject *model_adopt(PyObject *object, PyObject *arguments);
PyObject *model_wants(PyObject *object, PyObject *name);
PyObject *model_get_threads(PyObject *object, void *closure);
int model_set_threads(PyObject *object, PyObject *value, void *closure);
/* Tells all observers that the learner was reset. */
void model_observe_reset(Model *self);
/* Passes a sample to all observers. */
void model_observe(Model *self, const double *x, double y, double before);

/* ---- sample.c ---- */
/* Target and weight of x, y and w or NULL, into the sample. 0, or -1 with the exception set. */
int target_of(Core *core, PyObject *const *three, Sample *sample);

/* ---- watcher.c ---- */
/* Puts it on the model's list of observers; it then keeps the model. 0, or -1 with the exception set. */
int watcher_attach(Watcher *self, Model *model);
/* Enters its model for a read-out; NULL with the exception set. watcher_leave afterwards. */
Model *watcher_enter(PyObject *watcher);
void watcher_leave(Model *model);
/* The method detach(): off the list; what was gathered stays. */
PyObject *watcher_detach(PyObject *watcher, PyObject *nothing);
PyObject *watcher_get_model(PyObject *watcher, void *closure);
int watcher_traverse(PyObject *watcher, visitproc visit, void *arg);
/* Off the list and without its model; for tp_dealloc, which untracks it before. */
void watcher_clear(Watcher *self);

/* ---- sample.c, readout.c, state.c, many.c: methods of Model; the recorder, the server, Python's own learners ---- */
extern PyMethodDef model_sample_methods[], model_readout_methods[], model_state_methods[], model_many_methods[];
extern PyGetSetDef model_properties[];
PyObject *core_load(PyObject *module, PyObject *arguments, PyObject *keywords);
PyObject *core_restore(PyObject *module, PyObject *arguments);
PyTypeObject *core_make_recorder_type(PyObject *module);
PyTypeObject *core_make_explainer_type(PyObject *module);
PyTypeObject *core_make_server_type(PyObject *module);
PyTypeObject *core_make_reader_type(PyObject *module);
PyObject *core_register(PyObject *module, PyObject *arguments);
/* What a learner written in Python raised meanwhile, raised again: -1; else 0. */
int core_failure(Core *core);

/* Which intervals and quantiles a model has; owned by its learner. */
typedef struct Levels {
    const double *coverage, *level;
    size_t n_coverages, n_levels;
} Levels;
Levels levels_of(const StreamingLearner *learner);

/* A requested interval. */
typedef struct Interval {
    double coverage, end[2];
    Levels has; /* the model */
} Interval;
/* The arguments of predict_interval. 0, or -1 with the exception set. */
int interval_asked(PyObject *arguments, PyObject *keywords, PyObject **row, Interval *asked);
/* What predict_interval returns for a row: low and high, or NULL with the exception that the code stands for. */
PyObject *interval_answer(const Format *format, const double *x, int code, Interval *asked);

/* What predict_quantiles returns for a row: the tuple of n values, or NULL with the exception that the code
 * stands for. */
PyObject *quantiles_answer(const Format *format, const double *x, int code, double *value, size_t n);

/* ---- readout.c ---- */
/* A dict entry that takes over the reference; -1 where value is NULL or it fails. */
int dict_put(PyObject *dict, const char *key, PyObject *value);
/* n doubles as a list. */
PyObject *list_of(const double *value, size_t n);
/* The same as a tuple, () where n is 0. */
PyObject *tuple_of(const double *value, size_t n);

/* ---- table.c ---- */
/* A C-contiguous array of doubles of so many dimensions; the caller releases the view. */
int doubles_of(Core *core, PyObject *array, Py_buffer *view, int ndim, const char *what);

typedef struct Column {
    const char *at;  /* its first double */
    Py_ssize_t step; /* bytes from one to the next */
} Column;

typedef struct Table {
    Py_buffer matrix, *vector;      /* the matrix, or n_columns vectors */
    Py_buffer data, indices, start; /* or rows without their zeros: cells, their columns, and where each row starts */
    Column *column;                 /* n_columns; NULL: rows lie behind each other, or are without their zeros */
    const double *rows;             /* where they lie behind each other; else NULL */
    Py_ssize_t n, n_columns;
    Py_ssize_t step; /* rows to take at a time: those that are gathered stay in the cache */
} Table;

/* A zeroed table from a matrix, a list of vectors, or data, indices, starts and number of columns of a sparse one.
 * table_release afterwards, also where it fails. */
int table_take(Core *core, Table *table, PyObject *x);
void table_release(Table *table);
/* Room for the rows that table_rows gathers, freed by PyMem_Free. 0, or -1 with the exception set. */
int table_room(const Table *table, double **block);
/* n rows, `step` at most: in place where they lie so, else gathered into `block`. */
const double *table_rows(const Table *table, Py_ssize_t from, Py_ssize_t n, double *block);

/* ---- many.c ---- */
/* Rows to learn or to predict, and where predictions go; `buf` of what is not there is NULL. */
typedef struct Many {
    Table table;
    Py_buffer y, w, out;
    Py_ssize_t n;     /* rows of the table */
    Py_ssize_t first; /* rows of the caller's table that were learned before these */
} Many;
/* Vectors, or None, beside a table that was taken. many_release afterwards, also where it fails. */
int many_take(const Format *format, Many *many, PyObject *y, PyObject *w, PyObject *out);
void many_release(Many *many);
/* All rows: 0, or -1 with the reason raised why the learner would refuse the first one that it would. */
int many_check(const Format *format, const Many *many, double *block);
/* Raises that y or out is None where it may not be; NULL. */
PyObject *raise_no_room(Core *core);

#endif
