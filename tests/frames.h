/* What the tests of frames and tails draw from, and make. */
#ifndef ANB_TESTS_FRAMES_H
#define ANB_TESTS_FRAMES_H

#include "numbers.h"
#include "suite.h"
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

static inline StreamingLearner *make(size_t d, const char *text)
{
    AnbError error = {0};
    StreamingLearner *model = anb_parse(d, text, NULL, &error);
    ck_assert_msg(model != NULL, "%s: %s", text, error.message);
    return model;
}

#endif
