/* Predictions of many rows beside those of each row alone. */
#ifndef ANB_TESTS_MANY_H
#define ANB_TESTS_MANY_H

#include "made.h"
#include "src/simd/isa.h"
#include "suite.h"
#include <string.h>

enum { MANY_MOST = 64 };

/* anb_predict_many of n <= MANY_MOST rows of d features gives the bits of anb_predict. */
static inline void assert_many_say_what_each_says(StreamingLearner *model, const char *expression, const double *x,
                                                  size_t d, size_t n)
{
    double said[MANY_MOST];
    ck_assert_uint_le(n, MANY_MOST);
    anb_predict_many(model, x, n, said);
    for (size_t i = 0; i < n; i++) {
        const double alone = anb_predict(model, x + i * d);
        ck_assert_msg(memcmp(&said[i], &alone, sizeof alone) == 0,
                      "%s at %zu features on %s, row %zu: %.17g alone, %.17g as one of %zu", expression, d,
                      anb_isa_name(anb_isa_in_use()), i, alone, said[i], n);
    }
}

#endif
