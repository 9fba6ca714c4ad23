#include "evidence.h"
#include "cli.h"
#include <math.h>

int evidence_start(Evidence *e, const StreamingLearner *model, size_t rows)
{
    const double *level;
    size_t n = anb_interval_levels(model, &level);
    *e = (Evidence){0};
    for (size_t i = 1; i < n; i++)
        if (fabs(level[i] - .9) < fabs(level[e->level] - .9))
            e->level = i;
    if (!missing_start(&e->missing, anb_n_features(model)))
        return complain(BAD_DATA, "out of memory");
    return last_rows_start(&e->last, model, rows);
}

static double interval_end(AnbDiagnostics *d, AnbMetricId id, size_t level)
{
    size_t n;
    const double *value = anb_diagnostics_values(d, id, &n);
    return level < n ? value[level] : ANB_NAN;
}

void evidence_add(Evidence *e, AnbDiagnostics *d, const double *x, double y, double prediction, uint64_t row)
{
    residuals_add(&e->residuals, y - prediction);
    if (!x || isnan(prediction))
        return;
    missing_add(&e->missing, x, row);
    LastRow late = {row, y, prediction, interval_end(d, ANB_METRIC_INTERVAL_LOW, e->level),
                    interval_end(d, ANB_METRIC_INTERVAL_HIGH, e->level)};
    last_rows_add(&e->last, x, &late);
}

void evidence_json(const Evidence *e, Json *json, const Categories *of, const char *const *names)
{
    const double *level;
    size_t n = anb_interval_levels(of->model, &level);
    json_open(json, "levels", '[');
    for (size_t i = 0; i < n; i++)
        json_number(json, NULL, level[i]);
    json_close(json, ']');
    json_count(json, "level", e->level);
    residuals_json(&e->residuals, json);
    missing_json(&e->missing, json, names);
    last_rows_json(&e->last, json, of, names);
}

void evidence_end(Evidence *e)
{
    missing_end(&e->missing);
    last_rows_end(&e->last);
}
