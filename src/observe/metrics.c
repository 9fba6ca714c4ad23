/* The registry of metrics, as rows. */
#include <anabranch/metrics.h>
#include <string.h>

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
    for (int i = 0; i < ANB_METRIC_COUNT; i++)
        if (strlen(registry[i].name) == n && memcmp(registry[i].name, name, n) == 0)
            return i;
    return ANB_E_UNKNOWN;
}
