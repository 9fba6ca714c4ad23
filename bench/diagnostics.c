/*
 * What looking costs: a mixture of four linear experts at eight features, a sample at a time, bare and observed.
 *
 *     diagnostics [REPEATS]
 */
#include "count.h"
#include "random.h"
#include "harness.h"
#include <anabranch/anabranch.h>
#include <stdlib.h>

enum { D = 8, ROWS = 1024 };

typedef struct Watched {
    StreamingLearner *model;
    AnbDiagnostics *d;
    AnbAudit *audit;
    bool read, text, glance;
    double sum;
    const double *rows, *targets;
    size_t at, bytes;
} Watched;

static int discard(void *context, const void *text, size_t size)
{
    (void)text;
    *(size_t *)context += size;
    return 0;
}

static void run(void *context, size_t count)
{
    Watched *w = context;
    for (size_t i = 0; i < count; i++) {
        size_t at = w->at++ % ROWS;
        const double *x = w->rows + at * D, y = w->targets[at];
        double f = anb_train_one(w->model, x, y, 1);
        if (w->d)
            anb_observe(anb_diagnostics_observer(w->d), w->model, x, y, f);
        if (w->glance || w->read)
            w->sum += anb_diagnostics_value(w->d, ANB_METRIC_RMSE);
        if (w->read) /* one of each shape derives them all */
            w->sum += anb_diagnostics_value(w->d, ANB_METRIC_REGRET) +
                      anb_diagnostics_values(w->d, ANB_METRIC_EXPERT_RMSE, NULL)[0];
        if (w->audit)
            anb_observe(anb_audit_observer(w->audit), w->model, x, y, f);
        if (w->text)
            anb_diagnostics_json(w->d, w->audit, false, discard, &w->bytes);
    }
}

static Watched watched(const char *router, bool observe, bool read, int period, bool text, const double *rows,
                       const double *targets)
{
    char expression[160];
    AnbAuditOptions options = anb_audit_defaults();
    Watched w = {.read = read, .text = text, .rows = rows, .targets = targets};
    snprintf(expression, sizeof expression,
             "moe(linear, linear(rate=0.02), linear(rate=0.005), linear(rate=0.05), router=%s)", router);
    w.model = anb_parse(D, expression, NULL, NULL);
    w.d = observe ? anb_diagnostics_new(w.model, NULL, NULL) : NULL;
    options.period = period;
    w.audit = period ? anb_audit_new(w.model, w.d, NULL, &options, NULL) : NULL;
    return w;
}

static void compare(const char *router, const double *rows, const double *targets, int repeats)
{
    static const char *const names[] = {"bare",
                                        "diagnostics",
                                        "diagnostics, rmse read",
                                        "diagnostics, all metrics read",
                                        "audit, a step every sample",
                                        "audit, a step every 32",
                                        "all of it, a line of JSON a sample"};
    Watched w[] = {
        watched(router, false, false, 0, false, rows, targets), watched(router, true, false, 0, false, rows, targets),
        watched(router, true, false, 0, false, rows, targets),  watched(router, true, true, 0, false, rows, targets),
        watched(router, false, false, 1, false, rows, targets), watched(router, false, false, 32, false, rows, targets),
        watched(router, true, true, 32, true, rows, targets)};
    w[2].glance = true;
    enum { N = sizeof w / sizeof *w };
    BenchItem items[N];
    for (int i = 0; i < N; i++)
        items[i] = (BenchItem){run, &w[i], 0, 0};
    bench_all(items, N, repeats, 2e6, -1);
    printf("moe of 4 linear, d = %d, router = %s\n", D, router);
    for (int i = 0; i < N; i++) {
        printf("  %-36s %8.1f ns a sample  %+8.1f\n", names[i], items[i].best, items[i].best - items[0].best);
        anb_audit_free(w[i].audit);
        anb_diagnostics_free(w[i].d);
        anb_free(w[i].model);
    }
}

int main(int argc, char **argv)
{
    static double rows[ROWS * D], targets[ROWS];
    uint64_t seed = 1;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < D; j++) {
            rows[i * D + j] = unit_of(&seed) - 0.5;
            targets[i] += (j - 3) * rows[i * D + j];
        }
    int repeats = argc > 1 ? (int)count_of("REPEATS", argv[1], 1) : 40;
    compare("linear", rows, targets, repeats);
    compare("boa", rows, targets, repeats);
    return EXIT_SUCCESS;
}
