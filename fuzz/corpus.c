/* Writes the seeds of the corpora that no editor can: corpus FOLDER. Run where types were added; existing files stay.
 */
#include "fuzz.h"
#include "tests/zoo.h"
#include <sys/stat.h>

enum { LARGEST = 6000 };

/* Models small enough for a fuzzer that have learned enough to have structure: cuts, alternate trees, full windows. */
static const struct {
    const char *name, *expression;
    size_t n_features, samples;
} grown[] = {{"grown_tree", "tree", 1, 600},
             {"grown_tree_two", "tree(leaf=mean)", 2, 300},
             {"grown_forest", "forest(trees=2)", 1, 300},
             {"grown_sgbt", "sgbt(window=64, trees=3, depth=2, budget=1000)", 2, 400},
             {"grown_sgbt_sorting", "sgbt(window=64, trees=2, depth=1, budget=200)", 1, 70},
             {"grown_sgbt_slow", "sgbt(window=128, trees=2, depth=2, budget=40)", 2, 333},
             {"grown_extra_trees", "extra_trees(window=32, trees=2, budget=40)", 2, 200},
             {"grown_additive", "additive(cells=3, pairs=1)", 4, 320},
             {"grown_interval", "interval(scale(moe(linear, last, router=boa)), coverage=[0.5, 0.9])", 2, 300},
             {"grown_pending", "pending(interval(scale(linear)), capacity=4)", 2, 50},
             {"grown_pending_bare", "pending(last, capacity=3)", 1, 5},
             {"grown_drift", "drift(rls, action=reset)", 2, 300},
             {"grown_drift_kswin", "drift(mean, detector=kswin, action=refresh)", 1, 150},
             {"grown_refine", "refine(moe(linear, mean, rls, router=boa), linear(normalized=true))", 2, 300},
             {"grown_guard", "guard(scale(rls))", 2, 300},
             {"grown_residual_ar", "residual_ar(scale(linear))", 2, 300},
             {"grown_season", "season(last, longest=8)", 1, 300},
             {"grown_knn", "knn(window=8, k=2)", 1, 300},
             {"grown_jumps", "jumps(last)", 1, 60},
             {"grown_mlp", "mlp(hidden=2, memory=4, replay=1)", 2, 60},
             {"grown_mlp_every", "mlp(hidden=2, activation=hardgelu, every=4, memory=4, replay=1)", 2, 2030},
             {"grown_mlp_single", "mlp(hidden=2, momentum=0.5, every=16, precision=single)", 2, 2030},
             {"grown_knn_coarse", "knn(window=8, k=2, coarse=4)", 1, 300},
             {"grown_past", "season(past(last, lags=2), longest=8)", 1, 300},
             {"grown_columns", "columns(scale(linear), kinds=\"c t\", slots=8)", 2, 60},
             {"grown_widened", "residual(narrow(linear, of=\"y n\"), columns(mean, kinds=\"n k\", slots=8))", 2, 60}};

static void write_file(const char *folder, const char *kind, const char *name, const void *bytes, size_t size)
{
    char path[1024];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s/%s", folder, kind, name);
    if (stat(path, &status) == 0)
        return;
    FILE *file = fopen(path, "wb");
    FUZZ_ASSERT(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0, "%s", path);
}

static void snapshot_seed(const char *folder, const char *name, const StreamingLearner *model, size_t largest)
{
    size_t size = anb_snapshot_size(model, NULL);
    uint8_t *bytes = malloc(size);
    anb_snapshot_to_memory(model, NULL, bytes, size, NULL);
    if (size <= largest)
        write_file(folder, "snapshot", name, bytes, size);
    free(bytes);
}

static void grown_seed(const char *folder, size_t i)
{
    StreamingLearner *model = anb_parse(grown[i].n_features, grown[i].expression, NULL, NULL);
    ZooStream s = zoo_stream(1, false);
    FUZZ_ASSERT(model, "%s", grown[i].expression);
    for (size_t t = 0; t < grown[i].samples; t++) {
        zoo_next(&s);
        double f = anb_predict_pending(model, t, s.x);
        if (f != f)
            anb_train_one(model, s.x, s.y, 1);
        else if (t % 3 > 0)
            anb_learn_label(model, t - t % 2, s.y, 1);
    }
    snapshot_seed(folder, grown[i].name, model, SIZE_MAX);
    anb_free(model);
}

/* A history that trains plainly, then with every hostile number, and asks, copies and saves between. */
static void calls_seed(const char *folder, const char *name, size_t animal)
{
    uint8_t bytes[256] = {(uint8_t)animal, 1, 0xf4, 3};
    size_t n = 4;
    for (unsigned k = 0; k < 18; k++) {
        bytes[n++] = 7;
        for (unsigned j = 0; j < ZOO_FEATURES; j++)
            bytes[n++] = (uint8_t)(k == 17 ? 150 : (k + j * (k % 3)) % 18);
        bytes[n++] = (uint8_t)(k * 11 % 18);
        bytes[n++] = (uint8_t)(k % 4);
    }
    write_file(folder, "calls", name, bytes, n);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < zoo_count(); i++) {
        char name[ZOO_TEXT], text[ZOO_TEXT];
        ZooStream s = zoo_stream(1, true);
        zoo_name(i, name);
        text[0] = ZOO_FEATURES - 1;
        zoo_expression(i, text + 1);
        write_file(argv[1], "expression", name, text, strlen(text));
        StreamingLearner *model = zoo_model(i, NULL, NULL);
        zoo_train(model, &s, 40);
        snapshot_seed(argv[1], name, model, LARGEST);
        calls_seed(argv[1], name, i);
        anb_free(model);
    }
    for (size_t i = 0; argc == 2 && i < sizeof grown / sizeof *grown; i++)
        grown_seed(argv[1], i);
    return argc == 2 ? 0 : 2;
}
