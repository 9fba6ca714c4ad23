#include "range.h"
#include <math.h>
#include <stdio.h>

/* 0.8 and 0.9 - 0.1 are not the same number. */
static const double NEAR = 1e-9;

static void add_pairs(Ranges *ranges, const double *level, size_t n)
{
    for (size_t i = 0, j = n - 1; n > 0 && i < j;) {
        double beyond = level[i] - (1 - level[j]);
        if (fabs(beyond) < NEAR)
            ranges->range[ranges->n++] = (Range){1 - 2 * level[i], true, i, j};
        i += beyond < NEAR;
        j -= beyond > -NEAR;
    }
}

Ranges ranges_of(const StreamingLearner *model)
{
    Ranges ranges = {0};
    const double *level;
    ranges.n = anb_interval_levels(model, &level);
    for (size_t i = 0; i < ranges.n; i++)
        ranges.range[i] = (Range){.coverage = level[i]};
    if (ranges.n > 0)
        return ranges;
    size_t n = anb_quantile_levels(model, &level);
    add_pairs(&ranges, level, n);
    return ranges;
}

const Range *ranges_find(const Ranges *ranges, double coverage)
{
    for (size_t i = 0; i < ranges->n; i++)
        if (fabs(ranges->range[i].coverage - coverage) < NEAR)
            return &ranges->range[i];
    return NULL;
}

const char *ranges_text(const Ranges *ranges, char *text, size_t size)
{
    size_t used = 0;
    *text = 0;
    for (size_t i = 0; i < ranges->n && used + 24 < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%g", i ? ", " : "", ranges->range[i].coverage);
    return text;
}

int range_predict(const Range *range, StreamingLearner *model, const double *x, double *low, double *high)
{
    double value[ANB_LEVELS_MAX];
    if (!range->of_quantiles)
        return anb_predict_interval(model, x, range->coverage, low, high);
    int code = anb_predict_quantiles(model, x, value);
    *low = code ? ANB_NAN : value[range->low];
    *high = code ? ANB_NAN : value[range->high];
    return code;
}
