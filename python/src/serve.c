/*
 * The types Server and Reader. A Server learns and publishes; a Reader predicts, from a server or from a copy of a
 * model, and never waits for the thread that learns. Both release the GIL for many rows.
 */
#include "argument.h"
#include <anabranch/serve.h>

typedef struct Server {
    PyObject_HEAD Core *core;
    Format format;
    AnbServer *server;
    Levels has; /* the model */
    Entry entry;
} Server;

typedef struct Reader {
    PyObject_HEAD Core *core;
    Format format;
    PyObject *server;       /* kept alive, or NULL */
    AnbServeReader *live;   /* of a server */
    StreamingLearner *copy; /* of a model */
    AnbReader *scratch;     /* of the copy */
    Levels has;             /* the model */
    Entry entry;
} Reader;

/* ---- many rows --------------------------------------------------------------------------------------------------- */

/* What is done with the n rows x of a table, from row `from` on. */
typedef void (*ForRows)(void *object, const Many *m, Py_ssize_t from, Py_ssize_t n, const double *x);

/* 0, or -1 where a signal's handler has raised. */
static int walk(void *object, const Many *m, ForRows each, double *block)
{
    enum { OFTEN = 64 };
    bool raised = false;
    Unlocked unlocked = gil_release();
    for (Py_ssize_t from = 0, step = m->table.step; from < m->n && !raised; from += step) {
        Py_ssize_t n = step < m->n - from ? step : m->n - from;
        const double *x = table_rows(&m->table, from, n, block);
        for (Py_ssize_t i = 0; i < n && !raised; i += OFTEN, x += OFTEN * m->table.n_columns) {
            each(object, m, from + i, OFTEN < n - i ? OFTEN : n - i, x);
            raised = gil_interrupted(&unlocked);
        }
    }
    gil_take(&unlocked);
    return raised ? -1 : 0;
}

/* Calls `each` for all rows, some at a time, without the GIL; for none where one is refused, unless it is skipped. */
static PyObject *for_rows(void *object, Entry *entry, const Many *m, ForRows each)
{
    const Format *format = &((Reading *)object)->format;
    Core *core = format->core;
    double *block;
    if (table_room(&m->table, &block))
        return NULL;
    int code = !format->skips && many_check(format, m, block) ? -1 : entry_enter(entry, core);
    if (!code) {
        code = walk(object, m, each, block);
        entry_leave(entry);
    }
    PyMem_Free(block);
    return code || core_failure(core) ? NULL : Py_NewRef(Py_None);
}

/* ---- the server -------------------------------------------------------------------------------------------------- */

static PyObject *server_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *words[] = {"model", "interval", NULL};
    Core *core = core_of_type(type);
    PyObject *object, *given = NULL;
    Py_ssize_t interval = 64;
    AnbError error = {0};
    if (!core || !PyArg_ParseTupleAndKeywords(arguments, keywords, "O|O:Server", words, &object, &given) ||
        model_argument(core, object, "a Server takes a Model") || whole_argument(core, given, "interval", &interval))
        return NULL;
    Model *model = (Model *)object;
    if (interval < 1 || interval > ANB_SERVE_INTERVAL_MAX)
        return raise_input(core, "interval = %zd: 1 to %d", interval, ANB_SERVE_INTERVAL_MAX), NULL;
    if (model_ready(model, NULL, 0))
        return NULL;
    Server *self = object_new(type);
    if (!self)
        return NULL;
    self->core = core;
    int code =
        entry_make(&self->entry) || format_copy(&self->format, &model->format) || entry_enter(&model->entry, core);
    if (!code) {
        self->server = anb_serve_new(model->learner, (size_t)interval, &error);
        entry_leave(&model->entry);
        if (!self->server)
            raise_error(core, &error, NULL);
        else
            self->has = levels_of(anb_serve_model(self->server));
    }
    if (!self->server)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void server_dealloc(PyObject *object)
{
    Server *self = (Server *)object;
    PyObject_GC_UnTrack(object);
    anb_serve_free(self->server);
    format_clear(&self->format);
    entry_free(&self->entry);
    object_free(object);
}

static int server_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    return names_visit(&((Server *)object)->format.names, visit, arg);
}

static int enter_row(Format *format, Entry *entry, PyObject *row, Cells *cells)
{
    if (!cells_take(cells, format->names.n))
        return -1;
    if (row_read(format, row, cells->x) == 0 && entry_enter(entry, format->core) == 0)
        return 0;
    cells_free(cells);
    return -1;
}

/* Learning is for the process that made the server: 0, or -1 with the reason raised. */
static int may_learn(const Server *self)
{
    if (!anb_serve_is_child(self->server))
        return 0;
    PyErr_SetString(self->core->unsupported_error,
                    "this process was forked from the server's: it can predict, and not learn; "
                    "Server(server.model()) makes a server of its own");
    return -1;
}

static PyObject *server_train_one(PyObject *object, PyObject *arguments, PyObject *keywords)
{
    static char *words[] = {"x", "y", "w", NULL};
    Server *self = (Server *)object;
    PyObject *three[3] = {NULL};
    Sample sample = {.learns = true};
    Cells cells;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OO|O:train_one", words, &three[0], &three[1], &three[2]) ||
        target_of(self->core, three, &sample) || may_learn(self) ||
        enter_row(&self->format, &self->entry, three[0], &cells))
        return NULL;
    PyThreadState *state = PyEval_SaveThread(); /* a publishing call waits for predictions */
    double before = anb_serve_train(self->server, cells.x, sample.y, sample.weight);
    PyEval_RestoreThread(state);
    entry_leave(&self->entry);
    sample.x = cells.x;
    PyObject *result = sample_answer(&self->format, before, &sample);
    cells_free(&cells);
    return result;
}

static void train_rows(void *object, const Many *m, Py_ssize_t from, Py_ssize_t n, const double *x)
{
    const double *y = m->y.buf, *w = m->w.buf;
    double *out = m->out.buf;
    for (Py_ssize_t i = from; i < from + n; i++, x += m->table.n_columns)
        out[i] = anb_serve_train(((Server *)object)->server, x, y[i], w ? w[i] : 1);
}

/* _many(X, y, w, out): the bits of the loop. */
static PyObject *server_many(PyObject *object, PyObject *arguments)
{
    Server *self = (Server *)object;
    PyObject *x, *y, *w, *out, *result = NULL;
    Many m = {0};
    if (!PyArg_ParseTuple(arguments, "OOOO:_many", &x, &y, &w, &out) || may_learn(self))
        return NULL;
    if (y == Py_None || out == Py_None)
        return raise_no_room(self->core);
    if (table_take(self->core, &m.table, x) == 0 && many_take(&self->format, &m, y, w, out) == 0)
        result = for_rows(object, &self->entry, &m, train_rows);
    many_release(&m);
    return result;
}

static PyObject *publish(PyObject *object, PyObject *nothing)
{
    Server *self = (Server *)object;
    (void)nothing;
    if (entry_enter(&self->entry, self->core))
        return NULL;
    PyThreadState *state = PyEval_SaveThread();
    anb_serve_publish(self->server);
    PyEval_RestoreThread(state);
    entry_leave(&self->entry);
    Py_RETURN_NONE;
}

/* _model(model): the learner's copy into an empty Model. */
static PyObject *server_model(PyObject *object, PyObject *into)
{
    Server *self = (Server *)object;
    AnbError error = {0};
    Model *model = (Model *)into;
    if (!PyObject_TypeCheck(into, self->core->model_type) || model->expression)
        return PyErr_SetString(PyExc_TypeError, "an empty Model is wanted"), NULL;
    if (format_copy(&model->format, &self->format) || entry_enter(&self->entry, self->core))
        return NULL;
    StreamingLearner *learner = anb_clone(anb_serve_model(self->server), &error);
    entry_leave(&self->entry);
    if (!learner)
        return raise_error(self->core, &error, NULL);
    model->seed = anb_seed(learner);
    model->max_bytes = anb_model_defaults().max_bytes;
    model->expression = PyUnicode_FromString(anb_expression(learner));
    model_take(model, learner);
    return Py_NewRef(into);
}

static PyObject *server_version(PyObject *object, void *closure)
{
    (void)closure;
    return PyLong_FromUnsignedLongLong(anb_serve_version(((Server *)object)->server));
}

static PyMethodDef server_methods[] = {
    {"train_one", FASTCALL(server_train_one), METH_VARARGS | METH_KEYWORDS,
     "train_one($self, x, y, w=1.0)\n--\n\nLearns one sample; every interval-th call publishes. As Model.train_one."},
    {"publish", publish, METH_NOARGS, "publish($self, /)\n--\n\nPublishes all that was learned so far to the readers."},
    {"_many", server_many, METH_VARARGS, "_many($self, X, y, w, out, /)\n--\n\nMany samples."},
    READING_METHODS,
    {"_model", server_model, METH_O, "_model($self, model, /)\n--\n\nThe learner's copy."},
    {0}};

static PyGetSetDef server_properties[] = {
    READING_PROPERTIES,
    {"schema_text", reading_schema, NULL, "str or None : the kinds of the columns as a compact text.", NULL},
    {"version", server_version, NULL, "int : number of publications so far.", NULL},
    {0}};

/* ---- readers ----------------------------------------------------------------------------------------------------- */

static int read_server(Reader *self, Server *server)
{
    AnbError error = {0};
    if (format_copy(&self->format, &server->format))
        return -1;
    self->live = anb_serve_reader_new(server->server, &error);
    self->server = Py_NewRef((PyObject *)server);
    self->has = server->has;
    return self->live ? 0 : (raise_error(self->core, &error, NULL), -1);
}

static int read_copy(Reader *self, Model *model)
{
    AnbError error = {0};
    if (model_ready(model, NULL, 0) || format_copy(&self->format, &model->format) ||
        entry_enter(&model->entry, self->core))
        return -1;
    self->copy = anb_clone(model->learner, &error);
    entry_leave(&model->entry);
    self->scratch = self->copy ? anb_reader_new(self->copy, &error) : NULL;
    if (!self->scratch)
        return raise_error(self->core, &error, NULL), -1;
    self->has = levels_of(self->copy);
    return 0;
}

static PyObject *reader_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *words[] = {"source", NULL};
    Core *core = core_of_type(type);
    PyObject *source;
    if (!core || !PyArg_ParseTupleAndKeywords(arguments, keywords, "O:Reader", words, &source))
        return NULL;
    bool server = PyObject_TypeCheck(source, core->server_type);
    if (!server && !PyObject_TypeCheck(source, core->model_type))
        return raise_type(source, "a Reader takes a Model or a Server"), NULL;
    Reader *self = object_new(type);
    if (!self)
        return NULL;
    self->core = core;
    if (entry_make(&self->entry) || (server ? read_server(self, (Server *)source) : read_copy(self, (Model *)source)))
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void reader_dealloc(PyObject *object)
{
    Reader *self = (Reader *)object;
    PyObject_GC_UnTrack(object);
    anb_serve_reader_free(self->live);
    anb_reader_free(self->scratch);
    anb_free(self->copy);
    format_clear(&self->format);
    entry_free(&self->entry);
    Py_XDECREF(self->server);
    object_free(object);
}

static int reader_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(((Reader *)object)->server);
    return names_visit(&((Reader *)object)->format.names, visit, arg);
}

static double predict(Reader *self, const double *x)
{
    return self->live ? anb_serve_predict(self->live, x) : anb_predict_with(self->copy, self->scratch, x);
}

static PyObject *reader_predict_one(PyObject *object, PyObject *row)
{
    Reader *self = (Reader *)object;
    Cells cells;
    if (enter_row(&self->format, &self->entry, row, &cells))
        return NULL;
    double value = predict(self, cells.x);
    entry_leave(&self->entry);
    const Sample sample = predicted(cells.x);
    PyObject *result = sample_answer(&self->format, value, &sample);
    cells_free(&cells);
    return result;
}

static PyObject *reader_interval(PyObject *object, PyObject *arguments, PyObject *keywords)
{
    Reader *self = (Reader *)object;
    PyObject *row;
    Interval asked = {.has = self->has};
    double *low = &asked.end[0], *high = &asked.end[1];
    Cells cells;
    if (interval_asked(arguments, keywords, &row, &asked) || enter_row(&self->format, &self->entry, row, &cells))
        return NULL;
    int code = self->live ? anb_serve_predict_interval(self->live, cells.x, asked.coverage, low, high)
                          : anb_predict_interval_with(self->copy, self->scratch, cells.x, asked.coverage, low, high);
    entry_leave(&self->entry);
    PyObject *result = interval_answer(&self->format, cells.x, code, &asked);
    cells_free(&cells);
    return result;
}

static PyObject *reader_quantiles(PyObject *object, PyObject *row)
{
    Reader *self = (Reader *)object;
    double value[ANB_LEVELS_MAX];
    Cells cells;
    if (enter_row(&self->format, &self->entry, row, &cells))
        return NULL;
    int code = self->live ? anb_serve_predict_quantiles(self->live, cells.x, value)
                          : anb_predict_quantiles_with(self->copy, self->scratch, cells.x, value);
    entry_leave(&self->entry);
    PyObject *result = quantiles_answer(&self->format, cells.x, code, value, self->has.n_levels);
    cells_free(&cells);
    return result;
}

static void predict_rows(void *object, const Many *m, Py_ssize_t from, Py_ssize_t n, const double *x)
{
    Reader *self = object;
    double *out = (double *)m->out.buf + from;
    if (self->live)
        anb_serve_predict_many(self->live, x, (size_t)n, out);
    else
        anb_predict_many_with(self->copy, self->scratch, x, (size_t)n, out);
}

/* _many(X, out) */
static PyObject *reader_many(PyObject *object, PyObject *arguments)
{
    Reader *self = (Reader *)object;
    PyObject *x, *out, *result = NULL;
    Many m = {0};
    if (!PyArg_ParseTuple(arguments, "OO:_many", &x, &out))
        return NULL;
    if (out == Py_None)
        return raise_no_room(self->core);
    if (table_take(self->core, &m.table, x) == 0 && many_take(&self->format, &m, Py_None, Py_None, out) == 0)
        result = for_rows(object, &self->entry, &m, predict_rows);
    many_release(&m);
    return result;
}

static PyObject *reader_version(PyObject *object, void *closure)
{
    Reader *self = (Reader *)object;
    (void)closure;
    return self->live ? PyLong_FromUnsignedLongLong(anb_serve_reader_version(self->live)) : Py_NewRef(Py_None);
}

static PyMethodDef reader_methods[] = {
    {"predict_one", reader_predict_one, METH_O, "predict_one($self, x, /)\n--\n\nAs Model.predict_one."},
    {"predict_interval", FASTCALL(reader_interval), METH_VARARGS | METH_KEYWORDS,
     "predict_interval($self, x, coverage)\n--\n\nAs Model.predict_interval."},
    {"predict_quantiles", reader_quantiles, METH_O,
     "predict_quantiles($self, x, /)\n--\n\nAs Model.predict_quantiles."},
    READING_METHODS,
    {"_many", reader_many, METH_VARARGS, "_many($self, X, out, /)\n--\n\nMany rows."},
    {0}};

static PyGetSetDef reader_properties[] = {
    READING_PROPERTIES,
    {"schema_text", reading_schema, NULL, "str or None : the kinds of the columns as a compact text.", NULL},
    {"version", reader_version, NULL, "int or None : the published version that the last prediction was made from.",
     NULL},
    {0}};

/* ---- both types -------------------------------------------------------------------------------------------------- */

PyTypeObject *core_make_server_type(PyObject *module)
{
    PyType_Slot slots[] = {{Py_tp_doc, "Learns in one thread while readers predict."},
                           {Py_tp_new, server_new},
                           {Py_tp_traverse, server_traverse},
                           {Py_tp_dealloc, server_dealloc},
                           {Py_tp_methods, server_methods},
                           {Py_tp_getset, server_properties},
                           {0}};
    return type_new(module, "anabranch._core.Server", sizeof(Server), slots);
}

PyTypeObject *core_make_reader_type(PyObject *module)
{
    PyType_Slot slots[] = {{Py_tp_doc, "Predicts without waiting for the thread that learns."},
                           {Py_tp_new, reader_new},
                           {Py_tp_traverse, reader_traverse},
                           {Py_tp_dealloc, reader_dealloc},
                           {Py_tp_methods, reader_methods},
                           {Py_tp_getset, reader_properties},
                           {0}};
    return type_new(module, "anabranch._core.Reader", sizeof(Reader), slots);
}
