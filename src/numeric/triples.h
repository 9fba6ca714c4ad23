/*
 * Which products of three features the error of a model depends on, where neither a feature nor a product of two need say anything.
 *
 *     T_ijk = sum e z_i z_j z_k, i < j < k           z_j: feature j clipped to +-3, e: the error in deviations
 *     t     = S / sqrt(V)                            S, V: sums of e p and of its square
 *     p     = z_i z_j z_k - c_jk z_i - c_ik z_j - c_ij z_k           c_ij: mean of z_i z_j
 *
 * There are too many products to believe the largest T. In a round each T is looked at, those of one first feature i a row, and the
 * largest T^2 / (q_i q_j q_k) are named, q the sums of z^2. What is named is tested on the rows that come, which had no part in the
 * choice: where they are independent of the error, t is normal with variance 1. p is used, since z_i z_j z_k of features that depend on
 * each other says something where z_i alone does. A round ends 100 rows after the last T was looked at. The three features
 * count then if t^2 is beyond 16 + 2 log(1 + rounds): over a long stream many are tested. If t^2 is below 1, or below 4 in a later
 * round of the same test, the test is given up; in between it goes on. T of a product that is found or given up is set to 0, so that
 * others are named. All T fade by .9 a round.
 *
 * On each row the T of every fourth first feature are summed, of the next ones on the next row.
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

/* What the screen knows of the features. */
typedef struct AnbTriplesKnown {
    const float *squares; /* q */
    const float *terms;   /* G of screen.h, with z_i z_j among its sums */
    float rows;           /* that G is over */
} AnbTriplesKnown;

/* Adds a row: d features, the error. pair: room for anb_triples_pairs(d) floats. */
void anb_triples_add(const AnbTriplesView *v, const float *z, float error, const AnbTriplesKnown *known, float *pair);

/* Whether what is named are features in order: to be asked where bytes were loaded. */
bool anb_triples_valid(size_t d, const AnbTriple *named);

#endif
