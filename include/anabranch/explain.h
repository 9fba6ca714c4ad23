/*
 * Explanations: how much each column of a row adds to its prediction, against rows that the stream has shown before.
 *
 *     AnbExplainer *explainer = anb_explainer_new(model, NULL, &error);
 *     double before = anb_train_one(model, x, y, 1);   // for each sample
 *     anb_observe(anb_explainer_observer(explainer), model, x, y, before);
 *     AnbExplanation why;
 *     if (anb_explain(explainer, model, x, &why) == 0)
 *         printf("%g = %g, %g of the first column, and so on\n", why.prediction, why.base, why.phi[0]);
 *     anb_explainer_free(explainer);
 *
 * The values are Shapley values of the interventional game: a coalition S of columns is worth the mean, over the kept
 * rows b, of f(x_j for j in S, b_j elsewhere). They sum with the base, the mean of f(b), to the prediction f(x).
 *
 *     exact      where every type in the model says its own values (AnbShapleyTable): linear, rls, poly above those,
 *                sgbt, trees (their leaves' linear models while within their bounds), mean, last, and scale, guard, residual, drift and a moe with router=boa around them, as long as no
 *                bound on a prediction can act
 *     by counts  of a pair of rows that differ in at most four columns: all coalitions are asked
 *     sampled    else: for each kept row some random orders of the columns, each walked forth and back, which is exact
 *                where no more than two columns act together; with a standard error
 *
 * The explainer belongs to one thread at a time; the model is only read. All numbers are the same bits on every machine.
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
    int pairs;        /* 2; orders for each kept row where values are sampled, each walked forth and back; 1 to 1,024:
                         below 2 there is no standard error */
    double span;      /* 10,000; how many samples a kept row stays, on average; infinity: every row of the stream is as
                         likely to be kept; at least `rows` */
    uint64_t seed;    /* 1 */
    bool sample_only; /* false; true: never by the types' own tables */
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

/** How a prediction came about. The arrays belong to the explainer and live until its next call. */
typedef struct AnbExplanation {
    double prediction, base; /* of the row; the mean prediction of the kept rows */
    size_t n_features;
    const double *phi; /* n_features values: what each column adds, in units of the target */
    /* n_features standard errors of phi by the random orders, widened so that phi +- 2 error holds the exact value in
     * about 95 of 100 cases; 0 where exact, ANB_NAN with one pair of orders. The choice of the kept rows is not in it:
     * they are part of the question. */
    const double *error;
    bool exact;       /* whether all values are exact, up to rounding */
    size_t rows;      /* kept rows that it was explained against */
    size_t n_experts; /* of the first mixture, or 0 */
    /* n_experts values: the expert's weight in the mix times its prediction for this row, in units of the target as
     * that mixture sees it; 0 of an inactive one. What the gate and the learners around the mixture add is the rest. */
    const double *expert;
    uint64_t predictions; /* of the model that this explanation took */
} AnbExplanation;

/**
 * Makes an explainer that has kept no rows yet.
 *
 * @param model    the model that will be explained, or any clone of it
 * @param options  NULL: the defaults
 * @param error    why it was refused, or NULL: ANB_E_ARGUMENT names the option, ANB_E_MEMORY
 * @return         the explainer, owned by the caller (anb_explainer_free), or NULL
 *
 * Memory: rows x n_features doubles, two readers' scratch, some arrays of n_features; from the model's allocator.
 */
ANB_API AnbExplainer *anb_explainer_new(const StreamingLearner *model, const AnbExplainerOptions *options,
                                        AnbError *error);
/** Before or after its model. NULL is fine. */
ANB_API void anb_explainer_free(AnbExplainer *explainer);

/**
 * The observer to feed, owned by the explainer: it keeps rows. A row that was rejected or that it was told of already is
 * passed over.
 *
 * The n-th row is kept with probability rows / min(n, span) in the place of one that is kept, drawn at random.
 * Cost: two random numbers, now and then a copy of the row.
 */
ANB_API AnbObserver *anb_explainer_observer(AnbExplainer *explainer);

/**
 * Keeps a row, as the observer does: for rows that no label has come for yet, or that lie in a file.
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
 * @param model        the model, of the plan that the explainer was made for; only read: others may read it meanwhile,
 *                     nobody may train it
 * @param x            n_features values; NaN marks a missing cell
 * @param explanation  filled; the random orders are those of the seed, whatever was explained before
 * @return             0; ANB_E_INPUT where the row would be rejected; ANB_E_UNSUPPORTED while no rows are kept;
 *                     ANB_E_ARGUMENT for another plan's model
 *
 * Cost: at most anb_explain_cost predictions; of exact values rows + 1 predictions and for each row about as much as a
 * prediction, of trees the nodes that either row can reach. Never allocates.
 */
ANB_API int anb_explain(AnbExplainer *explainer, const StreamingLearner *model, const double *x,
                        AnbExplanation *explanation);

/**
 * Explains what a server's readers are told: by the version that is published. A publication waits until it is done.
 *
 * @param explainer    of one thread at a time, as every explainer: each reading thread has its own, and keeps rows of its own
 *                     or takes those of another (anb_explainer_take)
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
 * Takes over the rows that another explainer keeps, in the place of its own: of one that a server feeds, between
 * anb_serve_hold and anb_serve_release.
 *
 * @return  0; ANB_E_ARGUMENT where the two do not have the same number of columns and of rows to keep
 *
 * Cost: a copy of the rows. Since 0.3.
 */
ANB_API int anb_explainer_take(AnbExplainer *explainer, const AnbExplainer *from);

/** The most predictions that an explanation takes with the rows that are kept now:
 * 1 + rows (1 + max(2 pairs (d - 1), 14)), d being n_features. */
ANB_API uint64_t anb_explain_cost(const AnbExplainer *explainer);

#ifdef __cplusplus
}
#endif
#endif
