/* One look: learners/knn.c has the formulas. */
#include "knn_coarse.h"
#include "knn_look.h"
#include "knn_tile.h"
#include "ridge_plane.h"
#include "src/simd/kernels.h"

/* ---- scratch ----------------------------------------------------------------------------------------------------- */

static size_t features(const AnbNode *self)
{
    return anb_knn_plan(self).d;
}

static size_t features_padded(const AnbNode *self)
{
    return anb_knn_search_padded(anb_knn_plan(self).d);
}

/* Of one query, and of those that wait. */
static size_t queries(const AnbNode *self)
{
    return (1 + anb_knn_waiting(features(self))) * features_padded(self);
}

static size_t neighbours(const AnbNode *self)
{
    return anb_knn_plan(self).k;
}

static size_t neighbours_and_one(const AnbNode *self)
{
    return anb_knn_plan(self).k + 1;
}

static size_t matrix(const AnbNode *self)
{
    View v = anb_knn_plan(self);
    return v.k * anb_ridge_plane_stride(v.plane);
}

/* Doubles of two values a row, or words of the distances of a tile. */
static size_t far_room(const AnbNode *self)
{
    return ANB_KNN_TILE / 2 * anb_knn_tile_next(anb_knn_plan(self).rows);
}

static size_t plane_twice(const AnbNode *self)
{
    return 2 * anb_knn_plan(self).plane;
}

static size_t plane_features(const AnbNode *self)
{
    return anb_knn_plan(self).plane;
}

static size_t fit_work(const AnbNode *self)
{
    View v = anb_knn_plan(self);
    size_t one = anb_ridge_plane_work(v.k, v.plane), many = anb_ridge_plane_room(v.plane);
    return one > many ? one : many;
}

static size_t rows(const AnbNode *self)
{
    return anb_knn_plan(self).rows;
}

static size_t rows_and_spare(const AnbNode *self)
{
    return anb_knn_plan(self).rows + ANB_KNN_SEARCH_SPARE;
}

/* Of 8 minima for each neighbour, or 3 for each row that is looked at. */
static size_t sets(const View *v)
{
    const size_t each = v->coarse ? 3 * ANB_KNN_NEARBY : 8;
    return (each * v->k + ANB_KNN_SEARCH_ROWS - 1) / ANB_KNN_SEARCH_ROWS;
}

static size_t minima(const AnbNode *self)
{
    View v = anb_knn_plan(self);
    return ANB_KNN_TILE * (sets(&v) + 1) * ANB_KNN_SEARCH_ROWS;
}

/* Of one query and of several, by both factors. */
static size_t codes(const AnbNode *self)
{
    return (2 + 2 * ANB_KNN_TILE) * anb_knn_search_pairs(anb_knn_plan(self).d);
}

enum {
    LOOK,
    PULL,
    ADDS,
    QUERY,
    SLOPE,
    U,
    Y,
    WEIGHT,
    DISTANCE,
    REST,
    FAR,
    PART,
    SQUARE,
    FIT,
    LOW,
    CODE,
    WHICH,
    INDEX,
    NEAR,
    MINIMA
};

const AnbField anb_knn_scratch_fields[] = {
    [LOOK] = {ANB_SCRATCH_STRUCT(KnnLook)},
    [PULL] = {.name = "pull", .kind = ANB_F64, .count = features},
    [ADDS] = {.name = "adds", .kind = ANB_F64, .count = features},
    [QUERY] = {.name = "query", .kind = ANB_F64, .count = queries, .must = ANB_ALIGNED},
    [SLOPE] = {.name = "slope", .kind = ANB_F64, .count = features},
    [U] = {.name = "u", .kind = ANB_F64, .count = matrix, .must = ANB_ALIGNED},
    [Y] = {.name = "y", .kind = ANB_F64, .count = neighbours},
    [WEIGHT] = {.name = "weight", .kind = ANB_F64, .count = neighbours},
    [DISTANCE] = {.name = "distance", .kind = ANB_F64, .count = neighbours_and_one},
    [REST] = {.name = "rest", .kind = ANB_F64, .count = neighbours},
    [FAR] = {.name = "far", .kind = ANB_F64, .count = far_room, .must = ANB_ALIGNED},
    [PART] = {.name = "part", .kind = ANB_F64, .count = plane_twice},
    [SQUARE] = {.name = "square", .kind = ANB_F64, .fixed = ANB_KNN_PLANE},
    [FIT] = {.name = "fit", .kind = ANB_F64, .count = fit_work, .must = ANB_ALIGNED},
    [LOW] = {.name = "low", .kind = ANB_F32, .count = features, .must = ANB_ALIGNED},
    [CODE] = {.name = "code", .kind = ANB_U32, .count = codes, .must = ANB_ALIGNED},
    [WHICH] = {.name = "which", .kind = ANB_U32, .count = plane_features},
    [INDEX] = {.name = "index", .kind = ANB_U32, .count = rows_and_spare, .must = ANB_ALIGNED},
    [NEAR] = {.name = "near", .kind = ANB_U32, .count = rows, .must = ANB_ALIGNED},
    [MINIMA] = {.name = "minima", .kind = ANB_U32, .count = minima, .must = ANB_ALIGNED},
    {0}};

KnnScratch anb_knn_scratch(const AnbNode *self, double *scratch)
{
    return (KnnScratch){.look = anb_scratch(self, scratch, LOOK),
                        .pull = anb_scratch(self, scratch, PULL),
                        .adds = anb_scratch(self, scratch, ADDS),
                        .query = anb_scratch(self, scratch, QUERY),
                        .slope = anb_scratch(self, scratch, SLOPE),
                        .u = anb_scratch(self, scratch, U),
                        .y = anb_scratch(self, scratch, Y),
                        .weight = anb_scratch(self, scratch, WEIGHT),
                        .distance = anb_scratch(self, scratch, DISTANCE),
                        .rest = anb_scratch(self, scratch, REST),
                        .far = anb_scratch(self, scratch, FAR),
                        .part = anb_scratch(self, scratch, PART),
                        .square = anb_scratch(self, scratch, SQUARE),
                        .fit = anb_scratch(self, scratch, FIT),
                        .low = anb_scratch(self, scratch, LOW),
                        .code = anb_scratch(self, scratch, CODE),
                        .which = anb_scratch(self, scratch, WHICH),
                        .index = anb_scratch(self, scratch, INDEX),
                        .near = anb_scratch(self, scratch, NEAR),
                        .minima = anb_scratch(self, scratch, MINIMA)};
}

/* ---- one look ---------------------------------------------------------------------------------------------------- */

void anb_knn_look_choose(const View *v, const KnnScratch *w)
{
    size_t taken = 0, ties = v->plane;
    double least = 0, *metric = w->pull;
    for (size_t j = 0; j < v->d; j++)
        metric[j] = anb_knn_metric(v, j);
    if (v->d > v->plane) {
        memcpy(w->slope, metric, v->d * sizeof *w->slope);
        least = anb_knn_search_kth(w->slope, v->d, v->d - v->plane + 1);
        for (size_t j = 0; j < v->d; j++)
            ties -= metric[j] > least;
    }
    for (size_t j = 0; j < v->d && taken < v->plane; j++) {
        bool tie = metric[j] == least;
        if (metric[j] < least || (tie && ties == 0))
            continue;
        ties -= tie;
        w->part[taken] = metric[j] + v->weights->beyond * anb_knn_trust(v, j);
        w->which[taken++] = (uint32_t)j;
    }
}

/* The offsets of the neighbours, in the present unit of the features. */
static void gather_offsets(const View *v, size_t k, const KnnScratch *w)
{
    const size_t stride = anb_ridge_plane_stride(v->plane);
    if (v->plane == v->d) {
        anb_knn_search_offsets(v->x, v->d, w->index, k, w->query, w->u, stride);
        for (size_t i = 0; i < k; i++)
            for (size_t j = 0; j < v->d; j++)
                w->u[i * stride + j] *= v->inverse[j];
        return;
    }
    for (size_t i = 0; i < k; i++) {
        const float *x = v->x + w->index[i] * v->d;
        double *u = w->u + i * stride;
        for (size_t p = 0; p < v->plane; p++) {
            size_t j = w->which[p];
            u[p] = ((double)x[j] - w->query[j]) * v->inverse[j];
        }
    }
}

/* Offsets, targets and weights of the neighbours side by side; their largest distance. */
static double gather(const View *v, size_t k, const KnnScratch *w)
{
    double last = 0;
    for (size_t i = 0; i < k; i++)
        last = w->distance[i] > last ? w->distance[i] : last;
    gather_offsets(v, k, w);
    for (size_t i = 0; i < k; i++) {
        w->y[i] = v->y[w->index[i]];
        w->weight[i] = 1 / (knn_soft + (last > 0 ? w->distance[i] / last : 0));
    }
    return last;
}

/* How the plane's value moves with b_j: through the weights of the neighbours by what the plane misses of them. */
static void pull(const View *v, size_t k, double last, const KnnScratch *w)
{
    size_t stride = anb_ridge_plane_stride(v->plane), kth = 0;
    const double *slope = w->part + v->plane;
    double total = 0, of_kth = 0, squares = 0;
    memset(w->pull, 0, v->d * sizeof *w->pull);
    if (!(last > 0))
        return;
    anb_gemv(w->u, stride, k, slope, v->plane, w->rest);
    for (size_t i = 0; i < k; i++) {
        double near = w->weight[i], distance = w->distance[i] > 1e-9 * last ? w->distance[i] : 1e-9 * last;
        double off = w->y[i] - w->look->plane - w->rest[i], miss = near * near * off;
        total += near;
        squares += near * off * off;
        of_kth += miss * distance / last;
        w->rest[i] = miss / distance;
        kth = w->distance[i] >= last ? i : kth;
    }
    w->look->miss = sqrt(squares / total);
    anb_ridge_plane_squares(w->u, stride, k, v->plane, w->rest, w->square);
    for (size_t j = 0; j < v->plane; j++) {
        double u = w->u[kth * stride + j], scale = anb_knn_metric(v, w->which[j]) / (2 * last * total);
        w->pull[w->which[j]] = scale * (of_kth / last * (u * u) - w->square[j]);
    }
}

static KnnSide side_of(const double *y, size_t k)
{
    KnnSide side = {y[0], y[0]};
    for (size_t i = 1; i < k; i++) {
        side.low = y[i] < side.low ? y[i] : side.low;
        side.high = y[i] > side.high ? y[i] : side.high;
    }
    return side;
}

KnnSearch anb_knn_look_search(const View *v, size_t n, bool bounded, const KnnScratch *w)
{
    AnbKnnSearch near = {.rows = n,
                         .d = v->d,
                         .window = v->x,
                         .code = v->code,
                         .metric = v->metric,
                         .bounded = v->s->bounded != 0,
                         .older = v->turn->under_way ? v->turn->turned : n,
                         .least = v->turn->least,
                         .most = v->turn->most};
    AnbKnnSearchQuery query = {w->query, w->code, w->code + anb_knn_search_pairs(v->d), bounded};
    return (KnnSearch){near, query, {w->near, w->minima, w->far, sets(v)}};
}

/* Of the rows from `from` to `end`, at least so many that are nearest by their codes, or all; returns how many. */
static size_t nearby_of(const View *v, size_t from, size_t end, size_t wanted, const uint32_t *query,
                        const KnnScratch *w, uint32_t *index)
{
    const size_t pairs = anb_knn_search_pairs(v->coded), blocks = anb_knn_search_blocks(end - from), most = sets(v);
    const AnbKnnCoarse c = {v->coarse_code + anb_knn_coarse_at(from, pairs),
                            (const int8_t *)query,
                            end - from,
                            pairs,
                            (int16_t *)w->near,
                            (int16_t *)w->minima,
                            most < blocks ? most : blocks};
    const size_t minima = c.sets * ANB_KNN_SEARCH_ROWS;
    int16_t bound = ANB_KNN_COARSE_NONE;
    if (c.rows == 0)
        return 0;
    anb_knn_coarse_distances(&c);
    if (minima > wanted)
        bound = anb_knn_coarse_bound(c.minima, minima, wanted);
    size_t found = anb_knn_coarse_collect(c.distance, c.rows, bound, index);
    for (size_t i = 0; i < found; i++)
        index[i] += (uint32_t)from;
    return found;
}

size_t anb_knn_look_nearby(const View *v, size_t n, const KnnScratch *w)
{
    const size_t newer = v->turn->under_way ? v->turn->turned : n, wanted = ANB_KNN_NEARBY * v->k;
    size_t found = nearby_of(v, 0, newer, wanted * newer / n + 1, w->code, w, w->index);
    return found + nearby_of(v, newer, n, wanted * (n - newer) / n + 1, w->code + anb_knn_search_pairs(v->d), w,
                             w->index + found);
}

/* The k nearest of n rows, side by side; the largest of their distances. */
static double find(const View *v, size_t n, size_t k, bool bounded, const KnnScratch *w)
{
    KnnSearch search = anb_knn_look_search(v, n, bounded, w);
    if (v->coarse)
        anb_knn_search_nearest(&search.near, w->query, anb_knn_look_nearby(v, n, w), k, w->index, w->distance,
                               &search.work);
    else
        anb_knn_search_search(&search.near, &search.query, k, w->index, w->distance, &search.work);
    return gather(v, k, w);
}

/* Slopes of all features, and what each adds; nothing for those that the plane lacks. */
static void spread_out(const View *v, size_t k, const double *slope, const KnnScratch *w)
{
    anb_ridge_plane_parts(k, v->plane, slope, w->fit, w->square);
    memset(w->slope, 0, v->d * sizeof *w->slope);
    memset(w->adds, 0, v->d * sizeof *w->adds);
    for (size_t j = 0; j < v->plane; j++) {
        w->slope[w->which[j]] = slope[j];
        w->adds[w->which[j]] = w->square[j];
    }
}

static double look(const View *v, size_t n, bool bounded, const KnnScratch *w)
{
    size_t k = n < v->k ? n : v->k;
    anb_knn_look_choose(v, w);
    double last = find(v, n, k, bounded, w), *slope = w->part + v->plane;
    w->look->plane =
        anb_ridge_plane_fit(w->u, w->y, w->weight, k, v->plane, w->part, knn_ridge, slope, &w->look->mean, w->fit);
    if (!anb_knn_fits(v, k, w->look->plane))
        return w->look->mean;
    w->look->fitted = true;
    spread_out(v, k, slope, w);
    pull(v, k, last, w);
    KnnSide side = side_of(w->y, k);
    return anb_knn_within(&side, anb_knn_both(v->s, w->look));
}

/* By the factors, and by the older ones where there are rows with such codes. Whether a code was bounded. */
static bool encode_query(const View *v, const KnnScratch *w)
{
    bool bounded = anb_knn_encode_query(v, w->low, false, w->code);
    if (v->turn->under_way)
        bounded |= anb_knn_encode_query(v, w->low, true, w->code + anb_knn_search_pairs(v->d));
    return bounded;
}

/* The row as floats hold it, in doubles as well. */
static void take_row(const View *v, const double *x, const KnnScratch *w)
{
    w->low[v->d - 1] = (float)(v->s->ring.pushed - v->s->made + 1) / knn_pace;
    for (size_t j = 0; j < v->given; j++)
        w->low[j] = (float)anb_clip(anb_kept_cell(x[j], v->inverse[j], v->origin[j]), knn_bound);
    for (size_t j = 0; j < v->d; j++)
        w->query[j] = (double)w->low[j];
    for (size_t j = v->d; j < anb_knn_search_padded(v->d); j++)
        w->query[j] = 0;
}

bool anb_knn_look_begin(const View *v, const double *x, const KnnScratch *w)
{
    take_row(v, x, w);
    return encode_query(v, w);
}

double anb_knn_predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    View v = anb_knn_view(self, state);
    KnnScratch w = anb_knn_scratch(self, scratch);
    size_t n = anb_ring_size(&v.s->ring, v.window);
    w.look->fitted = false;
    w.look->miss = 0;
    bool bounded = anb_knn_look_begin(&v, row->x, &w);
    return w.look->out = n > 0 ? look(&v, n, bounded, &w) : 0;
}
