/* A model by way of a snapshot in memory. */
#ifndef ANB_TESTS_RELOAD_H
#define ANB_TESTS_RELOAD_H

#include "made.h"
#include "suite.h"
#include <anabranch/anabranch.h>
#include <stdlib.h>

/* NULL with the reason in `error`, which may be NULL, where the loader refuses it; `options`, or NULL, are the
 * loader's. */
static inline StreamingLearner *reloaded_by(const StreamingLearner *model, const AnbModelOptions *options,
                                            AnbError *error)
{
    size_t size = anb_snapshot_size(model, NULL);
    unsigned char *bytes = malloc(size);
    ck_assert_int_eq(anb_snapshot_to_memory(model, NULL, bytes, size, NULL), 0);
    StreamingLearner *again = anb_load_memory(bytes, size, options, error);
    free(bytes);
    return again;
}

static inline StreamingLearner *reloaded(const StreamingLearner *model, AnbError *error)
{
    return reloaded_by(model, NULL, error);
}

/* A row and its target. */
typedef double (*RowSource)(uint64_t *seed, double *x);

/* The model and what a snapshot makes of it are equal, and say and learn the same of n rows of up to 64 features. */
static inline void assert_reload_goes_on(StreamingLearner *model, size_t n, RowSource next, uint64_t *draws)
{
    AnbError error;
    double x[64];
    StreamingLearner *twin = reloaded(model, &error);
    ck_assert_msg(twin != NULL, "%s", error.message);
    ck_assert(anb_equal(model, twin));
    for (size_t t = 0; t < n; t++) {
        double y = next(draws, x);
        ck_assert_double_eq(anb_train_one(model, x, y, 1), anb_train_one(twin, x, y, 1));
    }
    ck_assert(anb_equal(model, twin));
    anb_free(twin);
}

/* So does a new model of d features, time after time, amid whatever it is at. */
static inline void assert_reloads_go_on(size_t d, const char *expression, int times, size_t n, RowSource next,
                                        uint64_t draws)
{
    StreamingLearner *model = made(d, expression);
    for (int i = 0; i < times; i++)
        assert_reload_goes_on(model, n, next, &draws);
    anb_free(model);
}

#endif
