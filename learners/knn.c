/*
 * Nearest neighbours in a sliding window, with a metric learned from the stream and a plane through the neighbours.
 *
 *     distance^2(x, i) = sum_j m_j (x_j - x_ij)^2
 *     weight_i = 1 / (.02 + distance_i / distance_k)      over the k nearest; k = max(24, 2 min(d, 24)) by default
 *     f(x) = mean + a (plane(x) - mean), clipped to the range of the neighbours' targets widened by a quarter
 *
 * mean is the weighted mean of their targets, plane(x) the value at x of a weighted ridge regression on them. a in [0,
 * 1] is the share of the plane with the least squared error lately: sum e g / sum g^2 with e = y - mean, g = plane -
 * mean, discounted by .995.
 *
 * The metric:
 *
 *     m_j = .9 d S_j e^{b_j} / sum_l S_l e^{b_l} + .001 r_j     (the arrival index: + .01)
 *
 *   - S_j is feature j's share of the mean squared slope of the planes over the last 200 samples or so (the diagonal of
 *     the expected outer product of gradients: Trivedi, Wang, Kpotufe & Shakhnarovich 2014). If the mixture has shares
 *     I of its own, S_j is replaced by the mean of S_j and I_j r_j, except where I_j is 0: features that other experts
 *     leave out are weighed here by their own slopes.
 *   - r_j is the trust in feature j, 1 if the mixture has no shares: a feature whose slopes are small may need near
 *     neighbours first. Otherwise, let c_j be what the feature's slope adds to the plane at x besides the mean. r_j is
 *     the factor on c_j with the least squared error so far, or more if the mixture's share is large:
 *
 *         r_j = max(sum c_j (e + a c_j) / sum c_j^2 + u, (d I_j)^2), in .03 to 1
 *
 *     where e is the error of f, the sums are discounted by .9995, and
 *     u is the standard error of the ratio, sqrt(mean e^2 / sum c_j^2). So trust falls only as far as the rows show
 *     that it should, and a feature with small slopes needs many rows for that. y is not in the window yet, so the
 *     slope was not fitted to it: for an irrelevant feature c_j (e + a c_j) has mean 0.
 *   - b_j follows the gradient of the squared error by log m_j through the neighbours' weights, in normalised steps of
 *     .02, and decays by .002 of itself a step (Weinberger & Tesauro 2007 in batches). A feature on which the target
 *     depends linearly needs no near neighbours, since the plane handles it.
 *
 * The plane's penalty of feature j is .1 / (m_j + .002 r_j) of the mean moment: small for features that the metric
 * trusts. Above 24 features the plane uses the 24 with the largest m.
 *
 * Time. The arrival index, in units of 2,000 samples, is one more feature. Where the target drifts, near then means
 * recent, and the plane has a trend.
 *
 * Arithmetic. Rows are stored as floats, bounded to +-1e15. The neighbours are the nearest by distances computed in
 * floats (learners/knn/knn_search.h). Planes are fitted in floats, in units in which all numbers are small
 * (learners/knn/knn_plane.h). m is recomputed every 64 samples or 64th of the window, at first every 16; the codes of
 * the window follow in pieces.
 *
 * Coarse search. With `coarse` only that many features have codes, of 8 bits: those with the largest m_j times variance
 * in the window, chosen again with each metric (learners/knn/knn_coded.c). The 3 k rows nearest by these codes, or up
 * to half as many more, are measured exactly, and the k nearest of those are the neighbours. They are not always the
 * nearest of all, but the same ones on every CPU. A long window then costs little more than a short one.
 *
 * Units. After a change of the features' unit (reframe in type.h) the window keeps the unit of its rows, until the new
 * one is far off, and each query is converted to it. Planes and slopes are in the present unit.
 *
 * Outliers. A target enters the window clipped to 10 times the running scale of the errors around its prediction
 * (src/numeric/error_scale.h).
 *
 * Weights. A row takes as many places in the window as its weight has mean weights (src/numeric/weight_unit.h), at most
 * four; fractions accumulate over the samples.
 *
 * State: knn_state.h; prediction: knn_look.c. Cost: 3/4 window d operations on 16-bit numbers, or 2 window coarse on
 * 8-bit ones and 3 k exact distances; then k d^2 multiply-adds and d^3 / 6, d up to 24; about 1.6 us more in the
 * samples after m was recomputed. Cleveland & Devlin 1988 on local regression.
 */
#include "learners/knn/knn_look.h"
#include "src/simd/kernels.h"

enum { KNOWN = 100, SETTLED = 200 }; /* planes before importances are given, and before b is learned */
enum {
    MOST_PLACES = 4, /* that a row takes in the window */
    FEW_ROWS = 512,  /* up to so many rows the metric is made anew every OFTEN rows */
    OFTEN = 16
};
/* The rules of the head of this file. Chosen on the streams of docs/accuracy.md. */
static const double discount = 0.995, judging = 0.9995;                 /* of the sums for a, of those for r */
static const double slope_rate = 0.005, square_rate = 0.002;            /* of S, of the mean squared gradients */
static const double bend_step = 0.02, bend_kept = 0.998, most_bend = 3; /* of b */
static const double most_slope = 10, most_error = 3, most_gap = 1e3;    /* in deviations of the target */

static const AnbParam params[] = {
    {"window", ANB_COUNT, offsetof(AnbKnnOptions, window), 1000, 2, 1 << 20, 0, NULL, "samples remembered"},
    {"k", ANB_COUNT, offsetof(AnbKnnOptions, k), 0, 0, 1024, 0, NULL, "neighbours; 0: max(24, 2 min(d, 24))"},
    {"time", ANB_BOOL, offsetof(AnbKnnOptions, time), 1, 0, 0, 0, NULL, "the arrival index is one more feature"},
    {"coarse", ANB_COUNT, offsetof(AnbKnnOptions, coarse), 0, 0, ANB_KNN_PLANE, 0, NULL,
     "features by which 3 k rows are found that the k are chosen from; 0: all rows are"},
    {0},
};

static int init(const AnbNode *self, void *state)
{
    View v = anb_knn_view(self, state);
    for (size_t j = 0; j < v.d; j++)
        v.inverse[j] = 1;
    anb_knn_remake(&v, NULL);
    return 0;
}

/* ---- learning ---- */

/* Updates the sums for the trust r_j: what each feature's slope added to the last prediction, and what it should have
 * added. `error`: y less the prediction, in deviations of the target. */
static void judge(const View *v, const KnnScratch *w, double error, double sd)
{
    double a = anb_knn_share(v->s);
    v->weights->judged = judging * v->weights->judged + 1;
    v->weights->missed = judging * v->weights->missed + error * error;
    for (size_t j = 0; j < v->d; j++) {
        double adds = anb_clip(w->adds[j] / sd, most_slope);
        v->right[j] = judging * v->right[j] + adds * (error + a * adds);
        v->said[j] = judging * v->said[j] + adds * adds;
    }
}

/* Learns the plane's share a, the slopes S and the bends b from the prediction of this row. */
static void weigh(const View *v, const KnnScratch *w, double y)
{
    Knn *s = v->s;
    double sd = anb_moments_sd(&s->target);
    if (!w->look->fitted || !(sd > 0))
        return;
    double off = anb_clip((y - w->look->mean) / sd, most_gap),
           gain = anb_clip((w->look->plane - w->look->mean) / sd, most_gap);
    double error = anb_clip((anb_knn_both(s, w->look) - y) / sd, most_error), age = 1 / (double)++s->fits;
    judge(v, w, -error, sd);
    s->cross = discount * s->cross + off * gain;
    s->spread = discount * s->spread + gain * gain;
    for (size_t j = 0; j < v->d; j++) {
        double slope = anb_clip(w->slope[j] / sd, most_slope), gradient = anb_clip(error * (w->pull[j] / sd), most_gap);
        v->slopes[j] += (age > slope_rate ? age : slope_rate) * (slope * slope - v->slopes[j]);
        v->squares[j] += (age > square_rate ? age : square_rate) * (gradient * gradient - v->squares[j]);
        if (s->fits > SETTLED && v->squares[j] > 1e-100)
            v->bends[j] = anb_clip(bend_kept * v->bends[j] - bend_step * gradient / sqrt(v->squares[j]), most_bend);
    }
}

/* Two pieces a sample: while some rows have codes by the older factors, a search may have many candidates. */
static void turn(const View *v)
{
    anb_knn_turn(v);
    anb_knn_turn(v);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    View v = anb_knn_view(self, state);
    KnnScratch w = anb_knn_scratch(self, &v, scratch);
    y = anb_target_kept(&v.weights->error, w.look->out, y);
    weigh(&v, &w, y);
    double whole = anb_weight_relative(&v.weights->unit, weight);
    v.weights->credit += whole < MOST_PLACES ? whole : MOST_PLACES;
    anb_moments_add(&v.s->target, y, weight);
    if (!(anb_nonfinite(&v.s->target.weight, 3) == 0)) {
        anb_restart(self, state, row);
        return;
    }
    for (; v.weights->credit >= 1; v.weights->credit -= 1) {
        anb_knn_keep(&v, w.query, y);
        if (v.s->ring.pushed % (v.s->ring.pushed < FEW_ROWS ? OFTEN : v.period) == 0)
            anb_knn_remake(&v, row->importance);
        else
            turn(&v);
    }
}

static void reframe(const AnbNode *self, void *state, const double *alpha, const double *beta)
{
    View v = anb_knn_view(self, state);
    anb_knn_reframe(&v, alpha, beta);
}

/* Shares of the squared slopes, as far as they are trusted; unknown while there are few. */
static int shares(const AnbNode *self, const void *state, double *share)
{
    View v = anb_knn_view(self, state);
    double total = 0;
    if (v.s->fits < KNOWN)
        return ANB_E_UNSUPPORTED;
    for (size_t j = 0; j < v.given; j++) {
        share[j] = v.slopes[j] * anb_knn_trust(&v, j);
        total += share[j];
    }
    for (size_t j = 0; j < v.given; j++)
        share[j] = total > 0 ? share[j] / total : 1 / (double)v.given;
    return 0;
}

/* Evidence for each feature: how much its slope improves the predictions, over the standard error of that (judge). */
static int evidence(const AnbNode *self, const void *state, double *z)
{
    View v = anb_knn_view(self, state);
    if (v.weights->judged < KNOWN)
        return ANB_E_UNSUPPORTED;
    double square = v.weights->missed / v.weights->judged;
    for (size_t j = 0; j < v.given; j++) {
        double noise = square * v.said[j];
        z[j] = noise > 0 ? v.right[j] / sqrt(noise) : 0;
    }
    return 0;
}

/* How far the neighbours lie off their plane. */
static double off_plane(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    (void)state, (void)row;
    return anb_knn_last_look(self, scratch)->miss;
}

static const AnbImportanceTable importance = {shares, evidence};
static const AnbSpreadTable spread = {off_plane};

const StreamingLearnerType anb_knn = {
    .name = "knn",
    .brief = "nearest neighbours in a window, a learned metric, a plane through them",
    .example = "knn(window=200, k=20)",
    .options_size = sizeof(AnbKnnOptions),
    .params = params,
    .flags = ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_READS_X | ANB_WEIGHT_SCALED | ANB_READS_OLDER | ANB_GIVES_EVIDENCE |
             ANB_ANY_ROWS | ANB_SINCE_0_3,
    .version = 7,
    .fields = anb_knn_fields,
    .scratch = anb_knn_scratch_fields,
    .init = init,
    .predict = anb_knn_predict,
    .predict_many = anb_knn_predict_many,
    .update = update,
    .reframe = reframe,
    .importance = &importance,
    .spread = &spread,
    .validate = anb_knn_validate,
};
