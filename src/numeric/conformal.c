#include "conformal.h"
#include "elementary.h"
#include <float.h>

/* ---- scores ------------------------------------------------------------------------------------------------------ */

/* How many sorted scores are below the value. */
static size_t below(const double *sorted, size_t n, double value)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (sorted[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void anb_scores_add(AnbScores *scores, double score)
{
    size_t n = anb_scores_size(scores), slot = anb_ring_push(&scores->ring, ANB_SCORES);
    double *sorted = scores->sorted;
    if (n == ANB_SCORES) {
        size_t gone = below(sorted, n, scores->arrived[slot]);
        gone = gone < n ? gone : n - 1; /* never past the end, whatever the two lists hold */
        memmove(sorted + gone, sorted + gone + 1, (n - gone - 1) * sizeof(double));
        n--;
    }
    size_t at = below(sorted, n, score);
    memmove(sorted + at + 1, sorted + at, (n - at) * sizeof(double));
    sorted[at] = score;
    scores->arrived[slot] = score;
}

double anb_scores_beta(const AnbScores *scores, double score)
{
    size_t n = anb_scores_size(scores);
    return n == 0 ? 1 : (double)(n - below(scores->sorted, n, score)) / (double)n;
}

double anb_scores_quantile(const AnbScores *scores, double level)
{
    size_t n = anb_scores_size(scores);
    double rank = ceil(level * (double)(n + 1));
    if (n < ANB_SCORES_LEAST)
        return (double)INFINITY;
    if (!(rank >= 1))
        return 0;
    return scores->sorted[rank < (double)n ? (size_t)rank - 1 : n - 1];
}

double anb_scores_between(const AnbScores *scores, double level)
{
    size_t n = anb_scores_size(scores);
    double at = level * (double)(n + 1) - 1;
    if (n == 0)
        return 0;
    if (!(at > 0))
        return scores->sorted[0];
    if (at >= (double)(n - 1))
        return scores->sorted[n - 1];
    size_t left = (size_t)at;
    double share = at - (double)left;
    return scores->sorted[left] * (1 - share) + scores->sorted[left + 1] * share;
}

void anb_scores_visit(AnbScores *scores, AnbVisitor *visitor)
{
    anb_ring_visit(&scores->ring, visitor);
    size_t n = anb_scores_size(scores);
    anb_visit(visitor, "arrived", scores->arrived, ANB_F64, n);
    anb_visit(visitor, "sorted", scores->sorted, ANB_F64, n);
}

/* Whether every score that arrived has a place of its own among the sorted ones. */
static bool same_scores(const AnbScores *scores, size_t n)
{
    uint16_t taken[ANB_SCORES] = {0}; /* of a run of equals, at its first place */
    for (size_t i = 0; i < n; i++) {
        size_t first = below(scores->sorted, n, scores->arrived[i]);
        size_t place = first < n ? first + taken[first]++ : n;
        if (place >= n || scores->sorted[place] > scores->arrived[i])
            return false;
    }
    return true;
}

static bool valid_from(const AnbScores *scores, double least)
{
    size_t n = anb_scores_size(scores);
    if (!anb_ring_valid(&scores->ring))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!(scores->arrived[i] >= least && scores->arrived[i] < (double)INFINITY && scores->sorted[i] >= least &&
              scores->sorted[i] < (double)INFINITY && (i == 0 || scores->sorted[i - 1] <= scores->sorted[i])))
            return false;
    return same_scores(scores, n);
}

bool anb_scores_valid(const AnbScores *scores)
{
    return valid_from(scores, 0);
}

static size_t part_size(const AnbNode *self, const AnbField *field)
{
    (void)self, (void)field;
    return sizeof(AnbScores);
}

static void part_visit(const AnbNode *self, const AnbField *field, void *state, void *part, AnbVisitor *visitor)
{
    (void)self, (void)field, (void)state;
    anb_scores_visit(part, visitor);
}

static int part_validate(const AnbNode *self, const AnbField *field, const void *state, const void *part,
                         AnbError *error)
{
    (void)state;
    double least = field->part == &anb_scores_part ? 0 : -DBL_MAX;
    return valid_from(part, least)
               ? 0
               : anb_fail(error, ANB_E_STATE, "%s: scores that no samples lead to", self->type->name);
}

const AnbPart anb_scores_part = {part_size, part_visit, part_validate};
const AnbPart anb_signed_scores_part = {part_size, part_visit, part_validate};

/* ---- the level --------------------------------------------------------------------------------------------------- */

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

static double within(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

double anb_adaptive_alpha(const AnbAdaptive *adaptive)
{
    double sum = within(ANB_REPAY * adaptive->owed, -4, 1);
    for (int k = 0; k < ANB_STEPS; k++)
        sum += adaptive->weight[k] * adaptive->alpha[k];
    return sum;
}

void anb_adaptive_answered(AnbAdaptive *adaptive, double alpha, bool missed, double then)
{
    adaptive->asked += alpha - within(anb_adaptive_alpha(adaptive), 0, 1);
    adaptive->debt = within(adaptive->debt + alpha - (missed ? 1 : 0), -ANB_DEBT, ANB_DEBT);
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
        adaptive->alpha[k] = within(adaptive->alpha[k], -1, 2);
    }
    for (int k = 0; k < ANB_STEPS; k++) {
        double share = (1 - sigma) * adaptive->weight[k] / sum; /* all may have gone below the doubles */
        adaptive->weight[k] = (sum > 0 ? share : (1 - sigma) / ANB_STEPS) + sigma / ANB_STEPS;
    }
}

const AnbField anb_adaptive_fields[] = {{ANB_MEMBER(AnbAdaptive, alpha), .must = ANB_FINITE},
                                        {ANB_MEMBER(AnbAdaptive, weight), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                        {ANB_MEMBER(AnbAdaptive, debt), .must = ANB_FINITE},
                                        {ANB_MEMBER(AnbAdaptive, asked), .must = ANB_FINITE},
                                        {ANB_MEMBER(AnbAdaptive, owed), .must = ANB_FINITE},
                                        {0}};
const AnbField anb_adaptive_fields_1[] = {{ANB_MEMBER(AnbAdaptive, alpha)}, {ANB_MEMBER(AnbAdaptive, weight)}, {0}};

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
