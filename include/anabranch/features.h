/*
 * Names of the features inside a model, and a model's statistics of the categories in its columns.
 *
 *     char name[ANB_FEATURE_NAME];
 *     anb_feature_name(model, "auto_0/scale_0", 4, NULL, name, sizeof name);   // such as carrier=effect
 *     AnbCategoryEffect top[10];
 *     size_t n = anb_frequent_categories(model, 1, top, 10);                   // of column 1
 *     for (size_t i = 0; i < n; i++)
 *         printf("%g: %g in the mean\n", top[i].cell, top[i].mean);   // anb_category_name has its text
 *
 * A category is a number inside the library (anb_category). Its text is kept beside a model by an AnbCategoryNames, in
 * bounded memory, and never in the model's state.
 *
 * Since 0.3: everything.
 */
#ifndef ANABRANCH_FEATURES_H
#define ANABRANCH_FEATURES_H

#include <anabranch/capability.h>
#include <anabranch/learner.h>
#include <anabranch/schema.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { ANB_FEATURE_NAME = 128, ANB_CATEGORY_NAME = 56 };

/* ---- features ---------------------------------------------------------------------------------------------------- */

/**
 * Names a feature as a learner inside the model sees it: `distance` as it came, `when=hour-sine` and
 * `carrier=effect` behind `columns`, `distance*temp` and `temp^2` below `poly`, `wave 3` below `rff`.
 *
 * @param model    any model
 * @param path     the labels from below the root to the learner, with slashes between (anb_mixture_at); "": the root
 * @param i        which feature of the rows that it sees
 * @param columns  n_features names of the model's columns; NULL: those of its schema, else x1, x2 ...
 * @param out      size bytes; a longer name is cut; ends with 0
 * @return         bytes of the whole name, without the final 0; ANB_E_UNKNOWN where there is no learner at the path or
 *                 the learner sees no such feature
 *
 * Cost: that of following the path up. Never allocates.
 */
ANB_API ptrdiff_t anb_feature_name(const StreamingLearner *model, const char *path, size_t i,
                                   const char *const *columns, char *out, size_t size);

/** How many features the learner at a path sees; 0 where there is no learner at the path. */
ANB_API size_t anb_feature_count(const StreamingLearner *model, const char *path);

/* ---- categories -------------------------------------------------------------------------------------------------- */

/**
 * The most frequent categories of a column, from the first learner in the model that has such statistics
 * (AnbCategoryTable, as `columns`) and sees rows as wide as the model's. The categories of a time column are the hours
 * of the week, from 0 for Monday, 00:00 to 01:00.
 *
 * @param model   any model
 * @param column  index of the column
 * @param out     n entries, the most frequent first
 * @param n       how many at most
 * @return        how many were written; 0 where there are no statistics of the column
 *
 * Cost: the column's dictionary is read once, n comparisons at most for each entry. Never allocates.
 */
ANB_API size_t anb_frequent_categories(const StreamingLearner *model, size_t column, AnbCategoryEffect *out, size_t n);

/** The texts of categories, collected from cells. Memory: 8,192 bytes for each column of categories or codes. */
typedef struct AnbCategoryNames AnbCategoryNames;

/**
 * Makes an empty store of category names.
 *
 * @param schema  which columns hold categories; a reference of it is kept
 * @param error   why it failed, or NULL: ANB_E_MEMORY
 * @return        the store, owned by the caller (anb_category_names_free), or NULL
 *
 * It holds up to 128 texts a column, the most frequent ones, and of each up to ANB_CATEGORY_NAME - 1 bytes.
 */
ANB_API AnbCategoryNames *anb_category_names_new(const AnbSchema *schema, AnbError *error);
/** NULL is fine. */
ANB_API void anb_category_names_free(AnbCategoryNames *names);

/**
 * Stores the text of a cell's category.
 *
 * @param names   the store
 * @param column  index of the column; cells of columns without categories are ignored
 * @param text    the cell, n bytes
 * @param cell    the double that anb_schema_cell made of it
 *
 * Cost: some 10 ns. Never allocates.
 */
ANB_API void anb_category_names_keep(AnbCategoryNames *names, size_t column, const char *text, size_t n, double cell);

/**
 * The text of a category: the stored text; for a number the number itself, for an hour of the week `Mon 17:00`, for a
 * missing cell `(missing)`, and for a category whose text is not stored `(not known)`.
 *
 * @param names   the store
 * @param column  index of the column
 * @param cell    the category's double, as AnbCategoryEffect has it
 * @param out     ANB_CATEGORY_NAME bytes
 * @return        out
 */
ANB_API const char *anb_category_name(const AnbCategoryNames *names, size_t column, double cell, char *out);

#ifdef __cplusplus
}
#endif
#endif
