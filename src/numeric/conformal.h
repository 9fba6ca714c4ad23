/*
 * Adaptive conformal inference: the miscoverage level that keeps an interval's long-run coverage at the level asked
 * for. DtACI runs several step sizes at once (Gibbs & Candes, "Conformal inference for online prediction with arbitrary
 * distribution shifts", JMLR 2024).
 *
 *     a        the miscoverage asked for, 1 - level
 *     beta_t   the share of past scores that are at least the new one: the largest miscoverage whose interval holds it
 *     8 experts, one for each step size g_k:
 *              a_k <- a_k + g_k (a - 1{a_k > beta_t})     w_k <- w_k exp(-eta l(beta_t, a_k)), mixed by sigma
 *     a_t      = sum w_k a_k + .002 owed     half width = the (1 - a_t) quantile of the past scores
 *
 * l is the pinball loss. As published: g = .001, .002, .004, ... .128; sigma = 1/(2 I) and eta from I = 500 and the
 * level. Here g is also at most 1 / (delay of the label + 1).
 *
 * The past scores are those of the last samples (scores.h). Memory: 19 doubles a level. Cost: 8 exponentials a level.
 */
#ifndef ANB_NUMERIC_CONFORMAL_H
#define ANB_NUMERIC_CONFORMAL_H

#include <anabranch/type.h>

enum { ANB_STEPS = 8 };
#define ANB_REPAY .002 /* change of the miscoverage for each unit of `owed` */
#define ANB_DEBT 2000  /* bound of |debt|, in rows */

/*
 * The adapting miscoverage of one level. Zeroed, then anb_adaptive_init.
 *
 * DtACI sees beta_t, not the intervals that were answered, which are `delay` labels old when their target arrives.
 * `owed` is an integral term that corrects for that: the sum of (alpha - miss) over the judged intervals, plus (alpha -
 * the miscoverage used) for each interval whose label has not come yet. Without the second part the control loop
 * contains the delay of the labels and oscillates (Smith predictor, 1957).
 */
typedef struct AnbAdaptive {
    double alpha[ANB_STEPS], weight[ANB_STEPS];
    double debt;  /* sum of (alpha - miss) over the labels that came, each miss by the interval that was answered */
    double asked; /* sum of (alpha - the miscoverage in use), one term a label */
    double owed;  /* debt plus the expected contribution of answers whose labels have not come yet */
} AnbAdaptive;

/* alpha: the miscoverage wanted, (0, 1). */
void anb_adaptive_init(AnbAdaptive *adaptive, double alpha);
/* The miscoverage to use now; may leave [0, 1]. */
double anb_adaptive_alpha(const AnbAdaptive *adaptive);
/* Updates the experts by a new score: beta as above, before the score is added; delay: labels that came between the
 * answer and its own. */
void anb_adaptive_add(AnbAdaptive *adaptive, double alpha, double beta, double delay);
/* Updates `debt` and `owed` by an answered interval, before anb_adaptive_add of the same label. missed: whether the
 * target was outside; then: `asked` at the time of the answer. */
void anb_adaptive_answered(AnbAdaptive *adaptive, double alpha, bool missed, double then);
/* The members of AnbAdaptive; `since` is the version of an interval's state. */
extern const AnbField anb_adaptive_fields[];
bool anb_adaptive_valid(const AnbAdaptive *adaptive);

#endif
