/*
 * residual(a, b): b learns what a left over.
 *
 *     f(x) = a(x) + b(x)      a learns (x, y)      b learns (x, y - a(x)), a(x) from before it learned, unclipped
 *
 * Good on trends and times of day, where a quick linear model follows the level and a slow one the shape; on stationary
 * streams b alone is better: it stands beside its b, never instead of it.
 *
 * State: none of its own. Scratch: a(x). Cost: both children, two additions, whose sums stay within the doubles.
 * Boosting of residuals in one stage: Friedman 2001, Greedy function approximation.
 */
#include "src/numeric/moments.h"
#include <anabranch/learners.h>

enum { A, B };

static AnbNeed need(const AnbNode *self)
{
    (void)self;
    return (AnbNeed){0, 1};
}

static double predict(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    scratch[0] = anb_child_predict(self, A, state, row, scratch);
    return anb_within_doubles(scratch[0] + anb_child_predict(self, B, state, row, scratch));
}

static void update(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    anb_child_update(self, A, state, row, y, weight, scratch);
    anb_child_update(self, B, state, row, anb_within_doubles(y - scratch[0]), weight, scratch);
}

static double step(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    double first = anb_child_step(self, A, state, row, y, weight, scratch);
    return anb_within_doubles(first +
                              anb_child_step(self, B, state, row, anb_within_doubles(y - first), weight, scratch));
}

/* What b knows is nearer to the whole: its spread is the sum's, its importances are of what a could not say. */
static int query(const AnbNode *self, const void *state, const AnbRow *row, double *scratch, AnbQuery what, void *out)
{
    int code = anb_child_query(self, B, state, row, scratch, what, out);
    return code == ANB_E_UNSUPPORTED ? anb_child_query(self, A, state, row, scratch, what, out) : code;
}

const StreamingLearnerType anb_residual = {
    .name = "residual",
    .brief = "the second child learns what the first leaves over",
    .example = "residual(linear, linear(normalized=true))",
    .flags = ANB_TAKES_MISSING | ANB_WEIGHT_SCALED,
    .version = 1,
    .min_children = 2,
    .max_children = 2,
    .need = need,
    .predict = predict,
    .update = update,
    .step = step,
    .query = query,
};
