/* What kept snapshots say of a fixed stream. */
#ifndef ANB_TESTS_KEPT_H
#define ANB_TESTS_KEPT_H

#include "zoo.h"

enum { KEPT_ANSWERS = 32 };

/* The model predicts and learns the first rows of a stream; out gets 8 bytes an answer, little-endian. A clone does it, the
 * model stays as it is. */
static inline void kept_answers(const StreamingLearner *model, unsigned char *out)
{
    ZooStream s = zoo_stream(77, false);
    StreamingLearner *clone = anb_clone(model, NULL);
    for (size_t t = 0; t < KEPT_ANSWERS; t++) {
        uint64_t bits;
        zoo_next(&s);
        double f = anb_train_one(clone, s.x, s.y, 1);
        memcpy(&bits, &f, 8);
        for (int b = 0; b < 8; b++)
            out[8 * t + (size_t)b] = (unsigned char)(bits >> 8 * b);
    }
    anb_free(clone);
}

#endif
