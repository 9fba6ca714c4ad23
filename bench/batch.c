/*
 * Many rows at once beside the loop that they stand for: ns a row of anb_predict and of anb_predict_many over 256 rows
 * that were not learned, and how many times as fast that is.
 *
 *     batch [-i baseline|v3|v4] [EXPRESSION ...]
 */
#include "harness.h"
#include "rows.h"
#include "src/simd/isa.h"
#include <anabranch/anabranch.h>

enum { ROWS = 256, WARM = 6000, MADE = 8192, N_SIZES = 3, REPEATS = 40 }; /* rows: asked, learned, made */

static const size_t sizes[N_SIZES] = {8, 12, 64};

static const char *const usual[] = {"linear",
                                    "rls",
                                    "scale(linear)",
                                    "poly(rls)",
                                    "rff(rls)",
                                    "mlp",
                                    "mlp(hidden=64)",
                                    "knn",
                                    "tree",
                                    "forest",
                                    "sgbt",
                                    "scale(moe(linear, rls, mean, mlp, router=stack))",
                                    "auto(budget=5, lags=false)",
                                    "auto(budget=20, lags=false)"};

typedef struct Asked {
    StreamingLearner *model;
    const double *x;
    size_t d;
    double out[ROWS];
} Asked;

static void loop(void *context, size_t count)
{
    Asked *a = context;
    for (size_t c = 0; c < count; c++)
        for (size_t i = 0; i < ROWS; i++)
            a->out[i] = anb_predict(a->model, a->x + i * a->d);
}

static void many(void *context, size_t count)
{
    Asked *a = context;
    for (size_t c = 0; c < count; c++)
        anb_predict_many(a->model, a->x, ROWS, a->out);
}

static void measure(const char *expression, size_t d)
{
    Rows rows = rows_of(d, MADE * d);
    Asked a = {.model = anb_parse(d, expression, NULL, NULL), .x = rows.x + WARM * d, .d = d};
    double y;
    for (int i = 0; i < WARM && a.model; i++) {
        const double *x = rows_next(&rows, &y);
        anb_train_one(a.model, x, y, 1);
    }
    BenchItem items[2] = {{.run = loop, .context = &a}, {.run = many, .context = &a}};
    if (a.model) {
        bench_all(items, 2, REPEATS, 2e5, -1);
        printf(" %9.1f %9.1f %5.2f", items[0].best / ROWS, items[1].best / ROWS, items[0].best / items[1].best);
    } else
        printf(" %9s %9s %5s", "-", "-", "-");
    anb_free(a.model);
    rows_free(&rows);
}

static void line(const char *expression)
{
    printf("%-48.48s", expression);
    for (size_t s = 0; s < N_SIZES; s++)
        measure(expression, sizes[s]);
    printf("\n");
    fflush(stdout);
}

static int use(const char *name)
{
    for (int isa = 0; isa < ANB_ISA_COUNT; isa++)
        if (strcmp(anb_isa_name((AnbIsa)isa), name) == 0 && anb_isa_use((AnbIsa)isa))
            return 0;
    fprintf(stderr, "batch: no instruction set %s here\n", name);
    return 2;
}

int main(int argc, char **argv)
{
    int first = 1;
    if (argc > 2 && strcmp(argv[1], "-i") == 0) {
        if (use(argv[2]))
            return 2;
        first = 3;
    }
    printf("ns a row by the loop, by %d at once, and the ratio; instruction set %s\n", ROWS,
           anb_isa_name(anb_isa_in_use()));
    printf("%-48s %25s %25s %25s\n", "features", "8", "12", "64");
    for (int i = first; i < argc; i++)
        line(argv[i]);
    for (size_t i = 0; i < sizeof usual / sizeof *usual && first == argc; i++)
        line(usual[i]);
    return 0;
}
