/*
 * The thread that learns a model's samples is a function of the model's address. So each thread finds its own samples
 * of a call by itself, in order, without sorting.
 *
 *     addresses   from[0] = 0 ... from[1] ... from[2] ... from[n]
 *     stripes     |     0      |     1     |  ...      n - 1     |
 *     threads     |        0         |     1   ...               |
 *
 * A thread has stripes that follow each other, since models that are neighbours share lines of the cache.
 */
#ifndef ANB_HOST_STRIPES_H
#define ANB_HOST_STRIPES_H

#include "samples.h"
#include "src/simd/isa.h"
#include <anabranch/learner.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANB_STRIPES_MOST = 4096 };
/* The share of all samples that a thread may have beyond an even part, or beyond what it was dealt. */
static const double ANB_STRIPES_UNEVEN = 1. / 32;

typedef struct AnbStripes {
    bool known;      /* whether the threads' samples of the last call matched the stripes */
    double largest;  /* share of the samples that one thread was dealt, the largest */
    unsigned limit;  /* calls that uneven stripes are used for; 0: they are even, and used while calls fit them */
    unsigned left;   /* of these */
    size_t wanted;   /* stripes of a thread, before uneven ones were made finer */
    size_t each;     /* stripes of a thread */
    size_t n;        /* of all threads; 0: nothing was dealt yet */
    uintptr_t *from; /* n + 1 addresses, from 0 to the highest */
} AnbStripes;

/* Samples `from` to `from + n - 1` of a call, and the stripe: addresses from `low`, `size` of them. */
typedef struct AnbStripePart {
    const AnbSamples *call;
    uint32_t from;
    size_t n;
    uintptr_t low, size;
} AnbStripePart;

typedef struct AnbStripeKernels {
    void (*pick)(const AnbStripePart *part, AnbOwn *own);
    bool (*sure)(const void *const *pointers, size_t n);
} AnbStripeKernels;

ANB_ISA_TABLE(AnbStripeKernels, anb_stripe_kernels);

/* Deals n samples to the threads, `each` stripes to one, at most ANB_STRIPES_MOST in all, by the addresses of some of
 * the samples. False: out of memory, and there are no stripes. */
bool anb_stripes_deal(AnbStripes *stripes, StreamingLearner *const *models, size_t n, size_t threads, size_t each);
void anb_stripes_free(AnbStripes *stripes);

/* Picks out which of n samples from `from` on, at most ANB_OWN_CHUNK, have models in `stripe`. */
static inline void anb_stripes_pick(const AnbStripes *stripes, size_t stripe, const AnbSamples *call, size_t from,
                                    size_t n, AnbOwn *own)
{
    uintptr_t low = stripes->from[stripe], size = stripes->from[stripe + 1] - low;
    anb_stripe_kernels.pick(&(AnbStripePart){.call = call, .from = (uint32_t)from, .n = n, .low = low, .size = size},
                            own);
}

/* True: none of the pointers is NULL. False: one is, or one has its highest bit set. */
static inline bool anb_stripes_sure(const void *const *pointers, size_t n)
{
    return anb_stripe_kernels.sure(pointers, n);
}

/* No model and no row of samples from `from` to `to` - 1 is missing. */
bool anb_stripes_complete(const AnbSamples *call, size_t from, size_t to);

#endif
