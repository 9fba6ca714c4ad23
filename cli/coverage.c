#include "coverage.h"
#include "show.h"
#include <math.h>

void coverage_start(Coverage *coverage, const StreamingLearner *model)
{
    Ranges ranges = ranges_of(model);
    *coverage = (Coverage){.n = ranges.n};
    for (size_t i = 0; i < coverage->n; i++)
        coverage->level[i] = (CoverageLevel){.range = ranges.range[i], .least = ANB_NAN, .most = ANB_NAN};
}

static void add_to_level(CoverageLevel *level, double low, double high, double y)
{
    bool inside = y >= low && y <= high;
    level->held += inside;
    level->window_held += inside;
    if (isfinite(high - low)) {
        level->width += high - low;
        level->finite++;
    }
}

/* The first window is not counted, since the intervals still adapt their width. */
static void end_window(Coverage *coverage)
{
    coverage->windows++;
    for (size_t i = 0; i < coverage->n; i++) {
        CoverageLevel *level = &coverage->level[i];
        double share = (double)level->window_held / COVERAGE_WINDOW;
        level->window_held = 0;
        if (coverage->windows == 1)
            continue;
        level->least = share < level->least || isnan(level->least) ? share : level->least;
        level->most = share > level->most || isnan(level->most) ? share : level->most;
    }
}

void coverage_add(Coverage *coverage, StreamingLearner *model, const double *x, double y)
{
    for (size_t i = 0; i < coverage->n; i++) {
        double low, high;
        if (range_predict(&coverage->level[i].range, model, x, &low, &high))
            return;
        add_to_level(&coverage->level[i], low, high, y);
    }
    if (coverage->n > 0 && ++coverage->samples % COVERAGE_WINDOW == 0)
        end_window(coverage);
}

static double share(const Coverage *coverage, const CoverageLevel *level)
{
    return coverage->samples > 0 ? (double)level->held / (double)coverage->samples : ANB_NAN;
}

static double mean_width(const CoverageLevel *level)
{
    return level->finite > 0 ? level->width / (double)level->finite : ANB_NAN;
}

/* A share in percent; `-` where there are too few rows to say. */
static const char *percent(double share, char out[SHOW_SIZE])
{
    snprintf(out, SHOW_SIZE, isnan(share) ? "-" : "%.1f%%", 100 * share);
    return out;
}

void coverage_print(const Coverage *coverage, FILE *file)
{
    char width[SHOW_SIZE], all[SHOW_SIZE], least[SHOW_SIZE], most[SHOW_SIZE];
    if (coverage->n == 0)
        return;
    fprintf(file, "\n%-20s %10s %14s %14s %14s\n", "interval", "coverage", "least of 2,000", "most of 2,000",
            "mean width");
    for (size_t i = 0; i < coverage->n; i++) {
        const CoverageLevel *level = &coverage->level[i];
        fprintf(file, "%-20.4g %10s %14s %14s %14s\n", level->range.coverage, percent(share(coverage, level), all),
                percent(level->least, least), percent(level->most, most), show_number(mean_width(level), width));
    }
}

void coverage_print_json(const Coverage *coverage, Json *json)
{
    if (coverage->n == 0)
        return;
    json_open(json, "intervals", '[');
    for (size_t i = 0; i < coverage->n; i++) {
        const CoverageLevel *level = &coverage->level[i];
        json_open(json, NULL, '{');
        json_number(json, "level", level->range.coverage);
        json_number(json, "coverage", share(coverage, level));
        json_number(json, "least_of_2000", level->least);
        json_number(json, "most_of_2000", level->most);
        json_number(json, "mean_width", mean_width(level));
        json_close(json, '}');
    }
    json_close(json, ']');
}
