/* Internals of importances: importance.c keeps rows and replaces single columns, importance_sage.c predicts coalitions
 * of columns. */
#ifndef ANB_OBSERVE_IMPORTANCE_H
#define ANB_OBSERVE_IMPORTANCE_H

#include "explain.h"
#include "src/numeric/adwin.h"
#include "src/numeric/error_scale.h"
#include <anabranch/importance.h>

enum { ANB_WATCHED_CELLS = 64, ANB_SAGE_ROWS = 64 };

/* The data of a feature: its importances, and the cells of a reference period, among which ranks are taken until the
 * feature changes. */
typedef struct AnbWatchedFeature {
    double mean, sage;
    double cell[ANB_WATCHED_CELLS];
    uint64_t n, changed; /* cells; the sample of the last change, 0: none */
    AnbAdwin window;
} AnbWatchedFeature;

struct AnbImportance {
    AnbObserver base;
    AnbAllocator allocator;
    AnbImportanceOptions options;
    AnbReader *reader;
    size_t bytes; /* of all of it */
    uint64_t observed, samples;
    double keep, weight;                       /* of the faded means: of a row that is measured to the next */
    double mean_prediction, prediction_weight; /* the faded mean of the predictions, for SAGE */
    AnbErrorScale scale;                       /* of the errors, which bounds the effect of a wrong target */
    AnbKept kept;
    AnbWatchedFeature *watched; /* d */
    double *mixed;              /* anb_mixed_rows rows of d, which are predicted at once */
    double *gain;               /* d */
    uint32_t *order;            /* d */
    uint32_t drawn[ANB_SAGE_ROWS];
};

static inline size_t anb_mixed_rows(const AnbImportanceOptions *o)
{
    return o->sage_rows > ANB_ROWS ? (size_t)o->sage_rows : (size_t)ANB_ROWS;
}

/* Adds one row's SAGE values to the faded means, with the present m->weight; `prediction` is that for x. */
void anb_importance_walk(AnbImportance *m, const StreamingLearner *model, const double *x, double y, double prediction);

#endif
