/*
 * Superposition: how experts that hold a feature-by-hidden weight matrix share their hidden units among the features.
 *
 * It takes an array of matrices of one shape, one an expert, or the networks of a mixture. W_i is row i of a matrix,
 * What_i = W_i / |W_i|. For a row of zeros all values below are 0. No value is NaN for finite weights.
 *
 *     double first[6] = {1, 0, 0, 1, 0.5, 0.5}, second[6] = {0, 1, 1, 0, 0, 0};   // 3 features by 2 hidden units
 *     AnbMatrix w[] = {{3, 2, 2, first}, {3, 2, 2, second}};
 *     AnbSuperposition *s = anb_superposition_new(2, w, NULL);
 *     double d = anb_superposition_dimensionality(s, 0)[2];   // of the first expert's feature 2
 *     anb_superposition_free(s);
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_SUPERPOSITION_H
#define ANABRANCH_SUPERPOSITION_H

#include <anabranch/learner.h>
#include <anabranch/learners.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An analysis of matrices, as of the time when it was made. */
typedef struct AnbSuperposition AnbSuperposition;

/**
 * Analyses matrices.
 *
 * @param n_experts  1 or more
 * @param matrices   n_experts of them, `rows` features by `columns` hidden units, all of one shape; read during the
 *                   call only
 * @param error      why it was refused, or NULL
 * @return           the analysis, owned by the caller (anb_superposition_free), or NULL: ANB_E_ARGUMENT where the
 *                   shapes differ, ANB_E_INPUT where a weight is not finite, ANB_E_LIMIT beyond 16,384 features or
 *                   1,048,576 hidden units, ANB_E_MEMORY
 *
 * Cost: for each expert features^2 * hidden / 2 multiply-adds, and memory for two features-by-features matrices.
 */
ANB_API AnbSuperposition *anb_superposition_new(size_t n_experts, const AnbMatrix *matrices, AnbError *error);

/**
 * Analyses the experts of a model's first mixture that are networks (AnbNetworkTable) with the shape of the first one;
 * of a model without a mixture the network itself.
 *
 * @return  as anb_superposition_new; ANB_E_UNSUPPORTED where there is no network
 */
ANB_API AnbSuperposition *anb_superposition_of_model(const StreamingLearner *model, AnbError *error);

/** NULL is fine. */
ANB_API void anb_superposition_free(AnbSuperposition *s);

/** Matrices analysed; features and hidden units of each. */
ANB_API size_t anb_superposition_experts(const AnbSuperposition *s);
ANB_API size_t anb_superposition_features(const AnbSuperposition *s);
/** The name of feature i of expert e's network (anb_feature_name), for an analysis of a model. Returns as
 * anb_feature_name; ANB_E_UNKNOWN where there is no such network. Since 0.3. */
ANB_API ptrdiff_t anb_superposition_feature_name(const AnbSuperposition *s, const StreamingLearner *model, size_t e,
                                                 size_t i, const char *const *columns, char *out, size_t size);
ANB_API size_t anb_superposition_hidden(const AnbSuperposition *s);
/** The index in the mixture of the expert of entry e; e itself for plain matrices. */
ANB_API size_t anb_superposition_expert(const AnbSuperposition *s, size_t e);

/* ---- of expert e; `features` values each, owned by s ------------------------------------------------------------- */

/** |W_i|. */
ANB_API const double *anb_superposition_norms(const AnbSuperposition *s, size_t e);
/** D_i = |W_i|^2 / sum_j (What_i . W_j)^2: 1 for a feature with a direction of its own, 1/2 for two that share one. */
ANB_API const double *anb_superposition_dimensionality(const AnbSuperposition *s, size_t e);
/** S_i = |W_i|^2 / the sum of |W_i|^2 over the experts; 0/0 is 0. */
ANB_API const double *anb_superposition_specialization(const AnbSuperposition *s, size_t e);
/** The Euclidean norm of the feature's interferences. */
ANB_API const double *anb_superposition_polysemanticity(const AnbSuperposition *s, size_t e);
/** What_i . W_j in row i, column j; 0 on the diagonal. features x features. */
ANB_API const double *anb_superposition_interference(const AnbSuperposition *s, size_t e);
/** W W^T. features x features. */
ANB_API const double *anb_superposition_gram(const AnbSuperposition *s, size_t e);

/** sum_j presence_j interference_ij^2; presence_j is the probability that feature j is not 0, NULL: 1 for all. */
ANB_API void anb_superposition_net_interference(const AnbSuperposition *s, size_t e, const double *presence,
                                                double *out);

/** Writes the n features of expert e with the smallest polysemanticity among those with weights that are not all 0,
 * ascending, equal ones by index. Returns how many were written. */
ANB_API size_t anb_superposition_monosemantic(const AnbSuperposition *s, size_t e, size_t *feature, size_t n);

/* ---- over all experts -------------------------------------------------------------------------------------------- */

/** sum_e usage_e D_i^e; usage_e is the share of samples whose first expert is e. `features` values out. */
ANB_API void anb_superposition_global_by_usage(const AnbSuperposition *s, const double *usage, double *out);
/** sum_e S_i^e D_i^e. */
ANB_API void anb_superposition_global(const AnbSuperposition *s, double *out);
/** How many of n values are larger than 0.05; of a global dimensionality: how many features are represented. */
ANB_API size_t anb_superposition_represented(const double *global, size_t n);

#ifdef __cplusplus
}
#endif
#endif
