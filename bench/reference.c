/*
 * What the models that the Rust library irithyll has as well take here: `reference MODEL D` prints the ns of one
 * predict and of one train, each the minimum over repeats. reference.py runs it beside reference/src/main.rs, A B A B.
 */
#include "count.h"
#include "harness.h"
#include "rows.h"
#include <anabranch/anabranch.h>

enum { REPEATS = 30, WARM = 20000, ANSWERS = 512 };

#define FOUR "linear(rate=0.01), linear(rate=0.02), linear(rate=0.005), linear(rate=0.015), "

static const struct {
    const char *name, *expression;
} models[] = {{"linear", "linear"},
              {"rls", "rls(intercept=false)"},
              {"mixture4", "moe(" FOUR "top_k=2)"},
              {"mixture16", "moe(" FOUR FOUR FOUR FOUR "top_k=2)"}};

typedef struct Run {
    StreamingLearner *model;
    Rows rows;
    double answer[ANSWERS]; /* kept: a sum would wait for the one before */
} Run;

static void predict(void *context, size_t count)
{
    Run *run = context;
    Rows rows = run->rows;
    double y;
    for (size_t i = 0; i < count; i++)
        run->answer[i % ANSWERS] = anb_predict(run->model, rows_next(&rows, &y));
}

static void train(void *context, size_t count)
{
    Run *run = context;
    Rows rows = run->rows;
    double y;
    for (size_t i = 0; i < count; i++) {
        const double *x = rows_next(&rows, &y);
        anb_train_one(run->model, x, y, 1);
    }
    run->rows.next = rows.next;
}

static void measure(const char *expression, size_t d)
{
    Run run = {.model = anb_parse(d, expression, NULL, NULL), .rows = rows_of(d, d < 8 ? 512 * d : ROWS_CELLS)};
    double start = bench_now();
    for (int warm = 0; warm < WARM && bench_now() - start < 2e8; warm += 100)
        train(&run, 100);
    BenchItem items[2] = {{.run = predict, .context = &run}, {.run = train, .context = &run}};
    bench_all(&items[0], 1, REPEATS, 2e5, -1);
    bench_all(&items[1], 1, REPEATS, 2e5, -1);
    printf("%.2f %.2f\n", items[0].best, items[1].best);
    anb_free(run.model);
    rows_free(&run.rows);
}

int main(int argc, char **argv)
{
    size_t d = argc == 3 ? count_of("FEATURES", argv[2], 1) : 0;
    for (size_t i = 0; i < sizeof models / sizeof *models && d > 0; i++)
        if (strcmp(argv[1], models[i].name) == 0) {
            measure(models[i].expression, d);
            return 0;
        }
    fprintf(stderr, "usage: reference linear|rls|mixture4|mixture16 FEATURES\n");
    return 2;
}
