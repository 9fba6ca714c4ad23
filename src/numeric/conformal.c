#include "conformal.h"
#include "clip.h"
#include "elementary.h"
#include <math.h>

/* The step of expert k, but no larger than 1 / (delay + 1): a loop with gain g and delay d oscillates from g d = pi / 2
 * on. */
static double step(int k, double delay)
{
    double published = .001 * (double)(1 << k), stable = 1 / (delay + 1);
    return published < stable ? published : stable;
}

void anb_adaptive_init(AnbAdaptive *adaptive, double alpha)
{
    for (int k = 0; k < ANB_STEPS; k++) {
        adaptive->alpha[k] = alpha;
        adaptive->weight[k] = 1.0 / ANB_STEPS;
    }
}

double anb_adaptive_alpha(const AnbAdaptive *adaptive)
{
    double sum = anb_clamp(ANB_REPAY * adaptive->owed, -4, 1);
    for (int k = 0; k < ANB_STEPS; k++)
        sum += adaptive->weight[k] * adaptive->alpha[k];
    return sum;
}

void anb_adaptive_answered(AnbAdaptive *adaptive, double alpha, bool missed, double then)
{
    adaptive->asked += alpha - anb_clamp(anb_adaptive_alpha(adaptive), 0, 1);
    adaptive->debt = anb_clamp(adaptive->debt + alpha - (missed ? 1 : 0), -ANB_DEBT, ANB_DEBT);
    adaptive->owed = adaptive->debt + adaptive->asked - then;
}

static double pinball(double alpha, double beta, double theta)
{
    double away = beta - theta;
    return alpha * away - (away < 0 ? away : 0);
}

/* The published rate of the weights for intervals of I samples. */
static double learning_rate(double alpha)
{
    enum { I = 500 };
    double rest = 1 - alpha, moment = rest * rest * alpha * alpha * alpha + alpha * alpha * rest * rest * rest;
    return sqrt(3.0 / I) * sqrt((anb_log(2.0 * I * ANB_STEPS) + 1) / moment);
}

void anb_adaptive_add(AnbAdaptive *adaptive, double alpha, double beta, double delay)
{
    const double sigma = 1.0 / 1000;
    double eta = learning_rate(alpha), sum = 0;
    for (int k = 0; k < ANB_STEPS; k++) {
        adaptive->weight[k] *= anb_exp(-eta * pinball(alpha, beta, adaptive->alpha[k]));
        sum += adaptive->weight[k];
        bool missed = adaptive->alpha[k] > beta || beta <= 0; /* above all scores: no level would have held it */
        adaptive->alpha[k] += step(k, delay) * (alpha - (missed ? 1 : 0));
        adaptive->alpha[k] = anb_clamp(adaptive->alpha[k], -1, 2);
    }
    for (int k = 0; k < ANB_STEPS; k++) {
        double share = (1 - sigma) * adaptive->weight[k] / sum; /* all may have gone below the doubles */
        adaptive->weight[k] = (sum > 0 ? share : (1 - sigma) / ANB_STEPS) + sigma / ANB_STEPS;
    }
}

const AnbField anb_adaptive_fields[] = {{ANB_MEMBER(AnbAdaptive, alpha), .must = ANB_FINITE},
                                        {ANB_MEMBER(AnbAdaptive, weight), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                        {ANB_MEMBER(AnbAdaptive, debt), .must = ANB_FINITE, .since = 2},
                                        {ANB_MEMBER(AnbAdaptive, asked), .must = ANB_FINITE, .since = 2},
                                        {ANB_MEMBER(AnbAdaptive, owed), .must = ANB_FINITE, .since = 2},
                                        {0}};

bool anb_adaptive_valid(const AnbAdaptive *adaptive)
{
    double sum = 0;
    if (!(fabs(adaptive->debt) <= ANB_DEBT && isfinite(adaptive->asked) && isfinite(adaptive->owed)))
        return false;
    for (int k = 0; k < ANB_STEPS; k++) {
        if (!(fabs(adaptive->alpha[k]) <= 2 && adaptive->weight[k] >= 0 && adaptive->weight[k] <= 1))
            return false;
        sum += adaptive->weight[k];
    }
    return fabs(sum - 1) < 1e-6;
}
