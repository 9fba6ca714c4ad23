/*
 * Shapley values of one row against another by predicting coalitions of columns: all of them where few columns differ,
 * else along random orders of the columns, each also in reverse.
 */
#include "explain.h"
#include <math.h>

static double predict_mixed(AnbWalk *w)
{
    w->predictions++;
    return anb_predict_with(w->model, w->reader, w->mixed);
}

static bool same_cell(double a, double b)
{
    return a == b || (a != a && b != b);
}

/* The columns in which the two rows differ; the others are worth nothing. */
static size_t find_differing(AnbWalk *w)
{
    size_t m = 0;
    for (size_t j = 0; j < w->d; j++)
        if (!same_cell(w->x[j], w->other[j]))
            w->order[m++] = (uint32_t)j;
    return m;
}

/* Shapley's weight of a coalition of s out of m - 1 others: s! (m - 1 - s)! / m! */
static double weight_of(size_t s, size_t m)
{
    double w = 1 / (double)m;
    for (size_t i = 1; i <= s; i++)
        w = w * (double)i / (double)(m - i);
    return w;
}

/* All coalitions of m <= ANB_COUNTED columns. */
static void count(AnbWalk *w, size_t m)
{
    double worth[1 << ANB_COUNTED];
    size_t all = ((size_t)1 << m) - 1;
    worth[0] = w->f_other;
    worth[all] = w->f;
    for (size_t s = 1; s < all; s++) {
        for (size_t k = 0; k < m; k++)
            w->mixed[w->order[k]] = (s >> k & 1 ? w->x : w->other)[w->order[k]];
        worth[s] = predict_mixed(w);
    }
    for (size_t k = 0; k < m; k++)
        for (size_t s = 0; s <= all; s++)
            if (!(s >> k & 1)) {
                size_t size = (size_t)__builtin_popcountll(s);
                w->phi[w->order[k]] += weight_of(size, m) * (worth[s | (size_t)1 << k] - worth[s]);
            }
}

/* One pass along the order, in reverse or not: half of each column's change is added to its value. */
static void walk_order(AnbWalk *w, size_t m, bool back)
{
    double before = w->f_other;
    for (size_t k = 0; k < m; k++)
        w->mixed[w->order[k]] = w->other[w->order[k]];
    for (size_t k = 0; k < m; k++) {
        uint32_t j = w->order[back ? m - 1 - k : k];
        w->mixed[j] = w->x[j];
        double now = k + 1 < m ? predict_mixed(w) : w->f;
        w->once[j] += .5 * (now - before);
        before = now;
    }
}

static void add_once(AnbWalk *w, size_t m)
{
    for (size_t k = 0; k < m; k++) {
        uint32_t j = w->order[k];
        w->sum[j] += w->once[j];
        w->squares[j] += w->once[j] * w->once[j];
        w->once[j] = 0;
    }
}

static void sample(AnbWalk *w, size_t m)
{
    double pairs = w->pairs;
    for (size_t j = 0; j < w->d; j++)
        w->once[j] = w->sum[j] = w->squares[j] = 0;
    for (int p = 0; p < w->pairs; p++) {
        anb_random_shuffle(&w->random, w->order, m);
        walk_order(w, m, false);
        walk_order(w, m, true);
        add_once(w, m);
    }
    for (size_t k = 0; k < m; k++) {
        uint32_t j = w->order[k];
        double mean = w->sum[j] / pairs, rest = w->squares[j] / pairs - mean * mean;
        double variance = w->pairs > 1 ? fmax(rest, 0) / (pairs - 1) : 0;
        w->phi[j] += mean;
        w->square[j] += variance;
        w->fourth[j] += variance * variance;
    }
    w->exact = false;
}

void anb_walk_pair(AnbWalk *w)
{
    size_t m = find_differing(w);
    memcpy(w->mixed, w->other, w->d * sizeof *w->mixed);
    if (m <= ANB_COUNTED)
        count(w, m);
    else
        sample(w, m);
}
