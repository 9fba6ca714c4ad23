/*
 * The preset `auto`: a mixture chosen for the microseconds that a sample may cost and the number of features.
 *
 *     auto(budget=5) -> guard(scale(refine(moe(mean, linear(normalized=true), ..., router=stack), mlp)))
 *
 * The table below lists every expert with the budgets and the widths it is used at; nothing is fitted to a stream.
 * Linear experts of several memories follow drifts, networks find smooth surfaces, boosted trees steps and products,
 * neighbours what is local, and one on the residuals of a quick linear model times of day; a gate loses little by one expert more.
 * The stage behind the mixture finds where which of them is right, and the guard keeps it all near the mean where
 * nothing is to be found. The budgets are microseconds a sample on one core at 12 features, with a quarter to spare;
 * other widths cost in proportion: boosted trees get more work beyond 40 features, and what is quadratic in the width
 * leaves as rows get wide.
 *
 * Where a target is known by the next row, the past ones are inputs: residual_ar around the whole, around the mean and
 * around a linear model. Each is its child to the bit until its own test finds that the last targets help, so a stream
 * in random order costs next to nothing and persistence is at hand where it is right.
 */
#include <anabranch/learners.h>
#include <stdio.h>
#include <string.h>

typedef struct Choice {
    const char *expert;
    int from, to;      /* budgets */
    size_t widest;     /* features */
    double work;       /* of boosted trees on a sample, at up to NARROW features: stands for WORK in the text */
    const char *known; /* in its place where past targets are known; NULL: itself */
} Choice;

#define FOLLOWING "rls(lambda=0.9998, walk=0.2)"
#define WITH_PAST(expert) "residual_ar(" expert ", last=true)"
#define BOOSTED_REST(first) "residual(" first ", sgbt(trees=40, rate=0.15, budget=WORK))"

enum { FIVE = 5, TWENTY = 20, FIFTY = 50, HUNDRED = 100, ALL = HUNDRED };
static const size_t ANY = SIZE_MAX;
static const double NARROW = 40, MOST_WORK = 8; /* wider rows get more work in proportion, up to so many times */

static const Choice choices[] = {
    {"mean", FIVE, ALL, ANY, .known = WITH_PAST("mean")},
    {"linear(normalized=true)", FIVE, ALL, ANY},
    {"rls(lambda=0.9998, walk=0.02)", FIFTY, ALL, 64},
    {FOLLOWING, FIVE, FIVE, 300, .known = WITH_PAST(FOLLOWING)},
    {FOLLOWING, TWENTY, ALL, 400, .known = WITH_PAST(FOLLOWING)},
    {"rls(lambda=0.98)", FIVE, ALL, 64},
    {"poly(" FOLLOWING ")", FIFTY, ALL, 16},
    {"mlp(hidden=32, replay=4)", FIVE, FIVE, ANY},
    {"mlp(hidden=64, replay=8)", TWENTY, ALL, ANY},
    {"mlp(hidden=128, replay=16)", FIFTY, ALL, 256},
    {"sgbt(trees=20, rate=0.3, budget=WORK)", FIVE, FIVE, ANY, 1000},
    {"sgbt(window=2048, depth=4, budget=WORK)", TWENTY, TWENTY, ANY, 2000},
    {"sgbt", FIFTY, FIFTY, ANY},
    {"sgbt(window=16384, trees=200, rate=0.05, budget=WORK)", HUNDRED, ALL, 256, 8000},
    {BOOSTED_REST(FOLLOWING), TWENTY, ALL, 200, 2000, BOOSTED_REST(WITH_PAST(FOLLOWING))},
    {"forest", FIFTY, ALL, 128},
    {"extra_trees(time=false)", HUNDRED, ALL, 256},
    {"residual(" FOLLOWING ", extra_trees)", HUNDRED, ALL, 200},
    {"knn", TWENTY, TWENTY, 128},
    {"knn(window=8000)", FIFTY, ALL, 128},
    {"residual(" FOLLOWING ", knn)", HUNDRED, ALL, 64},
};

typedef struct Level {
    int budget;
    const char *router, *stage; /* the gate, and what refines the mixture */
} Level;

static const Level levels[] = {
    {FIVE, "stack", "mlp"},
    {TWENTY, "blend", "mlp(hidden=32, replay=4)"},
    {FIFTY, "blend", "mlp(hidden=32, replay=4)"},
    {HUNDRED, "blend(wide=true)", "mlp(hidden=32, replay=4), sgbt(trees=40, rate=0.15, budget=2000)"}};

static const AnbParam params[] = {
    {"budget", ANB_COUNT, offsetof(AnbAutoOptions, budget), 20, 5, 1e6, 0, NULL,
     "microseconds a sample: 5, 20, 50 or 100; what lies between counts as the lower one"},
    {"lags", ANB_BOOL, offsetof(AnbAutoOptions, lags), 1, 0, 1, 0, NULL,
     "past targets are inputs where they help; not below pending, nor where labels come late"},
    {0}};

/* The richest level that the budget pays for. */
static const Level *level_of(int budget)
{
    const Level *level = levels;
    for (size_t i = 1; i < sizeof levels / sizeof *levels; i++)
        if (levels[i].budget <= budget)
            level = &levels[i];
    return level;
}

/* A tree takes work in proportion to the features: at the same work a sample, wide rows would get fewer trees. */
static double work_of(const Choice *choice, size_t n_features)
{
    double times = (double)n_features / NARROW;
    return choice->work * (times < 1 ? 1 : times > MOST_WORK ? MOST_WORK : times);
}

/* Writes ", " behind the expert. Returns the bytes that it takes. */
static size_t write_expert(const Choice *choice, bool past, size_t n_features, char *out, size_t size)
{
    const char *expert = past && choice->known ? choice->known : choice->expert, *mark = strstr(expert, "WORK");
    if (!mark)
        return (size_t)snprintf(out, size, "%s, ", expert);
    return (size_t)snprintf(out, size, "%.*s%.0f%s, ", (int)(mark - expert), expert, work_of(choice, n_features),
                            mark + 4);
}

static int write(const AnbAutoOptions *options, bool past, size_t n_features, char *text, size_t size, AnbError *error)
{
    const Level *level = level_of(options->budget);
    size_t at = (size_t)snprintf(text, size, "%sguard(scale(refine(moe(", past ? "residual_ar(" : "");
    for (size_t i = 0; i < sizeof choices / sizeof *choices && at < size; i++) {
        const Choice *c = &choices[i];
        if (level->budget >= c->from && level->budget <= c->to && n_features <= c->widest)
            at += write_expert(c, past, n_features, text + at, size - at);
    }
    if (at < size)
        at += (size_t)snprintf(text + at, size - at, "router=%s), %s)))%s", level->router, level->stage,
                               past ? ", last=true)" : "");
    return at < size ? 0 : anb_fail(error, ANB_E_LIMIT, "auto: the expression is longer than %zu bytes", size);
}

static int expand(const void *given, size_t n_features, char *text, size_t size, AnbError *error)
{
    const AnbAutoOptions *options = given;
    return write(options, options->lags, n_features, text, size, error);
}

static int expand_late(const void *given, size_t n_features, char *text, size_t size, AnbError *error)
{
    return write(given, false, n_features, text, size, error);
}

const StreamingLearnerType anb_auto = {
    .name = "auto",
    .brief = "a mixture chosen for a budget of microseconds a sample",
    .example = "auto(budget=5)",
    .options_size = sizeof(AnbAutoOptions),
    .params = params,
    .flags = ANB_SIZED_OPTIONS | ANB_READS_X | ANB_READS_RAW | ANB_TAKES_MISSING | ANB_WEIGHT_SCALED | ANB_CLIPPED,
    .version = 1,
    .expand = expand,
    .expand_late = expand_late,
};
