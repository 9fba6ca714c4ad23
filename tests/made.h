/* A model of an expression that has to be right; where it is refused the test fails with the reason. */
#ifndef ANB_TESTS_MADE_H
#define ANB_TESTS_MADE_H

#include "suite.h"
#include <anabranch/anabranch.h>

static inline StreamingLearner *made(size_t n_features, const char *expression)
{
    AnbError error = {0};
    StreamingLearner *model = anb_parse(n_features, expression, NULL, &error);
    ck_assert_msg(model != NULL, "%s at %zu features: %s", expression, n_features, error.message);
    return model;
}

#endif
