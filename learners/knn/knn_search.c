/* The exact nearest rows: candidates by their codes, then by distances of the rows themselves. */
#include "knn_search.h"
#include <string.h>

/* All rows that may be among the k nearest. */
static size_t candidates(const AnbKnnSearch *near, const uint32_t *code, size_t k, uint32_t *index,
                         const AnbKnnSearchWork *work)
{
    size_t blocks = anb_knn_search_blocks(near->rows), sets = work->sets < blocks ? work->sets : blocks;
    anb_knn_search_distances(near->code, near->rows, anb_knn_search_pairs(near->d), code, work->distance, work->minima,
                             sets);
    int32_t bound = INT32_MAX;
    if (sets * ANB_KNN_SEARCH_ROWS > k)
        bound = anb_knn_search_bound(work->minima, sets * ANB_KNN_SEARCH_ROWS, k);
    return anb_knn_search_collect(work->distance, near->rows, anb_knn_search_widen(bound, near->d), index);
}

static void swap(double *a, double *b)
{
    double t = *a;
    *a = *b;
    *b = t;
}

/* Hoare's selection; the middle as pivot. Each round leaves out one value at least. */
double anb_knn_search_kth(double *value, size_t n, size_t k)
{
    size_t low = 0, high = n - 1, at = k - 1;
    while (low < high) {
        double pivot = value[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (value[i] < pivot)
                i++;
            while (value[j] > pivot)
                j--;
            if (i >= j)
                break;
            swap(&value[i++], &value[j--]);
        }
        /* low..j hold at most the pivot, j+1..high at least it, and j < high. */
        if (at <= j)
            high = j;
        else
            low = j + 1;
    }
    return value[at];
}

void anb_knn_search_search(const AnbKnnSearch *near, const double *query, const uint32_t *code, bool bounded, size_t k,
                           uint32_t *index, double *distance, const AnbKnnSearchWork *work)
{
    size_t found = near->rows, nearer = 0, taken = 0;
    double *value = work->far, *copy = work->far + near->rows;
    if (bounded || near->bounded)
        for (size_t i = 0; i < near->rows; i++)
            index[i] = (uint32_t)i;
    else
        found = candidates(near, code, k, index, work);
    anb_knn_search_far(near->window, near->d, index, found, query, near->metric, value);
    if (found <= 96) {
        anb_knn_search_keep(value, found, k, index, distance);
        return;
    }
    memcpy(copy, value, found * sizeof *copy);
    double last = anb_knn_search_kth(copy, found, k);
    for (size_t c = 0; c < found; c++)
        nearer += value[c] < last;
    size_t ties = k - nearer;
    for (size_t c = 0; c < found && taken < k; c++) {
        bool tie = value[c] == last;
        if (value[c] > last || (tie && ties == 0))
            continue;
        ties -= tie;
        distance[taken] = sqrt(value[c]);
        index[taken++] = index[c];
    }
}
