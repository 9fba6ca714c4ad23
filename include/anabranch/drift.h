/*
 * Drift: detects that a stream has changed, and adapts the model.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_DRIFT_H
#define ANABRANCH_DRIFT_H

#include <anabranch/learner.h>
#include <anabranch/type.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The values of `detector` and of `action`. */
typedef enum AnbDriftDetector { ANB_DRIFT_ADWIN, ANB_DRIFT_PAGE_HINKLEY, ANB_DRIFT_KSWIN } AnbDriftDetector;
typedef enum AnbDriftAction { ANB_DRIFT_MARK, ANB_DRIFT_REFRESH, ANB_DRIFT_RESET } AnbDriftAction;

/**
 * drift(child, detector=adwin|page_hinkley|kswin, action=mark|refresh|reset): tests whether |y - f|, in units of its
 * running mean, has risen, and then marks a drift. `mark` only counts it. `refresh` multiplies the covariances of the
 * RLSs below by `factor`, so that they follow new samples faster. `reset` trains a fresh child, which takes the place
 * of the old one. The detector starts again after each drift. Weight class: scaled (the child as it is).
 */
typedef struct AnbDriftOptions {
    size_t size;   /* of this struct; set by the defaults */
    int detector;  /* ANB_DRIFT_ADWIN; AnbDriftDetector */
    int action;    /* ANB_DRIFT_MARK; AnbDriftAction */
    double factor; /* 100; what refresh multiplies covariances by, >= 1 */
    double delta;  /* 0.002; false alarm probability of each test of adwin and kswin, (0, 1) */
    uint64_t seed; /* 0; of the samples that kswin draws */
} AnbDriftOptions;
ANB_API extern const StreamingLearnerType anb_drift;
ANB_DEFAULTS(AnbDriftOptions, anb_drift)

/* The state of a detector, as AnbDriftTable gives it. */
struct AnbDriftView {
    uint64_t drifts;     /* marked so far */
    uint64_t since_last; /* samples since the last one, or since the start */
    double error;        /* running mean of |y - f| since the last one, in units of the target */
    uint64_t resets;     /* how often a fresh child took the place of the old one */
    bool trial;          /* whether a fresh child is being trained beside the old one now */
};

/**
 * Fills a view of the first drift detector from the root down through its wrappers.
 *
 * @return  0, or ANB_E_UNSUPPORTED where no detector runs
 */
ANB_API int anb_drift_view(const StreamingLearner *model, AnbDriftView *view);

#ifdef __cplusplus
}
#endif
#endif
