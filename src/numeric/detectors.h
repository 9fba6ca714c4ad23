/*
 * Two drift detectors besides ADWIN (adwin.h), for numbers in [0, 1]; KSWIN also for signed numbers in [-1, 1].
 *
 *     Page-Hinkley   m <- m + (v - mean - .03)    alarm where m - min m > 15        Page 1954, Mouss et al. 2004
 *     KSWIN          the last 300 of 1,200 values against 300 drawn from the 900 before, every 32nd value, two-sample
 *                    Kolmogorov-Smirnov: alarm where D > sqrt(-ln(delta / 512) / 2) sqrt(2 / 300)
 *                                                                                   Raab, Heusinger & Schleif 2020
 *
 * The published settings are .005 and 50 for Page-Hinkley, and 30 of 100 values, tested at every value, for KSWIN.
 * Those either react late to a rise by one standard deviation or raise an alarm every few hundred values of a sequence
 * that does not change.
 */
#ifndef ANB_NUMERIC_DETECTORS_H
#define ANB_NUMERIC_DETECTORS_H

#include "random.h"
#include "ring.h"
#include <anabranch/type.h>

#define ANB_PAGE_HINKLEY_ALLOWED .03
#define ANB_PAGE_HINKLEY_THRESHOLD 15

/* Zeroed at first. */
typedef struct AnbPageHinkley {
    double n, mean, sum, least;
} AnbPageHinkley;

/* Whether the mean has risen. Cost: a handful of operations. */
bool anb_page_hinkley_add(AnbPageHinkley *p, double value);

enum { ANB_KSWIN_WINDOW = 1200, ANB_KSWIN_STAT = 300, ANB_KSWIN_PERIOD = 32, ANB_KSWIN_TESTS = 256 };

/* Zeroed at first. */
typedef struct AnbKswin {
    AnbRing ring;
    double value[ANB_KSWIN_WINDOW];
} AnbKswin;

/* Adds a value. Whether the distribution has changed and the mean size has risen. Signed values show a change of level
 * much sooner than sizes do: a shift by one deviation of normal errors moves their distribution function by up to .38,
 * that of their sizes by .21. Cost: at every 32nd value two sorts of 300 numbers. */
bool anb_kswin_add(AnbKswin *k, AnbRandom *random, double value, double delta);
/* The largest distance between the empirical distributions of two samples of n numbers, both sorted. */
double anb_ks_distance(const double *a, const double *b, size_t n);

extern const AnbField anb_page_hinkley_fields[];
/* KSWIN's window as a part of a state. */
extern const AnbPart anb_kswin_part;

#endif
