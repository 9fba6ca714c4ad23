/* Rows of requests, by name or in order, and refusals. */
#include "service_rows.h"
#include "cli.h"
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* anb_fail leaves whole characters, without which there is no JSON. */
json_t *refuse(Service *s, int *status, int code, const char *format, ...)
{
    AnbError error;
    char text[sizeof error.message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    anb_fail(&error, ANB_E_INPUT, "%s", text);
    atomic_fetch_add(&s->refused, 1);
    *status = code;
    return json_pack("{s:s}", "error", error.message);
}

/* A cell as a text for the schema, which may be a number that is written out. */
static AnbCell text_of(json_t *cell, char *room)
{
    if (json_is_string(cell))
        return (AnbCell){json_string_value(cell), json_string_length(cell)};
    if (json_is_boolean(cell))
        return json_is_true(cell) ? (AnbCell){"true", 4} : (AnbCell){"false", 5};
    if (json_is_integer(cell))
        return (AnbCell){room, (size_t)snprintf(room, ANB_NUMBER_SIZE, "%lld", (long long)json_integer_value(cell))};
    return json_is_real(cell) ? (AnbCell){room, anb_number_format(json_real_value(cell), room)} : (AnbCell){NULL, 0};
}

static bool read_cell(const Service *s, size_t j, json_t *cell, double *value, AnbError *error)
{
    char room[ANB_NUMBER_SIZE];
    if (json_is_array(cell) || json_is_object(cell)) {
        snprintf(error->message, sizeof error->message, "it is a list or an object");
        return false;
    }
    if (s->saved.schema)
        return anb_schema_cell(s->saved.schema, j, text_of(cell, room), value, error) == 0;
    if (!cell || json_is_null(cell)) {
        *value = ANB_NAN;
        return true;
    }
    *value = json_is_boolean(cell) ? json_is_true(cell) : json_number_value(cell);
    if (json_is_number(cell) || json_is_boolean(cell))
        return true;
    snprintf(error->message, sizeof error->message, "it is no number");
    return false;
}

/* What is wrong with cell j, which the schema's message says already. */
static json_t *refuse_cell(Service *s, size_t j, const AnbError *error, int *status)
{
    const char *const *names = s->saved.snapshot->extras.features;
    if (strncmp(error->message, "column ", 7) == 0)
        return refuse(s, status, BAD_REQUEST, "x: %s", error->message);
    return refuse(s, status, BAD_REQUEST, "x: column %zu%s%.60s%s: %s", j + 1, names ? " (" : "", names ? names[j] : "",
                  names ? ")" : "", error->message);
}

static bool is_column(const Service *s, const char *name)
{
    const AnbSnapshotExtras *extras = &s->saved.snapshot->extras;
    for (size_t j = 0; j < s->n_features; j++)
        if (strcmp(name, extras->features[j]) == 0)
            return true;
    return extras->target && strcmp(name, extras->target) == 0;
}

/* Names that the model does not have are ignored and counted, with a warning about the first, which may be misspelt. */
static void count_unknown(Service *s, json_t *row)
{
    const char *name;
    json_t *cell;
    json_object_foreach(row, name, cell)
    {
        if (is_column(s, name) || atomic_fetch_add(&s->unknown, 1) > 0)
            continue;
        complain(0,
                 "a request's x has \"%.60s\", which is no column of the model: such names are passed over, and "
                 "counted in /healthz as unknown_names",
                 name);
    }
}

/* Cell j of an array, or of an object by the feature's name. */
static json_t *cell_of(const Service *s, json_t *row, size_t j)
{
    const char *const *names = s->saved.snapshot->extras.features;
    if (json_is_array(row))
        return json_array_get(row, j);
    return names ? json_object_get(row, names[j]) : NULL;
}

/* A row's cells. NULL, or the refusal. */
static json_t *read_row(Service *s, json_t *row, double *x, int *status)
{
    const char *const *names = s->saved.snapshot->extras.features;
    AnbError error = {0};
    size_t found = 0;
    if (!json_is_array(row) && !(json_is_object(row) && names))
        return refuse(s, status, BAD_REQUEST, "x is %s",
                      names ? "neither an object by column names nor an array"
                            : "no array, and this model has no column names");
    if (json_is_array(row) && json_array_size(row) != s->n_features)
        return refuse(s, status, BAD_REQUEST, "x has %zu cells; the model has %zu features", json_array_size(row),
                      s->n_features);
    for (size_t j = 0; j < s->n_features; j++) {
        json_t *cell = cell_of(s, row, j);
        found += cell != NULL;
        if (!read_cell(s, j, cell, &x[j], &error))
            return refuse_cell(s, j, &error, status);
    }
    if (json_is_object(row) && json_object_size(row) > found)
        count_unknown(s, row);
    return NULL;
}

static bool takes(const Service *s, const double *x)
{
    bool missing = anb_takes_missing(s->saved.model);
    for (size_t j = 0; j < s->n_features; j++)
        if (isinf(x[j]) || (isnan(x[j]) && !missing))
            return false;
    return true;
}

double *row_of(Service *s, json_t *body, int *status, json_t **refusal)
{
    double *x = calloc(s->n_features, sizeof *x);
    *refusal = x ? read_row(s, json_object_get(body, "x"), x, status) : refuse(s, status, UNAVAILABLE, "out of memory");
    if (!*refusal && !takes(s, x))
        *refusal = refuse(s, status, BAD_REQUEST, "x holds a missing or infinite cell, which this model does not take");
    if (*refusal) {
        free(x);
        return NULL;
    }
    return x;
}
