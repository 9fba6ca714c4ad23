/*
 * Scores: prequential errors, of predictions made before their targets were known.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_SCORE_H
#define ANABRANCH_SCORE_H

#include <anabranch/observer.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An observer of targets and their predictions. */
typedef struct AnbScore AnbScore;

/** The scores of n predictions; all but n are ANB_NAN while n is 0. */
typedef struct AnbScoreReport {
    uint64_t n;              /* predictions */
    double mae;              /* mean of |y - prediction| */
    double rmse;             /* root of the mean of (y - prediction)^2 */
    double r2;               /* 1 - SSE/SST, SST around the mean of all targets; ANB_NAN where they are all equal */
    double rmse_second_half; /* rmse from row n/2 (rounded down) on, counted from 0 */
} AnbScoreReport;

/**
 * An empty score.
 *
 * @param error  why it failed, or NULL
 * @return       the score, owned by the caller (anb_score_free), or NULL where memory is out
 */
ANB_API AnbScore *anb_score_new(AnbError *error);
/** NULL is fine. */
ANB_API void anb_score_free(AnbScore *score);
/** Empties the score. */
ANB_API void anb_score_reset(AnbScore *score);

/**
 * The observer to feed, owned by the score: anb_observe(anb_score_observer(score), NULL, NULL, y, prediction). It does
 * not use the model and x, and skips targets and predictions that are not finite.
 *
 * Cost: a few nanoseconds. Memory grows to 8 MiB within the first million predictions, and not beyond. Sums are scaled,
 * so that squares neither overflow nor underflow.
 */
ANB_API AnbObserver *anb_score_observer(AnbScore *score);

/**
 * Reads the score.
 *
 * @param score   the score
 * @param report  filled
 *
 * The second half begins exactly at n/2 up to a million predictions, and at most n/500,000 rows later beyond.
 * Cost: a pass over the score's memory.
 */
ANB_API void anb_score_report(const AnbScore *score, AnbScoreReport *report);

#ifdef __cplusplus
}
#endif
#endif
