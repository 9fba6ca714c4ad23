/*
 * Feature importances that follow the stream: how much larger a model's errors are without a column, and whether the
 * distribution of a column has changed.
 *
 *     AnbImportance *importance = anb_importance_new(model, NULL, &error);
 *     double before = anb_train_one(model, x, y, 1);   // for each sample
 *     anb_observe(anb_importance_observer(importance), model, x, y, before);
 *     double growth = anb_importance_value(importance, 0);
 *     anb_importance_free(importance);
 *
 * Incremental permutation importance (anb_importance_value): in each row the cell of one column after the other is
 * replaced by that of an earlier row, drawn at random. The importance is the faded mean of
 * (y - f(replaced))^2 - (y - f(x))^2, both predicted after the row was learned. Its expectation is 0 for a column that
 * the model does not use; an estimate may be slightly negative. Rows with replaced cells may be unlike any row of the
 * stream where columns are correlated.
 *
 * Incremental SAGE (anb_importance_sage), with sage_rows > 0: the reduction of the squared error, from that of the mean
 * prediction to that of the model, is divided among the columns as Shapley values: columns are added to rows of the
 * stream in a random order, and each is credited with the reduction of the error. Of two columns with the same content
 * each gets about half, where permutation gives each little or all. The values sum to the whole reduction; a column
 * with a negative value makes the model's errors larger.
 *
 * An error of more than 20 times the running scale of the errors counts as 20 times that scale.
 *
 * Since 0.1: everything that does not say otherwise.
 *
 * Sources: Fumagalli, Muschalik, Huellermeier & Hammer 2023 (permutation); Covert, Lundberg & Lee 2020, Muschalik,
 * Fumagalli, Hammer & Huellermeier 2023 (SAGE); Bifet & Gavalda 2007 (changes).
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
    size_t size;   /* of this struct; set by the defaults */
    double span;   /* 1000; samples of the faded means, at least 100; earlier rows are kept for an eighth of it */
    uint64_t seed; /* 1; of the rows and the orders that are drawn */
    int every;     /* 1; importances are measured at every so many-th sample; changes of features are tested at all */
    int sage_rows; /* 0; earlier rows that fill the columns outside of a coalition, 2 to 64; 0: no SAGE; since 0.3 */
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
 * Makes an observer that has observed nothing yet.
 *
 * @param model    the model to observe, or any clone of it
 * @param options  NULL: the defaults
 * @param error    why it was refused, or NULL: ANB_E_ARGUMENT names the option, ANB_E_MEMORY
 * @return         the observer, owned by the caller (anb_importance_free), or NULL
 *
 * Memory: some 5 KB a feature and a reader's scratch; from the model's allocator. Observing takes as much stack as
 * anb_predict_many since 0.17, some 160 KB for `auto`.
 */
ANB_API AnbImportance *anb_importance_new(const StreamingLearner *model, const AnbImportanceOptions *options,
                                          AnbError *error);
/** Before or after its model. NULL is fine. */
ANB_API void anb_importance_free(AnbImportance *importance);

/** Starts all importances again; the model is not changed. Since 0.3. */
ANB_API void anb_importance_reset(AnbImportance *importance);

/** What it takes from the model's allocator in bytes, its reader included. Since 0.3. */
ANB_API size_t anb_importance_bytes(const AnbImportance *importance);

/** The observer to feed, owned by the object. Cost: n_features + 1 predictions for a row that is measured, and with
 * SAGE 2 sage_rows (n_features - 1) more. Never allocates. */
ANB_API AnbObserver *anb_importance_observer(AnbImportance *importance);

/** By how much squared errors grow without feature j < n_features, in units of the target squared; 0 before the first
 * row was measured. */
ANB_API double anb_importance_value(const AnbImportance *importance, size_t j);

/** By how much feature j < n_features reduces squared errors: its share of the reduction by all features (SAGE), in
 * units of the target squared; 0 before the first row was measured; ANB_NAN without sage_rows. Since 0.3. */
ANB_API double anb_importance_sage(const AnbImportance *importance, size_t j);

/** Samples since the distribution of feature j last changed, by ADWIN on the feature's rank among 64 earlier cells. It
 * detects shifts, but no change of the spread around the same median. UINT64_MAX: no change so far. */
ANB_API uint64_t anb_importance_changed(const AnbImportance *importance, size_t j);

#ifdef __cplusplus
}
#endif
#endif
