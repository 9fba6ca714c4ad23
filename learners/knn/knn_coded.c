/* The codes of a window: of which features, by which factors, and how they follow a new metric. */
#include "knn_coarse.h"
#include "knn_state.h"
#include <stdlib.h>
#include <string.h>

enum { PIECE = ANB_KNN_PIECE };
static const double FAR_SD = 3.5, LEAST_SD = 0.001; /* deviations that a code spans to each side; in units of the row */

/* Where feature j is among those that have codes; SIZE_MAX where it has none. */
static size_t place_of(const View *v, const uint32_t *of, size_t j)
{
    if (!v->coarse)
        return j;
    for (size_t p = 0; p < v->coded; p++)
        if (of[p] == j)
            return p;
    return SIZE_MAX;
}

/* ---- of rows ---- */

static void pick(const float *x, const uint32_t *of, size_t n, float *out)
{
    for (size_t p = 0; p < n; p++)
        out[p] = x[of[p]];
}

static float coarse_limit(const View *v)
{
    return (float)anb_knn_coarse_limit(anb_knn_search_pairs(v->coded));
}

/* Words of two codes, `apart` words from one to the next, as bytes: those of a pair and then `next` bytes on those of
 * another. */
static void to_bytes(const uint32_t *word, size_t apart, size_t pairs, int8_t *out, size_t next)
{
    for (size_t p = 0; p < pairs; p++) {
        out[p * next] = (int8_t)anb_knn_search_low(word[p * apart]);
        out[p * next + 1] = (int8_t)anb_knn_search_high(word[p * apart]);
    }
}

/* Codes by the factors of now or the older ones; returns the largest size of one before it was bounded. */
static float encode_row(const View *v, const float *x, bool older, float limit, uint32_t *code, size_t stride)
{
    return anb_knn_search_encode_row(x, v->coded, older ? v->older : v->factor, older ? v->older_offset : v->offset,
                                     limit, code, stride);
}

/* The codes of a row of floats, as bytes. */
static void encode_coarsely(const View *v, const float *x, bool older, int8_t *out, size_t next)
{
    float few[ANB_KNN_PLANE];
    uint32_t word[ANB_KNN_PLANE / 2];
    pick(x, older ? v->older_of : v->coded_of, v->coded, few);
    encode_row(v, few, older, coarse_limit(v), word, 1);
    to_bytes(word, 1, anb_knn_search_pairs(v->coded), out, next);
}

bool anb_knn_encode(const View *v, size_t i, bool older)
{
    const float *x = v->x + i * v->d;
    if (!v->coarse) {
        const float limit = anb_knn_search_limit(v->d);
        return encode_row(v, x, older, limit, v->code + anb_knn_search_word(i, v->d), ANB_KNN_SEARCH_ROWS) > limit;
    }
    encode_coarsely(v, x, older, v->coarse_code + anb_knn_coarse_at(i, anb_knn_search_pairs(v->coded)),
                    2 * ANB_KNN_SEARCH_ROWS);
    return false;
}

bool anb_knn_encode_query(const View *v, const float *x, bool older, uint32_t *code)
{
    if (!v->coarse) {
        const float limit = anb_knn_search_limit(v->d);
        return anb_knn_search_encode_query(x, v->d, older ? v->older : v->factor, older ? v->older_offset : v->offset,
                                           limit, code) > limit;
    }
    encode_coarsely(v, x, older, (int8_t *)code, 2);
    return false;
}

/* A block, or the `rows` of it that there are. */
static void encode_block(const View *v, size_t from, size_t rows)
{
    float few[ANB_KNN_SEARCH_ROWS * ANB_KNN_PLANE + ANB_KNN_SEARCH_SLACK] = {0};
    uint32_t word[ANB_KNN_SEARCH_ROWS * ANB_KNN_PLANE / 2];
    const size_t n = v->coded, pairs = anb_knn_search_pairs(n);
    for (size_t i = 0; i < rows; i++)
        pick(v->x + (from + i) * v->d, v->coded_of, n, few + i * n);
    anb_knn_search_encode(few, rows, n, v->factor, v->offset, coarse_limit(v), word);
    for (size_t i = 0; i < rows; i++)
        to_bytes(word + i, ANB_KNN_SEARCH_ROWS, pairs, v->coarse_code + anb_knn_coarse_at(from + i, pairs),
                 2 * ANB_KNN_SEARCH_ROWS);
}

/* Whether a code was bounded, and that matters. */
static bool encode(const View *v, size_t from, size_t rows)
{
    if (!v->coarse) {
        const float limit = anb_knn_search_limit(v->d);
        return anb_knn_search_encode(v->x + from * v->d, rows, v->d, v->factor, v->offset, limit,
                                     v->code + anb_knn_search_word(from, v->d)) > limit;
    }
    for (size_t at = 0; at < rows; at += ANB_KNN_SEARCH_ROWS)
        encode_block(v, from + at, rows - at < ANB_KNN_SEARCH_ROWS ? rows - at : ANB_KNN_SEARCH_ROWS);
    return false;
}

/* ---- what they are by ---- */

/* A feature that has codes: m_j times its variance, and its mean and deviation, over some rows of the window. */
typedef struct Chosen {
    double weight, mean, sd;
    uint32_t feature;
} Chosen;

/* Weight, mean and deviation of feature j, over evenly spaced rows of the window. */
static Chosen survey(const View *v, size_t j)
{
    enum { SURVEYED = 32 };
    const size_t used = anb_ring_size(&v->s->ring, v->window), n = used < SURVEYED ? used : SURVEYED;
    Chosen c = {.feature = (uint32_t)j};
    double squares = 0;
    if (n == 0)
        return c;
    for (size_t i = 0; i < n; i++)
        c.mean += (double)v->x[i * used / n * v->d + j];
    c.mean /= (double)n;
    for (size_t i = 0; i < n; i++) {
        const double off = (double)v->x[i * used / n * v->d + j] - c.mean;
        squares += off * off;
    }
    c.sd = sqrt(squares / (double)n);
    c.weight = v->metric[j] * (squares / (double)n);
    return c;
}

static void sort_by_feature(Chosen *chosen, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const Chosen c = chosen[i];
        size_t at = i;
        for (; at > 0 && chosen[at - 1].feature > c.feature; at--)
            chosen[at] = chosen[at - 1];
        chosen[at] = c;
    }
}

/* The features with the largest weights; of equal ones the first. */
static void choose(const View *v, Chosen *chosen)
{
    size_t n = 0;
    for (size_t j = 0; j < v->d; j++) {
        const Chosen c = survey(v, j);
        if (n == v->coded && !(c.weight > chosen[n - 1].weight))
            continue;
        size_t at = n < v->coded ? n++ : n - 1;
        for (; at > 0 && chosen[at - 1].weight < c.weight; at--)
            chosen[at] = chosen[at - 1];
        chosen[at] = c;
    }
    sort_by_feature(chosen, n);
}

/* Factors and offsets such that few rows' codes are bounded. */
static void coarse_factors(const View *v, const Chosen *chosen)
{
    double range = 0, limit = (double)coarse_limit(v);
    for (size_t p = 0; p < v->coded; p++) {
        const double sd = chosen[p].sd > LEAST_SD ? chosen[p].sd : LEAST_SD;
        const double far = sqrt(v->metric[chosen[p].feature]) * (FAR_SD * sd);
        range = far > range ? far : range;
    }
    for (size_t p = 0; p < v->coded; p++) {
        v->coded_of[p] = chosen[p].feature;
        v->offset[p] = (float)chosen[p].mean;
        v->factor[p] = (float)(limit / range * sqrt(v->metric[chosen[p].feature]));
    }
}

/* Factors such that all rows within reach have a code that is not bounded; time is counted from `now`. */
static void fine_factors(const View *v, float now)
{
    double range = 0, limit = (double)anb_knn_search_limit(v->d);
    for (size_t j = 0; j < v->d; j++) {
        double far = sqrt(v->metric[j]) * (v->reach[j] > 4 ? v->reach[j] : 4);
        range = far > range ? far : range;
    }
    for (size_t j = 0; j < v->d; j++)
        v->factor[j] = (float)(0.999 * limit / range * sqrt(v->metric[j]));
    if (v->given < v->d)
        v->offset[v->given] = now;
}

void anb_knn_codes_age(const View *v)
{
    const size_t padded = anb_knn_search_padded(v->d);
    memcpy(v->older, v->factor, padded * sizeof(float));
    memcpy(v->older_offset, v->offset, padded * sizeof(float));
    if (v->coarse)
        memcpy(v->older_of, v->coded_of, v->coded * sizeof *v->older_of);
}

void anb_knn_codes_shift(const View *v, float by)
{
    const size_t p = place_of(v, v->older_of, v->given);
    if (p != SIZE_MAX)
        v->older_offset[p] -= by;
}

/* The least and the largest ratio of a factor of now to the older one. */
typedef struct Ratios {
    double least, most;
} Ratios;

static Ratios ratios_of(const View *v)
{
    Ratios r = {0x1p1000, 0};
    for (size_t p = 0; p < v->coded; p++) {
        const double ratio = (double)v->factor[p] / (double)v->older[p];
        r.least = ratio < r.least ? ratio : r.least;
        r.most = ratio > r.most ? ratio : r.most;
    }
    return r;
}

/* How far squared distances by the factors of now may differ from those by the older ones. */
static void compare_factors(const View *v)
{
    const Ratios r = ratios_of(v);
    v->turn->least = r.least * r.least;
    v->turn->most = r.most * r.most;
}

/* Whether rows lie about as far apart by the factors of now as by the older ones. */
static bool hardly_changed(const View *v)
{
    const double limit = (double)coarse_limit(v);
    const Ratios r = ratios_of(v);
    bool near = memcmp(v->coded_of, v->older_of, v->coded * sizeof *v->coded_of) == 0;
    for (size_t p = 0; p < v->coded; p++) {
        const double moved = fabs((double)(v->offset[p] - v->older_offset[p]) * (double)v->factor[p]);
        near &= moved < limit / 16;
    }
    return near && r.least > 0.8 && r.most < 1.25;
}

static void keep_older(const View *v)
{
    memcpy(v->factor, v->older, v->coded * sizeof *v->factor);
    memcpy(v->offset, v->older_offset, v->coded * sizeof *v->offset);
}

/* New codes, unless the older factors are still near the new ones. */
static void begin_coarsely(const View *v)
{
    Chosen chosen[ANB_KNN_PLANE];
    choose(v, chosen);
    coarse_factors(v, chosen);
    if (!v->turn->under_way || !hardly_changed(v))
        return;
    keep_older(v);
    v->turn->under_way = 0;
}

void anb_knn_codes_begin(const View *v, float now)
{
    *v->turn = (KnnTurn){.under_way = v->s->ring.pushed > 0, .least = 1, .most = 1};
    if (v->coarse)
        begin_coarsely(v);
    else {
        fine_factors(v, now);
        if (v->turn->under_way)
            compare_factors(v);
    }
    anb_knn_turn(v);
}

void anb_knn_codes_again(const View *v)
{
    Chosen chosen[ANB_KNN_PLANE];
    if (v->coarse) {
        for (size_t p = 0; p < v->coded; p++)
            chosen[p] = survey(v, v->coded_of[p]);
        coarse_factors(v, chosen);
    } else
        fine_factors(v, v->given < v->d ? v->offset[v->given] : 0);
    v->turn->under_way = v->s->ring.pushed > 0;
    while (v->turn->under_way)
        anb_knn_turn(v);
}

/* ---- how they follow ---- */

void anb_knn_turn(const View *v)
{
    const size_t used = anb_ring_size(&v->s->ring, v->window), from = v->turn->turned;
    if (!v->turn->under_way)
        return;
    size_t rows = used - from < PIECE ? used - from : PIECE;
    v->turn->bounded |= encode(v, from, rows);
    v->turn->turned += PIECE;
    v->s->bounded |= v->turn->bounded;
    if (v->turn->turned < used)
        return;
    v->s->bounded = v->turn->bounded;
    *v->turn = (KnnTurn){.least = 1, .most = 1};
}

/* ---- after loading ---- */

/* Within the limit, so that no sum of squares leaves its integers. */
static bool words_valid(const View *v, size_t used)
{
    float limit = anb_knn_search_kept_limit(v->d);
    bool fine = true;
    for (size_t i = 0; i < used; i++)
        for (size_t j = 0; j < anb_knn_search_pairs(v->d); j++) {
            uint32_t word = v->code[anb_knn_search_word(i, v->d) + j * ANB_KNN_SEARCH_ROWS];
            fine &= abs(anb_knn_search_low(word)) <= (int)limit && abs(anb_knn_search_high(word)) <= (int)limit;
        }
    return fine;
}

static bool bytes_valid(const View *v)
{
    const int limit = (int)coarse_limit(v);
    bool fine = true;
    for (size_t i = 0; i < v->rows * anb_knn_search_pairs(v->coded) * 2; i++)
        fine &= abs(v->coarse_code[i]) <= limit;
    return fine;
}

/* Features of the row in ascending order. */
static bool places_valid(const uint32_t *of, const View *v)
{
    bool fine = true;
    for (size_t p = 0; p < v->coded; p++)
        fine &= of[p] < v->d && (p == 0 || of[p - 1] < of[p]);
    return fine;
}

/* Older factors are there while codes follow, and codes of both kinds in whole pieces. */
static bool turn_valid(const View *v, size_t used)
{
    bool fine = v->turn->least > 0 && v->turn->most > 0;
    if (!v->turn->under_way)
        return fine && v->turn->turned == 0;
    for (size_t p = 0; p < v->coded; p++)
        fine &= v->older[p] > 0 && v->older[p] <= 1e5f;
    fine &= !v->coarse || places_valid(v->older_of, v);
    return fine && v->turn->turned % PIECE == 0 && v->turn->turned < used;
}

bool anb_knn_codes_valid(const View *v, size_t used)
{
    bool fine =
        turn_valid(v, used) && (v->coarse ? bytes_valid(v) && places_valid(v->coded_of, v) : words_valid(v, used));
    for (size_t p = 0; p < v->coded; p++)
        fine &= v->factor[p] > 0 && v->factor[p] <= 1e5f;
    for (size_t p = v->coded; p < anb_knn_search_padded(v->d); p++)
        fine &= v->factor[p] == 0 && v->older[p] == 0 && v->offset[p] == 0 && v->older_offset[p] == 0;
    return fine;
}
