/* The registry of metrics, as rows. */
#include "src/text/words.h"
#include <anabranch/metrics.h>

static const AnbMetric registry[] = {
#define ROW(id, name, type, shape, unit, meaning) {name, type, shape, unit, meaning},
    ANB_METRICS(ROW)
#undef ROW
};

const AnbMetric *anb_metrics(void)
{
    return registry;
}

int anb_metric_find(const char *name, size_t n)
{
    if (!name)
        return ANB_E_ARGUMENT;
    for (int i = 0; i < ANB_METRIC_COUNT; i++)
        if (anb_same_word(registry[i].name, name, n))
            return i;
    return ANB_E_UNKNOWN;
}
