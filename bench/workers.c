/*
 * Many models on several threads against one loop, in turns.
 *
 *     workers [-t THREADS] [-m MODELS] [-e SAMPLES] [-o drawn|turns] [EXPRESSION ...]
 *
 * Samples of 8 features, so many a model in one call (16). They visit the models in no order, or in turns: sample i is of model i modulo
 * their number. Prints nanoseconds a sample of the
 * loop and of the pool, and their ratio, of learning and of predictions. Goal: at least 1.8 with two threads on two free cores.
 */
#include "random.h"
#include "harness.h"
#include <anabranch/anabranch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { D = 8, ROUNDS = 15, CALLS = 8 /* in a row */ };

typedef struct Work {
    size_t n_models, n;
    bool turns;                     /* else in no order */
    StreamingLearner **model, **of; /* each twice: for the loop, then for the pool */
    double *cells, *y, *out;
    const double **x;
    AnbPool *pool;
} Work;

static uint64_t draw(void)
{
    static uint64_t state = 9;
    return bits_of(&state) >> 33;
}

static void fill(Work *w)
{
    for (size_t i = 0; i < w->n; i++) {
        size_t model = w->turns ? i % w->n_models : draw() % w->n_models;
        w->of[i] = w->model[model];
        w->of[w->n + i] = w->model[w->n_models + model];
        w->x[i] = w->cells + i * D;
        w->y[i] = 0;
        for (size_t j = 0; j < D; j++)
            w->y[i] += w->cells[i * D + j] = (double)(draw() % 1000) / 1000;
    }
}

static void loop(const Work *w, bool learn)
{
    for (size_t i = 0; i < w->n; i++)
        if (learn)
            anb_train_one(w->of[i], w->x[i], w->y[i], 1);
        else
            w->out[i] = anb_predict(w->of[i], w->x[i]);
}

static void at_once(const Work *w, bool learn)
{
    if (learn)
        anb_pool_train(w->pool, w->of + w->n, w->x, w->y, NULL, w->n, NULL);
    else
        anb_pool_predict(w->pool, w->of + w->n, w->x, w->n, w->out);
}

static void time_both(Work *w, const char *expression, bool learn)
{
    double best[2] = {1e300, 1e300};
    for (int round = 0; round < 2 * ROUNDS; round++) {
        double start = bench_now();
        for (int call = 0; call < CALLS; call++)
            (round % 2 ? at_once : loop)(w, learn);
        double ns = (bench_now() - start) / (double)w->n / CALLS;
        best[round % 2] = ns < best[round % 2] ? ns : best[round % 2];
    }
    char name[100];
    snprintf(name, sizeof name, "%.40s models=%zu samples=%zu%s%s", expression, w->n_models, w->n,
             w->turns ? " turns" : "", learn ? "" : " predict");
    printf("%-60s %10.1f %10.1f %8.2f\n", name, best[0], best[1], best[0] / best[1]);
    bench_record("workers", name, best[1], "ns");
}

static int compare(Work *w, const char *expression)
{
    AnbError error;
    for (size_t i = 0; i < 2 * w->n_models; i++) {
        w->model[i] = i ? anb_clone(w->model[0], &error) : anb_parse(D, expression, NULL, &error);
        if (!w->model[i])
            return fprintf(stderr, "workers: %s: %s\n", expression, error.message), 2;
    }
    fill(w);
    time_both(w, expression, true);
    time_both(w, expression, false);
    for (size_t i = 0; i < 2 * w->n_models; i++)
        anb_free(w->model[i]);
    return 0;
}

/* Models, samples a model in a call, what they are, and whether samples visit them in turns. */
typedef struct Usual {
    size_t models, each;
    const char *expression;
    bool turns;
} Usual;

static int measure(Work *w, const Usual *usual, size_t threads)
{
    w->n_models = usual->models;
    w->n = usual->models * usual->each;
    w->turns = usual->turns;
    w->model = calloc(2 * w->n_models, sizeof *w->model);
    w->of = calloc(2 * w->n, sizeof *w->of);
    w->x = calloc(w->n, sizeof *w->x);
    w->cells = calloc(w->n * D, sizeof(double));
    w->y = calloc(w->n, sizeof(double));
    w->out = calloc(w->n, sizeof(double));
    w->pool = anb_pool_new(threads, NULL);
    int status = 2;
    if (w->model && w->of && w->x && w->cells && w->y && w->out && w->pool)
        status = compare(w, usual->expression);
    else
        fprintf(stderr, "workers: no memory\n");
    anb_pool_free(w->pool);
    free(w->model), free(w->of), free(w->x), free(w->cells), free(w->y), free(w->out);
    return status;
}

int main(int argc, char **argv)
{
    static const Usual usual[] = {{100, 16, "linear"},          {1000, 1, "linear"},
                                  {1000, 16, "linear"},         {10000, 1, "linear"},
                                  {10000, 16, "linear"},        {1000, 16, "scale(linear)"},
                                  {1000, 16, "scale(rls)"},     {100, 16, "auto(budget=5)"},
                                  {1000, 16, "linear", true},   {1000, 16, "scale(rls)", true},
                                  {4, 4000, "scale(rls)", true}};
    Usual own = {.models = 1000, .each = 16};
    size_t threads = 2;
    int i = 1, status = 0;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        size_t value = strtoul(argv[i + 1], NULL, 10);
        value = value ? value : 1;
        if (strcmp(argv[i], "-t") == 0)
            threads = value;
        else if (strcmp(argv[i], "-m") == 0)
            own.models = value;
        else if (strcmp(argv[i], "-e") == 0)
            own.each = value;
        else if (strcmp(argv[i], "-o") == 0)
            own.turns = strcmp(argv[i + 1], "turns") == 0;
    }
    printf("%zu threads\n%-60s %10s %10s %8s\n", threads, "", "loop ns", "pool ns", "ratio");
    for (size_t k = 0; i == argc && k < sizeof usual / sizeof *usual && !status; k++)
        status = measure(&(Work){0}, &usual[k], threads);
    for (; i < argc && !status; i++) {
        own.expression = argv[i];
        status = measure(&(Work){0}, &own, threads);
    }
    return status;
}
