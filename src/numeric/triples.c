#include "triples.h"
#include "elementary.h"
#include "screen.h"
#include <float.h>

enum {
    SHARE = 4,
    REST = 100,
    NAMED = ANB_TRIPLES_NAMED
}; /* one first feature in so many a row; rows between two rounds */
static const float kept = 0.9F, sure = 4 * 4, scant = 1, later = 2 * 2, most_size = FLT_MAX / 2;

static uint64_t widest(const AnbNode *self)
{
    return self->n_features;
}

static uint64_t longest(const AnbNode *self)
{
    (void)self;
    return REST - 1;
}

const AnbField anb_triples_fields[] = {{ANB_MEMBER(AnbTriples, rows)},
                                       {ANB_MEMBER(AnbTriples, looked), .most = widest},
                                       {ANB_MEMBER(AnbTriples, waited), .most = longest},
                                       {0}};
const AnbField anb_triple_fields[] = {{ANB_MEMBER(AnbTriple, size), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                      {ANB_MEMBER(AnbTriple, sum), .must = ANB_FINITE},
                                      {ANB_MEMBER(AnbTriple, variance), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                      {ANB_MEMBER(AnbTriple, i)},
                                      {ANB_MEMBER(AnbTriple, j)},
                                      {ANB_MEMBER(AnbTriple, k)},
                                      {0}};

/* ---- sums -------------------------------------------------------------------------------------------------------- */

/* The place of z_j z_k among the products of two, by j, then k. */
static size_t pair_of(size_t d, size_t j, size_t k)
{
    return j * (2 * d - j - 1) / 2 + k - j - 1;
}

/* The sums of first feature i begin at the number of those of all before it. */
static size_t begin_of(size_t d, size_t i)
{
    const size_t left = d - i;
    return (d * (d - 1) * (d - 2) - left * (left - 1) * (left - 2)) / 6;
}

static float *sum_of(const AnbTriplesView *v, const AnbTriple *t)
{
    return v->sums + begin_of(v->d, t->i) + pair_of(v->d, t->j, t->k) - pair_of(v->d, t->i + 1U, t->i + 2U);
}

/* Adds to the sums of the first features `from`, `from` + SHARE, .. Products z_j z_k with i < j < k are the last ones
 * of all. */
static void add_products(const AnbTriplesView *v, size_t from, const float *z, float error, float *pair)
{
    const size_t d = v->d, n = anb_triples_pairs(d);
    for (size_t j = from + 1, at = pair_of(d, from + 1, from + 2); j < d; j++)
        for (size_t k = j + 1; k < d; k++)
            pair[at++] = z[j] * z[k];
    for (size_t i = from; i + 2 < d; i += SHARE) {
        const size_t first = pair_of(d, i + 1, i + 2);
        anb_screen_kernels.add_times(v->sums + begin_of(d, i), pair + first, n - first, error * z[i]);
    }
}

/* ---- which are tested -------------------------------------------------------------------------------------------- */

/* The place that the next one takes: of those named the one of the smallest T. */
static AnbTriple *smallest(const AnbTriplesView *v)
{
    AnbTriple *least = v->named;
    for (AnbTriple *t = v->named + 1; t < v->named + NAMED; t++)
        least = t->size < least->size ? t : least;
    return least;
}

static bool is_named(const AnbTriplesView *v, size_t i, size_t j, size_t k)
{
    bool found = false;
    for (const AnbTriple *t = v->named; t < v->named + NAMED; t++)
        found |= t->i == i && t->j == j && t->k == k;
    return found;
}

/* The T of one first feature fade, and the largest are named. */
static void look_at(const AnbTriplesView *v, size_t i, const float *q)
{
    float *sum = v->sums + begin_of(v->d, i);
    for (size_t j = i + 1; j + 1 < v->d; j++) {
        AnbTriple *least = smallest(v);
        for (size_t k = j + 1; k < v->d; k++, sum++) {
            const float by = q[i] * q[j] * q[k];
            *sum *= kept;
            if (*sum * *sum <= least->size * by || by <= 0 || is_named(v, i, j, k))
                continue;
            const float size = *sum * *sum / by;
            *least = (AnbTriple){
                .size = size < most_size ? size : most_size, .i = (uint16_t)i, .j = (uint16_t)j, .k = (uint16_t)k};
            least = smallest(v);
        }
    }
}

/* ---- their test -------------------------------------------------------------------------------------------------- */

static float mean_product(const AnbTriplesKnown *known, size_t d, size_t i, size_t j)
{
    return known->rows > 0 ? known->terms[anb_screen_place(d, i + 1, j + 1)] / known->rows : 0;
}

static void test(const AnbTriplesView *v, const float *z, float error, const AnbTriplesKnown *known)
{
    for (AnbTriple *t = v->named; t < v->named + NAMED; t++) {
        const float a = z[t->i], b = z[t->j], c = z[t->k];
        const float alone = mean_product(known, v->d, t->j, t->k) * a + mean_product(known, v->d, t->i, t->k) * b +
                            mean_product(known, v->d, t->i, t->j) * c;
        const float by = error * (a * b * c - alone);
        t->sum += by;
        t->variance += by * by;
    }
}

/* At the end of a round: whether the test of a candidate goes on. If not, its features count or it is given up. */
static bool stays_in_test(const AnbTriplesView *v, const AnbTriple *t, float enough)
{
    const float square = t->sum * t->sum;
    const bool found = square > enough * t->variance;
    if (!found && square > (t->size < FLT_MAX ? scant : later) * t->variance)
        return true;
    *sum_of(v, t) = 0;
    if (found)
        v->counts[t->i] = v->counts[t->j] = v->counts[t->k] = 1;
    return false;
}

static void end_round(const AnbTriplesView *v)
{
    const double rounds = (double)v->s->rows / (double)(v->d - 2 + REST);
    const float enough = sure + 2 * (float)anb_log(1 + rounds);
    for (AnbTriple *t = v->named; t < v->named + NAMED; t++)
        if (t->k > 0 && stays_in_test(v, t, enough))
            t->size = FLT_MAX;
        else
            *t = (AnbTriple){0};
    v->s->looked = v->s->waited = 0;
}

void anb_triples_add(const AnbTriplesView *v, const float *z, float error, const AnbTriplesKnown *known, float *pair)
{
    if (anb_triples_sums(v->d) == 0)
        return;
    add_products(v, v->s->rows++ % SHARE, z, error, pair);
    test(v, z, error, known);
    if (v->s->looked + 2 < v->d)
        look_at(v, v->s->looked++, known->squares);
    else if (++v->s->waited == REST)
        end_round(v);
}

bool anb_triples_valid(size_t d, const AnbTriple *named)
{
    for (const AnbTriple *t = named; t < named + NAMED; t++)
        if ((t->i | t->j | t->k) != 0 && !(t->i < t->j && t->j < t->k && t->k < d))
            return false;
    return true;
}
