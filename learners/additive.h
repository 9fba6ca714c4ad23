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
    ANB_RESERVE = 256, /* values of a feature that knots are made from */
    ANB_PASSES = 6     /* passes that sort them */
};

/* The sorting of one feature's values during a round: `done` passes over its first `rows` values; rows 0: none. */
typedef struct AdditiveSorting {
    uint32_t rows, done;
} AdditiveSorting;

/* New knots of one feature, used from the next sample on: their number, 0 before they are made; for each the number of
 * old knots below it; for each new band the old band that it continues. */
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
    uint64_t seen, turn;   /* rows; the next of the 3 d steps of a round; 3 d: no round */
    uint64_t chosen;       /* 1: the pairs are of the strongest features */
    AdditiveSorting sorting;
    AdditiveNext next;
} Additive;

typedef struct AdditiveCell {
    float w, p;
} AdditiveCell;

/* The weight and variance of a line or of a knot of a curve. */
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

/* Whether variances, lifts and the unit, from a file, are ones that learning can produce. */
bool anb_additive_valid(const AdditiveView *v);

/* The band of a value with `below` of the feature's `count` knots below it. */
static inline unsigned anb_additive_band(unsigned below, unsigned count, size_t bands)
{
    unsigned band = count > bands ? below * (unsigned)bands / count : below;
    return band < bands ? band : (unsigned)bands - 1;
}

/* Adds a row to the reservoir. */
void anb_additive_remember(AdditiveView *v, const double *raw);

/* One pass of the sorting of feature j; how many passes so many rows take; whether one is left. */
void anb_additive_sort(AdditiveView *v, size_t j);
uint32_t anb_additive_passes(size_t rows);
bool anb_additive_unsorted(const AdditiveView *v);

/* Writes the values of a feature in the reserve that are not missing, ascending; returns how many. */
size_t anb_additive_sorted(const AdditiveView *v, size_t j, double *out);

/* Adds a row to the reservoir, and does the next steps of a round of knots. */
void anb_additive_see(AdditiveView *v, const double *raw);

/* Initialises: no knots, every table empty. */
void anb_additive_start(AdditiveView *v);

typedef struct AdditiveSums {
    double f, variance;
} AdditiveSums;

/* Factors of a step: of the weights' steps, of the loss of variance, of the lifts' steps; and the least variance. */
typedef struct AdditivePace {
    float step, shrink, lift, least;
} AdditivePace;

/* The place of each feature's value: `share` of the way from knot `low` to knot `high`, both ANB_KNOTS for a missing
 * cell; its x; its band as a column and as a row of tables. Padded to a multiple of four; the padding is not read. */
typedef struct AdditivePlaces {
    double *share, *x;
    uint32_t *low, *high, *column, *row;
} AdditivePlaces;

/* Factors of a step of the terms of single features. */
typedef struct AdditiveStep {
    double step, shrink, lift, least;
} AdditiveStep;

typedef struct AdditiveFeatureKernels {
    /* Finds the places of a row's values. */
    void (*find)(const AdditiveView *v, const double *raw, const double *x, const AdditivePlaces *places);
    /* The sums of lines and curves at these places. */
    AdditiveSums (*sum)(const AdditiveView *v, const AdditivePlaces *places);
    /* One step of the lines, the curves and their lifts. */
    void (*learn)(const AdditiveView *v, const AdditivePlaces *places, const AdditiveStep *step);
} AdditiveFeatureKernels;

ANB_ISA_TABLE(AdditiveFeatureKernels, anb_additive_feature_kernels);

typedef struct AdditiveKernels {
    /* Writes the index of the row's cell in each pair's table; padded by 0 to a multiple of eight. */
    void (*find)(const AdditiveView *v, const AdditivePlaces *places, uint32_t *at);
    /* The sums over n cells, a multiple of eight: w and p are gathered from `cell` at `at`. */
    AdditiveSums (*sum)(const AdditiveCell *cell, const uint32_t *at, const float *lifts, size_t n, float *w, float *p);
    /* One step of the cells that `sum` has gathered, and of their lifts. */
    void (*learn)(AdditiveCell *cell, const uint32_t *at, float *lifts, size_t n, const float *w, const float *p,
                  const AdditivePace *pace);
} AdditiveKernels;

ANB_ISA_TABLE(AdditiveKernels, anb_additive_kernels);

/* How the bands of a feature's tables change: band b gets what band source[b] had. `to` lists the n bands that change,
 * in an order in which none is overwritten before it is read. */
typedef struct AdditiveMoves {
    size_t n;
    uint32_t to[ANB_KNOTS + 1], source[ANB_KNOTS + 1];
} AdditiveMoves;

typedef struct AdditiveTableKernels {
    void (*rows)(AdditiveCell *table, size_t stride, const AdditiveMoves *moves);
    void (*columns)(AdditiveCell *table, size_t stride, const AdditiveMoves *moves);
} AdditiveTableKernels;

ANB_ISA_TABLE(AdditiveTableKernels, anb_additive_table_kernels);

enum { ANB_ADDITIVE_WIDEST = UINT16_MAX };                 /* features at most: pairs hold them in 16 bits */
enum { ANB_ADDITIVE_MANY = 8, ANB_ADDITIVE_MANY_D = 128 }; /* rows at once; features up to which they are */

typedef struct AdditiveManyKernels {
    /* Predicts up to ANB_ADDITIVE_MANY rows; out has room for as many. */
    void (*predict)(const AdditiveView *v, const AnbRows *rows, double *out);
} AdditiveManyKernels;

ANB_ISA_TABLE(AdditiveManyKernels, anb_additive_many_kernels);

/* x is clipped to +- this. */
#define ANB_FARTHEST 1e6

/* Bounds of a lift, and of its step relative to the lift. */
#define ANB_LIFT_LEAST 0.3
#define ANB_LIFT_MOST 20.
#define ANB_LIFT_STEP 0.1

#endif
