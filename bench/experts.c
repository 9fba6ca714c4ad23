/*
 * What the dearer experts cost: microseconds a sample through the public way, over a stream that no model has seen
 * before, beside the goals and beside bare kernels (bare_experts.h) on the same samples.
 *
 *     predict   anb_predict
 *     train     anb_train_one, which predicts and learns: the goals are for this
 *     both      their sum, for whoever asks twice
 *     bare      what the bare form takes to do what train does; ratio = train / bare
 *
 * Each model has learned one pass of the stream; then the least of the passes counts, each averaged over all of its
 * samples, so that work done now and then is in it. A pass goes in short turns: predict, train, bare, predict, ... so
 * that a slow moment of the machine meets them all. Processor time, so other programs disturb little.
 *
 *     experts [-i INSTRUCTION_SET] [EXPRESSION ...]      -i: baseline, v3 or v4 in place of the best
 */
#include "random.h"
#include "bare_experts.h"
#include "harness.h"
#include "src/simd/isa.h"
#include <anabranch/anabranch.h>
#include <stdbool.h>

enum { D_MOST = 12, ROWS = 10000, TURN = 500, PASSES = 4 };
enum { PREDICT, TRAIN, BARE, KINDS };

static const size_t sizes[] = {10, D_MOST};

typedef struct Goal {
    const BareExpert *bare;
    double us;       /* of train */
    size_t features; /* that it is for; 0: 10 to 12 */
} Goal;

static const Goal goals[] = {
    {&bare_tree, 1.5, 0}, {&bare_forest, 12, 0},  {&bare_sgbt, 14, 0},  {&bare_small_sgbt, 3, 0}, {&bare_knn, 9, 0},
    {&bare_mlp, .4, 0},   {&bare_deep_mlp, 3, 0}, {&bare_poly, .6, 10}, {&bare_rff, 4, 0},
};
enum { GOALS = sizeof goals / sizeof *goals };

/* One stream for all: rows of ten features are the first ten of twelve. */
static double x[PASSES + 1][ROWS][D_MOST], y[PASSES + 1][ROWS];
static volatile double sink;

static double uniform(void)
{
    static uint64_t seed = 1;
    return unit_of(&seed);
}

/* A product, a square, two slopes and noise; the other features say nothing. */
static void make_stream(void)
{
    for (size_t p = 0; p <= PASSES; p++)
        for (size_t i = 0; i < ROWS; i++) {
            double *r = x[p][i];
            for (size_t j = 0; j < D_MOST; j++)
                r[j] = uniform();
            y[p][i] = 30 * r[0] * r[1] + 20 * (r[2] - .5) * (r[2] - .5) + 10 * r[3] + 5 * r[4] + uniform() + uniform();
        }
}

typedef struct Pair {
    StreamingLearner *model;
    const BareExpert *bare; /* NULL: none */
    void *self;
} Pair;

/* Half a thousand samples one way. */
static double turn(const Pair *pair, int kind, size_t p, size_t from)
{
    double sum = 0, start = bench_own();
    for (size_t i = from; i < from + TURN; i++)
        sum += kind == PREDICT ? anb_predict(pair->model, x[p][i])
               : kind == TRAIN ? anb_train_one(pair->model, x[p][i], y[p][i], 1)
                               : pair->bare->train(pair->self, x[p][i], y[p][i]);
    sink = sum;
    return bench_own() - start;
}

static void run_pass(const Pair *pair, size_t p, double us[KINDS])
{
    memset(us, 0, KINDS * sizeof *us);
    for (size_t i = 0; i < ROWS; i += TURN)
        for (int kind = 0; kind < (pair->bare ? KINDS : BARE); kind++)
            us[kind] += turn(pair, kind, p, i) / 1e3 / ROWS;
}

static Pair pair_of(const char *expression, const BareExpert *bare, size_t d)
{
    AnbError error = {0};
    Pair pair = {.model = anb_parse(d, expression, NULL, &error), .bare = bare};
    if (!pair.model) {
        fprintf(stderr, "experts: %s\n", error.message);
        exit(2);
    }
    pair.self = bare ? bare->make(d) : NULL;
    return pair;
}

static void show(const char *expression, const double *us, double goal, bool with_bare)
{
    printf("%-50.50s %8.2f %8.2f %8.2f", expression, us[PREDICT], us[TRAIN], us[PREDICT] + us[TRAIN]);
    if (goal > 0)
        printf(" %8.2f", goal);
    else
        printf(" %8s", "-");
    if (with_bare)
        printf(" %8.2f %6.2f", us[BARE], us[TRAIN] / us[BARE]);
    printf("%s\n", goal > 0 && us[TRAIN] > goal ? "  over" : "");
    fflush(stdout);
}

static void measure(const char *expression, const Goal *goal, size_t d)
{
    Pair pair = pair_of(expression, goal ? goal->bare : NULL, d);
    double best[KINDS] = {1e300, 1e300, 1e300}, us[KINDS];
    for (size_t p = 0; p <= PASSES; p++) {
        run_pass(&pair, p, us);
        for (int i = 0; i < KINDS && p > 0; i++)
            best[i] = us[i] < best[i] ? us[i] : best[i];
    }
    char name[200];
    snprintf(name, sizeof name, "%s d=%zu", expression, d);
    bench_record("experts", name, best[TRAIN], "us");
    show(expression, best, goal && (goal->features == 0 || goal->features == d) ? goal->us : 0, goal);
    anb_free(pair.model);
    free(pair.self);
}

static const Goal *goal_of(const char *expression)
{
    for (size_t i = 0; i < GOALS; i++)
        if (strcmp(goals[i].bare->expression, expression) == 0)
            return &goals[i];
    return NULL;
}

/* Whether this machine has an instruction set of that name, which is used from now on. */
static bool use_isa(const char *name)
{
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++)
        if (strcmp(anb_isa_name((AnbIsa)isa), name) == 0)
            return anb_isa_use((AnbIsa)isa);
    return false;
}

int main(int argc, char **argv)
{
    int first = argc > 2 && strcmp(argv[1], "-i") == 0 ? 3 : 1;
    if (first == 3 && !use_isa(argv[2])) {
        fprintf(stderr, "experts: no instruction set %s here\n", argv[2]);
        return 2;
    }
    make_stream();
    printf("Instruction set %s. The goal is for train, which predicts and learns; bare does the same of:\n",
           anb_isa_name(anb_isa_in_use()));
    for (size_t i = 0; i < GOALS; i++)
        printf("    %-50s %s\n", goals[i].bare->expression, goals[i].bare->does);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        printf("\n%2zu features, us a sample %25s %8s %8s %8s %8s %8s %6s\n", sizes[s], "", "predict", "train", "both",
               "goal", "bare", "ratio");
        for (int i = first; i < argc; i++)
            measure(argv[i], goal_of(argv[i]), sizes[s]);
        for (size_t i = 0; argc == first && i < GOALS; i++)
            measure(goals[i].bare->expression, &goals[i], sizes[s]);
    }
    return 0;
}
