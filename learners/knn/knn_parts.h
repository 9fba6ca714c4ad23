/* Rows whose codes are by the factors of now, and behind them those with older codes: what a search of both shares. */
#ifndef ANB_LEARNERS_KNN_KNN_PARTS_H
#define ANB_LEARNERS_KNN_KNN_PARTS_H

#include "knn_search.h"

/* The window in two parts: by the new factors and by the older ones. */
typedef struct KnnParts {
    size_t newer, older;           /* rows */
    size_t newer_sets, older_sets; /* of the minima, in proportion; one more than wanted at most */
} KnnParts;

KnnParts anb_knn_parts(const AnbKnnSearch *near, size_t sets);

/* Squared distances of older codes become bounds of what those by the new factors may be at most. */
void anb_knn_parts_stretch(int32_t *minima, size_t n, const AnbKnnSearch *near);

/* What the older codes' squared distance may be of a row that is no further than one within `bound`. */
int32_t anb_knn_parts_widen_older(int32_t bound, const AnbKnnSearch *near);

/* The rows of both parts that may be as near as one within `bound`; returns how many. */
size_t anb_knn_parts_collect(const AnbKnnSearch *near, const KnnParts *parts, const int32_t *distance, int32_t bound,
                             uint32_t *index);

#endif
