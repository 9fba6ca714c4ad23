/*
 * Drift: noticing that a stream has changed, and doing something about it.
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

/** The words of `detector` and of `action`. */
typedef enum AnbDriftDetector { ANB_DRIFT_ADWIN, ANB_DRIFT_PAGE_HINKLEY, ANB_DRIFT_KSWIN } AnbDriftDetector;
typedef enum AnbDriftAction { ANB_DRIFT_MARK, ANB_DRIFT_REFRESH, ANB_DRIFT_RESET } AnbDriftAction;

/**
 * drift(child, detector=adwin|page_hinkley|kswin, action=mark|refresh|reset): watches |y - f| in units of its own
 * running mean, and where that has risen marks a drift; refresh makes the child's RLSs trust their past less by
 * `factor`, reset starts the child again. A detector starts over after each drift. Weight class: scaled (the child as
 * it is).
 */
typedef struct AnbDriftOptions {
    size_t size;   /* of this struct; set by the defaults */
    int detector;  /* ANB_DRIFT_ADWIN; AnbDriftDetector */
    int action;    /* ANB_DRIFT_MARK; AnbDriftAction */
    double factor; /* 100; what refresh multiplies covariances by, >= 1 */
    double delta;  /* 0.002; chance of a false alarm that adwin and kswin allow a test, (0, 1) */
    uint64_t seed; /* 0; of the samples that kswin draws */
} AnbDriftOptions;
ANB_API extern const StreamingLearnerType anb_drift;
ANB_DEFAULTS(AnbDriftOptions, anb_drift)

/* What a detector tells of itself: AnbDriftTable. */
struct AnbDriftView {
    uint64_t drifts;     /* marked so far */
    uint64_t since_last; /* samples since the last one, or since the start */
    double error;        /* running mean of |y - f| since the last one, in units of the target */
    uint64_t resets;     /* how often a fresh child took the place of the old one */
    bool trial;          /* whether a fresh child learns beside it now */
};

/**
 * Fills a view of the first drift detector in the model, where the root passes the question on.
 *
 * @return  0, or ANB_E_UNSUPPORTED where no detector runs
 */
ANB_API int anb_drift_view(const StreamingLearner *model, AnbDriftView *view);

#ifdef __cplusplus
}
#endif
#endif
