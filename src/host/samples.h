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
    bool spread; /* the models lie over more memory than a core's own caches hold */
    bool look;   /* they are predicted, and the models that were looked at have a short way */
} AnbSamples;

/* The `n` samples whose numbers `own` lists, in that order. */
void anb_samples_listed(const AnbSamples *samples, const uint32_t *own, size_t n);
/* Samples from `from` to `to` - 1. */
void anb_samples_between(const AnbSamples *samples, size_t from, size_t to);

/* Sets `spread` and `look` by a few samples that lie evenly. No pointer is NULL. */
void anb_samples_survey(AnbSamples *samples);
/* Predicts samples from `from` to `to` - 1 by the short way, which only reads the models. Where it is not sure, `out` gets NaN. Returns
 * the number of those. */
size_t anb_samples_look(const AnbSamples *samples, size_t from, size_t to);

#endif
