/*
 * residual(a, b): b learns the residual of a.
 *
 *     f(x) = a(x) + b(x)      a learns (x, y)      b learns (x, y - a(x)), a(x) from before it learned, unclipped
 *
 * Useful on trends and times of day, where a quick linear model follows the level and a slow learner the shape. On
 * stationary streams b alone is better: in a mixture put this expert beside b, not in its place.
 *
 * State: none of its own. Scratch: a(x). Cost: both children and two additions, whose sums stay within the doubles.
 * Boosting of residuals in one stage: Friedman 2001, Greedy function approximation.
 */
#include "src/numeric/moments.h"
#include <anabranch/learners.h>
#include <anabranch/reach.h>

enum { A, B };

/* a(x). */
static const AnbField scratch_fields[] = {{.name = "first", .kind = ANB_F64, .fixed = 1}, {0}};

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    scratch[0] = anb_child_predict(self, A, state, row, scratch);
    return anb_within_doubles(scratch[0] + anb_child_predict(self, B, state, row, scratch));
}

static void predict_many(const AnbNode *self, const void *state, const AnbRows *rows, double *scratch, double *out)
{
    double first[ANB_ROWS];
    anb_child_predict_many(self, A, state, rows, scratch, first);
    anb_child_predict_many(self, B, state, rows, scratch, out);
    for (size_t i = 0; i < rows->n; i++)
        out[i] = anb_within_doubles(first[i] + out[i]);
}

/* The row for each child, with an outcome of its own. The node counts as restarted where both children restart. */
typedef struct Pair {
    AnbOutcome outcome[2];
    AnbRow row[2];
} Pair;

static void split(Pair *pair, const AnbRow *row)
{
    for (int i = A; i <= B; i++) {
        pair->outcome[i].restarted = false;
        pair->row[i] = *row;
        pair->row[i].outcome = &pair->outcome[i];
    }
}

static void report(const Pair *pair, const AnbRow *row)
{
    if (row->outcome && pair->outcome[A].restarted && pair->outcome[B].restarted)
        row->outcome->restarted = true;
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    Pair pair;
    split(&pair, row);
    anb_child_update(self, A, state, &pair.row[A], y, weight, scratch);
    anb_child_update(self, B, state, &pair.row[B], anb_within_doubles(y - scratch[0]), weight, scratch);
    report(&pair, row);
}

static double step(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    Pair pair;
    split(&pair, row);
    double first = anb_child_step(self, A, state, &pair.row[A], y, weight, scratch);
    double rest = anb_within_doubles(y - first);
    double sum = first + anb_child_step(self, B, state, &pair.row[B], rest, weight, scratch);
    report(&pair, row);
    return anb_within_doubles(sum);
}

/* For most capabilities b's table is used, since b learns the final residual, or else a's; a mixture is searched in a
 * first. */
static size_t asked(const AnbNode *self, AnbCapability what)
{
    if (what == ANB_CAN_RANK || what == ANB_CAN_FORESEE)
        return self->n_children;
    if (what == ANB_CAN_MIX)
        return anb_node_can(&self->children[A], what) ? A : B;
    return anb_node_can(&self->children[B], what) ? B : A;
}

/* The shares of a, which learns the target. b learns the residual of a; while a lags behind a drift, that depends on
 * the time even if the target does not. */
static int shares(const AnbNode *self, const void *state, double *share)
{
    return anb_child_importance(self, A, state, share);
}

static const AnbWrapperTable wrapper = {.child = asked};
static const AnbImportanceTable importance = {shares};

static bool add_up(const AnbNode *self, const void *state, const AnbPair *pair, double share, AnbShapleySum *out)
{
    AnbShapleySum first = {out->phi, 0, 0};
    if (!anb_child_split(self, A, state, pair, share, &first) || !anb_child_split(self, B, state, pair, share, out))
        return false;
    out->low += first.low;
    out->high += first.high;
    return out->high - out->low < (double)INFINITY;
}

static const AnbShapleyTable shapley = {add_up};

const StreamingLearnerType anb_residual = {
    .name = "residual",
    .brief = "the second child learns the residual of the first",
    .example = "residual(linear, linear(normalized=true))",
    .flags = ANB_COMPACT | ANB_SEEDLESS | ANB_TAKES_MISSING | ANB_WEIGHT_SCALED | ANB_SINCE_0_3,
    .version = 1,
    .min_children = 2,
    .max_children = 2,
    .scratch = scratch_fields,
    .predict = predict,
    .predict_many = predict_many,
    .update = update,
    .step = step,
    .wrapper = &wrapper,
    .shapley = &shapley,
    .importance = &importance,
};
