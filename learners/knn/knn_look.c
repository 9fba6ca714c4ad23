/* A prediction: learners/knn.c has the formulas. */
#include "knn_coarse.h"
#include "knn_doubles.h"
#include "knn_look.h"
#include "knn_tile.h"
#include "ridge_plane.h"
#include <float.h>

/* ---- scratch ----------------------------------------------------------------------------------------------------- */

static size_t features(const AnbNode *self)
{
    return anb_knn_plan(self).d;
}

static size_t features_padded(const AnbNode *self)
{
    return anb_knn_search_padded(anb_knn_plan(self).d);
}

/* Floats for the query of a row and for the queries of a batch. */
static size_t queries(const AnbNode *self)
{
    return (1 + ANB_KNN_WAITING) * features_padded(self);
}

static size_t neighbours_and_one(const AnbNode *self)
{
    return anb_knn_plan(self).k + 1;
}

static size_t neighbours_in_lanes(const AnbNode *self)
{
    return anb_knn_search_padded(anb_knn_plan(self).k);
}

static size_t matrix(const AnbNode *self)
{
    View v = anb_knn_plan(self);
    return v.k * anb_ridge_plane_stride(v.plane);
}

/* Room for a float and a double for each row, or for the 16-bit distances of a tile. */
static size_t far_room(const AnbNode *self)
{
    const size_t rows = anb_knn_plan(self).rows, tile = ANB_KNN_TILE / 2 * anb_knn_tile_next(rows);
    return 3 * rows + 2 > tile ? 3 * rows + 2 : tile;
}

/* Room for six arrays of floats, each as long as a row of the plane. */
static size_t plane_rows(const AnbNode *self)
{
    return 6 * anb_ridge_plane_stride(anb_knn_plan(self).plane);
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

/* Listed and copied by sixteens. */
static size_t rows_and_spare(const AnbNode *self)
{
    return anb_knn_plan(self).rows + ANB_KNN_SEARCH_SPARE + 1;
}

/* Groups of minima: 8 minima for each neighbour, or 3 for each row that is measured exactly. */
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

/* Words for the codes of a query, in whole lanes, and of several, by the present and the older factors. */
static size_t codes(const AnbNode *self)
{
    const size_t d = anb_knn_plan(self).d;
    return anb_knn_search_padded(d) + 2 * ANB_KNN_TILE * anb_knn_search_pairs(d);
}

enum {
    LOOK,
    PULL,
    ADDS,
    SLOPE,
    QUERY,
    METRIC,
    U,
    Y,
    WEIGHT,
    SHARE,
    REST,
    SQUARE,
    FAR,
    PLANE,
    FIT,
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
    [SLOPE] = {.name = "slope", .kind = ANB_F64, .count = features},
    [QUERY] = {.name = "query", .kind = ANB_F32, .count = queries, .must = ANB_ALIGNED},
    [METRIC] = {.name = "metric", .kind = ANB_F32, .count = features_padded, .must = ANB_ALIGNED},
    [U] = {.name = "u", .kind = ANB_F32, .count = matrix, .must = ANB_ALIGNED},
    [Y] = {.name = "y", .kind = ANB_F32, .count = neighbours_in_lanes, .must = ANB_ALIGNED},
    [WEIGHT] = {.name = "weight", .kind = ANB_F32, .count = neighbours_in_lanes, .must = ANB_ALIGNED},
    [SHARE] = {.name = "share", .kind = ANB_F32, .count = neighbours_in_lanes, .must = ANB_ALIGNED},
    [REST] = {.name = "rest", .kind = ANB_F32, .count = neighbours_in_lanes, .must = ANB_ALIGNED},
    [SQUARE] = {.name = "square", .kind = ANB_F32, .count = neighbours_and_one},
    [FAR] = {.name = "far", .kind = ANB_F32, .count = far_room, .must = ANB_ALIGNED},
    [PLANE] = {.name = "plane", .kind = ANB_F32, .count = plane_rows, .must = ANB_ALIGNED},
    [FIT] = {.name = "fit", .kind = ANB_F32, .count = fit_work, .must = ANB_ALIGNED},
    [CODE] = {.name = "code", .kind = ANB_U32, .count = codes, .must = ANB_ALIGNED},
    [WHICH] = {.name = "which", .kind = ANB_U32, .count = plane_features},
    [INDEX] = {.name = "index", .kind = ANB_U32, .count = rows_and_spare, .must = ANB_ALIGNED},
    [NEAR] = {.name = "near", .kind = ANB_U32, .count = rows, .must = ANB_ALIGNED},
    [MINIMA] = {.name = "minima", .kind = ANB_U32, .count = minima, .must = ANB_ALIGNED},
    {0}};

KnnLook *anb_knn_last_look(const AnbNode *self, double *scratch)
{
    return anb_scratch(self, scratch, LOOK);
}

KnnScratch anb_knn_scratch(const AnbNode *self, const View *v, double *scratch)
{
    const size_t next = anb_ridge_plane_stride(v->plane), padded = anb_knn_search_padded(v->d);
    float *plane = anb_scratch(self, scratch, PLANE);
    uint32_t *code = anb_scratch(self, scratch, CODE);
    return (KnnScratch){.look = anb_knn_last_look(self, scratch),
                        .pull = anb_scratch(self, scratch, PULL),
                        .adds = anb_scratch(self, scratch, ADDS),
                        .slope = anb_scratch(self, scratch, SLOPE),
                        .query = anb_scratch(self, scratch, QUERY),
                        .metric = anb_scratch(self, scratch, METRIC),
                        .u = anb_scratch(self, scratch, U),
                        .y = anb_scratch(self, scratch, Y),
                        .weight = anb_scratch(self, scratch, WEIGHT),
                        .share = anb_scratch(self, scratch, SHARE),
                        .rest = anb_scratch(self, scratch, REST),
                        .square = anb_scratch(self, scratch, SQUARE),
                        .far = anb_scratch(self, scratch, FAR),
                        .part = plane,
                        .root = plane + next,
                        .ask = plane + 2 * next,
                        .place = plane + 3 * next,
                        .lean = plane + 4 * next,
                        .each = plane + 5 * next,
                        .fit = anb_scratch(self, scratch, FIT),
                        .code = code,
                        .older = code + padded / 2,
                        .codes = code + padded,
                        .which = anb_scratch(self, scratch, WHICH),
                        .index = anb_scratch(self, scratch, INDEX),
                        .near = anb_scratch(self, scratch, NEAR),
                        .minima = anb_scratch(self, scratch, MINIMA)};
}

/* ---- one look ---------------------------------------------------------------------------------------------------- */

/* A factor of squared differences as a float. That of a loaded state may be larger. */
static float factor_of(double metric)
{
    return metric < (double)FLT_MAX ? (float)metric : FLT_MAX;
}

/* Feature j is the next one of the plane. */
static void take_feature(const View *v, size_t j, size_t at, const KnnScratch *w)
{
    w->part[at] = (float)(1 + v->weights->beyond * anb_knn_trust(v, j) / w->pull[j]);
    w->root[at] = (float)sqrt(v->metric[j] < (double)FLT_MAX ? v->metric[j] : (double)FLT_MAX);
    w->which[at] = (uint32_t)j;
}

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
        take_feature(v, j, taken++, w);
    }
    for (size_t p = v->plane; p < anb_ridge_plane_stride(v->plane); p++)
        w->root[p] = w->ask[p] = 0;
    for (size_t j = 0; j < anb_knn_search_padded(v->d); j++)
        w->metric[j] = factor_of(v->metric[j]);
}

/* The neighbours in the units of knn_plane.h. */
typedef struct Unit {
    KnnSide side;
    double first, range; /* y_0; of the targets */
    float last, near;    /* largest squared distance, and 1 / it, or 0 */
} Unit;

static Unit unit_of(const View *v, size_t k, const KnnScratch *w)
{
    Unit u = {.first = v->y[w->index[0]]};
    u.side = (KnnSide){u.first, u.first};
    for (size_t i = 0; i < k; i++) {
        const double y = v->y[w->index[i]];
        u.last = w->square[i] > u.last ? w->square[i] : u.last;
        u.side.low = y < u.side.low ? y : u.side.low;
        u.side.high = y > u.side.high ? y : u.side.high;
    }
    u.near = anb_knn_plane_near(u.last);
    u.range = anb_knn_plane_range(u.side.low, u.side.high);
    return u;
}

/* Offsets, targets and weights of the neighbours side by side. */
static Unit gather(const View *v, size_t k, const KnnScratch *w)
{
    const Unit u = unit_of(v, k, w);
    const bool all = v->plane == v->d;
    const double narrow = anb_knn_plane_narrow(u.side.high - u.side.low);
    for (size_t i = 0; i < k; i++) {
        w->share[i] = u.near > 0 ? w->square[i] * u.near : 0; /* a square may be infinite */
        w->y[i] = (float)((v->y[w->index[i]] - u.first) * narrow);
    }
    for (size_t i = k; i < anb_knn_search_padded(k); i++)
        w->share[i] = 0;
    anb_knn_plane_weights(w->share, anb_knn_search_padded(k), knn_soft, w->share, w->weight);
    for (size_t p = 0; p < v->plane; p++)
        w->ask[p] = w->query[w->which[p]];
    const AnbKnnRows rows = {v->x, v->d, v->plane, k, all ? NULL : w->which, w->index, w->root, w->ask};
    anb_knn_plane_offsets(&rows, sqrtf(u.near), w->u, w->place);
    return u;
}

/* How the plane's value moves with b_j: through the weights of the neighbours by what the plane misses of them. */
static void pull(const View *v, size_t k, const Unit *unit, float plane, const KnnScratch *w)
{
    const size_t stride = anb_ridge_plane_stride(v->plane);
    double total = 0, of_kth = 0, squares = 0, base = (double)plane;
    const float *kth = w->u;
    memset(w->pull, 0, v->d * sizeof *w->pull);
    if (!(unit->near > 0))
        return;
    anb_ridge_plane_lines(w->u, stride, k, w->lean, w->rest);
    for (size_t j = 0; j < v->plane; j++)
        base -= (double)w->lean[j] * (double)w->place[j];
    for (size_t i = 0; i < k; i++) {
        const double near = (double)w->weight[i], share = w->share[i] > 1e-9f ? (double)w->share[i] : 1e-9;
        const double off = (double)w->y[i] - base - (double)w->rest[i], miss = near * near * off;
        total += near;
        squares += near * off * off;
        of_kth += miss * share;
        w->rest[i] = (float)(miss / share);
        kth = w->square[i] >= unit->last ? w->u + i * stride : kth;
    }
    w->look->miss = unit->range * sqrt(squares / total);
    anb_ridge_plane_squares(w->u, stride, k, v->plane, w->place, w->rest, w->each);
    for (size_t j = 0; j < v->plane; j++) {
        const double u = (double)kth[j] - (double)w->place[j];
        w->pull[w->which[j]] = unit->range / (2 * total) * (of_kth * (u * u) - (double)w->each[j]);
    }
}

KnnSearch anb_knn_look_search(const View *v, size_t n, bool bounded, const KnnScratch *w)
{
    AnbKnnSearch near = {.rows = n,
                         .d = v->d,
                         .window = v->x,
                         .code = v->code,
                         .metric = w->metric,
                         .bounded = v->s->bounded != 0,
                         .older = v->turn->under_way ? v->turn->turned : n,
                         .least = v->turn->least,
                         .most = v->turn->most};
    AnbKnnSearchQuery query = {w->query, w->code, w->older, bounded};
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
    return found + nearby_of(v, newer, n, wanted * (n - newer) / n + 1, w->older, w, w->index + found);
}

/* The k nearest of n rows, side by side. */
static Unit find(const View *v, size_t n, size_t k, bool bounded, const KnnScratch *w)
{
    KnnSearch search = anb_knn_look_search(v, n, bounded, w);
    if (v->coarse)
        anb_knn_search_nearest(&search.near, w->query, anb_knn_look_nearby(v, n, w), k, w->index, w->square,
                               &search.work);
    else
        anb_knn_search_search(&search.near, &search.query, k, w->index, w->square, &search.work);
    return gather(v, k, w);
}

/* Slopes of all features in their present units, and what each adds; nothing for those that the plane lacks. */
static void spread_out(const View *v, size_t k, const Unit *unit, const KnnScratch *w)
{
    const double near = (double)sqrtf(unit->near);
    anb_ridge_plane_parts(k, v->plane, w->lean, w->place, w->fit, w->each);
    memset(w->slope, 0, v->d * sizeof *w->slope);
    memset(w->adds, 0, v->d * sizeof *w->adds);
    for (size_t p = 0; p < v->plane; p++) {
        const size_t j = w->which[p];
        w->slope[j] = unit->range * (double)w->lean[p] * ((double)w->root[p] * near / v->inverse[j]);
        w->adds[j] = unit->range * (double)w->each[p];
    }
}

/* The query is encoded some time after it was taken, since a load of what was just stored in parts is slow. */
static double predict_by_neighbours(const View *v, size_t n, const KnnScratch *w)
{
    const size_t k = n < v->k ? n : v->k, padded = anb_ridge_plane_stride(v->plane);
    float mean;
    anb_knn_look_choose(v, w);
    const bool bounded = anb_knn_look_encode(v, w->query, w);
    const Unit unit = find(v, n, k, bounded, w);
    const AnbRidgeRows rows = {w->u, w->y, w->weight, k, v->plane};
    const AnbRidgeRule rule = {w->part, w->place, knn_ridge};
    const float plane = anb_ridge_plane_fit(&rows, &rule, w->lean, &mean, w->fit);
    w->look->mean = anb_knn_in_units(&unit.side, unit.first, mean);
    w->look->plane = anb_knn_in_units(&unit.side, unit.first, plane);
    if (!anb_knn_fits(v, k, w->look->plane))
        return w->look->mean;
    w->look->fitted = true;
    memset(w->lean + v->plane, 0, (padded - v->plane) * sizeof *w->lean);
    spread_out(v, k, &unit, w);
    pull(v, k, &unit, plane, w);
    return anb_knn_within(&unit.side, anb_knn_both(v->s, w->look));
}

/* Encodes the query by the present factors, and by the older ones while some rows have codes by those. */
bool anb_knn_look_encode(const View *v, const float *query, const KnnScratch *w)
{
    bool bounded = anb_knn_encode_query(v, query, false, w->code);
    if (v->turn->under_way)
        bounded |= anb_knn_encode_query(v, query, true, w->older);
    return bounded;
}

void anb_knn_look_take(const View *v, const double *x, float *query)
{
    anb_knn_doubles_cells(x, v->given, v->inverse, v->origin, knn_bound, query);
    if (v->given < v->d)
        query[v->given] = (float)(v->s->ring.pushed - v->s->made + 1) / knn_pace;
    for (size_t j = v->d; j < anb_knn_search_padded(v->d); j++)
        query[j] = 0;
}

double anb_knn_predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    View v = anb_knn_view(self, state);
    KnnScratch w = anb_knn_scratch(self, &v, scratch);
    size_t n = anb_ring_size(&v.s->ring, v.window);
    w.look->fitted = false;
    w.look->miss = 0;
    anb_knn_look_take(&v, row->x, w.query);
    return w.look->out = n > 0 ? predict_by_neighbours(&v, n, &w) : 0;
}
