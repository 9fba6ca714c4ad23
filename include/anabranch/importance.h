/*
 * Importances that follow the stream: how much worse a model's predictions get where a column tells it nothing, and
 * whether a column has changed.
 *
 *     AnbImportance *importance = anb_importance_new(model, NULL, &error);
 *     double before = anb_train_one(model, x, y, 1);   // for each sample
 *     anb_observe(anb_importance_observer(importance), model, x, y, before);
 *     double by = anb_importance_value(importance, 0);
 *     anb_importance_free(importance);
 *
 * Incremental permutation importance: for each row the cell of one column after the other is replaced by that of an
 * earlier row, drawn at random; the importance is the faded mean of (y - f(replaced))^2 - (y - f(x))^2, both asked after
 * the row was learned. Of a column without use it is 0 in the mean, and may be slightly negative. What is said of
 * correlated columns in anb_explain holds here as well.
 *
 * Since 0.1: everything that does not say otherwise.
 *
 * Sources: Fumagalli, Muschalik, Huellermeier & Hammer 2023; Bifet & Gavalda 2007 (changes).
 */
#ifndef ANABRANCH_IMPORTANCE_H
#define ANABRANCH_IMPORTANCE_H

#include <anabranch/learner.h>
#include <anabranch/observer.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An observer beside a model. */
typedef struct AnbImportance AnbImportance;

/** Starts from anb_importance_defaults(). */
typedef struct AnbImportanceOptions {
    size_t size; /* of this struct; set by the defaults */
    double span; /* 1000; samples of the faded means; an eighth of it is how long an earlier row stays; at least 100 */
    uint64_t seed; /* 1 */
} AnbImportanceOptions;

/** Fills the first `size` bytes of the defaults: what anb_importance_defaults calls. */
ANB_API void anb_importance_options_init(AnbImportanceOptions *options, size_t size);
/** The defaults above. */
static inline AnbImportanceOptions anb_importance_defaults(void)
{
    AnbImportanceOptions options;
    anb_importance_options_init(&options, sizeof options);
    return options;
}

/**
 * Makes an observer that has seen nothing.
 *
 * @param model    the model that will be observed, or any clone of it
 * @param options  NULL: the defaults
 * @param error    why it was refused, or NULL: ANB_E_ARGUMENT names the option, ANB_E_MEMORY
 * @return         the observer, owned by the caller (anb_importance_free), or NULL
 *
 * Memory: some 8 KB a feature and a reader's scratch; from the model's allocator.
 */
ANB_API AnbImportance *anb_importance_new(const StreamingLearner *model, const AnbImportanceOptions *options,
                                          AnbError *error);
/** Before or after its model. NULL is fine. */
ANB_API void anb_importance_free(AnbImportance *importance);

/** The observer to feed, owned by the object. Cost: n_features + 1 predictions a sample. Never allocates. */
ANB_API AnbObserver *anb_importance_observer(AnbImportance *importance);

/** What squared errors grow by without feature j < n_features, in units of the target squared; 0 before anything is
 * known. */
ANB_API double anb_importance_value(const AnbImportance *importance, size_t j);

/** Samples since the distribution of feature j last changed, by ADWIN on the feature's rank among 64 earlier cells: it
 * sees shifts, not changes of the spread about the same middle. UINT64_MAX: no change so far. */
ANB_API uint64_t anb_importance_changed(const AnbImportance *importance, size_t j);

#ifdef __cplusplus
}
#endif
#endif
