/*
 * season(child): corrects the child by the target one period ago. The period is searched for while the stream runs.
 *
 *     e = y - f     m = the usual size of e (src/numeric/error_size.h)
 *     p = the lag in use (src/numeric/lag_search.h)
 *     q = (0.1, e_{t-p} / m, (y_{t-p} - f) / m), the last two clipped to +-10
 *     v: recursive least squares(.999) from q to e / m, clipped to +-6; it restarts when p changes
 *     output = f + m v.q within the seen target range widened by 10 %, once that has been shown to be better than f:
 *
 *     u = (e^2 - (y - f - m v.q)^2) / m^2 within +-50     D = sum of u     V = sum of u^2, discounted by .999 and .998
 *     the correction is used from D > 2 sqrt(V) on, until D < 0
 *
 * Otherwise the output is the child's, bit for bit. Lags are 2 to `longest`; the last error is left to residual_ar.
 * Examples of periods: a year of days, a week of hours, a day of minutes; or, where rows of several units take turns,
 * the same unit in the round before. Past targets are inputs: use it where they are known by the time of the next row.
 *
 * State: 36 bytes a lag. Cost: 8 operations on floats a lag, an RLS of 3.
 */
#include "src/numeric/error_size.h"
#include "src/numeric/gain_test.h"
#include "src/numeric/lag_search.h"
#include "src/numeric/moments.h"
#include "src/numeric/rls.h"
#include "src/numeric/weight_unit.h"
#include <anabranch/learners.h>
#include <anabranch/reach.h>

enum { TERMS = 3 };
static const double FADE = 0.999, NEAR = 10, FAR = 6, MOST = 50, CLEAR = 2;

typedef struct Season {
    AnbRange range;
    AnbWeightUnit unit;
    double seen, size; /* rows, m */
    AnbGainTest test;
} Season;

static const AnbField test_fields[] = {{ANB_MEMBER(AnbGainTest, gain), .must = ANB_FINITE},
                                       {ANB_MEMBER(AnbGainTest, noise), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                       {ANB_MEMBER(AnbGainTest, open), .must = ANB_FINITE},
                                       {0}};

static const AnbField members[] = {{ANB_INNER(Season, range, AnbRange, anb_range_fields)},
                                   {ANB_INNER(Season, unit, AnbWeightUnit, anb_weight_unit_fields)},
                                   {ANB_MEMBER(Season, seen), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_MEMBER(Season, size), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_INNER(Season, test, AnbGainTest, test_fields)},
                                   {0}};

static const AnbParam params[] = {{"longest", ANB_COUNT, offsetof(AnbSeasonOptions, longest), 768, 2, 4096, 0, NULL,
                                   "the longest possible period, in rows"},
                                  {0}};

static size_t longest(const AnbNode *self)
{
    return (size_t)((const AnbSeasonOptions *)self->options)->longest;
}

/* Lags that are kept: whole blocks. */
static size_t lag_count(const AnbNode *self)
{
    return (longest(self) + ANB_LAGS_BLOCK - 1) / ANB_LAGS_BLOCK * ANB_LAGS_BLOCK;
}

static size_t ring_count(const AnbNode *self)
{
    return 2 * lag_count(self);
}

static AnbRls rls_of(const AnbNode *self)
{
    (void)self;
    return (AnbRls){.n = TERMS, .intercept = false, .delta = 1, .walk = 0};
}

static const AnbRlsForm form = {rls_of};

enum { HEAD, SEARCH, RLS, TARGETS, RECENT, ERRORS, SQUARE, CROSS, OWN };
static const AnbField fields[] = {
    [HEAD] = {ANB_STRUCT(Season, members)},
    [SEARCH] = {ANB_STRUCT(AnbLagSearch, anb_lag_search_fields)},
    [RLS] = {.name = "rls", .part = &anb_rls_part, .form = &form},
    [TARGETS] = {.name = "targets", .kind = ANB_F64, .count = lag_count, .must = ANB_FINITE},
    [RECENT] = {.name = "recent", .kind = ANB_F32, .count = ring_count, .must = ANB_FINITE | ANB_ALIGNED},
    [ERRORS] = {.name = "errors", .kind = ANB_F32, .count = ring_count, .must = ANB_FINITE | ANB_ALIGNED},
    [SQUARE] = {.name = "square", .kind = ANB_F32, .count = lag_count, .must = ANB_FINITE | ANB_ALIGNED},
    [CROSS] = {.name = "cross", .kind = ANB_F32, .count = lag_count, .must = ANB_FINITE | ANB_ALIGNED},
    [OWN] = {.name = "own", .kind = ANB_F32, .count = lag_count, .must = ANB_FINITE | ANB_ALIGNED},
    {0}};

static size_t work_size(const AnbNode *self)
{
    return anb_rls_scratch(rls_of(self).n);
}

/* What predict leaves for update: the child's prediction, that of the RLS, and the correction that follows. */
typedef struct Sample {
    double f, correction, moved;
} Sample;

enum { SAMPLE, WORK };
static const AnbField scratch_fields[] = {
    [SAMPLE] = {ANB_SCRATCH_STRUCT(Sample)},
    [WORK] = {.name = "work", .kind = ANB_F64, .count = work_size, .must = ANB_ALIGNED},
    {0}};

static int init(const AnbNode *self, void *state)
{
    AnbRls rls = rls_of(self);
    anb_rls_init(&rls, anb_field(self, state, RLS));
    return 0;
}

static AnbLags lags_of(const AnbNode *self, const void *state)
{
    void *at = anb_view_of(state);
    return (AnbLags){anb_field(self, at, SEARCH),
                     anb_field(self, at, TARGETS),
                     anb_field(self, at, RECENT),
                     anb_field(self, at, ERRORS),
                     {anb_field(self, at, SQUARE), anb_field(self, at, CROSS), anb_field(self, at, OWN)},
                     lag_count(self)};
}

/* Computes the correction of the child's prediction f, where a period is in use. */
static void correct(const AnbNode *self, const void *state, Sample *sample, double *work)
{
    const Season *s = state;
    const AnbLags lags = lags_of(self, state);
    const AnbRls rls = rls_of(self);
    size_t lag = (size_t)lags.s->lag;
    double f = sample->f, by = 1 / s->size;
    double q[TERMS] = {0.1, anb_clip(anb_lags_error(&lags, lag) * by, NEAR),
                       anb_clip((anb_lags_target(&lags, lag) - f) * by, NEAR)};
    sample->correction = anb_rls_predict(&rls, anb_field_const(self, state, RLS), q, work);
    double corrected = f + s->size * sample->correction;
    if (corrected - corrected == 0)
        sample->moved = anb_range_clip(&s->range, corrected) - f;
}

/* Whether a period is in use and m can be divided by. */
static bool in_use(const AnbNode *self, const void *state)
{
    const Season *s = state;
    const AnbLagSearch *search = anb_field_const(self, state, SEARCH);
    return search->lag > 0 && s->size > 0x1p-1000;
}

static double answer(const AnbNode *self, const void *state, double f, double *scratch)
{
    const Season *s = state;
    Sample *sample = anb_scratch(self, scratch, SAMPLE);
    *sample = (Sample){f, 0, 0};
    if (in_use(self, state))
        correct(self, state, sample, anb_scratch(self, scratch, WORK));
    return s->test.open > 0 ? anb_within_doubles(f + sample->moved) : f;
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    return answer(self, state, anb_child_predict(self, 0, state, row, scratch), scratch);
}

static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    const Season *s = state;
    anb_child_predict_many(self, 0, state, rows, scratch, out);
    for (size_t i = 0; i < rows->n && s->test.open > 0; i++)
        out[i] = answer(self, state, out[i], scratch);
}

/* Whether the correction is better than the child; both in units of m. */
static void judge(Season *s, double e, double moved)
{
    anb_gain_test_learn(&s->test, anb_clip(e * e - (e - moved) * (e - moved), MOST), CLEAR);
}

/* Tests and fits the correction. Returns whether the RLS is still finite. */
static bool learn_correction(const AnbNode *self, Season *s, const Sample *sample, double e, double weight,
                             double *work)
{
    AnbRls rls = rls_of(self);
    double by = 1 / s->size;
    judge(s, anb_clip(e * by, 1e6), anb_clip(sample->moved * by, 1e6));
    return anb_rls_update(&rls, anb_field(self, s, RLS), anb_clip(e * by, FAR) - sample->correction, FADE, weight,
                          work);
}

/* Restarts the RLS and the test, for another period. */
static void start_over(const AnbNode *self, Season *s)
{
    AnbRls rls = rls_of(self);
    anb_rls_init(&rls, anb_field(self, s, RLS));
    s->test = (AnbGainTest){0};
}

static bool learn(const AnbNode *self, Season *s, const Sample *sample, double y, double weight, double *work)
{
    const AnbLags lags = lags_of(self, s);
    double f = s->seen > 0 ? sample->f : y, e = y - f; /* the first prediction was made without any target */
    bool fine = fabs(e) < 0x1p1000;
    weight = anb_weight_relative(&s->unit, weight);
    if (fine && in_use(self, s))
        fine = learn_correction(self, s, sample, e, weight, work);
    if (!fine)
        return false;
    if (anb_lags_learn(&lags, f, y, s->size, longest(self)))
        start_over(self, s);
    if (s->seen > 0)
        s->size = anb_error_size_next(s->size, e, s->seen - 1);
    s->seen += s->seen < 0x1p53;
    anb_range_follow(&s->range, y);
    return true;
}

/* Learns the row of the scratch; restarts the node where a number is not finite. */
static void learn_row(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    const Sample sample = *(const Sample *)anb_scratch(self, scratch, SAMPLE);
    if (!learn(self, state, &sample, y, weight, anb_scratch(self, scratch, WORK))) {
        anb_node_reset_own(self, state);
        anb_restart_part(row); /* only this node, not the child */
    }
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    learn_row(self, state, row, y, weight, scratch);
    anb_child_update(self, 0, state, row, y, weight, scratch);
}

static double step(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    double output = answer(self, state, anb_child_step(self, 0, state, row, y, weight, scratch), scratch);
    learn_row(self, state, row, y, weight, scratch);
    return output;
}

static void refresh(const AnbNode *self, void *state, double factor)
{
    AnbRls rls = rls_of(self);
    anb_rls_refresh(&rls, anb_field(self, state, RLS), factor);
}

static const AnbWrapperTable wrapper = {.child = anb_asks_but_ranks};

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const Season *s = state;
    if (!anb_range_valid(&s->range))
        return anb_fail(error, ANB_E_STATE, "season: the target range is not ordered");
    if (!anb_error_size_counts(s->seen))
        return anb_fail(error, ANB_E_STATE, "season: %g rows", s->seen);
    const AnbLags lags = lags_of(self, state);
    if (!anb_lags_valid(&lags, longest(self)))
        return anb_fail(error, ANB_E_STATE, "season: a lag or a number of the search for one is out of range");
    return 0;
}

const StreamingLearnerType anb_season = {
    .name = "season",
    .brief = "corrects a learner by the target one period earlier",
    .example = "season(scale(linear), longest=32)",
    .options_size = sizeof(AnbSeasonOptions),
    .params = params,
    .flags = ANB_SEEDLESS | ANB_SIZED_OPTIONS | ANB_TAKES_MISSING | ANB_WEIGHT_SCALED | ANB_READS_OLDER | ANB_CLIPPED |
             ANB_SINCE_0_3,
    .version = 3, /* started at 2: parts (src/numeric) read layout 1 as that of release 0.1 */
    .min_children = 1,
    .max_children = 1,
    .fields = fields,
    .scratch = scratch_fields,
    .init = init,
    .predict = predict,
    .predict_many = predict_many,
    .update = update,
    .step = step,
    .refresh = refresh,
    .wrapper = &wrapper,
    .validate = validate,
};
