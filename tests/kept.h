/* What kept snapshots say of a fixed stream. */
#ifndef ANB_TESTS_KEPT_H
#define ANB_TESTS_KEPT_H

#include "zoo.h"

enum { KEPT_ANSWERS = 32, KEPT_TEXT = KEPT_ANSWERS * (ANB_NUMBER_SIZE + 1) };

/* What the model says of the first rows of a fixed stream. */
static inline void kept_answers(StreamingLearner *model, double *out)
{
    ZooStream s = zoo_stream(77, false);
    for (size_t t = 0; t < KEPT_ANSWERS; t++) {
        zoo_next(&s);
        out[t] = anb_predict(model, s.x);
    }
}

/* As numbers with blanks between them: the note of a snapshot. */
static inline size_t kept_print(const double *answers, char *text)
{
    size_t n = 0;
    for (size_t t = 0; t < KEPT_ANSWERS; t++) {
        n += anb_number_format(answers[t], text + n);
        text[n++] = ' ';
    }
    return n;
}

#endif
