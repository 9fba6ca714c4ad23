/*
 * What the dearer experts cost: microseconds for one predict and one train a sample through the public way, over a
 * stream of 12 features that no model has seen before, beside the goal for both together. Each model has learned one
 * pass of the stream; then the least of three passes counts, each averaged over all of its samples, so that work done
 * now and then is in it. Processor time, so other programs disturb little.
 *
 *     experts [EXPRESSION ...]
 */
#include "harness.h"
#include <anabranch/anabranch.h>
#include <stdlib.h>
#include <string.h>

enum { D = 12, ROWS = 10000, PASSES = 3 };

typedef struct Goal {
    const char *expression;
    double us; /* predict and train; 0: none */
} Goal;

static const Goal goals[] = {
    {"tree", 1.5},
    {"forest", 12},
    {"sgbt", 14},
    {"sgbt(window=2048, trees=20, depth=4, budget=1500)", 3},
    {"knn(window=8000)", 9},
    {"mlp(hidden=16)", .4},
    {"mlp(hidden=64, replay=8)", 3},
    {"poly(rls)", .6},
    {"rff(rls, features=150)", 4},
};

static double x[PASSES + 1][ROWS][D], y[PASSES + 1][ROWS];
static volatile double sink;

static double uniform(void)
{
    static uint64_t seed = 1;
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(seed >> 11) / 9007199254740992.0;
}

/* A product, a square, two slopes and noise; the other features say nothing. */
static void make_stream(void)
{
    for (size_t p = 0; p <= PASSES; p++)
        for (size_t i = 0; i < ROWS; i++) {
            double *r = x[p][i];
            for (size_t j = 0; j < D; j++)
                r[j] = uniform();
            y[p][i] = 30 * r[0] * r[1] + 20 * (r[2] - .5) * (r[2] - .5) + 10 * r[3] + 5 * r[4] + uniform() + uniform();
        }
}

/* Predicts a pass, then learns it; microseconds a sample of both. */
static void run_pass(StreamingLearner *model, size_t p, double us[2])
{
    double sum = 0, start = bench_own();
    for (size_t i = 0; i < ROWS; i++)
        sum += anb_predict(model, x[p][i]);
    us[0] = (bench_own() - start) / 1e3 / ROWS;
    start = bench_own();
    for (size_t i = 0; i < ROWS; i++)
        sum += anb_train_one(model, x[p][i], y[p][i], 1);
    us[1] = (bench_own() - start) / 1e3 / ROWS;
    sink = sum;
}

static void line(const char *expression, double goal)
{
    AnbError error = {0};
    StreamingLearner *model = anb_parse(D, expression, NULL, &error);
    double best[2] = {1e300, 1e300}, us[2];
    if (!model) {
        fprintf(stderr, "experts: %s\n", error.message);
        exit(2);
    }
    for (size_t p = 0; p <= PASSES; p++) {
        run_pass(model, p, us);
        for (size_t i = 0; i < 2 && p > 0; i++)
            best[i] = us[i] < best[i] ? us[i] : best[i];
    }
    printf("%-52.52s %8.2f %8.2f %8.2f", expression, best[0], best[1], best[0] + best[1]);
    if (goal > 0)
        printf(" %8.2f %s", goal, best[0] + best[1] <= goal ? "" : "over");
    printf("\n");
    fflush(stdout);
    anb_free(model);
}

int main(int argc, char **argv)
{
    make_stream();
    printf("%-52s %8s %8s %8s %8s\n", "us a sample, 12 features", "predict", "train", "both", "goal");
    for (int i = 1; i < argc; i++)
        line(argv[i], 0);
    for (size_t i = 0; argc == 1 && i < sizeof goals / sizeof *goals; i++)
        line(goals[i].expression, goals[i].us);
    return 0;
}
