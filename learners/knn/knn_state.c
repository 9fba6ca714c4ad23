/* The window that knn looks at: its layout, its metric, ages and codes, and what a snapshot keeps of it. */
#include "knn_state.h"
#include "src/simd/kernels.h"
#include "src/numeric/elementary.h"
#include <stdlib.h>

enum { AT_LEAST = 24 };

/* Doubles before y. */
static size_t of_features(const View *v)
{
    return 4 * v->d + anb_knn_search_padded(v->d);
}

View anb_knn_plan(const AnbNode *self)
{
    const AnbKnnOptions *o = self->options;
    View v = {.given = self->n_features, .d = self->n_features + o->time, .window = (size_t)o->window};
    v.plane = v.d < ANB_KNN_PLANE ? v.d : ANB_KNN_PLANE;
    v.rows = anb_knn_search_blocks(v.window) * ANB_KNN_SEARCH_ROWS;
    v.k = o->k > 0 ? (size_t)o->k : v.plane * 2 > AT_LEAST ? v.plane * 2 : AT_LEAST;
    v.k = v.k < v.window ? v.k : v.window;
    v.period = v.window / 64 > 64 ? v.window / 64 : 64;
    return v;
}

/* Where the codes start: on a whole vector, since all of them are read for every prediction. */
static size_t codes_at(const View *v)
{
    size_t floats = anb_knn_search_padded(v->d) + v->rows * v->d + ANB_KNN_SEARCH_SLACK;
    return (sizeof(Knn) + (of_features(v) + v->window) * sizeof(double) + floats * sizeof(float) + 63) / 64 * 64;
}

View anb_knn_view(const AnbNode *self, void *state)
{
    View v = anb_knn_plan(self);
    v.s = state;
    v.slopes = v.s->of_feature;
    v.bends = v.slopes + v.d;
    v.squares = v.bends + v.d;
    v.metric = v.squares + v.d;
    v.reach = v.metric + anb_knn_search_padded(v.d);
    v.y = v.reach + v.d;
    v.factor = (float *)(v.y + v.window);
    v.x = v.factor + anb_knn_search_padded(v.d);
    v.code = (uint32_t *)((char *)state + codes_at(&v));
    return v;
}

size_t anb_knn_bytes(const View *v)
{
    return codes_at(v) + v->rows * anb_knn_search_pairs(v->d) * sizeof(uint32_t);
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

/* Factors of the codes such that all rows within reach have one. */
static void make_factors(const View *v)
{
    double range = 0, limit = (double)anb_knn_search_limit(v->d);
    if (v->given < v->d)
        v->reach[v->given] = (double)(2 * v->window) / (double)knn_pace;
    for (size_t j = 0; j < v->d; j++) {
        double far = sqrt(v->metric[j]) * (v->reach[j] > 4 ? v->reach[j] : 4);
        range = far > range ? far : range;
    }
    for (size_t j = 0; j < v->d; j++)
        v->factor[j] = (float)(0.999 * limit / range * sqrt(v->metric[j]));
}

/* The time feature of the rows in some slots: their age now, the newest one's, in slot `newest`, being 0. */
static void make_ages(const View *v, size_t from, size_t to, size_t newest)
{
    float *time = v->x + from * v->d + v->given;
    for (size_t i = from; i < to; i++, time += v->d)
        *time = -(float)(int)(i <= newest ? newest - i : newest + v->window - i) / knn_pace;
}

void anb_knn_remake(const View *v, const double *importance)
{
    enum { AT_ONCE = 8 * ANB_KNN_SEARCH_ROWS }; /* a piece that stays in the first-level cache */
    const size_t used = anb_ring_size(&v->s->ring, v->window), d = v->d;
    const float limit = anb_knn_search_limit(d);
    float most = 0;
    make_metric(v, importance);
    make_factors(v);
    for (size_t from = 0; from < used; from += AT_ONCE) {
        size_t rows = used - from < AT_ONCE ? used - from : AT_ONCE;
        if (v->given < d)
            make_ages(v, from, from + rows, anb_ring_back(&v->s->ring, v->window, 0));
        most = fmaxf(most, anb_knn_search_encode(v->x + from * d, rows, d, v->factor, limit,
                                                 v->code + anb_knn_search_word(from, d)));
    }
    v->s->made = v->s->ring.pushed;
    v->s->bounded = most > limit;
}

void anb_knn_keep(const View *v, const float *x, const double *query, double y)
{
    Knn *s = v->s;
    size_t at = anb_ring_push(&s->ring, v->window);
    uint32_t *code = v->code + anb_knn_search_word(at, v->d);
    float limit = anb_knn_search_limit(v->d);
    v->y[at] = y;
    memcpy(v->x + at * v->d, x, v->d * sizeof(float));
    for (size_t j = 0; j < v->d; j++)
        v->reach[j] = fmax(fabs(query[j]), 0.9999 * v->reach[j]);
    if (anb_knn_search_encode_row(x, v->d, v->factor, limit, code, ANB_KNN_SEARCH_ROWS) > limit)
        s->bounded = 1;
}

/* ---- snapshots ---- */

void anb_knn_ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    View v = anb_knn_view(self, state);
    Knn *s = v.s;
    anb_ring_visit(&s->ring, visitor);
    anb_moments_visit(&s->target, visitor);
    anb_visit(visitor, &s->fits, ANB_U64, 3);
    anb_visit(visitor, &s->cross, ANB_F64, 2);
    anb_visit(visitor, v.slopes, ANB_F64, of_features(&v));
    anb_visit(visitor, v.factor, ANB_F32, anb_knn_search_padded(v.d));
    size_t used = anb_ring_size(&s->ring, v.window);
    anb_visit(visitor, v.y, ANB_F64, used);
    anb_visit(visitor, v.x, ANB_F32, used * v.d);
    size_t full = used / ANB_KNN_SEARCH_ROWS * ANB_KNN_SEARCH_ROWS, pairs = anb_knn_search_pairs(v.d);
    anb_visit(visitor, v.code, ANB_U32, full * pairs);
    for (size_t j = 0; j < pairs; j++)
        anb_visit(visitor, v.code + anb_knn_search_word(full, v.d) + j * ANB_KNN_SEARCH_ROWS, ANB_U32, used - full);
    anb_error_scale_visit(&s->error, visitor);
    anb_weight_unit_visit(&s->unit, visitor);
    if (anb_visits_since(visitor, 2))
        anb_visit(visitor, &s->credit, ANB_F64, 1);
}

/* Within the limit, so that no sum of squares leaves its integers. */
static bool codes_valid(const View *v, size_t used)
{
    float limit = anb_knn_search_limit(v->d);
    bool fine = true;
    for (size_t i = 0; i < used; i++)
        for (size_t j = 0; j < anb_knn_search_pairs(v->d); j++) {
            uint32_t word = v->code[anb_knn_search_word(i, v->d) + j * ANB_KNN_SEARCH_ROWS];
            int low = (int16_t)(word & 0xffff), high = (int16_t)(word >> 16);
            fine &= abs(low) <= (int)limit && abs(high) <= (int)limit;
        }
    return fine;
}

/* Targets whose squares about their mean can be summed lie this close together: else learning would have begun again. */
static bool close_targets(const double *y, size_t n)
{
    AnbRange range = {0};
    for (size_t i = 0; i < n; i++)
        anb_range_add(&range, y[i]);
    return range.high - range.low <= 1e160;
}

int anb_knn_validate(const AnbNode *self, const void *state, AnbError *error)
{
    View v = anb_knn_view(self, (void *)state);
    size_t used = anb_ring_size(&v.s->ring, v.window);
    bool fine = anb_nonfinite(&v.s->target.weight, 3) == 0 && anb_nonfinite(&v.s->cross, 2 + of_features(&v)) == 0 &&
                anb_nonfinite(v.y, used) == 0 && v.s->target.weight >= 0 && v.s->target.square >= 0 &&
                v.s->spread >= 0 && v.s->made <= v.s->ring.pushed && anb_ring_valid(&v.s->ring);
    fine &=
        anb_error_scale_valid(&v.s->error) && anb_weight_unit_valid(&v.s->unit) && v.s->credit >= 0 && v.s->credit < 1;
    for (size_t j = 0; j < v.d; j++)
        fine &= v.slopes[j] >= 0 && v.squares[j] >= 0 && fabs(v.bends[j]) <= 3 && v.metric[j] >= 0.01 &&
                v.reach[j] >= 0 && v.factor[j] > 0 && v.factor[j] <= 1e5f;
    for (size_t i = 0; i < used * v.d; i++)
        fine &= fabs((double)v.x[i]) <= 1.0000001 * knn_bound;
    for (size_t j = v.d; j < anb_knn_search_padded(v.d); j++)
        fine &= v.metric[j] == 0 && v.factor[j] == 0;
    fine &= v.s->bounded <= 1 && codes_valid(&v, used) && close_targets(v.y, used);
    return fine ? 0 : anb_fail(error, ANB_E_STATE, "knn: a number is out of its range");
}
