#include "residuals.h"
#include <anabranch/type.h>
#include <math.h>

enum { MIDDLE = RESIDUAL_BINS / 2, LEAST = -RESIDUAL_OCTAVES / 2, STEPS = 41 };

/* The magnitude that a bin k steps from the middle begins at, k > 0. */
static double edge(int k)
{
    int octave = (k - 1) / RESIDUAL_PARTS, part = (k - 1) % RESIDUAL_PARTS;
    return ldexp(1 + (double)part / RESIDUAL_PARTS, LEAST + octave);
}

/* How many steps from the middle a magnitude's bin is. */
static int step_of(double magnitude)
{
    int exponent;
    double part = frexp(magnitude, &exponent);
    if (!(magnitude >= edge(1)))
        return 0;
    int octave = exponent - 1 - LEAST;
    if (octave >= RESIDUAL_OCTAVES)
        return MIDDLE;
    return 1 + octave * RESIDUAL_PARTS + (int)((2 * part - 1) * RESIDUAL_PARTS);
}

void residuals_add(Residuals *r, double error)
{
    if (!isfinite(error))
        return;
    int step = step_of(fabs(error));
    r->count[error < 0 ? MIDDLE - step : MIDDLE + step]++;
    r->n++;
    r->sum += error;
}

/* Where bin i begins and ends. */
static void range_of(int i, double *low, double *high)
{
    int k = i > MIDDLE ? i - MIDDLE : MIDDLE - i;
    double near = k == 0 ? 0 : edge(k), far = k == 0 ? 0 : edge(k + 1);
    *low = i < MIDDLE ? -far : near;
    *high = i < MIDDLE ? -near : far;
}

/* The error that a share q of them lies below; NaN without any. */
static double quantile(const Residuals *r, double q)
{
    double want = q * (double)r->n, before = 0, low, high;
    for (int i = 0; i < RESIDUAL_BINS; i++) {
        double here = (double)r->count[i];
        if (here > 0 && before + here >= want) {
            range_of(i, &low, &high);
            return low + (high - low) * (want - before) / here;
        }
        before += here;
    }
    return ANB_NAN;
}

/* A bin's count, spread over the equal steps that it covers. */
static void spread(double count, double low, double high, double from, double step, double *out)
{
    for (int s = 0; s < STEPS; s++) {
        double a = from + s * step, b = a + step;
        double covered = high > low ? (fmin(b, high) - fmax(a, low)) / (high - low) : low >= a && low < b;
        if (covered > 0)
            out[s] += count * covered;
    }
}

static void histogram(const Residuals *r, double most, double *out)
{
    double low, high;
    for (int i = 0; i < RESIDUAL_BINS; i++) {
        range_of(i, &low, &high);
        if (r->count[i] > 0 && high >= -most && low <= most)
            spread((double)r->count[i], low, high, -most, 2 * most / STEPS, out);
    }
}

void residuals_json(const Residuals *r, Json *json)
{
    static const double shares[] = {.05, .25, .5, .75, .95};
    double most = fmax(fabs(quantile(r, .005)), fabs(quantile(r, .995))), count[STEPS] = {0};
    json_open(json, "residuals", '{');
    json_count(json, "n", r->n);
    json_number(json, "mean", r->n > 0 ? r->sum / (double)r->n : ANB_NAN);
    json_open(json, "quantiles", '[');
    for (int i = 0; i < 5; i++)
        json_number(json, NULL, quantile(r, shares[i]));
    json_close(json, ']');
    if (most > 0)
        histogram(r, most, count);
    json_number(json, "most", most);
    json_open(json, "counts", '[');
    for (int s = 0; s < STEPS && most > 0; s++)
        json_number(json, NULL, round(10 * count[s]) / 10);
    json_close(json, ']');
    json_close(json, '}');
}
