/*
 * Which products of three features the error of a model depends on, also where it depends on none of the features alone
 * and on no product of two of them.
 *
 *     T_ijk = sum e z_i z_j z_k, i < j < k           z_j: feature j clipped to +-3, e: the error in standard deviations
 *     t     = S / sqrt(V)                            S, V: sums of e p and of (e p)^2
 *     p     = z_i z_j z_k - c_jk z_i - c_ik z_j - c_ij z_k           c_ij: mean of z_i z_j
 *
 * There are so many products that some T are large by chance alone. So a product is first named as a candidate, then
 * tested on new rows.
 *
 * Candidates: in a round each T is looked at, those of one first feature i a row. The products with the largest T^2 /
 * (q_i q_j q_k), q_j the sum of z_j^2, are named.
 *
 * Test: on the rows that follow, t is normal with variance 1 if the product is independent of the error. p replaces z_i
 * z_j z_k since for dependent features the plain product is correlated with z_i alone. A round ends 100 rows after the
 * last T was looked at; then
 *
 *     t^2 > 16 + 2 log(1 + rounds)                       the three features count; the bound grows with the tests made
 *     t^2 < 1, in later rounds of the same test < 4      the test is given up
 *     else                                               the test goes on
 *
 * T of a product that was found or given up is set to 0, so that others are named. All T are multiplied by .9 each
 * round. On each row the T of every fourth first feature are summed, on the next row those of the next ones.
 *
 * State: d^3 / 6 floats. Cost: d^3 / 24 operations on floats a row.
 */
#ifndef ANB_NUMERIC_TRIPLES_H
#define ANB_NUMERIC_TRIPLES_H

#include "fields.h"
#include <stddef.h>
#include <stdint.h>

enum { ANB_TRIPLES_WIDEST = 96, ANB_TRIPLES_NAMED = 16 };

/* A product that is tested; all 0: none. */
typedef struct AnbTriple {
    float size;          /* T^2 / (q_i q_j q_k); from the second round of its test on FLT_MAX, since it stays */
    float sum, variance; /* S and V */
    uint16_t i, j, k;
} AnbTriple;

typedef struct AnbTriples {
    uint64_t rows;   /* so far */
    uint64_t looked; /* first features whose T were looked at in this round */
    uint64_t waited; /* rows since the last of them */
} AnbTriples;

extern const AnbField anb_triples_fields[], anb_triple_fields[];

/* Where the sums of one node lie. */
typedef struct AnbTriplesView {
    size_t d;
    AnbTriples *s;
    float *sums;      /* T, by i, then j, then k */
    AnbTriple *named; /* ANB_TRIPLES_NAMED of them */
    uint8_t *counts;  /* of each feature: 1 where it is found to count */
} AnbTriplesView;

/* Numbers of T: none where d is less than 3 or more than ANB_TRIPLES_WIDEST, and then no feature is found. */
static inline size_t anb_triples_sums(size_t d)
{
    return d < 3 || d > ANB_TRIPLES_WIDEST ? 0 : d * (d - 1) * (d - 2) / 6;
}

/* Products of two features, j < k. */
static inline size_t anb_triples_pairs(size_t d)
{
    return anb_triples_sums(d) > 0 ? d * (d - 1) / 2 : 0;
}

/* Sums of the screen that the triples use. */
typedef struct AnbTriplesKnown {
    const float *squares; /* q */
    const float *terms;   /* G of screen.h, with z_i z_j among its sums */
    float rows;           /* that G is over */
} AnbTriplesKnown;

/* Adds a row: d features, the error. pair: room for anb_triples_pairs(d) floats. */
void anb_triples_add(const AnbTriplesView *v, const float *z, float error, const AnbTriplesKnown *known, float *pair);

/* Whether named products from a file are valid: features in ascending order. */
bool anb_triples_valid(size_t d, const AnbTriple *named);

#endif
