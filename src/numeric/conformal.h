/*
 * Adaptive conformal inference with several step sizes at once (DtACI: Gibbs & Candes, "Conformal inference for online
 * prediction with arbitrary distribution shifts", JMLR 2024).
 *
 *     beta_t = the share of past scores that are at least the new one: the largest miscoverage whose interval holds it
 *     each of 8 experts:  a_k <- a_k + g_k (a - 1{a_k > beta_t})     w_k <- w_k exp(-eta l(beta_t, a_k)),
 *                         mixed by sigma
 *     a_t = sum w_k a_k     half width = the (1 - a_t) quantile of the past scores
 *
 * g = .001, .002, .004 ... .128; sigma = 1/(2 I); eta from I = 500 and the level, as published. l is the pinball loss.
 *
 * The scores are those of the last 1,000 samples, kept in order of arrival and sorted. Memory: 16 KB and 17 doubles a
 * level. Cost: an insertion into the sorted list, and 8 exponentials a level.
 */
#ifndef ANB_NUMERIC_CONFORMAL_H
#define ANB_NUMERIC_CONFORMAL_H

#include "ring.h"
#include <anabranch/type.h>

enum { ANB_SCORES = 1000, ANB_STEPS = 8 };

/* The last scores; zeroed at first. */
typedef struct AnbScores {
    AnbRing ring;
    double arrived[ANB_SCORES];
    double sorted[ANB_SCORES];
} AnbScores;

static inline size_t anb_scores_size(const AnbScores *scores)
{
    return anb_ring_size(&scores->ring, ANB_SCORES);
}

/* score >= 0 and finite. */
void anb_scores_add(AnbScores *scores, double score);
/* The share of scores that are at least this one; 1 where there are none. */
double anb_scores_beta(const AnbScores *scores, double score);
/* The smallest score that at least a share `level` of them and the next one does not exceed; INFINITY where none is, 0
 * for a level of 0 or less. */
double anb_scores_quantile(const AnbScores *scores, double level);
void anb_scores_visit(AnbScores *scores, AnbVisitor *visitor);
bool anb_scores_valid(const AnbScores *scores);

/* The miscoverage of one level as it adapts. */
typedef struct AnbAdaptive {
    double alpha[ANB_STEPS], weight[ANB_STEPS];
} AnbAdaptive;

/* alpha: the miscoverage wanted, (0, 1). */
void anb_adaptive_init(AnbAdaptive *adaptive, double alpha);
/* The miscoverage to use now; may leave [0, 1]. */
double anb_adaptive_alpha(const AnbAdaptive *adaptive);
void anb_adaptive_add(AnbAdaptive *adaptive, double alpha, double beta);
void anb_adaptive_visit(AnbAdaptive *adaptive, AnbVisitor *visitor);
bool anb_adaptive_valid(const AnbAdaptive *adaptive);

#endif
