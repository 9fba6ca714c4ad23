/*
 * Incremental SAGE: the reduction of the expected squared error, divided among the columns as Shapley values.
 *
 *     v(S) = (y - E f(x_S, b))^2     gain of j = v(S) - v(S + j), S the columns before j in a random order
 *     from rows b_1 .. b_m, e_i = y - f(x_S, b_i):     v(S) ~ ((sum e_i)^2 - sum e_i^2) / (m (m - 1))
 *
 * The estimate of v is unbiased: each product is of two rows drawn independently. The same rows are used along the
 * order, which is also passed in reverse. v(no column) is of the faded mean of the predictions, v(all columns) of the
 * row's own.
 *
 * Covert, Lundberg & Lee 2020 (SAGE); Muschalik, Fumagalli, Hammer & Huellermeier 2023 (incremental).
 */
#include "importance.h"

/* Half of the rows that are kept leave within so many parts of the span: the mean of predictions follows as fast. */
enum { SPEED = 8 };

static void add_prediction(AnbImportance *m, double prediction)
{
    double span = m->options.span / SPEED, keep = 1 - 2 / (span + 1);
    m->prediction_weight = keep * m->prediction_weight + 1;
    m->mean_prediction += (prediction - m->mean_prediction) / m->prediction_weight;
}

static void draw_rows(AnbImportance *m)
{
    for (int i = 0; i < m->options.sage_rows; i++)
        m->drawn[i] = anb_random_below(&m->kept.random, (uint32_t)m->kept.used);
}

/* No column of the row is in the coalition. */
static void start_coalition(AnbImportance *m)
{
    size_t d = m->kept.width;
    for (int i = 0; i < m->options.sage_rows; i++)
        memcpy(m->mixed + (size_t)i * d, m->kept.row + m->drawn[i] * d, d * sizeof *m->mixed);
}

/* v of a coalition, from the predictions of its rows. */
static double coalition_loss(const AnbImportance *m, double y, const double *f)
{
    double sum = 0, squares = 0, n = m->options.sage_rows;
    for (int i = 0; i < m->options.sage_rows; i++) {
        double e = y - f[i];
        sum += e;
        squares += e * e;
    }
    return (sum * sum - squares) / (n * (n - 1));
}

/* Predicts the coalitions of the first k + 1, k + 2, .. columns of the order: as many as `mixed` has room for, and not
 * the one of all columns. On entry `mixed` begins with the rows of the coalition of the first k columns, on return with
 * those of the last one predicted. Returns the number of coalitions. */
static size_t predict_coalitions(AnbImportance *m, const StreamingLearner *model, const double *x, bool back, size_t k,
                                 double *f)
{
    size_t d = m->kept.width, rows = (size_t)m->options.sage_rows, bytes = rows * d * sizeof *m->mixed;
    size_t n = anb_mixed_rows(&m->options) / rows;
    n = n < d - 1 - k ? n : d - 1 - k;
    for (size_t s = 0; s < n; s++) {
        double *at = m->mixed + s * rows * d;
        if (s > 0)
            memcpy(at, at - rows * d, bytes);
        for (size_t i = 0, j = anb_order_at(m->order, d, back, k + s); i < rows; i++)
            at[i * d + j] = x[j];
    }
    anb_predict_many_with(model, m->reader, m->mixed, n * rows, f);
    if (n > 1)
        memcpy(m->mixed, m->mixed + (n - 1) * rows * d, bytes);
    return n;
}

/* One pass along the order, in reverse or not: half of each column's reduction is added to its gain. */
static void walk(AnbImportance *m, const StreamingLearner *model, const double *x, double y, double prediction,
                 bool back)
{
    size_t d = m->kept.width, rows = (size_t)m->options.sage_rows;
    double before = (y - m->mean_prediction) * (y - m->mean_prediction), f[ANB_SAGE_ROWS];
    start_coalition(m);
    for (size_t k = 0; k < d;) {
        size_t n = k + 1 < d ? predict_coalitions(m, model, x, back, k, f) : 1;
        for (size_t s = 0; s < n; s++, k++) {
            double now = k + 1 < d ? coalition_loss(m, y, f + s * rows) : (y - prediction) * (y - prediction);
            m->gain[anb_order_at(m->order, d, back, k)] += .5 * (before - now);
            before = now;
        }
    }
}

void anb_importance_walk(AnbImportance *m, const StreamingLearner *model, const double *x, double y, double prediction)
{
    size_t d = m->kept.width;
    add_prediction(m, prediction);
    for (size_t j = 0; j < d; j++) {
        m->order[j] = (uint32_t)j;
        m->gain[j] = 0;
    }
    anb_random_shuffle(&m->kept.random, m->order, d);
    draw_rows(m);
    walk(m, model, x, y, prediction, false);
    walk(m, model, x, y, prediction, true);
    for (size_t j = 0; j < d; j++)
        if (m->gain[j] - m->gain[j] == 0)
            m->watched[j].sage += (m->gain[j] - m->watched[j].sage) / m->weight;
}
