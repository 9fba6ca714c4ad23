/*
 * Two detectors of change beside ADWIN (adwin.h), for numbers in [0, 1].
 *
 *     Page-Hinkley   m <- m + (v - mean - 0.005)    alarm where m - min m > 50        Page 1954, Mouss et al. 2004
 *     KSWIN          the last 30 of 100 values against 30 drawn from the 70 before, two-sample Kolmogorov-Smirnov:
 *                    alarm where D > sqrt(-ln(delta / 2) / 2) sqrt(2 / 30)            Raab, Heusinger & Schleif 2020
 *
 * The settings are those of the papers and of the libraries that have both.
 */
#ifndef ANB_NUMERIC_DETECTORS_H
#define ANB_NUMERIC_DETECTORS_H

#include "random.h"
#include "ring.h"
#include <anabranch/type.h>

/* Zeroed at first. */
typedef struct AnbPageHinkley {
    double n, mean, sum, least;
} AnbPageHinkley;

/* Whether the mean has risen. Cost: a handful of operations. */
bool anb_page_hinkley_add(AnbPageHinkley *p, double value);

enum { ANB_KSWIN_WINDOW = 100, ANB_KSWIN_STAT = 30 };

/* Zeroed at first. */
typedef struct AnbKswin {
    AnbRing ring;
    double value[ANB_KSWIN_WINDOW];
} AnbKswin;

/* Whether the distribution has changed and the mean has risen. Cost: two sorts of 30 numbers. */
bool anb_kswin_add(AnbKswin *k, AnbRandom *random, double value, double delta);
/* The largest distance between the empirical distributions of two samples of n numbers, both sorted. */
double anb_ks_distance(const double *a, const double *b, size_t n);
void anb_kswin_visit(AnbKswin *k, AnbVisitor *visitor);

#endif
