/*
 * Statistics of a mixture's experts: the magnitude of their predictions, the sparsity of their activations, their
 * specialisation, and their contribution to the mixture's predictions.
 *
 *     AnbExpertPool *pool = anb_expert_pool_new(model, NULL);
 *     double before = anb_train_one(model, x, y, 1);
 *     anb_observe(anb_expert_pool_observer(pool), model, x, y, before);
 *     anb_expert_pool_free(pool);
 *
 * It is an observer beside the model: not part of snapshots, and reset without the model. An AnbDiagnostics holds one
 * already (anb_diagnostics_pool).
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_POOL_H
#define ANABRANCH_POOL_H

#include <anabranch/learner.h>
#include <anabranch/observer.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct AnbExpertPool AnbExpertPool;

enum { ANB_EXPERT_NAME_SIZE = 48 }; /* of an expert's name, the final 0 included; longer ones are cut */

/** Statistics of one expert. */
typedef struct AnbPooled {
    const char *name;      /* as set; else its name in the mixture, else `<type>_<index>` */
    uint64_t processed;    /* samples it was active in */
    double magnitude;      /* root mean square of its outputs */
    double sparsity;       /* mean share of hidden activations with |h| < 0.01; for an expert without hidden units the
                             * share of contributions with |w_j x_j| < 0.01 |f|; ANB_NAN where it has neither */
    double specialization; /* E|f_i - mean f| / (E|f_i - mean f| + E|mean f|), over the samples it was active in, the
                             * mean over each sample's active experts: 0 to 1 */
    double contribution;   /* mean of |weight_i f_i| over all samples */
} AnbPooled;

/**
 * Makes an observer for the first mixture of a model.
 *
 * @param model  the model, or any clone of it; its allocator is used
 * @param error  why it failed, or NULL
 * @return       the observer, owned by the caller (anb_expert_pool_free), or NULL: ANB_E_UNSUPPORTED where there is no
 *               mixture
 */
ANB_API AnbExpertPool *anb_expert_pool_new(const StreamingLearner *model, AnbError *error);
/** NULL is fine. */
ANB_API void anb_expert_pool_free(AnbExpertPool *pool);

/** The observer to feed (anb_observe), owned by the pool. Cost: about ten operations for each active expert, and with x
 * one call of its sparsity. Never allocates. */
ANB_API AnbObserver *anb_expert_pool_observer(AnbExpertPool *pool);

/** Starts the statistics again; the names stay, the model is not changed. */
ANB_API void anb_expert_pool_reset(AnbExpertPool *pool);

/** Experts of the mixture, K. */
ANB_API size_t anb_expert_pool_experts(const AnbExpertPool *pool);
/** Samples observed since it was made or reset. */
ANB_API uint64_t anb_expert_pool_samples(const AnbExpertPool *pool);
/** 1 - (experts that processed at least one sample) / K. */
ANB_API double anb_expert_pool_sparsity(const AnbExpertPool *pool);
/** Expert i < anb_expert_pool_experts. The name is valid as long as the pool. */
ANB_API AnbPooled anb_expert_pool_expert(const AnbExpertPool *pool, size_t i);
/** Names expert i: UTF-8, cut after the last whole character within ANB_EXPERT_NAME_SIZE - 1 bytes; invalid bytes
 * become `?`. NULL: its name in the mixture. Returns 0, or ANB_E_ARGUMENT where there is no expert i. */
ANB_API int anb_expert_pool_set_name(AnbExpertPool *pool, size_t i, const char *name);

/**
 * The experts in descending order of their contribution, equal ones by index.
 *
 * @param pool  the observer
 * @param top   n indices out
 * @param n     how many at most
 * @return      how many were written: n, or K where that is less
 *
 * Cost: K n.
 */
ANB_API size_t anb_expert_pool_top(const AnbExpertPool *pool, size_t *top, size_t n);

#ifdef __cplusplus
}
#endif
#endif
