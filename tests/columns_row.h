/* For tests of the wrapper columns: a child that keeps the row which it was shown, and random rows. */
#ifndef TESTS_COLUMNS_ROW_H
#define TESTS_COLUMNS_ROW_H

#include "numbers.h"
#include "suite.h"
#include "witness.h"
#include <anabranch/learner.h>
#include <anabranch/learners.h>
#include <string.h>

enum { WIDE = 64 };
static double shown[WIDE]; /* the row that `spy` was shown last */

static inline double spy_predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    (void)state, (void)scratch;
    ck_assert(self->n_features <= WIDE && row->x == row->raw);
    memcpy(shown, row->x, self->n_features * sizeof *shown);
    return 0;
}

static const StreamingLearnerType spy = {.name = "spy",
                                         .brief = "keeps the row",
                                         .example = "spy",
                                         .flags = ANB_READS_X | ANB_TAKES_MISSING | ANB_WEIGHT_EXACT,
                                         .version = 1,
                                         .predict = spy_predict,
                                         .update = witness_update};

static inline AnbModelOptions with_spy(void)
{
    static const StreamingLearnerType *const types[] = {&spy, NULL};
    AnbModelOptions options = anb_model_defaults();
    options.types = types;
    return options;
}

static inline StreamingLearner *spied(const char *expression, size_t columns)
{
    AnbModelOptions options = with_spy();
    AnbError error;
    StreamingLearner *model = anb_parse(columns, expression, &options, &error);
    ck_assert_msg(model != NULL, "%s: %s", expression, error.message);
    return model;
}

/* What a category is worth in the streams of these tests. */
static inline double worth(int which)
{
    return (double)(which * 37 % 17) - 8;
}

#endif
