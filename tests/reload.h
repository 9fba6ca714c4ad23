/* A model by way of a snapshot in memory. */
#ifndef ANB_TESTS_RELOAD_H
#define ANB_TESTS_RELOAD_H

#include "suite.h"
#include <anabranch/anabranch.h>
#include <stdlib.h>

/* NULL with the reason in `error`, which may be NULL, where the loader refuses it. */
static inline StreamingLearner *reloaded(const StreamingLearner *model, AnbError *error)
{
    size_t size = anb_snapshot_size(model, NULL);
    unsigned char *bytes = malloc(size);
    ck_assert_int_eq(anb_snapshot_to_memory(model, NULL, bytes, size, NULL), 0);
    StreamingLearner *again = anb_load_memory(bytes, size, NULL, error);
    free(bytes);
    return again;
}

#endif
