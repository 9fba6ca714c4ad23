/*
 * What the files of the learner `additive` share: its state, where each part of it lies, and the kernels over pairs.
 *
 * A cell is a weight and its variance, two floats. Cell 0 stays zero: the lists of pairs are filled up to whole eights
 * with it. The cells of pair k are the stride^2 ones from 1 + k stride^2 on, row by row of the left feature's bands.
 */
#ifndef ANB_LEARNERS_ADDITIVE_H
#define ANB_LEARNERS_ADDITIVE_H

#include "src/simd/isa.h"
#include "src/numeric/error_scale.h"
#include "src/numeric/random.h"
#include "src/numeric/weight_unit.h"
#include <anabranch/learners.h>

enum {
    ANB_KNOTS = 24,    /* of a feature, at most; whole eights */
    ANB_NODES = 25,    /* weights of a curve: one a knot, and that of a missing cell */
    ANB_RESERVE = 256, /* values of a feature that knots are made from, */
    ANB_PASSES = 6     /* and passes until so many are sorted */
};

/* The sorting of the feature whose turn it is in a round: of its first `rows` values, after `done` passes; rows 0: none. */
typedef struct AdditiveSorting {
    uint32_t rows, done;
} AdditiveSorting;

/* New knots of the feature whose turn it is, which come into use with the next sample: how many there are, 0 before; how many of the
 * old ones lie below each; which of the old bands each of the new ones was. */
typedef struct AdditiveNext {
    double knots[ANB_KNOTS];
    uint32_t count, below[ANB_KNOTS], from[ANB_KNOTS + 1];
} AdditiveNext;

typedef struct Additive {
    AnbRandom random;
    AnbErrorScale error;
    AnbWeightUnit weights;
    double constant, unit; /* b; what all weights are multiplied by, a power of two, or 0 before the first error */
    double due;            /* rows seen when the next round of knots is due */
    uint64_t seen, turn;   /* rows; the next step of a round of 3 d, which follow each other: 3 d where there is none */
    uint64_t chosen;       /* 1: the pairs are of the strongest features */
    AdditiveSorting sorting;
    AdditiveNext next;
} Additive;

typedef struct AdditiveCell {
    float w, p;
} AdditiveCell;

/* A straight line or a knot of a curve. */
typedef struct AdditiveTerm {
    double w, p;
} AdditiveTerm;

/* Where everything of one node lies. */
typedef struct AdditiveView {
    size_t d, pairs, bands, stride; /* bands of values; and one for a missing cell */
    Additive *head;
    uint32_t *count;        /* knots of each feature */
    double *knots;          /* ANB_KNOTS a feature, ascending */
    double *reserve;        /* ANB_RESERVE a feature */
    double *strength;       /* of each feature when pairs were last chosen */
    uint16_t *order;        /* features, the strongest first */
    AdditiveTerm *line;     /* one a feature */
    AdditiveTerm *curve;    /* ANB_NODES a feature */
    double *lift;           /* of each curve */
    uint16_t *left, *right; /* features of each pair */
    float *lifts;           /* of each pair */
    AdditiveCell *cell;
} AdditiveView;

AdditiveView anb_additive_view(const AnbNode *self, void *state);

double anb_additive_floor(const AdditiveView *v, bool pair);

/* Whether variances, lifts and the unit, from a file, are such as learning leaves behind. */
bool anb_additive_valid(const AdditiveView *v);

/* The band of a value that so many of the feature's knots lie below. */
static inline unsigned anb_additive_band(unsigned below, unsigned count, size_t bands)
{
    unsigned band = count > bands ? below * (unsigned)bands / count : below;
    return band < bands ? band : (unsigned)bands - 1;
}

/* Shows a row to the reserve. */
void anb_additive_remember(AdditiveView *v, const double *raw);

/* A step of the sorting of the feature whose turn it is; how many there are of so many rows; whether one is left. */
void anb_additive_sort(AdditiveView *v, size_t j);
uint32_t anb_additive_passes(size_t rows);
bool anb_additive_unsorted(const AdditiveView *v);

/* Writes the values of a feature in the reserve that are not missing, ascending; returns how many. */
size_t anb_additive_sorted(const AdditiveView *v, size_t j, double *out);

/* Shows a row to the reserve, and makes the next feature's knots where a round is under way. */
void anb_additive_see(AdditiveView *v, const double *raw);

/* A new model: no knots, every table empty. */
void anb_additive_start(AdditiveView *v);

typedef struct AdditiveSums {
    double f, variance;
} AdditiveSums;

/* What a step multiplies by: the weights' steps, the loss of variance, the lifts' steps; the least variance. */
typedef struct AdditivePace {
    float step, shrink, lift, least;
} AdditivePace;

/* Where each feature's value lies: `share` of the way between two knots; of a missing one both are ANB_KNOTS. Its x; its band as
 * a column and as a row of tables. Whole fours; what is behind the last feature is not read. */
typedef struct AdditivePlaces {
    double *share, *x;
    uint32_t *low, *high, *column, *row;
} AdditivePlaces;

/* What a step of the terms of single features multiplies by. */
typedef struct AdditiveStep {
    double step, shrink, lift, least;
} AdditiveStep;

typedef struct AdditiveFeatureKernels {
    /* Finds the places of a row's values. */
    void (*find)(const AdditiveView *v, const double *raw, const double *x, const AdditivePlaces *places);
    /* The sums of lines and curves there. */
    AdditiveSums (*say)(const AdditiveView *v, const AdditivePlaces *places);
    /* One step of them, and of the curves' lifts. */
    void (*learn)(const AdditiveView *v, const AdditivePlaces *places, const AdditiveStep *step);
} AdditiveFeatureKernels;

ANB_ISA_TABLE(AdditiveFeatureKernels, anb_additive_feature_kernels);

typedef struct AdditiveKernels {
    /* Which cell of each pair the row is in; 0 behind the last pair, up to whole eights. */
    void (*find)(const AdditiveView *v, const AdditivePlaces *places, uint32_t *at);
    /* The sums over n cells, a multiple of eight: w and p are gathered from `cell` at `at`. */
    AdditiveSums (*say)(const AdditiveCell *cell, const uint32_t *at, const float *lifts, size_t n, float *w, float *p);
    /* One step of the cells that `say` has gathered, and of their lifts. */
    void (*learn)(AdditiveCell *cell, const uint32_t *at, float *lifts, size_t n, const float *w, const float *p,
                  const AdditivePace *pace);
} AdditiveKernels;

ANB_ISA_TABLE(AdditiveKernels, anb_additive_kernels);

/* How the bands of a feature's tables change: band b gets what band source[b] had. `to` lists the n bands that change, in an order in
 * which none is overwritten before it is read. */
typedef struct AdditiveMoves {
    size_t n;
    uint32_t to[ANB_KNOTS + 1], source[ANB_KNOTS + 1];
} AdditiveMoves;

typedef struct AdditiveTableKernels {
    void (*rows)(AdditiveCell *table, size_t stride, const AdditiveMoves *moves);
    void (*columns)(AdditiveCell *table, size_t stride, const AdditiveMoves *moves);
} AdditiveTableKernels;

ANB_ISA_TABLE(AdditiveTableKernels, anb_additive_table_kernels);

enum { ANB_ADDITIVE_MANY = 8, ANB_ADDITIVE_MANY_D = 128 }; /* rows at once; features up to which they are */

typedef struct AdditiveManyKernels {
    /* What predict says of up to ANB_ADDITIVE_MANY rows; out has room for as many. */
    void (*say)(const AdditiveView *v, const AnbRows *rows, double *out);
} AdditiveManyKernels;

ANB_ISA_TABLE(AdditiveManyKernels, anb_additive_many_kernels);

/* x beyond it counts as that. */
#define ANB_FARTHEST 1e6

/* Bounds of a lift, and of its step as a share of it. */
#define ANB_LIFT_LEAST 0.3
#define ANB_LIFT_MOST 20.
#define ANB_LIFT_STEP 0.1

#endif
