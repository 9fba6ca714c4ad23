/*
 * Conformal intervals around a child's predictions.
 *
 *     score = |y - f| / sigma     sigma^2 = e2 + s^2     e2 <- e2 + ((y - f)^2 - e2) / (50 + delay)
 *
 * with s what the child says of its spread (a mixture: how far its experts are apart), 0 where it says nothing. The
 * half width is sigma times the quantile of the last 1,000 scores at the level that DtACI adapts: src/numeric/conformal.h.
 *
 * The answer that is scored is the one in the scratch: after a plain predict the row's own, after a delayed label the
 * one that was given then (AnbAnswerTable).
 *
 * A miss is judged by the limits that were answered, whenever the label comes; delay is how many labels came in between.
 *
 * State: the faded square, the scores, a level's miscoverage each. Scratch: the answer. Cost: about a microsecond a
 * level.
 */
#include "src/numeric/conformal.h"
#include "src/numeric/moments.h"
#include "src/text/field_reader.h"
#include <anabranch/interval.h>
#include <anabranch/pending.h>
#include <anabranch/reach.h>

typedef struct Interval {
    AnbFaded square;
    AnbScores scores;
    AnbAdaptive level[ANB_LEVELS_MAX];
} Interval;

/* Scratch: after LIMITS the largest score that each level's interval holds, then what each level had asked. */
enum { F, SIGMA, SCORED, LIMITS };

static size_t levels_of(const AnbNode *self)
{
    return (size_t)((const AnbIntervalOptions *)self->options)->coverage.count;
}

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
    return (AnbNeed){sizeof(Interval), LIMITS + 2 * levels_of(self)};
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
    size_t n = levels_of(self);
    scratch[F] = anb_child_predict(self, 0, state, row, scratch);
    AnbAsked at = anb_child_asked(self, 0, state, row, scratch);
    double spread =
        anb_reach(&at, ANB_CAN_SPREAD) ? at.node->type->spread->spread(at.node, at.state, &at.row, at.scratch) : 0;
    double sigma = sqrt(s->square.mean + spread * spread);
    scratch[SIGMA] = sigma < (double)INFINITY ? sigma : sqrt(s->square.mean);
    scratch[SCORED] = (double)s->scores.ring.pushed;
    for (size_t i = 0; i < n; i++) {
        scratch[LIMITS + i] = anb_scores_quantile(&s->scores, 1 - anb_adaptive_alpha(&s->level[i]));
        scratch[LIMITS + n + i] = s->level[i].asked;
    }
    return scratch[F];
}

/* Scores the answer in the scratch. One that came from a snapshot of version 1 has no limits: `known` is false. */
static void judge(const AnbNode *self, Interval *s, double score, double delay, bool known, const double *scratch)
{
    const AnbIntervalOptions *o = self->options;
    size_t n = levels_of(self);
    double beta = anb_scores_beta(&s->scores, score);
    for (size_t i = 0; i < n; i++) {
        double alpha = 1 - o->coverage.value[i];
        if (known)
            anb_adaptive_answered(&s->level[i], alpha, score > scratch[LIMITS + i], scratch[LIMITS + n + i]);
        anb_adaptive_add(&s->level[i], alpha, beta, delay);
    }
    anb_scores_add(&s->scores, score);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    Interval *s = state;
    /* an answer from before the first label had no sigma: it is scored by what is known now */
    double sigma = scratch[SIGMA] > 0 ? scratch[SIGMA] : sqrt(s->square.mean);
    double error = fabs(y - scratch[F]), score = error / sigma;
    bool known = scratch[SCORED] >= 0;
    double delay = known ? (double)s->scores.ring.pushed - scratch[SCORED] : 0;
    anb_child_update(self, 0, state, row, y, weight, scratch);
    if (sigma > 0 && score < (double)INFINITY)
        judge(self, s, score, delay, known, scratch);
    if (error * error < (double)INFINITY)
        anb_faded_add(&s->square, error * error, 1, 1 - 1 / (50 + delay));
}

/* ---- read-outs --------------------------------------------------------------------------------------------------- */

static int interval(const AnbNode *self, const void *state, const double *scratch, double coverage, double *low,
                    double *high)
{
    const AnbIntervalOptions *o = self->options;
    (void)state;
    for (int i = 0; i < o->coverage.count; i++) {
        if (o->coverage.value[i] != coverage)
            continue;
        double score = scratch[LIMITS + i];
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
    size_t n = levels_of(self);
    *answer = (AnbAnswer){.prediction = scratch[F], .sigma = scratch[SIGMA], .scored = scratch[SCORED]};
    memcpy(answer->limit, scratch + LIMITS, n * sizeof(double));
    memcpy(answer->asked, scratch + LIMITS + n, n * sizeof(double));
}

static void restore(const AnbNode *self, double *scratch, const AnbAnswer *answer)
{
    size_t n = levels_of(self);
    scratch[F] = answer->prediction;
    scratch[SIGMA] = answer->sigma;
    scratch[SCORED] = answer->scored;
    memcpy(scratch + LIMITS, answer->limit, n * sizeof(double));
    memcpy(scratch + LIMITS + n, answer->asked, n * sizeof(double));
}

static const AnbWrapperTable wrapper = {0};
static const AnbShapleyTable shapley = {anb_split_first};
static const AnbIntervalTable table = {levels, interval};
static const AnbAnswerTable answers = {given, restore};

static void fields(const AnbNode *self, void *state, AnbVisitor *visitor, unsigned version)
{
    Interval *s = state;
    anb_faded_visit(&s->square, visitor);
    anb_scores_visit(&s->scores, visitor);
    for (size_t i = 0; i < levels_of(self); i++)
        anb_adaptive_visit(&s->level[i], visitor, version);
}

static void ranges(const AnbNode *self, void *state, AnbVisitor *visitor)
{
    fields(self, state, visitor, self->type->version);
}

/* Version 1 kept no account of what was answered: it starts at nothing owed. */
static int upgrade(const AnbNode *self, unsigned from, const unsigned char *bytes, size_t size, void *state)
{
    AnbFieldReader reader = anb_field_reader(bytes, size);
    fields(self, state, &reader.visitor, from);
    return anb_fields_end(&reader);
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
    .version = 2,
    .min_children = 1,
    .max_children = 1,
    .check = check,
    .need = need,
    .init = init,
    .predict = predict,
    .update = update,
    .wrapper = &wrapper,
    .shapley = &shapley,
    .interval = &table,
    .answer = &answers,
    .ranges = ranges,
    .validate = validate,
    .upgrade = upgrade,
};
