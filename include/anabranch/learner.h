/*
 * Models: making one, predicting, learning.
 *
 *     const AnbExpert experts[] = { { .type = &anb_linear }, { .type = &anb_rls, .warmup = 50 } };
 *     StreamingLearner *model = anb_moe_new(8, experts, 2, NULL);
 *     double before = anb_train_one(model, x, y, 1.0);
 *     anb_free(model);
 *
 * A model is used by one thread at a time; different models share no mutable memory.
 *
 * Pointers may be NULL only where that is documented. Elsewhere functions that return a code refuse NULL with
 * ANB_E_ARGUMENT. Functions that learn or predict a sample, those that read a number, a time or a cell, and functions
 * that return no code, do not check for NULL.
 *
 * A function of the caller's that the library calls (AnbAllocator, AnbWrite, AnbObserver, AnbServeLook, a type's own)
 * returns. An exception or a longjmp that leaves it skips the library's part: locks stay held, and who waits for them
 * waits for ever.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_LEARNER_H
#define ANABRANCH_LEARNER_H

#include <anabranch/types.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- making one ------------------------------------------------------------------------------------------------ */

/** A tree of learners to be made. Everything is copied but the types: a type of the caller's own has to be valid as
 * long as any model of it. */
typedef struct AnbExpert AnbExpert;
struct AnbExpert {
    const StreamingLearnerType *type; /* anb_linear, anb_rls ... or the caller's own */
    const void *options;              /* the type's options struct, or NULL: the defaults */
    const AnbExpert *children;
    size_t n_children;
    int warmup;       /* inside a mixture: samples until fully trusted; 0 = from the start */
    const char *name; /* inside a mixture: 1 to 64 of a-z, 0-9 and _; NULL: `<type>_<index>` */
};

/** Settings of a model beside its expression. Starts from anb_model_defaults(). */
typedef struct AnbModelOptions {
    size_t size;      /* of this struct; set by the defaults */
    uint64_t seed;    /* 1; what every seed=0 in the expression is derived from */
    size_t max_bytes; /* 1 GiB; bound of anb_total_bytes: a larger model is refused before its state is allocated */
    /* NULL: malloc and free. Copied, and used until the last clone and reader are freed. */
    const AnbAllocator *allocator;
    /* NULL; the caller's own types, ended by NULL, for expressions and snapshots. They take precedence over types of
     * the library with the same name, and have to be valid as long as the models. Since 0.12 routers as well, as
     * `&router.type`: a snapshot with a router of the caller's can only be loaded with the router in this list. */
    const StreamingLearnerType *const *types;
    /* false; true: labels come later than the next row, so presets do not use past targets as inputs. Below `pending`
     * they never do. Since 0.3. */
    bool late;
} AnbModelOptions;

/** Fills the first `size` bytes of the defaults: what anb_model_defaults calls. */
ANB_API void anb_model_options_init(AnbModelOptions *options, size_t size);
/** The defaults above. */
static inline AnbModelOptions anb_model_defaults(void)
{
    AnbModelOptions options;
    anb_model_options_init(&options, sizeof options);
    return options;
}

/**
 * Makes a model from a tree of learners.
 *
 * @param n_features  cells in a row, 1 to 1,048,576
 * @param root        the tree
 * @param options     NULL: the defaults
 * @param error       why it was refused, or NULL
 * @return            the model, owned by the caller (anb_free), or NULL
 *
 * Errors: ANB_E_ARGUMENT for an option, a child, or a learner that may not stand at its place; ANB_E_LIMIT for a size;
 * ANB_E_MEMORY.
 * Cost: allocations for the plan and its two expressions, and one for block and scratch together.
 */
ANB_API StreamingLearner *anb_new(size_t n_features, const AnbExpert *root, const AnbModelOptions *options,
                                  AnbError *error);

/**
 * Makes a model from text: `scale(moe(linear(rate=0.01), rls(lambda=0.99, warmup=50), top_k=2))`.
 *
 * @param n_features  cells in a row, 1 to 1,048,576
 * @param expression  see docs/concepts.md; at most 64 KiB and 32 deep
 * @param options     NULL: the defaults
 * @param error       why it was refused and at which byte (0 where no single place is wrong), or NULL
 * @return            the model, owned by the caller (anb_free), or NULL
 *
 * Errors: ANB_E_SYNTAX, ANB_E_UNKNOWN for an unknown learner, router or key, and those of anb_new.
 */
ANB_API StreamingLearner *anb_parse(size_t n_features, const char *expression, const AnbModelOptions *options,
                                    AnbError *error);

/**
 * As anb_parse, for an expression that was stored when a model was made from it, for example in the log of a service.
 * It also accepts what versions up to 0.11 accepted and is now refused for new models: an interval with a coverage
 * twice. Since 0.13.
 */
ANB_API StreamingLearner *anb_parse_saved(size_t n_features, const char *expression, const AnbModelOptions *options,
                                          AnbError *error);

/**
 * The memory that a model would take, before it is made. For wide rows types differ by orders of magnitude: with n
 * features `linear` takes 8 n bytes, `rls` 4 n^2 (400 MB at 10,000), `knn` about 6 n for each row of its window.
 *
 * @param n_features, expression, options   as of anb_parse; max_bytes bounds nothing here
 * @param state  out: the part that changes, as anb_state_bytes; or NULL
 * @param error  why there is no such model, or NULL
 * @return       bytes, as anb_total_bytes; 0 where there is no such model
 *
 * Cost: that of the plan, which is made and freed. Since 0.4.
 */
ANB_API size_t anb_parse_bytes(size_t n_features, const char *expression, const AnbModelOptions *options, size_t *state,
                               AnbError *error);

/**
 * An independent copy of a model, counters included. The plan is shared.
 *
 * @param model  what to copy
 * @param error  why it failed, or NULL
 * @return       the copy, owned by the caller, or NULL where memory is out
 *
 * Cost: a memcpy of the block.
 */
ANB_API StreamingLearner *anb_clone(const StreamingLearner *model, AnbError *error);

/** Frees a model. NULL is fine. */
ANB_API void anb_free(StreamingLearner *model);

/* ---- using one ------------------------------------------------------------------------------------------------- */

/**
 * Predicts a row; learns nothing.
 *
 * @param model  the model; its own scratch and counters are used
 * @param x      n_features values; NaN marks a missing cell
 * @return       the prediction; ANB_NAN where the row was rejected (anb_counters says why)
 *
 * Cost: one predict of each active expert. Never allocates.
 */
ANB_API double anb_predict(StreamingLearner *model, const double *x);

/**
 * Predicts one sample, then learns from it.
 *
 * @param model   the model, owned by the caller
 * @param x       n_features values; NaN marks a missing cell
 * @param y       the target, finite
 * @param weight  how many samples this one counts for, >= 0; 0 changes nothing, others count as one within 2^-100 to
 *                2^100 (1e-30 to 1e30)
 * @return        the prediction made before learning; NaN where the sample was rejected (anb_counters says why)
 *
 * Cost: one predict and one update of each active expert. Never allocates. One thread at a time per model.
 */
ANB_API double anb_train_one(StreamingLearner *model, const double *x, double y, double weight);

/**
 * Predicts many rows; the bits are those of a loop over anb_predict.
 *
 * @param model  the model
 * @param x      n rows of n_features values, row by row
 * @param n      rows
 * @param out    n predictions
 *
 * Never allocates. Takes some 160 KB of the thread's stack for `auto`; a loop over anb_predict takes 10 KB.
 */
ANB_API void anb_predict_many(StreamingLearner *model, const double *x, size_t n, double *out);

/**
 * Learns many samples in order; the bits are those of a loop over anb_train_one. anb_train_batch (moe.h) learns them as
 * one batch, in which a linear router may bound how many samples an expert gets; without such a router it is the same.
 *
 * @param model   the model
 * @param x       n rows of n_features values, row by row
 * @param y       n targets
 * @param weight  n weights, or NULL: 1 each
 * @param n       samples
 * @param out     n predictions, each made before its sample was learned, or NULL
 */
ANB_API void anb_train_many(StreamingLearner *model, const double *x, const double *y, const double *weight, size_t n,
                            double *out);

/** Resets a model to the state that anb_new gave, random generators and counters included. Its observers are to be
 * told: anb_observe_reset. Cost: that of initialising the state; never allocates. */
ANB_API void anb_reset(StreamingLearner *model);

/* ---- readers --------------------------------------------------------------------------------------------------- */

/**
 * Makes a reader: scratch and counters of one predicting thread. Any number of readers may predict by one model at a
 * time, as long as no thread trains it.
 *
 * @param model  the model to predict by, or any clone of it
 * @param error  why it failed, or NULL
 * @return       the reader, owned by the caller (anb_reader_free), or NULL
 */
ANB_API AnbReader *anb_reader_new(const StreamingLearner *model, AnbError *error);
/** Before or after its model. NULL is fine. */
ANB_API void anb_reader_free(AnbReader *reader);
/** Counters of the rows that the reader rejected; owned by the reader, updated by its calls. */
ANB_API const AnbCounters *anb_reader_counters(const AnbReader *reader);

/** As anb_predict, with a reader's scratch; the model is only read. Returns ANB_NAN, and counts nothing, where the
 * reader was made for a model with another plan. */
ANB_API double anb_predict_with(const StreamingLearner *model, AnbReader *reader, const double *x);
/** As anb_predict_many, with a reader's scratch: the bits of a loop over anb_predict_with. Since 0.17. */
ANB_API void anb_predict_many_with(const StreamingLearner *model, AnbReader *reader, const double *x, size_t n,
                                   double *out);

/* ---- properties ------------------------------------------------------------------------------------------------ */

/** Samples learned since the model was made or reset, without rejected samples and those of weight 0. */
ANB_API uint64_t anb_n_samples_seen(const StreamingLearner *model);
/** Cells of a row. */
ANB_API size_t anb_n_features(const StreamingLearner *model);
/** Counters of the samples so far; owned by the model, updated with each sample. */
ANB_API const AnbCounters *anb_counters(const StreamingLearner *model);
/** The seed it was made with. */
ANB_API uint64_t anb_seed(const StreamingLearner *model);

/** Bytes of the mutable state: what a clone copies. */
ANB_API size_t anb_state_bytes(const StreamingLearner *model);
/**
 * Bytes that one more clone of the model takes from its allocator: head, block, scratch where one is kept, and what is
 * attached (a seed of its own, a reference to a schema, sources of numbered samples). Not counted: the plan and the
 * schema, which are shared; threads, which clones do not get; what types that own pointers allocate.
 */
ANB_API size_t anb_clone_bytes(const StreamingLearner *model);
/** Bytes of everything this model holds: those of anb_clone_bytes, and the plan, which clones share. */
ANB_API size_t anb_total_bytes(const StreamingLearner *model);

/**
 * The canonical expression: options that are not at their defaults, and presets replaced by their expansions. anb_parse
 * makes the same model from it.
 *
 * @return  a text owned by the model's plan, valid as long as any clone
 */
ANB_API const char *anb_expression(const StreamingLearner *model);

/** The expression with every option: it makes the same model even with a version that has other defaults. Owned by the
 * plan. */
ANB_API const char *anb_full_expression(const StreamingLearner *model);

/** Whether a row may hold NaN for missing cells: a scale replaces them, or every learner accepts them. */
ANB_API bool anb_takes_missing(const StreamingLearner *model);

/** Whether two models have the same expression, n_features and used state, so that they predict the same from the same
 * further samples. Deferred work of both models is done first: no other thread may train, save, clone or compare either
 * meanwhile. */
ANB_API bool anb_equal(const StreamingLearner *a, const StreamingLearner *b);

/* ---- the library ----------------------------------------------------------------------------------------------- */

/** The version of the library that runs: "0.20.0". */
ANB_API const char *anb_version(void);

/** All learners of the library, ended by NULL. */
ANB_API const StreamingLearnerType *const *anb_learner_types(void);
/** All routers of the library, ended by NULL. */
ANB_API const AnbRouterType *const *anb_router_types(void);

/**
 * Finds a learner of the library by its name, or by its name in an earlier version: `chain` for residual, `lags` for
 * residual_ar.
 *
 * @param name  n bytes; need not end with 0
 * @param n     bytes
 * @return      the type, or NULL
 */
ANB_API const StreamingLearnerType *anb_learner_find(const char *name, size_t n);
/** The same for a router: `soft` for softmax. */
ANB_API const AnbRouterType *anb_router_find(const char *name, size_t n);

#ifdef __cplusplus
}
#endif
#endif
