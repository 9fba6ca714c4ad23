/* Any text, new or stored: refused with a position inside it, or a model whose canonical expression makes the same
 * model again. */
#include "fuzz.h"

enum { LONGEST = 70000 };

static StreamingLearner *make(size_t n_features, const char *text, bool saved, AnbError *error)
{
    AnbModelOptions options = anb_model_defaults();
    options.max_bytes = 8 << 20;
    return (saved ? anb_parse_saved : anb_parse)(n_features, text, &options, error);
}

static void use(StreamingLearner *model, size_t n_features)
{
    double x[8] = {.5, -1, 2, 0, 1, 3, -2, 1};
    for (int t = 0; t < 4; t++) {
        x[t % n_features] += 1;
        double f = anb_train_one(model, x, t, 1);
        FUZZ_ASSERT(fuzz_finite(f), "%s: %g", anb_expression(model), f);
    }
}

static void make_again(const StreamingLearner *model, size_t n_features, bool saved)
{
    AnbError error = {0};
    const char *text = anb_expression(model);
    StreamingLearner *again = make(n_features, text, saved, &error);
    FUZZ_ASSERT(again || strlen(text) > 65536, "%s: %s", text, error.message);
    FUZZ_ASSERT(!again || strcmp(anb_expression(again), text) == 0, "%s: %s", text, anb_expression(again));
    anb_free(again);
}

/* Whether there is such a model. */
static bool try(size_t n_features, const char *text, bool saved)
{
    AnbError error = {0};
    StreamingLearner *model = make(n_features, text, saved, &error);
    bool made = model != NULL;
    if (made) {
        make_again(model, n_features, saved);
        use(model, n_features);
    } else {
        FUZZ_ASSERT(error.code < 0 && error.message[0], "no reason for '%s'", text);
        FUZZ_ASSERT(error.position <= strlen(text), "position %zu of %zu", error.position, strlen(text));
    }
    anb_free(model);
    return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > LONGEST)
        return 0;
    size_t n_features = 1 + data[0] % 8;
    char *text = malloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = 0;
    bool made = try(n_features, text, false), saved = try(n_features, text, true);
    FUZZ_ASSERT(saved || !made, "'%s' is refused where it was stored", text);
    free(text);
    return 0;
}
