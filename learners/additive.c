/*
 * An additive model with pairs: a line and a curve for each feature, and a table of cells for each pair of features.
 *
 *     f(x) = b + sum_j (l_j x_j + a_j c_j(r_j)) + sum_ij a_ij T_ij(band of r_i, band of r_j)
 *
 * r are the raw features. A curve c_j is linear between up to 24 knots, at quantiles of the feature; a missing cell has
 * a value of its own. A table T_ij has a cell for each pair of up to `cells` bands, each band some knots wide.
 *
 * Every weight w of these has a variance p and is updated by a Kalman filter that keeps only the diagonal of the
 * covariance. With e the error and phi the factor of w in f,
 *
 *     S = 1 / weight + sum phi^2 p     w += phi p e / S     p -= .3 (phi p)^2 / S, not below a floor
 *
 * The factor a of a curve or table grows where the error and its contribution have the same sign and shrinks where they
 * have not:
 *
 *     a <- a (1 + clip(.2 e a u / s^2, +-.1)) in .3 to 20     u: its contribution without a; s: the errors' scale
 *
 * This is a gradient step in log a. Terms that follow noise shrink. Terms that predict learn faster, since their
 * variance counts a^2 times. Prior variances are a constant divided by the number of terms of a kind.
 *
 * Knots are recomputed from a reservoir of 256 rows after 20, 50, 125, ... rows, one feature after the other, and the
 * terms are carried over. Before that the feature's part of the reservoir is sorted, one pass of the sorting a sample.
 * If there are more pairs than `pairs` times the features, tables are given to the pairs of the strongest features,
 * chosen after each round of knots.
 *
 * Errors are clipped to 20 times their running scale (src/numeric/error_scale.h), x to +-1e6.
 *
 * State: the head, then by feature and by pair as `fields` says: about 2.7 KB a feature and 8 (cells + 1)^2 bytes a
 * pair. Cost: about 15 operations a feature and 5 a pair to predict, twice that to learn.
 * Lou, Caruana, Gehrke & Hooker 2013 on additive models with pairs; Haykin 2002, ch. 10, on decoupled Kalman filters;
 * Kivinen & Warmuth 1997 on multiplicative steps. Constants chosen on streams that docs/accuracy.md names.
 */
#include "additive.h"
#include "src/numeric/kept_slope.h"
#include "src/numeric/moments.h"
#include "src/simd/kernels.h"

static const double shrinking = 0.3, lifting = 0.2, slowest = 1e-3;
enum { CALM = 50 }; /* rows before lifts move */

static const AnbParam params[] = {
    {"cells", ANB_COUNT, offsetof(AnbAdditiveOptions, cells), 16, 2, 24, 0, NULL, "bands of a feature in a table"},
    {"pairs", ANB_COUNT, offsetof(AnbAdditiveOptions, pairs), 6, 0, 64, 0, NULL, "tables a feature, at most"},
    {0}};

static const AnbAdditiveOptions *options_of(const AnbNode *self)
{
    return self->options;
}

/* ---- the state --------------------------------------------------------------------------------------------------- */

static size_t stride_of(const AnbNode *self)
{
    return (size_t)options_of(self)->cells + 1;
}

static size_t pairs_of(const AnbNode *self)
{
    size_t d = self->n_features, most = (size_t)options_of(self)->pairs * d;
    return d - 1 <= 2 * (size_t)options_of(self)->pairs ? d * (d - 1) / 2 : most;
}

static size_t padded_pairs(const AnbNode *self)
{
    return (pairs_of(self) + 7) / 8 * 8;
}

static size_t knot_values(const AnbNode *self)
{
    return self->n_features * ANB_KNOTS;
}

static size_t reserve_values(const AnbNode *self)
{
    return self->n_features * ANB_RESERVE;
}

static size_t curve_terms(const AnbNode *self)
{
    return self->n_features * ANB_NODES;
}

static size_t cells_of(const AnbNode *self)
{
    return 1 + pairs_of(self) * stride_of(self) * stride_of(self);
}

static uint64_t last_feature(const AnbNode *self)
{
    return self->n_features - 1;
}

static uint64_t last_band(const AnbNode *self)
{
    return stride_of(self) - 2;
}

static uint64_t most_rows(const AnbNode *self)
{
    (void)self;
    return ANB_RESERVE;
}

static uint64_t most_passes(const AnbNode *self)
{
    (void)self;
    return ANB_PASSES;
}

static uint64_t most_knots(const AnbNode *self)
{
    (void)self;
    return ANB_KNOTS;
}

static const AnbField sorting_fields[] = {{ANB_MEMBER(AdditiveSorting, rows), .most = most_rows},
                                          {ANB_MEMBER(AdditiveSorting, done), .most = most_passes},
                                          {0}};

static const AnbField next_fields[] = {{ANB_MEMBER(AdditiveNext, knots)},
                                       {ANB_MEMBER(AdditiveNext, count), .most = most_knots},
                                       {ANB_MEMBER(AdditiveNext, below), .most = most_knots},
                                       {ANB_MEMBER(AdditiveNext, from), .most = last_band},
                                       {0}};

static const AnbField head_fields[] = {{ANB_INNER(Additive, random, AnbRandom, anb_random_fields)},
                                       {ANB_INNER(Additive, error, AnbErrorScale, anb_error_scale_fields)},
                                       {ANB_INNER(Additive, weights, AnbWeightUnit, anb_weight_unit_fields)},
                                       {ANB_MEMBER(Additive, constant), .must = ANB_FINITE},
                                       {ANB_MEMBER(Additive, unit), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                       {ANB_MEMBER(Additive, due), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                       {ANB_MEMBER(Additive, seen)},
                                       {ANB_MEMBER(Additive, turn)},
                                       {ANB_MEMBER(Additive, chosen)},
                                       {ANB_INNER(Additive, sorting, AdditiveSorting, sorting_fields), .since = 3},
                                       {ANB_INNER(Additive, next, AdditiveNext, next_fields), .since = 3},
                                       {0}};

static const AnbField term_fields[] = {{ANB_MEMBER(AdditiveTerm, w), .must = ANB_FINITE},
                                       {ANB_MEMBER(AdditiveTerm, p), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                       {0}};

static const AnbField cell_fields[] = {{ANB_MEMBER(AdditiveCell, w), .must = ANB_FINITE},
                                       {ANB_MEMBER(AdditiveCell, p), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                       {0}};

enum { HEAD, COUNT, KNOTS, RESERVE, STRENGTH, ORDER, LINE, CURVE, LIFT, LEFT, RIGHT, LIFTS, CELL };
static const AnbField fields[] = {
    [HEAD] = {ANB_STRUCT(Additive, head_fields)},
    [COUNT] = {.name = "count", .kind = ANB_U32, .count = anb_per_feature, .most = most_knots},
    [KNOTS] = {.name = "knots", .kind = ANB_F64, .count = knot_values, .must = ANB_ALIGNED},
    [RESERVE] = {.name = "reserve", .kind = ANB_F64, .count = reserve_values},
    [STRENGTH] = {.name = "strength", .kind = ANB_F64, .count = anb_per_feature},
    [ORDER] = {.name = "order", .kind = ANB_U16, .count = anb_per_feature, .most = last_feature},
    [LINE] = {.name = "line", .record = term_fields, .stride = sizeof(AdditiveTerm), .count = anb_per_feature},
    [CURVE] = {.name = "curve", .record = term_fields, .stride = sizeof(AdditiveTerm), .count = curve_terms},
    [LIFT] = {.name = "lift", .kind = ANB_F64, .count = anb_per_feature, .must = ANB_FINITE | ANB_NOT_NEGATIVE},
    [LEFT] = {.name = "left", .kind = ANB_U16, .count = pairs_of, .most = last_feature},
    [RIGHT] = {.name = "right", .kind = ANB_U16, .count = pairs_of, .most = last_feature},
    [LIFTS] = {.name = "lifts", .kind = ANB_F32, .count = padded_pairs, .must = ANB_FINITE | ANB_NOT_NEGATIVE},
    [CELL] =
        {.name = "cell", .record = cell_fields, .stride = sizeof(AdditiveCell), .count = cells_of, .must = ANB_ALIGNED},
    {0}};

/* The number of features rounded up to a multiple of four (AdditivePlaces). */
static size_t padded_features(const AnbNode *self)
{
    return (self->n_features + 3) / 4 * 4;
}

/* Sums of the prediction; the places of the row's values; indices of the pairs' cells, and their weights and
 * variances. */
enum { SUMS, SHARE, X, LOW, HIGH, COLUMN, ROW, AT, W, P };
static const AnbField scratch_fields[] = {
    [SUMS] = {ANB_SCRATCH_STRUCT(AdditiveSums)},
    [SHARE] = {.name = "share", .kind = ANB_F64, .count = padded_features, .must = ANB_ALIGNED},
    [X] = {.name = "x", .kind = ANB_F64, .count = padded_features},
    [LOW] = {.name = "low", .kind = ANB_U32, .count = padded_features},
    [HIGH] = {.name = "high", .kind = ANB_U32, .count = padded_features},
    [COLUMN] = {.name = "column", .kind = ANB_U32, .count = padded_features},
    [ROW] = {.name = "row", .kind = ANB_U32, .count = padded_features},
    [AT] = {.name = "at", .kind = ANB_U32, .count = padded_pairs, .must = ANB_ALIGNED},
    [W] = {.name = "w", .kind = ANB_F32, .count = padded_pairs, .must = ANB_ALIGNED},
    [P] = {.name = "p", .kind = ANB_F32, .count = padded_pairs, .must = ANB_ALIGNED},
    {0}};

static AdditivePlaces places_in(const AnbNode *self, double *scratch)
{
    return (AdditivePlaces){anb_scratch(self, scratch, SHARE),  anb_scratch(self, scratch, X),
                            anb_scratch(self, scratch, LOW),    anb_scratch(self, scratch, HIGH),
                            anb_scratch(self, scratch, COLUMN), anb_scratch(self, scratch, ROW)};
}

AdditiveView anb_additive_view(const AnbNode *self, void *state)
{
    size_t stride = stride_of(self);
    return (AdditiveView){.d = self->n_features,
                          .pairs = pairs_of(self),
                          .bands = stride - 1,
                          .stride = stride,
                          .head = state,
                          .count = anb_field(self, state, COUNT),
                          .knots = anb_field(self, state, KNOTS),
                          .reserve = anb_field(self, state, RESERVE),
                          .strength = anb_field(self, state, STRENGTH),
                          .order = anb_field(self, state, ORDER),
                          .line = anb_field(self, state, LINE),
                          .curve = anb_field(self, state, CURVE),
                          .lift = anb_field(self, state, LIFT),
                          .left = anb_field(self, state, LEFT),
                          .right = anb_field(self, state, RIGHT),
                          .lifts = anb_field(self, state, LIFTS),
                          .cell = anb_field(self, state, CELL)};
}

static int check(const AnbNode *self, AnbError *error)
{
    if (self->n_features <= ANB_ADDITIVE_WIDEST)
        return 0;
    return anb_fail(error, ANB_E_LIMIT, "additive: %zu features, and it takes %d at most", self->n_features,
                    ANB_ADDITIVE_WIDEST);
}

static int init(const AnbNode *self, void *state)
{
    AdditiveView v = anb_additive_view(self, state);
    anb_random_seed(&v.head->random, self->seed);
    anb_additive_start(&v);
    return 0;
}

/* ---- to predict -------------------------------------------------------------------------------------------------- */

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    AdditiveView v = anb_additive_view(self, anb_view_of(state));
    const AdditivePlaces places = places_in(self, scratch);
    uint32_t *at = anb_scratch(self, scratch, AT);
    AdditiveSums *sums = anb_scratch(self, scratch, SUMS);
    size_t padded = padded_pairs(self);
    anb_additive_feature_kernels.find(&v, row->raw, row->x, &places);
    anb_additive_kernels.find(&v, &places, at);
    AdditiveSums own = anb_additive_feature_kernels.sum(&v, &places),
                 pairs = anb_additive_kernels.sum(v.cell, at, v.lifts, padded, anb_scratch(self, scratch, W),
                                                  anb_scratch(self, scratch, P));
    sums->f = v.head->constant + v.head->unit * (own.f + pairs.f);
    sums->variance = own.variance + pairs.variance;
    return sums->f - sums->f == 0 ? sums->f : 0;
}

static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    AdditiveView v = anb_additive_view(self, anb_view_of(state));
    double predicted[ANB_ADDITIVE_MANY];
    if (v.d > ANB_ADDITIVE_MANY_D || rows->n == 1) {
        anb_predict_each(self, state, rows, scratch, out);
        return;
    }
    for (size_t at = 0; at < rows->n; at += ANB_ADDITIVE_MANY) {
        AnbRows part = anb_rows_part(rows, at, ANB_ADDITIVE_MANY);
        anb_additive_many_kernels.predict(&v, &part, predicted);
        memcpy(out + at, predicted, part.n * sizeof *out);
    }
}

/* ---- to learn ---------------------------------------------------------------------------------------------------- */

/* Converts all weights to another unit, a power of two near the errors' scale, so that they fit floats; also
 * `gathered`, the weights of n cells that a step will store. */
static void fit_unit(AdditiveView *v, float *gathered, size_t n)
{
    Additive *s = v->head;
    int exponent;
    if (!(s->error.level > 0) || (s->error.level < 0x1p20 * s->unit && s->error.level > 0x1p-20 * s->unit))
        return;
    frexp(s->error.level, &exponent);
    double unit = ldexp(1, exponent > -1000 ? exponent : -1000), by = s->unit / unit;
    s->unit = unit;
    for (size_t j = 0; j < v->d; j++)
        v->line[j].w *= by;
    for (size_t i = 0; i < v->d * ANB_NODES; i++)
        v->curve[i].w *= by;
    for (size_t i = 0; i < 1 + v->pairs * v->stride * v->stride; i++)
        v->cell[i].w = (float)((double)v->cell[i].w * by);
    for (size_t i = 0; i < n; i++)
        gathered[i] = (float)((double)gathered[i] * by);
}

/* Learns an error e; `scale` was the errors' before it. */
static void learn(const AnbNode *self, AdditiveView *v, double e, double scale, double weight, double *scratch)
{
    Additive *s = v->head;
    const AdditiveSums *sums = anb_scratch(self, scratch, SUMS);
    const AdditivePlaces places = places_in(self, scratch);
    double own = 1 / (1 + (double)s->seen), p = own > slowest ? own : slowest, sum = 1 / weight + p + sums->variance;
    double step = anb_clip(e / s->unit, 0x1p60) / sum, shrink = shrinking / sum;
    double lift = s->seen > CALM && scale > 0 ? anb_clip(lifting * (e / scale) * (s->unit / scale), 0x1p60) : 0;
    AdditivePace pace = {(float)step, (float)shrink, (float)lift, (float)anb_additive_floor(v, true)};
    s->constant += p * e / sum;
    anb_additive_feature_kernels.learn(v, &places, &(AdditiveStep){step, shrink, lift, anb_additive_floor(v, false)});
    anb_additive_kernels.learn(v->cell, anb_scratch(self, scratch, AT), v->lifts, padded_pairs(self),
                               anb_scratch(self, scratch, W), anb_scratch(self, scratch, P), &pace);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    AdditiveView v = anb_additive_view(self, state);
    Additive *s = v.head;
    const AdditiveSums *sums = anb_scratch(self, scratch, SUMS);
    weight = anb_weight_relative(&s->weights, weight);
    if (s->seen == 0) {
        s->constant = y;
    } else {
        double scale = s->error.level, e = anb_error_bounded(&s->error, y - sums->f);
        if (!(e - e == 0)) {
            anb_restart(self, state, row);
            return;
        }
        fit_unit(&v, anb_scratch(self, scratch, W), padded_pairs(self));
        if (s->unit > 0)
            learn(self, &v, e, scale, weight, scratch);
    }
    anb_additive_see(&v, row->raw);
}

/* The lines alone: curves and tables are of raw features. Variances stay, as a prior is the same in any unit. */
static void reframe(const AnbNode *self, void *state, const double *alpha, const double *beta)
{
    AdditiveView v = anb_additive_view(self, state);
    for (size_t j = 0; j < v.d; j++) {
        double kept = anb_slope_kept(v.line[j].w, alpha[j]);
        v.head->constant += v.head->unit * kept * beta[j];
        v.line[j].w = kept * alpha[j];
    }
    if (!(anb_nonfinite(&v.head->constant, 1) + anb_nonfinite(&v.line[0].w, 2 * v.d) == 0))
        anb_node_reset_own(self, state);
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const AdditiveView v = anb_additive_view(self, anb_view_of(state));
    return anb_additive_valid(&v) ? 0 : anb_fail(error, ANB_E_STATE, "additive: a number is out of its range");
}

const StreamingLearnerType anb_additive = {
    .name = "additive",
    .brief = "curves of single features and tables of pairs, added up",
    .example = "additive(cells=6)",
    .options_size = sizeof(AnbAdditiveOptions),
    .params = params,
    .flags = ANB_SIZED_OPTIONS | ANB_READS_X | ANB_READS_RAW | ANB_TAKES_MISSING | ANB_WEIGHT_SCALED | ANB_READS_OLDER |
             ANB_SINCE_0_3,
    .version = 3, /* starts at 2: parts (src/numeric) read layout 1 as that of release 0.1 */
    .check = check,
    .fields = fields,
    .validate = validate,
    .scratch = scratch_fields,
    .init = init,
    .predict = predict,
    .predict_many = predict_many,
    .update = update,
    .reframe = reframe,
};
