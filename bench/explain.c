/*
 * What an explanation costs and how sure it is: models learn a stream of 12 features, then rows of its future are
 * explained.
 *
 *     explain [-n SAMPLES] [EXPRESSION ...]
 *
 * Prints milliseconds and predictions an explanation, the part that is exact, the mean and the largest standard error
 * in percent of the standard deviation of the predictions. Goals, of auto(budget=20): 5 ms, and 2 % for the mean.
 */
#include "count.h"
#include "random.h"
#include "harness.h"
#include <anabranch/anabranch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { D = 12, ASKED = 100 };

static double uniform(void)
{
    static uint64_t seed = 7;
    return unit_of(&seed);
}

/* Friedman's function on ten features, one with few values, one of no use. */
static double next_row(double *x)
{
    for (size_t j = 0; j < D; j++)
        x[j] = uniform();
    x[10] = (double)(int)(5 * x[10]);
    return 10 * sin(M_PI * x[0] * x[1]) + 20 * (x[2] - .5) * (x[2] - .5) + 10 * x[3] + 5 * x[4] + x[10] + 2 * uniform();
}

typedef struct Found {
    double ns, predictions, exact, error, worst, sum, square;
} Found;

static void ask(AnbExplainer *explainer, StreamingLearner *model, Found *found)
{
    AnbExplanation why;
    double x[D];
    next_row(x);
    double start = bench_own();
    if (anb_explain(explainer, model, x, &why))
        exit(2);
    found->ns += bench_own() - start;
    found->predictions += (double)why.predictions;
    found->exact += why.exact;
    found->sum += why.prediction;
    found->square += why.prediction * why.prediction;
    for (size_t j = 0; j < D; j++) {
        found->error += why.error[j] / D;
        found->worst = fmax(found->worst, why.error[j]);
    }
}

static int measure(const char *expression, size_t samples)
{
    AnbError error;
    Found found = {0};
    StreamingLearner *model = anb_parse(D, expression, NULL, &error);
    AnbExplainer *explainer = model ? anb_explainer_new(model, NULL, &error) : NULL;
    if (!explainer) {
        fprintf(stderr, "explain: %s: %s\n", expression, error.message);
        return 2;
    }
    for (size_t i = 0; i < samples; i++) {
        double x[D], y = next_row(x), before = anb_train_one(model, x, y, 1);
        anb_observe(anb_explainer_observer(explainer), model, x, y, before);
    }
    for (int i = 0; i < ASKED; i++)
        ask(explainer, model, &found);
    double mean = found.sum / ASKED, spread = sqrt(found.square / ASKED - mean * mean);
    printf("%-40s %8.3f %8.0f %6.0f%% %8.2f %8.2f\n", expression, found.ns / ASKED / 1e6, found.predictions / ASKED,
           100 * found.exact / ASKED, 100 * found.error / ASKED / spread, 100 * found.worst / spread);
    anb_explainer_free(explainer);
    anb_free(model);
    return 0;
}

int main(int argc, char **argv)
{
    static char *usual[] = {"scale(rls)", "scale(poly(rls))", "sgbt",           "forest(leaf=mean)",
                            "forest",     "auto(budget=5)",   "auto(budget=20)"};
    size_t samples = 10000;
    int status = 0, first = 1;
    if (argc > 2 && strcmp(argv[1], "-n") == 0) {
        samples = count_of("-n", argv[2], 1);
        first = 3;
    }
    char **which = first < argc ? argv + first : usual;
    int n = first < argc ? argc - first : (int)(sizeof usual / sizeof *usual);
    printf("%-40s %8s %8s %7s %8s %8s\n", "learner", "ms", "asked", "exact", "error %", "worst %");
    for (int i = 0; i < n; i++)
        status |= measure(which[i], samples);
    return status;
}
