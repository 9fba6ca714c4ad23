/*
 * Many models on several cores: one call takes samples of any models and divides them among threads.
 *
 *     AnbPool *pool = anb_pool_new(0, &error);   // a thread for each core
 *     StreamingLearner *other = anb_clone(model, &error), *models[] = {model, other, model};
 *     const double *rows[] = {x, x, x}, targets[] = {9, 10, 11};   // sample i belongs to models[i]
 *     double before[3];
 *     anb_pool_train(pool, models, rows, targets, NULL, 3, before);
 *     anb_pool_free(pool);
 *
 * All samples of a model are learned by one thread in the order of the call. So results do not depend on the number of
 * threads: they have the bits of a loop over anb_train_one. Between calls the threads sleep; where calls follow each
 * other closely they first poll for 20 us, to start the next call without delay.
 *
 * For one large model on several cores, anb_use_threads divides the experts of its mixture among threads.
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
 * @param threads  threads that work in a call, its caller included: 1 to ANB_POOL_THREADS_MAX; 0: the number of cores
 *                 that the process may use
 * @param error    why it failed, or NULL: ANB_E_ARGUMENT, ANB_E_MEMORY
 * @return         the pool, owned by the caller (anb_pool_free), or NULL
 */
ANB_API AnbPool *anb_pool_new(size_t threads, AnbError *error);
/** Ends the threads; no call may be running. NULL is fine. */
ANB_API void anb_pool_free(AnbPool *pool);
/** How many threads work in a call, its caller included. */
ANB_API size_t anb_pool_threads(const AnbPool *pool);

/**
 * Learns n samples, each by its own model.
 *
 * @param pool    calls of several threads run one after the other
 * @param models  n models, each as often as it has samples; no other thread may use them meanwhile
 * @param x       n rows; row i has the n_features values of models[i]; NaN marks a missing cell
 * @param y       n targets
 * @param weight  n weights; NULL: all 1
 * @param n       samples
 * @param out     n predictions made before learning, ANB_NAN for rejected samples; or NULL; may be the same array as y
 * @return        0; ANB_E_ARGUMENT where a model, a row or y is NULL, but for no samples, or n is 2^32 - 1 or more:
 *                nothing was learned
 *
 * Cost: that of anb_train_one for each sample, divided by the number of threads as far as there are enough models. In
 * addition about 20 us to wake the threads, or 1 us where calls come less than 20 us apart, and about 0.4 ns a sample
 * in each thread to find its own samples, several times that where a sample takes more than about 400 ns. The pool
 * measures what samples cost. Where threads would be slower, and in calls of 32 samples or fewer, the caller does all
 * the work; from time to time it tries the other way. Memory: up to 1 KB a thread. The caller does all the work also
 * where that memory is not available, and in a process that was forked after the pool was made. Do not fork while a
 * call is running.
 */
ANB_API int anb_pool_train(AnbPool *pool, StreamingLearner *const *models, const double *const *x, const double *y,
                           const double *weight, size_t n, double *out);

/**
 * Predicts n rows, each by its own model, as anb_pool_train but without learning. Where models have a direct `predict`
 * (AnbDirectTable), or types that all have ANB_COMPACT and need little scratch (ANB_PASSING_MOST in type.h), any thread
 * predicts any row: `predict` of one model may run in several threads at once, as with readers.
 *
 * @param out  n predictions, ANB_NAN for rejected rows
 */
ANB_API int anb_pool_predict(AnbPool *pool, StreamingLearner *const *models, const double *const *x, size_t n,
                             double *out);

/**
 * Lets the experts of a model's mixture predict and learn in several threads. Predictions and state stay the same to
 * the bit.
 *
 * @param model    the model. Its outermost mixtures with dense routers use the threads, with the stages of a refine
 *                 around them; other models work as before. Clones, readers and loaded models have no threads
 * @param threads  threads that work on a sample, the caller included: 2 to ANB_POOL_THREADS_MAX; 1: none, and threads
 *                 of the model are ended; 0: the number of cores that the process may use
 * @param error    why it failed, or NULL
 * @return         0; ANB_E_ARGUMENT; ANB_E_MEMORY: the model has no threads then
 *
 * The threads belong to the model and end with it, or with the next call of this function. They sleep between samples;
 * where samples come less than 20 us apart they poll. Types of the caller's own below the mixture may be called from
 * any of the threads, each node by one thread at a time.
 *
 * Cost: about 0.5 us a sample while the threads are awake, about 5 us to wake them. The costs of the experts are
 * measured; the caller does the work alone where the mixture takes less than 5 us a sample, and in a process that was
 * forked later. Since 0.4.
 */
ANB_API int anb_use_threads(StreamingLearner *model, size_t threads, AnbError *error);

#ifdef __cplusplus
}
#endif
#endif
