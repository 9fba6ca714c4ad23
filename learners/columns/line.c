#include "line.h"
#include "src/numeric/moments.h"
#include "src/simd/kernels.h"
#include <anabranch/learner.h>

typedef AnbColumnsView View;
typedef AnbColumnsWork Work;

/* Chosen on the tables that docs/tables.md names, "What it costs". */
static const double FIRST = 0.25, LEAST = 0.05, LEAST_OF_SOME = 0.1, FALL = 16;
static const double CLIP = 4;
enum { YOUNG = 4096, SURE = 64, RARE_YOUNG = 4, RARE = 3 };
static const uint64_t GOLDEN = UINT64_C(0x9e3779b97f4a7c15); /* 2^64 times the golden ratio's fraction */

static bool is_young(const View *v)
{
    return v->s->line.seen < YOUNG;
}

/* True for one in 2^bits of the rows; n: the row's number. */
static bool is_chosen(uint64_t n, unsigned bits)
{
    return bits == 0 || n * GOLDEN >> (64 - bits) == 0;
}

AnbColumnsDue anb_columns_line_due(const View *v, double weight)
{
    uint64_t n = v->s->range.seen;
    bool young = is_young(v);
    if (!young && !is_chosen(n, v->l->thinned))
        return ANB_NOT_DUE;
    bool spreads = v->s->weight < SURE * weight || is_chosen(n, young ? RARE_YOUNG : v->l->thinned + RARE);
    return spreads ? ANB_DUE_WITH_SPREADS : ANB_DUE;
}

/* ---- saying ------------------------------------------------------------------------------------------------------ */

/* Copies sines and cosines; 0 where the time is missing. */
static void copy_circles(const double *from, double *z)
{
    for (size_t i = 0; i < ANB_CIRCLES; i++)
        z[i] = from[i] == from[i] ? from[i] : 0;
}

/* The times' part of the prediction; for a row that is due it adds their square to the norm. */
static double predict_circles(const View *v, const Work *w, AnbColumnsDue due)
{
    const AnbColumnsLayout *l = v->l;
    double *circles = w->z + l->numbers;
    for (size_t t = 0; t < l->times; t++)
        copy_circles(anb_columns_calendar(v, w, t), circles + t * ANB_CIRCLES);
    if (due)
        *w->norm += anb_dot(circles, circles, l->times * ANB_CIRCLES);
    return anb_dot(v->a + l->numbers, circles, l->times * ANB_CIRCLES);
}

static double predict_clipped(const View *v, const Work *w)
{
    return anb_standardize_dot(w->row, v->average, v->inv_sd, CLIP, v->a, v->l->numbers, w->z, w->norm);
}

static double predict_numbers(const View *v, const Work *w, AnbColumnsDue due)
{
    const AnbRange *usual = &v->s->line;
    if (due || is_young(v))
        return predict_clipped(v, w);
    double predicted = anb_dot(v->b, w->row, v->l->numbers) - v->s->offset;
    return predicted >= usual->low && predicted <= usual->high ? predicted : predict_clipped(v, w);
}

double anb_columns_line_predict(const View *v, const Work *w, AnbColumnsDue due)
{
    double predicted = predict_numbers(v, w, due);
    if (due && predicted - predicted == 0)
        anb_range_follow(&v->s->line, predicted);
    return v->l->times == 0 ? predicted : predicted + predict_circles(v, w, due);
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

static double rate_of(const View *v)
{
    double n = (double)v->s->range.seen, rate = FIRST / (1 + n / (FALL * (double)(1 + v->l->inputs)));
    double least = is_young(v) || v->l->thinned == 0 ? LEAST : LEAST_OF_SOME;
    return rate > least ? rate : least;
}

static void learn_weights(const View *v, const Work *w, double step, double weight)
{
    double rate = rate_of(v) * weight;
    rate = rate < 1 ? rate : 1;
    if (!(anb_axpy(v->a, step * rate / (1 + *w->norm), w->z, v->l->inputs) == 0))
        memset(v->a, 0, v->l->inputs * sizeof *v->a);
}

/* Restarts features whose moments are not finite. */
static void reset_bad_features(const View *v, const AnbRow *row)
{
    for (size_t j = 0; j < v->l->numbers; j++)
        if (anb_nonfinite(&v->average[j], 1) + anb_nonfinite(&v->m2[j], 1) != 0) {
            v->weight[j] = v->average[j] = v->m2[j] = v->inv_sd[j] = 0;
            anb_restart_part(row);
        }
}

static void learn_moments(const View *v, const AnbRow *row, const Work *w, AnbColumnsDue due, double weight)
{
    double *inv_sd = due == ANB_DUE_WITH_SPREADS ? v->inv_sd : NULL;
    if (!(anb_moments_update(v->weight, v->average, v->m2, inv_sd, w->row, weight, v->l->numbers) == 0))
        reset_bad_features(v, row);
}

/* Computes the weights of numbers that are not standardised. Where some are not finite it sets an offset so large that
 * no prediction is in the usual range, so that every row is standardised. */
static void follow_weights(const View *v)
{
    size_t n = v->l->numbers;
    v->s->offset = anb_raw_weights(v->a, v->average, v->inv_sd, n, v->b);
    if (v->s->offset - v->s->offset + anb_nonfinite(v->b, n) == 0)
        return;
    memset(v->b, 0, n * sizeof *v->b);
    v->s->offset = DBL_MAX;
}

void anb_columns_line_learn(const View *v, const Work *w, const AnbRow *row, AnbColumnsDue due, double step,
                            double weight)
{
    learn_weights(v, w, step, weight);
    learn_moments(v, row, w, due, weight);
    if (!is_young(v))
        follow_weights(v);
}
