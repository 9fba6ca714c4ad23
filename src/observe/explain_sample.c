/*
 * Shapley values of one row against another by predicting coalitions of columns: all of them where few columns differ,
 * else along random orders of the columns, each also in reverse. Rows of coalitions are predicted many at once.
 */
#include "explain.h"
#include <math.h>

/* Predicts the rows that wait. */
static void predict_asked(AnbWalk *w)
{
    anb_predict_many_with(w->model, w->reader, w->asked, w->waiting, w->said + w->n_said);
    w->predictions += w->waiting;
    w->n_said += w->waiting;
    w->waiting = 0;
}

/* Asks for the prediction of the row `mixed`: after predict_asked it stands in `said`, in the order of the calls. */
static void ask(AnbWalk *w)
{
    memcpy(w->asked + w->waiting++ * w->d, w->mixed, w->d * sizeof *w->mixed);
    if (w->waiting == ANB_ROWS)
        predict_asked(w);
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
    w->n_said = 0;
    for (size_t s = 1; s < all; s++) {
        for (size_t k = 0; k < m; k++)
            w->mixed[w->order[k]] = (s >> k & 1 ? w->x : w->other)[w->order[k]];
        ask(w);
    }
    predict_asked(w);
    memcpy(worth + 1, w->said, w->n_said * sizeof *worth);
    worth[all] = w->f;
    for (size_t k = 0; k < m; k++)
        for (size_t s = 0; s <= all; s++)
            if (!(s >> k & 1)) {
                size_t size = (size_t)__builtin_popcountll(s);
                w->phi[w->order[k]] += weight_of(size, m) * (worth[s | (size_t)1 << k] - worth[s]);
            }
}

/* Asks for the coalitions along an order, but none and all of the columns. */
static void ask_order(AnbWalk *w, size_t m, bool back)
{
    for (size_t k = 0; k < m; k++)
        w->mixed[w->order[k]] = w->other[w->order[k]];
    for (size_t k = 0; k + 1 < m; k++) {
        uint32_t j = anb_order_at(w->order, m, back, k);
        w->mixed[j] = w->x[j];
        ask(w);
    }
}

/* Half of each column's change along the order is added to its value; `said` has what ask_order asked for. */
static void add_order(AnbWalk *w, size_t m, bool back, const double *said)
{
    double before = w->f_other;
    for (size_t k = 0; k < m; k++) {
        double now = k + 1 < m ? said[k] : w->f;
        w->once[anb_order_at(w->order, m, back, k)] += .5 * (now - before);
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
        w->n_said = 0;
        ask_order(w, m, false);
        ask_order(w, m, true);
        predict_asked(w);
        add_order(w, m, false, w->said);
        add_order(w, m, true, w->said + m - 1);
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
