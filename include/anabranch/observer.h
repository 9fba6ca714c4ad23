/*
 * Observers: objects beside a model that are called after each sample. Diagnostics, the expert pool, the audit and the
 * score are observers, and so is any struct of the caller's that starts with an AnbObserver. All are called in the same
 * way, in any order:
 *
 *     AnbDiagnostics *d = anb_diagnostics_new(model, NULL, NULL);
 *     AnbAudit *audit = anb_audit_new(model, NULL, NULL, NULL, NULL);
 *     AnbObserver *observers[] = {anb_diagnostics_observer(d), anb_audit_observer(audit), &mine.base};
 *     double before = anb_train_one(model, x, y, 1);
 *     for (size_t i = 0; i < 3; i++)
 *         anb_observe(observers[i], model, x, y, before);
 *
 * An observer is not part of the model's state or of snapshots. A model without one has no cost.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_OBSERVER_H
#define ANABRANCH_OBSERVER_H

#include <anabranch/types.h>
#include <math.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct AnbObserver AnbObserver;
struct AnbObserver {
    /* Called with each sample; parameters as anb_observe. */
    void (*observe)(AnbObserver *self, StreamingLearner *model, const double *x, double y, double before);
};

/**
 * Passes a sample to an observer, after the model's call for it. The observers of the library skip samples that were
 * rejected or changed nothing. They also skip a sample that they have observed already, so an observer may pass samples
 * on to another one.
 *
 * @param observer  the library's (anb_diagnostics_observer ...) or the caller's own
 * @param model     the model, right after its train_one; NULL for a score
 * @param x         the row, n_features values; NULL: metrics that need the row are not measured
 * @param y         the target
 * @param before    what train_one returned
 */
static inline void anb_observe(AnbObserver *observer, StreamingLearner *model, const double *x, double y, double before)
{
    observer->observe(observer, model, x, y, before);
}

/**
 * Tells an observer that its model was reset (anb_reset): the model's count of samples starts at 0 again. Without this
 * call the library's observers may take the next sample for one that they have observed. What they have measured stays.
 * An observer of the caller's own is called with x NULL, and with y and before ANB_NAN. Since 0.14.
 *
 * @param observer  the library's or the caller's own
 * @param model     the model, right after anb_reset
 */
static inline void anb_observe_reset(AnbObserver *observer, StreamingLearner *model)
{
    anb_observe(observer, model, NULL, (double)NAN, (double)NAN);
}

#ifdef __cplusplus
}
#endif
#endif
