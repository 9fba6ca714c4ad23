/* Whether a model follows the last targets that it has learned, which grow old where many rows are predicted without
 * one. */
#ifndef ANB_CLI_STALE_H
#define ANB_CLI_STALE_H

#include <anabranch/anabranch.h>

/* Rows that are predicted: the first of them, what was predicted, and how many there are. Zeroed at first. */
typedef struct Stale {
    double *x, *prediction;
    size_t kept, d;
    uint64_t rows;
} Stale;

/* Takes n rows of d cells and their predictions. */
void stale_see(Stale *stale, const double *x, const double *prediction, size_t n, size_t d);

/* Tells on stderr where a hundred rows or more were predicted by a model with learners of past targets and another last
 * target would have changed the predictions. Frees what is kept. */
void stale_warn(Stale *stale, const StreamingLearner *model, const char *table);

#endif
