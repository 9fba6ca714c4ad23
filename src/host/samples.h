/* Samples of many models, done one after the other on one thread. A pool (workers.c) divides a call into such parts. */
#ifndef ANB_HOST_SAMPLES_H
#define ANB_HOST_SAMPLES_H

#include <anabranch/learner.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `y` is NULL where they are predicted. `weight` NULL: all 1. `out` may be NULL where they are learned. */
typedef struct AnbSamples {
    StreamingLearner *const *models;
    const double *const *x;
    const double *y, *weight;
    double *out;
    size_t n;
    double bytes;   /* about: the span of the models' addresses, or their total size if that is less */
    bool spread;    /* whether that is more for each working core than its own caches hold */
    bool read_only; /* a call that predicts, by models that (as far as surveyed) can predict without being written */
    bool brief;     /* whether a prediction takes only nanoseconds (AnbDirectTable), with several samples a model */
} AnbSamples;

enum { ANB_OWN_CHUNK = 256, ANB_OWN_SPARE = 16 };

/* A thread's samples of a call, copied out of the call's arrays. The copy avoids false sharing: a core that reads an
 * array of pointers and follows them may prefetch what the next pointers point to (Intel's data-dependent prefetcher),
 * and in the call's own array those are models that another thread writes. In a thread's own array they are its own. */
typedef struct AnbOwn {
    size_t n;
    uint32_t number[ANB_OWN_CHUNK + ANB_OWN_SPARE]; /* of each in the call, rising */
    StreamingLearner *models[ANB_OWN_CHUNK + ANB_OWN_SPARE];
    const double *x[ANB_OWN_CHUNK + ANB_OWN_SPARE];
    double y[ANB_OWN_CHUNK + ANB_OWN_SPARE]; /* where the call learns */
} AnbOwn;

/* The first n of the samples that were picked out, in order. */
void anb_samples_own(const AnbSamples *samples, AnbOwn *own, size_t n);
/* Samples from `from` to `to` - 1. */
void anb_samples_between(const AnbSamples *samples, size_t from, size_t to);

/* Sets `bytes`, `spread` for one core, `read_only` and `brief` by a few samples, drawn. No pointer is NULL. */
void anb_samples_survey(AnbSamples *samples);
/* Sets `spread` where so many cores each have a part of the models. */
void anb_samples_divide(AnbSamples *samples, size_t cores);
/* Predicts samples from `from` to `to` - 1, only reading the models. Where that is not possible, `out` gets NaN.
 * Returns how many such samples there are. */
size_t anb_samples_predict_reading(const AnbSamples *samples, size_t from, size_t to);

#endif
