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
 * 64 samples or 64th of the window, at first every 16, and with it the window's codes.
 *
 * A row takes as many places in the window as its weight has mean weights (src/numeric/weight_unit.h): fractions add up
 * over the samples, four at most at a time.
 *
 * State: knn_state.h. Cost: 3/4 window d operations on 16-bit numbers, then k d^2 multiply-adds and d^3 / 6 for d up
 * to 24; where m is made anew some 4 ns a row. Cleveland & Devlin 1988 on local regression.
 */
#include "learners/knn/knn_state.h"
#include "src/simd/kernels.h"
#include "learners/knn/ridge_plane.h"

enum { KNOWN = 100, SETTLED = 200, MOST_PLACES = 4 };
enum { FITTED, MEAN, PLANE, MISS, OUT, SAID }; /* of one look: 1 where there is a plane; its values; what it misses */
static const double ridge = 0.1, soft = 0.02, discount = 0.995;

static const AnbParam params[] = {
    {"window", ANB_COUNT, offsetof(AnbKnnOptions, window), 1000, 2, 1 << 20, 0, NULL, "samples remembered"},
    {"k", ANB_COUNT, offsetof(AnbKnnOptions, k), 0, 0, 1024, 0, NULL, "neighbours; 0: max(24, 2 min(d, 24))"},
    {"time", ANB_BOOL, offsetof(AnbKnnOptions, time), 1, 0, 0, 0, NULL, "the arrival index is one more feature"},
    {0},
};

/* ---- scratch ---- */

typedef struct Work {
    double *said, *pull;   /* SAID; d: how b_j moves f */
    double *query, *slope; /* d: as floats hold them, padded by zeros; 0 where the plane lacks the feature */
    double *u, *y, *weight, *distance, *rest; /* of the neighbours */
    double *far, *part, *fit;                 /* part: the plane's metric and slopes */
    double *square;                           /* ANB_KNN_PLANE, a multiple of eight */
    float *low;                               /* d: the query */
    uint32_t *code, *which, *index;           /* of the query; the plane's features; the window's rows */
    int32_t *near, *minima;
} Work;

/* Carves n doubles off scratch. */
static double *carve(double **scratch, size_t n)
{
    double *at = *scratch;
    *scratch += n;
    return at;
}

/* Doubles that hold n numbers of 4 bytes. */
static size_t halves(size_t n)
{
    return (n + 1) / 2;
}

static size_t sets(const View *v)
{
    return (8 * v->k + ANB_KNN_SEARCH_ROWS - 1) / ANB_KNN_SEARCH_ROWS;
}

static Work work(const View *v, double *scratch)
{
    Work w;
    w.said = carve(&scratch, SAID);
    w.pull = carve(&scratch, v->d);
    w.query = carve(&scratch, anb_knn_search_padded(v->d));
    w.slope = carve(&scratch, v->d);
    w.u = carve(&scratch, v->k * anb_ridge_plane_stride(v->plane));
    w.y = carve(&scratch, v->k);
    w.weight = carve(&scratch, v->k);
    w.distance = carve(&scratch, v->k + 1);
    w.rest = carve(&scratch, v->k);
    w.far = carve(&scratch, 2 * v->window);
    w.part = carve(&scratch, 2 * v->plane);
    w.square = carve(&scratch, ANB_KNN_PLANE);
    w.fit = carve(&scratch, anb_ridge_plane_work(v->k, v->plane));
    w.low = (float *)carve(&scratch, halves(v->d));
    w.code = (uint32_t *)carve(&scratch, halves(anb_knn_search_pairs(v->d)));
    w.which = (uint32_t *)carve(&scratch, halves(v->plane));
    w.index = (uint32_t *)carve(&scratch, halves(v->rows));
    w.near = (int32_t *)carve(&scratch, halves(v->rows));
    w.minima = (int32_t *)carve(&scratch, halves(sets(v) * ANB_KNN_SEARCH_ROWS));
    return w;
}

static AnbNeed need(const AnbNode *self)
{
    View v = anb_knn_plan(self);
    size_t of_d = 2 * v.d + anb_knn_search_padded(v.d) + halves(v.d) + halves(anb_knn_search_pairs(v.d));
    size_t of_k = v.k * anb_ridge_plane_stride(v.plane) + 4 * v.k + 1 + anb_ridge_plane_work(v.k, v.plane);
    size_t of_plane = 2 * v.plane + ANB_KNN_PLANE + halves(v.plane);
    size_t of_window = 2 * v.window + 2 * halves(v.rows) + halves(sets(&v) * ANB_KNN_SEARCH_ROWS);
    size_t scratch = SAID + of_d + of_k + of_plane + of_window;
    return (AnbNeed){anb_knn_bytes(&v), scratch};
}

static int init(const AnbNode *self, void *state)
{
    View v = anb_knn_view(self, state);
    anb_knn_remake(&v, NULL);
    return 0;
}

/* ---- one look ---- */

/* Which features the plane has: all, or those that the metric weighs most, in order. */
static void choose(const View *v, const Work *w)
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
static double gather(const View *v, size_t k, const Work *w)
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
static void pull(const View *v, size_t k, double last, const Work *w)
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
        double off = w->y[i] - w->said[PLANE] - w->rest[i], miss = near * near * off;
        total += near;
        squares += near * off * off;
        of_kth += miss * distance / last;
        w->rest[i] = miss / distance;
        kth = w->distance[i] >= last ? i : kth;
    }
    w->said[MISS] = sqrt(squares / total);
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
static double both(const Knn *s, const Work *w)
{
    double a = s->spread > 0 ? s->cross / s->spread : 1;
    return w->said[MEAN] + (a < 0 ? 0 : a > 1 ? 1 : a) * (w->said[PLANE] - w->said[MEAN]);
}

static double look(const View *v, size_t n, bool bounded, const Work *w)
{
    size_t k = n < v->k ? n : v->k;
    AnbKnnSearch near = {n, v->d, v->x, v->code, v->metric, v->s->bounded != 0};
    AnbKnnSearchWork space = {w->near, w->minima, w->far, sets(v)};
    anb_knn_search_search(&near, w->query, w->code, bounded, k, w->index, w->distance, &space);
    choose(v, w);
    double last = gather(v, k, w), *slope = w->part + v->plane;
    w->said[PLANE] =
        anb_ridge_plane_fit(w->u, w->y, w->weight, k, v->plane, w->part, ridge, slope, &w->said[MEAN], w->fit);
    if (!(w->said[PLANE] - w->said[PLANE] == 0) || (k < 10 && k <= v->plane))
        return w->said[MEAN];
    w->said[FITTED] = 1;
    memset(w->slope, 0, v->d * sizeof *w->slope);
    for (size_t j = 0; j < v->plane; j++)
        w->slope[w->which[j]] = slope[j];
    pull(v, k, last, w);
    return within(w->y, k, both(v->s, w));
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    View v = anb_knn_view(self, (void *)state);
    Work w = work(&v, scratch);
    size_t n = anb_ring_size(&v.s->ring, v.window);
    float limit = anb_knn_search_limit(v.d);
    w.low[v.d - 1] = (float)(v.s->ring.pushed - v.s->made + 1) / knn_pace;
    for (size_t j = 0; j < v.given; j++)
        w.low[j] = (float)(row->x[j] > knn_bound ? knn_bound : row->x[j] < -knn_bound ? -knn_bound : row->x[j]);
    for (size_t j = 0; j < v.d; j++)
        w.query[j] = (double)w.low[j];
    for (size_t j = v.d; j < anb_knn_search_padded(v.d); j++)
        w.query[j] = 0;
    w.said[FITTED] = w.said[MISS] = 0;
    bool bounded = anb_knn_search_encode_row(w.low, v.d, v.factor, limit, w.code, 1) > limit;
    return w.said[OUT] = n > 0 ? look(&v, n, bounded, &w) : 0;
}

/* ---- learning ---- */

static double clip(double value, double most)
{
    return value > most ? most : value < -most ? -most : value;
}

/* What the look before says of the plane's share, of the slopes and of the bends. */
static void weigh(const View *v, const Work *w, double y)
{
    Knn *s = v->s;
    double sd = anb_moments_sd(&s->target);
    if (w->said[FITTED] == 0 || !(sd > 0))
        return;
    double off = clip((y - w->said[MEAN]) / sd, 1e3), gain = clip((w->said[PLANE] - w->said[MEAN]) / sd, 1e3);
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
    Work w = work(&v, scratch);
    y = anb_target_bounded(&v.s->error, w.said[OUT], y);
    weigh(&v, &w, y);
    double whole = anb_weight_relative(&v.s->unit, weight);
    v.s->credit += whole < MOST_PLACES ? whole : MOST_PLACES;
    anb_moments_add(&v.s->target, y, weight);
    if (!(anb_nonfinite(&v.s->target.weight, 3) == 0)) {
        anb_restart(self, state, row);
        return;
    }
    for (; v.s->credit >= 1; v.s->credit -= 1) {
        anb_knn_keep(&v, w.low, w.query, y);
        if (v.s->ring.pushed % (v.s->ring.pushed < 512 ? 16 : v.period) == 0)
            anb_knn_remake(&v, row->importance);
    }
}

/* Shares of the squared slopes, unknown while there are few. */
static int shares(const AnbNode *self, const void *state, double *share)
{
    View v = anb_knn_view(self, (void *)state);
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
    View v = anb_knn_view(self, (void *)state);
    (void)row;
    return work(&v, scratch).said[MISS];
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
    .version = 2,
    .need = need,
    .init = init,
    .predict = predict,
    .update = update,
    .importance = &importance,
    .spread = &spread,
    .ranges = anb_knn_ranges,
    .validate = anb_knn_validate,
};
