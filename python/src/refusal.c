/* Why a learner refuses a sample: one text for each reason, whichever method and object it was given to. */
#include "core.h"

bool cells_are_fine(const double *v, Py_ssize_t n, bool missing)
{
    double sum[8] = {0}; /* sums of v - v are 0 where all are finite */
    Py_ssize_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int lane = 0; lane < 8; lane++)
            sum[lane] += v[i + lane] - v[i + lane];
    for (; i < n; i++)
        sum[0] += v[i] - v[i];
    for (int lane = 1; lane < 8; lane++)
        sum[0] += sum[lane];
    if (sum[0] == 0 || !missing)
        return sum[0] == 0;
    for (i = 0; i < n; i++)
        if (v[i] == v[i] && v[i] - v[i] != 0)
            return false;
    return true;
}

static int raise_cell(const Format *format, const double *x, const char *head, const char *tail)
{
    Py_ssize_t j = 0;
    while (cells_are_fine(&x[j], 1, format->takes_missing))
        j++;
    const char *what = "infinite";
    if (x[j] != x[j])
        what = "missing, which this model does not take: write scale(...) around its expression";
    PyObject *name = feature_name(format, j);
    if (name)
        raise_input(format->core, "%sfeature %R is %s%s", head, name, what, tail);
    Py_XDECREF(name);
    return -1;
}

static bool weight_is_fine(double weight)
{
    return weight >= 0 && weight - weight == 0;
}

bool sample_is_fine(const Format *format, const Sample *s)
{
    return s->y - s->y == 0 && weight_is_fine(s->weight) &&
           (!s->x || cells_are_fine(s->x, format->names.n, format->takes_missing));
}

int raise_refusal(const Format *format, const Sample *s, const char *head, const char *tail)
{
    if (sample_is_fine(format, s))
        return 0;
    if (s->y - s->y != 0)
        return raise_input(format->core,
                           "%sthe target is not a finite number: leave such rows out, or set bad_rows='skip'%s", head,
                           tail);
    if (!weight_is_fine(s->weight))
        return raise_input(format->core, "%sthe weight is negative or not finite%s", head, tail);
    return raise_cell(format, s->x, head, tail);
}

PyObject *sample_answer(const Format *format, double value, const Sample *s)
{
    if (core_failure(format->core))
        return NULL;
    if (value != value && !format->skips && raise_refusal(format, s, "", s->learns ? "; nothing was learned" : ""))
        return NULL;
    return PyFloat_FromDouble(value);
}

int row_refused(const Format *format, const double *x, double *out, size_t n)
{
    const Sample sample = predicted(x);
    for (size_t i = 0; i < n; i++)
        out[i] = ANB_NAN;
    if (!format->skips && !raise_refusal(format, &sample, "", ""))
        raise_input(format->core, "the row is refused");
    return format->skips ? 0 : -1;
}
