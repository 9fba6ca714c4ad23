#include "damage.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CATEGORIES = 3, NOISE = 50 };

/* SplitMix64. */
static uint64_t bits(uint64_t *random)
{
    uint64_t z = (*random += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static double uniform(uint64_t *random)
{
    return (double)(bits(random) >> 11) * 0x1p-53;
}

/* A row after the start and before the middle, so that what follows it is scored. */
static size_t early_row(const Stream *stream, uint64_t *random)
{
    size_t from = stream->rows / 8, span = stream->rows / 2 - from;
    return span > 0 ? from + (size_t)(uniform(random) * (double)span) : 0;
}

/* Mean and standard deviation of n values, `stride` apart; missing ones are left out. */
static void spread(const double *value, size_t n, size_t stride, double *mean, double *sd)
{
    double count = 0, square = 0;
    *mean = 0;
    for (size_t i = 0; i < n; i++) {
        double v = value[i * stride], away = v - *mean;
        if (v - v != 0)
            continue;
        *mean += away / ++count;
        square += away * (v - *mean);
    }
    *sd = count > 0 ? sqrt(square / count) : 0;
}

static void wrong_target(Dirty *dirty, size_t row, double by)
{
    double mean, sd;
    spread(dirty->stream.y, dirty->stream.rows, 1, &mean, &sd);
    dirty->stream.y[row] = mean + by * sd;
    dirty->row[row] = 1;
}

static void one_target(Dirty *dirty, uint64_t *random)
{
    wrong_target(dirty, early_row(&dirty->stream, random), 1000);
}

/* The scale is that of the clean targets: the rows are drawn first, the deviation is taken before any is changed. */
static void some_targets(Dirty *dirty, uint64_t *random)
{
    double mean, sd;
    spread(dirty->stream.y, dirty->stream.rows, 1, &mean, &sd);
    for (size_t i = 0; i < dirty->stream.rows; i++)
        if (uniform(random) < 0.001) {
            dirty->stream.y[i] += uniform(random) < 0.5 ? 100 * sd : -100 * sd;
            dirty->row[i] = 1;
        }
}

static void wrong_cell(Dirty *dirty, size_t i, size_t j, double value)
{
    size_t at = i * dirty->stream.d + j;
    dirty->stream.x[at] = value;
    dirty->cell[at] = dirty->row[i] = 1;
}

/* -9999, or as many nines as are a hundred deviations away from the feature's mean. */
static double sentinel(const Stream *stream, size_t j)
{
    double mean, sd, value = -9999;
    spread(stream->x + j, stream->rows, stream->d, &mean, &sd);
    while (value > mean - 100 * sd && value > -1e15)
        value = 10 * value - 9;
    return value;
}

static void one_sentinel(Dirty *dirty, uint64_t *random)
{
    for (size_t j = 0; j < dirty->stream.d; j++)
        wrong_cell(dirty, early_row(&dirty->stream, random), j, sentinel(&dirty->stream, j));
}

static void some_sentinels(Dirty *dirty, uint64_t *random)
{
    for (size_t j = 0; j < dirty->stream.d; j++) {
        double value = sentinel(&dirty->stream, j);
        for (size_t i = 0; i < dirty->stream.rows; i++)
            if (uniform(random) < 0.005)
                wrong_cell(dirty, i, j, value);
    }
}

static void spikes(Dirty *dirty, uint64_t *random)
{
    static const double factors[] = {10, 100, 0.01};
    const Stream *stream = &dirty->stream;
    for (size_t i = 0; i < stream->rows; i++)
        for (size_t j = 0; j < stream->d; j++)
            if (uniform(random) < 0.02)
                wrong_cell(dirty, i, j, stream->x[i * stream->d + j] * factors[bits(random) % 3]);
}

/* ---- columns that carry nothing ---------------------------------------------------------------------------------- */

/* What is added to one row; the first feature of the row is given. */
typedef void Adding(double *added, double first, size_t row, uint64_t *random);

static void add_constant(double *added, double first, size_t row, uint64_t *random)
{
    (void)first, (void)row, (void)random;
    *added = 1;
}

static void add_copy(double *added, double first, size_t row, uint64_t *random)
{
    (void)row, (void)random;
    *added = first;
}

static void add_number(double *added, double first, size_t row, uint64_t *random)
{
    (void)first, (void)random;
    *added = (double)(row + 1);
}

static void add_one_hot(double *added, double first, size_t row, uint64_t *random)
{
    (void)first, (void)row;
    memset(added, 0, CATEGORIES * sizeof *added);
    added[bits(random) % CATEGORIES] = 1;
}

static void add_all(double *added, double first, size_t row, uint64_t *random)
{
    add_constant(added, first, row, random);
    add_copy(added + 1, first, row, random);
    add_number(added + 2, first, row, random);
    add_one_hot(added + 3, first, row, random);
}

/* The columns come last; room for them is made by dirty_make. */
static void add(Dirty *dirty, uint64_t *random, size_t columns, Adding *adding)
{
    size_t d = dirty->stream.d;
    for (size_t i = 0; i < dirty->stream.rows; i++) {
        double *row = dirty->stream.x + i * d;
        adding(row + d - columns, row[0], i, random);
    }
}

static void constant(Dirty *dirty, uint64_t *random)
{
    add(dirty, random, 1, add_constant);
}

static void copy(Dirty *dirty, uint64_t *random)
{
    add(dirty, random, 1, add_copy);
}

static void row_number(Dirty *dirty, uint64_t *random)
{
    add(dirty, random, 1, add_number);
}

static void one_hot(Dirty *dirty, uint64_t *random)
{
    add(dirty, random, CATEGORIES, add_one_hot);
}

static void columns(Dirty *dirty, uint64_t *random)
{
    add(dirty, random, 3 + CATEGORIES, add_all);
}

/* ---- columns of noise -------------------------------------------------------------------------------------------- */

enum { NORMAL, EQUALLY_LIKELY, LOGNORMAL, BINARY, OF_FIVE, AUTOCORRELATED, NOISES };

/* Close to normal, variance 1: twelve uniform ones. */
static double nearly_normal(uint64_t *random)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += uniform(random);
    return sum;
}

static double noise_of(uint64_t kind, double before, uint64_t *random)
{
    switch (kind) {
    case NORMAL:
        return nearly_normal(random);
    case EQUALLY_LIKELY:
        return uniform(random);
    case LOGNORMAL:
        return exp(nearly_normal(random));
    case BINARY:
        return uniform(random) < 0.3;
    case OF_FIVE:
        return (double)(bits(random) % 5);
    default:
        return 0.9 * before + nearly_normal(random);
    }
}

/* Fills a column with noise of a random kind and unit; numbers of few values have no unit. */
static void add_noise(Dirty *dirty, size_t column, uint64_t *random)
{
    const size_t d = dirty->stream.d, kind = bits(random) % NOISES;
    const double power = 6 * uniform(random) - 3, unit = kind == BINARY || kind == OF_FIVE ? 1 : pow(10, power);
    double value = 0;
    for (size_t i = 0; i < dirty->stream.rows; i++) {
        value = noise_of(kind, value, random);
        dirty->stream.x[i * d + column] = unit * value;
    }
}

static void noise(Dirty *dirty, uint64_t *random)
{
    for (size_t c = 0; c < NOISE; c++)
        add_noise(dirty, dirty->stream.d - NOISE + c, random);
}

const Damage damages[] = {
    {"one-target", "one target of +1000 sd", true, 0, false, one_target},
    {"targets", ".1 % of targets +-100 sd", true, 0, false, some_targets},
    {"one-sentinel", "one sentinel a feature", false, 0, false, one_sentinel},
    {"sentinels", ".5 % sentinels", false, 0, false, some_sentinels},
    {"spikes", "2 % of cells x10, x100, x.01", false, 0, false, spikes},
    {"columns", "constant, copy, one-hot set, row number added", false, 3 + CATEGORIES, false, columns},
    {"constant", "constant added", false, 1, true, constant},
    {"copy", "copy of the first feature added", false, 1, true, copy},
    {"one-hot", "one-hot set at random added", false, CATEGORIES, true, one_hot},
    {"row-number", "row number added", false, 1, true, row_number},
    {"noise", "50 columns of noise added", false, NOISE, true, noise},
};
const size_t n_damages = sizeof damages / sizeof *damages;

bool dirty_make(const Damage *damage, const Stream *clean, uint64_t seed, Dirty *dirty)
{
    size_t rows = clean->rows, d = clean->d + damage->columns;
    uint64_t random = seed;
    *dirty = (Dirty){.stream = *clean, .target = damage->target};
    dirty->stream.d = d;
    dirty->stream.x = malloc(rows * d * sizeof(double));
    dirty->stream.y = malloc(rows * sizeof(double));
    dirty->row = calloc(rows, 1);
    dirty->cell = calloc(rows, d);
    if (!dirty->stream.x || !dirty->stream.y || !dirty->row || !dirty->cell) {
        dirty_free(dirty);
        return false;
    }
    memcpy(dirty->stream.y, clean->y, rows * sizeof(double));
    for (size_t i = 0; i < rows; i++)
        memcpy(dirty->stream.x + i * d, clean->x + i * clean->d, clean->d * sizeof(double));
    damage->apply(dirty, &random);
    return true;
}

void dirty_free(Dirty *dirty)
{
    stream_free(&dirty->stream);
    free(dirty->row);
    free(dirty->cell);
    dirty->row = dirty->cell = NULL;
}
