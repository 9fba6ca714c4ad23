/*
 * What a sample's weight is relative to: the running mean of the weights seen, so that a constant factor on all weights
 * changes no step.
 *
 *     m <- m + a (min(w, 16 m) - m)     a = max(2 / (n + 1), 1/500)     out = w / m, at most 1000
 *
 * Equal weights give exactly 1, whatever they are. The first weights are forgotten soon, and one large weight moves the
 * mean no further than sixteen ordinary ones.
 */
#ifndef ANB_NUMERIC_WEIGHT_UNIT_H
#define ANB_NUMERIC_WEIGHT_UNIT_H

#include "fields.h"

typedef struct AnbWeightUnit {
    double mean, seen; /* m, n; 0 before the first weight */
} AnbWeightUnit;

extern const AnbField anb_weight_unit_fields[];

/* Learns a weight that is the mean. */
static inline void anb_weight_repeated(AnbWeightUnit *unit)
{
    unit->seen += unit->seen < 0x1p53;
}

/* Learns a weight > 0 and returns it in units of the mean. */
static inline double anb_weight_relative(AnbWeightUnit *unit, double weight)
{
    const double most = 16, slowest = 1. / 500, cap = 1000;
    if (weight == unit->mean) { /* the same without the divisions */
        anb_weight_repeated(unit);
        return 1;
    }
    double bounded = unit->seen > 0 && weight > most * unit->mean ? most * unit->mean : weight;
    unit->seen += unit->seen < 0x1p53;
    double share = 2 / (unit->seen + 1);
    unit->mean += (share > slowest ? share : slowest) * (bounded - unit->mean);
    if (!(unit->mean > 0)) /* weights below what doubles can average */
        unit->mean = weight;
    return weight < cap * unit->mean ? weight / unit->mean : cap;
}

#endif
