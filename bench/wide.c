/*
 * What wide rows cost: us for one predict and one train at 1,000 and 10,000 features, of rows with twenty ones in them
 * and of dense ones, and the bytes of the model. A model learns 3,000 rows before it is timed; those that need longer
 * than a second for them are timed where they are then.
 *
 *     wide [-m MB] [EXPRESSION ...]     -m: leave out what takes more memory (100)
 */
#include "count.h"
#include "harness.h"
#include "rows.h"
#include <anabranch/anabranch.h>
#include <string.h>

enum { ROWS = 64, ONES = 20, LEARNED = 3000, REPEATS = 30 };

typedef struct Wide {
    StreamingLearner *model;
    size_t d, next;
    double *x, y[ROWS];
} Wide;

static volatile double sink;

static void fill(Wide *w, bool dense)
{
    uint64_t seed = 5;
    memset(w->x, 0, ROWS * w->d * sizeof *w->x);
    for (size_t i = 0; i < ROWS; i++) {
        double *row = w->x + i * w->d;
        for (size_t j = 0; dense && j < w->d; j++)
            row[j] = rows_uniform(&seed);
        for (int k = 0; !dense && k < ONES; k++)
            row[(size_t)(unit_of(&seed) * (double)w->d)] = 1;
        w->y[i] = rows_uniform(&seed);
    }
}

static void train(void *context, size_t count)
{
    Wide *w = context;
    for (size_t i = 0; i < count; i++, w->next++)
        sink = anb_train_one(w->model, w->x + w->next % ROWS * w->d, w->y[w->next % ROWS], 1);
}

static void predict(void *context, size_t count)
{
    Wide *w = context;
    for (size_t i = 0; i < count; i++, w->next++)
        sink = anb_predict(w->model, w->x + w->next % ROWS * w->d);
}

static void warm_up(Wide *w)
{
    double start = bench_now();
    for (int i = 0; i < LEARNED && bench_now() - start < 1e9; i++)
        train(w, 1);
}

/* Whole turns of the rows, so that what comes once in 64 rows is in each. */
static double timed(BenchRun run, Wide *w)
{
    double best = 1e300, start = bench_now();
    for (int r = 0; r < REPEATS && (r == 0 || bench_now() - start < 5e8); r++) {
        double each = bench_once(run, w, ROWS) / ROWS / 1e3;
        best = each < best ? each : best;
    }
    return best;
}

static void record(const char *expression, const Wide *w, bool dense, const char *what, double value)
{
    char name[200];
    snprintf(name, sizeof name, "%s d=%zu %s %s", expression, w->d, dense ? "dense" : "20 ones", what);
    bench_record("wide", name, value, "us");
}

static void line(const char *expression, size_t d, size_t most)
{
    AnbError error = {0};
    AnbModelOptions options = anb_model_defaults();
    options.max_bytes = most;
    printf("%-50.50s %6zu", expression, d);
    for (int dense = 0; dense < 2; dense++) {
        Wide w = {.model = anb_parse(d, expression, &options, &error), .d = d, .x = rows_take(ROWS * d)};
        if (w.model) {
            fill(&w, dense);
            warm_up(&w);
            double learn = timed(train, &w), ask = timed(predict, &w);
            record(expression, &w, dense, "predict", ask);
            record(expression, &w, dense, "train", learn);
            printf(" %10.2f %10.2f", ask, learn);
            if (dense)
                printf(" %11.1f", (double)anb_total_bytes(w.model) / 1e3);
        } else if (!dense)
            printf("   %s", error.message);
        anb_free(w.model);
        free(w.x);
    }
    printf("\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const char *const usual[] = {"linear", "scale(linear)", "scale(moe(linear, linear(normalized=true), mean))",
                                        "rls", "scale(mlp(hidden=16))"};
    static const size_t widths[] = {1000, 10000};
    size_t most = (size_t)100 << 20;
    int first = 1;
    if (argc > 2 && strcmp(argv[1], "-m") == 0) {
        most = count_of("-m", argv[2], 1) << 20;
        first = 3;
    }
    const char *const *expressions = first < argc ? (const char *const *)argv + first : usual;
    int n = first < argc ? argc - first : (int)(sizeof usual / sizeof *usual);
    printf("%-50s %6s %21s %21s %11s\n%57s %10s %10s %10s %10s\n", "", "width", "twenty ones", "dense", "kB", "",
           "predict us", "train", "predict", "train");
    for (int i = 0; i < n; i++)
        for (size_t k = 0; k < 2; k++)
            line(expressions[i], widths[k], most);
    return 0;
}
