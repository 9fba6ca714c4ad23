/*
 * Conformal intervals around a child's predictions.
 *
 *     score = |y - f| / sigma     sigma^2 = e2 + s^2     e2 <- e2 + ((y - f)^2 - e2) / (50 + delay)
 *
 * with s the child's spread (of a mixture: the deviation of its experts' predictions), 0 where it has none. The
 * half width is sigma times the quantile of the last scores at the level that DtACI adapts: src/numeric/conformal.h.
 *
 * How many scores: enough that ten of them lie beyond the outermost level, 600 to 1,000.
 *
 * The answer that is scored is the one in the scratch: after a plain predict the row's own, after a delayed label the
 * stored one (AnbAnswerTable).
 *
 * A miss is decided by the limits in the answer, whenever the label comes; delay is how many labels came in between.
 *
 * State: the faded square, 4 bytes a score, 152 a level. Scratch: the answer. Cost: about a microsecond a level.
 */
#include "src/numeric/conformal.h"
#include "src/numeric/fields.h"
#include "src/numeric/moments.h"
#include "src/numeric/sizes.h"
#include <anabranch/interval.h>
#include <anabranch/pending.h>
#include <anabranch/reach.h>

static size_t levels_of(const AnbNode *self)
{
    return (size_t)((const AnbIntervalOptions *)self->options)->coverage.count;
}

enum { FEW = 600, MANY = 1000, BEYOND = 10 };

static size_t window_of(const AnbNode *self)
{
    const AnbIntervalOptions *o = self->options;
    double outermost = 0;
    for (int i = 0; i < o->coverage.count; i++)
        outermost = o->coverage.value[i] > outermost ? o->coverage.value[i] : outermost;
    double enough = ceil(BEYOND / (1 - outermost));
    if (o->window > 0)
        return (size_t)o->window;
    return enough < FEW ? FEW : enough < MANY ? (size_t)enough : MANY;
}

static const AnbSizesForm scores_form = {window_of, 3};

enum { SQUARE, SCORES, LEVELS };
static const AnbField fields[] = {
    [SQUARE] = {ANB_STRUCT(AnbFaded, anb_faded_fields)},
    [SCORES] = {.name = "scores", .part = &anb_sizes_part, .form = &scores_form},
    [LEVELS] = {.name = "levels", .record = anb_adaptive_fields, .stride = sizeof(AnbAdaptive), .count = levels_of},
    {0}};

/* LIMITS: the largest score inside each level's interval. */
enum { ANSWER, LIMITS, ASKED };
typedef struct Answer {
    double f, sigma, scored;
} Answer;
static const AnbField scratch_fields[] = {[ANSWER] = {ANB_SCRATCH_STRUCT(Answer)},
                                          [LIMITS] = {.name = "limits", .kind = ANB_F64, .count = levels_of},
                                          [ASKED] = {.name = "asked", .kind = ANB_F64, .count = levels_of},
                                          {0}};

typedef struct State {
    AnbFaded *square;
    AnbSizes scores;
    AnbAdaptive *level;
} State;

static State state_of(const AnbNode *self, const void *state)
{
    void *at = anb_view_of(state);
    return (State){at, anb_sizes_at(anb_field(self, at, SCORES), window_of(self)), anb_field(self, at, LEVELS)};
}

typedef struct Room {
    Answer *answer;
    double *limit, *asked;
} Room;

static Room room_of(const AnbNode *self, const double *scratch)
{
    double *at = anb_view_of(scratch);
    return (Room){anb_scratch(self, at, ANSWER), anb_scratch(self, at, LIMITS), anb_scratch(self, at, ASKED)};
}

static const AnbParam params[] = {{"coverage", ANB_LEVELS, offsetof(AnbIntervalOptions, coverage), 0, 1e-6, 1 - 1e-6, 0,
                                   "0.8, 0.9, 0.95", "coverages: shares of targets inside the intervals"},
                                  {"window", ANB_COUNT, offsetof(AnbIntervalOptions, window), 0, 0, ANB_SIZES_MOST, 0,
                                   NULL,
                                   "scores stored, every second one of the last; 0: 600 to 1,000, by the coverages"},
                                  {0}};

static int check(const AnbNode *self, AnbError *error)
{
    bool again = self->parent && self->parent->type->interval;
    return again ? anb_fail(error, ANB_E_ARGUMENT, "interval stands only at the root or below pending") : 0;
}

static int init(const AnbNode *self, void *state)
{
    const AnbIntervalOptions *o = self->options;
    AnbAdaptive *level = anb_field(self, state, LEVELS);
    for (int i = 0; i < o->coverage.count; i++)
        anb_adaptive_init(&level[i], 1 - o->coverage.value[i]);
    return 0;
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    const State s = state_of(self, state);
    const Room room = room_of(self, scratch);
    Answer *answer = room.answer;
    size_t n = levels_of(self);
    answer->f = anb_child_predict(self, 0, state, row, scratch);
    AnbAsked at = anb_child_asked(self, 0, state, row, scratch);
    double spread =
        anb_reach(&at, ANB_CAN_SPREAD) ? at.node->type->spread->spread(at.node, at.state, &at.row, at.scratch) : 0;
    double sigma = sqrt(s.square->mean + spread * spread);
    answer->sigma = sigma < (double)INFINITY ? sigma : sqrt(s.square->mean);
    answer->scored = (double)*s.scores.shown;
    for (size_t i = 0; i < n; i++) {
        room.limit[i] = anb_sizes_quantile(&s.scores, 1 - anb_adaptive_alpha(&s.level[i]));
        room.asked[i] = s.level[i].asked;
    }
    return answer->f;
}

/* Scores the answer in the scratch. An answer from a snapshot of version 1 has no limits: `known` is false. */
static void judge(const AnbNode *self, const State *s, double score, double delay, bool known, const Room *room)
{
    const AnbIntervalOptions *o = self->options;
    size_t n = levels_of(self);
    double beta = anb_sizes_beta(&s->scores, score);
    for (size_t i = 0; i < n; i++) {
        double alpha = 1 - o->coverage.value[i];
        if (known)
            anb_adaptive_answered(&s->level[i], alpha, score > room->limit[i], room->asked[i]);
        anb_adaptive_add(&s->level[i], alpha, beta, delay);
    }
    anb_sizes_add(&s->scores, score);
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    const State s = state_of(self, state);
    const Room room = room_of(self, scratch);
    const Answer *answer = room.answer;
    /* an answer from before the first label has no sigma: the present one is used */
    double sigma = answer->sigma > 0 ? answer->sigma : sqrt(s.square->mean);
    double error = fabs(y - answer->f), score = error / sigma;
    bool known = answer->scored >= 0;
    double delay = known ? (double)*s.scores.shown - answer->scored : 0;
    anb_child_update(self, 0, state, row, y, weight, scratch);
    if (sigma > 0 && score < (double)INFINITY)
        judge(self, &s, score, delay, known, &room);
    if (error * error < (double)INFINITY)
        anb_faded_add(s.square, error * error, 1, 1 - 1 / (50 + delay));
}

/* ---- read-outs --------------------------------------------------------------------------------------------------- */

static int interval(const AnbNode *self, const void *state, const double *scratch, double coverage, double *low,
                    double *high)
{
    const AnbIntervalOptions *o = self->options;
    const Room room = room_of(self, scratch);
    (void)state;
    for (int i = 0; i < o->coverage.count; i++) {
        if (o->coverage.value[i] != coverage)
            continue;
        double score = room.limit[i];
        double half = score < (double)INFINITY ? score * room.answer->sigma : score;
        *low = room.answer->f - half;
        *high = room.answer->f + half;
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
    const Room room = room_of(self, scratch);
    size_t n = levels_of(self);
    *answer = (AnbAnswer){.prediction = room.answer->f, .sigma = room.answer->sigma, .scored = room.answer->scored};
    memcpy(answer->limit, room.limit, n * sizeof(double));
    memcpy(answer->asked, room.asked, n * sizeof(double));
}

static void restore(const AnbNode *self, double *scratch, const AnbAnswer *answer)
{
    const Room room = room_of(self, scratch);
    size_t n = levels_of(self);
    *room.answer = (Answer){answer->prediction, answer->sigma, answer->scored};
    memcpy(room.limit, answer->limit, n * sizeof(double));
    memcpy(room.asked, answer->asked, n * sizeof(double));
}

static const AnbWrapperTable wrapper = {0};
static const AnbShapleyTable shapley = {anb_split_first};
static const AnbIntervalTable table = {levels, interval};
static const AnbAnswerTable answers = {given, restore};

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const State s = state_of(self, state);
    bool fine = s.square->mean >= 0;
    for (size_t i = 0; i < levels_of(self); i++)
        fine = fine && anb_adaptive_valid(&s.level[i]);
    return fine ? 0 : anb_fail(error, ANB_E_STATE, "interval: a mean square or a level that no samples lead to");
}

const StreamingLearnerType anb_interval = {
    .name = "interval",
    .brief = "a learner with adaptive conformal prediction intervals",
    .example = "interval(scale(linear))",
    .options_size = sizeof(AnbIntervalOptions),
    .params = params,
    .flags = ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_WEIGHT_SCALED | ANB_ROOT_ONLY,
    .version = 3, /* 2: with AnbAdaptive.asked and owed; 3: scores as in sizes.h */
    .min_children = 1,
    .max_children = 1,
    .check = check,
    .fields = fields,
    .scratch = scratch_fields,
    .init = init,
    .predict = predict,
    .update = update,
    .wrapper = &wrapper,
    .shapley = &shapley,
    .interval = &table,
    .answer = &answers,
    .validate = validate,
    .upgrade = anb_fields_upgrade,
};
