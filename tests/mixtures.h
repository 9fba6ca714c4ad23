/* For tests of mixtures: a few samples of two features, and a mixture's view by its path. */
#ifndef TESTS_MIXTURES_H
#define TESTS_MIXTURES_H

#include "suite.h"
#include <anabranch/learner.h>
#include <anabranch/moe.h>

static inline void feed(StreamingLearner *model, int n)
{
    for (int i = 0; i < n; i++)
        anb_train_one(model, (double[]){i % 7, i % 3}, i % 5, 1);
}

static inline AnbMixture see(const StreamingLearner *model, const char *path)
{
    AnbMixture m;
    ck_assert_int_eq(anb_mixture_at(model, path, &m), 0);
    return m;
}

#endif
