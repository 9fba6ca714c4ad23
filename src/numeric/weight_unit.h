/*
 * Sample weights in units of their running mean, so that multiplying all weights by a constant changes no learning
 * step.
 *
 *     m <- m + a (min(w, 16 m) - m)     a = max(2 / (n + 1), 1/500)     out = w / m, at most 1000
 *
 * w: the weight; n: weights so far. Equal weights give exactly 1, whatever their value. The first weights lose their
 * influence soon, and a large weight counts in the mean as at most sixteen times the mean.
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
