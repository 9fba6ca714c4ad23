/*
 *     hyperplane  y = sum of w_i x_i + noise, x uniform in [0,1]^10, noise sd .1; with --drift walk half of the weights
 *                 move by .001 a row and turn round with chance .1 a thousand rows (Hulten, Spencer & Domingos 2001)
 *     mv          ten attributes that depend on one another, names among them (Torgo's MV): y = 10 - 2 x1 where
 *                 -2 <= x4 <= 2; else 3 - x1/x4 where x7 is yes; else x6 + x1 where x8 is normal; else x1/2
 *     planes      3 + 3 x2 + 2 x3 + x4 where x1 = 1, -3 + 3 x5 + 2 x6 + x7 where x1 = -1, x2 .. x10 of -1, 0, 1, noise
 *                 sd sqrt(2) (Breiman, Friedman, Olshen & Stone 1984)
 *     sensors     machines that are read every minute: a time, the machine's name, four readings of which 2 % are
 *                 missing and .2 % glitches, how many rows later the label comes (0 to 50), and a label of which .1 %
 *                 are glitches
 */
#include "streams.h"
#include <anabranch/number.h>
#include <math.h>
#include <string.h>

enum { FEATURES = 10, MACHINES = 6 };

double stream_normal(gsl_rng *rng)
{
    double radius = sqrt(-2 * log(gsl_rng_uniform_pos(rng)));
    return radius * cos(2 * 3.14159265358979323846 * gsl_rng_uniform(rng));
}

double stream_round(double value)
{
    return floor(value * 1e4 + 0.5) / 1e4;
}

void stream_put(FILE *file, double value, const char *behind)
{
    char text[ANB_NUMBER_SIZE];
    anb_number_format(value, text);
    fprintf(file, "%s%s", text, behind);
}

static int only_none(const char *drift)
{
    return strcmp(drift, "none") != 0;
}

static void numbered_header(FILE *file)
{
    for (int i = 1; i <= FEATURES; i++)
        fprintf(file, "x%d,", i);
    fprintf(file, "target\n");
}

/* ---- hyperplane -------------------------------------------------------------------------------------------------- */

static double weight[FEATURES], direction[FEATURES];

static int hyperplane_start(const char *drift)
{
    for (int i = 0; i < FEATURES; i++) {
        weight[i] = (i + 1) / 10.0;
        direction[i] = 0.001;
    }
    return strcmp(drift, "none") != 0 && strcmp(drift, "walk") != 0;
}

static void hyperplane_row(FILE *file, const StreamPlace *place, gsl_rng *rng)
{
    double y = 0.1 * stream_normal(rng);
    for (int i = 0; i < FEATURES; i++) {
        double x = stream_round(gsl_rng_uniform(rng));
        stream_put(file, x, ",");
        y += weight[i] * x;
    }
    for (int i = 0; i < FEATURES / 2 && strcmp(place->drift, "walk") == 0; i++) {
        direction[i] = gsl_rng_uniform(rng) < 1e-4 ? -direction[i] : direction[i];
        weight[i] += direction[i];
    }
    stream_put(file, stream_round(y), "\n");
}

/* ---- mv ---------------------------------------------------------------------------------------------------------- */

static void mv_row(FILE *file, const StreamPlace *place, gsl_rng *rng)
{
    (void)place;
    double x1 = stream_round(10 * gsl_rng_uniform(rng) - 5), x2 = stream_round(5 * gsl_rng_uniform(rng) - 15);
    const char *x3 = x1 > 0 ? "green" : gsl_rng_uniform(rng) < 0.4 ? "red" : "brown";
    double x4 = stream_round(x1 > 0 ? x1 + 2 * x2 : gsl_rng_uniform(rng) < 0.3 ? x1 / 2 : x2 / 2);
    double x5 = stream_round(2 * gsl_rng_uniform(rng) - 1), x6 = stream_round(x4 * 5 * gsl_rng_uniform(rng));
    bool x7 = gsl_rng_uniform(rng) < 0.3, x8 = x5 < 0.5;
    double x9 = stream_round(100 + 400 * gsl_rng_uniform(rng));
    unsigned x10 = 1000 + (unsigned)gsl_rng_uniform_int(rng, 201);
    double y = fabs(x4) <= 2 ? 10 - 2 * x1 : x7 ? 3 - x1 / x4 : x8 ? x6 + x1 : x1 / 2;
    stream_put(file, x1, ",");
    stream_put(file, x2, ",");
    fprintf(file, "%s,", x3);
    stream_put(file, x4, ",");
    stream_put(file, x5, ",");
    stream_put(file, x6, ",");
    fprintf(file, "%s,%s,", x7 ? "yes" : "no", x8 ? "normal" : "large");
    stream_put(file, x9, ",");
    fprintf(file, "%u,", x10);
    stream_put(file, stream_round(y), "\n");
}

/* ---- planes ------------------------------------------------------------------------------------------------------ */

static void planes_row(FILE *file, const StreamPlace *place, gsl_rng *rng)
{
    (void)place;
    int x[FEATURES];
    x[0] = gsl_rng_uniform_int(rng, 2) ? 1 : -1;
    for (int i = 1; i < FEATURES; i++)
        x[i] = (int)gsl_rng_uniform_int(rng, 3) - 1;
    for (int i = 0; i < FEATURES; i++)
        fprintf(file, "%d,", x[i]);
    int y = x[0] > 0 ? 3 + 3 * x[1] + 2 * x[2] + x[3] : -3 + 3 * x[4] + 2 * x[5] + x[6];
    stream_put(file, stream_round(y + sqrt(2) * stream_normal(rng)), "\n");
}

/* ---- sensors ----------------------------------------------------------------------------------------------------- */

static void sensors_header(FILE *file)
{
    fprintf(file, "when,machine,pressure,temperature,flow,vibration,late,target\n");
}

/* A reading as it arrives: now and then nothing, now and then what a broken cable says. */
static void put_reading(FILE *file, double value, gsl_rng *rng)
{
    double chance = gsl_rng_uniform(rng);
    if (chance >= 0.02)
        stream_put(file, chance < 0.022 ? -9999 : stream_round(value), "");
    fputc(',', file);
}

static void sensors_row(FILE *file, const StreamPlace *place, gsl_rng *rng)
{
    static const double offset[MACHINES] = {0, 4, -3, 8, -6, 2};
    uint64_t minute = place->row / MACHINES % 40320; /* four weeks, over again */
    unsigned machine = (unsigned)gsl_rng_uniform_int(rng, MACHINES);
    double hour = (double)(minute % 1440) / 60, day = sin(2 * 3.14159265358979323846 * hour / 24);
    double pressure = 5 + stream_normal(rng), temperature = 20 + 6 * day + stream_normal(rng);
    double flow = 30 + 3 * stream_normal(rng), vibration = fabs(stream_normal(rng));
    double y = offset[machine] + 2 * pressure + 0.5 * temperature + (vibration > 2 ? 5 : 0) + 0.1 * (flow - 30) +
               3 * day + 0.5 * stream_normal(rng);
    fprintf(file, "2024-01-%02uT%02u:%02u,m%u,", 1 + (unsigned)(minute / 1440), (unsigned)(minute / 60 % 24),
            (unsigned)(minute % 60), machine + 1);
    put_reading(file, pressure, rng);
    put_reading(file, temperature, rng);
    put_reading(file, flow, rng);
    put_reading(file, vibration, rng);
    fprintf(file, "%lu,", gsl_rng_uniform_int(rng, 51));
    stream_put(file, gsl_rng_uniform(rng) < 0.001 ? 1e6 : stream_round(y), "\n");
}

const Stream stream_hyperplane = {"hyperplane", "none, walk", hyperplane_start, numbered_header, hyperplane_row};
const Stream stream_mv = {"mv", "none", only_none, numbered_header, mv_row};
const Stream stream_planes = {"planes", "none", only_none, numbered_header, planes_row};
const Stream stream_sensors = {"sensors", "none", only_none, sensors_header, sensors_row};
