/*
 * What every registered type costs, in ns for one predict and one train through the public way, at 8, 32 and 128
 * features; and for what has a bare kernel of its own (linear, rls, the mixture of 4 linears) the ratio to it, measured
 * in turn. Where the machine counts instructions (perf_event_open), a line below each says how many a sample takes.
 *
 *     learners [-q] [EXPRESSION ...]      -q: fewer repeats; expressions instead of every type's example
 */
#include "bare.h"
#include "harness.h"
#include "rows.h"
#include "src/simd/isa.h"
#include "src/numeric/rls.h"
#include <anabranch/anabranch.h>

enum { N_SIZES = 3 };

static const size_t sizes[N_SIZES] = {8, 32, 128};
#define MIXTURE "moe(linear(rate=0.01), linear(rate=0.02), linear(rate=0.005), linear(rate=0.015), top_k=2)"

static int repeats = 40, counter = -1;
static volatile double sink;

/* ---- the public way ---------------------------------------------------------------------------------------------- */

typedef struct Public {
    StreamingLearner *model;
    Rows rows;
} Public;

static void public_train(void *context, size_t count)
{
    Public *p = context;
    double sum = 0, y;
    for (size_t i = 0; i < count; i++) {
        const double *x = rows_next(&p->rows, &y);
        sum += anb_train_one(p->model, x, y, 1);
    }
    sink = sum;
}

static void public_predict(void *context, size_t count)
{
    Public *p = context;
    double sum = 0, y;
    for (size_t i = 0; i < count; i++)
        sum += anb_predict(p->model, rows_next(&p->rows, &y));
    sink = sum;
}

/* ---- bare -------------------------------------------------------------------------------------------------------- */

typedef struct Bare {
    Rows rows;
    const BareKernels *kernels;
    BareLinear linear;
    BareMixture mixture;
    AnbRls rls;
    double *state, *scratch;
} Bare;

static const BareKernels *kernels_in_use(void)
{
#ifdef ANB_HAVE_X86_LEVELS
    if (anb_isa_in_use() == ANB_ISA_V4)
        return &bare_v4;
    if (anb_isa_in_use() == ANB_ISA_V3)
        return &bare_v3;
#endif
    return &bare_baseline;
}

static Bare bare_of(size_t d)
{
    Bare b = {.rows = rows_of(d, ROWS_CELLS), .kernels = kernels_in_use()};
    b.linear = (BareLinear){.d = d, .w = rows_take(d)};
    b.mixture = (BareMixture){.d = d,
                              .stride = d,
                              .experts = rows_take(BARE_K * d),
                              .gate = rows_take(BARE_K * d),
                              .rate = {.01, .02, .005, .015}};
    b.rls = (AnbRls){.n = d, .intercept = true, .delta = 100};
    b.state = rows_take(anb_rls_state(d));
    b.scratch = rows_take(anb_rls_scratch(d));
    anb_rls_init(&b.rls, b.state);
    return b;
}

static void bare_free(Bare *b)
{
    rows_free(&b->rows);
    free(b->linear.w);
    free(b->mixture.experts);
    free(b->mixture.gate);
    free(b->state);
    free(b->scratch);
}

#define BARE_LOOP(name, expression)                                                                                    \
    static void name(void *context, size_t count)                                                                      \
    {                                                                                                                  \
        Bare *b = context;                                                                                             \
        double sum = 0, y;                                                                                             \
        for (size_t i = 0; i < count; i++) {                                                                           \
            const double *x = rows_next(&b->rows, &y);                                                                 \
            sum += expression;                                                                                         \
        }                                                                                                              \
        sink = sum;                                                                                                    \
    }

static double rls_train(Bare *b, const double *x, double y)
{
    double f = anb_rls_kernels.predict(&b->rls, b->state, x, b->scratch);
    anb_rls_kernels.update(&b->rls, b->state, y - f, .999, 1, b->scratch);
    return f;
}

BARE_LOOP(bare_linear_predict, b->kernels->linear_predict(&b->linear, x))
BARE_LOOP(bare_linear_train, b->kernels->linear_train(&b->linear, x, y))
BARE_LOOP(bare_mixture_predict, b->kernels->mixture_predict(&b->mixture, x))
BARE_LOOP(bare_mixture_train, b->kernels->mixture_train(&b->mixture, x, y))
BARE_LOOP(bare_rls_predict, anb_rls_kernels.predict(&b->rls, b->state, x, b->scratch))
BARE_LOOP(bare_rls_train, rls_train(b, x, y))

typedef struct Twin {
    const char *expression;
    BenchRun predict, train;
} Twin;

static const Twin twins[] = {
    {"linear", bare_linear_predict, bare_linear_train},
    {"rls", bare_rls_predict, bare_rls_train},
    {MIXTURE, bare_mixture_predict, bare_mixture_train},
};

/* ---- tables ------------------------------------------------------------------------------------------------------ */

/* As many samples as two tenths of a second allow, 20,000 at most: a model in its stride. */
static void warm_up(Public *p)
{
    double start = bench_now();
    for (int i = 0; i < 200 && bench_now() - start < 2e8; i++)
        public_train(p, 100);
}

/* Predict and train, then the twin's where there is one. */
typedef struct Figures {
    double ns[4], instructions[4]; /* 0: this type refuses so many features, or nothing counts */
} Figures;

static void record(const char *expression, size_t d, size_t what, const BenchItem *item)
{
    static const char *const words[] = {"predict", "train", "bare predict", "bare train"};
    char name[200];
    snprintf(name, sizeof name, "%s d=%zu %s", expression, d, words[what]);
    bench_record("learners", name, item->best, "ns");
    if (counter >= 0)
        bench_record("learners", name, item->instructions, "instr");
}

static Figures measure(const char *expression, const Twin *twin, size_t d)
{
    Public p = {.model = anb_parse(d, expression, NULL, NULL)};
    Figures figures = {{0}, {0}};
    if (!p.model)
        return figures;
    p.rows = rows_of(d, ROWS_CELLS);
    Bare bare = bare_of(d);
    warm_up(&p);
    if (twin)
        twin->train(&bare, (size_t)anb_n_samples_seen(p.model));
    BenchItem items[4] = {{.run = public_predict, .context = &p}, {.run = public_train, .context = &p}};
    size_t n = 2;
    if (twin) {
        items[n++] = (BenchItem){.run = twin->predict, .context = &bare};
        items[n++] = (BenchItem){.run = twin->train, .context = &bare};
    }
    bench_all(items, n, repeats, 2e5, counter);
    for (size_t i = 0; i < n; i++) {
        figures.ns[i] = items[i].best;
        figures.instructions[i] = items[i].instructions;
        record(expression, d, i, &items[i]);
    }
    anb_free(p.model);
    rows_free(&p.rows);
    bare_free(&bare);
    return figures;
}

static void cells(const Figures *of, size_t what, bool instructions)
{
    for (size_t s = 0; s < N_SIZES; s++)
        bench_cell(stdout, instructions ? of[s].instructions[what] : of[s].ns[what], "");
}

static void ratios(const Figures *of, size_t what, bool instructions)
{
    for (size_t s = 0; s < N_SIZES; s++) {
        const double *figure = instructions ? of[s].instructions : of[s].ns;
        printf(" %6.2f", figure[what] / figure[2 + what]);
    }
}

static void row(const char *expression, const char *name, const Figures *of, size_t what, bool twin, bool instructions)
{
    printf("%-40.40s %-8s", expression, name);
    cells(of, what, instructions);
    if (twin) {
        cells(of, 2 + what, instructions);
        ratios(of, what, instructions);
    }
    printf("\n");
}

static void line(const char *expression, const Twin *twin)
{
    Figures figures[N_SIZES];
    for (size_t s = 0; s < N_SIZES; s++)
        figures[s] = measure(expression, twin, sizes[s]);
    for (size_t what = 0; what < 2; what++) {
        row(expression, what ? "train" : "predict", figures, what, twin, false);
        if (counter >= 0)
            row("", "instr.", figures, what, twin, true);
    }
    fflush(stdout);
}

static const Twin *twin_of(const char *expression)
{
    for (size_t i = 0; i < sizeof twins / sizeof *twins; i++)
        if (strcmp(expression, twins[i].expression) == 0)
            return &twins[i];
    return NULL;
}

int main(int argc, char **argv)
{
    int first = 1;
    if (argc > 1 && strcmp(argv[1], "-q") == 0) {
        repeats = 8;
        first++;
    }
    counter = bench_counter_open();
    printf("ns a sample, minimum of %d repeats, instruction set %s%s\n", repeats, anb_isa_name(anb_isa_in_use()),
           counter < 0 ? "; instructions are not counted here (perf_event_open refuses)" : "");
    printf("%-40s %-8s %10s %10s %10s %10s %10s %10s   ratios\n", "", "", "d = 8", "32", "128", "bare 8", "32", "128");
    for (int i = first; i < argc; i++)
        line(argv[i], twin_of(argv[i]));
    if (first < argc)
        return 0;
    for (size_t i = 0; i < sizeof twins / sizeof *twins; i++)
        line(twins[i].expression, &twins[i]);
    for (const StreamingLearnerType *const *type = anb_learner_types(); *type; type++)
        line((*type)->example, NULL);
    return 0;
}
