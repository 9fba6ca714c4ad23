/*
 * Ranges around predictions: the intervals of a model, or, where it has none, the symmetric pairs of its quantiles: the
 * levels 0.1 and 0.9 hold a share of 0.8.
 */
#ifndef ANB_CLI_RANGE_H
#define ANB_CLI_RANGE_H

#include <anabranch/anabranch.h>

typedef struct Range {
    double coverage;
    bool of_quantiles;
    size_t low, high; /* of quantiles: which of the levels */
} Range;

typedef struct Ranges {
    size_t n; /* 0: the model has neither */
    Range range[ANB_LEVELS_MAX];
} Ranges;

Ranges ranges_of(const StreamingLearner *model);

/* The range of a coverage, or NULL. */
const Range *ranges_find(const Ranges *ranges, double coverage);

/* The coverages that can be asked for: "0.8, 0.9". Returns text. */
const char *ranges_text(const Ranges *ranges, char *text, size_t size);

/* The range at a row: as anb_predict_interval. */
int range_predict(const Range *range, StreamingLearner *model, const double *x, double *low, double *high);

#endif
