/* Bare neighbours. */
#include "bare_experts.h"
#include "learners/knn/knn_plane.h"
#include "learners/knn/knn_search.h"

/* ---- knn: the exact neighbours by a metric that stays, the plane through them ------------------------------------ */

enum { WINDOW = 8000, SETS = 8 };

typedef struct Neighbours {
    size_t d, k, pushed;
    float *window, *factor, *metric, *query, *square, *far, *root, *place, *u, *value, *share, *weight, *slope, *work;
    uint32_t *code, *index, query_code[32];
    double *y;
    int32_t *near, *minima;
} Neighbours;

static void *neighbours_make(size_t d)
{
    const size_t blocks = anb_knn_search_blocks(WINDOW), rows = blocks * ANB_KNN_SEARCH_ROWS, k = d > 12 ? 2 * d : 24;
    double *at;
    const size_t doubles = rows * (2 * d + 8) + k * (anb_ridge_plane_stride(d) + 4) + anb_ridge_plane_work(k, d) + 4096;
    Neighbours *s = bare_piece(sizeof *s, doubles, &at);
    *s = (Neighbours){.d = d, .k = k};
    s->window = (float *)bare_next(&at, rows * d / 2 + ANB_KNN_SEARCH_SLACK);
    s->code = (uint32_t *)bare_next(&at, rows * anb_knn_search_pairs(d) / 2);
    s->y = bare_next(&at, WINDOW);
    s->far = (float *)bare_next(&at, 2 * WINDOW);
    s->index = (uint32_t *)bare_next(&at, (rows + ANB_KNN_SEARCH_SPARE + 1) / 2);
    s->near = (int32_t *)bare_next(&at, rows / 2);
    s->minima = (int32_t *)bare_next(&at, SETS * ANB_KNN_SEARCH_ROWS / 2);
    s->factor = (float *)bare_next(&at, anb_knn_search_padded(d) / 2);
    s->metric = (float *)bare_next(&at, anb_knn_search_padded(d));
    s->query = (float *)bare_next(&at, anb_knn_search_padded(d));
    s->square = (float *)bare_next(&at, k + 1);
    s->u = (float *)bare_next(&at, k * anb_ridge_plane_stride(d) / 2);
    s->value = (float *)bare_next(&at, k);
    s->share = (float *)bare_next(&at, k);
    s->weight = (float *)bare_next(&at, k);
    s->root = (float *)bare_next(&at, anb_knn_search_padded(d) / 2);
    s->place = (float *)bare_next(&at, anb_knn_search_padded(d) / 2);
    s->slope = (float *)bare_next(&at, anb_knn_search_padded(d) / 2);
    s->work = (float *)bare_next(&at, anb_ridge_plane_work(k, d) / 2 + 1);
    for (size_t j = 0; j < d; j++) {
        s->metric[j] = s->root[j] = 1;
        s->factor[j] = anb_knn_search_limit(d) / 4;
    }
    return s;
}

/* The plane through the k nearest, in the units of knn_plane.h. */
static double neighbours_plane(Neighbours *s, size_t k, const float *low)
{
    const double first = s->y[s->index[0]];
    const AnbKnnRows rows = {s->window, s->d, s->d, k, NULL, s->index, s->root, low};
    double least = first, most = first;
    float last = 0, mean;
    for (size_t i = 0; i < k; i++) {
        const double y = s->y[s->index[i]];
        last = s->square[i] > last ? s->square[i] : last;
        least = y < least ? y : least;
        most = y > most ? y : most;
    }
    const float near = anb_knn_plane_near(last);
    const double range = anb_knn_plane_range(least, most);
    for (size_t i = 0; i < k; i++) {
        s->share[i] = s->square[i] * near;
        s->value[i] = range > 0 ? (float)((s->y[s->index[i]] - first) / range) : 0;
    }
    anb_knn_plane_weights(s->share, (k + 15) / 16 * 16, .02f, s->share, s->weight);
    anb_knn_plane_offsets(&rows, sqrtf(near), s->u, s->place);
    const AnbRidgeRows of = {s->u, s->value, s->weight, k, s->d};
    const AnbRidgeRule rule = {s->root, s->place, .1f};
    return first + range * (double)anb_ridge_plane_fit(&of, &rule, s->slope, &mean, s->work);
}

static double neighbours_predict(Neighbours *s, size_t n, const float *low)
{
    const AnbKnnSearch near = {n, s->d, s->window, s->code, s->metric, false, n, 1, 1};
    const AnbKnnSearchQuery query = {s->query, s->query_code, NULL, false};
    const AnbKnnSearchWork space = {s->near, s->minima, s->far,
                                    (8 * s->k + ANB_KNN_SEARCH_ROWS - 1) / ANB_KNN_SEARCH_ROWS};
    size_t k = n < s->k ? n : s->k;
    for (size_t j = 0; j < s->d; j++)
        s->query[j] = low[j];
    anb_knn_search_search(&near, &query, k, s->index, s->square, &space);
    return neighbours_plane(s, k, low);
}

static double neighbours_train(void *self, const double *x, double y)
{
    Neighbours *s = self;
    static const float none[64];
    float low[64] = {0};
    for (size_t j = 0; j < s->d; j++)
        low[j] = (float)x[j];
    anb_knn_search_encode_row(low, s->d, s->factor, none, anb_knn_search_limit(s->d), s->query_code, 1);
    size_t n = s->pushed < WINDOW ? s->pushed : WINDOW, at = s->pushed++ % WINDOW;
    double f = n > 0 ? neighbours_predict(s, n, low) : 0;
    memcpy(s->window + at * s->d, low, s->d * sizeof *low);
    s->y[at] = y;
    for (size_t j = 0; j < anb_knn_search_pairs(s->d); j++)
        s->code[anb_knn_search_word(at, s->d) + j * ANB_KNN_SEARCH_ROWS] = s->query_code[j];
    return f;
}

const BareExpert bare_knn = {"knn(window=8000)", "the exact neighbours by equal shares, the plane; no metric to learn",
                             neighbours_make, neighbours_train};
