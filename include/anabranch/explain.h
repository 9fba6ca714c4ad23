/*
 * Explanations: how much each column of a row adds to its prediction, compared with earlier rows of the stream.
 *
 *     AnbExplainer *explainer = anb_explainer_new(model, NULL, &error);
 *     double before = anb_train_one(model, x, y, 1);   // for each sample
 *     anb_observe(anb_explainer_observer(explainer), model, x, y, before);
 *     AnbExplanation why;
 *     if (anb_explain(explainer, model, x, &why) == 0)
 *         printf("%g = %g, %g of the first column, and so on\n", why.prediction, why.base, why.phi[0]);
 *     anb_explainer_free(explainer);
 *
 * The values are Shapley values of the interventional game: the value of a coalition S of columns is the mean, over the
 * kept rows b, of f(x_j for j in S, b_j elsewhere). The values and the base, the mean of f(b), sum to the prediction
 * f(x). They are computed in one of three ways:
 *
 *     exact       where every type in the model computes its own values (AnbShapleyTable): linear, rls, poly above
 *                 those, sgbt, trees (linear leaves while within their bounds), mean, last, and scale, guard, residual,
 *                 drift and a moe with router=boa around them; and no bound on a prediction can act
 *     enumerated  for a pair of rows that differ in at most four columns: all coalitions are predicted
 *     sampled     else: for each kept row some random orders of the columns, each also in reverse. With a standard
 *                 error; exact where at most two columns interact
 *
 * An explainer is used by one thread at a time; the model is only read. All numbers are the same bits on every machine.
 *
 * Since 0.1: everything that does not say otherwise.
 *
 * Sources: Lundberg & Lee 2017; Janzing, Minorics & Bloebaum 2020 (interventional); Strumbelj & Kononenko 2014
 * (sampling); Mitchell et al. 2022 (antithetic orders); Lundberg et al. 2020 (trees).
 */
#ifndef ANABRANCH_EXPLAIN_H
#define ANABRANCH_EXPLAIN_H

#include <anabranch/learner.h>
#include <anabranch/observer.h>
#include <anabranch/serve.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An observer beside a model: keeps rows of the stream, and explains predictions against them. */
typedef struct AnbExplainer AnbExplainer;

/** Starts from anb_explainer_defaults(). */
typedef struct AnbExplainerOptions {
    size_t size;      /* of this struct; set by the defaults */
    int rows;         /* 16; rows kept, 1 to 65,536 */
    int pairs;        /* 2; random orders for each kept row where values are sampled, each also in reverse; 1 to 1,024;
                         with 1 there is no standard error */
    double span;      /* 10,000; mean number of samples that a row is kept for, at least `rows`; infinity: all rows of
                         the stream are equally likely to be kept */
    uint64_t seed;    /* 1; of the kept rows and the orders */
    bool sample_only; /* false; true: AnbShapleyTable is not used */
} AnbExplainerOptions;

/** Fills the first `size` bytes of the defaults: what anb_explainer_defaults calls. */
ANB_API void anb_explainer_options_init(AnbExplainerOptions *options, size_t size);
/** The defaults above. */
static inline AnbExplainerOptions anb_explainer_defaults(void)
{
    AnbExplainerOptions options;
    anb_explainer_options_init(&options, sizeof options);
    return options;
}

/** The explanation of a prediction. The arrays belong to the explainer and are valid until its next call. */
typedef struct AnbExplanation {
    double prediction, base; /* the row's prediction; the mean of the kept rows' predictions */
    size_t n_features;
    const double *phi; /* n_features values: what each column adds, in units of the target */
    /* n_features standard errors of phi by the random orders, widened so that phi +- 2 error holds the exact value in
     * about 95 of 100 cases; 0 where exact, ANB_NAN with one pair of orders. They do not include the error from the
     * choice of the kept rows. */
    const double *error;
    bool exact;       /* whether all values are exact, up to rounding */
    size_t rows;      /* kept rows that it was compared with */
    size_t n_experts; /* of the first mixture, or 0 */
    /* n_experts values: the expert's weight in the mix times its prediction for this row, in units of the target as
     * that mixture sees it; 0 for an inactive expert. What the gate and the learners around the mixture add is not in
     * them. */
    const double *expert;
    uint64_t predictions; /* how many predictions of the model the explanation took */
} AnbExplanation;

/**
 * Makes an explainer that has kept no rows yet.
 *
 * @param model    the model to explain, or any clone of it
 * @param options  NULL: the defaults
 * @param error    why it was refused, or NULL: ANB_E_ARGUMENT names the option, ANB_E_MEMORY
 * @return         the explainer, owned by the caller (anb_explainer_free), or NULL
 *
 * Memory: (rows + 32) x n_features doubles, two readers' scratch, some arrays of n_features; from the model's
 * allocator.
 */
ANB_API AnbExplainer *anb_explainer_new(const StreamingLearner *model, const AnbExplainerOptions *options,
                                        AnbError *error);
/** Before or after its model. NULL is fine. */
ANB_API void anb_explainer_free(AnbExplainer *explainer);

/**
 * The observer to feed, owned by the explainer: it keeps rows. It skips rows that were rejected or that it has observed
 * already.
 *
 * The n-th row is kept with probability rows / min(n, span), and replaces a kept row drawn at random.
 * Cost: two random numbers, now and then a copy of the row.
 */
ANB_API AnbObserver *anb_explainer_observer(AnbExplainer *explainer);

/**
 * Keeps a row, as the observer does: for rows without a label, or from a file.
 *
 * @param x  n_features values; NaN marks a missing cell
 * @return   0; ANB_E_INPUT for an infinite cell, or a missing one where the model takes none: not kept
 */
ANB_API int anb_explainer_keep(AnbExplainer *explainer, const double *x);

/** How many rows are kept. */
ANB_API size_t anb_explainer_rows(const AnbExplainer *explainer);
/** Kept row i < anb_explainer_rows: n_features values, owned by the explainer until its next call. */
ANB_API const double *anb_explainer_row(const AnbExplainer *explainer, size_t i);

/**
 * Explains a prediction.
 *
 * @param explainer    with rows kept
 * @param model        the model that the explainer was made for, or a clone; only read: other threads may read it
 *                     meanwhile, none may train it
 * @param x            n_features values; NaN marks a missing cell
 * @param explanation  filled; the random orders follow from the seed alone, not from earlier explanations
 * @return             0; ANB_E_INPUT where the row would be rejected; ANB_E_UNSUPPORTED while no rows are kept;
 *                     ANB_E_ARGUMENT for another plan's model
 *
 * Cost: at most anb_explain_cost predictions. Exact values: rows + 1 predictions, and for each kept row about as much
 * as a prediction; for trees, a visit of the nodes that either row can reach. Never allocates. Takes as much stack as
 * anb_predict_many since 0.17, some 160 KB for `auto`.
 */
ANB_API int anb_explain(AnbExplainer *explainer, const StreamingLearner *model, const double *x,
                        AnbExplanation *explanation);

/**
 * Explains a prediction of the version that a server has published. A publication waits until the call returns.
 *
 * @param explainer    each reading thread needs its own; it keeps rows of its own, or copies those of another
 *                     (anb_explainer_take)
 * @param reader       of a server of that model (serve.h)
 * @param x            n_features values
 * @param explanation  filled
 * @return             as anb_explain
 *
 * Since 0.3.
 */
ANB_API int anb_explain_served(AnbExplainer *explainer, AnbServeReader *reader, const double *x,
                               AnbExplanation *explanation);

/**
 * Replaces the explainer's kept rows by a copy of those of another. If a server feeds the other one, call it between
 * anb_serve_hold and anb_serve_release.
 *
 * @return  0; ANB_E_ARGUMENT where the two do not have the same number of columns and of rows to keep
 *
 * Cost: a copy of the rows. Since 0.3.
 */
ANB_API int anb_explainer_take(AnbExplainer *explainer, const AnbExplainer *from);

/** The largest number of predictions that an explanation takes with the rows kept now:
 * 1 + rows (1 + max(2 pairs (d - 1), 14)), with d = n_features. */
ANB_API uint64_t anb_explain_cost(const AnbExplainer *explainer);

#ifdef __cplusplus
}
#endif
#endif
