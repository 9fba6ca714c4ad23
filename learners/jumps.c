/*
 * jumps(child): after a jump of the target, estimates whether the new level will last.
 *
 *     f, e = y - f     the child's prediction and its error; ' is the row before, '' the one before that
 *     m                the usual size of e (src/numeric/error_size.h); an error or a difference beyond 8 m is far
 *     d = y' - f       where e' and y' - f are far and of one sign, limited to |e'|; else 0
 *     output = f + g d
 *
 * A row after a jump (d not 0) is of one of three kinds:
 *
 *     sure       e'' and y'' - f are far to the same side as well, and |y' - y''| < |y' - f| / 4
 *     return     the error before was as far, to the other side: it may be the way back from a wrong number
 *     new        all others
 *
 * A jump that is not sure is followed no further than the range, widened by a tenth, of the targets after which the
 * next target did not come back by half of their error.
 *
 * Each kind has a factor g of its own, learned from what came after such jumps before:
 *
 *     r = (y - f) / d within -1 to 2     n, S, Q: sums of one, r, r^2, discounted by .98 a row with d
 *     a = (S + p) / (n + 1) within 0 to 1     v = (Q + p^2 + .1) / (n + 1) - a^2
 *     g = a - v / (2 a (n + 1)), at least 0
 *     p = 1 - sqrt(R - 1) within 0 to 1     R = mean (y - y')^2 / mean e^2 of rows whose e is not far, rate .002
 *
 * p is the prior of r: the gain of a local-level model whose first differences have R times the variance of the child's
 * errors (with innovation i and gain k they are i_t - (1 - k) i_{t-1}). A target that its features explain has R >= 2,
 * hence p = 0: a jump is not followed before one has been seen to stay. For a random walk p is near 1. Where the last
 * two targets are equal and both jumped (SURE), p is 0, since sentinels repeat.
 *
 * The child learns as without this node; in the first 20 rows the output is the child's. Past targets are inputs: use
 * it where they are known by the time of the next row.
 *
 * State: a range, 17 numbers. Cost: about 60 instructions.
 * Harvey 1989, Forecasting, Structural Time Series Models (local level). Constants chosen on the streams of
 * docs/accuracy.md.
 */
#include "src/numeric/error_size.h"
#include "src/numeric/moments.h"
#include <anabranch/learners.h>
#include <anabranch/reach.h>

enum { FIRST = 20 }; /* rows */
static const double FAR = 8, SLOW = 0.002, BOUND = 6, FADE = 0.98;

/* The kinds new, sure and return. */
typedef enum Kind { NEW, SURE, BACK, KINDS } Kind;

/* Statistics of the rows after jumps of one kind. */
typedef struct Past {
    double rows, sum, square; /* n, S, Q */
} Past;

typedef struct Jumps {
    AnbRange trusted;
    double seen, scale;           /* rows, m */
    double error, error_before;   /* e', e'' */
    double target, target_before; /* y', y'' */
    double moved, missed;         /* means of (y - y')^2 and e^2, in units of m */
    Past past[KINDS];
} Jumps;

static const AnbField past_fields[] = {{ANB_MEMBER(Past, rows), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                       {ANB_MEMBER(Past, sum), .must = ANB_FINITE},
                                       {ANB_MEMBER(Past, square), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                       {0}};

static const AnbField members[] = {{ANB_INNER(Jumps, trusted, AnbRange, anb_range_fields)},
                                   {ANB_MEMBER(Jumps, seen), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_MEMBER(Jumps, scale), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_MEMBER(Jumps, error), .must = ANB_FINITE},
                                   {ANB_MEMBER(Jumps, error_before), .must = ANB_FINITE},
                                   {ANB_MEMBER(Jumps, target), .must = ANB_FINITE},
                                   {ANB_MEMBER(Jumps, target_before), .must = ANB_FINITE},
                                   {ANB_MEMBER(Jumps, moved), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_MEMBER(Jumps, missed), .must = ANB_FINITE | ANB_NOT_NEGATIVE},
                                   {ANB_INNER(Jumps, past, Past, past_fields)},
                                   {0}};

static const AnbField fields[] = {{ANB_STRUCT(Jumps, members)}, {0}};

/* What predict leaves for update: the child's prediction, d, the kind of jump. */
typedef struct Sample {
    double f, step;
    Kind kind;
} Sample;
static const AnbField scratch_fields[] = {{ANB_SCRATCH_STRUCT(Sample)}, {0}};

/* Whether both are far, with the same sign. */
static bool far_off(const Jumps *s, double error, double gap)
{
    double least = FAR * s->scale;
    return fabs(error) > least && fabs(gap) > least && (error > 0) == (gap > 0);
}

/* p */
static double persistence(const Jumps *s)
{
    double ratio = s->missed > 0 ? s->moved / s->missed : 2;
    return ratio < 1 ? 1 : ratio < 2 ? 1 - sqrt(ratio - 1) : 0;
}

/* g of a kind of jumps. */
static double share_of(const Past *past, double p)
{
    double n = past->rows + 1, a = anb_clamp((past->sum + p) / n, 0, 1);
    double v = (past->square + p * p + 0.1) / n - a * a, g = a > 0 ? a - v / (2 * a * n) : 0;
    return g > 0 ? g : 0;
}

static Kind kind_of(const Jumps *s, double f)
{
    bool same_side = (s->error > 0) == (s->error_before > 0);
    if (fabs(s->error_before) <= FAR * s->scale)
        return NEW;
    if (!same_side)
        return BACK;
    bool close = fabs(s->target - s->target_before) < 0.25 * fabs(s->target - f);
    return close && far_off(s, s->error_before, s->target_before - f) ? SURE : NEW;
}

/* The output after a far error. */
static double after_jump(const Jumps *s, double f, Sample *sample)
{
    double gap = s->target - f;
    if (!far_off(s, s->error, gap))
        return f;
    Kind kind = kind_of(s, f);
    bool same = kind == SURE && s->target == s->target_before;
    double step = kind == SURE ? gap : anb_range_clip(&s->trusted, s->target) - f;
    step = (step > 0) == (gap > 0) ? anb_clip(step, fabs(s->error)) : 0;
    *sample = (Sample){f, step, kind};
    return anb_within_doubles(f + share_of(&s->past[kind], same ? 0 : persistence(s)) * step);
}

static double answer(const Jumps *s, double f, Sample *sample)
{
    *sample = (Sample){f, 0, NEW};
    bool quiet = s->seen < FIRST || !(s->scale > 0) || fabs(s->error) <= FAR * s->scale;
    return quiet ? f : after_jump(s, f, sample);
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    double f = anb_child_predict(self, 0, state, row, scratch);
    return answer(state, f, (Sample *)scratch);
}

static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    anb_child_predict_many(self, 0, state, rows, scratch, out);
    for (size_t i = 0; i < rows->n; i++)
        out[i] = answer(state, out[i], (Sample *)scratch);
}

static void learn_jump(Past *past, double r)
{
    r = anb_clamp(r, -1, 2);
    past->rows = FADE * past->rows + 1;
    past->sum = FADE * past->sum + r;
    past->square = FADE * past->square + r * r;
}

/* Adds the target before this one to the range, unless it was far off and this one came back. */
static void trust(Jumps *s, double y)
{
    AnbRange *range = &s->trusted;
    double half = anb_range_half(range);
    if (s->seen > FIRST && fabs(s->error) > FAR * s->scale && fabs(y - s->target) >= 0.5 * fabs(s->error))
        return;
    range->low += 0x1p-15 * half; /* narrows as followed ranges do: moments.h */
    range->high -= 0x1p-15 * half;
    anb_range_add(range, s->target);
}

static double square_within(double v, double unit)
{
    double u = anb_clip(v / unit, BOUND);
    return u * u;
}

/* The sizes of errors and of changes, in rows without a jump. n: errors before. */
static void follow_sizes(Jumps *s, double e, double change, double n)
{
    double rate = 1 / (n + 1);
    rate = rate > SLOW ? rate : SLOW;
    if (s->scale > 0 && fabs(e) <= FAR * s->scale) {
        s->moved += rate * (square_within(change, s->scale) - s->moved);
        s->missed += rate * (square_within(e, s->scale) - s->missed);
    }
    s->scale = anb_error_size_next(s->scale, e, n);
}

static void learn(const AnbNode *self, Jumps *s, const AnbRow *row, const Sample *sample, double y)
{
    double e = y - sample->f;
    if (!(fabs(e) < 0x1p1000)) {
        anb_node_reset_own(self, s);
        anb_restart_part(row); /* only this node, not the child */
        return;
    }
    if (sample->step != 0)
        learn_jump(&s->past[sample->kind], e / sample->step);
    if (s->seen > 0) {
        trust(s, y);
        follow_sizes(s, e, y - s->target, s->seen - 1);
    }
    s->error_before = s->error;
    s->error = s->seen > 0 ? e : 0; /* the first prediction was made without any target */
    s->target_before = s->target;
    s->target = y;
    s->seen += s->seen < 0x1p53;
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    const Sample sample = *(const Sample *)scratch;
    learn(self, state, row, &sample, y);
    anb_child_update(self, 0, state, row, y, weight, scratch);
}

static double step(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    Sample *sample = (Sample *)scratch;
    double output = answer(state, anb_child_step(self, 0, state, row, y, weight, scratch), sample);
    learn(self, state, row, sample, y);
    return output;
}

static const AnbWrapperTable wrapper = {.child = anb_asks_but_ranks};

static int validate(const AnbNode *self, const void *state, AnbError *error)
{
    const Jumps *s = state;
    (void)self;
    if (!anb_range_valid(&s->trusted))
        return anb_fail(error, ANB_E_STATE, "jumps: the target range is not ordered");
    if (!anb_error_size_counts(s->seen))
        return anb_fail(error, ANB_E_STATE, "jumps: %g rows", s->seen);
    return 0;
}

const StreamingLearnerType anb_jumps = {
    .name = "jumps",
    .brief = "follows jumps of the target, as far as earlier jumps have lasted",
    .example = "jumps(scale(linear))",
    .flags = ANB_COMPACT | ANB_SEEDLESS | ANB_TAKES_MISSING | ANB_WEIGHT_SCALED | ANB_CLIPPED | ANB_SINCE_0_3,
    .version = 1,
    .min_children = 1,
    .max_children = 1,
    .fields = fields,
    .scratch = scratch_fields,
    .predict = predict,
    .predict_many = predict_many,
    .update = update,
    .step = step,
    .wrapper = &wrapper,
    .validate = validate,
};
