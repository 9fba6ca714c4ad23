/* Many rows at a time, from a matrix of doubles or from columns, where they lie. The GIL is released meanwhile. */
#include "core.h"
#include <string.h>

PyObject *raise_no_room(Core *core)
{
    return raise_input(core, "targets, or a place for predictions, are needed"), NULL;
}

void many_release(Many *m)
{
    Py_buffer *views[] = {&m->y, &m->w, &m->out};
    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        if (views[i]->obj)
            PyBuffer_Release(views[i]);
    table_release(&m->table);
}

static int take_vector(Core *core, PyObject *array, Py_buffer *view, Py_ssize_t n, const char *what)
{
    if (array == Py_None)
        return 0;
    if (doubles_of(core, array, view, 1, what))
        return -1;
    if (view->shape[0] != n)
        return raise_input(core, "%s has %zd values for %zd rows", what, view->shape[0], n);
    return 0;
}

/* An empty list does not say how wide rows are. */
static bool says_nothing(const Table *t)
{
    return t->n == 0 && t->n_columns == 0;
}

int many_take(const Format *format, Many *m, PyObject *y, PyObject *w, PyObject *out)
{
    Core *core = format->core;
    m->n = m->table.n;
    if (!says_nothing(&m->table) && m->table.n_columns != format->names.n)
        return raise_input(core, "X has %zd columns, the model %zd features", m->table.n_columns, format->names.n);
    if (take_vector(core, y, &m->y, m->n, "y") || take_vector(core, w, &m->w, m->n, "w") ||
        take_vector(core, out, &m->out, m->n, "out"))
        return -1;
    return m->out.buf && m->out.readonly ? raise_input(core, "out cannot be written") : 0;
}

static int take(Model *self, Many *m, PyObject *x, PyObject *y, PyObject *w, PyObject *out)
{
    if (table_take(self->core, &m->table, x) ||
        (!says_nothing(&m->table) && model_ready(self, NULL, m->table.n_columns)))
        return -1;
    return many_take(&self->format, m, y, w, out);
}

/* As anb_train_many, with the observers told of every sample. */
static void train_observed(Model *self, const double *x, const double *y, const double *w, Py_ssize_t n, double *out)
{
    for (Py_ssize_t i = 0; i < n; i++, x += self->format.names.n) {
        double before = anb_train_one(self->learner, x, y[i], w ? w[i] : 1);
        model_observe(self, x, y[i], before);
        if (out)
            out[i] = before;
    }
}

static void run_block(Model *self, const Many *m, Py_ssize_t from, Py_ssize_t n, double *block)
{
    const double *x = table_rows(&m->table, from, n, block), *y = m->y.buf, *w = m->w.buf;
    double *out = m->out.buf ? (double *)m->out.buf + from : NULL;
    w = w ? w + from : NULL;
    if (!y)
        anb_predict_many(self->learner, x, (size_t)n, out);
    else if (self->n_observers == 0)
        anb_train_many(self->learner, x, y + from, w, (size_t)n, out);
    else
        train_observed(self, x, y + from, w, n, out);
}

static uint64_t rejected(const Model *self)
{
    const AnbCounters *c = anb_counters(self->learner);
    return c->rejected_features + c->rejected_target + c->rejected_weight;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

typedef enum End { DONE, REFUSED, INTERRUPTED } End;

/* All rows, or up to the block after which a signal's handler has raised, or, where `stops`, in which the first one is
 * refused. */
static End run_blocks(Model *self, const Many *m, bool stops, double *block)
{
    Py_ssize_t size = m->table.step;
    uint64_t before = rejected(self);
    End end = DONE;
    Unlocked unlocked = gil_release();
    for (Py_ssize_t from = 0; from < m->n && end == DONE; from += size) {
        run_block(self, m, from, size < m->n - from ? size : m->n - from, block);
        if (stops && rejected(self) != before)
            end = REFUSED;
        else if (gil_interrupted(&unlocked))
            end = INTERRUPTED;
    }
    gil_take(&unlocked);
    return end;
}

/* ---- checking ---------------------------------------------------------------------------------------------------- */

/* What a refusal ends with: which rows were learned. */
typedef struct Tail {
    char text[80];
} Tail;

static Tail tail_of(const Many *m)
{
    Tail tail = {""};
    if (m->first > 0)
        PyOS_snprintf(tail.text, sizeof tail.text, "; the %zd rows before this block were learned", m->first);
    else if (m->y.buf)
        strcpy(tail.text, "; nothing was learned");
    return tail;
}

/* Row i: 0, or -1 with the reason raised why the learner would refuse it. */
static int check_row(const Format *format, const Many *m, Py_ssize_t i, const double *x)
{
    const double *y = m->y.buf, *w = m->w.buf;
    const Sample sample = {x, y ? y[i] : 0, w ? w[i] : 1, y != NULL};
    if (sample_is_fine(format, &sample))
        return 0;
    char head[32];
    PyOS_snprintf(head, sizeof head, "row %zd: ", m->first + i);
    return raise_refusal(format, &sample, head, tail_of(m).text);
}

static bool cells_fine(const Format *format, const Many *m, double *block)
{
    Py_ssize_t step = m->table.step;
    for (Py_ssize_t from = 0; from < m->n; from += step) {
        Py_ssize_t n = step < m->n - from ? step : m->n - from;
        if (!cells_are_fine(table_rows(&m->table, from, n, block), n * m->table.n_columns, format->takes_missing))
            return false;
    }
    return true;
}

int many_check(const Format *format, const Many *m, double *block)
{
    if (!m->w.buf && (!m->y.buf || cells_are_fine(m->y.buf, m->n, false)) && cells_fine(format, m, block))
        return 0;
    for (Py_ssize_t i = 0; i < m->n; i++)
        if (check_row(format, m, i, table_rows(&m->table, i, 1, block)))
            return -1;
    return 0;
}

/* ---- all or nothing ---------------------------------------------------------------------------------------------- */

/* A copy to go back to, where that moves less memory than looking at all rows before; else NULL. Observers and learners
 * written in Python cannot go back. */
static StreamingLearner *backup_of(const Model *self, const Many *m)
{
    size_t table = (size_t)m->n * (size_t)m->table.n_columns * sizeof(double);
    if (!m->y.buf || self->n_observers > 0 || self->calls_python || 2 * anb_clone_bytes(self->learner) > table)
        return NULL;
    return anb_clone(self->learner, NULL);
}

/* Learns in the hope that no row is refused; where one is, the model is what it was and the reason is raised. */
static int run_or_go_back(Model *self, const Many *m, StreamingLearner *backup, double *block)
{
    End end = run_blocks(self, m, true, block);
    bool fine = end != REFUSED;
    if (!fine) {
        StreamingLearner *spoiled = self->learner;
        self->learner = backup;
        backup = spoiled;
    }
    anb_free(backup);
    if (!fine && self->threads != 1 && model_use_threads(self, self->threads))
        return -1;
    if (fine || many_check(&self->format, m, block))
        return end == DONE ? 0 : -1;
    return raise_input(self->core, "a row was refused%s", tail_of(m).text);
}

static int run_checked(Model *self, const Many *m, double *block)
{
    if (!self->format.skips && many_check(&self->format, m, block))
        return -1;
    return run_blocks(self, m, false, block) == DONE ? 0 : -1;
}

static PyObject *run(Model *self, const Many *m)
{
    double *block;
    if (table_room(&m->table, &block))
        return NULL;
    int code = entry_enter(&self->entry, self->core);
    if (!code) {
        StreamingLearner *backup = self->format.skips ? NULL : backup_of(self, m);
        code = backup ? run_or_go_back(self, m, backup, block) : run_checked(self, m, block);
        entry_leave(&self->entry);
    }
    PyMem_Free(block);
    return code || core_failure(self->core) ? NULL : Py_NewRef(Py_None);
}

/* _many(X, y, w, out, first=0): X as of table_take; y None: predict. `first` rows were learned
 * before, which a refusal tells. */
static PyObject *many(PyObject *object, PyObject *arguments)
{
    Model *self = (Model *)object;
    PyObject *x, *y, *w, *out, *result = NULL;
    Many m = {0};
    if (!PyArg_ParseTuple(arguments, "OOOO|n:_many", &x, &y, &w, &out, &m.first))
        return NULL;
    if (y == Py_None && out == Py_None)
        return raise_no_room(self->core);
    if (take(self, &m, x, y, w, out) == 0)
        result = m.n > 0 ? run(self, &m) : Py_NewRef(Py_None);
    many_release(&m);
    return result;
}

static PyObject *ready(PyObject *object, PyObject *row)
{
    return model_ready((Model *)object, row, 0) ? NULL : Py_NewRef(Py_None);
}

PyMethodDef model_many_methods[] = {
    READING_METHODS,
    {"_many", many, METH_VARARGS,
     "_many($self, X, y, w, out, first=0, /)\n--\n\nTrains on, or where y is None predicts, rows of a table."},
    {"_ready", ready, METH_O, "_ready($self, row, /)\n--\n\nTakes names and kinds from a first row."},
    {"_adopt", model_adopt, METH_VARARGS,
     "_adopt($self, features, schema, reordered, /)\n--\n\nNames and kinds of columns."},
    {"_wants", model_wants, METH_O, "_wants($self, name, /)\n--\n\nWhether schema= gave the kind of a column."},
    {0}};
