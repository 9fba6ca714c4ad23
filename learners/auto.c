/*
 * The preset `auto`: a mixture chosen by the microseconds that a sample may cost and by the number of features.
 *
 *     auto(budget=5) -> jumps(season(residual_ar(guard(scale(refine(moe(rls(delta=0.3, level=100), ..., router=stack),
 *                       additive))), last=true)))
 *
 * The table below lists every expert with the budgets and the widths it is used at. Nothing is fitted to a stream. A
 * budget is in microseconds a sample on one core at 12 features; the cost at other widths grows at most in proportion.
 *
 * Experts and what each is for:
 *
 *     linear models of several memories   drifts; small prior slopes and a free level: right within some ten rows
 *     curves and tables of pairs          what single features and pairs do, within hundreds of rows
 *     networks                            smooth surfaces; at 50 and 100 of different units, one on products
 *     boosted trees                       steps and products; at 50 and 100 also with past targets as features, by
 *                                         Huber's loss, for errors with long tails
 *     neighbours                          local structure; from 20 on also with eight past targets as features: what
 *                                         followed when the last targets were like the present ones
 *
 * Most networks share steps among rows (every in mlp.c): a step of Adam costs more than the rows in it, and the first
 * steps matter most. Fewer steps lose on smooth streams without noise; curved units (hardgelu: the errors of gelu, in
 * little more than the time of leaky units) and the mean gradient of some two steps (momentum=0.5) make up for part of
 * that. 20 has gelu: with hardgelu wrong cells cost it .5 % more. Where shared steps lose more, networks have a step a
 * row: those of wide rows and, at 100, the one on products.
 *
 * Each further expert costs a little accuracy in the first hundreds of rows; each one here gained more than that.
 *
 * Around the mixture: `refine` finds in which part of the space which expert is right; `guard` keeps the prediction
 * near the mean where no expert predicts better. Budgets 1 and 2 have neither. From 20 on the guard also weighs the
 * mixture against a linear model, the mean and the last target, which may be right before the mixture has learned it.
 * The linear model sees features with their tails: where the target is linear in them, one row far out tells more than
 * all others.
 *
 * Rows of 48 to 256 features: one expert is a mixture of up to 12 selected features, since every column of noise costs
 * accuracy in every learner of all features. Beyond 40 features boosted trees get more work; experts whose cost is
 * quadratic in the width are left out of wide rows.
 *
 * Past targets are inputs, for streams whose targets are known by the next row: `residual_ar` around the whole and,
 * from a budget of 5 on, around the mean and a linear model; a budget of 1 has the last target as an expert. `season`,
 * from a budget of 2 on, finds periods; `jumps` follows a level that has jumped. Each passes its child's prediction on
 * unchanged until its own test shows that past targets help, so that a stream in random order loses next to nothing.
 * What a past target says may depend on the row: from 5 on curves, tables and the second stage see past targets besides
 * their features, from 20 on products and neighbours do, and from 50 on networks and boosted trees do, next to others
 * that do not.
 */
#include "additive.h"
#include "src/numeric/clip.h"
#include <anabranch/learners.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct Choice {
    const char *expert; /* NULL: none */
    int from, to;       /* budgets that have it */
    size_t widest;      /* most features of rows that have it */
    double work;        /* replaces WORK in the text: work of boosted trees a sample, at up to NARROW features */
    const char *known;  /* replaces it where past targets are known; NULL: the same */
    size_t beyond;      /* only rows of more features than this have it */
} Choice;

#define FOLLOWING "rls(lambda=0.9998, delta=1, level=100, walk=0.2)"
#define PRODUCTS "poly(rls(lambda=0.9998, walk=0.2, precision=single))"
#define LAGGED(expert) "past(" expert ", lags=3)"
#define WITH_PAST(expert) "residual_ar(" expert ", last=true)"
#define REST_TREES "sgbt(trees=40, rate=0.15, budget=WORK)"
#define BOOSTED_REST(first) "residual(" first ", " REST_TREES ")"
#define PAST_REST(first) "residual(" first ", " LAGGED(REST_TREES) ")"
#define TREES(work, more) "sgbt(window=8192, trees=100, rate=0.1, budget=" work more ")"
#define SINGLE(options) "mlp(" options ", precision=single)"
#define CURVED ", activation=hardgelu"
#define SMALL_NETWORK(more, rows)                                                                                      \
    SINGLE(more "momentum=0.5, replay=" #rows ", every=16, rate=0.015, memory=1000" CURVED)
#define NETWORK(units, steps, more) SINGLE("hidden=" #units ", " steps ", memory=16000" more)
#define EACH_ROW "replay=32"
#define FOURTH_ROW "replay=64, every=4, rate=0.015, momentum=0.5"
#define CURVED_NETWORK NETWORK(64, FOURTH_ROW, CURVED)
#define GATED_NETWORK NETWORK(64, FOURTH_ROW, ", activation=swiglu")
#define PRODUCT_NETWORK(steps)                                                                                         \
    "poly(" SINGLE(steps ", memory=16000, activation=swiglu, rate=0.03, momentum=0.5") ", least=3.5)"
#define PAST_NEIGHBOURS(more) "past(knn(window=2000, coarse=4" more "), lags=8)"
#define DEEP_TREES "sgbt(window=16384, trees=100, depth=6, rate=0.1, budget=WORK, loss=huber)"

enum { ONE = 1, TWO = 2, FIVE = 5, TWENTY = 20, FIFTY = 50, HUNDRED = 100, ALL = HUNDRED };
static const size_t ANY = SIZE_MAX;
static const double NARROW = 40, MOST_WORK = 8; /* wider rows get more work in proportion, up to so many times */

/* Rows of up to NEAR features have linear models of several memories; wider ones the normalised linear rule instead.
 * Where rows are narrow, networks cost less: budgets 1 and 2 give those of up to SLIM features twice the units. */
enum { SLIM = 8, NEAR = 64 };
enum { MULTIPLIED = 20 }; /* features of which products are made, at most */

/* Rows of up to so many features have a window of 8,000 neighbours at budget 20, found by codes of four features, as at
 * 50 and 100. With more features reading so many rows takes too long at 20, and four features are too few to find near
 * rows. */
enum { LONG_MEMORY = 24 };

/* Among more than CLEAR features many may be irrelevant to the target: the mixture is then below `sift`, up to SIFTED
 * features. */
enum { CLEAR = 20, SIFTED = 256 };

/* Rows of more than NARROWER features, up to SIFTED, where the level has a second stage: one expert is a mixture on
 * CHOSEN selected features, the one that auto would make of rows so narrow. The time for it is what rows so wide may
 * cost more than narrow ones. The linear model whose memory is shorter than the number of features is left out, and the
 * network of all features replays fewer rows. */
enum { CHOSEN = 12, NARROWER = 47 };

/* Rows of more than CACHED features read so many tables of pairs that the cache does not hold them: at 3,000 features
 * that took twice what budget 5 allows. Up to a budget of 5 such rows have one table a feature, of the strongest
 * features. */
enum { CACHED = 1000 };

static const Choice choices[] = {
    {"mean", TWENTY, ALL, ANY, .known = WITH_PAST("mean")},
    {"linear(normalized=true)", ONE, ALL, ANY, .beyond = NEAR},
    {NULL, ONE, ONE, ANY, .known = "last"},
    {FOLLOWING, ONE, TWO, 256},
    {FOLLOWING, FIVE, ALL, 400, .known = WITH_PAST(FOLLOWING)},
    {"rls(delta=0.3, level=100)", FIVE, ALL, NEAR},
    {"rls(lambda=0.98, surprise=2)", TWO, TWO, NEAR},
    {"rls(lambda=0.98, surprise=2)", FIVE, ALL, NARROWER},
    {PRODUCTS, TWENTY, ALL, MULTIPLIED, .known = "past(" PRODUCTS ")"},
    {SMALL_NETWORK("hidden=32, ", 10), ONE, ONE, SLIM},
    {SMALL_NETWORK("", 10), ONE, ONE, NEAR, .beyond = SLIM},
    {SMALL_NETWORK("hidden=32, ", 20), TWO, TWO, SLIM},
    {SMALL_NETWORK("", 20), TWO, TWO, ANY, .beyond = SLIM},
    {SINGLE("hidden=64, replay=48, every=6, momentum=0.5" CURVED), FIVE, FIVE, NARROWER},
    {SINGLE("hidden=64, replay=5"), FIVE, FIVE, 256, .beyond = NARROWER},
    {SINGLE("hidden=32, replay=4"), FIVE, FIVE, ANY, .beyond = 256},
    {SINGLE("hidden=48, replay=48, every=4, rate=0.015, momentum=0.5, memory=6000, activation=gelu"), TWENTY, TWENTY,
     256},
    {SINGLE("hidden=64, replay=8"), TWENTY, TWENTY, ANY, .beyond = 256},
    {NETWORK(128, EACH_ROW, CURVED), FIFTY, FIFTY, NARROWER, .beyond = MULTIPLIED},
    {SINGLE("hidden=128, replay=12, memory=16000" CURVED), FIFTY, FIFTY, 256, .beyond = NARROWER},
    {NETWORK(128, FOURTH_ROW, CURVED), HUNDRED, ALL, 256},
    {PRODUCT_NETWORK("replay=48, every=4"), FIFTY, FIFTY, MULTIPLIED},
    {CURVED_NETWORK, FIFTY, FIFTY, 256, .known = LAGGED(CURVED_NETWORK)},
    {GATED_NETWORK, HUNDRED, ALL, 256, .known = LAGGED(GATED_NETWORK)},
    {PRODUCT_NETWORK("replay=24"), HUNDRED, ALL, MULTIPLIED},
    {NETWORK(128, EACH_ROW, ""), HUNDRED, ALL, 256, .beyond = MULTIPLIED},
    {SINGLE("hidden=64, replay=8"), HUNDRED, ALL, ANY, .beyond = 256},
    {"additive(cells=24, pairs=3)", ONE, ONE, CACHED},
    {"additive(cells=24, pairs=2)", TWO, TWO, CACHED},
    {"additive(cells=24, pairs=1)", ONE, TWO, ANY, .beyond = CACHED},
    {"additive(cells=24)", FIVE, FIVE, CACHED, .known = "past(additive(cells=24))"},
    {"additive(cells=24, pairs=1)", FIVE, FIVE, ANY, .known = "past(additive(cells=24, pairs=1))", .beyond = CACHED},
    {"additive(cells=24)", TWENTY, TWENTY, ANY, .known = LAGGED("additive(cells=24)")},
    {"additive(cells=24)", FIFTY, ALL, ANY},
    {NULL, FIFTY, ALL, 256, .known = LAGGED("additive(cells=24)")},
    {"sgbt(trees=30, rate=0.2, depth=4, budget=WORK, replay=1)", TWO, TWO, ANY, 180},
    {"sgbt(trees=20, rate=0.3, depth=4, budget=WORK, replay=1)", FIVE, FIVE, ANY, 800},
    {TREES("WORK", ", replay=1"), TWENTY, TWENTY, ANY, 1500},
    {"sgbt", FIFTY, FIFTY, ANY},
    {"sgbt(window=16384, trees=200, rate=0.05, budget=WORK)", HUNDRED, ALL, 256, 6000},
    {NULL, FIFTY, FIFTY, 256, 3000, LAGGED(TREES("WORK", ", loss=huber"))},
    {NULL, HUNDRED, ALL, 256, 4000, LAGGED(DEEP_TREES)},
    {BOOSTED_REST(FOLLOWING), FIFTY, ALL, 200, 1900, PAST_REST(WITH_PAST(FOLLOWING))},
    {"knn(window=8000, time=false, coarse=4)", TWENTY, TWENTY, LONG_MEMORY},
    {"knn", TWENTY, TWENTY, 128, .beyond = LONG_MEMORY},
    {"knn", FIFTY, ALL, 128},
    {"knn(window=8000, time=false, coarse=4)", FIFTY, FIFTY, LONG_MEMORY},
    {"knn(window=8000, time=false)", FIFTY, FIFTY, 128, .beyond = LONG_MEMORY},
    {"knn(window=16000, time=false, coarse=4)", HUNDRED, ALL, LONG_MEMORY},
    {"knn(window=16000, time=false)", HUNDRED, ALL, 128, .beyond = LONG_MEMORY},
    {NULL, FIFTY, ALL, LONG_MEMORY, .known = PAST_NEIGHBOURS("")},
    {BOOSTED_REST(FOLLOWING), TWENTY, TWENTY, LONG_MEMORY, 900, PAST_NEIGHBOURS(", k=16")},
    {BOOSTED_REST(FOLLOWING), TWENTY, TWENTY, 200, 900, BOOSTED_REST(WITH_PAST(FOLLOWING)), LONG_MEMORY},
};

enum { WIDEST = ANB_ADDITIVE_WIDEST }; /* every budget has additive */

typedef struct Level {
    int budget;
    const char *router, *stage; /* the gate; the second stage (refine), NULL: neither that nor a guard */
    const char *known;          /* text behind the stage where past targets are known; NULL: none */
    const char *wide;           /* the stage for rows of more than CACHED features; NULL: the same */
} Level;

#define STAGE SINGLE("hidden=32, replay=4")
#define GATED_STAGE SINGLE("replay=8, activation=swiglu")
#define PAST_STAGE ", past(" SINGLE("hidden=32, replay=8") ", lags=2), last=true"

static const Level levels[] = {
    {ONE, "stack(delta=0.003)", NULL, NULL},
    {TWO, "stack(delta=0.003)", NULL, NULL},
    {FIVE, "stack(delta=0.003)", "additive(pairs=3)", ", last=true", "additive(pairs=1)"},
    {TWENTY, "blend", SINGLE("hidden=32, replay=8") ", additive(pairs=3)", ", last=true"},
    {FIFTY, "blend", STAGE ", additive", PAST_STAGE},
    {HUNDRED, "blend(wide=true)", GATED_STAGE ", additive, " TREES("3000", ", loss=huber"), PAST_STAGE}};

static const AnbParam params[] = {
    {"budget", ANB_COUNT, offsetof(AnbAutoOptions, budget), 20, 1, 1e6, 0, NULL,
     "microseconds a sample: 1, 2, 5, 20, 50 or 100; other values count as the next lower one"},
    {"lags", ANB_BOOL, offsetof(AnbAutoOptions, lags), 1, 0, 1, 0, NULL,
     "past targets are inputs where they help; not below pending, nor where labels come late"},
    {0}};

/* The highest level within the budget. */
static const Level *level_of(int budget)
{
    const Level *level = levels;
    for (size_t i = 1; i < sizeof levels / sizeof *levels; i++)
        if (levels[i].budget <= budget)
            level = &levels[i];
    return level;
}

/* A tree takes work in proportion to the features, so wide rows get more work a sample. */
static double work_of(const Choice *choice, size_t n_features)
{
    return choice->work * anb_clamp((double)n_features / NARROW, 1, MOST_WORK);
}

typedef struct Text {
    char *out;
    size_t size, at; /* at: bytes of the text so far; more than size where it does not fit */
} Text;

static void append(Text *text, const char *format, ...)
{
    va_list given;
    bool fits = text->at < text->size;
    va_start(given, format);
    text->at += (size_t)vsnprintf(fits ? text->out + text->at : NULL, fits ? text->size - text->at : 0, format, given);
    va_end(given);
}

/* Appends an expert, followed by ", ". */
static void append_expert(Text *text, const Choice *choice, bool past, size_t n_features)
{
    const char *expert = past && choice->known ? choice->known : choice->expert, *mark = strstr(expert, "WORK");
    if (mark)
        append(text, "%.*s%.0f%s, ", (int)(mark - expert), expert, work_of(choice, n_features), mark + 4);
    else
        append(text, "%s, ", expert);
}

static bool stands(const Choice *choice, bool past, int budget, size_t n_features)
{
    return (choice->expert || (past && choice->known)) && budget >= choice->from && budget <= choice->to &&
           n_features <= choice->widest && n_features > choice->beyond;
}

static void append_experts(Text *text, const Level *level, bool past, size_t n_features)
{
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if (stands(&choices[i], past, level->budget, n_features))
            append_expert(text, &choices[i], past, n_features);
}

/* Appends `refine(moe(`, or `moe(` where the level has no second stage. */
static void begin_mixture(Text *text, const Level *level)
{
    append(text, level->stage ? "refine(moe(" : "moe(");
}

static void end_mixture(Text *text, const Level *level, bool past, size_t n_features)
{
    const char *stage = level->wide && n_features > CACHED ? level->wide : level->stage;
    append(text, "router=%s)", level->router);
    if (stage)
        append(text, ", %s%s)", stage, past ? level->known : "");
}

/* Appends the mixture on selected features, twice: as select's child and spare. */
static void append_selected(Text *text, const Level *level, bool past)
{
    append(text, "select(");
    for (int i = 0; i < 2; i++) {
        begin_mixture(text, level);
        append_experts(text, level, past, CHOSEN);
        end_mixture(text, level, past, CHOSEN);
        append(text, ", ");
    }
    append(text, level->budget < TWENTY ? "most=%d), " : "most=%d, memory=2000), ", CHOSEN);
}

/* The learners around the guard that use past targets. */
typedef struct Around {
    const char *begin, *end;
} Around;

static Around around_of(const Level *level, bool past)
{
    if (!past)
        return (Around){"", ""};
    if (level->budget < TWO)
        return (Around){"jumps(", ")"};
    const char *end = level->budget < FIVE ? ", last=true), longest=384))" : ", last=true)))";
    return (Around){"jumps(season(residual_ar(", end};
}

/* Appends the guard's rivals: simple learners that may be better than the mixture. */
static void append_rivals(Text *text, const Level *level, bool past, size_t n_features)
{
    if (level->budget < TWENTY)
        return;
    append(text, "%s, mean%s",
           n_features <= NEAR ? ", scale(rls(lambda=1, delta=1, level=100), whole=true, trust=8)" : "",
           past ? ", last" : "");
}

/* Writes the expression: jumps(season(residual_ar(guard(scale(sift(refine(moe(experts, without the wrappers that the
 * level or the width does not have. */
static int write(const AnbAutoOptions *options, bool past, size_t n_features, char *out, size_t size, AnbError *error)
{
    const Level *level = level_of(options->budget);
    const Around around = around_of(level, past);
    if (n_features > WIDEST)
        return anb_fail(error, ANB_E_LIMIT,
                        "auto takes at most %d features, not %zu; scale(linear(normalized=true)) takes more", WIDEST,
                        n_features);
    const bool sifted = n_features > CLEAR && n_features <= SIFTED, staged = level->stage;
    Text text = {out, size, 0};
    append(&text, "%s%sscale(%s", around.begin, staged ? "guard(" : "", sifted ? "sift(" : "");
    begin_mixture(&text, level);
    append_experts(&text, level, past, n_features);
    if (staged && n_features > NARROWER && n_features <= SIFTED)
        append_selected(&text, level, past);
    end_mixture(&text, level, past, n_features);
    append(&text, "%s, trust=8)", sifted ? ")" : "");
    append_rivals(&text, level, past, n_features);
    append(&text, "%s%s", staged ? ")" : "", around.end);
    return text.at < size ? 0 : anb_fail(error, ANB_E_LIMIT, "auto: the expression is longer than %zu bytes", size);
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
    .flags = ANB_SIZED_OPTIONS | ANB_READS_X | ANB_READS_RAW | ANB_TAKES_MISSING | ANB_WEIGHT_SCALED | ANB_CLIPPED |
             ANB_SINCE_0_3,
    .version = 1,
    .expand = expand,
    .expand_late = expand_late,
};
