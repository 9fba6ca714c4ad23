/*
 * Many models on several cores: samples of any models in one call, shared out among threads.
 *
 *     AnbPool *pool = anb_pool_new(0, &error);   // a thread for each core
 *     StreamingLearner *other = anb_clone(model, &error), *models[] = {model, other, model};
 *     const double *rows[] = {x, x, x}, targets[] = {9, 10, 11};   // sample i belongs to models[i]
 *     double before[3];
 *     anb_pool_train(pool, models, rows, targets, NULL, 3, before);
 *     anb_pool_free(pool);
 *
 * All samples of a model are learned by one thread in the order of the call, so results do not depend on the number of
 * threads: they are the bits of a loop over anb_train_one. Between calls the threads sleep; where calls follow each other
 * closely they first stay awake for 20 us, to begin the next one at once.
 *
 * One large model on several cores: anb_use_threads shares the experts of its mixture out.
 *
 * Since 0.3: everything that does not say otherwise.
 */
#ifndef ANABRANCH_WORKERS_H
#define ANABRANCH_WORKERS_H

#include <anabranch/learner.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Threads that train and predict models. */
typedef struct AnbPool AnbPool;

enum { ANB_POOL_THREADS_MAX = 1024 };

/**
 * Starts the threads.
 *
 * @param threads  that work in a call, its caller included: 1 to ANB_POOL_THREADS_MAX; 0: as many as the process may use
 *                 cores
 * @param error    why not, or NULL: ANB_E_ARGUMENT, ANB_E_MEMORY
 * @return         the pool, owned by the caller (anb_pool_free), or NULL
 */
ANB_API AnbPool *anb_pool_new(size_t threads, AnbError *error);
/** Ends the threads; no call may be running. NULL is fine. */
ANB_API void anb_pool_free(AnbPool *pool);
/** Threads that work in a call, its caller included. */
ANB_API size_t anb_pool_threads(const AnbPool *pool);

/**
 * Learns n samples, each by its own model.
 *
 * @param pool    one call at a time works; another one waits for it
 * @param models  n models, the same ones as often as they have samples; nobody else uses them meanwhile
 * @param x       n rows; row i has the n_features values of models[i]; NaN marks a missing cell
 * @param y       n targets
 * @param weight  n weights; NULL: all 1
 * @param n       samples
 * @param out     n predictions made before learning, ANB_NAN of refused samples; or NULL. It may be y
 * @return        0; ANB_E_ARGUMENT where a model, a row or y is NULL or n is 2^32 - 1 or more: nothing was learned
 *
 * Cost: that of anb_train_one for each sample, divided by the threads as far as there are models for them; some 20 us
 * to wake the threads, 1 where calls come less than 20 us apart; and some 0.4 ns a sample in each thread to find its own, more often
 * where samples take more than some 400 ns. What samples cost is measured: where threads do not pay, the caller
 * does all, and a call of 32 samples or fewer always. Calls alike are now and then done the other way. Memory: up to 1 KB a thread;
 * where it cannot be had, the caller does all. A process that was forked since the pool
 * was made has no such threads: the caller does all. Do not fork while a call is running.
 */
ANB_API int anb_pool_train(AnbPool *pool, StreamingLearner *const *models, const double *const *x, const double *y,
                           const double *weight, size_t n, double *out);

/**
 * Predicts n rows, each by its own model: as anb_pool_train, learning nothing. Where models have a direct `predict` (AnbDirectTable), or
 * types that all have ANB_COMPACT and need little scratch (ANB_PASSING_MOST in type.h), any thread predicts any row, so that `predict`
 * of one model may run in several threads at once, as with readers.
 *
 * @param out  n predictions, ANB_NAN of refused rows
 */
ANB_API int anb_pool_predict(AnbPool *pool, StreamingLearner *const *models, const double *const *x, size_t n,
                             double *out);

/**
 * Has the experts of a model's mixture asked and taught by several threads. Everything the model says and learns stays
 * the same to the bit.
 *
 * @param model    the model. Its outermost mixtures behind dense routers are shared, with the stages of a refine around
 *                 them; other models do their work as before. Clones, readers and loaded models have no threads
 * @param threads  that work on a sample, the caller included: 2 to ANB_POOL_THREADS_MAX; 1: none, those it had are ended;
 *                 0: as many as the process may use cores
 * @param error    why not, or NULL
 * @return         0; ANB_E_ARGUMENT; ANB_E_MEMORY: the model has no threads then
 *
 * The threads belong to the model and end with it, or with the next call. They sleep while there is nothing to do; where
 * samples come less than 20 us apart they stay awake in between. Types of a caller's own below the mixture are called from
 * any of the threads, each node by one at a time.
 *
 * Cost: some .5 us a sample while the threads are awake, some 5 us to wake them. What experts cost is measured; a mixture
 * that takes less than 5 us stays with the caller. A process forked since has no such threads: the caller does all. Since
 * 0.4.
 */
ANB_API int anb_use_threads(StreamingLearner *model, size_t threads, AnbError *error);

#ifdef __cplusplus
}
#endif
#endif
