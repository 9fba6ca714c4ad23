/*
 * The preset `auto`: a mixture chosen for the microseconds that a sample may cost and the number of features.
 *
 *     auto(budget=20) -> scale(moe(mean, rls(lambda=0.9998, walk=0.02), ..., router=blend))
 *
 * The table below lists every expert with the budgets and the widths it is used at; nothing is fitted to a stream. Linear
 * experts of several memories follow drifts, networks and maps smooth surfaces, trees and neighbours the rest; each family
 * that a budget can pay for is there, since the gate loses little by one expert more. The budgets are microseconds a
 * sample on one core at 12 features; other widths cost in proportion, and quadratic experts leave as rows get wide.
 */
#include <anabranch/learners.h>
#include <stdio.h>

typedef struct Choice {
    const char *expert;
    int from, to;    /* budgets */
    size_t widest;   /* features */
} Choice;

enum { FIVE = 5, TWENTY = 20, FIFTY = 50, HUNDRED = 100, ALL = HUNDRED };
static const size_t ANY = SIZE_MAX;

static const Choice choices[] = {
    {"mean", FIVE, ALL, ANY},
    {"linear(normalized=true)", FIVE, ALL, ANY},
    {"rls(lambda=0.9998, walk=0.02)", FIVE, ALL, 200},
    {"rls(lambda=0.9998, walk=0.2)", FIVE, ALL, 200},
    {"rls(lambda=0.98)", FIVE, ALL, 100},
    {"mlp", FIVE, TWENTY, ANY},
    {"mlp(hidden=64, rate=0.01, replay=8)", FIVE, ALL, 1000},
    {"poly(rls(lambda=0.9998, walk=0.2))", TWENTY, ALL, 16},
};

static const AnbParam params[] = {
    {"budget", ANB_COUNT, offsetof(AnbAutoOptions, budget), 20, 5, 1e6, 0, NULL,
     "microseconds a sample: 5, 20, 50 or 100; what lies between counts as the lower one"},
    {"lags", ANB_COUNT, offsetof(AnbAutoOptions, lags), 0, 0, 1, 0, NULL,
     "1: past targets are inputs, for streams whose targets are known by the next row"},
    {0}};

AnbAutoOptions anb_auto_defaults(void)
{
    AnbAutoOptions options;
    anb_options_defaults(&anb_auto, &options);
    return options;
}

static int level_of(int budget)
{
    return budget >= HUNDRED ? HUNDRED : budget >= FIFTY ? FIFTY : budget >= TWENTY ? TWENTY : FIVE;
}

static int expand(const void *given, size_t n_features, char *text, size_t size, AnbError *error)
{
    const AnbAutoOptions *options = given;
    int budget = level_of(options->budget);
    size_t at = (size_t)snprintf(text, size, "%sscale(moe(", options->lags ? "lags(" : "");
    for (size_t i = 0; i < sizeof choices / sizeof *choices && at < size; i++) {
        const Choice *c = &choices[i];
        if (budget >= c->from && budget <= c->to && n_features <= c->widest)
            at += (size_t)snprintf(text + at, size - at, "%s, ", c->expert);
    }
    if (at < size)
        at += (size_t)snprintf(text + at, size - at, "%srouter=blend%s))%s", options->lags ? "last, " : "",
                               budget > FIVE ? "(wide=true)" : "", options->lags ? ")" : "");
    return at < size ? 0 : anb_fail(error, ANB_E_LIMIT, "auto: the expression is longer than %zu bytes", size);
}

const StreamingLearnerType anb_auto = {
    .name = "auto",
    .brief = "a mixture chosen for a budget of microseconds a sample",
    .example = "auto(budget=5)",
    .options_size = sizeof(AnbAutoOptions),
    .params = params,
    .flags = ANB_READS_X | ANB_READS_RAW | ANB_TAKES_MISSING | ANB_WEIGHT_SCALED | ANB_CLIPPED,
    .version = 1,
    .expand = expand,
};
