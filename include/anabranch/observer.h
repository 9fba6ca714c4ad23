/*
 * Observers: what watches a model from beside it. Diagnostics, the expert pool, the audit and the score are observers, and
 * so is anything of the caller's that starts with an AnbObserver. All are fed alike, in any order, after each sample:
 *
 *     AnbDiagnostics *d = anb_diagnostics_new(model, NULL, NULL);
 *     AnbAudit *audit = anb_audit_new(model, NULL, NULL, NULL, NULL);
 *     AnbObserver *observers[] = {anb_diagnostics_observer(d), anb_audit_observer(audit), &mine.base};
 *     double before = anb_train_one(model, x, y, 1);
 *     for (size_t i = 0; i < 3; i++)
 *         anb_observe(observers[i], model, x, y, before);
 *
 * An observer is never in the model's block or in a snapshot; a model without one pays nothing.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_OBSERVER_H
#define ANABRANCH_OBSERVER_H

#include <anabranch/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct AnbObserver AnbObserver;
struct AnbObserver {
    /* Is told of one sample, as anb_observe. */
    void (*observe)(AnbObserver *self, StreamingLearner *model, const double *x, double y, double before);
};

/**
 * Tells an observer of a sample that the model has just been shown. Those of the library pass over a sample that was
 * rejected or learned nothing, and one that they were told of already, so that an observer may feed another that it reads.
 *
 * @param observer  the library's (anb_diagnostics_observer ...) or the caller's own
 * @param model     the model, right after its train_one; NULL for a score
 * @param x         the row, n_features values; NULL: what needs it is not measured
 * @param y         the target
 * @param before    what train_one returned
 */
static inline void anb_observe(AnbObserver *observer, StreamingLearner *model, const double *x, double y, double before)
{
    observer->observe(observer, model, x, y, before);
}

#ifdef __cplusplus
}
#endif
#endif
