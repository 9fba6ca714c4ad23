/*
 * Adaptive conformal inference with several step sizes at once (DtACI: Gibbs & Candes, "Conformal inference for online
 * prediction with arbitrary distribution shifts", JMLR 2024).
 *
 *     beta_t = the share of past scores that are at least the new one: the largest miscoverage whose interval holds it
 *     each of 8 experts:  a_k <- a_k + g_k (a - 1{a_k > beta_t})     w_k <- w_k exp(-eta l(beta_t, a_k)),
 *                         mixed by sigma
 *     a_t = sum w_k a_k + .002 owed     half width = the (1 - a_t) quantile of the past scores
 *
 * g = .001, .002, .004 ... .128, at most 1 / (delay of the label + 1); sigma = 1/(2 I); eta from I = 500 and the level, as published. l is the pinball loss.
 *
 * The scores are those of the last samples: scores.h. Memory: 19 doubles a level. Cost: 8 exponentials a level.
 */
#ifndef ANB_NUMERIC_CONFORMAL_H
#define ANB_NUMERIC_CONFORMAL_H

#include <anabranch/type.h>

enum { ANB_STEPS = 8 };
#define ANB_REPAY .002 /* of the miscoverage for each row owed */
#define ANB_DEBT 2000  /* rows, the most that are remembered */

/*
 * The miscoverage of one level as it adapts. Zeroed, then anb_adaptive_init.
 *
 * What DtACI cannot see is paid back: the misses of the intervals that were answered, and were answered `delay` labels
 * ago. owed is the sum of (alpha - miss) so far and, for the answers on their way, of (alpha - what was used): without
 * the second term the loop would have the labels' delay in it and swing (the predictor of Smith 1957).
 */
typedef struct AnbAdaptive {
    double alpha[ANB_STEPS], weight[ANB_STEPS];
    double debt;  /* sum of (alpha - miss) over the labels that came, each miss by the interval that was answered */
    double asked; /* sum of (alpha - the miscoverage in use), one term a label */
    double owed;  /* debt, and what the answers that still wait for labels are expected to add to it */
} AnbAdaptive;

/* alpha: the miscoverage wanted, (0, 1). */
void anb_adaptive_init(AnbAdaptive *adaptive, double alpha);
/* The miscoverage to use now; may leave [0, 1]. */
double anb_adaptive_alpha(const AnbAdaptive *adaptive);
/* Judges the experts by a new score: beta as above, before the score is added; delay: labels that came between the answer
 * and its own. */
void anb_adaptive_add(AnbAdaptive *adaptive, double alpha, double beta, double delay);
/* Judges the interval that was answered, before anb_adaptive_add of the same label: whether it missed; then: `asked`
 * when it was answered. */
void anb_adaptive_answered(AnbAdaptive *adaptive, double alpha, bool missed, double then);
/* Its members; since: the version of an interval's state. */
extern const AnbField anb_adaptive_fields[];
bool anb_adaptive_valid(const AnbAdaptive *adaptive);

#endif
