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
 * Incremental permutation importance (anb_importance_value): for each row the cell of one column after the other is replaced by that of an
 * earlier row, drawn at random; the importance is the faded mean of (y - f(replaced))^2 - (y - f(x))^2, both asked after
 * the row was learned. Of a column without use it is 0 in the mean, and may be slightly negative. What is said of
 * correlated columns in anb_explain holds here as well.
 *
 * Incremental SAGE (anb_importance_sage), where options say sage_rows: what the columns together take off the squared error of the
 * mean prediction, shared among them as Shapley values: columns are added in a random order to rows of the stream, and
 * each gets what the error falls by. Of two columns that say the same each gets about half, where permutation gives each
 * little or all. The values sum to the whole; one below 0
 * is of a column that makes the model's errors larger.
 *
 * A target far off what was predicted, by more than 20 times the running scale of the errors, counts as one at that bound.
 *
 * Since 0.1: everything that does not say otherwise.
 *
 * Sources: Fumagalli, Muschalik, Huellermeier & Hammer 2023 (permutation); Covert, Lundberg & Lee 2020, Muschalik, Fumagalli,
 * Hammer & Huellermeier 2023 (SAGE); Bifet & Gavalda 2007 (changes).
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
    int every;     /* 1; a row is measured every so many samples; changes of features are looked for in all of them */
    int sage_rows; /* 0; earlier rows that a coalition of columns is asked with; 0: no SAGE, else 2 to 64; since 0.3 */
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

/** Forgets all it has seen; the model is not touched. Since 0.3. */
ANB_API void anb_importance_reset(AnbImportance *importance);

/** Its memory, a reader's scratch included. Since 0.3. */
ANB_API size_t anb_importance_bytes(const AnbImportance *importance);

/** The observer to feed, owned by the object. Cost: n_features + 1 predictions for a row that is measured, and with SAGE
 * 2 sage_rows (n_features - 1) more. Never allocates. */
ANB_API AnbObserver *anb_importance_observer(AnbImportance *importance);

/** What squared errors grow by without feature j < n_features, in units of the target squared; 0 before anything is
 * known. */
ANB_API double anb_importance_value(const AnbImportance *importance, size_t j);

/** What feature j < n_features takes off squared errors, its share of what all features take off together (SAGE), in units of
 * the target squared; 0 before anything is known; ANB_NAN without sage_rows. Since 0.3. */
ANB_API double anb_importance_sage(const AnbImportance *importance, size_t j);

/** Samples since the distribution of feature j last changed, by ADWIN on the feature's rank among 64 earlier cells: it
 * sees shifts, not changes of the spread about the same middle. UINT64_MAX: no change so far. */
ANB_API uint64_t anb_importance_changed(const AnbImportance *importance, size_t j);

#ifdef __cplusplus
}
#endif
#endif
