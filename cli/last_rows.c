#include "last_rows.h"
#include "cli.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Columns that a row is shown with; predictions that all explanations may take. */
enum { TOP = 7, MOST_PREDICTIONS = 200000 };

int last_rows_start(LastRows *l, const StreamingLearner *model, size_t n)
{
    AnbError error = {0};
    *l = (LastRows){.d = anb_n_features(model), .n = n < LAST_ROWS_MOST ? n : LAST_ROWS_MOST};
    if (l->n == 0)
        return 0;
    l->explainer = anb_explainer_new(model, NULL, &error);
    l->x = malloc(l->n * l->d * sizeof *l->x);
    return l->explainer && l->x ? 0 : complain(BAD_DATA, "%s", l->explainer ? "out of memory" : error.message);
}

void last_rows_add(LastRows *l, const double *x, const LastRow *row)
{
    if (l->n == 0)
        return;
    size_t at = l->seen++ % l->n;
    l->last[at] = *row;
    memcpy(l->x + at * l->d, x, l->d * sizeof *x);
    anb_explainer_keep(l->explainer, x);
}

/* ---- a row ------------------------------------------------------------------------------------------------------- */

/* 2015-12-14T15:00:00Z as 2015-12-14 15:00, a midnight as its date; other forms are left. */
static void shorten_time(char *text)
{
    size_t n = strlen(text);
    if (n != 20 || text[10] != 'T')
        return;
    text[10] = ' ';
    text[19] = 0;
    if (strcmp(text + 16, ":00") == 0)
        text[16] = 0;
    if (strcmp(text + 11, "00:00") == 0)
        text[10] = 0;
}

/* Writes a cell as text. */
static void put_cell(Json *json, const Categories *of, size_t j, double cell)
{
    char text[ANB_CATEGORY_NAME + ANB_CELL_SIZE] = "";
    AnbColumnKind kind = of->schema ? anb_schema_columns(of->schema)[j].kind : ANB_COLUMN_NUMBER;
    if (of->names && (kind == ANB_COLUMN_CATEGORY || (kind == ANB_COLUMN_CODE && cell >= 0x1p52)))
        anb_category_name(of->names, j, cell, text);
    else if (of->schema)
        anb_schema_format(of->schema, j, cell, text);
    else if (cell == cell)
        anb_number_format(cell, text);
    if (kind == ANB_COLUMN_TIME)
        shorten_time(text);
    json_text(json, "cell", *text ? text : "(missing)");
}

/* The column that adds most of those not taken. */
static size_t largest(const AnbExplanation *why, const bool *taken)
{
    size_t best = SIZE_MAX;
    for (size_t j = 0; j < why->n_features; j++)
        if (!taken[j] && (best == SIZE_MAX || fabs(why->phi[j]) > fabs(why->phi[best])))
            best = j;
    return best;
}

static void put_columns(Json *json, const Categories *of, const char *const *names, const double *x,
                        const AnbExplanation *why)
{
    bool *taken = calloc(why->n_features, sizeof *taken);
    double rest = why->prediction - why->base;
    json_open(json, "columns", '[');
    for (size_t k = 0; taken && k < TOP && k < why->n_features; k++) {
        size_t j = largest(why, taken);
        char number[24];
        taken[j] = true;
        rest -= why->phi[j];
        snprintf(number, sizeof number, "x%zu", j + 1);
        json_open(json, NULL, '{');
        json_text(json, "name", names ? names[j] : number);
        put_cell(json, of, j, x[j]);
        json_number(json, "adds", why->phi[j]);
        json_number(json, "error", why->error[j]);
        json_close(json, '}');
    }
    json_close(json, ']');
    json_number(json, "rest", why->n_features > TOP ? rest : 0);
    free(taken);
}

static void put_row(const LastRows *l, Json *json, const Categories *of, const char *const *names, size_t at)
{
    AnbExplanation why;
    const LastRow *row = &l->last[at];
    const double *x = l->x + at * l->d;
    if (anb_explain(l->explainer, of->model, x, &why))
        return;
    json_open(json, NULL, '{');
    json_count(json, "row", row->row);
    json_number(json, "target", row->y);
    json_number(json, "prediction", row->prediction);
    json_number(json, "low", row->low);
    json_number(json, "high", row->high);
    json_number(json, "now", why.prediction);
    json_number(json, "base", why.base);
    json_bool(json, "exact", why.exact);
    put_columns(json, of, names, x, &why);
    json_close(json, '}');
}

/* Explains fewer rows where an explanation is expensive. */
void last_rows_json(const LastRows *l, Json *json, const Categories *of, const char *const *names)
{
    json_open(json, "lately", '[');
    uint64_t kept = l->seen < l->n ? l->seen : l->n, cost = l->n > 0 ? anb_explain_cost(l->explainer) : 0;
    for (uint64_t k = 0; k < kept && (k + 1) * cost <= MOST_PREDICTIONS; k++)
        put_row(l, json, of, names, (l->seen - 1 - k) % l->n);
    json_close(json, ']');
}

void last_rows_end(LastRows *l)
{
    anb_explainer_free(l->explainer);
    free(l->x);
    *l = (LastRows){0};
}
