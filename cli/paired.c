#include "paired.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_BLOCKS = 16 };

bool paired_start(Paired *paired, size_t k)
{
    *paired = (Paired){.k = k, .span = 1, .sum = calloc(PAIRED_BLOCKS * k, sizeof(double))};
    return paired->sum != NULL;
}

void paired_end(Paired *paired)
{
    free(paired->sum);
    *paired = (Paired){0};
}

static void join_pairs(Paired *paired)
{
    size_t k = paired->k;
    for (size_t i = 0; i < PAIRED_BLOCKS / 2; i++)
        for (size_t j = 0; j < k; j++)
            paired->sum[i * k + j] = paired->sum[2 * i * k + j] + paired->sum[(2 * i + 1) * k + j];
    memset(paired->sum + PAIRED_BLOCKS / 2 * k, 0, PAIRED_BLOCKS / 2 * k * sizeof *paired->sum);
    paired->span *= 2;
}

void paired_add(Paired *paired, const double *loss)
{
    if (paired->n / paired->span == PAIRED_BLOCKS)
        join_pairs(paired);
    double *block = paired->sum + paired->n / paired->span * paired->k;
    for (size_t j = 0; j < paired->k; j++)
        block[j] += loss[j];
    paired->n++;
}

/* Mean difference in a block, about the mean of all. */
static double difference(const Paired *paired, size_t block, size_t a, size_t b)
{
    const double *sum = paired->sum + block * paired->k;
    return (sum[a] - sum[b]) / (double)paired->span;
}

/* The long-run variance of the blocks' differences. */
static double long_run_variance(const Paired *paired, size_t blocks, double mean, size_t a, size_t b)
{
    size_t lags = (size_t)(4 * pow((double)blocks / 100, 2.0 / 9));
    double variance = 0;
    for (size_t lag = 0; lag <= lags && lag < blocks; lag++) {
        double sum = 0;
        for (size_t i = lag; i < blocks; i++)
            sum += (difference(paired, i, a, b) - mean) * (difference(paired, i - lag, a, b) - mean);
        double weight = lag == 0 ? 1 : 2 * (1 - (double)lag / (double)(lags + 1));
        variance += weight * sum / (double)blocks;
    }
    return variance;
}

double paired_test(const Paired *paired, size_t a, size_t b, double *mean, double *p)
{
    size_t blocks = (size_t)(paired->n / paired->span);
    double sum = 0;
    for (size_t i = 0; i < blocks; i++)
        sum += difference(paired, i, a, b);
    *mean = blocks > 0 ? sum / (double)blocks : NAN;
    *p = NAN;
    double variance = blocks >= LEAST_BLOCKS ? long_run_variance(paired, blocks, *mean, a, b) : 0;
    if (!(variance > 0))
        return NAN;
    double z = *mean / sqrt(variance / (double)blocks);
    *p = erfc(fabs(z) / sqrt(2));
    return z;
}
