/*
 * Prequential scores.
 *
 * Every sum is of values divided by `unit`, a power of two near the largest one seen: exact, and no square overflows.
 * Squared errors are stored in blocks of `span` rows, so that the second half can be computed at any time; when all
 * blocks are in use, or there is no memory for more, pairs of them are joined and the span doubles.
 */
#include <anabranch/score.h>

#include "src/numeric/clip.h"
#include "src/numeric/elementary.h"
#include "src/numeric/moments.h"
#include <anabranch/learner.h>
#include <stdlib.h>

enum { FIRST_BLOCKS = 1024, MOST_BLOCKS = 1 << 20 };

struct AnbScore {
    AnbObserver base;
    uint64_t n, trained; /* samples scored; those that the observed model had learned */
    double unit, absolute, square;
    AnbMoments target;
    double *block;
    size_t capacity;
    uint64_t span;
};

/* A larger value has come: all sums in the new unit. */
static void rescale(AnbScore *score, double size)
{
    double unit = anb_clamp(anb_power_below(size), 0x1p-900, 0x1p1000);
    double ratio = score->unit / unit;
    score->absolute *= ratio;
    score->square *= ratio * ratio;
    score->target.mean *= ratio;
    score->target.square *= ratio * ratio;
    for (uint64_t i = 0; i < score->n; i += score->span)
        score->block[i / score->span] *= ratio * ratio;
    score->unit = unit;
}

/* All blocks are in use: gets more of them, or joins pairs. */
static void make_room(AnbScore *score)
{
    size_t capacity = 2 * score->capacity;
    /* NOLINTNEXTLINE(clang-analyzer-optin.portability.UnixAPI): a score begins with some blocks */
    double *more = capacity <= MOST_BLOCKS ? realloc(score->block, capacity * sizeof *more) : NULL;
    if (more) {
        score->block = more;
        score->capacity = capacity;
        return;
    }
    for (size_t i = 0; i < score->capacity / 2; i++)
        score->block[i] = score->block[2 * i] + score->block[2 * i + 1];
    score->span *= 2;
}

static void observe(AnbObserver *self, StreamingLearner *model, const double *x, double y, double prediction)
{
    AnbScore *score = (AnbScore *)self;
    (void)x;
    const double room = 0x1p300;
    double size = fmax(fabs(y), fabs(prediction));
    const uint64_t trained = model ? anb_n_samples_seen(model) : 0;
    const bool learned = !model || trained != score->trained;
    score->trained = trained;
    if (!learned || !isfinite(y) || !isfinite(prediction))
        return;
    if (size > score->unit * room || (score->unit == 0 && size > 0))
        rescale(score, size);
    double scale = score->unit > 0 ? 1 / score->unit : 0;
    double error = y * scale - prediction * scale;
    if (score->n / score->span == score->capacity)
        make_room(score);
    double *block = &score->block[score->n / score->span];
    *block = (score->n % score->span ? *block : 0) + error * error;
    score->absolute += fabs(error);
    score->square += error * error;
    anb_moments_add(&score->target, y * scale, 1);
    score->n++;
}

AnbObserver *anb_score_observer(AnbScore *score)
{
    return &score->base;
}

AnbScore *anb_score_new(AnbError *error)
{
    AnbScore *score = calloc(1, sizeof *score);
    double *block = calloc(FIRST_BLOCKS, sizeof *block);
    if (!score || !block) {
        free(score);
        free(block);
        anb_fail(error, ANB_E_MEMORY, "out of memory for a score");
        return NULL;
    }
    score->block = block;
    score->capacity = FIRST_BLOCKS;
    anb_score_reset(score);
    return score;
}

void anb_score_free(AnbScore *score)
{
    if (score)
        free(score->block);
    free(score);
}

void anb_score_reset(AnbScore *score)
{
    *score = (AnbScore){
        .base = {observe}, .trained = score->trained, .block = score->block, .capacity = score->capacity, .span = 1};
}

static double second_half(const AnbScore *score)
{
    uint64_t first = (score->n / 2 + score->span - 1) / score->span, rows = score->n - first * score->span;
    double sum = 0;
    for (uint64_t i = first; i * score->span < score->n; i++)
        sum += score->block[i];
    return rows > 0 ? sqrt(sum / (double)rows) * score->unit : ANB_NAN;
}

void anb_score_report(const AnbScore *score, AnbScoreReport *report)
{
    double n = (double)score->n;
    *report = (AnbScoreReport){0, ANB_NAN, ANB_NAN, ANB_NAN, ANB_NAN};
    report->n = score->n;
    if (score->n == 0)
        return;
    report->mae = score->absolute / n * score->unit;
    report->rmse = sqrt(score->square / n) * score->unit;
    report->rmse_second_half = second_half(score);
    if (score->target.square > 0)
        report->r2 = 1 - score->square / score->target.square;
}
