/*
 * How good predictions were that were made before their targets were known.
 *
 * Since 0.1: everything that does not say otherwise.
 */
#ifndef ANABRANCH_SCORE_H
#define ANABRANCH_SCORE_H

#include <anabranch/observer.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An observer beside a model: it is told each target and what was predicted. */
typedef struct AnbScore AnbScore;

/** ANB_NAN where there is nothing to say yet. */
typedef struct AnbScoreReport {
    uint64_t n;              /* predictions */
    double mae;              /* mean of |y - prediction| */
    double rmse;             /* root of the mean of (y - prediction)^2 */
    double r2;               /* 1 - SSE/SST, SST about the mean of all targets; not a number where they are all equal */
    double rmse_second_half; /* rmse of rows n/2 (rounded down) and on, counted from 0 */
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
/** As new. */
ANB_API void anb_score_reset(AnbScore *score);

/**
 * The observer to feed, owned by the score: anb_observe(anb_score_observer(score), NULL, NULL, y, prediction). It looks at
 * neither the model nor x, and passes over what is not finite.
 *
 * Cost: a few nanoseconds. Memory grows to 8 MiB within the first million predictions, then no more. Sums are scaled,
 * so that squares neither overflow nor vanish.
 */
ANB_API AnbObserver *anb_score_observer(AnbScore *score);

/**
 * Reads the score.
 *
 * @param score   the score
 * @param report  filled
 *
 * The second half begins exactly at n/2 up to a million predictions; above that at most n/500,000 rows later.
 * Cost: a pass over that memory.
 */
ANB_API void anb_score_report(const AnbScore *score, AnbScoreReport *report);

#ifdef __cplusplus
}
#endif
#endif
