/*
 * What a model costs beside its samples: us to make one from text, to clone it, to free it, to save it to memory and to
 * load it again, its state, what a clone takes, and the resident memory of many clones over their number.
 *
 *     models [-d FEATURES] [-n COUNT] [EXPRESSION ...]      8 features, clones of 200 MB at most or 100,000
 */
#include "count.h"
#include "harness.h"
#include <anabranch/anabranch.h>
#include <string.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

enum { REPEATS = 200 };

typedef struct Costs {
    double make, clone, free, save, load; /* us, the least */
} Costs;

static double least(double a, double b)
{
    return a < b ? a : b;
}

/* To memory and back, 0 or more times. */
static void save_and_load(const StreamingLearner *model, Costs *c)
{
    size_t size = anb_snapshot_size(model, NULL);
    unsigned char *bytes = malloc(size);
    double begun = bench_now();
    for (int r = 0; r < REPEATS && bench_now() - begun < 2e8; r++) {
        double start = bench_now();
        anb_snapshot_to_memory(model, NULL, bytes, size, NULL);
        double saved = bench_now();
        StreamingLearner *again = anb_load_memory(bytes, size, NULL, NULL);
        c->load = least(c->load, (bench_now() - saved) / 1e3);
        c->save = least(c->save, (saved - start) / 1e3);
        anb_free(again);
    }
    free(bytes);
}

static Costs costs_of(const char *expression, size_t d)
{
    Costs c = {1e300, 1e300, 1e300, 1e300, 1e300};
    double begun = bench_now();
    for (int r = 0; r < REPEATS && bench_now() - begun < 5e8; r++) {
        double start = bench_now();
        StreamingLearner *model = anb_parse(d, expression, NULL, NULL);
        double made = bench_now();
        StreamingLearner *copy = anb_clone(model, NULL);
        double cloned = bench_now();
        anb_free(copy);
        c.free = least(c.free, (bench_now() - cloned) / 1e3);
        c.make = least(c.make, (made - start) / 1e3);
        c.clone = least(c.clone, (cloned - made) / 1e3);
        anb_free(model);
    }
    return c;
}

/* Bytes of this process that are in memory; 0 where the system does not tell. */
static double resident(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    double all, here = 0;
    if (file && fscanf(file, "%lf %lf", &all, &here) != 2)
        here = 0;
    if (file)
        fclose(file);
    return here * (double)sysconf(_SC_PAGESIZE);
}

/* Clones that have learned a row each, so that their memory is there. */
static double resident_of(const StreamingLearner *model, size_t n)
{
#ifdef __GLIBC__
    malloc_trim(0); /* what was freed before is not in memory */
#endif
    StreamingLearner **copies = calloc(n, sizeof *copies);
    double *x = calloc(anb_n_features(model), sizeof *x);
    for (size_t i = 0; i < n; i++)
        copies[i] = (StreamingLearner *)copies; /* so that the table itself is in memory */
    double before = resident();
    for (size_t i = 0; i < n; i++) {
        copies[i] = anb_clone(model, NULL);
        anb_train_one(copies[i], x, (double)i, 1);
    }
    double each = (resident() - before) / (double)n;
    for (size_t i = 0; i < n; i++)
        anb_free(copies[i]);
    free(copies);
    free(x);
    return each;
}

static void line(const char *expression, size_t d, size_t most)
{
    AnbError error = {0};
    StreamingLearner *model = anb_parse(d, expression, NULL, &error);
    if (!model) {
        printf("%-32s %s\n", expression, error.message);
        return;
    }
    Costs c = costs_of(expression, d);
    save_and_load(model, &c);
    size_t clone = anb_clone_bytes(model), n = ((size_t)200 << 20) / clone;
    double each = resident_of(model, n < most ? n + 1 : most);
    char name[200];
    printf("%-32s %8.2f %8.2f %8.2f %8.2f %8.2f %10zu %10zu %10.0f\n", expression, c.make, c.clone, c.free, c.save,
           c.load, anb_state_bytes(model), clone, each);
    snprintf(name, sizeof name, "%s make", expression);
    bench_record("models", name, c.make, "us");
    snprintf(name, sizeof name, "%s clone", expression);
    bench_record("models", name, c.clone, "us");
    snprintf(name, sizeof name, "%s save", expression);
    bench_record("models", name, c.save, "us");
    snprintf(name, sizeof name, "%s load", expression);
    bench_record("models", name, c.load, "us");
    snprintf(name, sizeof name, "%s state", expression);
    bench_record("models", name, (double)anb_state_bytes(model), "bytes");
    snprintf(name, sizeof name, "%s resident", expression);
    bench_record("models", name, each, "bytes");
    anb_free(model);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const char *const usual[] = {"mean",
                                        "linear",
                                        "rls",
                                        "scale(linear)",
                                        "scale(rls)",
                                        "scale(moe(linear, rls, mean))",
                                        "interval(scale(rls))",
                                        "pending(scale(rls))",
                                        "pending(interval(scale(rls)))",
                                        "quantile(scale(rls))",
                                        "mlp",
                                        "knn",
                                        "tree",
                                        "forest",
                                        "sgbt",
                                        "auto(budget=1)",
                                        "auto(budget=5)",
                                        "auto",
                                        "auto(budget=100)"};
    size_t d = 8, most = 100000;
    int first = 1;
    for (; first + 1 < argc && argv[first][0] == '-'; first += 2)
        if (strcmp(argv[first], "-d") == 0)
            d = count_of("-d", argv[first + 1], 1);
        else if (strcmp(argv[first], "-n") == 0)
            most = count_of("-n", argv[first + 1], 1);
        else
            option_unknown(argv[first], "-d and -n");
    const char *const *expressions = first < argc ? (const char *const *)argv + first : usual;
    int n = first < argc ? argc - first : (int)(sizeof usual / sizeof *usual);
    printf("%-32s %8s %8s %8s %8s %8s %10s %10s %10s\n", "", "make us", "clone", "free", "save", "load", "state",
           "clone's", "resident");
    for (int i = 0; i < n; i++)
        line(expressions[i], d, most);
    return 0;
}
