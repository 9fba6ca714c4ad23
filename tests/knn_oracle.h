/* The learner `knn` again, with its neighbours by sorting and its planes by GSL. */
#ifndef ANB_KNN_ORACLE_H
#define ANB_KNN_ORACLE_H

#include "src/numeric/error_scale.h"
#include <gsl/gsl_multifit.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { D = 4, WINDOW = 150, K = 12, N = 700 };

typedef struct Oracle {
    int n, fits;
    bool fitted;
    double x[N][D], y[N], slopes[D], bends[D], squares[D], metric[D], cross, spread, right[D], added[D], trust[D],
        judged, missed;
    double mean, plane, said, slope[D], pull[D], adds[D]; /* of the last look */
    double bounded;                                       /* the prediction within the neighbours' range */
    AnbErrorScale error;
    const double *importance; /* D shares, or NULL */
} Oracle;

typedef struct Neighbour {
    double distance;
    int at;
} Neighbour;

static int nearer(const void *a, const void *b)
{
    double x = ((const Neighbour *)a)->distance, y = ((const Neighbour *)b)->distance;
    return (x > y) - (x < y);
}

static double distance(const double *metric, const double *x, const double *z)
{
    double sum = 0;
    for (int j = 0; j < D; j++)
        sum += metric[j] * pow(x[j] - z[j], 2);
    return sqrt(sum);
}

static double weight(const Oracle *o, const Neighbour *near, int i, int k, const double *metric, const double *x)
{
    return 1 / (.02 + distance(metric, x, o->x[near[i].at]) / distance(metric, x, o->x[near[k - 1].at]));
}

/* What the plane's penalty goes by, once a metric has been made of rows. */
static double trusted(const Oracle *o, int j)
{
    return o->metric[j] + (o->n < 16 ? 0 : .002 * o->trust[j]);
}

static void fit(Oracle *o, const Neighbour *near, int k, const double *x)
{
    double w[K], total = 0, centre[D] = {0}, trace = 0, chi;
    o->mean = 0;
    for (int i = 0; i < k; i++) {
        w[i] = weight(o, near, i, k, o->metric, x);
        total += w[i];
        o->mean += w[i] * o->y[near[i].at];
        for (int j = 0; j < D; j++)
            centre[j] += w[i] * o->x[near[i].at][j];
    }
    o->mean /= total;
    gsl_matrix *a = gsl_matrix_calloc(K + D, D), *covariance = gsl_matrix_alloc(D, D);
    gsl_vector *b = gsl_vector_calloc(K + D), *c = gsl_vector_alloc(D);
    for (int i = 0; i < k; i++) {
        gsl_vector_set(b, i, sqrt(w[i]) * (o->y[near[i].at] - o->mean));
        for (int j = 0; j < D; j++) {
            double off = o->x[near[i].at][j] - centre[j] / total;
            gsl_matrix_set(a, i, j, sqrt(w[i]) * off);
            trace += trusted(o, j) * w[i] * off * off;
        }
    }
    for (int j = 0; j < D; j++)
        gsl_matrix_set(a, K + j, j, sqrt(.1 * trace / D / trusted(o, j)));
    gsl_multifit_linear_workspace *space = gsl_multifit_linear_alloc(K + D, D);
    gsl_multifit_linear(a, b, c, covariance, &chi, space);
    o->plane = o->mean;
    for (int j = 0; j < D; j++) {
        o->slope[j] = gsl_vector_get(c, j);
        o->plane += o->adds[j] = o->slope[j] * (x[j] - centre[j] / total);
    }
    gsl_multifit_linear_free(space);
    gsl_matrix_free(a);
    gsl_matrix_free(covariance);
    gsl_vector_free(b);
    gsl_vector_free(c);
}

/* The weights' slopes by differences. */
static void pull(Oracle *o, const Neighbour *near, int k, const double *x)
{
    for (int j = 0; j < D; j++) {
        double total = 0, sum = 0;
        for (int i = 0; i < k; i++) {
            double metric[2][D], miss = o->y[near[i].at] - o->plane;
            memcpy(metric[0], o->metric, sizeof o->metric);
            memcpy(metric[1], o->metric, sizeof o->metric);
            metric[0][j] *= 1 - 1e-5;
            metric[1][j] *= 1 + 1e-5;
            for (int l = 0; l < D; l++)
                miss -= o->slope[l] * (o->x[near[i].at][l] - x[l]);
            total += weight(o, near, i, k, o->metric, x);
            sum += miss * (weight(o, near, i, k, metric[1], x) - weight(o, near, i, k, metric[0], x)) / 2e-5;
        }
        o->pull[j] = sum / total;
    }
}

static double oracle_share(const Oracle *o)
{
    return o->spread > 0 ? fmax(0, fmin(1, o->cross / o->spread)) : 1;
}

static double oracle_predict(Oracle *o, const double *x)
{
    Neighbour near[WINDOW];
    int count = o->n < WINDOW ? o->n : WINDOW, k = count < K ? count : K;
    double low = INFINITY, high = -INFINITY;
    if (k == 0)
        return 0;
    for (int i = 0; i < count; i++) {
        near[i].at = o->n - 1 - i;
        near[i].distance = distance(o->metric, x, o->x[near[i].at]);
    }
    qsort(near, (size_t)count, sizeof *near, nearer);
    fit(o, near, k, x);
    pull(o, near, k, x);
    o->fitted = k > D;
    for (int i = 0; i < k; i++) {
        low = fmin(low, o->y[near[i].at]);
        high = fmax(high, o->y[near[i].at]);
    }
    double share = oracle_share(o), margin = .25 * (high - low);
    o->said = o->mean + (o->fitted ? share * (o->plane - o->mean) : 0);
    return o->bounded = fmax(low - margin, fmin(high + margin, o->said));
}

static void oracle_metric(Oracle *o)
{
    double part[D], total = 0, slopes = 0;
    for (int j = 0; j < D; j++)
        slopes += o->slopes[j];
    for (int j = 0; j < D; j++) {
        double known = o->importance ? o->importance[j] : 1, share = slopes > 0 ? o->slopes[j] / slopes : 1. / D;
        o->trust[j] = 1;
        if (o->importance && o->judged >= 200)
            o->trust[j] = fmax(.03, fmin(1, fmax(o->right[j] / o->added[j] + sqrt(o->missed / o->judged / o->added[j]),
                                                 pow(D * known, 2))));
        share = o->importance ? (share + known * o->trust[j]) / 2 : share;
        total += part[j] = share * exp(o->bends[j]);
    }
    for (int j = 0; j < D; j++)
        o->metric[j] = .9 * D * part[j] / total + .001 * o->trust[j];
}

static void oracle_update(Oracle *o, const double *x, double y)
{
    double mean = 0, square = 0;
    for (int i = 0; i < o->n; i++)
        mean += o->y[i] / o->n;
    y = anb_target_kept(&o->error, o->bounded, y);
    for (int i = 0; i < o->n; i++)
        square += pow(o->y[i] - mean, 2) / o->n;
    if (o->fitted) {
        double sd = sqrt(square), error = fmax(-3, fmin(3, (o->said - y) / sd)), share = oracle_share(o);
        o->fits++;
        o->judged = .9995 * o->judged + 1;
        o->missed = .9995 * o->missed + error * error;
        o->cross = .995 * o->cross + (y - o->mean) * (o->plane - o->mean) / square;
        o->spread = .995 * o->spread + pow(o->plane - o->mean, 2) / square;
        for (int j = 0; j < D; j++) {
            double g = error * o->pull[j] / sd, c = o->adds[j] / sd;
            o->right[j] = .9995 * o->right[j] + c * (share * c - error);
            o->added[j] = .9995 * o->added[j] + c * c;
            o->slopes[j] += fmax(.005, 1. / o->fits) * (fmin(100, pow(o->slope[j], 2) / square) - o->slopes[j]);
            o->squares[j] += fmax(.002, 1. / o->fits) * (g * g - o->squares[j]);
            if (o->fits > 200)
                o->bends[j] = .998 * o->bends[j] - .02 * g / sqrt(o->squares[j]);
        }
    }
    for (int j = 0; j < D; j++)
        o->x[o->n][j] = x[j];
    o->y[o->n++] = y;
    if (o->n % (o->n < 512 ? 16 : 64) == 0)
        oracle_metric(o);
}

#endif
