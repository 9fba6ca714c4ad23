/*
 * Which of many features carry information about a target, from sums over the rows.
 *
 *     z_j = x_j clipped to +-3                  terms u = (1, z_1 .. z_d, z_1^2 - 1 .. z_d^2 - 1)
 *     G = sum (u, t) (u, t)'                    t: the target, in standard deviations
 *
 * Single features: forward selection on G. The term that lowers the squared error most is taken next, while the t-value
 * of the k-th term is beyond the two-sided normal quantile of level k `level` / (2 d). Of the terms taken a share of
 * about `level` is then there by chance (Benjamini & Hochberg 1995, step-up). A term that is nearly a linear
 * combination of those taken before is left out, so of two copies of a feature one is taken.
 *
 * Products of two features have no term in G. They are found from the error e of a model. With z_0 = 1, S_ij = sum e
 * z_i z_j is normal with mean 0 if e depends neither on the features nor on such products, with a variance of at most
 *
 *     V_ij = max(E_i q_j, E_j q_i)               E_i = sum (e z_i)^2, q_j = mean of z_j^2
 *
 * This bound allows for errors whose size depends on a feature. Both features of a sum are taken if it is beyond the
 * normal quantile at which .02 of all sums would be expected by chance.
 *
 * Products of three features: triples.h.
 *
 * G is halved at 4,000 rows, so that it is over the last 2,000 to 4,000; S is multiplied by .9 every 200 rows. After a
 * change of the features' unit (reframe in type.h) both go on, each row in the unit of its time.
 */
#ifndef ANB_NUMERIC_SCREEN_H
#define ANB_NUMERIC_SCREEN_H

#include "fields.h"
#include "src/simd/isa.h"
#include "triples.h"
#include <stddef.h>
#include <stdint.h>

typedef struct AnbScreen {
    double rows;       /* that G is over */
    double error_rows; /* that S is over */
    double waited;     /* rows since S faded */
} AnbScreen;

extern const AnbField anb_screen_fields[];

/* Where the sums of one node lie. */
typedef struct AnbScreenView {
    size_t d;
    AnbScreen *s;
    float *terms, *pairs;      /* upper triangles of G and S, row by row */
    float *squares, *energies; /* d + 1 each: sums of z_i^2 and of (e z_i)^2 */
    AnbTriplesView triples;
} AnbScreenView;

static inline size_t anb_screen_width(size_t d)
{
    return 2 * d + 2;
}

static inline size_t anb_screen_triangle(size_t n)
{
    return n * (n + 1) / 2;
}

/* The place of u_i u_j in G. */
static inline size_t anb_screen_place(size_t d, size_t i, size_t j)
{
    size_t low = i < j ? i : j, high = i < j ? j : i;
    return low * anb_screen_width(d) - low * (low - 1) / 2 - low + high;
}

/* At most so many terms are taken. */
enum { ANB_SCREEN_TERMS = 40 };

/* Doubles that anb_screen_forward works in. */
static inline size_t anb_screen_room(size_t d)
{
    return (ANB_SCREEN_TERMS + 2) * anb_screen_width(d);
}

/* Adds a row: the target and the model's error in deviations. Features that count in products of three are marked in
 * the view's triples.counts. row: room for 2 d + 2 floats, pair: for anb_triples_pairs(d). */
void anb_screen_add(const AnbScreenView *v, const double *x, double target, double error, float *row, float *pair);

/* Marks the features of the terms taken, `most` at most; returns how many. */
size_t anb_screen_forward(const AnbScreenView *v, size_t most, double level, uint8_t *chosen, double *room);

/* Marks the features that the error depends on, by S. */
void anb_screen_depends(const AnbScreenView *v, uint8_t *chosen);

/* Restarts S, when the model has been replaced. */
void anb_screen_forget_errors(const AnbScreenView *v);

typedef struct AnbScreenKernels {
    /* sum_ij += by u_i u_j, i <= j < n; the numbers are finite */
    void (*add_products)(float *sum, const float *u, size_t n, float by);
    void (*add_times)(float *sum, const float *u, size_t n, float by); /* sum_i += by u_i, i < n */
} AnbScreenKernels;

ANB_ISA_TABLE(AnbScreenKernels, anb_screen_kernels);

#endif
