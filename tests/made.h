/* A model of an expression that has to be right; where it is refused the test fails with the reason. */
#ifndef ANB_TESTS_MADE_H
#define ANB_TESTS_MADE_H

#include "suite.h"
#include <anabranch/anabranch.h>

/* The expression may name `type`, a learner of the test's own, as well. */
static inline StreamingLearner *made_with(size_t n_features, const char *expression, const StreamingLearnerType *type)
{
    const StreamingLearnerType *const types[] = {type, NULL};
    AnbModelOptions options = anb_model_defaults();
    AnbError error = {0};
    options.types = types;
    StreamingLearner *model = anb_parse(n_features, expression, &options, &error);
    ck_assert_msg(model != NULL, "%s at %zu features: %s", expression, n_features, error.message);
    return model;
}

static inline StreamingLearner *made(size_t n_features, const char *expression)
{
    return made_with(n_features, expression, NULL);
}

#endif
