/* The best cut of a histogram, by prefix sums. */
#include "histogram.h"

/* Gain of every cut, given what lies left of it. Written without branches so that it becomes vector code. */
static void gains(const double *sum, const double *count, size_t n, const AnbSplitRule *rule, double *gain)
{
    double ridge = rule->ridge, whole = rule->sum * rule->sum / (rule->count + ridge), min = rule->min_count;
    for (size_t i = 0; i < n; i++) {
        double other = rule->count - count[i], rest = rule->sum - sum[i], a = count[i] + ridge, b = other + ridge;
        double value = (sum[i] * sum[i] * b + rest * rest * a) / (a * b) - whole;
        gain[i] = ((count[i] >= min) & (other >= min)) ? value : -1.0;
    }
}

static void consider(const double *sum, const double *count, size_t n, const AnbSplitRule *rule, uint32_t feature,
                     bool missing_left, AnbSplit *best)
{
    double gain[ANB_CODES];
    gains(sum, count, n, rule, gain);
    for (size_t i = 0; i < n; i++)
        if (gain[i] > best->gain)
            *best = (AnbSplit){.gain = gain[i],
                               .feature = feature,
                               .code = (uint8_t)i,
                               .missing_left = missing_left,
                               .left_sum = sum[i],
                               .left_count = count[i]};
}

void anb_histogram_split(const AnbBin *h, size_t edges, const AnbSplitRule *rule, uint32_t feature, AnbSplit *best)
{
    double sum[ANB_CODES], count[ANB_CODES], before = best->gain, s = 0, c = 0;
    if (edges == 0)
        return;
    for (size_t i = 0; i < edges; i++) {
        sum[i] = s += h[i].sum;
        count[i] = c += h[i].count;
    }
    consider(sum, count, edges, rule, feature, false, best);
    if (h[ANB_MISSING].count > 0) {
        for (size_t i = 0; i < edges; i++) {
            sum[i] += h[ANB_MISSING].sum;
            count[i] += h[ANB_MISSING].count;
        }
        consider(sum, count, edges, rule, feature, true, best);
    } else if (best->gain > before) {
        best->missing_left = 2 * best->left_count >= rule->count;
    }
}
