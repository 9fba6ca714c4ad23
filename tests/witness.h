/* A learner for tests of wrappers: it predicts 0, learns nothing, and keeps the shares of the features (row.h,
 * importance) that it was last shown. The test declares the type, with the flags that it needs. */
#ifndef TESTS_WITNESS_H
#define TESTS_WITNESS_H

#include "suite.h"
#include <anabranch/type.h>

enum { WITNESS_FEATURES = 64 };
static double witness_share[WITNESS_FEATURES];
static bool witness_has_shares;

static inline double witness_predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    (void)state, (void)scratch;
    ck_assert_uint_le(self->n_features, WITNESS_FEATURES);
    witness_has_shares = row->importance != NULL;
    for (size_t j = 0; j < self->n_features && witness_has_shares; j++)
        witness_share[j] = row->importance[j];
    return 0;
}

static inline void witness_update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight,
                                  double *scratch)
{
    (void)self, (void)state, (void)row, (void)y, (void)weight, (void)scratch;
}

#endif
