/*
 * Nearest neighbours in a sliding window, with a metric learned from the stream and a plane through them.
 *
 *     distance^2(x, i) = sum_j m_j (x_j - x_ij)^2
 *     weight_i = 1 / (.02 + distance_i / distance_k)      over the k nearest; k = max(24, 2 min(d, 24)) unless told
 *     f(x) = mean + a (plane(x) - mean), clipped to their targets' range widened by a quarter
 *
 * mean is their weighted mean, plane the weighted ridge plane through them at x, and a in [0, 1] the share of the plane
 * that was best lately: sum e g / sum g^2 with e = y - mean, g = plane - mean, discounted .995.
 *
 *     m_j = .9 d S_j e^{b_j} / sum_l S_l e^{b_l} + .01
 *
 * S is each feature's share of the mean squared slope of the planes so far, an average over some 200 samples (the
 * diagonal of the expected outer product of gradients: Trivedi, Wang, Kpotufe & Shakhnarovich 2014); where the mixture
 * knows shares of its own, the mean of both. The bends b follow the gradient of the squared error by log m through the
 * weights, at unit size a step (.02, pulled back to 0 by .002 of itself; Weinberger & Tesauro 2007 in batches): a
 * feature that the target follows in a straight line needs no near neighbours. The plane's penalty of feature j is .1
 * / m_j of the mean moment: it trusts the features that the metric trusts. Above 24 features the plane takes the 24
 * that m weighs most.
 *
 * The arrival index, in units of 2,000 samples, is one more feature like the others: where the target drifts, near
 * means recent, and the plane has a trend.
 *
 * Rows are kept in float32, bounded to +-1e15; the neighbours among them are exact (learners/knn/knn_search.h). m is made anew every
 * 64 samples or 64th of the window, at first every 16; the window's codes follow in pieces.
 *
 * A row takes as many places in the window as its weight has mean weights (src/numeric/weight_unit.h): fractions add up
 * over the samples, four at most at a time.
 *
 * State: knn_state.h. Cost: 3/4 window d operations on 16-bit numbers, then k d^2 multiply-adds and d^3 / 6 for d up
 * to 24; where m is made anew some .8 us in the samples after it. Cleveland & Devlin 1988 on local regression.
 */
#include "learners/knn/knn_state.h"
#include "src/simd/kernels.h"
#include "learners/knn/ridge_plane.h"

enum { KNOWN = 100, SETTLED = 200, MOST_PLACES = 4 };
static const double ridge = 0.1, soft = 0.02, discount = 0.995;

static const AnbParam params[] = {
    {"window", ANB_COUNT, offsetof(AnbKnnOptions, window), 1000, 2, 1 << 20, 0, NULL, "samples remembered"},
    {"k", ANB_COUNT, offsetof(AnbKnnOptions, k), 0, 0, 1024, 0, NULL, "neighbours; 0: max(24, 2 min(d, 24))"},
    {"time", ANB_BOOL, offsetof(AnbKnnOptions, time), 1, 0, 0, 0, NULL, "the arrival index is one more feature"},
    {0},
};

/* ---- scratch ---- */

/* Of one look. */
typedef struct Look {
    bool fitted; /* there is a plane */
    double mean, plane, miss, out;
} Look;

static size_t features(const AnbNode *self)
{
    return anb_knn_plan(self).d;
}

static size_t features_padded(const AnbNode *self)
{
    return anb_knn_search_padded(anb_knn_plan(self).d);
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

static size_t window_twice(const AnbNode *self)
{
    return 2 * anb_knn_plan(self).window;
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
    return anb_ridge_plane_work(v.k, v.plane);
}

static size_t rows(const AnbNode *self)
{
    return anb_knn_plan(self).rows;
}

static size_t sets(const View *v)
{
    return (8 * v->k + ANB_KNN_SEARCH_ROWS - 1) / ANB_KNN_SEARCH_ROWS;
}

static size_t minima(const AnbNode *self)
{
    View v = anb_knn_plan(self);
    return (sets(&v) + 1) * ANB_KNN_SEARCH_ROWS;
}

static size_t pairs_twice(const AnbNode *self)
{
    return 2 * anb_knn_search_pairs(anb_knn_plan(self).d);
}

enum {
    LOOK,
    PULL,
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

static const AnbField scratch_fields[] = {
    [LOOK] = {ANB_SCRATCH_STRUCT(Look)},
    [PULL] = {.name = "pull", .kind = ANB_F64, .count = features},
    [QUERY] = {.name = "query", .kind = ANB_F64, .count = features_padded},
    [SLOPE] = {.name = "slope", .kind = ANB_F64, .count = features},
    [U] = {.name = "u", .kind = ANB_F64, .count = matrix},
    [Y] = {.name = "y", .kind = ANB_F64, .count = neighbours},
    [WEIGHT] = {.name = "weight", .kind = ANB_F64, .count = neighbours},
    [DISTANCE] = {.name = "distance", .kind = ANB_F64, .count = neighbours_and_one},
    [REST] = {.name = "rest", .kind = ANB_F64, .count = neighbours},
    [FAR] = {.name = "far", .kind = ANB_F64, .count = window_twice},
    [PART] = {.name = "part", .kind = ANB_F64, .count = plane_twice},
    [SQUARE] = {.name = "square", .kind = ANB_F64, .fixed = ANB_KNN_PLANE},
    [FIT] = {.name = "fit", .kind = ANB_F64, .count = fit_work},
    [LOW] = {.name = "low", .kind = ANB_F32, .count = features},
    [CODE] = {.name = "code", .kind = ANB_U32, .count = pairs_twice},
    [WHICH] = {.name = "which", .kind = ANB_U32, .count = plane_features},
    [INDEX] = {.name = "index", .kind = ANB_U32, .count = rows},
    [NEAR] = {.name = "near", .kind = ANB_U32, .count = rows},
    [MINIMA] = {.name = "minima", .kind = ANB_U32, .count = minima},
    {0}};

typedef struct KnnScratch {
    Look *look;
    double *pull;          /* d: how b_j moves f */
    double *query, *slope; /* d: as floats hold them, padded by zeros; 0 where the plane lacks the feature */
    double *u, *y, *weight, *distance, *rest; /* of the neighbours */
    double *far, *part, *fit;                 /* part: the plane's metric and slopes */
    double *square;                           /* ANB_KNN_PLANE, a multiple of eight */
    float *low;                               /* d: the query */
    uint32_t *code, *which, *index; /* of the query, by both factors; the plane's features; the window's rows */
    int32_t *near, *minima;
} KnnScratch;

static KnnScratch scratch_of(const AnbNode *self, double *scratch)
{
    return (KnnScratch){.look = anb_scratch(self, scratch, LOOK),
                        .pull = anb_scratch(self, scratch, PULL),
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

static int init(const AnbNode *self, void *state)
{
    View v = anb_knn_view(self, state);
    anb_knn_remake(&v, NULL);
    return 0;
}

/* ---- one look ---- */

/* Which features the plane has: all, or those that the metric weighs most, in order. */
static void choose(const View *v, const KnnScratch *w)
{
    size_t taken = 0, ties = v->plane;
    double least = 0;
    if (v->d > v->plane) {
        memcpy(w->slope, v->metric, v->d * sizeof *w->slope);
        least = anb_knn_search_kth(w->slope, v->d, v->d - v->plane + 1);
        for (size_t j = 0; j < v->d; j++)
            ties -= v->metric[j] > least;
    }
    for (size_t j = 0; j < v->d && taken < v->plane; j++) {
        bool tie = v->metric[j] == least;
        if (v->metric[j] < least || (tie && ties == 0))
            continue;
        ties -= tie;
        w->part[taken] = v->metric[j];
        w->which[taken++] = (uint32_t)j;
    }
}

/* Offsets, targets and weights of the neighbours side by side; their largest distance. */
static double gather(const View *v, size_t k, const KnnScratch *w)
{
    size_t stride = anb_ridge_plane_stride(v->plane);
    double last = 0;
    for (size_t i = 0; i < k; i++)
        last = w->distance[i] > last ? w->distance[i] : last;
    if (v->plane == v->d)
        anb_knn_search_offsets(v->x, v->d, w->index, k, w->query, w->u, stride);
    for (size_t i = 0; i < k; i++) {
        const float *x = v->x + w->index[i] * v->d;
        for (size_t j = 0; j < v->plane && v->plane < v->d; j++)
            w->u[i * stride + j] = (double)x[w->which[j]] - w->query[w->which[j]];
        w->y[i] = v->y[w->index[i]];
        w->weight[i] = 1 / (soft + (last > 0 ? w->distance[i] / last : 0));
    }
    return last;
}

/* How the plane's value moves with b_j: through the weights of the neighbours by what the plane misses of them. */
static void pull(const View *v, size_t k, double last, const KnnScratch *w)
{
    size_t stride = anb_ridge_plane_stride(v->plane), kth = 0;
    const double *metric = w->part, *slope = metric + v->plane;
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
        double u = w->u[kth * stride + j], scale = metric[j] / (2 * last * total);
        w->pull[w->which[j]] = scale * (of_kth / last * (u * u) - w->square[j]);
    }
}

static double within(const double *y, size_t k, double f)
{
    double low = y[0], high = y[0];
    for (size_t i = 1; i < k; i++) {
        low = y[i] < low ? y[i] : low;
        high = y[i] > high ? y[i] : high;
    }
    double margin = 0.25 * high - 0.25 * low;
    return f < low - margin ? low - margin : f > high + margin ? high + margin : f;
}

/* The mean and the plane, in the shares that were best lately. */
static double both(const Knn *s, const KnnScratch *w)
{
    double a = s->spread > 0 ? s->cross / s->spread : 1;
    return w->look->mean + (a < 0 ? 0 : a > 1 ? 1 : a) * (w->look->plane - w->look->mean);
}

static double look(const View *v, size_t n, bool bounded, const KnnScratch *w)
{
    size_t k = n < v->k ? n : v->k;
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
    AnbKnnSearchWork space = {w->near, w->minima, w->far, sets(v)};
    anb_knn_search_search(&near, &query, k, w->index, w->distance, &space);
    choose(v, w);
    double last = gather(v, k, w), *slope = w->part + v->plane;
    w->look->plane =
        anb_ridge_plane_fit(w->u, w->y, w->weight, k, v->plane, w->part, ridge, slope, &w->look->mean, w->fit);
    if (!(w->look->plane - w->look->plane == 0) || (k < 10 && k <= v->plane))
        return w->look->mean;
    w->look->fitted = true;
    memset(w->slope, 0, v->d * sizeof *w->slope);
    for (size_t j = 0; j < v->plane; j++)
        w->slope[w->which[j]] = slope[j];
    pull(v, k, last, w);
    return within(w->y, k, both(v->s, w));
}

/* By the factors, and by the older ones where there are rows with such codes. Whether a code was bounded. */
static bool encode_query(const View *v, const KnnScratch *w)
{
    float limit = anb_knn_search_limit(v->d), most, older = 0;
    most = anb_knn_search_encode_row(w->low, v->d, v->factor, v->offset, limit, w->code, 1);
    if (v->turn->under_way)
        older = anb_knn_search_encode_row(w->low, v->d, v->older, v->older_offset, limit,
                                          w->code + anb_knn_search_pairs(v->d), 1);
    return most > limit || older > limit;
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    View v = anb_knn_view(self, state);
    KnnScratch w = scratch_of(self, scratch);
    size_t n = anb_ring_size(&v.s->ring, v.window);
    w.low[v.d - 1] = (float)(v.s->ring.pushed - v.s->made + 1) / knn_pace;
    for (size_t j = 0; j < v.given; j++)
        w.low[j] = (float)(row->x[j] > knn_bound ? knn_bound : row->x[j] < -knn_bound ? -knn_bound : row->x[j]);
    for (size_t j = 0; j < v.d; j++)
        w.query[j] = (double)w.low[j];
    for (size_t j = v.d; j < anb_knn_search_padded(v.d); j++)
        w.query[j] = 0;
    w.look->fitted = false;
    w.look->miss = 0;
    bool bounded = encode_query(&v, &w);
    return w.look->out = n > 0 ? look(&v, n, bounded, &w) : 0;
}

/* ---- learning ---- */

static double clip(double value, double most)
{
    return value > most ? most : value < -most ? -most : value;
}

/* What the look before says of the plane's share, of the slopes and of the bends. */
static void weigh(const View *v, const KnnScratch *w, double y)
{
    Knn *s = v->s;
    double sd = anb_moments_sd(&s->target);
    if (!w->look->fitted || !(sd > 0))
        return;
    double off = clip((y - w->look->mean) / sd, 1e3), gain = clip((w->look->plane - w->look->mean) / sd, 1e3);
    double error = clip((both(s, w) - y) / sd, 3), age = 1 / (double)++s->fits;
    s->cross = discount * s->cross + off * gain;
    s->spread = discount * s->spread + gain * gain;
    for (size_t j = 0; j < v->d; j++) {
        double slope = clip(w->slope[j] / sd, 10), gradient = clip(error * (w->pull[j] / sd), 1e3);
        v->slopes[j] += (age > 0.005 ? age : 0.005) * (slope * slope - v->slopes[j]);
        v->squares[j] += (age > 0.002 ? age : 0.002) * (gradient * gradient - v->squares[j]);
        if (s->fits > SETTLED && v->squares[j] > 1e-100)
            v->bends[j] = clip(0.998 * v->bends[j] - 0.02 * gradient / sqrt(v->squares[j]), 3);
    }
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    View v = anb_knn_view(self, state);
    KnnScratch w = scratch_of(self, scratch);
    y = anb_target_bounded(&v.weights->error, w.look->out, y);
    weigh(&v, &w, y);
    double whole = anb_weight_relative(&v.weights->unit, weight);
    v.weights->credit += whole < MOST_PLACES ? whole : MOST_PLACES;
    anb_moments_add(&v.s->target, y, weight);
    if (!(anb_nonfinite(&v.s->target.weight, 3) == 0)) {
        anb_restart(self, state, row);
        return;
    }
    for (; v.weights->credit >= 1; v.weights->credit -= 1) {
        anb_knn_keep(&v, w.low, w.query, y);
        if (v.s->ring.pushed % (v.s->ring.pushed < 512 ? 16 : v.period) == 0)
            anb_knn_remake(&v, row->importance);
        else
            anb_knn_turn(&v);
    }
}

/* Shares of the squared slopes, unknown while there are few. */
static int shares(const AnbNode *self, const void *state, double *share)
{
    View v = anb_knn_view(self, state);
    double total = 0;
    if (v.s->fits < KNOWN)
        return ANB_E_UNSUPPORTED;
    for (size_t j = 0; j < v.given; j++)
        total += v.slopes[j];
    for (size_t j = 0; j < v.given; j++)
        share[j] = total > 0 ? v.slopes[j] / total : 1 / (double)v.given;
    return 0;
}

/* How far the neighbours lie off their plane. */
static double off_plane(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    (void)state, (void)row;
    return scratch_of(self, scratch).look->miss;
}

static const AnbImportanceTable importance = {shares};
static const AnbSpreadTable spread = {off_plane};

const StreamingLearnerType anb_knn = {
    .name = "knn",
    .brief = "nearest neighbours in a window, a learned metric, a plane through them",
    .example = "knn(window=200, k=20)",
    .options_size = sizeof(AnbKnnOptions),
    .params = params,
    .flags = ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_READS_OLDER,
    .version = 3,
    .fields = anb_knn_fields,
    .scratch = scratch_fields,
    .init = init,
    .predict = predict,
    .update = update,
    .importance = &importance,
    .spread = &spread,
    .validate = anb_knn_validate,
};
