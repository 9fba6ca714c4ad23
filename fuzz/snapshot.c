/* Any bytes as a snapshot whose length and checksum are right: refused with a code, or a model that can be used. */
#include "fuzz.h"
#include "src/host/model.h"
#include "src/text/checksum.h"

static void put(uint8_t *at, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

static void repair(uint8_t *bytes, size_t size)
{
    AnbChecksum sum;
    put(bytes + 16, size, 8);
    anb_checksum_init(&sum);
    anb_checksum_add(&sum, bytes, size - 4);
    put(bytes + size - 4, sum.value, 4);
}

/* Whether the checks of all types of a model leave nothing that a few rows more make invalid: true of these alone. In
 * sums of the others a number near the end of the doubles may leave them with the next row. */
static bool lasts(const StreamingLearner *model)
{
    static const char *const types[] = {"season", "knn", "jumps", "last", "mean"};
    for (size_t i = 0; i < model->plan->n_nodes; i++) {
        bool known = false;
        for (size_t k = 0; k < sizeof types / sizeof *types; k++)
            known |= strcmp(model->plan->nodes[i].type->name, types[k]) == 0;
        if (!known)
            return false;
    }
    return true;
}

static void save_again(const StreamingLearner *model)
{
    AnbError error = {0};
    size_t size = anb_snapshot_size(model, NULL);
    uint8_t *bytes = malloc(size);
    FUZZ_ASSERT(anb_snapshot_to_memory(model, NULL, bytes, size, NULL) == 0, "%s", anb_expression(model));
    if (lasts(model)) {
        StreamingLearner *again = anb_load_memory(bytes, size, NULL, &error);
        FUZZ_ASSERT(again, "%s: %s", anb_expression(model), error.message);
        anb_free(again);
    }
    free(bytes);
}

/* Whatever a state that passed its checks holds, no call may leave the block; predictions may be odd, but
 * are finite. */
static void use(StreamingLearner *model)
{
    size_t d = anb_n_features(model);
    double *x = calloc(d, sizeof *x);
    AnbMixture mixture;
    for (int t = 0; t < 20; t++) {
        for (size_t j = 0; j < d && j < 64; j++)
            x[j] = (double)((t * 7 + (int)j * 5) % 11) - 5;
        double f = anb_predict(model, x), g = anb_train_one(model, x, (double)(t % 5), 1);
        FUZZ_ASSERT(memcmp(&f, &g, sizeof f) == 0, "%s: predict %g, train_one %g", anb_expression(model), f, g);
        if (t == 0 || t == 7)
            save_again(model);
    }
    anb_mixture(model, &mixture);
    free(x);
}

/* What outer nodes add: rows that wait, labels for those that waited already, intervals, the drift's read-out. */
static void use_outer(StreamingLearner *model)
{
    size_t d = anb_n_features(model);
    double *x = calloc(d, sizeof *x), low, high;
    const double *coverage = NULL;
    AnbDriftView view;
    size_t levels = anb_interval_levels(model, &coverage);
    for (uint64_t t = 0; t < 60; t++) {
        x[0] = (double)(t % 7) - 3;
        anb_predict_pending(model, t / 2, x);
        anb_learn_label(model, t, (double)(t % 5), 1);
        for (size_t i = 0; i < levels; i++) {
            int code = anb_predict_interval(model, x, coverage[i], &low, &high);
            FUZZ_ASSERT(code || low <= high, "%s: %g to %g", anb_expression(model), low, high);
        }
    }
    anb_drift_view(model, &view);
    free(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AnbModelOptions options = anb_model_defaults();
    AnbError error = {0};
    uint8_t *bytes = malloc(size + 1);
    options.max_bytes = 16 << 20;
    memcpy(bytes, data, size);
    if (size >= 28)
        repair(bytes, size);
    StreamingLearner *model = anb_load_memory(bytes, size, &options, &error);
    FUZZ_ASSERT(model || (error.code < 0 && error.message[0]), "no reason");
    if (model) {
        save_again(model);
        use(model);
        use_outer(model);
        save_again(model);
    }
    anb_free(model);
    free(bytes);
    return 0;
}
