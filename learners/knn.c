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
 * The arrival index, in units of 2,000 samples, is one more feature like the others: where the target drifts, near means
 * recent, and the plane has a trend.
 *
 * Rows are kept in float32, bounded to +-1e15; the neighbours among them are exact (parts/near.h). m is made anew every
 * 64 samples or 64th of the window, at first every 16, and with it the window's codes.
 *
 * State: moments, the metric and what it is made from, the window and its codes. Cost: 3/4 window d operations on
 * 16-bit numbers, then k d^2 multiply-adds and d^3 / 6 for d up to 24. Cleveland & Devlin 1988 on local regression.
 */
#include "parts/kernels.h"
#include "parts/local.h"
#include "parts/math.h"
#include "parts/moments.h"
#include "parts/near.h"
#include "parts/ring.h"
#include <anabranch/learners.h>
#include <stdlib.h>

enum { MOST = 24, AT_LEAST = 24, KNOWN = 100, SETTLED = 200 };
enum { FITTED, MEAN, PLANE, MISS, SAID }; /* of one look: 1 where there is a plane; its values; what it misses */
static const double bound = 1e15, ridge = 0.1, soft = 0.02, discount = 0.995;
static const float pace = 2000; /* samples to a unit of time */

typedef struct Knn {
    AnbRing ring;
    AnbMoments target;
    uint64_t fits;        /* planes that the slopes are an average of */
    uint64_t bounded;     /* whether a code in the window was */
    uint64_t made;        /* samples pushed when the metric was made: where the time feature is 0 */
    double cross, spread; /* discounted sums of e g and g^2 */
    double of_feature[];  /* arrays of d: see View; then the window's y, its rows, its codes */
} Knn;

static const AnbParam params[] = {
    {"window", ANB_COUNT, offsetof(AnbKnnOptions, window), 1000, 2, 1 << 20, 0, NULL, "samples remembered"},
    {"k", ANB_COUNT, offsetof(AnbKnnOptions, k), 0, 0, 1024, 0, NULL, "neighbours; 0: max(24, 2 min(d, 24))"},
    {"time", ANB_BOOL, offsetof(AnbKnnOptions, time), 1, 0, 0, 0, NULL, "the arrival index is one more feature"},
    {0},
};

AnbKnnOptions anb_knn_defaults(void)
{
    AnbKnnOptions options;
    anb_options_defaults(&anb_knn, &options);
    return options;
}

/* Sizes, and where everything of one node lies. */
typedef struct View {
    size_t given, d, window, rows;    /* features of a row; those and time; the window, and in whole blocks */
    size_t k, plane;                  /* neighbours; features that the plane is fitted in */
    size_t period;                    /* samples from one metric to the next */
    Knn *s;
    double *slopes, *bends, *squares; /* mean squared slopes; b, and the mean square of its gradient */
    double *metric, *reach, *y;       /* m, padded by zeros; the largest |x| seen, fading */
    float *factor, *x;                /* of the codes, padded by zeros; the rows */
    uint32_t *code;
} View;

/* Doubles before y. */
static size_t of_features(const View *v)
{
    return 4 * v->d + anb_near_padded(v->d);
}

static View plan(const AnbNode *self)
{
    const AnbKnnOptions *o = self->options;
    View v = {.given = self->n_features, .d = self->n_features + o->time, .window = (size_t)o->window};
    v.plane = v.d < MOST ? v.d : MOST;
    v.rows = anb_near_blocks(v.window) * ANB_NEAR_ROWS;
    v.k = o->k > 0 ? (size_t)o->k : v.plane * 2 > AT_LEAST ? v.plane * 2 : AT_LEAST;
    v.k = v.k < v.window ? v.k : v.window;
    v.period = v.window / 64 > 64 ? v.window / 64 : 64;
    return v;
}

/* Where the codes start: on a whole vector, since all of them are read for every prediction. */
static size_t codes_at(const View *v)
{
    size_t floats = anb_near_padded(v->d) + v->rows * v->d + ANB_NEAR_SLACK;
    return (sizeof(Knn) + (of_features(v) + v->window) * sizeof(double) + floats * sizeof(float) + 63) / 64 * 64;
}

static View view(const AnbNode *self, void *state)
{
    View v = plan(self);
    v.s = state;
    v.slopes = v.s->of_feature;
    v.bends = v.slopes + v.d;
    v.squares = v.bends + v.d;
    v.metric = v.squares + v.d;
    v.reach = v.metric + anb_near_padded(v.d);
    v.y = v.reach + v.d;
    v.factor = (float *)(v.y + v.window);
    v.x = v.factor + anb_near_padded(v.d);
    v.code = (uint32_t *)((char *)state + codes_at(&v));
    return v;
}

/* ---- scratch ---- */

typedef struct Work {
    double *said, *pull;              /* SAID; d: how b_j moves f */
    double *query, *slope;            /* d: as floats hold them, padded by zeros; 0 where the plane lacks the feature */
    double *u, *y, *weight, *distance, *rest; /* of the neighbours */
    double *far, *part, *fit;         /* part: the plane's metric and slopes */
    double *square;                   /* MOST, a multiple of eight */
    float *low;                       /* d: the query */
    uint32_t *code, *which, *index;   /* of the query; the plane's features; the window's rows */
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
    return (8 * v->k + ANB_NEAR_ROWS - 1) / ANB_NEAR_ROWS;
}

static Work work(const View *v, double *scratch)
{
    Work w;
    w.said = carve(&scratch, SAID);
    w.pull = carve(&scratch, v->d);
    w.query = carve(&scratch, anb_near_padded(v->d));
    w.slope = carve(&scratch, v->d);
    w.u = carve(&scratch, v->k * anb_local_stride(v->plane));
    w.y = carve(&scratch, v->k);
    w.weight = carve(&scratch, v->k);
    w.distance = carve(&scratch, v->k + 1);
    w.rest = carve(&scratch, v->k);
    w.far = carve(&scratch, 2 * v->window);
    w.part = carve(&scratch, 2 * v->plane);
    w.square = carve(&scratch, MOST);
    w.fit = carve(&scratch, anb_local_work(v->k, v->plane));
    w.low = (float *)carve(&scratch, halves(v->d));
    w.code = (uint32_t *)carve(&scratch, halves(anb_near_pairs(v->d)));
    w.which = (uint32_t *)carve(&scratch, halves(v->plane));
    w.index = (uint32_t *)carve(&scratch, halves(v->rows));
    w.near = (int32_t *)carve(&scratch, halves(v->rows));
    w.minima = (int32_t *)carve(&scratch, halves(sets(v) * ANB_NEAR_ROWS));
    return w;
}

static AnbNeed need(const AnbNode *self)
{
    View v = plan(self);
    size_t scratch = SAID + 2 * v.d + anb_near_padded(v.d) + v.k * anb_local_stride(v.plane) + 4 * v.k + 1 + 2 * v.window + 2 * v.plane + MOST +
                     anb_local_work(v.k, v.plane) + halves(v.d) + halves(anb_near_pairs(v.d)) + halves(v.plane) +
                     2 * halves(v.rows) + halves(sets(&v) * ANB_NEAR_ROWS);
    return (AnbNeed){codes_at(&v) + v.rows * anb_near_pairs(v.d) * sizeof(uint32_t), scratch};
}

/* ---- the metric ---- */

/* Shares of the squared slopes, or equal ones before there are any. */
static void shares(const View *v, double *share)
{
    double total = 0;
    for (size_t j = 0; j < v->d; j++)
        total += v->slopes[j];
    for (size_t j = 0; j < v->d; j++)
        share[j] = total > 0 ? v->slopes[j] / total : 1 / (double)v->d;
}

static void make_metric(const View *v, const double *importance)
{
    double total = 0;
    shares(v, v->metric);
    double known = v->given < v->d ? 1 - v->metric[v->given] : 1; /* of time nobody else knows */
    for (size_t j = 0; j < v->d; j++) {
        double share = importance && j < v->given ? 0.5 * (v->metric[j] + known * importance[j]) : v->metric[j];
        v->metric[j] = share * anb_exp(v->bends[j]);
        total += v->metric[j];
    }
    for (size_t j = 0; j < v->d; j++)
        v->metric[j] = 0.9 * (double)v->d * (total > 0 ? v->metric[j] / total : 1 / (double)v->d) + 0.01;
}

/* The time feature of `rows` rows side by side, the last of them `age` samples old. */
static void make_ages(const View *v, size_t from, size_t rows, int age)
{
    float *time = v->x + from * v->d + v->given;
    for (size_t i = 0; i < rows; i++, time += v->d)
        *time = -(float)(age + (int)(rows - 1 - i)) / pace;
}

/* The time feature of all rows: their age now, the newest one's being 0. */
static void make_time(const View *v)
{
    size_t used = anb_ring_size(&v->s->ring, v->window), next = (size_t)(v->s->ring.pushed % v->window);
    v->s->made = v->s->ring.pushed;
    if (v->given == v->d)
        return;
    size_t newer = used < v->window || next == 0 ? used : next;
    make_ages(v, 0, newer, 0);
    make_ages(v, newer, used - newer, (int)newer);
    v->reach[v->given] = (double)(2 * v->window) / (double)pace;
}

/* Codes for the metric, such that all rows within reach have one. */
static void make_codes(const View *v)
{
    double range = 0;
    for (size_t j = 0; j < v->d; j++) {
        double far = sqrt(v->metric[j]) * (v->reach[j] > 4 ? v->reach[j] : 4);
        range = far > range ? far : range;
    }
    float limit = anb_near_limit(v->d);
    for (size_t j = 0; j < v->d; j++)
        v->factor[j] = (float)(0.999 * (double)limit / range * sqrt(v->metric[j]));
    size_t used = anb_ring_size(&v->s->ring, v->window);
    v->s->bounded = anb_near_encode(v->x, used, v->d, v->factor, limit, v->code) > limit;
}

static int init(const AnbNode *self, void *state)
{
    View v = view(self, state);
    make_metric(&v, NULL);
    make_codes(&v);
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
        least = anb_near_kth(w->slope, v->d, v->d - v->plane + 1);
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
    size_t stride = anb_local_stride(v->plane);
    double last = 0;
    for (size_t i = 0; i < k; i++)
        last = w->distance[i] > last ? w->distance[i] : last;
    if (v->plane == v->d)
        anb_near_offsets(v->x, v->d, w->index, k, w->query, w->u, stride);
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
    size_t stride = anb_local_stride(v->plane), kth = 0;
    const double *metric = w->part, *slope = metric + v->plane;
    double total = 0, of_kth = 0, squares = 0;
    memset(w->pull, 0, v->d * sizeof *w->pull);
    if (!(last > 0))
        return;
    anb_gate_scores(w->u, stride, k, slope, v->plane, w->rest);
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
    anb_local_squares(w->u, stride, k, v->plane, w->rest, w->square);
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
    AnbNear near = {n, v->d, v->x, v->code, v->metric, v->s->bounded != 0};
    AnbNearWork space = {w->near, w->minima, w->far, sets(v)};
    anb_near_search(&near, w->query, w->code, bounded, k, w->index, w->distance, &space);
    choose(v, w);
    double last = gather(v, k, w), *slope = w->part + v->plane;
    w->said[PLANE] = anb_local_fit(w->u, w->y, w->weight, k, v->plane, w->part, ridge, slope, &w->said[MEAN], w->fit);
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
    View v = view(self, (void *)state);
    Work w = work(&v, scratch);
    size_t n = anb_ring_size(&v.s->ring, v.window);
    float limit = anb_near_limit(v.d);
    w.low[v.d - 1] = (float)(v.s->ring.pushed - v.s->made + 1) / pace;
    for (size_t j = 0; j < v.given; j++)
        w.low[j] = (float)(row->x[j] > bound ? bound : row->x[j] < -bound ? -bound : row->x[j]);
    for (size_t j = 0; j < v.d; j++)
        w.query[j] = (double)w.low[j];
    for (size_t j = v.d; j < anb_near_padded(v.d); j++)
        w.query[j] = 0;
    w.said[FITTED] = w.said[MISS] = 0;
    bool bounded = anb_near_encode_row(w.low, v.d, v.factor, limit, w.code, 1) > limit;
    return n > 0 ? look(&v, n, bounded, &w) : 0;
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

static void remember(const View *v, const Work *w, double y)
{
    Knn *s = v->s;
    size_t at = anb_ring_push(&s->ring, v->window);
    uint32_t *code = v->code + anb_near_word(at, v->d);
    float limit = anb_near_limit(v->d);
    v->y[at] = y;
    memcpy(v->x + at * v->d, w->low, v->d * sizeof(float));
    for (size_t j = 0; j < v->d; j++)
        v->reach[j] = fmax(fabs(w->query[j]), 0.9999 * v->reach[j]);
    if (anb_near_encode_row(w->low, v->d, v->factor, limit, code, ANB_NEAR_ROWS) > limit)
        s->bounded = 1;
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    View v = view(self, state);
    Work w = work(&v, scratch);
    weigh(&v, &w, y);
    anb_moments_add(&v.s->target, y, weight);
    if (!(anb_finite(&v.s->target.weight, 3) == 0)) {
        anb_restart(self, state, row);
        return;
    }
    remember(&v, &w, y);
    if (v.s->ring.pushed % (v.s->ring.pushed < 512 ? 16 : v.period) == 0) {
        make_metric(&v, row->importance);
        make_time(&v);
        make_codes(&v);
    }
}

/* Shares of the squared slopes, unknown while there are few; how far the neighbours lie off their plane. */
static int query(const AnbNode *self, const void *state, const AnbRow *row, double *scratch, AnbQuery what, void *out)
{
    View v = view(self, (void *)state);
    (void)row;
    if (what == ANB_QUERY_SPREAD && scratch) {
        *(double *)out = work(&v, scratch).said[MISS];
        return 0;
    }
    if (what != ANB_QUERY_IMPORTANCE || v.s->fits < KNOWN)
        return ANB_E_UNSUPPORTED;
    double *share = out, total = 0;
    for (size_t j = 0; j < v.given; j++)
        total += v.slopes[j];
    for (size_t j = 0; j < v.given; j++)
        share[j] = total > 0 ? v.slopes[j] / total : 1 / (double)v.given;
    return 0;
}

/* ---- snapshots ---- */

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    View v = view(self, state);
    Knn *s = v.s;
    anb_ring_visit(&s->ring, visitor);
    anb_moments_visit(&s->target, visitor);
    anb_visit(visitor, &s->fits, ANB_U64, 3);
    anb_visit(visitor, &s->cross, ANB_F64, 2);
    anb_visit(visitor, v.slopes, ANB_F64, of_features(&v));
    anb_visit(visitor, v.factor, ANB_F32, anb_near_padded(v.d));
    size_t used = anb_ring_size(&s->ring, v.window);
    anb_visit(visitor, v.y, ANB_F64, used);
    anb_visit(visitor, v.x, ANB_F32, used * v.d);
    size_t full = used / ANB_NEAR_ROWS * ANB_NEAR_ROWS, pairs = anb_near_pairs(v.d);
    anb_visit(visitor, v.code, ANB_U32, full * pairs);
    for (size_t j = 0; j < pairs; j++)
        anb_visit(visitor, v.code + anb_near_word(full, v.d) + j * ANB_NEAR_ROWS, ANB_U32, used - full);
}

/* Within the limit, so that no sum of squares leaves its integers. */
static bool codes_valid(const View *v, size_t used)
{
    float limit = anb_near_limit(v->d);
    bool fine = true;
    for (size_t i = 0; i < used; i++)
        for (size_t j = 0; j < anb_near_pairs(v->d); j++) {
            uint32_t word = v->code[anb_near_word(i, v->d) + j * ANB_NEAR_ROWS];
            int low = (int16_t)(word & 0xffff), high = (int16_t)(word >> 16);
            fine &= abs(low) <= (int)limit && abs(high) <= (int)limit;
        }
    return fine;
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    View v = view(self, (void *)state);
    size_t used = anb_ring_size(&v.s->ring, v.window);
    bool fine = anb_finite(&v.s->target.weight, 3) == 0 && anb_finite(&v.s->cross, 2 + of_features(&v)) == 0 &&
                anb_finite(v.y, used) == 0 && v.s->target.weight >= 0 && v.s->target.square >= 0 && v.s->spread >= 0 &&
                v.s->made <= v.s->ring.pushed && anb_ring_valid(&v.s->ring);
    for (size_t j = 0; j < v.d; j++)
        fine &= v.slopes[j] >= 0 && v.squares[j] >= 0 && fabs(v.bends[j]) <= 3 && v.metric[j] >= 0.01 &&
                v.reach[j] >= 0 && v.factor[j] > 0 && v.factor[j] <= 1e5f;
    for (size_t i = 0; i < used * v.d; i++)
        fine &= fabs((double)v.x[i]) <= 1.0000001 * bound;
    for (size_t j = v.d; j < anb_near_padded(v.d); j++)
        fine &= v.metric[j] == 0 && v.factor[j] == 0;
    fine &= v.s->bounded <= 1 && codes_valid(&v, used);
    return fine ? 0 : anb_fail(error, ANB_E_STATE, "knn: a number is out of its range");
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
