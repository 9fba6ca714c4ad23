/*
 * Friedman's stream, with or without drifts.
 *
 *     friedman   y = 10 sin(pi x0 x1) + 20 (x2 - 1/2)^2 + 10 x3 + 5 x4 + noise, x uniform in [0,1]^10, noise sd 1
 *
 * Friedman 1991; with drifts as in Ikonomovska, Gama & Dzeroski 2011:
 *     gra   global, recurring, abrupt: other roles of the features between .35 N and .75 N
 *     gsg   global, slow, gradual: new roles from .35 N and again from .75 N; in the .05 N rows after each, old and new
 *           ones by the toss of a coin
 *     lea   local, expanding, abrupt: two regions get functions of their own at .25 N, and grow at .5 N and .75 N
 */
#include "streams.h"
#include <math.h>
#include <string.h>

enum { FEATURES = 10 };
static const double pi = 3.14159265358979323846;

typedef double Truth(const double *x, double at, gsl_rng *rng);

/* Friedman's function with the features in the given roles. */
static double friedman(const double *x, int a, int b, int c, int d, int e)
{
    return 10 * sin(pi * x[a] * x[b]) + 20 * (x[c] - 0.5) * (x[c] - 0.5) + 10 * x[d] + 5 * x[e];
}

static double none(const double *x, double at, gsl_rng *rng)
{
    (void)at, (void)rng;
    return friedman(x, 0, 1, 2, 3, 4);
}

static double gra(const double *x, double at, gsl_rng *rng)
{
    bool other = at >= 0.35 && at < 0.75;
    (void)rng;
    return other ? friedman(x, 3, 4, 1, 0, 2) : friedman(x, 0, 1, 2, 3, 4);
}

static double gsg(const double *x, double at, gsl_rng *rng)
{
    int concept = (at >= 0.35) + (at >= 0.75);
    double since = concept == 2 ? at - 0.75 : at - 0.35;
    if (concept > 0 && since < 0.05)
    concept -= (int)gsl_rng_uniform_int(rng, 2);
    if (concept == 0)
        return friedman(x, 0, 1, 2, 3, 4);
    return concept == 1 ? friedman(x, 3, 4, 1, 0, 2) : friedman(x, 1, 4, 3, 2, 0);
}

static double lea(const double *x, double at, gsl_rng *rng)
{
    int step = (at >= 0.25) + (at >= 0.5) + (at >= 0.75);
    bool low = step > 0 && x[1] < 0.3 && x[2] < 0.3 && (step > 2 || x[3] > 0.7) && (step > 1 || x[4] < 0.3);
    bool high = step > 0 && x[1] > 0.7 && x[2] > 0.7 && (step > 2 || x[3] < 0.3) && (step > 1 || x[4] > 0.7);
    (void)rng;
    if (low)
        return 10 * x[0] * x[1] + 20 * (x[2] - 0.5) + 10 * x[3] + 5 * x[4];
    if (high)
        return 10 * cos(x[0] * x[1]) + 20 * (x[2] - 0.5) + exp(x[3]) + 5 * x[4] * x[4];
    return friedman(x, 0, 1, 2, 3, 4);
}

static const struct {
    const char *name;
    Truth *truth;
} kinds[] = {{"none", none}, {"gra", gra}, {"gsg", gsg}, {"lea", lea}};

static Truth *find(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return kinds[i].truth;
    return NULL;
}

static int start(const char *drift)
{
    return find(drift) ? 0 : 1;
}

static void header(FILE *file)
{
    for (int i = 0; i < FEATURES; i++)
        fprintf(file, "x%d,", i);
    fprintf(file, "target\n");
}

/* Four decimals of x are kept before y is made of them: the file is small, and the truth exact. */
static void row(FILE *file, const StreamPlace *place, gsl_rng *rng)
{
    double x[FEATURES];
    for (int i = 0; i < FEATURES; i++) {
        x[i] = (double)gsl_rng_uniform_int(rng, 10001) / 10000;
        stream_put(file, x[i], ",");
    }
    stream_put(file, stream_round(find(place->drift)(x, place->at, rng) + stream_normal(rng)), "\n");
}

const Stream stream_friedman = {"friedman", "none, gra, gsg, lea", start, header, row};
