/*
 * Internals of the diagnostics: sums over samples (diagnostics.c), metrics derived from them when read
 * (diagnostics_derive.c, _intervals.c, _features.c), and the text formats (metrics_text.c).
 */
#ifndef ANB_OBSERVE_DIAGNOSTICS_H
#define ANB_OBSERVE_DIAGNOSTICS_H

#include "src/host/model.h"
#include <anabranch/diagnostics.h>
#include <anabranch/importance.h>
#include <anabranch/interval.h>
#include <anabranch/moe.h>
#include <anabranch/reach.h>

/* Sums for the model and the mixture as a whole. */
typedef struct AnbOwn {
    uint64_t samples;            /* observed */
    double keep, weight, oldest; /* the fade's factor, its weight, the first sample's share of it */
    double target, prediction, before_mean, before_last;
    double mean, last;                       /* of the targets so far */
    double mse, mae, mean_mse, last_mse;     /* faded */
    double sum, mean_sum, last_sum;          /* of squared errors */
    double confidence, margin, switching, z; /* faded */
    size_t top;                              /* the row's expert */
} AnbOwn;

/* Sums for an expert. */
typedef struct AnbWatched {
    double load, first, mass, share; /* faded over all samples */
    double weight, mse;              /* faded over the samples it was active in */
    uint64_t age;
} AnbWatched;

/* Sums for the intervals of one coverage. */
typedef struct AnbBounded {
    double low, high;           /* of the row */
    uint64_t inside;            /* targets */
    double weight, coverage;    /* faded over all samples */
    double width_weight, width; /* faded over the finite ones */
} AnbBounded;

struct AnbDiagnostics {
    AnbObserver base;
    AnbDiagnosticsOptions options;
    AnbAllocator allocator;
    size_t k; /* experts; 0: no mixture */
    double log_k;
    AnbCounters counters;
    AnbMixture mixture; /* of the last sample learned; its arrays are not for later */
    AnbOwn own;
    AnbWatched *watched; /* [k] */
    double *together;    /* [k * k] samples in which both were active; NULL: not counted */
    double state_bytes;
    bool drift, logits; /* the gate is over logits */
    double waiting;     /* pending rows, as of the last sample */
    unsigned derived;   /* a bit for each AnbMetricShape whose values are up to date */
    AnbExpertPool *pool;
    size_t n_levels, n_features; /* of intervals; of metrics of features: 0 without importances */
    double *level;               /* [n_levels] */
    AnbBounded *bounded;         /* [n_levels] */
    AnbImportance *importance;   /* or NULL */
    char **names;                /* [n_features], or NULL */
    double *values; /* of all metrics, one after the other; those copied from the view are filled in update */
    size_t offset[ANB_METRIC_COUNT + 1];
};

/* Clips a number so that 2^64 squares of it have a finite sum: one infinite error must not spoil later sums. */
static inline double anb_summable(double v)
{
    return v > 1e144 ? 1e144 : v < -1e144 ? -1e144 : v;
}

/* Fills the `values` of one shape. */
void anb_diagnostics_derive(AnbDiagnostics *d, AnbMetricShape shape);

/* The registry's first metrics, from the counters to state_bytes. */
void anb_derive_counters(const AnbCounters *c, double state_bytes, double *out);

/* diagnostics_intervals.c: a sample, right after it was learned; and the values of ANB_OF_LEVEL. */
void anb_watch_intervals(AnbDiagnostics *d, const StreamingLearner *model, double y);
void anb_derive_intervals(AnbDiagnostics *d);

/* diagnostics_features.c: d->names, for d->n_features; 0 or ANB_E_MEMORY. And the values of ANB_OF_FEATURE. */
int anb_feature_names_keep(AnbDiagnostics *d, const StreamingLearner *model, AnbError *error);
void anb_derive_features(AnbDiagnostics *d);

/* Observes a sample that is known to have been learned, with the view of the mixture in hand; once a sample. */
void anb_expert_pool_add(AnbExpertPool *pool, StreamingLearner *model, const AnbMixture *m, const double *x);

#endif
