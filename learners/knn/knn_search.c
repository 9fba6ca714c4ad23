/* The exact nearest rows: candidates by their codes, then by distances of the rows themselves. */
#include "knn_search.h"
#include "knn_parts.h"

enum { FEW = 96 }; /* values of which the k-th is found by comparing all with all */

/* How far a distance of codes may be from that of what they stand for: one unit a feature. */
static double slack(size_t d)
{
    return 1.005 * sqrt((double)d) + 0.5;
}

static int32_t squared(double root)
{
    return root <= 0 ? 0 : root * root < 2147483646 ? (int32_t)(root * root) + 1 : 2147483646;
}

void anb_knn_parts_stretch(int32_t *minima, size_t n, const AnbKnnSearch *near)
{
    double by = sqrt(near->most) * 1.000001, more = slack(near->d);
    for (size_t i = 0; i < n; i++)
        minima[i] = minima[i] == INT32_MAX ? INT32_MAX : squared(by * (sqrt((double)minima[i]) + more) - more);
}

int32_t anb_knn_parts_widen_older(int32_t bound, const AnbKnnSearch *near)
{
    double more = slack(near->d);
    return squared((sqrt((double)bound) + more) / (sqrt(near->least) * 0.999999) + more);
}

KnnParts anb_knn_parts(const AnbKnnSearch *near, size_t sets)
{
    KnnParts p = {near->rows, 0, 0, 0};
    size_t blocks = anb_knn_search_blocks(near->rows);
    sets = sets < blocks ? sets : blocks;
    p.newer = near->older < near->rows ? near->older : near->rows;
    p.older = near->rows - p.newer;
    size_t older_blocks = anb_knn_search_blocks(p.older);
    p.older_sets = p.older ? 1 + (sets - 1) * older_blocks / blocks : 0;
    p.newer_sets = sets - p.older_sets;
    if (p.newer && p.newer_sets == 0)
        p.newer_sets = 1;
    return p;
}

size_t anb_knn_parts_collect(const AnbKnnSearch *near, const KnnParts *p, const int32_t *distance, int32_t bound,
                             uint32_t *index)
{
    size_t found = 0;
    if (p->newer)
        found = anb_knn_search_collect(distance, p->newer, anb_knn_search_widen(bound, near->d), index);
    if (p->older) {
        size_t first = found;
        found += anb_knn_search_collect(distance + p->newer, p->older, anb_knn_parts_widen_older(bound, near),
                                        index + found);
        for (size_t i = first; i < found; i++)
            index[i] += (uint32_t)p->newer;
    }
    return found;
}

size_t anb_knn_search_candidates(const AnbKnnSearch *near, const AnbKnnSearchQuery *query, size_t k, uint32_t *index,
                                 const AnbKnnSearchWork *work)
{
    if (query->bounded || near->bounded)
        return 0;
    const size_t pairs = anb_knn_search_pairs(near->d);
    const KnnParts p = anb_knn_parts(near, work->sets);
    size_t words = p.newer * pairs, minima = p.newer_sets * ANB_KNN_SEARCH_ROWS, sets = p.newer_sets + p.older_sets;
    int32_t bound = INT32_MAX;
    if (p.newer)
        anb_knn_search_distances(near->code, p.newer, pairs, query->code, work->distance, work->minima, p.newer_sets);
    if (p.older) {
        anb_knn_search_distances(near->code + words, p.older, pairs, query->older, work->distance + p.newer,
                                 work->minima + minima, p.older_sets);
        anb_knn_parts_stretch(work->minima + minima, p.older_sets * ANB_KNN_SEARCH_ROWS, near);
    }
    if (sets * ANB_KNN_SEARCH_ROWS > k)
        bound = anb_knn_search_bound(work->minima, sets * ANB_KNN_SEARCH_ROWS, k);
    return anb_knn_parts_collect(near, &p, work->distance, bound, index);
}

/* Leaves out rows that are not among the k nearest by a bound; returns how many are left, in order. */
static size_t narrow(float *value, size_t n, size_t k, uint32_t *index, int32_t *key)
{
    const size_t whole = anb_knn_search_blocks(n) * ANB_KNN_SEARCH_ROWS;
    float most = 0;
    for (size_t i = 0; i < k; i++)
        most = value[i] > most ? value[i] : most;
    const float by = 0x1p24f / most;
    if (!(by < 0x1p100f && most < 0x1p100f))
        return n;
    for (size_t i = 0; i < n; i++)
        key[i] = value[i] <= most ? (int32_t)(value[i] * by) : INT32_MAX;
    for (size_t i = n; i < whole; i++)
        key[i] = INT32_MAX;
    const int32_t bound = anb_knn_search_bound(key, whole, k);
    size_t left = 0;
    for (size_t i = 0; i < n; i++) {
        value[left] = value[i];
        index[left] = index[i];
        left += key[i] <= bound;
    }
    return left;
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

void anb_knn_search_nearest(const AnbKnnSearch *near, const float *x, size_t found, size_t k, uint32_t *index,
                            float *square, const AnbKnnSearchWork *work)
{
    size_t nearer = 0, taken = 0;
    float *value = work->far;
    double *copy = (double *)(work->far + near->rows / 2 * 2 + 2);
    if (found == 0)
        for (; found < near->rows; found++)
            index[found] = (uint32_t)found;
    anb_knn_search_far(near->window, near->d, index, found, x, near->metric, value);
    if (found > 2 * k || found > FEW)
        found = narrow(value, found, k, index, work->distance);
    if (found <= FEW) {
        anb_knn_search_keep(value, found, k, index, square);
        return;
    }
    for (size_t c = 0; c < found; c++)
        copy[c] = (double)value[c];
    const float last = (float)anb_knn_search_kth(copy, found, k);
    for (size_t c = 0; c < found; c++)
        nearer += value[c] < last;
    size_t ties = k - nearer;
    for (size_t c = 0; c < found && taken < k; c++) {
        bool tie = value[c] == last;
        if (value[c] > last || (tie && ties == 0))
            continue;
        ties -= tie;
        square[taken] = value[c];
        index[taken++] = index[c];
    }
}

void anb_knn_search_search(const AnbKnnSearch *near, const AnbKnnSearchQuery *query, size_t k, uint32_t *index,
                           float *square, const AnbKnnSearchWork *work)
{
    size_t found = anb_knn_search_candidates(near, query, k, index, work);
    anb_knn_search_nearest(near, query->x, found, k, index, square, work);
}
