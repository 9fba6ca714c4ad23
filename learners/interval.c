/*
 * Conformal intervals around a child's predictions.
 *
 *     score = |y - f| / sigma     sigma^2 = e2 + s^2     e2 <- .98 e2 + .02 (y - f)^2
 *
 * with s what the child says of its spread (a mixture: how far its experts are apart), 0 where it says nothing. The
 * half width is sigma times the quantile of the last 1,000 scores at the level that DtACI adapts: src/numeric/conformal.h.
 *
 * The answer that is scored is the one in the scratch: after a plain predict the row's own, after a delayed label the
 * one that was given then (AnbAnswerTable).
 *
 * State: the faded square, the scores, a level's miscoverage each. Scratch: f, sigma. Cost: about a microsecond a
 * level.
 */
#include "src/numeric/conformal.h"
#include "src/numeric/moments.h"
#include <anabranch/interval.h>
#include <anabranch/pending.h>
#include <anabranch/reach.h>

typedef struct Interval {
    AnbFaded square;
    AnbScores scores;
    AnbAdaptive level[ANB_LEVELS_MAX];
} Interval;

enum { F, SIGMA, SLOTS };

static const AnbParam params[] = {{"coverage", ANB_LEVELS, offsetof(AnbIntervalOptions, coverage), 0, 1e-6, 1 - 1e-6, 0,
                                   "0.8, 0.9, 0.95", "shares of targets that the intervals are to hold"},
                                  {0}};

static int check(const AnbNode *self, AnbError *error)
{
    bool again = self->parent && self->parent->type->interval;
    return again ? anb_fail(error, ANB_E_ARGUMENT, "interval stands only at the root or below pending") : 0;
}

static AnbNeed need(const AnbNode *self)
{
    (void)self;
    return (AnbNeed){sizeof(Interval), SLOTS};
}

static int init(const AnbNode *self, void *state)
{
    const AnbIntervalOptions *o = self->options;
    Interval *s = state;
    for (int i = 0; i < o->coverage.count; i++)
        anb_adaptive_init(&s->level[i], 1 - o->coverage.value[i]);
    return 0;
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const Interval *s = state;
    scratch[F] = anb_child_predict(self, 0, state, row, scratch);
    AnbAsked at = anb_child_asked(self, 0, state, row, scratch);
    double spread =
        anb_reach(&at, ANB_CAN_SPREAD) ? at.node->type->spread->spread(at.node, at.state, &at.row, at.scratch) : 0;
    double sigma = sqrt(s->square.mean + spread * spread);
    scratch[SIGMA] = sigma < (double)INFINITY ? sigma : sqrt(s->square.mean);
    return scratch[F];
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    const AnbIntervalOptions *o = self->options;
    Interval *s = state;
    double error = fabs(y - scratch[F]), score = error / scratch[SIGMA];
    anb_child_update(self, 0, state, row, y, weight, scratch);
    if (scratch[SIGMA] > 0 && score < (double)INFINITY) {
        double beta = anb_scores_beta(&s->scores, score);
        for (int i = 0; i < o->coverage.count; i++)
            anb_adaptive_add(&s->level[i], 1 - o->coverage.value[i], beta);
        anb_scores_add(&s->scores, score);
    }
    if (error * error < (double)INFINITY)
        anb_faded_add(&s->square, error * error, 1, .98);
}

/* ---- read-outs --------------------------------------------------------------------------------------------------- */

static int interval(const AnbNode *self, const void *state, const double *scratch, double coverage, double *low,
                    double *high)
{
    const AnbIntervalOptions *o = self->options;
    const Interval *s = state;
    for (int i = 0; i < o->coverage.count; i++) {
        if (o->coverage.value[i] != coverage)
            continue;
        double score = anb_scores_quantile(&s->scores, 1 - anb_adaptive_alpha(&s->level[i]));
        double half = score < (double)INFINITY ? score * scratch[SIGMA] : score;
        *low = scratch[F] - half;
        *high = scratch[F] + half;
        return 0;
    }
    return ANB_E_ARGUMENT;
}

static size_t levels(const AnbNode *self, const double **coverage)
{
    const AnbIntervalOptions *o = self->options;
    *coverage = o->coverage.value;
    return (size_t)o->coverage.count;
}

static void given(const AnbNode *self, const double *scratch, AnbAnswer *answer)
{
    (void)self;
    *answer = (AnbAnswer){scratch[F], scratch[SIGMA]};
}

static void restore(const AnbNode *self, double *scratch, const AnbAnswer *answer)
{
    (void)self;
    scratch[F] = answer->prediction;
    scratch[SIGMA] = answer->sigma;
}

static const AnbWrapperTable wrapper = {0};
static const AnbIntervalTable table = {levels, interval};
static const AnbAnswerTable answers = {given, restore};

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    const AnbIntervalOptions *o = self->options;
    Interval *s = state;
    anb_faded_visit(&s->square, visitor);
    anb_scores_visit(&s->scores, visitor);
    for (int i = 0; i < o->coverage.count; i++)
        anb_adaptive_visit(&s->level[i], visitor);
}

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const AnbIntervalOptions *o = self->options;
    const Interval *s = state;
    bool fine = s->square.mean >= 0 && s->square.mean < (double)INFINITY && s->square.weight >= 0 &&
                s->square.weight < (double)INFINITY && anb_scores_valid(&s->scores);
    for (int i = 0; i < o->coverage.count; i++)
        fine = fine && anb_adaptive_valid(&s->level[i]);
    return fine ? 0 : anb_fail(error, ANB_E_STATE, "interval: scores or levels that no samples lead to");
}

const StreamingLearnerType anb_interval = {
    .name = "interval",
    .brief = "a learner with adaptive conformal prediction intervals",
    .example = "interval(scale(linear))",
    .options_size = sizeof(AnbIntervalOptions),
    .params = params,
    .flags = ANB_SIZED_OPTIONS | ANB_WEIGHT_SCALED | ANB_ROOT_ONLY,
    .version = 1,
    .min_children = 1,
    .max_children = 1,
    .check = check,
    .need = need,
    .init = init,
    .predict = predict,
    .update = update,
    .wrapper = &wrapper,
    .interval = &table,
    .answer = &answers,
    .ranges = ranges,
    .validate = validate,
};
