/*
 * Which thread learns a model's samples: a function of the model's address. So each thread finds its own samples of a call
 * by itself, in order, and no samples are sorted before.
 *
 *     page of the model --hash--> one of 64 stripes --table--> thread
 *
 * Models of one page go to one thread, since small ones share lines of the cache. Where that gives one thread too many samples,
 * smaller pieces of memory than pages are taken.
 */
#ifndef ANB_HOST_STRIPES_H
#define ANB_HOST_STRIPES_H

#include "src/simd/isa.h"
#include <anabranch/learner.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANB_STRIPE_FACTOR UINT32_C(0x9e3779b1)
enum { ANB_STRIPES = 64, ANB_STRIPE_SHIFT = 26 /* the highest bits of 32 */ };
/* The share of all samples that a thread may have beyond an even part, or beyond what it was dealt. */
static const double ANB_STRIPES_UNEVEN = 1. / 32;

typedef struct AnbStripes {
    bool known;     /* the last call gave the threads what they were dealt */
    double largest; /* share of the samples that one thread was dealt, the largest */
    unsigned place; /* the lowest bit of an address that counts */
    uint16_t owner[ANB_STRIPES];
} AnbStripes;

typedef struct AnbStripeKernels {
    size_t (*list)(const void *const *models, uint32_t from, size_t n, unsigned place, uint64_t stripes, uint32_t *own);
    bool (*sure)(const void *const *pointers, size_t n);
} AnbStripeKernels;

ANB_ISA_TABLE(AnbStripeKernels, anb_stripe_kernels);

static inline size_t anb_stripe_of(const void *model, unsigned place)
{
    return (uint32_t)((uintptr_t)model >> place) * ANB_STRIPE_FACTOR >> ANB_STRIPE_SHIFT;
}

/* Deals the stripes to the threads, with loads that are estimated from some of the n samples. */
void anb_stripes_deal(AnbStripes *stripes, StreamingLearner *const *models, size_t n, size_t threads);

/* The thread's stripes, as bits. */
static inline uint64_t anb_stripes_of(const AnbStripes *stripes, size_t thread)
{
    uint64_t bits = 0;
    for (size_t s = 0; s < ANB_STRIPES; s++)
        bits |= (uint64_t)(stripes->owner[s] == thread) << s;
    return bits;
}

enum { ANB_STRIPES_SPARE = 8 };

/* Which of n samples from `from` on have models in `stripes`, in order; returns how many. `own` has room for n and
 * ANB_STRIPES_SPARE more. */
static inline size_t anb_stripes_list(StreamingLearner *const *models, size_t from, size_t n, unsigned place,
                                      uint64_t stripes, uint32_t *own)
{
    return anb_stripe_kernels.list((const void *const *)models + from, (uint32_t)from, n, place, stripes, own);
}

/* True: none of the pointers is NULL. False: one is, or one has its highest bit set. */
static inline bool anb_stripes_sure(const void *const *pointers, size_t n)
{
    return anb_stripe_kernels.sure(pointers, n);
}

#endif
