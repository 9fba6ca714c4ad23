/* The window that knn looks at: its layout, its metric, times and codes, and what a snapshot keeps of it. */
#include "knn_state.h"
#include "src/simd/kernels.h"
#include "src/numeric/elementary.h"

static const double beyond = 0.002; /* chosen on the streams of docs/accuracy.md */
static const double least_trust = 0.03;

enum {
    AT_LEAST = 24,
    AGE_MOST = 1 << 20,
    FEW = 64,    /* rows: up to so many are converted with every change of unit */
    JUDGED = 200 /* planes after which features are doubted */
};
static const double knn_far = 4;
static const double most_reach = 1e30; /* of what a file holds: cells are of 1e15 at most */
static const uint64_t most_age = UINT64_C(1) << 40;

/* Written in place: a copy of a view takes as long as its other work. */
static inline void set_sizes(const AnbNode *self, View *v)
{
    const AnbKnnOptions *o = self->options;
    v->given = self->n_features;
    v->d = self->n_features + o->time;
    v->window = (size_t)o->window;
    v->coarse = o->coarse > 0 && (size_t)o->coarse < v->d;
    v->coded = v->coarse ? (size_t)o->coarse : v->d;
    v->plane = v->d < ANB_KNN_PLANE ? v->d : ANB_KNN_PLANE;
    v->rows = anb_knn_search_blocks(v->window) * ANB_KNN_SEARCH_ROWS;
    v->k = o->k > 0 ? (size_t)o->k : v->plane * 2 > AT_LEAST ? v->plane * 2 : AT_LEAST;
    v->k = v->k < v->window ? v->k : v->window;
    v->period = v->window / 64 > 64 ? v->window / 64 : 64;
}

View anb_knn_plan(const AnbNode *self)
{
    View v = {0};
    set_sizes(self, &v);
    return v;
}

/* ---- state ---- */

enum {
    HEAD,
    SLOPES,
    BENDS,
    SQUARES,
    METRIC,
    REACH,
    FACTOR,
    TARGETS,
    ROWS,
    CODES,
    WEIGHTS,
    TURN,
    OFFSET,
    OLDER,
    OLDER_OFFSET,
    INVERSE,
    ORIGIN,
    RIGHT,
    SAID,
    DOUBT,
    CODED_OF,
    OLDER_OF,
    COARSE_CODE
};

View anb_knn_view(const AnbNode *self, const void *state)
{
    View v;
    set_sizes(self, &v);
    void *at = anb_view_of(state);
    v.s = at;
    v.weights = anb_field(self, at, WEIGHTS);
    v.slopes = anb_field(self, at, SLOPES);
    v.bends = anb_field(self, at, BENDS);
    v.squares = anb_field(self, at, SQUARES);
    v.metric = anb_field(self, at, METRIC);
    v.reach = anb_field(self, at, REACH);
    v.factor = anb_field(self, at, FACTOR);
    v.y = anb_field(self, at, TARGETS);
    v.x = anb_field(self, at, ROWS);
    v.code = anb_field(self, at, CODES);
    v.turn = anb_field(self, at, TURN);
    v.offset = anb_field(self, at, OFFSET);
    v.older = anb_field(self, at, OLDER);
    v.older_offset = anb_field(self, at, OLDER_OFFSET);
    v.inverse = anb_field(self, at, INVERSE);
    v.origin = anb_field(self, at, ORIGIN);
    v.right = anb_field(self, at, RIGHT);
    v.said = anb_field(self, at, SAID);
    v.doubt = anb_field(self, at, DOUBT);
    v.coded_of = anb_field(self, at, CODED_OF);
    v.older_of = anb_field(self, at, OLDER_OF);
    v.coarse_code = anb_field(self, at, COARSE_CODE);
    return v;
}

static size_t features(const AnbNode *self)
{
    return anb_knn_plan(self).d;
}

static size_t features_padded(const AnbNode *self)
{
    return anb_knn_search_padded(anb_knn_plan(self).d);
}

static size_t window(const AnbNode *self)
{
    return anb_knn_plan(self).window;
}

static size_t rows_used(const AnbNode *self, const void *state)
{
    return anb_ring_size(&((const Knn *)state)->ring, window(self));
}

static size_t cells(const AnbNode *self)
{
    View v = anb_knn_plan(self);
    return v.rows * v.d + ANB_KNN_SEARCH_SLACK;
}

static size_t cells_used(const AnbNode *self, const void *state)
{
    return rows_used(self, state) * features(self);
}

static size_t features_chosen(const AnbNode *self)
{
    View v = anb_knn_plan(self);
    return v.coarse ? v.coded : 0;
}

static size_t coarse_codes(const AnbNode *self)
{
    View v = anb_knn_plan(self);
    return v.coarse ? v.rows * anb_knn_search_pairs(v.coded) * 2 : 0;
}

static uint64_t one(const AnbNode *self)
{
    (void)self;
    return 1;
}

static size_t codes_size(const AnbNode *self, const AnbField *field)
{
    View v = anb_knn_plan(self);
    (void)field;
    return v.coarse ? 0 : v.rows * anb_knn_search_pairs(v.d) * sizeof(uint32_t);
}

/* Of the last block only the rows in use. */
static void codes_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    View v = anb_knn_plan(self);
    uint32_t *code = part;
    size_t used = rows_used(self, state), full = used / ANB_KNN_SEARCH_ROWS * ANB_KNN_SEARCH_ROWS;
    size_t pairs = anb_knn_search_pairs(v.d);
    if (v.coarse)
        return;
    anb_visit(visitor, field->name, code, ANB_U32, full * pairs);
    code += anb_knn_search_word(full, v.d);
    for (size_t j = 0; j < pairs; j++)
        anb_visit(visitor, field->name, code + j * ANB_KNN_SEARCH_ROWS, ANB_U32, used - full);
}

static const AnbPart codes_part = {codes_size, codes_visit, NULL};

static const AnbField members[] = {{ANB_INNER(Knn, ring, AnbRing, anb_ring_fields)},
                                   {ANB_INNER(Knn, target, AnbMoments, anb_moments_fields)},
                                   {ANB_MEMBER(Knn, fits)},
                                   {ANB_MEMBER(Knn, bounded), .most = one},
                                   {ANB_MEMBER(Knn, made)},
                                   {ANB_MEMBER(Knn, cross), .must = ANB_FINITE},
                                   {ANB_MEMBER(Knn, spread), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {0}};

static const AnbField weight_members[] = {
    {ANB_INNER(KnnWeights, error, AnbErrorScale, anb_error_scale_fields)},
    {ANB_INNER(KnnWeights, unit, AnbWeightUnit, anb_weight_unit_fields)},
    {ANB_MEMBER(KnnWeights, credit), .must = ANB_FINITE | ANB_NOT_NEGATIVE, .since = 2},
    {ANB_MEMBER(KnnWeights, beyond), .must = ANB_FINITE | ANB_NOT_NEGATIVE, .since = 4},
    {ANB_MEMBER(KnnWeights, judged), .must = ANB_FINITE | ANB_NOT_NEGATIVE, .since = 6},
    {ANB_MEMBER(KnnWeights, missed), .must = ANB_FINITE | ANB_NOT_NEGATIVE, .since = 6},
    {0}};

static const AnbField turn_members[] = {{ANB_MEMBER(KnnTurn, under_way), .most = one},
                                        {ANB_MEMBER(KnnTurn, turned)},
                                        {ANB_MEMBER(KnnTurn, bounded), .most = one},
                                        {ANB_MEMBER(KnnTurn, least), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                        {ANB_MEMBER(KnnTurn, most), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                        {0}};

const AnbField anb_knn_fields[] = {
    [HEAD] = {ANB_STRUCT(Knn, members)},
    [SLOPES] = {.name = "slopes", .kind = ANB_F64, .count = features, .must = ANB_FINITE | ANB_NOT_NEGATIVE},
    [BENDS] = {.name = "bends", .kind = ANB_F64, .count = features, .must = ANB_FINITE},
    [SQUARES] = {.name = "squares", .kind = ANB_F64, .count = features, .must = ANB_FINITE | ANB_NOT_NEGATIVE},
    [METRIC] = {.name = "metric", .kind = ANB_F64, .count = features_padded, .must = ANB_FINITE},
    [REACH] = {.name = "reach", .kind = ANB_F64, .count = features, .must = ANB_FINITE | ANB_NOT_NEGATIVE},
    [FACTOR] = {.name = "factor", .kind = ANB_F32, .count = features_padded, .must = ANB_FINITE | ANB_NOT_NEGATIVE},
    [TARGETS] = {.name = "y", .kind = ANB_F64, .count = window, .used = rows_used, .must = ANB_FINITE},
    [ROWS] = {.name = "x", .kind = ANB_F32, .count = cells, .used = cells_used, .must = ANB_FINITE},
    [CODES] = {.name = "code", .part = &codes_part},
    [WEIGHTS] = {ANB_STRUCT(KnnWeights, weight_members)},
    [TURN] = {ANB_STRUCT(KnnTurn, turn_members), .since = 3},
    [OFFSET] = {.name = "offset", .kind = ANB_F32, .count = features_padded, .must = ANB_FINITE, .since = 3},
    [OLDER] =
        {.name = "older", .kind = ANB_F32, .count = features_padded, .must = ANB_FINITE | ANB_NOT_NEGATIVE, .since = 3},
    [OLDER_OFFSET] =
        {.name = "older_offset", .kind = ANB_F32, .count = features_padded, .must = ANB_FINITE, .since = 3},
    [INVERSE] = {.name = "inverse", .kind = ANB_F64, .count = features, .must = ANB_FINITE, .since = 5},
    [ORIGIN] = {.name = "origin", .kind = ANB_F64, .count = features, .must = ANB_FINITE, .since = 5},
    [RIGHT] = {.name = "right", .kind = ANB_F64, .count = features, .must = ANB_FINITE, .since = 6},
    [SAID] = {.name = "said", .kind = ANB_F64, .count = features, .must = ANB_FINITE | ANB_NOT_NEGATIVE, .since = 6},
    [DOUBT] = {.name = "doubt", .kind = ANB_F64, .count = features, .must = ANB_FINITE | ANB_NOT_NEGATIVE, .since = 6},
    [CODED_OF] = {.name = "coded_of", .kind = ANB_U32, .count = features_chosen, .since = 7},
    [OLDER_OF] = {.name = "older_of", .kind = ANB_U32, .count = features_chosen, .since = 7},
    [COARSE_CODE] = {.name = "coarse_code", .kind = ANB_U8, .count = coarse_codes, .must = ANB_ALIGNED, .since = 7},
    {0}};

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

/* r_j. */
static double trust(const View *v, size_t j, const double *importance)
{
    if (!importance || v->weights->judged < JUDGED || !(v->said[j] > 0))
        return 1;
    double known = j < v->given ? (double)v->given * importance[j] : 0;
    double error = sqrt(v->weights->missed / (v->weights->judged * v->said[j])), r = v->right[j] / v->said[j] + error;
    r = known * known > r ? known * known : r;
    return r < least_trust ? least_trust : r < 1 ? r : 1;
}

/* The least m_j. At .01 an irrelevant feature would decide which of many near rows are the nearest; for time, whose
 * unit is 2,000 samples, .01 is small enough. Chosen on the streams of docs/accuracy.md. */
static double least_of(const View *v, size_t j)
{
    return j < v->given ? 0.001 * anb_knn_trust(v, j) : 0.01;
}

static void make_metric(const View *v, const double *importance)
{
    double total = 0;
    shares(v, v->metric);
    double known = v->given < v->d ? 1 - v->metric[v->given] : 1; /* time has no share by other learners */
    for (size_t j = 0; j < v->d; j++) {
        v->doubt[j] = 1 - trust(v, j, importance);
        double r = anb_knn_trust(v, j), own = v->metric[j];
        double share = importance && j < v->given && importance[j] > 0 ? 0.5 * (own + known * importance[j] * r) : own;
        v->metric[j] = share * anb_exp(v->bends[j]);
        total += v->metric[j];
    }
    for (size_t j = 0; j < v->d; j++)
        v->metric[j] = 0.9 * (double)v->d * (total > 0 ? v->metric[j] / total : 1 / (double)v->d) + least_of(v, j);
    for (size_t j = 0; j < v->d; j++)
        v->metric[j] *= v->inverse[j] * v->inverse[j];
}

static void reach_in_time(const View *v)
{
    if (v->given < v->d)
        v->reach[v->given] = (double)(2 * v->window) / (double)knn_pace;
}

/* When the row with so many before it in `since` samples arrived; the one that comes next has all of them before it. */
static float time_of(uint64_t before)
{
    return (float)before / knn_pace;
}

/* Times start from 0 again, so that one sample's time differs from the next in floats: once in a million samples. */
static void begin_time(const View *v)
{
    const size_t used = anb_ring_size(&v->s->ring, v->window), newest = anb_ring_back(&v->s->ring, v->window, 0);
    float *time = v->x + v->given;
    anb_knn_codes_shift(v, time_of(v->s->ring.pushed - v->s->made));
    for (size_t i = 0; i < used; i++, time += v->d)
        *time = -(float)(int)(i <= newest ? newest - i : newest + v->window - i) / knn_pace;
    v->s->made = v->s->ring.pushed;
}

void anb_knn_remake(const View *v, const double *importance)
{
    while (v->turn->under_way)
        anb_knn_turn(v);
    anb_knn_codes_age(v);
    make_metric(v, importance);
    v->weights->beyond = v->s->ring.pushed > 0 ? beyond : 0;
    reach_in_time(v);
    if (v->given < v->d && v->s->ring.pushed - v->s->made > AGE_MOST)
        begin_time(v);
    anb_knn_codes_begin(v, time_of(v->s->ring.pushed - v->s->made));
}

/* Whether floats and codes are fine enough in the unit that feature j came in. */
static bool unit_is_near(const View *v, size_t j)
{
    return anb_kept_is_near(v->inverse[j], v->origin[j], knn_far);
}

void anb_knn_reframe(const View *v, const double *alpha, const double *beta)
{
    size_t used = anb_ring_size(&v->s->ring, v->window);
    bool few = used <= FEW, near = !few;
    for (size_t j = 0; j < v->given; j++) {
        if (few)
            v->metric[j] = anb_knn_metric(v, j);
        anb_kept_move(&v->inverse[j], &v->origin[j], alpha[j], beta[j]);
        near &= unit_is_near(v, j);
    }
    if (near)
        return;
    while (v->turn->under_way)
        anb_knn_turn(v);
    for (size_t j = 0; j < v->given; j++) {
        if (!few) /* until it is made anew; factors of codes are floats, however far the units are apart */
            v->metric[j] = anb_clamp(anb_knn_metric(v, j), 1e-30, 1e30);
        v->reach[j] = anb_kept_turn(&v->inverse[j], &v->origin[j], v->x + j, used, v->d, knn_bound);
    }
    reach_in_time(v);
    anb_knn_codes_again(v);
}

void anb_knn_keep(const View *v, const float *x, double y)
{
    Knn *s = v->s;
    size_t at = anb_ring_push(&s->ring, v->window);
    bool older = v->turn->under_way && at >= v->turn->turned;
    v->y[at] = y;
    memcpy(v->x + at * v->d, x, v->d * sizeof(float));
    for (size_t j = 0; j < v->d; j++)
        v->reach[j] = fmax(fabs((double)x[j]), 0.9999 * v->reach[j]);
    if (anb_knn_encode(v, at, older)) {
        s->bounded = 1;
        v->turn->bounded |= v->turn->under_way && !older;
    }
}

/* ---- after loading ---- */

/* Targets whose squares about their mean can be summed lie this close together: else learning would have
 * begun again. */
static bool close_targets(const double *y, size_t n)
{
    AnbRange range = {0};
    for (size_t i = 0; i < n; i++)
        anb_range_add(&range, y[i]);
    return range.high - range.low <= 1e160;
}

int anb_knn_validate(const AnbNode *self, const void *state, AnbError *error)
{
    View v = anb_knn_view(self, state);
    size_t used = anb_ring_size(&v.s->ring, v.window);
    uint64_t age = v.s->ring.pushed - v.s->made;
    bool fine = v.s->made <= v.s->ring.pushed && (v.given == v.d || age < most_age) && v.weights->credit < 1 &&
                v.weights->beyond <= beyond;
    for (size_t j = 0; j < v.d; j++)
        fine &= fabs(v.bends[j]) <= 3 && v.doubt[j] <= 1 - least_trust && v.metric[j] > 0 && v.reach[j] <= most_reach &&
                (j < v.given ? unit_is_near(&v, j) : v.inverse[j] == 1 && v.origin[j] == 0);
    for (size_t i = 0; i < used * v.d; i++)
        fine &= fabs((double)v.x[i]) <= 1.0000001 * knn_bound;
    for (size_t j = v.d; j < anb_knn_search_padded(v.d); j++)
        fine &= v.metric[j] == 0;
    fine &= anb_knn_codes_valid(&v, used) && close_targets(v.y, used);
    return fine ? 0 : anb_fail(error, ANB_E_STATE, "knn: a number is out of its range");
}
