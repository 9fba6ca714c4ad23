/*
 * How long each single sample waits: anb_train_one over one stream, replayed ten times by a new model, the minimum kept
 * for each index, since a machine's own pauses are longer than anything here. What is left is the learner's own: fits
 * of trees, remade bins, swaps.
 *
 *     latency [-n SAMPLES] [-r REPLAYS] [EXPRESSION ...]
 *
 * Prints, in microseconds, mean, median, the 99th and 99.9th percentile and the maximum, and the last two as multiples
 * of the median; exits with 1 where one is above its goal: 4 for the percentile, 50 for the maximum.
 */
#include "count.h"
#include "random.h"
#include "replay.h"
#include "rising.h"
#include <anabranch/anabranch.h>
#include <stdlib.h>
#include <string.h>

enum { D = 12, GOAL_PERCENTILE = 4, GOAL_MAXIMUM = 50 };

static size_t samples = 100000, replays = 10;
static volatile double sink;

typedef struct Rows {
    double *x, *y;
} Rows;

static double uniform(void)
{
    static uint64_t seed = 7;
    return unit_of(&seed);
}

static void *take(size_t bytes)
{
    void *memory = malloc(bytes);
    if (!memory)
        exit(2);
    return memory;
}

/* Friedman's function on ten features, one with few values, one that drifts. */
static Rows make_rows(void)
{
    Rows rows = {take(samples * D * sizeof(double)), take(samples * sizeof(double))};
    for (size_t i = 0; i < samples; i++) {
        double *x = rows.x + i * D;
        for (size_t j = 0; j < D; j++)
            x[j] = uniform();
        x[10] = (double)(int)(5 * x[10]);
        x[11] += (double)i / 20000;
        double bend = x[0] * x[1] * 3.14159, square = bend * bend;
        double sine = bend * (1 - square / 6 + square * square / 120);
        rows.y[i] = 10 * sine + 20 * (x[2] - .5) * (x[2] - .5) + 10 * x[3] + 5 * x[4] + x[10] + 2 * uniform();
    }
    return rows;
}

static void replay(const char *expression, const Rows *rows, double *ns)
{
    StreamingLearner *model = replay_model("latency", D, expression);
    sink = replay_rows(model, rows->x, rows->y, samples, ns);
    anb_free(model);
}

static double at(const double *sorted, double share)
{
    size_t i = (size_t)(share * (double)samples);
    return sorted[i < samples ? i : samples - 1] / 1000;
}

/* What the clock itself takes is taken off. */
static double clock_cost(void)
{
    double least = 1e9;
    for (int i = 0; i < 10000; i++) {
        double start = bench_now(), took = bench_now() - start;
        least = took < least ? took : least;
    }
    return least;
}

/* One line of the table; whether both goals are met. */
static int measure(const char *expression, const Rows *rows)
{
    double *ns = take(samples * sizeof *ns), sum = 0, clock = clock_cost();
    for (size_t i = 0; i < samples; i++)
        ns[i] = 1e18;
    for (size_t r = 0; r < replays; r++)
        replay(expression, rows, ns);
    for (size_t i = 0; i < samples; i++)
        sum += ns[i] -= clock;
    qsort(ns, samples, sizeof *ns, rising);
    double median = at(ns, .5), percentile = at(ns, .999), most = at(ns, 1);
    int fine = percentile <= GOAL_PERCENTILE * median && most <= GOAL_MAXIMUM * median;
    printf("%8.2f %8.2f %8.2f %8.2f %8.2f %7.1fx %7.1fx  %s  %s\n", sum / (double)samples / 1000, median, at(ns, .99),
           percentile, most, percentile / median, most / median, fine ? "  " : "no", expression);
    fflush(stdout);
    bench_record("latency", expression, percentile, "us");
    free(ns);
    return fine;
}

int main(int argc, char **argv)
{
    static const char *const usual[] = {"scale(linear)",
                                        "scale(rls)",
                                        "scale(mlp)",
                                        "scale(knn(window=8000))",
                                        "tree",
                                        "forest",
                                        "extra_trees",
                                        "scale(sgbt)",
                                        "scale(sgbt(window=2048, trees=40, depth=4, rate=0.15, budget=1500))",
                                        "scale(sgbt(window=16384, trees=200, depth=6))",
                                        "auto(budget=1)",
                                        "auto(budget=5)",
                                        "auto",
                                        "auto(budget=100)",
                                        NULL};
    int first = 1, fine = 1;
    for (; first + 1 < argc && argv[first][0] == '-'; first += 2) {
        size_t value = count_of(argv[first], argv[first + 1], 1);
        if (strcmp(argv[first], "-n") == 0)
            samples = value;
        else if (strcmp(argv[first], "-r") == 0)
            replays = value;
        else
            option_unknown(argv[first], "-n and -r");
    }
    Rows rows = make_rows();
    const char *const *expressions = first < argc ? (const char *const *)argv + first : usual;
    printf("%zu samples of %d features, the least of %zu replays, us\n", samples, D, replays);
    printf("%8s %8s %8s %8s %8s %8s %8s\n", "mean", "median", "99 %", "99.9 %", "maximum", "99.9 %", "maximum");
    for (; *expressions; expressions++)
        fine &= measure(*expressions, &rows);
    free(rows.x);
    free(rows.y);
    return !fine;
}
