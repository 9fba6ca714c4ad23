/*
 * Nearest neighbours in a sliding window, with a metric learned from their own slopes and a plane through them.
 *
 *     distance^2(x, i) = sum_j m_j (x_j - x_ij)^2        m_j = .9 d I_j + .02
 *     weight_i = 1 / (.05 + distance_i / distance_k)      over the k nearest; k = max(30, 2 min(d, 64)) unless told
 *     f(x) = mean + a (plane(x) - mean), clipped to their targets' range widened by a quarter
 *
 * mean is their weighted mean, plane the weighted ridge plane through them, and a in [0, 1] the share of the plane that was
 * best lately: sum e g / sum g^2 with e = y - mean, g = plane - mean, discounted .995.
 *
 * I is each feature's share of the mean squared slope of the planes fitted so far, an average over some 200 samples (the
 * diagonal of the expected outer product of gradients: Trivedi, Wang, Kpotufe & Shakhnarovich 2014). A feature that the
 * target does not bend with stops counting, which is most of what nearest neighbours need. Where the mixture knows shares
 * of its own, I is the mean of both. The plane's penalty of feature j is .15 / m_j of the mean moment: it trusts the
 * features that the metric trusts. Above 64 features the plane takes the 64 that m weighs most.
 *
 * Rows are kept in float32, bounded to +-1e15. A float32 pass over the window bounds the k-th distance; the rows within the
 * bound, widened by what rounding can have done, are looked at again in doubles: the neighbours are exact.
 *
 * State: target moments, squared slopes, the window (parts/near.h). Cost: 4 window d operations in float32, then
 * k d^2 / 2 + d^3 / 6 in doubles for d up to 64.
 * Cleveland & Devlin 1988 on local regression.
 */
#include "parts/kernels.h"
#include "parts/local.h"
#include "parts/moments.h"
#include "parts/near.h"
#include "parts/ring.h"
#include <anabranch/learners.h>
#include <float.h>

enum { MOST = 64, AT_LEAST = 30, KNOWN = 100 };
enum { FITTED, MEAN, PLANE, SAID };
static const double bound = 1e15, ridge = 0.15, soft = 0.05, pace = 0.005, discount = 0.995;

typedef struct Knn {
    AnbRing ring;
    AnbMoments target;
    uint64_t fits;        /* planes that the slopes are an average of */
    double cross, spread; /* discounted sums of e g and g^2: e the mean's error, g what the plane would add to it */
    double slopes[];      /* d mean squares, y in units of its deviation; then the window's y; then its rows */
} Knn;

static const AnbParam params[] = {
    {"window", ANB_COUNT, offsetof(AnbKnnOptions, window), 1000, 2, 1 << 20, 0, NULL, "samples remembered"},
    {"k", ANB_COUNT, offsetof(AnbKnnOptions, k), 0, 0, 1024, 0, NULL, "neighbours; 0: max(30, 2 min(d, 64))"},
    {0},
};

AnbKnnOptions anb_knn_defaults(void)
{
    AnbKnnOptions options;
    anb_options_defaults(&anb_knn, &options);
    return options;
}

/* Sizes, from the plan alone. */
typedef struct Sizes {
    size_t d, window, blocks, k, sets, plane; /* plane: features that it is fitted in */
} Sizes;

static Sizes sizes(const AnbNode *self)
{
    const AnbKnnOptions *o = self->options;
    Sizes z = {.d = self->n_features, .window = (size_t)o->window};
    z.plane = z.d < MOST ? z.d : MOST;
    z.blocks = (z.window + ANB_NEAR_ROWS - 1) / ANB_NEAR_ROWS;
    z.k = o->k > 0 ? (size_t)o->k : z.plane * 2 > AT_LEAST ? z.plane * 2 : AT_LEAST;
    z.k = z.k < z.window ? z.k : z.window;
    z.sets = (4 * z.k + ANB_NEAR_ROWS - 1) / ANB_NEAR_ROWS;
    return z;
}

static double *targets(const Sizes *z, Knn *s)
{
    return s->slopes + z->d;
}

static float *rows(const Sizes *z, Knn *s)
{
    return (float *)(targets(z, s) + z->window);
}

/* One search and fit. All in scratch. */
typedef struct Work {
    double *said;     /* FITTED: 1 where there is a plane; MEAN: of the neighbours; PLANE: the plane's value */
    double *metric;   /* d */
    double *query;    /* d, as floats hold them */
    double *slope;    /* d, 0 where the plane has no such feature */
    double *x, *y, *weight, *distance; /* of the neighbours: k rows of `plane` values, ... */
    double *far;      /* distances of the candidates, then a copy to select in: 2 window */
    double *part;     /* 3 plane: metric, query and slope of the plane's features */
    double *fit;
    uint32_t *which;  /* plane: which features those are */
    float *low_query, *low_metric, *low_distance, *minima;
    uint32_t *index;  /* window candidates */
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

static Work work(const Sizes *z, double *scratch)
{
    size_t all = z->blocks * ANB_NEAR_ROWS;
    Work w;
    w.said = carve(&scratch, SAID);
    w.metric = carve(&scratch, z->d);
    w.query = carve(&scratch, z->d);
    w.slope = carve(&scratch, z->d);
    w.x = carve(&scratch, z->k * z->plane);
    w.y = carve(&scratch, z->k);
    w.weight = carve(&scratch, z->k);
    w.distance = carve(&scratch, z->k);
    w.far = carve(&scratch, 2 * z->window);
    w.part = carve(&scratch, 3 * z->plane);
    w.fit = carve(&scratch, anb_local_work(z->k, z->plane));
    w.which = (uint32_t *)carve(&scratch, halves(z->plane));
    w.low_query = (float *)carve(&scratch, halves(z->d));
    w.low_metric = (float *)carve(&scratch, halves(z->d));
    w.low_distance = (float *)carve(&scratch, halves(all));
    w.minima = (float *)carve(&scratch, halves(z->sets * ANB_NEAR_ROWS));
    w.index = (uint32_t *)carve(&scratch, halves(all));
    return w;
}

static AnbNeed need(const AnbNode *self)
{
    Sizes z = sizes(self);
    size_t all = z.blocks * ANB_NEAR_ROWS;
    size_t scratch = SAID + 3 * z.d + z.k * z.plane + 3 * z.k + 2 * z.window + 3 * z.plane +
                     anb_local_work(z.k, z.plane) + halves(z.plane) + 2 * halves(z.d) + 2 * halves(all) +
                     halves(z.sets * ANB_NEAR_ROWS);
    return (AnbNeed){sizeof(Knn) + (z.d + z.window) * sizeof(double) + all * z.d * sizeof(float), scratch};
}

/* Rows that are not there yet are infinitely far. */
static int init(const AnbNode *self, void *state)
{
    Sizes z = sizes(self);
    float *window = rows(&z, state);
    for (size_t i = 0; i < z.blocks * ANB_NEAR_ROWS; i++)
        window[anb_near_at(i, 0, z.d)] = __builtin_inff();
    return 0;
}

/* ---- the metric ---- */

/* Own shares of the squared slopes, or equal ones before there are any. */
static void own_shares(const Sizes *z, const Knn *s, double *share)
{
    double total = 0;
    for (size_t j = 0; j < z->d; j++)
        total += s->slopes[j];
    for (size_t j = 0; j < z->d; j++)
        share[j] = total > 0 ? s->slopes[j] / total : 1 / (double)z->d;
}

static void set_metric(const Sizes *z, const Knn *s, const AnbRow *row, const Work *w)
{
    own_shares(z, s, w->metric);
    for (size_t j = 0; j < z->d; j++) {
        double share = row->importance ? 0.5 * (w->metric[j] + row->importance[j]) : w->metric[j];
        w->metric[j] = 0.9 * (double)z->d * share + 0.02;
        w->low_metric[j] = (float)w->metric[j];
        double x = row->x[j] > bound ? bound : row->x[j] < -bound ? -bound : row->x[j];
        w->low_query[j] = (float)x;
        w->query[j] = (double)w->low_query[j];
    }
}

/* ---- the neighbours ---- */

static double far(const Sizes *z, const float *window, const Work *w, size_t i)
{
    const float *x = window + anb_near_at(i, 0, z->d);
    double sum = 0;
    for (size_t j = 0; j < z->d; j++, x += ANB_NEAR_ROWS) {
        double off = (double)*x - w->query[j];
        sum += w->metric[j] * (off * off);
    }
    return sum;
}

/* The candidates: all rows whose float distance may be within the k-th. */
static size_t candidates(const Sizes *z, const float *window, size_t n, size_t k, const Work *w)
{
    size_t blocks = (n + ANB_NEAR_ROWS - 1) / ANB_NEAR_ROWS, sets = z->sets < blocks ? z->sets : blocks;
    float most = FLT_MAX;
    anb_near_distances(window, blocks, z->d, w->low_query, w->low_metric, w->low_distance, w->minima, sets);
    if (sets * ANB_NEAR_ROWS > k)
        most = anb_near_bound(w->minima, sets * ANB_NEAR_ROWS, k);
    double widened = (double)most * (1 + (double)(z->d + 8) * 0x1p-22);
    return anb_near_collect(w->low_distance, blocks, widened < FLT_MAX ? (float)widened : FLT_MAX, w->index, n);
}

static void swap(double *a, double *b)
{
    double t = *a;
    *a = *b;
    *b = t;
}

/* The k-th least of n doubles, k from 1, rearranged (Hoare's selection). */
static double kth(double *value, size_t n, size_t k)
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
        if (at <= j)
            high = j;
        else
            low = j + 1;
    }
    return value[at];
}

/* The k nearest in the order of the window, ties in that order as well: their distances, and index holds them. */
static void nearest(const Sizes *z, const float *window, size_t found, size_t k, const Work *w)
{
    double *copy = w->far + z->window;
    for (size_t c = 0; c < found; c++)
        copy[c] = w->far[c] = far(z, window, w, w->index[c]);
    double last = kth(copy, found, k);
    size_t nearer = 0, taken = 0;
    for (size_t c = 0; c < found; c++)
        nearer += w->far[c] < last;
    size_t ties = k - nearer;
    for (size_t c = 0; c < found && taken < k; c++) {
        bool tie = w->far[c] == last;
        if (w->far[c] > last || (tie && ties == 0))
            continue;
        ties -= tie;
        w->distance[taken] = sqrt(w->far[c]);
        w->index[taken++] = w->index[c];
    }
}

/* ---- the plane ---- */

/* Which features it has: all, or those that the metric weighs most, in order. */
static void choose(const Sizes *z, const Work *w)
{
    double *metric = w->part, *query = metric + z->plane, least = 0;
    if (z->d > z->plane) {
        memcpy(w->slope, w->metric, z->d * sizeof *w->slope);
        least = kth(w->slope, z->d, z->d - z->plane + 1);
    }
    size_t above = 0, taken = 0;
    for (size_t j = 0; j < z->d; j++)
        above += w->metric[j] > least;
    size_t ties = z->plane - (above < z->plane ? above : z->plane);
    for (size_t j = 0; j < z->d && taken < z->plane; j++) {
        bool tie = w->metric[j] == least;
        if (w->metric[j] < least || (tie && ties == 0))
            continue;
        ties -= tie;
        metric[taken] = w->metric[j];
        query[taken] = w->query[j];
        w->which[taken++] = (uint32_t)j;
    }
}

/* Rows, targets and weights of the neighbours side by side. */
static void gather(const Sizes *z, const float *window, const double *y, size_t k, double last, const Work *w)
{
    for (size_t i = 0; i < k; i++) {
        const float *x = window + anb_near_at(w->index[i], 0, z->d);
        for (size_t j = 0; j < z->plane; j++)
            w->x[i * z->plane + j] = (double)x[w->which[j] * ANB_NEAR_ROWS];
        w->y[i] = y[w->index[i]];
        w->weight[i] = 1 / (soft + (last > 0 ? w->distance[i] / last : 0));
    }
}

/* The plane's slopes at the features they belong to; 0 elsewhere. */
static void scatter(const Sizes *z, const Work *w)
{
    const double *slope = w->part + 2 * z->plane;
    memset(w->slope, 0, z->d * sizeof *w->slope);
    for (size_t j = 0; j < z->plane; j++)
        w->slope[w->which[j]] = slope[j];
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

/* The share of the plane. */
static double trust(const Knn *s)
{
    double a = s->spread > 0 ? s->cross / s->spread : 1;
    return a < 0 ? 0 : a > 1 ? 1 : a;
}

/* Metric, neighbours, plane; what is said without clipping. */
static double look(const Sizes *z, Knn *s, const AnbRow *row, size_t n, const Work *w)
{
    size_t k = n < z->k ? n : z->k, found;
    float *window = rows(z, s);
    set_metric(z, s, row, w);
    found = candidates(z, window, n, k, w);
    nearest(z, window, found, k, w);
    choose(z, w);
    double last = 0;
    for (size_t i = 0; i < k; i++)
        last = w->distance[i] > last ? w->distance[i] : last;
    gather(z, window, targets(z, s), k, last, w);
    w->said[PLANE] = anb_local_fit(w->x, z->plane, w->y, w->weight, k, z->plane, w->part, ridge, w->part + z->plane,
                                   w->part + 2 * z->plane, &w->said[MEAN], w->fit);
    w->said[FITTED] = (k >= 10 || k > z->plane) && w->said[PLANE] - w->said[PLANE] == 0;
    if (!w->said[FITTED])
        return w->said[MEAN];
    scatter(z, w);
    return within(w->y, k, w->said[MEAN] + trust(s) * (w->said[PLANE] - w->said[MEAN]));
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    Sizes z = sizes(self);
    Knn *s = (Knn *)state;
    Work w = work(&z, scratch);
    size_t n = anb_ring_size(&s->ring, z.window);
    if (n > 0)
        return look(&z, s, row, n, &w);
    set_metric(&z, s, row, &w);
    w.said[FITTED] = 0;
    return 0;
}

/* How far the plane was the better one, and what its slopes say of the features. */
static void weigh(const Sizes *z, Knn *s, const Work *w, double y)
{
    double sd = anb_moments_sd(&s->target);
    if (w->said[FITTED] == 0 || !(sd > 0))
        return;
    double error = (y - w->said[MEAN]) / sd, gain = (w->said[PLANE] - w->said[MEAN]) / sd;
    error = error > 1e3 ? 1e3 : error < -1e3 ? -1e3 : error;
    gain = gain > 1e3 ? 1e3 : gain < -1e3 ? -1e3 : gain;
    s->cross = discount * s->cross + error * gain;
    s->spread = discount * s->spread + gain * gain;
    double share = 1 / (double)++s->fits;
    for (size_t j = 0; j < z->d; j++) {
        double slope = fabs(w->slope[j]) / sd;
        slope = slope < 10 ? slope : 10;
        s->slopes[j] += (share > pace ? share : pace) * (slope * slope - s->slopes[j]);
    }
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    Sizes z = sizes(self);
    Knn *s = state;
    Work w = work(&z, scratch);
    weigh(&z, s, &w, y);
    anb_moments_add(&s->target, y, weight);
    if (!(anb_finite(&s->target.weight, 3) == 0)) {
        anb_restart(self, state, row);
        return;
    }
    size_t at = anb_ring_push(&s->ring, z.window);
    float *x = rows(&z, s) + anb_near_at(at, 0, z.d);
    for (size_t j = 0; j < z.d; j++)
        x[j * ANB_NEAR_ROWS] = w.low_query[j];
    targets(&z, s)[at] = y;
}

/* Shares of the squared slopes; unknown while there are few. */
static int query(const AnbNode *self, const void *state, const AnbRow *row, double *scratch, AnbQuery what, void *out)
{
    Sizes z = sizes(self);
    const Knn *s = state;
    (void)row;
    (void)scratch;
    if (what != ANB_QUERY_IMPORTANCE || s->fits < KNOWN)
        return ANB_E_UNSUPPORTED;
    own_shares(&z, s, out);
    return 0;
}

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    Sizes z = sizes(self);
    Knn *s = state;
    anb_ring_visit(&s->ring, visitor);
    anb_moments_visit(&s->target, visitor);
    anb_visit(visitor, &s->fits, ANB_U64, 1);
    anb_visit(visitor, &s->cross, ANB_F64, 2 + z.d);
    size_t used = anb_ring_size(&s->ring, z.window), full = used / ANB_NEAR_ROWS * ANB_NEAR_ROWS;
    anb_visit(visitor, targets(&z, s), ANB_F64, used);
    anb_visit(visitor, rows(&z, s), ANB_F32, full * z.d);
    for (size_t j = 0; j < z.d; j++)
        anb_visit(visitor, rows(&z, s) + anb_near_at(full, j, z.d), ANB_F32, used - full);
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    Sizes z = sizes(self);
    Knn *s = (Knn *)state;
    size_t used = anb_ring_size(&s->ring, z.window);
    double sick = anb_finite(&s->target.weight, 3) + anb_finite(&s->cross, 2 + z.d + used);
    bool fine = s->target.weight >= 0 && s->target.square >= 0 && s->spread >= 0;
    for (size_t i = 0; i < used; i++)
        for (size_t j = 0; j < z.d; j++)
            fine &= fabs((double)rows(&z, s)[anb_near_at(i, j, z.d)]) <= 1.0000001 * bound;
    for (size_t j = 0; j < z.d; j++)
        fine &= s->slopes[j] >= 0;
    return sick == 0 && fine ? 0 : anb_fail(error, ANB_E_STATE, "knn: a number is out of its range");
}

const StreamingLearnerType anb_knn = {
    .name = "knn",
    .brief = "nearest neighbours in a window, a learned metric, a plane through them",
    .example = "knn(window=200, k=20)",
    .options_size = sizeof(AnbKnnOptions),
    .params = params,
    .flags = ANB_READS_X | ANB_WEIGHT_UNIT,
    .version = 1,
    .need = need,
    .init = init,
    .predict = predict,
    .update = update,
    .query = query,
    .ranges = ranges,
    .validate = validate,
};
