/* What the tests of frames and tails draw from, and make. */
#ifndef ANB_TESTS_FRAMES_H
#define ANB_TESTS_FRAMES_H

#include "made.h"
#include "numbers.h"
#include <anabranch/anabranch.h>

static uint64_t seed;

static inline double uniform(void)
{
    return uniform_of(&seed);
}

static inline double normal(void)
{
    return nearly_normal(&seed);
}

#endif
