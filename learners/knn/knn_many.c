/*
 * Many looks: each query finds its candidates, then eight of them, one to a lane, measure those, choose the nearest, and
 * fit their planes. A query that this does not suit is asked alone: bounded codes, too many candidates, equal distances,
 * the last few rows.
 */
#include "knn_many.h"
#include "knn_look.h"
#include "ridge_plane.h"

enum { MANY = ANB_KNN_MANY, CANDIDATES = 96, NEIGHBOURS = 2 * ANB_KNN_PLANE, FEW = 3 };

/* Queries that wait for their turn. */
typedef struct Batch {
    const AnbNode *self;
    const void *state;
    View v;
    KnnScratch w;
    size_t n, k;          /* rows of the window; neighbours */
    size_t waiting, most; /* queries, and the most candidates of one */
    double *scratch;
    size_t at[MANY], found[MANY]; /* row of each, and its candidates */
    double query[ANB_KNN_MANY_D * MANY], value[CANDIDATES * MANY];
    uint32_t index[CANDIDATES * MANY];
} Batch;

/* The k nearest of all. */
typedef struct Nearest {
    uint32_t index[NEIGHBOURS * MANY];
    double y[NEIGHBOURS * MANY], weight[NEIGHBOURS * MANY];
} Nearest;

static void ask_alone(const Batch *b, const AnbRows *rows, size_t i, double *out)
{
    AnbRow row = anb_rows_at(rows, i);
    out[i] = anb_knn_predict(b->self, b->state, &row, b->scratch);
}

/* Takes row i in, or asks it alone. */
static void take(Batch *b, const AnbRows *rows, size_t i, double *out)
{
    size_t q = b->waiting, d = b->v.d;
    bool bounded = anb_knn_look_begin(&b->v, rows->x + i * rows->x_stride, &b->w);
    KnnSearch search = anb_knn_look_search(&b->v, b->n, bounded, &b->w);
    size_t found = anb_knn_search_candidates(&search.near, &search.query, b->k, b->w.index, &search.work);
    if (found == 0 || found > CANDIDATES) {
        ask_alone(b, rows, i, out);
        return;
    }
    for (size_t j = 0; j < ANB_KNN_MANY_D; j++)
        b->query[j * MANY + q] = j < d ? b->w.query[j] : 0;
    for (size_t c = 0; c < found; c++)
        b->index[c * MANY + q] = b->w.index[c];
    b->at[q] = i;
    b->found[q] = found;
    b->most = found > b->most ? found : b->most;
    b->waiting++;
}

/* Empty lanes repeat the first query, missing candidates are infinitely far. */
static void fill(Batch *b)
{
    for (size_t q = b->waiting; q < MANY; q++) {
        for (size_t j = 0; j < ANB_KNN_MANY_D; j++)
            b->query[j * MANY + q] = b->query[j * MANY];
        for (size_t c = 0; c < b->found[0]; c++)
            b->index[c * MANY + q] = b->index[c * MANY];
        b->found[q] = b->found[0];
    }
    for (size_t q = 0; q < MANY; q++)
        for (size_t c = b->found[q]; c < b->most; c++)
            b->index[c * MANY + q] = 0;
}

static void put_apart(Batch *b)
{
    for (size_t q = 0; q < MANY; q++)
        for (size_t c = b->found[q]; c < b->most; c++)
            b->value[c * MANY + q] = (double)INFINITY;
}

/* The candidates within each query's bound. */
static void keep(const Batch *b, const double *bound, Nearest *nearest)
{
    for (size_t q = 0; q < MANY; q++)
        for (size_t c = 0, i = 0; i < b->k; c++) {
            size_t from = c * MANY + q, to = i * MANY + q;
            nearest->index[to] = b->index[from];
            nearest->weight[to] = b->value[from];
            nearest->y[to] = b->v.y[b->index[from]];
            i += b->value[from] <= bound[q];
        }
}

/* What the nearest of each say. */
static void answer(const Batch *b, Nearest *nearest, double *out)
{
    double low[MANY], high[MANY], plane[MANY], mean[MANY], inverse[ANB_KNN_MANY_D] = {0};
    const AnbKnnNearest near = {b->v.x, b->v.d, b->k, b->query, nearest->index, nearest->y, nearest->weight, inverse};
    memcpy(inverse, b->v.inverse, b->v.d * sizeof *inverse);
    anb_knn_many_moments(&near, knn_soft, b->w.fit, low, high);
    anb_ridge_plane_fit_many(b->w.fit, b->v.plane, b->w.part, knn_ridge, plane, mean);
    for (size_t q = 0; q < b->waiting; q++) {
        KnnLook look = {.mean = mean[q], .plane = plane[q]};
        KnnSide side = {low[q], high[q]};
        bool fits = anb_knn_fits(&b->v, b->k, plane[q]);
        out[b->at[q]] = fits ? anb_knn_within(&side, anb_knn_both(b->v.s, &look)) : mean[q];
    }
}

/* All that wait. */
static void look(Batch *b, const AnbRows *rows, double *out)
{
    double bound[MANY];
    Nearest nearest;
    bool together = b->waiting >= FEW;
    if (together) {
        fill(b);
        anb_knn_many_far(b->v.x, b->v.d, b->index, b->most, b->query, b->v.metric, b->value);
        put_apart(b);
        together = anb_knn_many_bound(b->value, b->most, b->k, bound);
    }
    if (together) {
        keep(b, bound, &nearest);
        answer(b, &nearest, out);
    } else
        for (size_t q = 0; q < b->waiting; q++)
            ask_alone(b, rows, b->at[q], out);
    b->waiting = b->most = 0;
}

void anb_knn_predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    Batch b = {.self = self, .state = state, .scratch = scratch};
    b.v = anb_knn_view(self, state);
    b.w = anb_knn_scratch(self, scratch);
    b.n = anb_ring_size(&b.v.s->ring, b.v.window);
    b.k = b.n < b.v.k ? b.n : b.v.k;
    if (b.n == 0 || rows->n < FEW || b.v.d > ANB_KNN_MANY_D || b.k > NEIGHBOURS) {
        anb_predict_each(self, state, rows, scratch, out);
        return;
    }
    anb_knn_look_choose(&b.v, &b.w);
    for (size_t i = 0; i < rows->n; i++) {
        take(&b, rows, i, out);
        if (b.waiting == MANY)
            look(&b, rows, out);
    }
    look(&b, rows, out);
}
